"""The parallax zero-point against Lindegren et al. (2021) and the package gaiadr3-zeropoint."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.corrections.parallax import PARALLAX, correct_parallax, zero_point
from stellarlabels.exceptions import ColumnUnitError, MissingColumnError

COLUMNS = ("phot_g_mean_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat", "astrometric_params_solved")


def stars(g, nu_eff, pseudocolor, ecl_lat, solved, **more):
    """A table of stars; scalars are repeated."""
    arrays = np.broadcast_arrays(g, nu_eff, pseudocolor, ecl_lat, solved)
    units = (u.mag, 1 / u.um, 1 / u.um, u.deg, None)
    table = QTable()
    for name, array, unit in zip(COLUMNS, arrays, units, strict=True):
        array = np.atleast_1d(array)
        table[name] = array if unit is None else u.Quantity(array.astype(float), unit)
    for name, quantity in more.items():
        table[name] = quantity
    return table


def random_stars(number, seed):
    """Random stars in the calibrated range, half of them with 6-parameter solutions."""
    rng = np.random.default_rng(seed)
    six = rng.random(number) < 0.5
    return stars(
        rng.uniform(6.001, 20.999, number),
        np.where(six, np.nan, rng.uniform(1.1001, 1.8999, number)),
        np.where(six, rng.uniform(1.2401, 1.7199, number), np.nan),
        np.degrees(np.arcsin(rng.uniform(-1, 1, number))),
        np.where(six, 95, 31),
    )


def peer(table):
    """The zero-point of the package gaiadr3-zeropoint, in mas."""
    zpt = pytest.importorskip("zero_point.zpt")
    zpt.load_tables()
    return zpt.get_zpt(*(np.asarray(table[name], dtype=float) for name in COLUMNS))


def test_equals_peer_package_to_its_rounding():
    table = random_stars(100_000, seed=1)
    result = zero_point(table)
    assert result.unit == u.mas
    # The package rounds to 1e-6 mas.
    np.testing.assert_allclose(result.value, peer(table), rtol=0, atol=5.001e-7)


@pytest.mark.parametrize(
    ("g", "color", "latitude", "solved", "expected"),
    [
        # Table 9: at a knot, c1 = c2 = c3 = c4 = 0 and sin(beta) = 0: q00 - q02 / 3
        (10.8, 1.48, 0, 31, -27.23 - 23.04 / 3),
        # ... at the pole: q00 + q01 + q02 * 2 / 3
        (16.1, 1.48, 90, 31, -31.05 + 2.83 + 8.59 * 2 / 3),
        # ... a blue star, nu_eff = 1.8: c1 = 0.24, c4 = 0.08
        (17.5, 1.8, 0, 31, -29.18 - 2.41 / 3 + 0.24 * 0 + 0.08 * 325.0),
        # ... a red star, nu_eff = 1.2: c1 = -0.24, c2 = 0.24**3, c3 = -0.04
        (15.9, 1.2, 0, 31, -38.33 - 15.42 / 3 - 1189 * 0.24**3 - 0.04 * 243.8),
        # ... half way between two knots
        (11.0, 1.48, 0, 31, (-27.23 - 30.33) / 2 - (23.04 + 9.08) / 6),
        # Table 10: 6-parameter solutions
        (20.0, 1.58, 0, 95, -13.73 + 8.30 / 3 + 0.1 * (-74.4 + 42.0 / 3)),
        (19.0, 1.38, 90, 95, -15.32 + 4.01 - 6.03 * 2 / 3 - 0.1 * (29.2 + 14.1 + 0.4 * 2 / 3) - 563 * 0.1**3),
    ],
)
def test_values_of_the_paper(g, color, latitude, solved, expected):
    """Lindegren et al. (2021), Tables 9 and 10, in microarcseconds, to 1e-9."""
    result = zero_point(stars(g, color, color, latitude, solved))
    assert result[0].to_value("uas") == pytest.approx(expected, abs=1e-9)


def test_integer_magnitudes_are_not_truncated():
    table = QTable(
        {
            "phot_g_mean_mag": u.Quantity(np.array([15, 16]), u.mag, dtype=np.int64),
            "nu_eff_used_in_astrometry": [1.5, 1.5] / u.um,
            "pseudocolour": [1.5, 1.5] / u.um,
            "ecl_lat": u.Quantity(np.array([10, -20]), u.deg, dtype=np.int64),
            "astrometric_params_solved": np.array([31, 95], dtype=np.int16),
        }
    )
    expected = peer(stars([15.0, 16.0], 1.5, 1.5, [10.0, -20.0], [31, 95]))
    np.testing.assert_allclose(zero_point(table).value, expected, rtol=0, atol=5.001e-7)


def test_two_parameter_stars_mask_only_themselves():
    table = random_stars(6, seed=2)
    solved = np.array(table["astrometric_params_solved"])
    expected = peer(table)
    solved[[1, 4]] = 3
    table["astrometric_params_solved"] = solved
    result = zero_point(table)
    np.testing.assert_array_equal(result.mask, [False, True, False, False, True, False])
    good = ~result.mask
    np.testing.assert_allclose(result.unmasked.value[good], expected[good], rtol=0, atol=5.001e-7)


def test_masked_and_missing_inputs():
    table = random_stars(5, seed=3)
    table["astrometric_params_solved"] = MaskedColumn([31, 31, 31, 31, 7], mask=[0, 0, 0, 1, 0], dtype=np.int16)
    table["nu_eff_used_in_astrometry"] = Masked([1.5, 1.5, 1.5, 1.5, 1.5] / u.um, mask=[0, 1, 0, 0, 0])
    table["phot_g_mean_mag"][2] = np.nan
    table["parallax"], table["parallax_error"] = np.ones(5) * u.mas, np.ones(5) * u.mas
    out = correct_parallax(table)
    np.testing.assert_array_equal(out["parallax_zero_point"].mask, [0, 1, 1, 1, 1])
    np.testing.assert_array_equal(out["parallax_corrected"].mask, [0, 1, 1, 1, 1])
    names = [PARALLAX.decode(value) for value in out["parallax_flag"]]
    assert names == [[], ["MISSING_INPUT"], ["MISSING_INPUT"], ["UNKNOWN_SOLUTION"], ["UNKNOWN_SOLUTION"]]


def test_out_of_range_counts_as_the_limit_and_is_flagged():
    g = [3.0, 6.0, 21.0, 24.0, 15.0, 15.0, 15.0, 15.0, 15.0]
    color = [1.5, 1.5, 1.5, 1.5, 1.0, 1.1, 2.3, 1.1, 2.0]
    solved = [31, 31, 31, 31, 31, 31, 31, 95, 95]
    table = stars(g, color, color, 30, solved, parallax=np.ones(9) * u.mas, parallax_error=np.ones(9) * u.mas)
    out = correct_parallax(table)
    inside = stars(np.clip(g, 6, 21), [1.5] * 4 + [1.1, 1.1, 1.9, 1.24, 1.72], [1.5] * 7 + [1.24, 1.72], 30, solved)
    np.testing.assert_allclose(out["parallax_zero_point"], zero_point(inside), rtol=0, atol=1e-15)
    assert not np.any(getattr(out["parallax_zero_point"], "mask", False))
    expected = ["MAGNITUDE_RANGE"] * 4 + ["COLOR_RANGE"] * 5
    assert [PARALLAX.decode(value) for value in out["parallax_flag"]] == [[name] for name in expected]


def test_extrapolation_differs_from_the_peer_only_where_it_does_not_clamp():
    """The package clamps G and pseudocolour, and extrapolates nu_eff."""
    table = stars([3.0, 24.0, 15.0, 15.0], 1.5, [1.5, 1.5, 1.0, 2.0], 30, [31, 31, 95, 95])
    with pytest.warns(UserWarning, match="outside the expected range"):
        expected = peer(table)
    np.testing.assert_allclose(zero_point(table).value, expected, rtol=0, atol=5.001e-7)


def test_corrected_parallax_and_its_significance():
    table = random_stars(3, seed=4)
    table["parallax"] = [2.0, -0.5, np.nan] * u.mas
    table["parallax_error"] = [0.1, 0.25, 0.1] * u.mas
    before = table.copy()
    out = correct_parallax(table)
    corrected = np.array([2.0, -0.5]) - peer(table)[:2]
    np.testing.assert_allclose(out["parallax_corrected"].unmasked[:2].value, corrected, atol=1e-6)
    np.testing.assert_allclose(out["parallax_over_error_corrected"].data.data[:2], corrected / [0.1, 0.25], rtol=1e-5)
    assert out["parallax_corrected"].mask.tolist() == [False, False, True]
    assert [PARALLAX.decode(value) for value in out["parallax_flag"]] == [[], [], ["MISSING_PARALLAX"]]
    assert out.colnames[: len(before.colnames)] == before.colnames
    assert table.colnames == before.colnames
    for name in before.colnames:
        np.testing.assert_array_equal(table[name], before[name])


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
@pytest.mark.parametrize("error", [0.0, -1.0, np.nan, np.inf])
def test_bad_parallax_error_masks_the_significance_only(error):
    table = random_stars(1, seed=5)
    table["parallax"], table["parallax_error"] = [1.0] * u.mas, [error] * u.mas
    out = correct_parallax(table)
    assert out["parallax_over_error_corrected"].mask.all()
    assert np.isfinite(out["parallax_corrected"].value).all()
    assert PARALLAX.decode(out["parallax_flag"][0]) == ["BAD_ERROR"]


def test_units_are_converted():
    table = random_stars(50, seed=6)
    other = table.copy()
    other["ecl_lat"] = table["ecl_lat"].to("rad")
    other["nu_eff_used_in_astrometry"] = table["nu_eff_used_in_astrometry"].to("1/nm")
    np.testing.assert_allclose(zero_point(other).value, zero_point(table).value, atol=1e-12)
    other["ecl_lat"] = table["ecl_lat"].value * u.km
    with pytest.raises(ColumnUnitError, match="ecl_lat"):
        zero_point(other)


def test_ecliptic_latitude_follows_from_ra_and_dec():
    rng = np.random.default_rng(7)
    position = SkyCoord(rng.uniform(0, 360, 200) * u.deg, np.degrees(np.arcsin(rng.uniform(-1, 1, 200))) * u.deg)
    table = random_stars(200, seed=7)
    table["ecl_lat"] = position.transform_to(BarycentricMeanEcliptic()).lat
    expected = zero_point(table)
    table["ra"], table["dec"] = position.ra, position.dec
    table.remove_column("ecl_lat")
    np.testing.assert_allclose(zero_point(table).value, expected.value, rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["phot_g_mean_mag", "astrometric_params_solved", "ecl_lat"])
def test_missing_column_is_named(name):
    table = random_stars(2, seed=8)
    table.remove_column(name)
    with pytest.raises(MissingColumnError, match=name):
        zero_point(table)


def test_one_of_the_two_colors_is_enough_for_stars_that_have_it():
    table = stars(15.0, 1.5, 1.5, 0, [31, 95])
    expected = zero_point(table)
    table.remove_column("pseudocolour")
    result = zero_point(table)
    assert result.mask.tolist() == [False, True]
    assert result[0] == expected[0]
    table.remove_column("nu_eff_used_in_astrometry")
    with pytest.raises(MissingColumnError, match="pseudocolour"):
        zero_point(table)


def test_empty_table():
    assert zero_point(random_stars(0, seed=9)).shape == (0,)
    table = random_stars(0, seed=9)
    table["parallax"] = table["parallax_error"] = [] * u.mas
    assert len(correct_parallax(table)["parallax_flag"]) == 0


ANY = st.floats(width=64, allow_nan=True, allow_infinity=True)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(ANY, ANY, ANY, ANY, st.sampled_from([3, 31, 95, 0, -1])), min_size=1, max_size=5))
def test_any_numbers_give_a_small_number_or_a_mask_with_a_flag(rows):
    g, nu_eff, pseudocolor, latitude, solved = zip(*rows, strict=True)
    ones = np.ones(len(rows)) * u.mas
    out = correct_parallax(stars(g, nu_eff, pseudocolor, latitude, solved, parallax=ones, parallax_error=ones))
    zero = out["parallax_zero_point"]
    mask = np.broadcast_to(getattr(zero, "mask", False), len(rows))
    values = np.asarray(zero.unmasked.value if hasattr(zero, "unmasked") else zero.value)
    assert np.all(np.abs(values[~mask]) < 0.5)
    reasons = PARALLAX["TWO_PARAMETER"] | PARALLAX["UNKNOWN_SOLUTION"] | PARALLAX["MISSING_INPUT"]
    np.testing.assert_array_equal(mask, (np.asarray(out["parallax_flag"]) & reasons) != 0)


def test_plain_table_and_registered_flags():
    table = Table(random_stars(4, seed=10))
    np.testing.assert_array_equal(zero_point(table).value, zero_point(random_stars(4, seed=10)).value)
    assert flags.get("parallax") is PARALLAX
