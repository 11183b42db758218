"""Iterative pseudo-continua against a plain loop and against continua that are known."""

import numpy as np
import pytest

from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.inputs.spectra import clipped_continuum


def plainly(flux, good, order=4, low=1.0, high=4.0, iterations=5):
    """One spectrum as the paper says it, step by step."""
    x = np.linspace(-1, 1, flux.size)
    kept = good.copy()
    for step in range(iterations + 1):
        fit = np.polynomial.Polynomial.fit(x[kept], flux[kept], order)
        if step == iterations:
            break
        residual = flux - fit(x)
        sigma = np.sqrt(np.mean(residual[kept] ** 2))
        fewer = kept & (residual >= -low * sigma) & (residual <= high * sigma)
        if fewer.sum() < 0.05 * good.sum():
            break
        kept = fewer
    return fit(x)


def spectra(count=32):
    flux = np.array(mrs_synthetic_sample()["flux_b"])[:count]
    return flux, np.isfinite(flux)


@pytest.mark.parametrize("iterations", [0, 1, 5, 12])
def test_equals_a_plain_loop_over_spectra(iterations):
    flux, good = spectra(8)
    good[:, 100:160] = False
    want = np.array([plainly(row, mask, iterations=iterations) for row, mask in zip(flux, good, strict=True)])
    np.testing.assert_allclose(clipped_continuum(flux, good, iterations=iterations), want, rtol=1e-6)


def test_lines_do_not_pull_at_the_continuum():
    x = np.linspace(-1, 1, 4000)
    want = 3000 * (1 + 0.3 * x - 0.2 * x**2 + 0.05 * x**4)
    depth = np.zeros(4000)
    rng = np.random.default_rng(1)
    for center in rng.integers(50, 3950, 80):
        depth[center - 4 : center + 5] = rng.uniform(0.1, 0.8)
    noise = 1 + 0.01 * rng.standard_normal(4000)
    found = clipped_continuum((want * (1 - depth) * noise)[None])[0]
    assert np.abs(found / want - 1).max() < 0.02
    once = clipped_continuum((want * (1 - depth) * noise)[None], iterations=0)[0]
    assert np.abs(once / want - 1).max() > 0.05


def test_scale_and_order_of_spectra_do_not_matter():
    flux, good = spectra()
    whole = clipped_continuum(flux, good)
    order = np.random.default_rng(2).permutation(len(flux))
    np.testing.assert_allclose(clipped_continuum(1e-16 * flux[order], good[order]), 1e-16 * whole[order], rtol=1e-9)


def test_spectra_without_enough_pixels_have_none():
    flux, good = spectra(3)
    good[0] = False
    good[1, 4:] = False
    flux[2, ::2] = np.nan
    found = clipped_continuum(flux, good)
    assert np.isnan(found[:2]).all() and np.isfinite(found[2]).all()
    assert clipped_continuum(np.zeros((0, 4000))).shape == (0, 4000)
    assert (clipped_continuum(np.zeros((1, 50))) == 0).all()
