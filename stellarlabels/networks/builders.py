"""Builders of networks. Each takes plain numbers only, so that a saved model can be built again from its description.

Every network takes a dict of named inputs and returns (N, 2 L) numbers: see `stellarlabels.networks.losses`.
"""

import keras
import numpy as np
from keras import layers

from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp import design_matrix as xp_design_matrix
from stellarlabels.networks.arms import two_arm_cnn
from stellarlabels.networks.cnn import spectrum_cnn
from stellarlabels.networks.differentiable import DifferentiableMLP, PropagatedError, TotalLogError
from stellarlabels.networks.kernel import head_training, kernel_mlp
from stellarlabels.networks.layers import (
    DOUBLE,
    AffineProjection,
    ColorInput,
    LogErrorBins,
    MeasurementNoise,
    SigmaFloor,
    SpectrumNoise,
)
from stellarlabels.networks.uncertain import uncertain_mlp

__all__ = [
    "adapt",
    "build",
    "color_mlp",
    "freeze_means",
    "head_training",
    "mean_variance_mlp",
    "means_of",
    "residual_mlp",
]


def mean_variance_mlp(*, shapes, outputs, hidden, latent, head, error_hidden, error_head, floor, l2, seed):
    """The two-branch network of the UA-CSNet paper (its Section 3.1, Table 1).

    The flux passes through the layers ``hidden`` to a latent vector Z of length ``latent`` and through ``head`` to the
    means. The errors pass through ``error_hidden``, are joined to Z, and pass through ``error_head`` to the standard
    deviations, which do not fall below ``floor``. All hidden layers have ReLU activations. Flux and errors are
    standardised first.

    Returns
    -------
    `keras.Model`
        Inputs ``flux`` and ``error``, each (N, shapes["flux"]).
    """
    initializer = _initializers(seed)
    samples = shapes["flux"]

    def dense(units, activation="relu", **kwargs):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=next(initializer),
            kernel_regularizer=keras.regularizers.L2(l2),
            **kwargs,
        )

    flux = keras.Input((samples,), name="flux")
    error = keras.Input((samples,), name="error")
    x = AffineProjection(samples, name="scaled_flux")(flux)
    for units in (*hidden, latent):
        x = dense(units)(x)
    z = x
    for units in head:
        x = dense(units)(x)
    mean = dense(outputs, None, name="mean", **DOUBLE)(x)
    e = AffineProjection(samples, name="scaled_error")(error)
    for units in error_hidden:
        e = dense(units)(e)
    e = layers.Concatenate()([z, e])
    for units in error_head:
        e = dense(units)(e)
    log_sigma = SigmaFloor(floor, name="log_sigma")(dense(outputs, None)(e))
    return keras.Model({"flux": flux, "error": error}, layers.Concatenate(**DOUBLE)([mean, log_sigma]))


def residual_mlp(*, shapes, outputs, components, rank, width, blocks, dropout, noise, color_groups, color_rates, seed):
    """A residual multilayer perceptron on a spectrum, its errors and colors, with a head for means and one for errors.

    The spectrum is projected on ``components`` fixed directions; binned log errors and the colors join it; then come
    ``blocks`` blocks of layer normalisation, GELU layer, dropout, linear layer and a skip connection. Components, bins
    and means are in double precision, as their terms cancel: see `DOUBLE`.

    Returns
    -------
    `keras.Model`
        Inputs ``flux`` and ``error`` (N, shapes["flux"]) and ``color`` (N, shapes["color"]).
    """
    initializer = _initializers(seed)
    samples, colors = shapes["flux"], shapes["color"]

    def dense(units, activation=None, **kwargs):
        return layers.Dense(units, activation=activation, kernel_initializer=next(initializer), **kwargs)

    flux = keras.Input((samples,), name="flux")
    error = keras.Input((samples,), name="error")
    color = keras.Input((colors,), name="color")
    noisy = SpectrumNoise(rank, noise, seed=seed, name="noise")([flux, error])
    quality = LogErrorBins(name="log_errors", **DOUBLE)(error)
    x = AffineProjection(components, name="components", **DOUBLE)(noisy)
    c = ColorInput(color_groups, color_rates, seed=seed + 1, name="colors")(color)
    x = dense(width)(layers.Concatenate()([x, quality, c]))
    for block in range(blocks):
        y = layers.LayerNormalization()(x)
        y = dense(width, "gelu")(y)
        y = layers.Dropout(dropout, seed=seed + 10 + block)(y)
        x = layers.Add()([x, dense(width)(y)])
    x = layers.LayerNormalization()(x)
    mean = dense(outputs, name="mean", **DOUBLE)(x)
    e = dense(64, "gelu")(layers.Concatenate()([x, quality]))
    log_sigma = dense(outputs, bias_initializer=keras.initializers.Constant(-1.5), name="log_sigma")(e)
    return keras.Model({"flux": flux, "error": error, "color": color}, layers.Concatenate(**DOUBLE)([mean, log_sigma]))


