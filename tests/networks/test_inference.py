"""The networks that predict compute what the plain ones do, at any time."""

import gc

import keras
import numpy as np
import pytest

from stellarlabels import SolarDis, SPCANet, networks
from stellarlabels.labels.ensemble import build_network
from stellarlabels.networks import inference, training

#: Largest difference from plain Keras, relative to the scale of the labels, which is 1.
TOLERANCE = 1e-5


def two_arms(pixels=400, filters=(4, 8, 4), kernels=(9, 7, 4), strides=(1, 1, 1), seed=1):
    shapes = {"flux_b": pixels, "flux_r": pixels - 8, "quality": 4}
    options = {"filters": filters, "kernels": kernels, "strides": strides, "dense": (16,), "dropout": 0.2}
    return randomised(networks.build("two_arm_cnn", shapes=shapes, outputs=3, seed=seed, **options), seed)


def one_arm(pixels=300):
    options = {"filters": (4, 8), "kernel": 3, "pool": 3, "dense": (16,), "slope": 0.01}
    return randomised(networks.build("spectrum_cnn", shapes={"flux": pixels}, outputs=5, seed=1, **options), 1)


def randomised(network, seed):
    """With offsets, gains, means and variances that are not those of the start."""
    random = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 2, weight.shape) for weight in layer.get_weights()])
        elif isinstance(layer, keras.layers.Conv1D) and layer.use_bias:
            layer.bias.assign(random.uniform(-0.2, 0.2, layer.bias.shape))
    return network


def inputs_of(network, count=128, seed=3):
    random = np.random.default_rng(seed)
    return {
        name: random.uniform(0.5, 1.1, (count, *tensor.shape[1:])).astype(np.float32)
        for name, tensor in network.input.items()
    }


def largest_difference(network):
    arrays = inputs_of(network)
    found, expected = training.predict(network, arrays), network.predict(arrays, verbose=0)
    return np.abs(found - expected).max() / max(1.0, np.abs(expected).max())


NETWORKS = {
    "steps of one pixel": two_arms,
    "steps": lambda: two_arms(filters=(8, 16, 16), kernels=(9, 7, 5), strides=(5, 4, 2)),
    "as many filters as numbers in a register": lambda: two_arms(filters=(16, 4), kernels=(3, 3), strides=(1, 1)),
    "an odd number of pixels": lambda: two_arms(pixels=391),
    "even kernels": lambda: two_arms(kernels=(8, 2, 6), strides=(1, 2, 1)),
    "maxima": one_arm,
    "maxima that leave pixels out": lambda: one_arm(301),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_as_keras(name):
    network = NETWORKS[name]()
    assert inference.for_prediction(network) is not network
    assert largest_difference(network) < TOLERANCE


@pytest.mark.parametrize("name", SPCANet.available())
def test_weights_that_ship(name):
    for member in SPCANet.pretrained(name).ensemble.members:
        assert largest_difference(member.network) < TOLERANCE


@pytest.mark.slow
def test_networks_of_the_papers():
    shapes = {"flux_b": 4000, "flux_r": 4000, "quality": 4}
    assert largest_difference(randomised(build_network(SPCANet.recipes["paper"], shapes, 15), 2)) < TOLERANCE
    assert largest_difference(build_network(SolarDis.recipes["paper"], {"flux": 4875}, 5)) < TOLERANCE


@pytest.mark.slow
def test_training_after_predicting():
    """Predictions follow the variables of the network."""
    network = two_arms(strides=(2, 1, 1))
    before = training.predict(network, inputs_of(network))
    arrays = inputs_of(network, 64, seed=5)
    network.compile("adam", "mse")
    network.fit(arrays, np.ones((64, 6)), epochs=3, verbose=0)
    assert np.abs(training.predict(network, inputs_of(network)) - before).max() > 1e-3
    assert largest_difference(network) < TOLERANCE
    network.set_weights([1.1 * weight for weight in network.get_weights()])
    assert largest_difference(network) < TOLERANCE


def test_variables_are_shared():
    network = two_arms()
    fast = inference.for_prediction(network)
    assert {id(variable) for variable in fast.variables} <= {id(variable) for variable in network.variables}
    kinds = [type(layer) for layer in fast.layers]
    assert keras.layers.BatchNormalization not in kinds and keras.layers.Conv1D not in kinds


def test_made_once_and_not_kept():
    network = two_arms()
    assert inference.for_prediction(network) is inference.for_prediction(network)
    gc.collect()
    before = len(inference._made)
    del network
    gc.collect()
    assert len(inference._made) == before - 1


def test_rows_do_not_matter_to_each_other():
    for network in (two_arms(), one_arm()):
        arrays, fast = inputs_of(network, 100), inference.for_prediction(network)
        at_once = fast.predict_on_batch(arrays)
        for size in (1, 7, 64):
            part = {name: array[9 : 9 + size] for name, array in arrays.items()}
            np.testing.assert_allclose(fast.predict_on_batch(part), at_once[9 : 9 + size], atol=TOLERANCE)


def test_networks_without_convolutions_are_left_alone():
    inputs = {"flux": keras.Input((20,), name="flux")}
    network = keras.Model(inputs, keras.layers.Dense(2)(inputs["flux"]))
    assert inference.for_prediction(network) is network


@pytest.mark.parametrize("options", [{"padding": "valid"}, {"dilation_rate": 2}, {"activation": "relu"}, {"groups": 2}])
def test_other_convolutions_are_left_alone(options):
    inputs = {"flux": keras.Input((24, 4), name="flux")}
    x = keras.layers.Conv1D(4, 3, **{"padding": "same", **options})(inputs["flux"])
    network = keras.Model(inputs, keras.layers.Flatten()(x))
    assert inference.for_prediction(network) is network


def test_what_is_used_twice_stays():
    """A convolution whose output goes to two layers is not joined with one of them."""
    inputs = {"flux": keras.Input((32, 1), name="flux")}
    x = keras.layers.Conv1D(4, 3, padding="same")(inputs["flux"])
    both = keras.layers.Concatenate()([x, keras.layers.ReLU()(x)])
    network = keras.Model(inputs, keras.layers.Flatten()(both))
    assert inference.for_prediction(network) is not network
    assert largest_difference(network) < TOLERANCE


def test_what_is_an_output_stays():
    inputs = {"flux": keras.Input((32, 1), name="flux")}
    x = keras.layers.Conv1D(4, 3, padding="same")(inputs["flux"])
    network = keras.Model(inputs, [x, keras.layers.ReLU()(x)])
    arrays = inputs_of(network, 64)
    found = inference.for_prediction(network).predict_on_batch(arrays)
    for ours, expected in zip(found, network.predict(arrays, verbose=0), strict=True):
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE)


def test_convolution_with_offset_before_a_plain_normalisation():
    inputs = {"flux": keras.Input((32, 1), name="flux")}
    x = keras.layers.Conv1D(4, 3, padding="same", bias_initializer="ones")(inputs["flux"])
    x = keras.layers.BatchNormalization(center=False, scale=False)(x)
    network = randomised(keras.Model(inputs, keras.layers.Flatten()(keras.layers.LeakyReLU(0.1)(x))), 4)
    assert largest_difference(network) < TOLERANCE
