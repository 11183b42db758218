"""Samples of many stars at once are those that GaiaXPy gives one by one."""

import numpy as np
import pytest
from astropy.table import Table
from threadpoolctl import threadpool_limits

from stellarlabels.archive import _gaiaxpy, sampling
from stellarlabels.archive.forms import QuadraticForms
from stellarlabels.archive.grid import DEFAULT
from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.features.xp import sample

FILES = (
    "XP_CONTINUOUS_RAW.csv",
    "XP_CONTINUOUS_RAW_with_missing_BP.fits",
    "xp_continuous_combined_weiler2023_examples.vot",
    "xp_continuous_combined_chunk0.fits",
)
GRIDS = {
    "archive": None,
    "few": np.arange(400.0, 1000, 7),
    "BP alone": np.arange(340.0, 600, 5),
    "RP alone": np.arange(700.0, 1040, 5),
    "between the bands": np.arange(634.5, 644, 0.5),
}


@pytest.fixture
def stars():
    """Stars with coefficients, errors and correlations of all kinds, some of them damaged."""
    rng = np.random.default_rng(5)
    count = 12
    table = {}
    for band in ("bp", "rp"):
        factor = rng.normal(size=(count, 55, 9))
        matrix = factor @ factor.transpose(0, 2, 1) + 9 * np.eye(55)
        scale = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2))
        rows, columns = np.tril_indices(55, -1)
        table[f"{band}_coefficients"] = rng.normal(size=(count, 55)) * 100 / (1 + np.arange(55))
        table[f"{band}_coefficient_errors"] = rng.uniform(0.1, 3, (count, 55))
        table[f"{band}_coefficient_correlations"] = (matrix / scale[:, :, None] / scale[:, None, :])[:, rows, columns]
        table[f"{band}_n_relevant_bases"] = rng.integers(0, 56, count)
    table["bp_coefficients"][1] = np.nan
    table["rp_coefficients"][2, 7] = np.nan
    table["bp_coefficients"][3] = table["rp_coefficients"][3] = np.nan
    table["bp_coefficient_errors"][4, 3] = np.nan
    table["rp_coefficient_errors"][5, 50] = -1
    table["bp_coefficient_correlations"][6] = np.nan
    table["rp_coefficient_correlations"][7, 100] = np.nan
    table["bp_coefficient_errors"][1] = np.nan
    return Table(table)


def same(found, expected, rtol):
    """Missing in the same places, and equal to a fraction of each star's largest number."""
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
        known = np.isfinite(theirs).any(axis=1)
        largest = np.nanmax(np.abs(theirs[known]), axis=1, keepdims=True)
        np.testing.assert_allclose(ours[known] / largest, theirs[known] / largest, rtol=0, atol=rtol)