def color_mlp(*, shapes, outputs, hidden, l2, error_hidden, seed):
    """The network of the CSNet paper (its Section 3.2) for standardised colors, with errors, which the paper lacks.

    The means are a perceptron with LeakyReLU activations (slope 0.01) and the penalty ``l2`` on its kernels. The
    variance is that of the magnitudes' errors, propagated through the derivatives of the means, plus an excess that a
    small network learns from the residuals.

    Returns
    -------
    `keras.Model`
        Inputs ``color`` (N, shapes["color"]) and ``error``, the errors of the magnitudes, (N, shapes["error"]).
    """
    initializer = _initializers(seed)
    color = keras.Input((shapes["color"],), name="color")
    error = keras.Input((shapes["error"],), name="error")
    scaled = AffineProjection(shapes["color"], name="scaled_color")(color)
    perceptron = DifferentiableMLP(hidden, outputs, l2=l2, seed=seed, name="mean")
    mean, jacobian = perceptron(scaled, jacobian=True)
    excess = scaled
    for index, units in enumerate(error_hidden):
        excess = layers.Dense(units, "gelu", kernel_initializer=next(initializer), name=f"excess_{index}")(excess)
    excess = layers.Dense(
        outputs,
        kernel_initializer=next(initializer),
        bias_initializer=keras.initializers.Constant(-1.5),
        name="log_excess",
    )(excess)
    variance = PropagatedError(name="propagated")([jacobian, error])
    log_sigma = TotalLogError(name="log_sigma")([excess, variance])
    return keras.Model({"color": color, "error": error}, layers.Concatenate()([mean, log_sigma]))


def means_of(network, noise=0.0, seed=None):
    """The part of a network that gives the means alone, its layer ``mean``, for a loss that knows no errors.

    Parameters
    ----------
    network : `keras.Model`
        After `adapt`.
    noise : float
        For a network made by `color_mlp`: how many times the errors of the magnitudes are added to the colors as noise
        in every step of a training.
    seed : int or None
        Of that noise.

    Returns
    -------
    `keras.Model`
        It shares its layers with the network.
    """
    if "scaled_color" not in {layer.name for layer in network.layers}:
        return keras.Model(network.input, network.get_layer("mean").output)
    scaled, inputs = network.get_layer("scaled_color").output, {"color": network.input["color"]}
    if noise:
        inputs = dict(network.input)
        (matrix,) = network.get_layer("propagated").get_weights()
        scaled = MeasurementNoise(matrix, noise, seed)([scaled, inputs["error"]])
    return keras.Model(inputs, network.get_layer("mean")(scaled))


def freeze_means(network):
    """Keep the means of a network made by `color_mlp` as they are while its errors are trained."""
    network.get_layer("mean").trainable = False


def adapt(network, arrays, seed=0, error_matrix=None):
    """Set the fixed layers of a network from its training inputs.

    Layers called ``scaled_<name>`` standardise the input of that name, ``components`` projects on principal components,
    ``noise`` takes the correlations of XP samples, ``propagated`` the derivatives of the colors, the others find their
    centers and scales.

    Parameters
    ----------
    network : `keras.Model`
    arrays : dict of str to `~numpy.ndarray`
        Training inputs.
    seed : int
        For the choice of stars from which the components are made.
    error_matrix : `~numpy.ndarray`, shape (C, B), optional
        Derivatives of the colors with respect to the magnitudes whose errors are the input ``error``.
    """
    for layer in network.layers:
        if hasattr(layer, "adapt_to"):
            layer.adapt_to({name: arrays[name] for name in network.input}, seed)
        elif layer.name.startswith("scaled_"):
            layer.adapt(*_standardisation(arrays[layer.name.removeprefix("scaled_")]))
        elif layer.name == "components":
            layer.adapt(*_principal_components(arrays["flux"], layer.units, seed))
        elif layer.name == "noise":
            layer.adapt(xp_design_matrix())
        elif layer.name == "log_errors":
            layer.adapt(arrays["error"])
        elif layer.name == "colors":
            layer.adapt(arrays["color"])
        elif layer.name == "propagated":
            _, scaling = _standardisation(arrays["color"])
            layer.adapt(scaling @ error_matrix)


def _standardisation(array):
    """Offset and matrix that give each column mean 0 and variance 1; constant columns become 0."""
    spread = array.std(axis=0, dtype=np.float64)
    return array.mean(axis=0, dtype=np.float64), np.diag(np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0))


def _principal_components(flux, units, seed, stars=12000):
    """Offset and matrix to the first principal components of standardised spectra, scaled by the square root of their
    spread: halfway between leaving faint components too small to learn from and blowing up their noise.
    """
    offset, scaling = _standardisation(flux)
    some = np.random.default_rng(seed).permutation(len(flux))[:stars]
    scaled = (flux[some] - offset) @ scaling
    directions = np.linalg.svd(scaled, full_matrices=False)[2][:units].T
    matrix = scaling @ directions
    spread = ((flux[some] - offset) @ matrix).std(axis=0)
    out = np.zeros((flux.shape[1], units))
    out[:, : matrix.shape[1]] = matrix / np.sqrt(np.maximum(spread, 1e-9))
    return offset, out


def _initializers(seed):
    """An endless supply of differently seeded Glorot initialisers."""
    while True:
        seed += 1000
        yield keras.initializers.GlorotUniform(seed=seed)


_BUILDERS = {
    "color_mlp": color_mlp,
    "kernel_mlp": kernel_mlp,
    "mean_variance_mlp": mean_variance_mlp,
    "residual_mlp": residual_mlp,
    "spectrum_cnn": spectrum_cnn,
    "two_arm_cnn": two_arm_cnn,
    "uncertain_mlp": uncertain_mlp,
}


def build(kind, **config):
    """Build the network of the given kind.

    Raises
    ------
    InputError
        If no builder has that name.
    """
    if kind not in _BUILDERS:
        raise InputError(f"no network is called {kind!r}; there are {sorted(_BUILDERS)}")
    return _BUILDERS[kind](**config)
