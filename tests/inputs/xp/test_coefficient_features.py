"""Normalised XP coefficients and their covariance, on real sources, against brute force."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import packed
from stellarlabels.inputs.xp.coefficient_features import add_noise, dense_covariance, normalise, propagate

BAND = 55


def arrays_of(table):
    """Coefficients (N, 110) and covariances of BP and RP (N, 55, 55), by the archive's definition, with loops."""
    coefficients, covariances = [], []
    for band in ("bp", "rp"):
        coefficients.append(np.array(np.ma.filled(np.ma.asarray(table[f"{band}_coefficients"]), np.nan), float))
        errors = np.array(np.ma.filled(np.ma.asarray(table[f"{band}_coefficient_errors"]), np.nan), float)
        triangle = np.array(np.ma.filled(np.ma.asarray(table[f"{band}_coefficient_correlations"]), np.nan), float)
        matrices = np.zeros((len(table), BAND, BAND))
        for star in range(len(table)):
            at = 0
            for column in range(1, BAND):  # above the diagonal, column by column
                for row in range(column):
                    matrices[star, row, column] = matrices[star, column, row] = triangle[star, at]
                    at += 1
            np.fill_diagonal(matrices[star], 1)
            matrices[star] *= np.outer(errors[star], errors[star])
        covariances.append(matrices)
    return np.concatenate(coefficients, axis=1), covariances


@pytest.fixture(scope="module", params=["XP_CONTINUOUS_RAW.fits", "XP_CONTINUOUS_RAW_with_missing_BP.fits"])
def sources(request, real_data):
    return read_xp(real_data / "gaia_xp" / request.param)


def test_packing_equals_gaiaxpy(sources):
    """GaiaXPy makes its correlation matrices with array_to_symmetric_matrix."""
    from gaiaxpy.core.generic_functions import array_to_symmetric_matrix

    triangle = np.ma.filled(np.ma.asarray(sources["rp_coefficient_correlations"]), np.nan)
    ours = packed.unpack(packed.pack_correlations(np.ones((len(sources), BAND)), np.array(triangle, float)))
    for star in range(len(sources)):
        np.testing.assert_array_equal(ours[star], array_to_symmetric_matrix(np.array(triangle[star]), BAND))


def test_covariance_equals_monte_carlo(sources):
    """100,000 draws of the coefficients, each divided by its RP 0; the sampling error of a covariance is known."""
    coefficients, covariances = arrays_of(sources)
    blocks = [packed.pack(matrices) for matrices in covariances]
    x, scaled, positive = normalise(coefficients, blocks)
    assert positive.all()
    ours = dense_covariance(x, scaled)
    rng = np.random.default_rng(1)
    draws = 100_000
    for star in range(len(sources)):
        parts = []
        for band, matrices in enumerate(covariances):
            center = coefficients[star, band * BAND : (band + 1) * BAND]
            if np.isfinite(center).all():
                factor = np.linalg.cholesky(matrices[star] + 1e-14 * np.diag(np.diag(matrices[star])))
                parts.append(center + rng.standard_normal((draws, BAND)) @ factor.T)
        known = np.isfinite(ours[star]).all(axis=1) if len(parts) == 2 else np.arange(2 * BAND) >= BAND
        sample = np.concatenate(parts, axis=1)
        sample /= sample[:, -BAND, None]
        want, got = np.cov(sample.T), ours[star][np.ix_(known, known)]
        errors = np.sqrt(np.diag(got))
        sampling = np.sqrt((got**2 + np.outer(errors, errors) ** 2) / draws)
        reference = known.sum() - BAND
        varying = np.arange(len(got)) != reference
        deviation = ((got - want) / np.where(sampling > 0, sampling, 1))[np.ix_(varying, varying)]
        assert np.abs(deviation).max() < 6
        assert deviation.std() == pytest.approx(1, abs=0.15)
        np.testing.assert_allclose(got[reference], 0, atol=1e-12 * errors.max())
    assert np.isfinite(ours[:, BAND:, BAND:]).all()


def test_papers_formula_misses_the_error_of_the_divisor(sources):
    """For RP our covariance is the paper's Eq. 2; for BP the paper's S_ij / r**2 differs from the brute force above."""
    coefficients, covariances = arrays_of(sources)
    x, scaled, _ = normalise(coefficients, [packed.pack(matrices) for matrices in covariances])
    ours = dense_covariance(x, scaled)
    s = covariances[1] / coefficients[:, BAND, None, None] ** 2
    rp = x[:, BAND:]
    eq2 = s - rp[:, :, None] * s[:, :1] - rp[:, None, :] * s[:, :, :1]
    eq2 = eq2 + rp[:, :, None] * rp[:, None, :] * s[:, :1, :1]
    np.testing.assert_allclose(ours[:, BAND:, BAND:], eq2, rtol=1e-9, atol=1e-9 * np.abs(eq2).max())
    both = np.isfinite(x).all(axis=1)
    assert both.any()
    paper = covariances[0][both, 0, 0] / coefficients[both, BAND] ** 2
    assert (ours[both, 0, 0] > paper).all()


