"""Posteriors with parallaxes and priors: against an independent quadrature, in their limits, and their invariants."""

import tracemalloc

import numpy as np
import pytest
from astropy import units as u
from astropy.utils.masked import Masked
from hypothesis import given, settings, strategies as st

from stellarlabels.distances import DistancePDF, ExponentialDensity, Prior, UniformDensity, UniformDistance
from stellarlabels.exceptions import InputError, MissingUnitWarning

PRIORS = {
    "modulus": lambda d: 1 / d,
    "uniform": lambda d: d**0,
    "density": lambda d: d**2,
    "exponential": lambda d: d**2 * np.exp(-d / 1350),
}
LEVELS = np.array([0.0228, 0.16, 0.5, 0.84, 0.9772])


def random_star(rng, pull):
    """Modulus, its error, parallax and its error of a star with a parallax S/N of 0.5 to 1000."""
    d = np.exp(rng.uniform(np.log(50), np.log(20000)))
    sigma = np.exp(rng.uniform(np.log(0.02), np.log(1.5)))
    error = 1000 / d / np.exp(rng.uniform(np.log(0.5), np.log(rng.choice([50, 1000]))))
    modulus = 5 * np.log10(d / 10) + pull * sigma * rng.normal()
    return modulus, sigma, 1000 / d + pull * error * rng.normal(), error


@pytest.fixture
def check(reference):
    """A function that compares the posterior of one star with the independent quadrature."""
    return lambda *arguments, **options: compare(reference, *arguments, **options)


def compare(quadrature, star, prior, function, maximum=None):
    modulus, sigma, parallax, error = star
    reference = quadrature(modulus, sigma, parallax, error, function, maximum=maximum)
    posterior = DistancePDF(modulus, 0, sigma).with_parallax(parallax * u.mas, error * u.mas, prior)
    q = posterior.quantile(LEVELS).value
    misses = [reference.error_of_quantile(d, p) for d, p in zip(q, LEVELS, strict=True)]
    np.testing.assert_allclose(misses, 0, atol=2e-5)
    assert posterior.mean.value == pytest.approx(reference.mean(), rel=1e-6)
    np.testing.assert_allclose(posterior.pdf(q * u.pc).value, [reference.pdf(d) for d in q], rtol=1e-6)
    mode = posterior.mode.value
    around = mode * np.exp(np.linspace(-2e-3, 2e-3, 201))
    if maximum is None:
        assert around[np.argmax([reference.density(d) for d in around])] == pytest.approx(mode, rel=1e-4)


@pytest.mark.parametrize("name", PRIORS)
def test_equal_to_an_independent_quadrature(check, name):
    rng = np.random.default_rng(8)
    for _ in range(20):
        check(random_star(rng, pull=1), name, PRIORS[name])


@pytest.mark.parametrize("name", ["modulus", "exponential"])
@pytest.mark.parametrize("ratio", [-6.0, -1.0, -0.1, 0.0, 0.5])
def test_negative_and_insignificant_parallaxes(check, name, ratio):
    for sigma in (0.1, 0.6):
        check((11.0, sigma, 0.4 * ratio, 0.4), name, PRIORS[name])


@pytest.mark.parametrize("name", ["modulus", "density"])
def test_magnitude_and_parallax_in_conflict(check, name):
    # Two separate peaks, of which the nearer one is narrow.
    rng = np.random.default_rng(4)
    for _ in range(10):
        snr, sigma = rng.uniform(3, 12), rng.uniform(0.2, 1.2)
        gap = snr * sigma * np.log(10) / 5 * rng.uniform(0.7, 1.3)
        check((5 * np.log10(20 * np.exp(gap)), sigma, 5.0, 5.0 / snr), name, PRIORS[name])


@pytest.mark.parametrize(("sigma", "snr"), [(0.8, 50), (0.8, 1000), (0.005, 0.5), (0.005, 5)])
def test_one_measurement_much_better_than_the_other(check, sigma, snr):
    check((10.0, sigma, 1.02, 1.0 / snr), "exponential", PRIORS["exponential"])


def test_users_own_prior_and_support(check):
    star = (11.0, 0.5, 0.5, 0.2)

    def halo(d):
        return d**2 / (1 + (d / 2000) ** 3.5)

    check(star, halo, halo)
    check(star, Prior(log_density=lambda d: np.log(halo(d))), halo)
    check(star, Prior(halo, support=(0 * u.pc, 1.5 * u.kpc)), halo, maximum=1500)
    check(star, UniformDistance(1.8 * u.kpc), PRIORS["uniform"], maximum=1800)
    check(star, UniformDensity(0.9 * u.kpc), PRIORS["density"], maximum=900)
    check(star, ExponentialDensity(0.3 * u.kpc), lambda d: d**2 * np.exp(-d / 300))


