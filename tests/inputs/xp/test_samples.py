"""XP spectra to network inputs."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.corrections.extinction import deredden_xp
from stellarlabels.exceptions import InputError, MissingColumnError, ReleaseError
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import WAVELENGTH, spectra
from stellarlabels.inputs.xp.samples import PIXEL_EDGES, fill_gaps, pixels

FLUX_UNIT = u.Unit("W / (m2 nm)")


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()[:20]


def test_sampling_is_that_of_gaiaxpy():
    assert WAVELENGTH[0] == 336 and WAVELENGTH[-1] == 1020 and len(WAVELENGTH) == 343


def test_pixels_by_hand():
    flux = np.tile(WAVELENGTH, (2, 1))
    error = np.full_like(flux, 3.0)
    error[1, WAVELENGTH < 340] = 5.0
    got_flux, got_error = pixels(flux, error, edges=[335, 341, 345], norm_wavelength=550, norm_width=10)
    norm = np.mean([546, 548, 550, 552, 554])
    # samples 336, 338, 340 | 342, 344
    np.testing.assert_allclose(got_flux, [[338 / norm, 343 / norm]] * 2)
    np.testing.assert_allclose(got_error[0], [3 / norm, 3 / norm])
    np.testing.assert_allclose(got_error[1, 0], np.sqrt((25 + 25 + 9) / 3) / norm)


def test_sixty_pixels_hold_all_samples():
    counts, _ = np.histogram(WAVELENGTH, PIXEL_EDGES)
    assert len(counts) == 60 and counts.sum() == 343 and counts.min() >= 5


def test_pixels_without_positive_norm_are_nan():
    flux = np.ones((2, 343))
    flux[0] = -1
    got, _ = pixels(flux, np.ones((2, 343)))
    assert np.isnan(got[0]).all() and np.isfinite(got[1]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=343, max_size=343), st.integers(0, 2**31))
def test_fill_gaps_equals_numpy_interp(missing, seed):
    values = np.random.default_rng(seed).normal(size=(1, 343))
    values[0, missing] = np.nan
    filled = fill_gaps(values)
    good = np.isfinite(values[0])
    if good.any():
        np.testing.assert_allclose(filled[0], np.interp(WAVELENGTH, WAVELENGTH[good], values[0, good]), atol=1e-12)
    else:
        assert np.isnan(filled).all()


def test_flux_scale_does_not_matter(stars):
    bright = QTable(stars)
    bright["flux"] = stars["flux"] * 1e4
    bright["flux_error"] = stars["flux_error"] * 1e4
    for name in ("xp_pixels", "xp_spectrum"):
        one, other = feature_set(name).compute(stars), feature_set(name).compute(bright)
        np.testing.assert_allclose(one.arrays["flux"], other.arrays["flux"], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(one.arrays["error"], other.arrays["error"], rtol=1e-5)


def test_pixels_are_dereddened(stars):
    """The feature set equals its steps: deredden, resample, normalise."""
    clean, _ = deredden_xp(stars["flux"].value, stars["ebv"].filled(np.nan).value, flux_error=stars["flux_error"].value)
    want, _ = pixels(clean, stars["flux_error"].value)
    got = feature_set("xp_pixels").compute(stars)
    np.testing.assert_allclose(got.arrays["flux"][got.usable], want[got.usable], rtol=1e-5)


def test_bad_spectra_are_flagged_and_kept(stars):
    table = Table({"source_id": stars["source_id"][:6]})
    flux = np.array(stars["flux"][:6].value)
    error = np.array(stars["flux_error"][:6].value)
    flux[1] = np.nan
    error[2, 10] = -1
    flux[3, WAVELENGTH < 640] = np.nan
    flux[4, WAVELENGTH > 640] = np.nan
    mask = np.zeros(flux.shape, bool)
    mask[5] = True
    table["flux"] = np.ma.MaskedArray(flux, mask)
    table["flux"].unit = FLUX_UNIT
    table["flux_error"] = error * FLUX_UNIT
    before = table.copy()
    _, _, flag = spectra(table)
    names = [flags.decode(value, "spectrum") for value in flag]
    assert names[0] == []
    assert "NO_SPECTRUM" in names[1] and "NO_SPECTRUM" in names[5]
    assert names[2] == ["BAD_SAMPLES"]
    assert "MISSING_BP" in names[3] and "MISSING_RP" in names[4]
    features = feature_set("xp_spectrum").compute(table)
    np.testing.assert_array_equal(features.usable, [True, False, True, False, False, False])
    assert all(np.isfinite(features.arrays[name]).all() for name in ("flux", "error"))
    np.testing.assert_array_equal(before["flux_error"], table["flux_error"])


def test_spectra_of_other_length():
    cells = np.empty(2, dtype=object)
    cells[0], cells[1] = np.ones(343), np.ones(10)
    table = Table({"flux": cells, "flux_error": cells.copy()})
    flux, _, flag = spectra(table)
    assert np.isfinite(flux[0]).all() and np.isnan(flux[1]).all()
    assert flags.decode(flag[1], "spectrum")[0] == "NO_SPECTRUM"
    with pytest.raises(InputError, match="343 samples, got 10"):
        spectra(Table({"flux": np.ones((2, 10)) * FLUX_UNIT, "flux_error": np.ones((2, 10)) * FLUX_UNIT}))


def test_missing_columns_are_named(stars):
    with pytest.raises(MissingColumnError, match="flux_error"):
        feature_set("xp_spectrum").compute(stars[["source_id", "flux"]])
    with pytest.raises(InputError, match="no feature set"):
        feature_set("xp_pixel")


def test_optional_photometry_is_flagged(stars):
    features = feature_set("xp_spectrum").compute(stars[["flux", "flux_error"]])
    assert features.usable.all() and np.isnan(features.arrays["color"]).all()
    assert flags.LABEL.has(features.flag, "MISSING_PHOTOMETRY").all()
    features = feature_set("xp_pixels").compute(stars[["flux", "flux_error"]])
    assert not features.usable.any() and flags.LABEL.has(features.flag, "MISSING_EBV").all()


class TestOwnWavelengths:
    """Wavelengths that a table brings are used, wherever they are."""

    GRID = np.arange(336.0, 1021.0, 2.0)

    def stars(self, grid):
        flux = np.outer([1.0, 2.0], 1e-16 * (1 + ((self.GRID - 600) / 300) ** 2))
        own = np.array([np.interp(grid, self.GRID, row) for row in flux])
        unit = "W / (m2 nm)"
        return flux, QTable({"source_id": [1, 2], "flux": own << u.Unit(unit), "flux_error": own / 50 << u.Unit(unit)})

    def check(self, table, expected, inside):
        flux, _, flag = spectra(table)
        np.testing.assert_allclose(flux[:, inside], expected[:, inside], rtol=2e-4)
        assert np.isnan(flux[:, ~inside]).all()
        assert flags.SPECTRUM.has(flag, "OTHER_SAMPLING").all()

    def test_a_column_or_an_entry_of_meta_in_any_unit(self):
        grid = np.linspace(400, 900, 343)
        expected, table = self.stars(grid)
        inside = (self.GRID >= 400) & (self.GRID <= 900)
        table["wavelength"] = np.tile(grid, (2, 1)) * u.nm
        self.check(table, expected, inside)
        table["wavelength"] = np.tile(grid * 10, (2, 1)) * u.AA
        self.check(table, expected, inside)
        table.remove_column("wavelength")
        for entry in (grid * u.nm, list(grid), (grid * 10) * u.AA):
            table.meta["wavelength"] = entry
            self.check(table, expected, inside)

    def test_another_number_of_samples(self):
        grid = np.linspace(336, 1020, 500)
        expected, table = self.stars(grid)
        with pytest.raises(InputError, match=r"expected spectra of 343 samples, got 500; give their wavelengths"):
            spectra(table)
        table.meta["wavelength"] = grid
        flux, _, _ = spectra(table)
        np.testing.assert_allclose(flux, expected, rtol=2e-4)

    def test_those_of_the_archive_change_nothing(self):
        expected, table = self.stars(self.GRID)
        table.meta["wavelength"] = self.GRID * u.nm
        flux, _, flag = spectra(table)
        np.testing.assert_array_equal(flux, table["flux"].value)
        assert (flag == 0).all()

    def test_what_is_no_wavelength_is_refused(self):
        _, table = self.stars(self.GRID)
        table.meta["wavelength"] = "air"
        with pytest.raises(InputError, match=r"table.meta\['wavelength'\]: expected wavelengths in nm, got air"):
            spectra(table)


class TestNothingThere:
    """Stars without a spectrum get flags, be they one or all of a table."""

    @pytest.mark.parametrize("missing", ["none", "empty", "nan", "masked"])
    def test_no_star_has_a_spectrum(self, missing):
        cells = np.empty(3, dtype=object)
        cells[:] = [None] * 3 if missing == "none" else [np.empty(0)] * 3
        column = np.full(3, np.nan) if missing == "nan" else cells
        if missing == "masked":
            column = MaskedColumn(np.ones((3, 343)), mask=True, unit=FLUX_UNIT)
        table = Table({"source_id": [1, 2, 3], "flux": column, "flux_error": column})
        flux, _, flag = spectra(table)
        assert flux.shape == (3, 343) and np.isnan(flux).all()
        assert flags.SPECTRUM.has(flag, "NO_SPECTRUM").all()
        for name in ("xp_pixels", "xp_spectrum", "xp_coefficients"):
            features = feature_set(name).compute(table)
            assert not features.usable.any()
            assert flags.LABEL.has(features.flag, "NO_INPUT").all()

    def test_samples_that_are_exactly_zero_are_bad(self):
        stars = xp_apogee_sample()[:4]
        stars["flux"][1, 40:45] = 0 * stars["flux"].unit
        flux, _, flag = spectra(stars)
        assert np.isnan(flux[1, 40:45]).all() and np.isfinite(flux[0]).all()
        assert flags.SPECTRUM.has(flag, "BAD_SAMPLES").tolist() == [False, True, False, False]


@pytest.mark.parametrize("name", ["xp_pixels", "xp_spectrum", "xp_coefficients"])
def test_spectra_of_another_release_are_refused_or_flagged(name):
    stars = xp_apogee_sample()[:4]
    stars["designation"] = ["Gaia DR3 1", "Gaia DR4 2", "Gaia DR3 3", "Gaia EDR3 4"]
    with pytest.raises(ReleaseError, match=r"3 rows of Gaia DR3|1 rows of Gaia DR4"):
        feature_set(name).compute(stars)
    stars.meta["release"] = "ignore"
    features = feature_set(name).compute(stars)
    assert flags.LABEL.has(features.flag, "OTHER_RELEASE").tolist() == [False, True, False, False]
    assert features.usable.all()
