"""Synthetic photometry, against GaiaXPy and the Gaia catalog; noise, against the formula and itself."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.features.photometry import add_noise, available, jplus_error, photometric_error, synthetic_photometry
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp.coefficients import read_coefficients
from stellarlabels.inputs.xp.gaiaxpy import quiet

WEILER = "xp_continuous_combined_weiler2023_examples.vot"


def values(column):
    """A column as floats, NaN where masked."""
    return np.ma.filled(
        np.ma.MaskedArray(np.asarray(getattr(column, "unmasked", column)), getattr(column, "mask", False)), np.nan
    )


def frame(table):
    """GaiaXPy's input."""
    known = read_coefficients(table)
    columns = {"source_id": np.arange(len(table))}
    for index, band in enumerate(("bp", "rp")):
        part = slice(55 * index, 55 * index + 55)
        columns[f"{band}_coefficients"] = list(known.values[:, part])
        columns[f"{band}_coefficient_errors"] = list(known.errors[:, part])
        columns[f"{band}_coefficient_correlations"] = list(known.correlations[band])
        columns[f"{band}_n_parameters"], columns[f"{band}_standard_deviation"] = 55, 1.0
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def stars(real_data):
    """Four stars with full correlations, and six without."""
    return read_xp(real_data / "gaia_xp" / WEILER)


@pytest.fixture(scope="module")
def sample():
    """Real sampled spectra, with catalog photometry."""
    return xp_apogee_sample()[:100]


@pytest.mark.parametrize("error_correction", [False, True])
def test_as_gaiaxpy(stars, error_correction):
    """Every band of every system: offsets, color equations and factors of errors included."""
    with quiet():
        from gaiaxpy import PhotometricSystem, generate

        systems = [PhotometricSystem[name] for name in available()]
        want = generate(frame(stars), photometric_system=systems, save_file=False, error_correction=error_correction)
    got = synthetic_photometry(stars, available(), error_correction=error_correction)
    assert len(available()) == 28
    for name in want.columns.drop("source_id"):
        tolerance = {"atol": 1e-8} if "_mag_" in name else {"rtol": 1e-8}
        np.testing.assert_allclose(values(got[name]), want[name], err_msg=name, **tolerance)


def test_faint_blue_stars_as_gaiaxpy(real_data):
    """Fluxes that are not positive have no magnitude; without correlations coefficients are independent."""
    table = read_xp(real_data / "gaia_xp" / "xp_continuous_combined_chunk0.fits")[:300]
    with quiet():
        from gaiaxpy import PhotometricSystem, generate

        want = generate(frame(table), photometric_system=PhotometricSystem.JPLUS, save_file=False)
    got = synthetic_photometry(table, "JPLUS")
    for name in want.columns.drop("source_id"):
        np.testing.assert_allclose(values(got[name]), want[name], rtol=1e-9, err_msg=name)
    assert np.isnan(want["Jplus_mag_uJAVA"]).any()


def test_gaia_catalog(sample):
    """G, BP and RP from sampled spectra agree with the catalog to a few mmag."""
    got = synthetic_photometry(sample)
    for band, name in (("G", "phot_g_mean_mag"), ("BP", "phot_bp_mean_mag"), ("RP", "phot_rp_mean_mag")):
        difference = got[f"GaiaDr3Vega_mag_{band}"].value - sample[name].value
        assert np.abs(np.median(difference)) < 0.01 and np.median(np.abs(difference)) < 0.01


def test_table_in_table_out(sample):
    before = sample.copy()
    got = synthetic_photometry(sample, ["JPLUS"])
    assert got.colnames[: len(sample.colnames) - 2] == [n for n in sample.colnames if n not in ("flux", "flux_error")]
    assert list(got["source_id"]) == list(sample["source_id"])
    assert got["Jplus_mag_uJAVA"].unit == got["Jplus_mag_error_uJAVA"].unit == u.mag
    assert sample.colnames == before.colnames and np.array_equal(sample["flux"], before["flux"])
    only = synthetic_photometry(sample["flux", "flux_error"], ["JPLUS"])
    np.testing.assert_allclose(values(only["Jplus_mag_J0515"]), values(got["Jplus_mag_J0515"]), rtol=1e-9)


