"""Thresholds of what is outside, by what is known of a star."""

import numpy as np
import pytest

from stellarlabels.labels import outside


def test_a_threshold_is_that_of_stars_of_which_as_much_is_known():
    """False alarms are as many as was asked for among noisy stars and among others, with and without colors."""
    random = np.random.default_rng(3)
    count = 9000
    star = np.c_[np.zeros(count), random.uniform(0, 2, count), np.zeros((count, 2))]
    star[: count // 2, 0] = np.nan
    star[: count // 3, 2:] = np.nan
    doubt = random.random(count) ** 3 * (2.2 - star[:, 1]) / 2.2

    class Doubtful(outside.Outside):
        def probabilities(self, inputs):
            return np.c_[1 - inputs["doubt"], inputs["doubt"]]

    found = Doubtful(None, ("star", "hot"))
    outside._set_thresholds(found, ("teff", "feh"), {"star": star, "doubt": doubt}, {"teff": 0.05, "feh": 0.2})
    classes, flagged = found.classes(star), found.flagged({"star": star, "doubt": doubt})
    assert len(found.edges) == 3 and set(classes) == set(range(12))
    for number in range(12):
        rows = classes == number
        assert flagged["teff"][rows].mean() == pytest.approx(0.05, abs=0.004)
        assert flagged["feh"][rows].mean() == pytest.approx(0.2, abs=0.004)


def test_a_threshold_of_an_older_file_is_for_all_stars():
    found = outside.Outside(None, ("star", "hot"), thresholds={"teff": 0.5})
    found.probabilities = lambda inputs: np.array([[0.6, 0.4], [0.4, 0.6]])
    np.testing.assert_array_equal(found.flagged({"star": np.full((2, 3), np.nan)})["teff"], [False, True])
