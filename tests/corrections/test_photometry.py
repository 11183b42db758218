"""Flux excess and magnitudes against Riello et al. (2021) and the published zero points."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable
from astropy.utils.masked import Masked
from hypothesis import given, settings, strategies as st

from stellarlabels.corrections.photometry import (
    PHOTOMETRY,
    correct_flux_excess,
    expected_flux_excess,
    flux_excess_scatter,
    magnitudes,
)
from stellarlabels.exceptions import InputError, MissingColumnError


def gaia(g, bp, rp, excess):
    """A table of Gaia photometry."""
    g, bp, rp, excess = (np.atleast_1d(np.asarray(x, dtype=float)) for x in np.broadcast_arrays(g, bp, rp, excess))
    return QTable(
        {
            "phot_g_mean_mag": g * u.mag,
            "phot_bp_mean_mag": bp * u.mag,
            "phot_rp_mean_mag": rp * u.mag,
            "phot_bp_rp_excess_factor": excess,
        }
    )


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        (0.0, 1.154360),
        (-0.5, 1.154360 - 0.016886 + 0.00806925),
        (0.5, 1.162004 + 0.005732 + 0.01231375 - 0.000734875),
        (1.0, 1.162004 + 0.011464 + 0.049255 - 0.005879),
        (4.0, 1.057572 + 0.562148),
        (5.0, 1.057572 + 0.702685),
    ],
)
def test_expected_excess_is_table_2_of_riello(color, expected):
    """Riello et al. (2021), Table 2, to 1e-12."""
    assert expected_flux_excess([color])[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("edge", "jump"), [(0.5, 2e-6), (4.0, 5e-5)])
def test_pieces_meet(edge, jump):
    """A wrong sign or a lost cubic term, as in some copies of the table, breaks the curve by 1e-3 or more."""
    below, above = expected_flux_excess([np.nextafter(edge, 0), edge])
    assert abs(above - below) < jump


def test_scatter_at_known_magnitudes():
    """Riello et al. (2021), Eq. 18, with the power taken through logarithms, to 1e-12."""
    g = np.array([0.0, 10.0, 19.0])
    factor = np.exp(np.log(8.817481e-12) + 7.618399 * np.log([1e-300, 10.0, 19.0]))
    np.testing.assert_allclose(flux_excess_scatter(g), 0.0059898 + factor, rtol=1e-12)
    assert flux_excess_scatter([10.0])[0] == pytest.approx(0.006356, abs=1e-6)
    assert flux_excess_scatter([19.0])[0] == pytest.approx(0.054676, abs=1e-6)


def test_corrected_excess_of_a_table():
    table = gaia(
        [12.0, 12.0, 18.0, 12.0], [12.5, 12.5, 18.6, np.nan], [11.5, 11.5, 17.1, 11.5], [1.2168, 1.4, 1.3, 1.2]
    )
    table["phot_bp_rp_excess_factor"] = MaskedColumn([1.216844, 1.4, 1.3, 1.2], mask=[0, 0, 1, 0])
    before = table.copy()
    out = correct_flux_excess(table)
    corrected = out["phot_bp_rp_excess_factor_corrected"]
    assert corrected[0] == pytest.approx(0, abs=1e-12)
    assert corrected[1] == pytest.approx(1.4 - 1.216844, abs=1e-12)
    assert corrected.mask.tolist() == [False, False, True, True]
    names = [PHOTOMETRY.decode(value) for value in out["photometry_flag"]]
    assert names == [[], ["LARGE_EXCESS"], ["MISSING_EXCESS"], ["MISSING_BP"]]
    assert len(out) == 4
    assert table.colnames == before.colnames


def test_missing_column_is_named():
    table = gaia(12.0, 12.5, 11.5, 1.2)
    table.remove_column("phot_bp_rp_excess_factor")
    with pytest.raises(MissingColumnError, match="phot_bp_rp_excess_factor"):
        correct_flux_excess(table)


def fluxes(g, error=1.0):
    """A table with the same flux in all bands."""
    table = QTable()
    for band in ("g", "bp", "rp"):
        table[f"phot_{band}_mean_flux"] = np.atleast_1d(np.asarray(g, dtype=float)) * u.electron / u.s
        table[f"phot_{band}_mean_flux_error"] = np.full(len(table), error) * u.electron / u.s
    return table


@pytest.mark.parametrize(
    ("system", "zero_points"),
    [
        ("vega", (25.6873668671, 25.3385422158, 24.7478955012)),
        ("ab", (25.8010446445, 25.3539555559, 25.1039837393)),
    ],
)
def test_zero_points_of_gaia_dr3(system, zero_points):
    """https://www.cosmos.esa.int/web/gaia/edr3-passbands: a flux of 1 e-/s has the zero point as its magnitude."""
    out = magnitudes(fluxes([1.0, 1e4]), system=system)
    for band, zero in zip(("g", "bp", "rp"), zero_points, strict=True):
        np.testing.assert_allclose(out[f"phot_{band}_mean_mag"].value, [zero, zero - 10], rtol=0, atol=1e-12)


