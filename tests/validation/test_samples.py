"""Statistics of samples against scipy and closed forms, and their standard errors against repeated experiments."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.validation import grouped_median
from stellarlabels.validation.samples import STATISTICS, Sample, gaussian_fit


def ideal(count, mean=0.0, sigma=1.0):
    """Quantiles of a Gaussian: a sample without sampling error."""
    return stats.norm(mean, sigma).ppf((np.arange(count) + 0.5) / count)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 11, 1000, 1001])
def test_statistics_are_those_of_scipy(count):
    values = np.random.default_rng(count).standard_t(3, count) * 2 + 5
    sample = Sample(np.random.default_rng(0).permutation(np.concatenate([values, [np.nan, np.inf]])))
    assert len(sample) == count
    assert sample.mean() == pytest.approx(stats.tmean(values), rel=1e-12)
    assert sample.median() == np.median(values)
    assert sample.robust_sigma() == pytest.approx(stats.median_abs_deviation(values, scale="normal"), abs=1e-12)
    assert sample.rmse() == pytest.approx(np.sqrt(np.mean(values**2)), rel=1e-12)
    if count > 1:
        assert sample.std() == pytest.approx(stats.tstd(values), rel=1e-10)
        assert sample.gaussian(np.inf)[:2] == pytest.approx((stats.tmean(values), stats.tstd(values)), rel=1e-10)


@pytest.mark.parametrize("clip", [2, 2.5, 3, 5, np.inf])
def test_gaussian_fit_of_a_gaussian_is_the_gaussian_whatever_the_clipping(clip):
    mean, sigma, share = gaussian_fit(ideal(200_001, 0.1, 0.5), clip=clip)
    assert mean == pytest.approx(0.1, abs=1e-9)
    assert sigma == pytest.approx(0.5, rel=1e-4)
    assert share == pytest.approx(1 - 2 * stats.norm.sf(clip), abs=1e-4)


def test_gaussian_fit_is_the_likelihood_of_a_truncated_gaussian():
    """The fixed point is where the likelihood of what is inside the limits is greatest, with the limits held."""
    from scipy.optimize import minimize

    values = np.random.default_rng(5).normal(2, 3, 2000)
    mean, sigma, _ = gaussian_fit(values, clip=2)
    low, high = mean - 2 * sigma, mean + 2 * sigma
    inside = values[(values > low) & (values < high)]

    def loss(parameters):
        model = stats.norm(parameters[0], np.exp(parameters[1]))
        return -model.logpdf(inside).sum() + inside.size * np.log(model.cdf(high) - model.cdf(low))

    found = minimize(loss, [2, 1], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-7}).x
    assert (mean, sigma) == pytest.approx((found[0], np.exp(found[1])), rel=2e-3)


def test_outliers_leave_the_gaussian_fit_where_it_is():
    values = np.concatenate([ideal(9000, -0.05, 0.1), np.random.default_rng(1).uniform(-5, 5, 1000)])
    mean, sigma, share = gaussian_fit(values)
    assert mean == pytest.approx(-0.05, abs=2e-3)
    assert sigma == pytest.approx(0.1, rel=0.06)  # of a thousand outliers 60 are within the limits
    assert share == pytest.approx(0.906, abs=0.01)
    assert Sample(values).std() > 0.8


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=60),
    st.floats(0.01, 100),
    st.floats(-1e3, 1e3),
)
def test_statistics_follow_shifts_and_scales(values, scale, shift):
    values = np.array(values)
    before, after = Sample(values), Sample(values * scale + shift)
    size = max(1.0, np.abs(values * scale).max(), abs(shift))
    assert after.mean() == pytest.approx(before.mean() * scale + shift, abs=1e-9 * size)
    assert after.median() == pytest.approx(before.median() * scale + shift, abs=1e-9 * size)
    assert after.robust_sigma() == pytest.approx(before.robust_sigma() * scale, abs=1e-8 * size)
    assert after.std() == pytest.approx(before.std() * scale, abs=1e-6 * size)


def test_samples_that_have_no_scatter():
    nothing, one, equal = Sample([]), Sample([3.0]), Sample([3.0] * 10)
    assert all(np.isnan(value) for value in nothing.statistics().values())
    assert all(np.isnan(value) for value in nothing.bootstrap().values())
    assert one.statistics()["mean"] == 3 and np.isnan(one.statistics()["std"])
    assert np.isnan(list(one.bootstrap().values())).all()
    assert equal.statistics()["gauss_sigma"] == 0 and equal.statistics()["rmse"] == 3
    assert set(equal.bootstrap().values()) == {0.0}


def test_values_of_which_most_are_equal():
    values = np.concatenate([np.zeros(60), ideal(40)])
    found, errors = Sample(values).statistics(), Sample(values).bootstrap()
    assert found["robust_sigma"] == 0 and found["median"] == 0
    assert np.isfinite(list(found.values())).all() and np.isfinite(list(errors.values())).all()


def test_a_limit_that_is_too_small():
    with pytest.raises(InputError, match="at least 2"):
        gaussian_fit([1, 2, 3], clip=1)
    with pytest.raises(InputError, match="at least 2"):
        Sample([1, 2, 3]).bootstrap(clip=np.nan)


#: Standard errors of the statistics of a unit Gaussian times the root of the number of values.
EXPECTED = {
    "mean": 1.0,
    "median": np.sqrt(np.pi / 2),
    "std": np.sqrt(0.5),
    "robust_sigma": 1.1664,  # Rousseeuw & Croux 1993: efficiency 36.74 % relative to the standard deviation
    "rmse": np.sqrt(0.5),
}


@pytest.mark.parametrize("count", [1000, 100_000])
def test_bootstrap_errors_are_those_of_theory(count):
    errors = Sample(ideal(count)).bootstrap(2000, seed=3)
    for name, expected in EXPECTED.items():
        assert errors[name] * np.sqrt(count) == pytest.approx(expected, rel=0.08), name


def test_bootstrap_agrees_with_that_of_scipy():
    values = np.random.default_rng(2).standard_t(5, 300)
    ours = Sample(values).bootstrap(3000, clip=3, seed=1)
    functions = {
        "mean": np.mean,
        "std": lambda item, axis: np.std(item, axis=axis, ddof=1),
        "rmse": lambda item, axis: np.sqrt(np.mean(item**2, axis=axis)),
        "robust_sigma": lambda item, axis: stats.median_abs_deviation(item, axis=axis, scale="normal"),
        "gauss_sigma": lambda item: gaussian_fit(item)[1],
        "gauss_mean": lambda item: gaussian_fit(item)[0],
    }
    for name, function in functions.items():
        vectorized = not name.startswith("gauss")
        theirs = stats.bootstrap(
            (values,), function, n_resamples=3000 if vectorized else 600, vectorized=vectorized, method="basic", rng=7
        ).standard_error
        assert ours[name] == pytest.approx(theirs, rel=0.1), name


def test_the_same_seed_gives_the_same_errors():
    values = ideal(500)
    assert Sample(values).bootstrap(seed=4) == Sample(values).bootstrap(seed=4)
    assert Sample(values).bootstrap(seed=4) != Sample(values).bootstrap(seed=5)
    assert np.isnan(Sample(values).bootstrap(0)["mean"])


@pytest.mark.parametrize("count", [60, 3000])
def test_injected_bias_and_scatter_come_back_within_their_errors(count):
    """Over 200 seeds the deviations in units of the bootstrap errors have mean 0 and width 1."""
    truth = {"mean": 12.0, "median": 12.0, "gauss_mean": 12.0, "std": 80.0, "gauss_sigma": 80.0, "robust_sigma": 80.0}
    truth["rmse"] = np.hypot(12, 80)
    pulls = {name: [] for name in STATISTICS}
    for seed in range(200):
        sample = Sample(np.random.default_rng(seed).normal(12, 80, count))
        found, errors = sample.statistics(), sample.bootstrap(100, seed=seed)
        for name in STATISTICS:
            pulls[name].append((found[name] - truth[name]) / errors[name])
    for name, column in pulls.items():
        # Widths of few values are a little too small, and so are their errors.
        assert abs(np.mean(column)) < 4 / np.sqrt(200) + (0.25 if count < 100 else 0), name
        assert 0.8 < np.std(column) < 1.25, name


@given(st.lists(st.tuples(st.integers(-1, 6), st.floats(-10, 10) | st.just(np.nan)), max_size=80))
def test_grouped_median_is_the_median_of_each_group(pairs):
    group = np.array([pair[0] for pair in pairs], int)
    values = np.array([pair[1] for pair in pairs], float)
    expected = [
        np.median(some) if (some := values[(group == number) & np.isfinite(values)]).size else np.nan
        for number in range(5)
    ]
    np.testing.assert_allclose(grouped_median(values, group, 5), expected)


def test_grouped_median_of_many_groups():
    random = np.random.default_rng(1)
    group, values = random.integers(0, 30_000, 100_000), random.normal(0, 1, 100_000)
    found = grouped_median(values, group, 30_000)
    for number in (0, 7, 29_999):
        some = values[group == number]
        assert found[number] == np.median(some) if some.size else np.isnan(found[number])
