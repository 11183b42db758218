"""Cost-sensitive weights against values computed by hand from Eq. 7 of the CSNet paper."""

import numpy as np
import pytest

from stellarlabels.exceptions import InputError
from stellarlabels.networks.training import cost_weights


def test_formula():
    """Eight stars in two by two bins: frequencies 4, 1, 2, 1."""
    teff = [4000, 4100, 4200, 4300, 4400, 5600, 5700, 6000]
    feh = [-2.0, -1.9, -1.8, -1.7, 0.0, -1.6, -1.5, -0.1]
    want = [1, 1, 1, 1, 2, 2**0.5, 2**0.5, 2]
    np.testing.assert_allclose(cost_weights(teff, feh, bins=(2, 2), gamma=0.5), want)
    np.testing.assert_allclose(cost_weights(teff, feh, bins=(2, 2), gamma=1), np.square(want))
    np.testing.assert_array_equal(cost_weights(teff, feh, bins=(2, 2), gamma=0), np.ones(8))


def test_one_bin_on_the_second_axis():
    """20 x 1 bins, as for Teff, log g and [Fe/H], are a histogram of the label alone."""
    rng = np.random.default_rng(1)
    label, feh = rng.normal(size=500), rng.normal(size=500)
    np.testing.assert_array_equal(cost_weights(label, feh, bins=(20, 1)), cost_weights(label, bins=(20,)))
    counts, edges = np.histogram(label, bins=20)
    cell = np.clip(np.digitize(label, edges) - 1, 0, 19)
    np.testing.assert_allclose(cost_weights(label, bins=(20,)), np.sqrt(counts.max() / counts[cell]))


def test_empty_bins_do_no_harm():
    weights = cost_weights([0.0, 0.0, 0.0, 10.0], bins=(50,))
    np.testing.assert_allclose(weights, [1, 1, 1, 3**0.5])


def test_stars_outside_all_bins_count_as_the_rarest():
    weights = cost_weights([0.1, 0.2, 0.9, 1.5, -3.0], bins=(2,), ranges=[(0, 1)])
    np.testing.assert_allclose(weights, [1, 1, 2**0.5, 2**0.5, 2**0.5])
    np.testing.assert_array_equal(cost_weights([5.0, 6.0], bins=(2,), ranges=[(0, 1)]), [1, 1])


def test_one_star_no_star_and_missing_values():
    np.testing.assert_array_equal(cost_weights([4.0], [0.1], bins=(20, 60)), [1])
    assert cost_weights([], [], bins=(20, 60)).shape == (0,)
    np.testing.assert_allclose(cost_weights([0, 0, 1, np.nan], [0, 0, np.nan, 0], bins=(2, 2)), np.ones(4))


def test_bad_arguments():
    with pytest.raises(InputError, match="expected 2 numbers"):
        cost_weights([1.0], [1.0], bins=(3,))
    with pytest.raises(InputError, match="expected 1 numbers"):
        cost_weights([1.0], bins=(3,), ranges=[(0, 1), (0, 1)])
    with pytest.raises(InputError, match="gamma"):
        cost_weights([1.0], bins=(3,), gamma=-1)
