"""Calibration of errors against samples whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from stellarlabels.labels.uncertainty import Calibration, combine, coverage, pulls, robust_scatter


def test_robust_scatter_of_a_gaussian():
    x = stats.norm(3, 2).ppf((np.arange(20000) + 0.5) / 20000)
    assert robust_scatter(x) == pytest.approx(2, rel=1e-3)
    assert robust_scatter([np.nan, 1.0, 2.0, 4.0]) == pytest.approx(1.4826, rel=1e-4)
    assert np.isnan(robust_scatter([]))


def test_pulls_and_coverage_by_hand():
    pull = pulls([1.0, 2.0, np.nan], [3.0, 0.3, 1.0], [0.0, 2.0, 0.0], [4.0, np.nan, 0.0])
    np.testing.assert_allclose(pull, [0.2, 0, np.nan])
    assert coverage(pull) == 1 and coverage(pull, 0.1) == 0.5


def test_mixture_by_hand():
    """Law of total variance: (1 + 4) / 2 + variance of the means (0, 2)."""
    mean, sigma = combine([[[0.0]], [[2.0]]], [[[1.0]], [[2.0]]])
    assert mean[0, 0] == 1 and sigma[0, 0] == pytest.approx(np.sqrt(2.5 + 1))


def test_calibration_recovers_wrong_factors():
    rng = np.random.default_rng(0)
    count = 40000
    snr = 10 ** rng.uniform(1, 2, count)
    wrong = np.where(snr < 10**1.5, 2.0, 0.5)[:, None]
    error = np.full((count, 1), 0.3)
    label_error = np.full((count, 1), 0.2)
    truth = rng.normal(size=(count, 1))
    predicted = truth + rng.normal(size=(count, 1)) * np.hypot(error * wrong, label_error)
    observed = truth
    calibration = Calibration.fit(predicted, error, observed, label_error, snr, knots=4)
    assert calibration.factors[0, 0] == pytest.approx(2, rel=0.05)
    assert calibration.factors[3, 0] == pytest.approx(0.5, rel=0.1)
    outer = (snr < 10**1.2) | (snr > 10**1.8)
    pull = pulls(predicted, calibration.apply(error, snr), observed, label_error)[outer]
    assert coverage(pull) == pytest.approx(0.683, abs=0.01)


def test_calibration_without_stars_changes_nothing():
    empty = np.empty((0, 2))
    calibration = Calibration.fit(empty, empty, empty, empty, np.empty(0))
    np.testing.assert_array_equal(calibration.apply(np.ones((3, 2)), np.array([1, np.nan, 0])), np.ones((3, 2)))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0.1, 1e4), min_size=1, max_size=20))
def test_factors_stay_between_the_knots(snr):
    calibration = Calibration(np.array([1.0, 2.0]), np.array([[0.5], [2.0]]))
    factor = calibration.apply(np.ones((len(snr), 1)), np.array(snr))
    assert ((factor >= 0.5) & (factor <= 2)).all()
