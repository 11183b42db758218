"""Coefficients recovered from samples, against the coefficients that the samples were made of."""

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given, settings, strategies as st

from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import WAVELENGTH, design_matrix, recover_coefficients
from stellarlabels.inputs.xp.coefficients import read_coefficients
from stellarlabels.inputs.xp.layout import columns
from stellarlabels.inputs.xp.recovery import OWN, prior

FLUX_UNIT = u.Unit("W / (m2 nm)")


@pytest.fixture(scope="module")
def design():
    return design_matrix()


@pytest.fixture(scope="module")
def spectra():
    """Real spectra: flux and error of 60 stars."""
    stars = xp_apogee_sample()[:60]
    return stars["flux"].value.astype(float), stars["flux_error"].value.astype(float)


@pytest.fixture(scope="module")
def true(real_data):
    """Real coefficients of stars that the prior was not learned from."""
    table = read_xp(real_data / "gaia_xp" / "xp_continuous_combined_chunk0.fits")
    return read_coefficients(table[(np.asarray(table["source_id"], dtype=np.int64) >> 35) % 5 == 0])


@pytest.fixture(scope="module")
def known(real_data):
    """Real coefficients with their full covariance: 4 stars."""
    return read_coefficients(read_xp(real_data / "gaia_xp" / "xp_continuous_combined_weiler2023_examples.vot"))


def dense(coefficients, star):
    """Covariance matrix of a star from the archive's packed correlations, by definition."""
    out = np.zeros((110, 110))
    for index, band in enumerate(("bp", "rp")):
        part = slice(55 * index, 55 * index + 55)
        matrix = np.eye(55)
        matrix[np.tril_indices(55, -1)] = coefficients.correlations[band][star]
        matrix = matrix + matrix.T - np.eye(55)
        out[part, part] = matrix * np.outer(coefficients.errors[star, part], coefficients.errors[star, part])
    return out


def test_samples_come_back(spectra, design):
    """What the samples determine is exact: sampling the recovered coefficients gives the spectrum."""
    flux, error = spectra
    coefficients, _ = recover_coefficients(flux, error)
    again = coefficients @ design.T
    size = np.sqrt((flux**2).mean(axis=1, keepdims=True))
    assert (
        np.abs((again - flux) / size).max() < 2e-5
    )  # the shipped spectra are the archive's, its matrix has more digits


def test_exact_samples_give_exact_coefficients(true, design):
    coefficients, _ = recover_coefficients(true.values @ design.T)
    assert (np.abs(coefficients - true.values) / true.errors).max() < 0.05


def test_errors_of_recovery_are_honest(true, design):
    """From samples of single precision: differences from the true coefficients in units of the predicted errors."""
    coefficients, covariance = recover_coefficients((true.values @ design.T).astype(np.float32))
    pulls = (coefficients - true.values) / covariance.recovery_errors
    assert 0.8 < np.sqrt((pulls**2).mean()) < 1.25
    assert np.isnan(covariance.errors).all()  # the samples came without errors
    rough, covariance = recover_coefficients((true.values @ design.T).astype(np.float32), precision=1e-3)
    pulls = (rough - true.values) / covariance.recovery_errors
    assert np.sqrt((pulls**2).mean()) < 1.25


def test_errors_beside_true_ones(real_data, design):
    """Errors of coefficients from those of samples alone, for a star that the prior was not learned from."""
    table = read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW.fits")
    true = read_coefficients(table[np.asarray(table["source_id"], dtype=np.int64) == 5762406957886626816])
    _, covariance = recover_coefficients(true.values @ design.T, np.sqrt(true.variance(design)))
    ratio = covariance.errors / true.errors
    assert ratio.shape == (1, 110) and np.sqrt((np.log(ratio) ** 2).mean()) < 0.35
    assert abs(np.log(np.median(ratio))) < 0.1


def test_variance_of_packed_correlations(known, design):
    """The product of packed correlations equals that of matrices."""
    matrix = design[::40]
    for star in range(4):
        want = np.diag(matrix @ dense(known, star) @ matrix.T)
        np.testing.assert_allclose(known.variance(matrix)[star], want, rtol=1e-10)


def test_covariance_forms_agree(spectra, design):
    flux, error = spectra
    flux, error = flux[:5].copy(), error[:5].copy()
    flux[3, 100:120] = np.nan
    _, covariance = recover_coefficients(flux, error)
    matrices = covariance.matrices()
    assert covariance.shape == matrices.shape == (5, 110, 110) and len(covariance) == 5
    np.testing.assert_allclose(np.sqrt(np.diagonal(matrices, axis1=1, axis2=2)), covariance.errors)
    np.testing.assert_allclose(matrices, matrices.transpose(0, 2, 1), rtol=1e-9)
    scaled = matrices / covariance.errors[:, :, None] / covariance.errors[:, None, :]
    assert np.linalg.eigvalsh(scaled).min() > -1e-9
    np.testing.assert_allclose(covariance.errors**2, covariance.measurement_errors**2 + covariance.recovery_errors**2)
    matrix = design[::50]
    transformed = covariance.transform(matrix)
    atol = 1e-9 * np.abs(transformed).max()
    np.testing.assert_allclose(transformed, matrix @ matrices @ matrix.T, rtol=1e-6, atol=atol)
    np.testing.assert_allclose(np.diagonal(transformed, axis1=1, axis2=2), covariance.variance(matrix))
    np.testing.assert_allclose(covariance[[3, 1]].matrices(), matrices[[3, 1]])
    np.testing.assert_allclose(covariance[np.arange(5) > 2].errors, covariance.errors[3:])
    for rows, part in covariance.chunks(2):
        np.testing.assert_allclose(part, matrices[rows])
    rows, cols = np.tril_indices(55)
    np.testing.assert_allclose(covariance.band("rp"), matrices[:, 55:, 55:][:, rows, cols])


