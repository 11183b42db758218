"""Splits and the rule of the held-out stars."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from stellarlabels.exceptions import InputError
from stellarlabels.networks.training import held_out, split_groups, train


def test_held_out_stars_by_hand():
    cells = np.arange(10, dtype=np.int64)
    np.testing.assert_array_equal(held_out((cells << 35) + 12345), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0])
    with pytest.raises(InputError, match="expected integers"):
        held_out(np.array([1.0]))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=100), st.floats(0, 0.9), st.integers(0, 1000))
def test_no_group_is_on_both_sides(groups, fraction, seed):
    groups = np.array(groups)
    for chosen in split_groups(groups, fraction, seed, 3):
        assert not set(groups[chosen]) & set(groups[~chosen])
        assert (~chosen).any()
        assert len(set(groups[chosen])) <= round(fraction * len(set(groups)))
    np.testing.assert_array_equal(split_groups(groups, fraction, seed)[0], split_groups(groups, fraction, seed, 3)[0])


def test_networks_leave_out_different_stars():
    chosen = split_groups(np.arange(100), 0.1, 1, 4)
    np.testing.assert_array_equal(chosen.sum(axis=1), 10)
    assert chosen.any(axis=0).sum() == 40


@pytest.mark.parametrize("fraction", [-0.1, 1, 2, np.nan])
def test_shares_out_of_range(fraction):
    with pytest.raises(InputError, match="validation"):
        split_groups([1, 2], fraction, 0)


def test_plateau_halves_the_rate():
    """A network that cannot learn: the rate is halved after every five epochs without a smaller loss."""
    import keras

    flux = keras.Input((2,), name="flux")
    network = keras.Model({"flux": flux}, keras.layers.Dense(1, kernel_initializer="zeros")(flux))
    train(
        network,
        {"flux": np.zeros((8, 2), np.float32)},
        np.zeros((8, 1), np.float32),
        loss="mse",
        epochs=12,
        batch_size=8,
        learning_rate=1e-3,
        schedule="plateau",
        progress=False,
    )
    assert abs(float(network.optimizer.learning_rate.numpy()) - 2.5e-4) < 1e-9
