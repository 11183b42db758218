"""Layers and networks: shapes of the paper, behavior of the layers, seeds."""

import keras
import numpy as np
import pytest

from stellarlabels import networks
from stellarlabels.exceptions import InputError
from stellarlabels.networks.layers import (
    AffineProjection,
    ColorInput,
    LogErrorBins,
    PrincipalComponents,
    SigmaFloor,
    SpectrumNoise,
    Standardisation,
)
from stellarlabels.systems.uacsnet import APOGEE, PAPER


def test_layers_of_the_paper():
    """Table 1 of the UA-CSNet paper."""
    network = networks.build("mean_variance_mlp", shapes={"flux": 60}, outputs=1, seed=1, **PAPER.network_options)
    sizes = [
        (layer.kernel.shape[0], layer.kernel.shape[1])
        for layer in network.layers
        if isinstance(layer, keras.layers.Dense)
    ]
    mean_branch = [(60, 256), (256, 64), (64, 16), (16, 8), (8, 1)]
    error_branch = [(60, 16), (32, 8), (8, 1)]
    assert sorted(sizes) == sorted(mean_branch + error_branch)
    assert network.output_shape == (None, 2)


def test_hyper_parameters_of_the_paper():
    """Section 4.1: s, epoch, eta, M, N, lambda, epsilon, gamma."""
    assert (PAPER.train.batch_size, PAPER.train.epochs, PAPER.train.learning_rate) == (512, 30000, 1e-3)
    assert (PAPER.cost.bins, PAPER.cost.axes, PAPER.cost.gamma) == ((10, 15), ("color", "feh"), 0.5)
    assert PAPER.network_options["l2"] == 1e-5 and PAPER.per_label.error_floor == {"feh": 0.02}


def test_unknown_network():
    with pytest.raises(InputError, match="no network is called"):
        networks.build("transformer")


def test_same_seed_same_network():
    options = {**APOGEE.network_options, "width": 16, "blocks": 1, "components": 5}
    shapes = {"flux": 343, "color": 5}

    def weights(seed):
        network = networks.build("residual_mlp", shapes=shapes, outputs=4, seed=seed, **options)
        return np.concatenate([np.ravel(w) for w in network.trainable_weights])

    np.testing.assert_array_equal(weights(3), weights(3))
    assert not np.array_equal(weights(3), weights(4))


def test_noise_has_the_asked_size_and_correlation():
    """Samples of which the rows of L are parallel get the same noise, orthogonal ones independent noise."""
    layer = SpectrumNoise(rank=2, amount=0.5, seed=1)
    flux, error = np.zeros((20000, 3), np.float32), np.tile(np.float32([2.0, 4.0, 6.0]), (20000, 1))
    layer.build([flux.shape, error.shape])
    layer.adapt_to({"noise_basis": [[3.0, 0.0], [7.0, 0.0], [0.0, 0.1]]}, 1)
    np.testing.assert_array_equal(layer([flux, error], training=False)[0], flux)
    noisy, same = (np.asarray(found) for found in layer([flux, error], training=True))
    np.testing.assert_array_equal(same, error)
    np.testing.assert_allclose(noisy.std(axis=0), [1, 2, 3], rtol=0.03)
    correlation = np.corrcoef(noisy.T)
    assert correlation[0, 1] > 0.999 and abs(correlation[0, 2]) < 0.03


def test_some_stars_are_made_as_noisy_as_fainter_ones():
    """A share of the stars gets noise of 10 times the variance, and errors that say so; the others as before."""
    layer = SpectrumNoise(rank=1, amount=0.0, faint=(0.25, 1.0, 1.0), seed=1)
    flux, error = np.zeros((40000, 1), np.float32), np.full((40000, 1), 2.0, np.float32)
    layer.build([flux.shape, error.shape])
    layer.adapt_to({"noise_basis": [[1.0]]}, 1)
    noisy, total = (np.asarray(found)[:, 0] for found in layer([flux, error], training=True))
    faint = total > 2
    assert faint.mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(total[faint], 2 * np.sqrt(11), rtol=1e-5)
    assert noisy[faint].std() == pytest.approx(2 * np.sqrt(10), rel=0.03)
    assert not noisy[~faint].any()


def test_projection_and_error_bins():
    layer = AffineProjection(2)
    layer.build((None, 3))
    layer.adapt([1, 1, 1], [[1, 0], [0, 1], [0, 2]])
    np.testing.assert_allclose(layer(np.array([[2.0, 3.0, 4.0]], np.float32)), [[1, 2 + 6]])
    bins = LogErrorBins(2)
    bins.build((None, 4))
    np.testing.assert_allclose(bins(np.exp([[1.0, 3.0, 0.0, 1.0]]).astype("f4")), [[2, 0.5]], rtol=1e-6)
    floor = SigmaFloor(0.5)
    np.testing.assert_allclose(np.exp(floor(np.array([-5.0, 5.0]))), [0.5, np.log1p(np.exp(5))], rtol=1e-6)


def test_missing_colors_become_zero_and_an_indicator():
    layer = ColorInput(groups=[[0]], rates=[1.0], seed=1)
    layer.build((None, 2))
    layer.adapt_to({"color": np.array([[1.0, 0.0], [3.0, np.nan], [2.0, 10.0]])}, 1)
    got = np.asarray(layer(np.array([[np.nan, 5.0], [2.0, 5.0]], np.float32)))
    np.testing.assert_allclose(got, [[0, 0, 1, 0], [0, 0, 0, 0]], atol=1e-6)
    dropped = np.asarray(layer(np.array([[4.0, 5.0]], np.float32), training=True))
    np.testing.assert_allclose(dropped[0, [0, 2]], [0, 1])


def test_standardisation_and_principal_components():
    """Constant columns become 0; components are uncorrelated, the strongest first, with the root of their spread."""
    random = np.random.default_rng(1)
    spectra = random.normal(size=(500, 2)) @ np.array([[3.0, 1.0, 0.0, 0.5], [0.0, 1.0, 0.0, -2.0]]) + 7
    scaled, components = Standardisation("flux", 4), PrincipalComponents("flux", 3)
    for layer in (scaled, components):
        layer.build((None, 4))
        layer.adapt_to({"flux": spectra.astype(np.float32)}, 1)
    out = np.asarray(scaled(spectra.astype("f4")))
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=0), [1, 1, 0, 1], atol=1e-5)
    found = np.asarray(components(spectra.astype("f4")))
    spread = np.linalg.svd(out - out.mean(axis=0), compute_uv=False)[:2] / np.sqrt(500)
    np.testing.assert_allclose(found.std(axis=0)[:2], np.sqrt(spread), rtol=1e-4)
    assert abs(np.corrcoef(found[:, :2].T)[0, 1]) < 1e-3 and found.std(axis=0)[2] < 1e-3


def test_a_network_of_ones_own_registers_itself():
    from stellarlabels.networks.kinds import NETWORKS

    @networks.register
    def two_numbers(*, shapes, outputs, seed):
        return shapes, outputs, seed

    try:
        assert networks.build("two_numbers", shapes={"flux": 3}, outputs=1, seed=0) == ({"flux": 3}, 1, 0)
        assert networks.learner("two_numbers", "n", "a", "t", "c", 1) == ("n", "a", "t", "c")
    finally:
        NETWORKS.discard("two_numbers")
    with pytest.raises(InputError, match="no loss is called 'absolute'; there are .'gaussian'"):
        networks.losses.get("absolute")