@pytest.mark.parametrize("truncation", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_as_gaiaxpy(stars, grid, truncation):
    expected = _gaiaxpy.sample_coefficients(stars, GRIDS[grid], truncation)
    same(sampling.sample_coefficients(stars, GRIDS[grid], truncation), expected, 1e-12)
    same(sampling.sample_coefficients(stars, GRIDS[grid], truncation, single=True), expected, 2e-5)


@pytest.mark.parametrize("name", FILES)
def test_real_stars(real_data, name):
    stars = read_xp(real_data / "gaia_xp" / name, sample=False)[:20]
    flux, error = _gaiaxpy.sample_coefficients(stars)
    for single, tolerance in ((False, 1e-11), (True, 2e-5)):
        ours = [quantity.value for quantity in sample(stars, single=single)]
        same(ours, (flux, error), 1e-12 if not single else 2e-5)
        np.testing.assert_allclose(ours[1], error, rtol=tolerance)
        np.testing.assert_allclose(ours[0], flux, rtol=1e-10)


def test_flux_alone(stars):
    flux, error = sample(stars, errors=False)
    assert error is None
    same([flux.value], [sample(stars)[0].value], 1e-12)


def test_blocks_and_chunks_do_not_matter(stars, monkeypatch):
    expected = sampling.sample_coefficients(stars)
    monkeypatch.setattr(sampling, "CHUNK", 5)
    monkeypatch.setattr(sampling, "BLOCK", 4)
    same(sampling.sample_coefficients(stars), expected, 1e-12)


def test_other_stars_do_not_matter(stars):
    many = stars[np.arange(320) % len(stars)]
    alone = many[np.arange(64) * 5]
    same([array[::5] for array in sampling.sample_coefficients(many)], sampling.sample_coefficients(alone), 1e-12)


def test_threads_do_not_matter(stars, monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 512)
    many = stars[np.arange(2100) % len(stars)]
    with threadpool_limits(1, user_api="blas"):
        expected = sampling.sample_coefficients(many)
    with threadpool_limits(2, user_api="blas"):
        found = sampling.sample_coefficients(many)
    same(found, expected, 1e-12)


def test_single_precision_columns_and_no_correlations(stars):
    narrow = stars.copy()
    for name in narrow.colnames:
        if "correlations" in name:
            narrow[name] = narrow[name].astype(np.float32)
    same(sampling.sample_coefficients(narrow), _gaiaxpy.sample_coefficients(narrow), 1e-12)
    narrow.remove_columns([name for name in narrow.colnames if "correlations" in name])
    same(sampling.sample_coefficients(narrow), _gaiaxpy.sample_coefficients(narrow), 1e-12)


def test_texts_of_arrays(stars):
    texts = Table({"bp_coefficients": ["(" + ", ".join(map(repr, row.tolist())) + ")" for row in np.eye(55)[:3]]})
    same(sampling.sample_coefficients(texts), _gaiaxpy.sample_coefficients(texts), 1e-12)


def test_gaiaxpy_takes_over_where_the_map_is_another_one(stars, monkeypatch, caplog):
    original = _gaiaxpy.sample_coefficients

    def other(table, *args, **options):
        flux, error = original(table, *args, **options)
        return flux, error**1.01

    monkeypatch.setattr(_gaiaxpy, "sample_coefficients", other)
    sampling.maps.cache_clear()
    sampling._unit_spectra.cache_clear()
    try:
        got = sampling.sample_coefficients(stars)
    finally:
        sampling.maps.cache_clear()
        sampling._unit_spectra.cache_clear()
    assert "GaiaXPy does not sample as expected" in caplog.text
    for one, two in zip(got, other(stars), strict=True):
        np.testing.assert_array_equal(one, two)


def test_no_stars_and_no_coefficients(stars):
    flux, error = sampling.sample_coefficients(stars[:0])
    assert flux.shape == error.shape == (0, DEFAULT.size)
    with pytest.raises(MissingColumnError, match="rp_coefficients"):
        sampling.sample_coefficients(Table({"source_id": [1]}))
    with pytest.raises(MissingColumnError, match="n_relevant_bases"):
        sampling.sample_coefficients(stars["bp_coefficients", "rp_coefficients"], truncation=True)


def test_forms_by_hand():
    rng = np.random.default_rng(3)
    vectors, factor = rng.normal(size=(7, 6)), rng.normal(size=(6, 6))
    matrix = factor @ factor.T
    errors = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(errors, errors)
    packed = correlation[np.tril_indices(6, -1)]
    expected = np.einsum("mi,ij,mj->m", vectors, matrix, vectors)
    np.testing.assert_allclose(QuadraticForms(vectors)(errors[None], packed[None])[0], expected, rtol=1e-12)
    np.testing.assert_allclose(QuadraticForms(vectors, True)(errors[None], packed[None])[0], expected, rtol=1e-4)
    independent = QuadraticForms(vectors)(errors[None])[0]
    np.testing.assert_allclose(independent, (vectors**2) @ errors**2, rtol=1e-12)
    assert QuadraticForms(vectors[:0])(errors[None], packed[None]).shape == (1, 0)
