"""Straight lines of many groups against scipy and numpy, and their errors against repeated experiments."""

import numpy as np
import pytest
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.validation.lines import METHODS, grouped_lines, weighted_line


def points(groups, size, *, slope=-0.05, intercept=0.4, scatter=0.1, error=0.0, seed=1):
    """Points around the same line in every group, with errors between a half and three halves of ``error``."""
    random = np.random.default_rng(seed)
    x = random.uniform(7, 14, (groups, size))
    sigma = error * random.uniform(0.5, 1.5, (groups, size))
    y = intercept + slope * x + np.hypot(scatter, sigma) * random.standard_normal((groups, size))
    return x.ravel(), y.ravel(), np.repeat(np.arange(groups), size), sigma.ravel()


def test_least_squares_are_those_of_scipy():
    x, y, group, _ = points(4, 50)
    found = grouped_lines(x, y, group, 4)
    for number in range(4):
        expected = stats.linregress(x[group == number], y[group == number])
        assert found["slope"][number] == pytest.approx(expected.slope, rel=1e-10)
        assert found["slope_err"][number] == pytest.approx(expected.stderr, rel=1e-10)
        assert found["intercept"][number] == pytest.approx(expected.intercept, rel=1e-10)
        assert found["intercept_err"][number] == pytest.approx(expected.intercept_stderr, rel=1e-10)
    assert found["stars"].tolist() == [50] * 4


def test_weighted_line_is_that_of_numpy_with_the_scatter_added():
    x, y, _, error = points(1, 400, scatter=0.1, error=0.2)
    found = weighted_line(x, y, error)
    total = np.hypot(error, found["scatter"])
    (slope, intercept), covariance = np.polyfit(x, y, 1, w=1 / total, cov="unscaled")
    assert (found["slope"], found["intercept"]) == pytest.approx((slope, intercept), rel=1e-8)
    assert (found["slope_err"], found["intercept_err"]) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-8)
    chi_squared = np.sum(((y - slope * x - intercept) / total) ** 2) / (400 - 2)
    assert chi_squared == pytest.approx(1, abs=1e-6)
    assert found["scatter"] == pytest.approx(0.1, abs=0.03)


def test_errors_that_explain_the_scatter_leave_none():
    x, y, _, error = points(1, 400, scatter=0.0, error=0.1)
    assert weighted_line(x, y, error * 1.5)["scatter"] == 0
    without, with_zeros = weighted_line(x, y), weighted_line(x, y, np.zeros(400))
    assert without == with_zeros
    expected = stats.linregress(x, y)
    assert without["slope"] == pytest.approx(expected.slope, rel=1e-8)
    assert without["slope_err"] == pytest.approx(expected.stderr, rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_injected_lines_come_back_within_their_errors(method):
    """400 groups are 400 seeds: deviations in units of the errors have mean 0 and width 1."""
    x, y, group, error = points(400, 300, scatter=0.15, error=0.1)
    found = grouped_lines(x, y, group, 400, error=error, method=method)
    for key, truth in (("slope", -0.05), ("intercept", 0.4)):
        pull = (found[key] - truth) / found[f"{key}_err"]
        assert abs(pull.mean()) < 3.5 / 20, key
        assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(800)), key
    if method == "weighted":
        assert found["scatter"].mean() == pytest.approx(0.15, abs=0.005)


def test_robust_lines_stay_where_outliers_pull_the_others_away():
    x, y, group, _ = points(100, 300)
    far = np.random.default_rng(2).random(len(y)) < 0.05
    y = np.where(far, 3 + 0.3 * x, y)
    plain, robust = (grouped_lines(x, y, group, 100, method=method) for method in ("least_squares", "robust"))
    assert abs(plain["slope"].mean() + 0.05) > 0.01
    assert abs(robust["slope"].mean() + 0.05) < 0.003
    pull = (robust["slope"] - robust["slope"].mean()) / robust["slope_err"]
    assert pull.std() == pytest.approx(1, abs=0.25)


def test_huber_minimises_its_own_loss():
    from scipy.optimize import minimize
    from scipy.special import huber

    random = np.random.default_rng(3)
    x = random.uniform(0, 10, 200)
    y = 1 + 0.3 * x + random.standard_t(2, 200)
    found = grouped_lines(x, y, np.zeros(200, int), 1, method="robust")
    limit = 1.345 * found["scatter"][0]
    expected = minimize(
        lambda line: huber(limit, y - line[0] * x - line[1]).sum(), [0.3, 1], method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-10},
    ).x  # fmt: skip
    assert (found["slope"][0], found["intercept"][0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_groups_that_have_no_line(method):
    x = np.array([1.0, 2.0, 5.0, 5.0, 5.0, np.nan, 1.0, 2.0, 3.0])
    y = np.array([1.0, 2.0, 1.0, 2.0, 3.0, 1.0, 1.0, 2.0, 3.0])
    group = np.array([0, 0, 1, 1, 1, 3, 2, 2, 2])
    found = grouped_lines(x, y, group, 4, method=method)
    assert np.isnan(found["slope"]).tolist() == [True, True, False, True]
    assert found["stars"].tolist() == [2, 3, 3, 0]
    assert found["slope"][2] == pytest.approx(1) and found["intercept"][2] == pytest.approx(0, abs=1e-9)
    empty = grouped_lines(x[:0], y[:0], group[:0], 2, method=method)
    assert np.isnan(empty["slope"]).all() and empty["stars"].tolist() == [0, 0]


def test_missing_errors_count_as_typical_ones():
    x, y, _, error = points(1, 100, error=0.1)
    some = error.copy()
    some[::7] = np.nan
    filled = np.where(np.isnan(some), np.nanmedian(some), some)
    assert weighted_line(x, y, some) == weighted_line(x, y, filled)


def test_no_such_method():
    with pytest.raises(InputError, match="least_squares, weighted, robust"):
        grouped_lines(np.zeros(1), np.zeros(1), np.zeros(1, int), 1, method="median")
