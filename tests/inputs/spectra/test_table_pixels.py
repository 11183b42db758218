"""Spectra from tables: rest frame, resampling, gaps."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from hypothesis import given, settings, strategies as st
from scipy.interpolate import interp1d

from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.spectra import LIGHT, fill_gaps, interpolate, pixels, redshift

WAVE = np.linspace(4000.0, 4100.0, 51)


def table(count=3, **changes):
    rng = np.random.default_rng(1)
    out = QTable({"flux": rng.normal(1, 0.1, (count, 51)), "ivar": np.full((count, 51), 4.0)})
    out["wavelength"] = np.tile(WAVE, (count, 1)) * u.AA
    for name, data in changes.items():
        out[name] = data
    return out


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_interpolation_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    wavelength = np.sort(rng.uniform(4000, 5000, (4, 30)), axis=1)
    values, targets = rng.normal(size=(4, 30)), rng.uniform(3950, 5050, (4, 17))
    want = np.array(
        [interp1d(*row, bounds_error=False)(at) for *row, at in zip(wavelength, values, targets, strict=True)]
    )
    np.testing.assert_allclose(interpolate(wavelength, values, targets), want, rtol=1e-9, atol=1e-9)
    shared = np.array([interp1d(wavelength[0], row, bounds_error=False)(targets[0]) for row in values])
    np.testing.assert_allclose(interpolate(wavelength[0], values, targets[0]), shared, rtol=1e-9, atol=1e-9)


def test_the_ends_belong_to_the_spectrum():
    values = np.arange(51.0)[None]
    np.testing.assert_array_equal(interpolate(WAVE, values, WAVE[[0, -1]]), [[0.0, 50.0]])
    np.testing.assert_array_equal(interpolate(WAVE[None], values, WAVE[[0, -1]]), [[0.0, 50.0]])


def test_gaps_are_bridged_but_ends_are_not():
    values, good = np.arange(51.0)[None].repeat(2, 0), np.ones((2, 51), bool)
    good[0, [0, 10, 11, 30, 50]] = False
    out = fill_gaps(WAVE, np.where(good, values, 99.0), good)
    np.testing.assert_allclose(out[0, 1:50], values[0, 1:50])
    assert np.isnan(out[0, [0, 50]]).all()
    np.testing.assert_array_equal(out[1], values[1])


def test_redshift_prefers_a_radial_velocity():
    stars = QTable({"z": [1e-4, 2e-4, np.nan], "radial_velocity": [np.nan, 30.0, np.nan] * u.km / u.s})
    np.testing.assert_allclose(redshift(stars), [1e-4, 30 / LIGHT, np.nan])
    np.testing.assert_array_equal(redshift(Table({"x": [1.0]})), [np.nan])


def test_equal_wavelengths_are_shared_even_with_other_lengths():
    stars = table()
    assert pixels(stars).wavelength.shape == (51,)
    stars["wavelength"][1, 40:] = np.nan * u.AA
    data = pixels(stars)
    assert data.wavelength.shape == (51,)
    assert not data.good[1, 40:].any() and data.good[0].all() and not data.there[1, 40:].any()
    stars["wavelength"][2] += 0.5 * u.AA
    assert pixels(stars).wavelength.shape == (3, 51)


def test_what_makes_a_pixel_bad():
    stars = table(andmask=np.zeros((3, 51), int), ormask=np.zeros((3, 51), int))
    stars["ivar"][0, 1], stars["flux"][0, 2], stars["ormask"][0, 3], stars["andmask"][0, 4] = 0, np.nan, 8, 1
    np.testing.assert_array_equal(np.flatnonzero(~pixels(stars).good[0]), [1, 2, 3, 4])
    np.testing.assert_array_equal(np.flatnonzero(~pixels(stars, masks=(), weighted=False).good[0]), [2])


def test_wavelengths_out_of_order_are_bad_pixels():
    stars = table()
    stars["wavelength"][0, 7] = 9000 * u.AA
    data = pixels(stars)
    assert (np.diff(data.wavelength, axis=1) > 0).all() and np.isfinite(data.wavelength).all()
    assert data.good[1].all()


def test_wavelengths_in_the_meta_and_cells_of_any_length():
    stars = table()
    stars.meta["wavelength"] = stars["wavelength"][0]
    del stars["wavelength"]
    np.testing.assert_array_equal(pixels(stars).wavelength, WAVE)
    cells = np.empty(2, object)
    cells[:] = [np.ones(51), np.ones(20)]
    ragged = Table({"flux": cells, "ivar": cells}, meta=stars.meta)
    np.testing.assert_array_equal(pixels(ragged).good.sum(axis=1), [51, 20])


def test_errors():
    with pytest.raises(MissingColumnError, match="'wavelength'"):
        pixels(table()[["flux", "ivar"]])
    with pytest.raises(MissingColumnError, match="'ivar'"):
        pixels(table()[["flux", "wavelength"]])
    with pytest.raises(InputError, match="array in each cell"):
        pixels(table(ivar=np.ones(3)))
