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


@pytest.mark.parametrize("fraction", [-0.1, 1, 2, np.nan, "x", None])
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


def test_networks_that_share_a_training_step_learn_the_same():
    """With one step for three networks each has the weights that it gets alone, and the first keeps its own."""
    import keras

    random = np.random.default_rng(1)
    flux, goals = random.normal(size=(40, 3)).astype(np.float32), random.normal(size=(40, 1)).astype(np.float32)
    options = {"loss": "mse", "epochs": 3, "batch_size": 16, "learning_rate": 0.01, "schedule": "plateau"}

    def trained(seed, rate, ready):
        start = keras.initializers.GlorotUniform(seed=seed)
        x = keras.Input((3,), name="flux")
        y = keras.layers.Dropout(0.3, seed=seed)(keras.layers.Dense(8, "tanh", kernel_initializer=start)(x))
        network = keras.Model({"flux": x}, keras.layers.Dense(1, kernel_initializer=start)(y))
        own = {**options, "learning_rate": rate, "seed": seed}
        history = train(network, {"flux": flux}, goals, progress=False, ready=ready, **own)
        return network, history["loss"]

    ready, wanted = {}, [trained(seed, rate, None) for seed, rate in ((1, 0.01), (2, 0.01), (3, 0.02))]
    found = [trained(seed, rate, ready) for seed, rate in ((1, 0.01), (2, 0.01), (3, 0.02))]
    assert len(ready) == 2  # another rate is another step
    for (alone, loss), (shared, shared_loss) in zip(wanted, found, strict=True):
        assert loss == shared_loss
        for one, other in zip(alone.get_weights(), shared.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    assert wanted[0][1] != wanted[1][1]
