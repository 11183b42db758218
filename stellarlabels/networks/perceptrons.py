"""Multilayer perceptrons on spectra and colors."""

import keras
import numpy as np
from keras import layers

from stellarlabels.networks.differentiable import DifferentiableMLP, PropagatedError, TotalLogError
from stellarlabels.networks.kinds import register
from stellarlabels.networks.layers import (
    DOUBLE,
    ColorInput,
    LogErrorBins,
    MeasurementNoise,
    PrincipalComponents,
    SigmaFloor,
    SinglePenalty,
    SpectrumNoise,
    Standardisation,
)


@register
def mean_variance_mlp(*, shapes, outputs, hidden, latent, head, error_hidden, error_head, floor, l2, seed):
    """The two-branch network of the UA-CSNet paper (Section 3.1, Table 1): flux and error (N, F) to (N, 2 L)."""
    # The flux passes through the layers ``hidden`` to a latent vector Z of length ``latent`` and through ``head`` to
    # the means. The errors pass through ``error_hidden``, are joined to Z, and pass through ``error_head`` to the
    # standard deviations, which do not fall below ``floor``. All hidden layers have ReLU activations and the penalty
    # ``l2``. Flux and errors are standardised first.
    initializer = _initializers(seed)
    samples = shapes["flux"]

    def dense(units, activation="relu", **kwargs):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=next(initializer),
            kernel_regularizer=SinglePenalty(l2),
            **kwargs,
        )

    flux = keras.Input((samples,), name="flux")
    error = keras.Input((samples,), name="error")
    x = Standardisation("flux", samples, name="scaled_flux")(flux)
    for units in (*hidden, latent):
        x = dense(units)(x)
    z = x
    for units in head:
        x = dense(units)(x)
    mean = dense(outputs, None, name="mean", **DOUBLE)(x)
    e = Standardisation("error", samples, name="scaled_error")(error)
    for units in error_hidden:
        e = dense(units)(e)
    e = layers.Concatenate()([z, e])
    for units in error_head:
        e = dense(units)(e)
    log_sigma = SigmaFloor(floor, name="log_sigma")(dense(outputs, None)(e))
    return keras.Model({"flux": flux, "error": error}, layers.Concatenate(**DOUBLE)([mean, log_sigma]))


@register
def residual_mlp(
    *,
    shapes,
    outputs,
    components,
    rank,
    width,
    blocks,
    dropout,
    noise,
    color_groups,
    color_rates,
    faint=(),
    seed,
):
    """A residual perceptron on flux and error (N, F) and colors (N, C), with heads for means and errors (N, 2 L)."""
    # The spectrum is projected on ``components`` fixed directions; binned log errors and the colors join it; then come
    # ``blocks`` blocks of layer normalisation, GELU layer, dropout, linear layer and a skip connection. Components
    # and means are in double precision, as their terms cancel: see DOUBLE. ``rank``, ``noise``, ``faint``: see
    # SpectrumNoise. ``color_groups``, ``color_rates``: see ColorInput.
    initializer = _initializers(seed)
    samples, colors = shapes["flux"], shapes["color"]

    def dense(units, activation=None, **kwargs):
        return layers.Dense(units, activation=activation, kernel_initializer=next(initializer), **kwargs)

    flux = keras.Input((samples,), name="flux")
    error = keras.Input((samples,), name="error")
    color = keras.Input((colors,), name="color")
    noisy, noisy_error = SpectrumNoise(rank, noise, faint, seed=seed, name="noise")([flux, error])
    quality = LogErrorBins(name="log_errors")(noisy_error)
    x = PrincipalComponents("flux", components, name="components", **DOUBLE)(noisy)
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


residual_mlp.student = {"dropout": 0.0, "noise": 0.0, "faint": (), "color_groups": (), "color_rates": ()}


@register
def color_mlp(*, shapes, outputs, hidden, l2, error_hidden, seed):
    """The network of the CSNet paper (Section 3.2): colors (N, C) and errors of magnitudes (N, B) to (N, 2 L)."""
    # The means are a perceptron with LeakyReLU activations (slope 0.01) and the penalty ``l2`` on its kernels. The
    # variance, which the paper lacks, is that of the magnitudes' errors, propagated through the derivatives of the
    # means, plus an excess that a small network (``error_hidden``) learns from the residuals.
    initializer = _initializers(seed)
    color = keras.Input((shapes["color"],), name="color")
    error = keras.Input((shapes["error"],), name="error")
    scaled = Standardisation("color", shapes["color"], name="scaled_color")(color)
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
    """The part of a network up to its layer ``mean``, which it shares, for a loss that knows no errors."""
    # For a network made by color_mlp, "noise" is how many times the errors of the magnitudes are added to the colors as
    # noise in every step of a training.
    if "scaled_color" not in {layer.name for layer in network.layers}:
        return keras.Model(network.input, network.get_layer("mean").output)
    scaled, inputs = network.get_layer("scaled_color").output, {"color": network.input["color"]}
    if noise:
        inputs = dict(network.input)
        (matrix,) = network.get_layer("propagated").get_weights()
        scaled = MeasurementNoise(matrix, noise, seed)([scaled, inputs["error"]])
    return keras.Model(inputs, network.get_layer("mean")(scaled))


def with_noise(network, amount, seed=None):
    """A network made by `color_mlp`, whose weights it shares, that sees colors with noise while it is trained."""
    # The noise is that of the errors of the magnitudes, times "amount"; in units of colors, before their scaling.
    inputs = dict(network.input)
    (matrix,) = network.get_layer("propagated").get_weights()
    _, scaling = network.get_layer("scaled_color").get_weights()
    noisy = MeasurementNoise(np.linalg.solve(scaling, matrix), amount, seed)([inputs["color"], inputs["error"]])
    return keras.Model(inputs, network({"color": noisy, "error": inputs["error"]}))


def freeze_means(network):
    """Keep the means of a network made by `color_mlp` as they are while its errors are trained."""
    network.get_layer("mean").trainable = False


def _initializers(seed):
    """An endless supply of differently seeded Glorot initialisers."""
    while True:
        seed += 1000
        yield keras.initializers.GlorotUniform(seed=seed)
