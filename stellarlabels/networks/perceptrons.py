"""Multilayer perceptrons on spectra and colors."""

import keras
import numpy as np
from keras import layers, ops

from stellarlabels.networks.jacobian_mlp import forward, pullback
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
    standardising,
)

_register = keras.saving.register_keras_serializable(package="stellarlabels")


@_register
class DifferentiableMLP(keras.layers.Layer):
    """Dense layers (N, F) to (N, L) with a linear output, and their exact Jacobian (N, L, F) by the chain rule."""

    # The Jacobian costs about as much as the outputs and needs no automatic differentiation, so it is part of the
    # forward pass on every Keras backend.

    def __init__(self, hidden, outputs, activation="leaky_relu", l2=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.outputs, self.activation, self.l2, self.seed = list(hidden), outputs, activation, l2, seed

    @property
    def stages(self):
        """The layers as stages of ``stellarlabels.networks.jacobian_mlp``."""
        hidden = [({"kind": "dense", "units": n}, {"kind": "activation", "name": self.activation}) for n in self.hidden]
        return [stage for pair in hidden for stage in pair] + [{"kind": "dense", "units": self.outputs}]

    def build(self, input_shape):
        sizes = [input_shape[-1], *self.hidden, self.outputs]
        self.parameters = []
        for index, (incoming, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            seed = None if self.seed is None else self.seed + 1000 * (index + 1)
            self.parameters += [
                self.add_weight(
                    shape=(incoming, units),
                    initializer=keras.initializers.GlorotUniform(seed=seed),
                    regularizer=keras.regularizers.L2(self.l2) if self.l2 else None,
                    name=f"kernel_{index}",
                ),
                self.add_weight(shape=(units,), initializer="zeros", name=f"bias_{index}"),
            ]

    def call(self, inputs, jacobian=False):
        """Outputs (N, L); with ``jacobian=True`` also their derivatives (N, L, F)."""
        parameters = [ops.convert_to_tensor(parameter) for parameter in self.parameters]
        out, cache = forward(self.stages, parameters, inputs, ops, keep=jacobian)
        if not jacobian:
            return out
        rows = pullback(self.stages, cache, ops.eye(self.outputs, dtype=out.dtype)[None], ops)
        return out, ops.broadcast_to(rows, (ops.shape(out)[0], self.outputs, inputs.shape[-1]))

    def get_config(self):
        return {
            **super().get_config(),
            "hidden": self.hidden,
            "outputs": self.outputs,
            "activation": self.activation,
            "l2": self.l2,
            "seed": self.seed,
        }


@_register
class PropagatedError(keras.layers.Layer):
    """Variance (N, L) that independent errors (N, B) of measured quantities cause: ``sum_b (J A)_lb^2 sigma_b^2``."""

    # J is a Jacobian (N, L, F) with respect to scaled features; the fixed matrix A (F, B) holds the derivatives of
    # these with respect to the measured quantities, for instance of colors with respect to magnitudes.

    def __init__(self, **kwargs):
        super().__init__(trainable=False, **kwargs)

    def build(self, input_shape):
        jacobian, errors = input_shape
        self.matrix = self.add_weight(shape=(jacobian[-1], errors[-1]), initializer="zeros", name="matrix")

    def adapt_to(self, arrays, seed):
        """Set the matrix (F, B): that of the colors ``arrays["error_matrix"]``, in units of their scatter."""
        _, scaling = standardising(arrays["color"])
        self.set_weights([np.asarray(scaling @ arrays["error_matrix"], np.float32)])

    def call(self, inputs):
        jacobian, errors = inputs
        return ops.sum(ops.matmul(jacobian, self.matrix) ** 2 * errors[:, None, :] ** 2, axis=-1)


@_register
class TotalLogError(keras.layers.Layer):
    """Logarithm of the standard deviation that a learned one (given as its logarithm) and a variance add up to."""

    def call(self, inputs):
        log_sigma, variance = inputs
        return 0.5 * ops.log(ops.exp(2 * ops.clip(log_sigma, -7.0, 4.0)) + variance)


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