def test_propagation_equals_the_whole_matrix(sources):
    coefficients, covariances = arrays_of(sources)
    x, scaled, _ = normalise(coefficients, [packed.pack(matrices) for matrices in covariances])
    both = np.isfinite(x).all(axis=1)
    x, scaled = x[both], [block[both] for block in scaled]
    rows = np.random.default_rng(2).normal(size=(len(x), 3, 2 * BAND))
    whole = rows @ dense_covariance(x, scaled) @ np.swapaxes(rows, 1, 2)
    np.testing.assert_allclose(propagate(rows, x, scaled), whole, rtol=1e-8)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_packed_round_trip(size, seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(3, size, size))
    matrices = root @ np.swapaxes(root, 1, 2) + np.eye(size)
    triangle = packed.pack(matrices)
    np.testing.assert_array_equal(packed.unpack(triangle), matrices * 0 + packed.unpack(triangle))
    np.testing.assert_allclose(packed.unpack(triangle), matrices)
    lower = packed.factor(triangle).astype(float)
    np.testing.assert_allclose(
        lower @ np.swapaxes(lower, 1, 2), matrices, rtol=1e-4, atol=1e-4 * np.abs(matrices).max()
    )
    vectors = rng.normal(size=(2, size))
    want = np.einsum("mi,nij,mj->nm", vectors, matrices, vectors)
    np.testing.assert_allclose(triangle @ packed.quadratic_weights(vectors), want)


def test_factor_of_a_matrix_that_rounding_has_spoiled():
    triangle = packed.pack(np.array([[[1.0, 1.0000001], [1.0000001, 1.0]], [[0.0, 0.0], [0.0, 4.0]]]))
    lower = packed.factor(triangle).astype(float)
    np.testing.assert_allclose(lower @ np.swapaxes(lower, 1, 2), packed.unpack(triangle), atol=1e-5)
    with pytest.raises(InputError, match="5 elements"):
        packed.unpack(np.ones((1, 5)))


def test_divisor_that_is_not_positive(sources):
    """RP 0 of zero or less: divided by its error instead, finite, and flagged."""
    table = Table(sources[np.isfinite(arrays_of(sources)[0]).all(axis=1)], copy=True)
    for value in (0.0, -3.0):
        table["rp_coefficients"][0][0] = value
        features = feature_set("xp_coefficients").compute(table)
        error = table["rp_coefficient_errors"][0][0]
        np.testing.assert_allclose(
            features.arrays["coefficients"][0], arrays_of(table)[0][0] / error, rtol=1e-5, atol=1e-5
        )
        assert flags.LABEL.has(features.flag, "BAD_SAMPLES")[0]


def test_missing_band_is_flagged(real_data):
    table = read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW_with_missing_BP.fits")
    features = feature_set("xp_coefficients").compute(table)
    lacking = ~np.isfinite(arrays_of(table)[0]).all(axis=1)
    assert lacking.any()
    np.testing.assert_array_equal(features.usable, ~lacking)
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "MISSING_BAND"), lacking)
    assert flags.LABEL.has(features.flag, "MISSING_PHOTOMETRY").all()
    assert flags.LABEL.has(features.flag, "MISSING_PARALLAX").all()


def test_coefficients_without_correlations_give_way_to_samples():
    """The paper uses the whole covariance: what has none is refused, unless there are samples, which have one."""
    stars = xp_apogee_sample()[:4]
    want = feature_set("xp_coefficients").compute(stars)
    for band in ("bp", "rp"):
        stars[f"{band}_coefficients"] = np.ones((4, BAND))
        stars[f"{band}_coefficient_errors"] = np.full((4, BAND), 0.01)
    got = feature_set("xp_coefficients").compute(stars)
    assert got.usable.all()
    for name, values in want.arrays.items():
        np.testing.assert_array_equal(got.arrays[name], values, err_msg=name)
    stars.remove_columns(["flux", "flux_error"])
    with pytest.raises(MissingColumnError, match="bp_coefficient_correlations"):
        feature_set("xp_coefficients").compute(stars)


