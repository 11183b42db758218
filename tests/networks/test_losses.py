"""Likelihoods against SciPy's distributions."""

import numpy as np
import pytest
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.networks import losses
from stellarlabels.networks.training import cost_weights


@pytest.fixture
def batch():
    rng = np.random.default_rng(4)
    value, mean = rng.normal(size=(2, 50, 3))
    error, sigma = rng.uniform(0.1, 1, size=(2, 50, 3))
    return value, error, mean, sigma


def test_gaussian_equals_scipy(batch):
    value, error, mean, sigma = batch
    got = np.asarray(losses.gaussian(losses.pack(value, error), np.hstack([mean, np.log(sigma)]).astype("f4")))
    want = -stats.norm.logpdf(value, mean, np.hypot(sigma, error)) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(got, want.sum(axis=1), rtol=2e-5, atol=1e-5)


def test_student_t_equals_scipy_up_to_a_constant(batch):
    value, error, mean, sigma = batch
    got = np.asarray(losses.student_t(losses.pack(value, error), np.hstack([mean, np.log(sigma)]).astype("f4")))
    want = -stats.t.logpdf(value, 5, mean, np.hypot(sigma, error)).sum(axis=1)
    np.testing.assert_allclose(got - got[0], want - want[0], rtol=1e-4, atol=1e-4)


def test_unknown_labels_do_not_count(batch):
    value, error, mean, sigma = batch
    value[:, 1] = np.nan
    error[:, 2] = np.nan
    prediction = np.hstack([mean, np.log(sigma)]).astype("f4")
    got = np.asarray(losses.gaussian(losses.pack(value, error), prediction))
    want = sum(
        -stats.norm.logpdf(value[:, i], mean[:, i], np.hypot(sigma[:, i], np.nan_to_num(error[:, i])))
        - 0.5 * np.log(2 * np.pi)
        for i in (0, 2)
    )
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=1e-5)


def test_weights_by_hand():
    """Eq. 11 of the UA-CSNet paper: bins with 4, 1 and 1 stars, gamma 0.5, weights 1, 2 and 2."""
    color = [0.0, 0.0, 0.1, 0.1, 1.0, 0.0]
    feh = [0.0, 0.0, 0.1, 0.1, 0.0, 1.0]
    np.testing.assert_allclose(cost_weights(color, feh, bins=(2, 2), gamma=0.5), [1, 1, 1, 1, 2, 2])
    np.testing.assert_allclose(cost_weights(color, feh, bins=(2, 2), gamma=0), 1)


def test_weights_of_odd_tables():
    np.testing.assert_array_equal(cost_weights([1.0], [2.0], bins=(3, 3)), [1])
    np.testing.assert_array_equal(cost_weights([np.nan, 1.0], [0.0, 0.0], bins=(3, 3)), [1, 1])
    np.testing.assert_array_equal(cost_weights([np.nan], bins=(3,)), [1])
    assert cost_weights([], bins=(3,)).shape == (0,)
    with pytest.raises(InputError, match="expected 1 numbers"):
        cost_weights([1.0], bins=(1, 2))
    with pytest.raises(InputError, match="gamma"):
        cost_weights([1.0], bins=(1,), gamma=-1)


def test_parallax_likelihood_equals_scipy_up_to_a_constant():
    """Second label: M = 2 + 3 y known through p = parallax 10**(0.2 G), one of them negative."""
    rng = np.random.default_rng(3)
    mean, sigma = rng.normal(size=(20, 2)) * 0.3, rng.uniform(0.05, 0.3, size=(20, 2))
    label, label_error = rng.normal(size=20), np.full(20, 0.1)
    true = 10 ** (0.2 * (2 + 3 * mean[:, 1] + 10))
    error = 0.4 * true
    p = true + error * rng.normal(size=20)
    p[0] = -0.5 * true[0]
    loss = losses.with_parallaxes([False, True], [0.0, 2.0], [1.0, 3.0])
    packed = losses.pack(np.stack([label, p], 1), np.stack([label_error, error], 1))
    got = np.asarray(loss(packed, np.hstack([mean, np.log(sigma)]).astype("f4")))
    want = -stats.t.logpdf(label, 5, mean[:, 0], np.hypot(sigma[:, 0], 0.1))
    want -= stats.t.logpdf(p, 5, true, np.hypot(error, 0.2 * np.log(10) * true * 3 * sigma[:, 1]))
    np.testing.assert_allclose(got - got[0], want - want[0], rtol=1e-3, atol=1e-3)