def test_magnitude_errors():
    out = magnitudes(fluxes([1000.0], error=2.0))
    step = -2.5 * np.log10(1000.0 - 2e-3) + 2.5 * np.log10(1000.0)
    np.testing.assert_allclose(out["phot_g_mean_mag_error"].value, 1e3 * step, rtol=1e-5)
    both = magnitudes(fluxes([1000.0], error=2.0), zero_point_error=True)
    squares = both["phot_rp_mean_mag_error"].value ** 2 - out["phot_rp_mean_mag_error"].value ** 2
    np.testing.assert_allclose(np.sqrt(squares), 0.0037793818, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_bad_fluxes_are_masked_and_flagged():
    table = fluxes([100.0, 100.0, 100.0, 100.0, 100.0])
    unit = u.electron / u.s
    table["phot_bp_mean_flux"] = Masked([1.0, 0.0, -3.0, np.nan, 5.0] * unit, mask=[0, 0, 0, 0, 1])
    table["phot_g_mean_flux_error"] = [0.0, -1.0, np.nan, 1.0, 1.0] * unit
    out = magnitudes(table)
    assert out["phot_bp_mean_mag"].mask.tolist() == [False, True, True, True, True]
    assert out["phot_g_mean_mag_error"].mask.tolist() == [True, True, True, False, False]
    assert not np.any(getattr(out["phot_g_mean_mag"], "mask", False))
    bit = PHOTOMETRY["MISSING_BP"]
    assert np.asarray(out["photometry_flag"]).tolist() == [0, bit, bit, bit, bit]


def test_errors_of_fluxes_may_be_absent():
    table = fluxes([100.0])
    table.remove_columns([name for name in table.colnames if name.endswith("error")])
    assert magnitudes(table)["phot_g_mean_mag_error"].mask.all()


def test_unknown_system():
    with pytest.raises(InputError, match="system"):
        magnitudes(fluxes([1.0]), system="st")


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.floats(-50, 50) | st.just(np.nan)] * 4), min_size=1, max_size=5))
def test_any_numbers_keep_their_rows(rows):
    out = correct_flux_excess(gaia(*zip(*rows, strict=True)))
    values = np.asarray(rows)
    missing = np.isnan(values) | (values < [-5, -5, -5, 1e-6]) | (values > [40, 40, 40, 1e4]) | (values == 0)
    missing[:, 3] |= np.isin(values[:, 3], [99, 999])
    bad = missing.any(axis=1) | (values[:, 0] < 0)
    corrected = np.ma.getmaskarray(out["phot_bp_rp_excess_factor_corrected"])
    scatter = np.ma.getmaskarray(out["phot_bp_rp_excess_factor_scatter"])
    np.testing.assert_array_equal(corrected, missing[:, 1:].any(axis=1))
    np.testing.assert_array_equal(corrected | scatter, bad)