def test_scale_length_of_each_star():
    pdf = DistancePDF(np.full(3, 15.0), 4.0, 1.0)
    lengths = [100, 1000, 5000] * u.pc
    together = pdf.with_parallax(0.6 * u.mas, 0.5 * u.mas, ExponentialDensity(lengths))
    for index, length in enumerate(lengths):
        alone = DistancePDF(15.0, 4.0, 1.0).with_parallax(0.6 * u.mas, 0.5 * u.mas, ExponentialDensity(length))
        assert together.median[index].value == pytest.approx(alone.median.value)
        d = [500.0, 1500.0] * u.pc
        np.testing.assert_allclose(together.pdf(d[:, None])[:, index], alone.pdf(d), rtol=1e-9)
    with pytest.raises(InputError, match="scale_length"):
        pdf.with_parallax(0.6 * u.mas, 0.5 * u.mas, ExponentialDensity([100, 200] * u.pc))


def test_without_a_parallax_it_is_the_closed_form():
    pdf = DistancePDF([5.0, 12.0, 19.0], [4.0, 0.0, 6.0], [0.05, 0.4, 1.0], 0.3)
    for error in (np.inf, 1e9):
        posterior = pdf.with_parallax(0.3 * u.mas, error * u.mas)
        for name in ("median", "mean"):
            np.testing.assert_allclose(getattr(posterior, name), getattr(pdf, name), rtol=1e-6)
        np.testing.assert_allclose(posterior.mode, pdf.mode, rtol=2e-5)
        np.testing.assert_allclose(posterior.quantile(LEVELS), pdf.quantile(LEVELS), rtol=1e-5)
    d = pdf.quantile(0.3)
    np.testing.assert_allclose(pdf.with_prior(None).pdf(d), pdf.pdf(d), rtol=1e-9)


def test_a_power_law_prior_shifts_the_log_normal():
    # p(d) d^k is log-normal again: mu moves by (k + 1) s^2.
    pdf = DistancePDF(15.0, 4.0, 0.6)
    variance = (0.6 * np.log(10) / 5) ** 2
    for name, k in (("uniform", 0), ("density", 2)):
        expected = pdf.median.value * np.exp((k + 1) * variance)
        assert pdf.with_prior(name).median.value == pytest.approx(expected, rel=1e-6)


def test_without_a_magnitude_it_is_the_posterior_of_the_parallax():
    # Bailer-Jones 2015, equation 18: the mode solves d^3/L - 2 d^2 + w d / e^2 - 1 / e^2 = 0 (d in kpc, w in mas).
    parallax, error = np.array([2.0, 0.5, 0.1, -1.0]), np.array([0.1, 0.2, 0.4, 0.5])
    unknown = DistancePDF(np.full(4, 15.0), np.nan, np.inf)
    posterior = unknown.with_parallax(parallax * u.mas, error * u.mas, "exponential")
    for index, (w, e) in enumerate(zip(parallax, error, strict=True)):
        roots = np.roots([1 / 1.35, -2, w / e**2, -1 / e**2])
        mode = min(roots[np.abs(roots.imag) < 1e-9].real)
        assert posterior.mode[index].to_value(u.kpc) == pytest.approx(mode, rel=2e-5)
    wide = DistancePDF(np.full(4, 15.0), 5.0, 1e4).with_parallax(parallax * u.mas, error * u.mas, "exponential")
    np.testing.assert_allclose(wide.median, posterior.median, rtol=1e-5)
    precise = unknown.with_parallax(10 * u.mas, 0.01 * u.mas)
    np.testing.assert_allclose(precise.median.value, 100, rtol=1e-5)


def test_posteriors_that_cannot_be_normalized_are_nan():
    unknown = DistancePDF(15.0, np.nan, np.inf)
    assert np.isnan(unknown.with_parallax(-0.5 * u.mas, 0.2 * u.mas).median)
    assert np.isnan(unknown.with_parallax(-0.5 * u.mas, 0.2 * u.mas, "uniform").mean)
    assert np.isnan(unknown.with_prior("exponential").median)
    assert np.isfinite(unknown.with_parallax(-0.5 * u.mas, 0.2 * u.mas, UniformDistance(10 * u.kpc)).median)


def test_missing_values_do_not_touch_other_stars():
    pdf = DistancePDF([15.0, np.nan, 15.0, 15.0, 15.0], 4.0, [0.3, 0.3, np.nan, 0.3, 0.3])
    parallax = Masked(np.full(5, 0.6) * u.mas, mask=[False, False, False, True, False])
    posterior = pdf.with_parallax(parallax, [0.1, 0.1, 0.1, 0.1, np.nan] * u.mas)
    np.testing.assert_array_equal(np.isnan(posterior.median.value), [False, True, True, True, True])
    np.testing.assert_array_equal(np.isnan(posterior.pdf(1 * u.kpc).value), [False, True, True, True, True])
    alone = DistancePDF(15.0, 4.0, 0.3).with_parallax(0.6 * u.mas, 0.1 * u.mas)
    assert posterior.mean[0] == alone.mean
    assert np.isnan(posterior.tension[1]) and posterior.tension[0] == pytest.approx(alone.tension)


