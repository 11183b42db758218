"""Calibration tables against closed forms for errors that are wrong by a known factor."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.validation import calibration, pit_histogram, pull_histogram, reliability

COUNT = 40_001
IDEAL = stats.norm.ppf((np.arange(COUNT) + 0.5) / COUNT)


def tables(factor, shift=0.0):
    """Residuals of 50 K width whose errors are said to be ``factor`` times that."""
    reference = QTable({"teff": np.linspace(4000, 6000, COUNT) * u.K})
    labels = QTable({"teff": reference["teff"] + (50 * IDEAL + shift) * u.K})
    labels["teff_err"] = np.full(COUNT, 50 * factor) * u.K
    return labels, reference


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.25])
def test_the_factor_that_errors_are_wrong_by(factor):
    row = calibration(*tables(factor), names=["teff"])[0]
    assert row["factor"] == pytest.approx(1 / factor, rel=1e-3)
    assert row["pull_width"] == pytest.approx(1 / factor, rel=1e-3)
    for level in (1, 2, 3):
        expected = 1 - 2 * stats.norm.sf(level * factor)
        assert row[f"coverage_{level}"] == pytest.approx(expected, abs=2e-4)
        assert row[f"coverage_{level}_err"] == pytest.approx(np.sqrt(expected * (1 - expected) / COUNT), rel=0.1)
    p = np.linspace(0, 1, 100_001)
    distance = np.abs(stats.norm.cdf(factor * stats.norm.ppf(p)) - p).max()
    assert row["pit_distance"] == pytest.approx(distance, abs=1e-4)
    assert (row["pit_probability"] > 0.99) == (factor == 1)
    assert row["stars"] == COUNT and row["note"] == ""


def test_a_shift_is_seen_in_the_pulls():
    row = calibration(*tables(1.0, shift=25), names=["teff"])[0]
    assert row["pull_mean"] == pytest.approx(0.5, abs=1e-6)
    assert row["pull_mean_err"] == pytest.approx(1 / np.sqrt(COUNT), rel=0.2)


@pytest.mark.parametrize("size", [20, 400])
def test_the_test_of_uniformity_is_that_of_scipy(size):
    random = np.random.default_rng(size)
    pull = random.normal(0.1, 1.2, size)
    labels = QTable({"feh": pull * u.dex, "feh_err": np.ones(size) * u.dex})
    row = calibration(labels, QTable({"feh": np.zeros(size) * u.dex}), names=["feh"])[0]
    expected = stats.kstest(stats.norm.cdf(-pull), "uniform")
    assert row["pit_distance"] == pytest.approx(expected.statistic, rel=1e-10)
    assert row["pit_probability"] == pytest.approx(expected.pvalue, rel=0.1, abs=1e-3)


def test_the_error_of_the_factor_is_how_much_it_varies():
    found = []
    for seed in range(200):
        pull = np.random.default_rng(seed).normal(0, 1.3, 500)
        labels = QTable({"feh": pull * u.dex, "feh_err": np.ones(500) * u.dex})
        row = calibration(labels, QTable({"feh": np.zeros(500) * u.dex}), names=["feh"], bootstrap=0)[0]
        found.append((row["factor"], row["factor_err"]))
    factor, error = np.array(found).T
    pull = (factor - 1.3) / error
    assert abs(pull.mean()) < 0.25 and pull.std() == pytest.approx(1, abs=0.2)


def test_reliability_of_a_label():
    table = reliability(*tables(0.5), "teff", levels=[0.5])
    assert table["observed"][0] == pytest.approx(2 * stats.norm.cdf(0.5 * stats.norm.ppf(0.75)) - 1, abs=1e-3)
    assert table.meta["stars"] == COUNT and table.meta["note"] == ""


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_histograms(factor):
    pit = pit_histogram(*tables(factor), "teff", bins=10)
    edges = stats.norm.cdf(factor * stats.norm.ppf(np.linspace(0, 1, 11)))
    np.testing.assert_allclose(pit["density"], np.diff(edges) * 10, rtol=0.01)
    np.testing.assert_allclose(pit["sampling_error"], np.sqrt(0.1 * 0.9 / COUNT) * 10)
    pulls = pull_histogram(*tables(factor), "teff", bins=20)
    assert pulls["stars"].sum() == COUNT  # those beyond the limit are in the outer bins
    np.testing.assert_allclose(pulls["expected"].sum() * 0.5, 1)
    share = np.diff(stats.norm.cdf(np.linspace(-5, 5, 21), scale=1 / factor))
    np.testing.assert_allclose(pulls["density"][1:-1] * 0.5, share[1:-1], atol=2e-4)


def test_flagged_stars_and_rows():
    labels, reference = tables(1.0)
    labels["teff_flag"] = (np.abs(IDEAL) > 1).astype(np.int32)
    assert calibration(labels, reference, good=True)["coverage_1"][0] == 1
    inner = np.abs(IDEAL) <= 1
    assert calibration(labels, reference, rows=inner)["stars"][0] == inner.sum()
    with pytest.raises(InputError, match="bools"):
        calibration(labels, reference, rows=np.flatnonzero(inner))


def test_nothing_to_judge():
    labels, reference = tables(1.0)
    del labels["teff_err"]
    row = calibration(labels, reference)[0]
    assert row["note"] == "no star has both values and a predicted error" and np.isnan(row["factor"])
    for function in (reliability, pit_histogram, pull_histogram):
        table = function(labels, reference, "teff")
        assert table.meta["note"] and table.meta["stars"] == 0
        assert function(labels, reference, "logg").meta["note"] == "the catalog has no logg"
    assert calibration(labels, reference[["teff"]], names=["logg"])["note"][0] == "the catalog has no logg"
    assert len(calibration(QTable({"a": [1]}), QTable({"a": [1]}))) == 0
