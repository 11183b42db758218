"""The two-branch network of SPCANet."""

import numpy as np
import pytest

from stellarlabels import networks
from stellarlabels.systems.spcanet import SPCANet

SHAPES = {"flux_b": 4000, "flux_r": 4000, "quality": 4}


def network(recipe="paper", outputs=15, **options):
    return networks.build(
        "two_arm_cnn", shapes=SHAPES, outputs=outputs, seed=1, **{**SPCANet.recipes[recipe].network_options, **options}
    )


def test_the_paper_recipe_has_the_layers_of_figure_5():
    model = network()
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv1D") == 6 and kinds.count("BatchNormalization") == 6
    assert kinds.count("Add") == 2 and kinds.count("Dropout") == 2
    assert model.output_shape == (None, 30)
    for arm in ("b", "r"):
        assert model.get_layer(f"residual_{arm}").output.shape == (None, 4000, 4)
    assert model.get_layer("joined").output.shape == (None, 2 * 4000 * 4 + 4)


def test_number_of_parameters_in_closed_form():
    filters, kernels, dense, outputs = (4, 8, 4), (9, 9, 9), (256, 128), 15
    branch = sum(k * a * b + 4 * b for k, a, b in zip(kernels, (1, *filters), filters, strict=False))
    joined = 2 * 4000 * filters[-1] + 4
    head = (joined + 1) * dense[0] + (dense[0] + 1) * dense[1]
    ends = (dense[1] + 1) * outputs + (dense[1] + 4 + 1) * 32 + (32 + 1) * outputs
    assert network().count_params() == 2 * branch + head + ends


def test_strides_shorten_the_branches():
    model = network("compact", outputs=3)
    assert model.get_layer("residual_b").output.shape == (None, 100, 16)
    assert model.count_params() < 400_000


@pytest.mark.parametrize("recipe", ["paper", "compact"])
def test_the_input_is_added_to_the_convolutions(recipe):
    """With kernels of zero what is left is the arm's own absorption, averaged where there are strides."""
    import keras

    model = network(recipe, outputs=3)
    for layer in model.layers:
        if layer.name.startswith("conv_"):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    inner = keras.Model(model.input, model.get_layer("residual_b").output)
    random = np.random.default_rng(1)
    inputs = {name: random.uniform(0, 1, (2, size)).astype(np.float32) for name, size in SHAPES.items()}
    found = np.asarray(inner(inputs))
    want = (1 - inputs["flux_b"]).reshape(2, found.shape[1], -1).mean(axis=2)
    np.testing.assert_allclose(found, np.broadcast_to(want[..., None], found.shape), atol=1e-5)


def test_each_arm_and_the_quality_matter():
    model = network("compact", outputs=3)
    random = np.random.default_rng(2)
    inputs = {name: random.uniform(0, 1, (3, size)).astype(np.float32) for name, size in SHAPES.items()}
    before = np.asarray(model(inputs))
    for name in SHAPES:
        changed = {**inputs, name: inputs[name][::-1].copy()}
        assert np.abs(np.asarray(model(changed)) - before)[0].max() > 1e-6