def test_tension_counts_standard_errors():
    # Equal errors s of ln d, measurements 4 s apart: the best compromise misses each by 2 s, in all 4 / sqrt(2).
    s = 0.01
    pdf = DistancePDF(10 + 5 * np.log10(np.exp(4 * s)), 0.0, s * 5 / np.log(10))
    assert pdf.with_parallax(1 * u.mas, s * u.mas).tension == pytest.approx(4 / np.sqrt(2), rel=0.03)


@settings(max_examples=60, deadline=None)
@given(
    modulus=st.floats(-2, 25),
    sigma=st.floats(0.01, 3),
    log_snr=st.floats(-2, 3),
    pull=st.floats(-8, 8),
    prior=st.sampled_from(sorted(PRIORS)),
    p=st.lists(st.floats(1e-4, 1 - 1e-4), min_size=2, max_size=20),
)
def test_quantiles_rise_and_the_density_is_normalized(modulus, sigma, log_snr, pull, prior, p):
    parallax = 10 ** (2 - modulus / 5)
    error = parallax / 10**log_snr
    posterior = DistancePDF(modulus, 0, sigma).with_parallax((parallax + pull * error) * u.mas, error * u.mas, prior)
    q = posterior.quantile(np.sort(p)).value
    assert (np.diff(q) >= 0).all()
    x = np.linspace(*np.log(posterior.quantile([0, 1]).value), 20001)
    assert np.trapezoid(posterior.pdf(np.exp(x) * u.pc).value * np.exp(x), x) == pytest.approx(1, abs=1e-5)
    low, high = posterior.quantile([1e-9, 1 - 1e-9])
    assert low < posterior.mode < high and low < posterior.mean


def test_memory_does_not_grow_with_the_grid():
    count = 20000
    posterior = DistancePDF(np.full(count, 15.0), 4.0, 0.3).with_parallax(np.full(count, 0.6) * u.mas, 0.1 * u.mas)
    tracemalloc.start()
    posterior.summary()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Grids for all stars would be 30 MB each; the chunks take a few MB, each star about a hundred bytes.
    assert peak < 12e6


def test_scalars_shapes_and_units():
    star = DistancePDF(15.0, 4.0, 0.3).with_parallax(600 * u.uas, 1e-4 * u.arcsec)
    assert star.shape == () and star.median.shape == () and star.median.unit == u.pc
    assert star.quantile([0.1, 0.5, 0.9]).shape == (3,)
    assert star.quantile(0.5) == star.median and star.quantile(0.16) == star.summary().lower
    assert star.pdf(np.array([0.0, -1.0, 1600.0]) * u.pc)[:2].value.tolist() == [0, 0]
    grid = DistancePDF(np.full((2, 1), 15.0), 4.0, 0.3).with_parallax([0.5, 0.6, 0.7] * u.mas, 0.1 * u.mas)
    assert grid.shape == (2, 3) and grid.mode.shape == (2, 3) and grid.quantile([0.1, 0.9]).shape == (2, 2, 3)
    np.testing.assert_allclose(grid.median[1, 1].value, star.median.value)
    empty = DistancePDF(np.empty(0), 4.0, 0.3).with_parallax(np.empty(0) * u.mas, 1 * u.mas)
    assert empty.median.shape == (0,)


def test_wrong_arguments():
    pdf = DistancePDF([15.0, 16.0], 4.0, 0.3)
    with pytest.raises(InputError, match="error: expected positive"):
        pdf.with_parallax(1 * u.mas, [0.1, -0.1] * u.mas)
    with pytest.raises(InputError, match="broadcast"):
        pdf.with_parallax([1, 2, 3] * u.mas, 0.1 * u.mas)
    with pytest.raises(InputError, match="prior: expected 'modulus'"):
        pdf.with_parallax(1 * u.mas, 0.1 * u.mas, "flat")
    with pytest.raises(InputError, match="densities that are not negative"):
        pdf.with_parallax(1 * u.mas, 0.1 * u.mas, lambda d: -d).summary()
    with pytest.raises(InputError, match="one of density and log_density"):
        Prior()
    with pytest.raises(InputError, match="support"):
        UniformDistance(-1 * u.pc)
    with pytest.raises(InputError, match="scale_length"):
        ExponentialDensity([1, 0] * u.kpc)
    with pytest.warns(MissingUnitWarning, match="mas"):
        pdf.with_parallax(1.0, 0.1 * u.mas)