def other_table():
    table = QTable(
        {
            "phot_bp_mean_mag": [12.6, 12.6] * u.mag,
            "phot_rp_mean_mag": [11.4, 11.4] * u.mag,
            "phot_rp_mean_flux": [1e5, 1e5] * u.electron / u.s,
            "phot_rp_mean_flux_error": [200.0, 200.0] * u.electron / u.s,
            "j_m": [10.5, 10.5] * u.mag,
            "h_m": [10.0, np.nan] * u.mag,
            "h_msigcom": [0.03, 0.03] * u.mag,
            "w1mpro": [9.85, 9.85] * u.mag,
            "w2mpro": [9.8, 9.8] * u.mag,
            "w2mpro_error": [0.02, 0.02] * u.mag,
            "parallax": [-0.3, 0.5] * u.mas,
            "parallax_error": [0.1, 0.1] * u.mas,
        }
    )
    stars = xp_apogee_sample()[:2]
    for name in ("source_id", "flux", "flux_error"):
        table[name] = stars[name]
    return table


def test_colors_and_pseudo_magnitude_with_monte_carlo():
    """Values of the paper's definitions; covariance against draws of the magnitudes; a negative parallax is no harm."""
    features = feature_set("xp_coefficients").compute(other_table())
    values, covariance = features.arrays["others"][0], features.arrays["other_covariance"][0]
    ratio = 0.918 * 0.589 / 0.078  # Majewski et al. (2011), Wang & Chen (2019)
    rng = np.random.default_rng(3)
    draws = 400_000
    rp = 11.4 + 2.5 / np.log(10) * 2e-3 * rng.standard_normal(draws)
    h, w2 = 10.0 + 0.03 * rng.standard_normal(draws), 9.8 + 0.02 * rng.standard_normal(draws)
    pseudo = (-0.3 + 0.1 * rng.standard_normal(draws)) * 10 ** (0.2 * (rp - ratio * (h - w2 - 0.05)))
    sample = np.stack([12.6 - rp, 9.85 - w2, 10.5 - h, h - w2, pseudo])
    np.testing.assert_allclose(values[:4], [1.2, 0.05, 0.5, 0.2], rtol=1e-4)
    assert values[4] == pytest.approx(-0.3 * 10 ** (0.2 * (11.4 - ratio * 0.15)), rel=1e-3)
    want = np.cov(sample)
    scale = np.sqrt(np.diag(want))
    np.testing.assert_allclose(covariance / np.outer(scale, scale), want / np.outer(scale, scale), atol=0.03)
    assert covariance[4, 4] > 0


def test_missing_infrared_photometry():
    features = feature_set("xp_coefficients").compute(other_table())
    assert np.isnan(features.arrays["others"][1]).tolist() == [False, False, True, True, True]
    assert not features.arrays["other_covariance"][1, 2:].any()
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "MISSING_PHOTOMETRY"), [False, True])
    plain = feature_set("xp_coefficients", colors=("BP-RP",), pseudo_magnitude="observed").compute(other_table())
    assert np.isfinite(plain.arrays["others"]).all()
    with pytest.raises(InputError, match="BP-XX"):
        feature_set("xp_coefficients", colors=("BP-XX",))
    with pytest.raises(InputError, match="pseudo_magnitude"):
        feature_set("xp_coefficients", pseudo_magnitude="absolute")


def test_noise_has_the_covariance_that_is_stated():
    """Noise of 4 times the covariance: its normalised size is 4 in the mean, and the stated covariance grows by 5."""
    stars = xp_apogee_sample()[:60]
    features = feature_set("xp_coefficients", colors=(), pseudo_magnitude=None).compute(stars)
    noisy = add_noise(features, 4.0, seed=1)
    design = np.random.default_rng(0).normal(size=(1, 2, 110))
    rows = np.repeat(design, len(stars), axis=0)
    x, blocks = (
        features.arrays["coefficients"].astype(float),
        [features.arrays[f"{b}_covariance"] for b in ("bp", "rp")],
    )
    variance = np.einsum("nll->nl", propagate(rows, x, [block.astype(float) for block in blocks]))
    shift = ((noisy.arrays["coefficients"] - x)[:, None, :] * rows).sum(axis=-1)
    assert np.mean(shift**2 / variance) == pytest.approx(4, rel=0.4)
    np.testing.assert_allclose(noisy.arrays["rp_covariance"] / blocks[1], 5, rtol=0.2)
    np.testing.assert_allclose(noisy.snr, features.snr / np.sqrt(5))
    np.testing.assert_allclose(noisy.arrays["log_error"] - features.arrays["log_error"], 0.5 * np.log(5), rtol=1e-4)
