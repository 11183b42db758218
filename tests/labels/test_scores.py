"""PIT and reliability of predicted errors against closed forms."""

import numpy as np
import pytest
from scipy import stats

from stellarlabels.labels.uncertainty import pit, reliability

IDEAL = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_pit_of_errors_that_are_wrong_by_a_factor(factor):
    """Errors of the size f for residuals of unit width: the PIT is below p with the probability Phi(f Phi^-1(p))."""
    values = pit(-IDEAL, factor, 0.0)
    for p in (0.05, 0.3, 0.5, 0.9):
        assert np.mean(values < p) == pytest.approx(stats.norm.cdf(factor * stats.norm.ppf(p)), abs=1e-3)


def test_pit_is_where_the_reference_lies_and_counts_its_error():
    assert pit(0.0, 3.0, 8.0, 4.0) == pytest.approx(stats.norm.cdf(8 / 5))
    assert pit(0.0, 3.0, 3.0, np.nan) == pytest.approx(stats.norm.cdf(1))
    assert np.isnan(pit(np.nan, 1.0, 0.0))


def test_reliability_of_errors_that_are_too_small():
    table = reliability(IDEAL, 0.5, 0.0, levels=[0.5, 0.9])
    expected = 2 * stats.norm.cdf(0.5 * stats.norm.ppf(0.5 + np.array([0.5, 0.9]) / 2)) - 1
    np.testing.assert_allclose(table["observed"], expected, atol=1e-4)
    np.testing.assert_allclose(table["sampling_error"], np.sqrt([0.25 / 20_000, 0.09 / 20_000]))


def test_reliability_of_right_errors_is_the_diagonal():
    table = reliability(IDEAL, 1.0, 0.0)
    np.testing.assert_allclose(table["observed"], table["expected"], atol=1e-4)
    assert len(table) == 19


def test_reliability_without_values():
    table = reliability([np.nan], 1.0, 0.0)
    assert np.isnan(table["observed"]).all()