def test_covariance_gives_the_errors_of_samples(spectra, design):
    """The errors of the samples that it was made of, to a few percent."""
    flux, error = spectra
    _, covariance = recover_coefficients(flux, error)
    inner = (WAVELENGTH > 400) & (WAVELENGTH < 1000)
    ratio = np.sqrt(covariance.variance(design)) / error
    assert np.sqrt((np.log(ratio[:, inner]) ** 2).mean()) < 0.1


def test_missing_samples_are_bridged(spectra):
    flux, error = spectra
    whole, covariance = recover_coefficients(flux, error)
    gaps = flux.copy()
    gaps[:, 60:75] = np.nan
    gaps[1, 200] = np.nan
    bridged, errors = recover_coefficients(gaps, error)
    assert np.isfinite(bridged).all()
    ratio = errors.recovery_errors / covariance.recovery_errors
    assert ratio.min() > 0.9 and np.median(ratio.max(axis=1)) > 1.02
    assert np.median(np.abs(bridged - whole) / errors.errors) < 0.1


def test_missing_band(spectra):
    flux, error = (array[:3].copy() for array in spectra)
    flux[0, OWN["bp"]] = np.nan
    flux[1, ~OWN["bp"]] = np.nan
    flux[2] = np.nan
    coefficients, covariance = recover_coefficients(flux, error)
    for star, bands in ((0, ("rp",)), (1, ("bp",)), (2, ())):
        for band in ("bp", "rp"):
            there = band in bands
            assert np.isfinite(coefficients[star, columns(band)]).all() == there
            assert np.isnan(coefficients[star, columns(band)]).all() != there
            assert np.isfinite(covariance.errors[star, columns(band)]).all() == there
    blue = np.eye(110)[:55]
    assert np.isnan(covariance.variance(blue)[0]).all() and np.isfinite(covariance.variance(blue)[1]).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(-8, 8), st.integers(0, 59))
def test_scale_does_not_matter(spectra, exponent, star):
    flux, error = (array[star : star + 1] for array in spectra)
    one, covariance = recover_coefficients(flux, error)
    other, scaled = recover_coefficients(flux * 10**exponent, error * 10**exponent)
    np.testing.assert_allclose(other, one * 10**exponent, rtol=1e-6, atol=1e-6 * np.abs(one).max() * 10**exponent)
    np.testing.assert_allclose(scaled.errors, covariance.errors * 10**exponent, rtol=1e-6)


def test_units_and_masks(spectra):
    flux, error = (array[:2] for array in spectra)
    want, covariance = recover_coefficients(flux, error)
    other = u.Quantity(flux, FLUX_UNIT).to("erg / (s cm2 Angstrom)")
    got, _ = recover_coefficients(other, u.Quantity(error, FLUX_UNIT))
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * covariance.errors.min())
    mask = np.zeros(flux.shape, bool)
    mask[1] = True
    got, _ = recover_coefficients(np.ma.MaskedArray(flux, mask), error)
    np.testing.assert_allclose(got[0], want[0])
    assert np.isnan(got[1]).all()
    from astropy.utils.masked import Masked

    got, _ = recover_coefficients(Masked(u.Quantity(flux, FLUX_UNIT), mask), error)
    assert np.isfinite(got[0]).all() and np.isnan(got[1]).all()


def test_no_stars_and_dark_stars():
    coefficients, covariance = recover_coefficients(np.empty((0, 343)), np.empty((0, 343)))
    assert coefficients.shape == (0, 110) and covariance.matrices().shape == (0, 110, 110)
    assert np.isnan(recover_coefficients(np.zeros((1, 343)))[0]).all()


def test_what_cannot_be():
    with pytest.raises(InputError, match=r"flux: expected an array of shape \(N, 343\), got \(2, 10\)"):
        recover_coefficients(np.ones((2, 10)))
    with pytest.raises(InputError, match="flux_error: expected the shape of flux"):
        recover_coefficients(np.ones((2, 343)), np.ones((1, 343)))
    with pytest.raises(InputError, match="precision: expected a positive number, got 0"):
        recover_coefficients(np.ones((2, 343)), precision=0)


def test_prior_is_a_distribution():
    known = prior()
    for band in ("bp", "rp"):
        noise = getattr(known, band)
        np.testing.assert_allclose(np.diag(noise.correlation), 1)
        np.testing.assert_allclose((noise.flux_root**2).sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(noise.root @ noise.root.T, noise.correlation, atol=1e-6)
        np.testing.assert_allclose(noise.errors(np.exp(noise.log_flux_error)[None])[0], np.exp(noise.log_error))
    np.testing.assert_allclose((known.profile**2).mean(), 1, rtol=1e-5)
