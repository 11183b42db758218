"""Samples of many stars at once are those that GaiaXPy gives one by one."""

import numpy as np
import pytest
from astropy.table import Table
from threadpoolctl import threadpool_limits

from stellarlabels.archive.readers import read_xp
from stellarlabels.columns.wavelengths import DEFAULT
from stellarlabels.exceptions import InputError, MissingColumnError, ReleaseError
from stellarlabels.inputs.xp import design_matrix, sample, sampling
from stellarlabels.inputs.xp.packed import QuadraticForms

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
def test_as_gaiaxpy(stars, by_gaiaxpy, grid, truncation):
    expected = by_gaiaxpy(stars, GRIDS[grid], truncation)
    same(sampling.sample_arrays(stars, GRIDS[grid], truncation=truncation), expected, 1e-12)
    same(sampling.sample_arrays(stars, GRIDS[grid], truncation=truncation, single=True), expected, 2e-5)


@pytest.mark.parametrize("name", FILES)
def test_real_stars(real_data, by_gaiaxpy, name):
    stars = read_xp(real_data / "gaia_xp" / name, sample=False)[:20]
    flux, error = by_gaiaxpy(stars)
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
    expected = sampling.sample_arrays(stars)
    monkeypatch.setattr(sampling, "CHUNK", 5)
    monkeypatch.setattr(sampling, "BLOCK", 4)
    same(sampling.sample_arrays(stars), expected, 1e-12)


def test_other_stars_do_not_matter(stars):
    many = stars[np.arange(320) % len(stars)]
    alone = many[np.arange(64) * 5]
    same([ours[::5] for ours in sampling.sample_arrays(many)], sampling.sample_arrays(alone), 1e-12)


def test_threads_do_not_matter(stars, monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 512)
    many = stars[np.arange(2100) % len(stars)]
    with threadpool_limits(1, user_api="blas"):
        expected = sampling.sample_arrays(many)
    with threadpool_limits(2, user_api="blas"):
        found = sampling.sample_arrays(many)
    same(found, expected, 1e-12)


def test_single_precision_columns_and_no_correlations(stars, by_gaiaxpy):
    narrow = stars.copy()
    for name in narrow.colnames:
        if "correlations" in name:
            narrow[name] = narrow[name].astype(np.float32)
    same(sampling.sample_arrays(narrow), by_gaiaxpy(narrow), 1e-12)
    narrow.remove_columns([name for name in narrow.colnames if "correlations" in name])
    same(sampling.sample_arrays(narrow), by_gaiaxpy(narrow), 1e-12)


def test_texts_of_arrays(by_gaiaxpy):
    texts = Table({"bp_coefficients": ["(" + ", ".join(map(repr, row.tolist())) + ")" for row in np.eye(55)[:3]]})
    same(sampling.sample_arrays(texts), by_gaiaxpy(texts), 1e-12)


def test_correlations_may_be_whole_matrices(stars):
    expected = sampling.sample_arrays(stars)
    whole = stars.copy()
    for band in ("bp", "rp"):
        matrices = np.tile(np.eye(55), (len(stars), 1, 1))
        rows, columns = np.tril_indices(55, -1)
        matrices[:, rows, columns] = matrices[:, columns, rows] = stars[f"{band}_coefficient_correlations"]
        whole[f"{band}_coefficient_correlations"] = matrices
    same(sampling.sample_arrays(whole), expected, 1e-12)
    cells = np.empty(len(stars), dtype=object)
    cells[:] = list(whole["rp_coefficient_correlations"])
    whole["rp_coefficient_correlations"] = cells
    same(sampling.sample_arrays(whole), expected, 1e-12)


def test_cells_that_are_no_arrays_are_named(stars):
    stars["rp_coefficient_errors"] = np.ones((len(stars), 2, 3, 4))
    with pytest.raises(InputError, match="column 'rp_coefficient_errors': expected 55 numbers in each cell"):
        sample(stars)


def test_the_design_matrix_is_the_map(stars):
    wavelength = np.arange(400.0, 900, 5)
    both = stars[8:]
    coefficients = np.hstack([both["bp_coefficients"], both["rp_coefficients"]])
    flux, _ = sample(both, wavelength, errors=False)
    np.testing.assert_allclose(coefficients @ design_matrix(wavelength).T, flux.value, rtol=1e-11, atol=1e-22)


class TestRelease:
    """Coefficients of another release are refused, or sampled by request."""

    def other(self, **columns):
        cells = {name: np.full(2, value) for name, value in columns.items()}
        return Table({"bp_coefficients": np.ones((2, 55)), "rp_coefficients": np.ones((2, 55)), **cells})

    def test_another_basis(self):
        stars = self.other(bp_basis_function_id=156, rp_basis_function_id=157)
        with pytest.raises(ReleaseError, match="bp_basis_function_id is 156, which no known release has.*sample=False"):
            sample(stars)
        stars.meta["release"] = "ignore"
        np.testing.assert_array_equal(sample(stars)[0], sample(self.other())[0])

    def test_another_number(self):
        stars = Table({"bp_coefficients": np.ones((2, 51)), "rp_coefficients": np.ones((2, 55))})
        with pytest.raises(ReleaseError, match="got Gaia DR4 .by the number of coefficients: 51 of BP, 55 of RP"):
            sample(stars)
        stars.meta["release"] = "ignore"
        flux, _ = sample(stars)
        assert np.isnan(flux[:, :140]).all() and np.isfinite(flux[:, 160:]).all()

    def test_a_number_of_no_release(self):
        with pytest.raises(ReleaseError, match="bp_coefficients has 60 numbers in each cell, which no known release"):
            sample(Table({"bp_coefficients": np.ones((2, 60))}))


def test_no_stars_and_no_coefficients(stars):
    flux, error = sampling.sample_arrays(stars[:0])
    assert flux.shape == error.shape == (0, DEFAULT.size)
    with pytest.raises(MissingColumnError, match="rp_coefficients"):
        sampling.sample_arrays(Table({"source_id": [1]}))
    with pytest.raises(MissingColumnError, match="n_relevant_bases"):
        sampling.sample_arrays(stars["bp_coefficients", "rp_coefficients"], truncation=True)


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
