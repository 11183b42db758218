"""Tables of distances: values, flags, and rows that stay where they are."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from stellarlabels.distances import DistancePDF, UniformDensity, distances
from stellarlabels.distances.table import DISTANCE
from stellarlabels.exceptions import ColumnUnitError, InputError, MissingColumnError

#: Rows: all there, no parallax, negative parallax, no extinction, no M, nothing, bad errors, conflict, useless M.
ROWS = 9
IDS = 4_000_000_000_000_000_001 + np.arange(ROWS)


def stars():
    nan = np.nan
    return QTable(
        {
            "source_id": IDS,
            "phot_g_mean_mag": [15.0, 15.0, 15.0, 15.0, 15.0, nan, 15.0, 15.0, 15.0] * u.mag,
            "ag": [0.5, 0.5, 0.5, nan, 0.5, 0.5, 0.5, 0.5, 0.5] * u.mag,
            "parallax": [1.2, nan, -0.1, 1.2, 1.2, nan, 1.2, 9.0, 0.1] * u.mas,
            "parallax_error": [0.1, nan, 0.7, 0.1, 0.1, nan, -0.1, 0.1, 0.5] * u.mas,
            "r_med_geo": [800.0, 900, nan, 800, 800, nan, 800, 111, 0] * u.pc,
        }
    )


def labels():
    magnitude = np.array([5.0, 5, 5, 5, np.nan, 5, 5, 5, 5])
    return QTable(
        {
            "source_id": IDS,
            "m_g": Masked(np.nan_to_num(magnitude) * u.mag, mask=np.isnan(magnitude)),
            "m_g_err": [0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.0, 0.2, 3.0] * u.mag,
            "m_g_flag": np.array([0, 64, 0, 0, 0, 0, 0, 0, 0], np.int32),
        }
    )


def number(cell):
    """A cell of a column as a float."""
    return float(getattr(getattr(cell, "unmasked", cell), "value", cell))


def decoded(out):
    return [set(DISTANCE.decode(value)) for value in out["distance_flag"]]


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_values_flags_and_rows():
    table, before = stars(), stars()
    out = distances(table, labels(), prior="exponential")
    assert out.colnames == [
        "source_id", "distance", "distance_err", "distance_flag", "distance_good", "distance_lo", "distance_hi",
        "distance_mode", "r_med_geo", "distance_ratio_geo",
    ]  # fmt: skip
    assert out["source_id"].dtype == np.int64 and (out["source_id"] == IDS).all()
    assert decoded(out) == [
        set(),
        {"NO_PARALLAX", "MAGNITUDE_FLAGGED"},
        set(),
        {"NO_EXTINCTION"},
        {"NO_MAGNITUDE"},
        {"NO_MAGNITUDE", "NO_PARALLAX", "NO_DISTANCE"},
        {"BAD_ERROR", "NO_PARALLAX", "NO_DISTANCE"},
        {"CONFLICT"},
        {"PRIOR_DOMINATED"},
    ]
    np.testing.assert_array_equal(out["distance"].mask, out["distance_lo"].mask)
    assert np.flatnonzero(out["distance"].mask).tolist() == [5, 6]
    both = DistancePDF(15, 5, 0.2, 0.5).with_parallax(1.2 * u.mas, 0.1 * u.mas, "exponential")
    lower, upper = both.quantile([0.16, 0.84])
    for name, expected in (
        ("distance", both.median),
        ("distance_lo", lower),
        ("distance_hi", upper),
        ("distance_err", (upper - lower) / 2),
        ("distance_mode", both.mode),
        ("distance_ratio_geo", both.median.value / 800 * u.one),
    ):
        assert number(out[name][0]) == pytest.approx(expected.value, rel=1e-9), name
    assert out["distance"].unit == u.pc
    # Without magnitudes, the parallax alone: the same for stars 3 and 4.
    alone = DistancePDF(15, 5, np.inf).with_parallax(1.2 * u.mas, 0.1 * u.mas, "exponential")
    np.testing.assert_allclose(out["distance"][3:5].unmasked.value, alone.median.value)
    assert np.flatnonzero(out["distance_ratio_geo"].mask).tolist() == [2, 5, 6, 8]
    for name in table.colnames:
        np.testing.assert_array_equal(table[name], before[name])


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_photometry_alone_is_the_closed_form():
    table = stars()
    out = distances(table, labels(), use_parallax=False)
    closed = DistancePDF(15, 5, 0.2, 0.5)
    assert number(out["distance"][0]) == pytest.approx(closed.median.value)
    assert number(out["distance_mode"][2]) == pytest.approx(closed.mode.value)
    assert not any("NO_PARALLAX" in names for names in decoded(out))
    del table["parallax"], table["parallax_error"]
    automatic = distances(table, labels())
    np.testing.assert_array_equal(automatic["distance"].filled(-1 * u.pc), out["distance"].filled(-1 * u.pc))
    assert "NO_PARALLAX" in decoded(automatic)[0]
    with pytest.raises(MissingColumnError, match="parallax"):
        distances(table, labels(), use_parallax=True)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_extinction_from_an_argument_a_function_or_the_column():
    table = stars()
    expected = number(distances(table, labels())["distance"][0])
    del table["ag"]
    with pytest.raises(MissingColumnError, match="extinction=0"):
        distances(table, labels())
    for given in (0.5, 0.5 * u.mag, np.full(ROWS, 500) * u.mmag, lambda t: np.full(len(t), 0.5)):
        assert number(distances(table, labels(), extinction=given)["distance"][0]) == pytest.approx(expected)
    wider = distances(table, labels(), extinction=0.5, extinction_err=lambda t: 0.3, use_parallax=False)
    lower, upper = DistancePDF(15, 5, 0.2, 0.5, 0.3).quantile([0.16, 0.84])
    assert number(wider["distance_err"][0]) == pytest.approx((upper - lower).value / 2)
    with pytest.raises(InputError, match="extinction: expected one value or 9"):
        distances(table, labels(), extinction=[0.1, 0.2])


def test_labels_in_the_table_and_2mass():
    table = Table(
        {
            "Kmag": MaskedColumn([12.0, 12.0], mask=[False, True], unit="mag"),
            "e_Kmag": MaskedColumn([0.03, 0.03], unit="mag"),
            "m_ks": MaskedColumn([2.0, 2.0], unit="mag"),
        }
    )
    out = distances(table, band="ks", extinction=0, absolute_mag_err=0.04 * u.mag)
    np.testing.assert_array_equal(out["distance"].mask, [False, True])
    lower, upper = DistancePDF(12, 2, 0.05).quantile([0.16, 0.84])
    assert number(out["distance_err"][0]) == pytest.approx((upper - lower).value / 2)
    with pytest.raises(MissingColumnError, match="m_ks_err"):
        distances(table, band="ks", extinction=0)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_a_prior_for_each_star_and_its_name():
    from stellarlabels.distances import ExponentialDensity

    out = distances(stars(), labels(), prior=ExponentialDensity(np.linspace(300, 3000, ROWS) * u.pc))
    alone = DistancePDF(15, 5, 3.0, 0.5).with_parallax(0.1 * u.mas, 0.5 * u.mas, ExponentialDensity(3 * u.kpc))
    assert number(out["distance"][8]) == pytest.approx(alone.median.value)
    assert "Exponential" in out.meta["prior"]
    assert "10000" in distances(stars(), labels(), prior=UniformDensity(10 * u.kpc)).meta["prior"]
    assert distances(stars(), labels()).meta["prior"] == "uniform in distance modulus"


def test_empty_table():
    out = distances(stars()[:0], labels()[:0])
    assert len(out) == 0 and "distance" in out.colnames


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_wrong_arguments():
    with pytest.raises(InputError, match="band: expected one of"):
        distances(stars(), labels(), band="v")
    with pytest.raises(InputError, match="use_parallax"):
        distances(stars(), labels(), use_parallax="always")
    with pytest.raises(InputError, match="expected the 9 rows"):
        distances(stars(), labels()[:3])
    with pytest.raises(InputError, match="differs"):
        distances(stars(), labels()[::-1])
    with pytest.raises(MissingColumnError, match="m_g"):
        distances(stars())
    wrong = stars()
    wrong["parallax"] = np.ones(ROWS) * u.km
    with pytest.raises(ColumnUnitError, match="parallax"):
        distances(wrong, labels())
