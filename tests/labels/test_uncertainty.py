"""Calibration of errors against samples whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from stellarlabels.labels.uncertainty import Calibration, balance, combine, coverage, pulls, robust_scatter


def test_robust_scatter_of_a_gaussian():
    x = stats.norm(3, 2).ppf((np.arange(20000) + 0.5) / 20000)
    assert robust_scatter(x) == pytest.approx(2, rel=1e-3)
    assert robust_scatter([np.nan, 1.0, 2.0, 4.0]) == pytest.approx(1.4826, rel=1e-4)
    assert np.isnan(robust_scatter([]))


def test_pulls_and_coverage_by_hand():
    pull = pulls([1.0, 2.0, np.nan], [3.0, 0.3, 1.0], [0.0, 2.0, 0.0], [4.0, np.nan, 0.0])
    np.testing.assert_allclose(pull, [0.2, 0, np.nan])
    assert coverage(pull) == 1 and coverage(pull, 0.1) == 0.5


def test_combination_by_hand():
    """Variances (1 + 4) / 2 = 2.5, variance of the means (0, 2) = 1: the mixture has 3.5, calibrated ones give 1.5."""
    members = [[[0.0]], [[2.0]]], [[[1.0]], [[2.0]]]
    mean, sigma = combine(*members)
    assert mean[0, 0] == 1 and sigma[0, 0] == pytest.approx(np.sqrt(3.5))
    assert combine(*members, calibrated=True)[1][0, 0] == pytest.approx(np.sqrt(1.5))
    far = combine([[[0.0]], [[9.0]]], members[1], calibrated=True)[1][0, 0]
    assert far == pytest.approx(np.sqrt(2.5 / 4))


def test_mean_of_calibrated_members_is_calibrated():
    """Members with a shared error of 0.8 and own errors of 0.6: each has 1, their mean sqrt(0.64 + 0.36 / 4)."""
    rng = np.random.default_rng(0)
    shared = 0.8 * rng.normal(size=(1, 40000, 1))
    means = shared + 0.6 * rng.normal(size=(4, 40000, 1))
    mean, sigma = combine(means, np.ones_like(means), calibrated=True)
    assert np.sqrt(np.mean(sigma**2)) == pytest.approx(np.std(mean), rel=0.02)


def test_calibration_recovers_wrong_factors():
    rng = np.random.default_rng(0)
    count = 40000
    magnitude = rng.uniform(8, 16, count)
    wrong = np.where(magnitude < 12, 2.0, 0.5)[:, None]
    error = np.full((count, 1), 0.3)
    label_error = np.full((count, 1), 0.2)
    truth = rng.normal(size=(count, 1))
    predicted = truth + rng.normal(size=(count, 1)) * np.hypot(error * wrong, label_error)
    axes = {"magnitude": magnitude, "log_snr": 4 - magnitude / 8}
    calibration = Calibration.fit(predicted, error, truth, label_error, axes)
    for knots, factors in calibration.curves.values():
        low = knots.argmin() if knots is calibration.curves["magnitude"][0] else knots.argmax()
        assert factors[low, 0] == pytest.approx(2, rel=0.05)
        assert factors[len(knots) - 1 - low, 0] == pytest.approx(0.5, rel=0.15)
    outer = (magnitude < 11) | (magnitude > 13)
    pull = pulls(predicted, calibration.apply(error, axes), truth, label_error)[outer]
    assert coverage(pull) == pytest.approx(0.683, abs=0.01)


def test_calibration_without_stars_changes_nothing():
    empty = np.empty((0, 2))
    calibration = Calibration.fit(empty, empty, empty, empty, {"magnitude": np.empty(0)})
    np.testing.assert_array_equal(calibration.apply(np.ones((3, 2)), {}), np.ones((3, 2)))


def test_unknown_magnitudes_fall_back():
    curves = {"magnitude": (np.array([10.0]), np.array([[2.0]])), "log_snr": (np.array([1.0]), np.array([[3.0]]))}
    axes = {"magnitude": np.array([12.0, np.nan, np.nan]), "log_snr": np.array([2.0, 2.0, np.nan])}
    np.testing.assert_allclose(Calibration(curves).apply(np.ones((3, 1)), axes)[:, 0], [2, 3, 2])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.1, 30), min_size=1, max_size=20))
def test_factors_stay_between_the_knots(magnitude):
    calibration = Calibration({"magnitude": (np.array([10.0, 12.0]), np.array([[0.5], [2.0]]))})
    factor = calibration.apply(np.ones((len(magnitude), 1)), {"magnitude": np.array(magnitude)})
    assert ((factor >= 0.5) & (factor <= 2)).all()


def test_balance_finds_the_variance_that_is_missing():
    """The variance that does not come from the inputs is stated three times, and once, too small."""
    rng = np.random.default_rng(11)
    level = np.repeat([0, 1, 4, 9], 20000)
    inputs = np.stack([0.5 * (1 + level), 0.2 * (1 + level)], axis=1)
    rest = np.ones((len(level), 2))
    truth = rng.normal(size=rest.shape)
    predicted = truth + np.sqrt(inputs + [3.0, 1.0] * rest) * rng.normal(size=rest.shape)
    groups = [level == amount for amount in (0, 1, 4, 9)]
    factor = balance(predicted, inputs, rest, truth, np.zeros_like(truth), groups, levels=(0.5, 0.683))
    np.testing.assert_allclose(factor, [3.0, 1.0], rtol=0.15)


def test_errors_of_means_of_networks_hold():
    """Two networks share an error and have one each; what they state of themselves is too large by a half."""
    rng = np.random.default_rng(12)
    truth = rng.normal(size=(60000, 1))
    shared, own = rng.normal(size=truth.shape), rng.normal(size=(2, *truth.shape))
    networks = truth + 0.8 * shared + 0.6 * own
    axes = {"magnitude": rng.uniform(10, 18, len(truth))}
    error, mean, gained = np.full(truth.shape, 1.5), networks.mean(axis=0), networks.var(axis=0)
    calibration = Calibration.fit(mean, error, truth, 0 * truth, axes, levels=(0.5, 0.683), gained=gained)
    _, total = combine(networks, np.stack(2 * [calibration.apply(error, axes)]), calibrated=True)
    assert robust_scatter((mean - truth) / total) == pytest.approx(1, abs=0.02)
    assert coverage((mean - truth) / total) == pytest.approx(0.683, abs=0.01)
    np.testing.assert_allclose(calibration.curves["magnitude"][1], 1 / 1.5, rtol=0.05)
    none = Calibration.fit(networks[0], error, truth, 0 * truth, axes, levels=(0.5, 0.683))
    np.testing.assert_allclose(none.curves["magnitude"][1], 1 / 1.5, rtol=0.05)


def test_of_an_unknown_axis_the_median_factor_counts():
    """Errors of stars without G were not calibrated at all, if the other axis is known for all stars."""
    curves = {
        "magnitude": (np.array([10.0, 12.0, 14.0]), np.array([[1.3], [1.5], [1.8]])),
        "snr": (np.array([1.0, 2.0]), np.array([[1.0], [2.0]])),
    }
    calibration = Calibration(curves, product=True)
    axes = {"magnitude": np.array([10.0, np.nan, np.nan]), "snr": np.array([2.0, 1.0, np.nan])}
    np.testing.assert_allclose(calibration.apply(np.ones((3, 1)), axes)[:, 0], [1.3 * 2, 1.5 * 1, 1.5 * 1.5])
    np.testing.assert_allclose(calibration.apply(np.ones((3, 1)), {})[:, 0], 1.5 * 1.5)


def test_an_axis_of_few_values_has_a_factor_for_each():
    """Errors that are right with all colors, and half as large as they should be without three of them."""
    random = np.random.default_rng(6)
    missing = np.repeat([0.0, 3.0], 4000)
    truth = random.normal(size=(8000, 1)) * np.where(missing, 2, 1)[:, None]
    zero, one = np.zeros((8000, 1)), np.ones((8000, 1))
    calibration = Calibration.fit(zero, one, truth, zero, {"missing": missing})
    knots, factors = calibration.curves["missing"]
    np.testing.assert_array_equal(knots, [0, 3])
    np.testing.assert_allclose(factors[:, 0], [1, 2], rtol=0.05)


def test_factors_of_two_axes_that_go_together_do_not_share_each_other_s():
    """Errors are wrong by 1 to 2 along one axis and by 1 to 1.5 along another one, and each tells of the other."""
    random = np.random.default_rng(7)
    first = np.repeat([0.0, 1.0], 20000)
    second = np.where(random.random(40000) < 0.8, first, 1 - first)
    truth = random.normal(size=40000) * np.where(first, 2, 1) * np.where(second, 1.5, 1)
    zero, one = np.zeros((40000, 1)), np.ones((40000, 1))
    axes = {"first": first, "second": second}
    calibration = Calibration.fit(zero, one, truth[:, None], zero, axes, product=True)
    found = calibration.apply(one, axes)[:, 0]
    for a, b, right in ((0, 0, 1), (0, 1, 1.5), (1, 0, 2), (1, 1, 3)):
        assert np.median(found[(first == a) & (second == b)]) == pytest.approx(right, rel=0.06)


def test_a_plan_says_how_many_knots_there_are():
    axis, zero = np.linspace(0, 1, 4000), np.zeros((4000, 1))
    truth = np.random.default_rng(8).normal(size=(4000, 1))
    for knots in (3, 20):
        calibration = Calibration.fit(zero, zero + 1, truth, zero, {"snr": axis}, knots=knots)
        assert len(calibration.curves["snr"][0]) == knots
