"""The correction of XP systematics, on tables of the authors' layout whose products are known."""

import numpy as np
import pytest

from stellarlabels import flags
from stellarlabels.corrections.systematics import FLAGS, correct_flux, correct_xp
from stellarlabels.exceptions import DataNotFoundError, InputError, ReadError
from stellarlabels.inputs.examples import xp_apogee_sample

C2, C3 = np.arange(-3, 3.0005, 0.001), np.arange(-2, 2.0005, 0.001)
G, GEXT, PHOT = np.arange(2.703, 17.1225, 0.001), np.arange(10, 17.4005, 0.001), np.arange(10, 17.6505, 0.001)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables in which each factor tells its own row: 1 + value / 1000 (C2), 1 + value / 100 (C3), and so on."""
    path = tmp_path_factory.mktemp("huang")

    def save(name, values, samples=1):
        np.savetxt(path / name, np.repeat(values[:, None], samples, axis=1), delimiter=",", fmt="%.8g")

    for key, at, size in (("C2", C2, 1000), ("C3", C3, 100), ("G", G, 50)):
        save(f"untruc_inter{key}_CM.csv", at)
        save(f"untruc_interyy{key}_CM.csv", 1 + at / size, 343)
    save("interGext_CM.csv", GEXT)
    save("untruc_interyyGext_CM.csv", 1 + GEXT / 20, 343)
    save("inter_phot.csv", PHOT)
    save("inter_BP.csv", PHOT / 10, 105)
    save("inter_RP.csv", PHOT / 5, 238)
    return path


def slope_spectrum(slope):
    """A straight line in wavelength, 1 at the middle of the normalisation window, with equal relative errors."""
    wavelength = 3.36 + 0.02 * np.arange(343)
    flux = 1 + slope * (wavelength - wavelength[62:78].mean())
    return flux[None], np.full((1, 343), 1e-3)


@pytest.mark.parametrize(
    ("g", "factor_bp", "factor_rp"),
    [
        (5.0, 1 + 5 / 50, 1 + 5 / 50),
        (12.0, (1 + 12 / 20) * (1 + 12 / 50) * 1.2, (1 + 12 / 20) * (1 + 12 / 50) * 2.4),
        (17.3, (1 + 17.3 / 20) * (1 + 17.122 / 50) * 1.73, (1 + 17.3 / 20) * (1 + 17.122 / 50) * 3.46),
        (19.0, (1 + 17.4 / 20) * (1 + 17.122 / 50) * 1.765, (1 + 17.4 / 20) * (1 + 17.122 / 50) * 3.53),
        (1.0, 1 + 2.703 / 50, 1 + 2.703 / 50),
    ],
)
def test_factors_by_hand(folder, g, factor_bp, factor_rp):
    flux, error = slope_spectrum(0.2)
    got, flag = correct_flux(flux, error, [g], folder)
    shape = (1 + 0.2 / 1000) * (1 + 0.2 / 100)
    np.testing.assert_allclose(got[0, :105] / flux[0, :105], shape * factor_bp, rtol=2e-5)
    np.testing.assert_allclose(got[0, 105:] / flux[0, 105:], shape * factor_rp, rtol=2e-5)
    assert FLAGS.has(flag[0], "MAGNITUDE_RANGE") == (g in (1.0, 19.0))
    assert FLAGS.has(flag[0], "FAINT") == (g == 17.3)


def test_what_cannot_be_corrected_stays(folder):
    flux, error = slope_spectrum(0.2)
    steep, _ = slope_spectrum(2.5)
    got, flag = correct_flux(np.vstack([steep, flux, flux * np.nan]), np.vstack([error] * 3), [12, np.nan, 12], folder)
    np.testing.assert_array_equal(got[:2], np.vstack([steep, flux]))
    assert [flags.decode(value, "systematics") for value in flag] == [["NOT_CORRECTED"]] * 3


def test_real_spectra(folder):
    stars = xp_apogee_sample()[:20]
    out = correct_xp(stars, folder=folder)
    assert out.colnames == [*stars.colnames, "systematics_flag"]
    good = out["systematics_flag"] == 0
    assert good.sum() > 10
    assert not np.allclose(out["flux"][good].value, stars["flux"][good].value, rtol=1e-3, atol=0)


def test_missing_and_broken_tables(tmp_path, folder):
    flux, error = slope_spectrum(0.0)
    with pytest.raises(DataNotFoundError, match="10.12149/101375"):
        correct_flux(flux, error, [12], tmp_path)
    (tmp_path / "untruc_interC2_CM.csv").write_text("a,b\n")
    with pytest.raises(ReadError, match="table of numbers"):
        correct_flux(flux, error, [12], tmp_path)
    with pytest.raises(InputError, match="343"):
        correct_flux(flux[:, :10], error[:, :10], [12], folder)