def test_color_equation_is_continued_linearly():
    from stellarlabels.inputs.xp.photometry import photometric_system

    equation = photometric_system("SDSS_Std").color_equation
    low, high = equation.limits
    step = 0.1
    for edge, sign in ((low, -1), (high, 1)):
        slope = (equation.correction(edge) - equation.correction(edge - sign * 1e-6)) / 1e-6
        np.testing.assert_allclose(
            equation.correction(edge + sign * step) - equation.correction(edge), slope * step, atol=1e-5
        )


def test_missing_band_is_masked(real_data):
    table = read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW_with_missing_BP.fits")
    got = synthetic_photometry(table, ["JPLUS"])
    alone = np.isnan(read_coefficients(table).values).any(axis=1)
    assert alone.sum() == 1
    assert np.array_equal(np.isnan(values(got["Jplus_mag_zJPLUS"])), alone)


def test_what_cannot_be(sample):
    with pytest.raises(InputError, match="system: expected one of .*JPLUS.*, got 'Jplus'"):
        synthetic_photometry(sample, ["Jplus"])
    with pytest.raises(MissingColumnError, match="flux"):
        synthetic_photometry(sample["source_id", "ra"])


def test_errors_by_hand():
    """At the limit the signal-to-noise ratio is 5; a star 5 mag brighter has the photon noise of the formula."""
    np.testing.assert_allclose(photometric_error([20.0], 20.0), 0.2)
    np.testing.assert_allclose(photometric_error([15.0], 20.0), np.sqrt(0.001 * 0.01 + 0.039 * 0.0001))
    np.testing.assert_allclose(photometric_error([10.0], 20.0, floor=0.03), 0.03, rtol=1e-2)
    shallow = 20.0 - 2.5 * np.log10(3 / 5)
    np.testing.assert_allclose(photometric_error([20.0], shallow, signal_to_noise=3), 0.2)
    error = jplus_error(np.full((1, 12), 21.5))
    assert error.shape == (1, 12) and 0.3 < error[0, 0] < 0.36 and error[0, 5] < 0.1 < error[0, 11]


@pytest.fixture
def photometry(sample):
    """J-PLUS magnitudes in the columns of the survey."""
    made = synthetic_photometry(sample)
    bands = [name for name in made.colnames if name.startswith("Jplus_mag_") and "error" not in name]
    out = QTable(sample["source_id", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"])
    out["mag_aper_6_0"] = np.stack([values(made[name]) for name in bands], axis=1) * u.mag
    out["mag_err_aper_6_0"] = np.full((len(out), 12), 0.01) * u.mag
    return out


def test_noise_is_as_large_as_its_errors(photometry):
    before = values(photometry["mag_aper_6_0"])
    noise, errors = [], []
    for seed in range(20):
        noisy = add_noise(photometry, g=17, seed=seed)
        noise.append(values(noisy["mag_aper_6_0"]) - before)
        errors.append(np.sqrt(values(noisy["mag_err_aper_6_0"]) ** 2 - 0.01**2))
    pulls = np.array(noise) / np.array(errors)
    np.testing.assert_allclose(np.nanstd(pulls, axis=(0, 1)), 1, atol=0.1)
    np.testing.assert_array_equal(values(photometry["mag_aper_6_0"]), before)


def test_noise_grows(photometry):
    """Fainter means noisier in every band of every star, with the same random numbers."""
    last = 0
    for g in (12, 14, 16, 18, 20):
        noisy = add_noise(photometry, g=g)
        size = np.abs(values(noisy["mag_aper_6_0"]) - values(photometry["mag_aper_6_0"]))
        finite = np.isfinite(size)
        assert (size[finite] >= (last if np.isscalar(last) else last[finite])).all()
        assert noisy["phot_bp_mean_mag_error"].unit == u.mag
        last = size
    np.testing.assert_allclose(noisy["phot_rp_mean_mag_error"].value, 0.052)
