"""A multilayer perceptron that gives its outputs together with their derivatives with respect to the inputs."""

import keras
import numpy as np
from keras import ops

__all__ = ["DifferentiableMLP", "PropagatedError", "TotalLogError"]

_register = keras.saving.register_keras_serializable(package="stellarlabels")


def _gelu_slope(x):
    """Derivative of x Phi(x)."""
    return 0.5 * (1 + ops.erf(x * 2**-0.5)) + x * ops.exp(-0.5 * x**2) * (6.283185307179586**-0.5)


#: Activations by name: the function, and its derivative from the argument.
_ACTIVATIONS = {
    "leaky_relu": (
        lambda x: ops.maximum(x, 0.01 * x),
        lambda x: ops.where(x > 0, ops.ones_like(x), 0.01 * ops.ones_like(x)),
    ),
    "relu": (ops.relu, lambda x: ops.cast(x > 0, x.dtype)),
    "tanh": (ops.tanh, lambda x: 1 - ops.tanh(x) ** 2),
    "gelu": (lambda x: ops.gelu(x, approximate=False), _gelu_slope),
}


@_register
class DifferentiableMLP(keras.layers.Layer):
    """Dense layers with activations and a linear output, and their exact Jacobian by the chain rule.

    The Jacobian costs about as much as the outputs and needs no automatic differentiation, so it is part of the forward
    pass on every Keras backend.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers.
    outputs : int
        Number of outputs L.
    activation : {"leaky_relu", "relu", "tanh", "gelu"}
        Of the hidden layers; "leaky_relu" has the negative slope 0.01 of the CSNet paper.
    l2 : float
        Penalty on the squares of the kernels.
    seed : int or None
    """

    def __init__(self, hidden, outputs, activation="leaky_relu", l2=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.outputs, self.activation, self.l2, self.seed = list(hidden), outputs, activation, l2, seed

    def build(self, input_shape):
        sizes = [input_shape[-1], *self.hidden, self.outputs]
        self.kernels, self.biases = [], []
        for index, (incoming, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            seed = None if self.seed is None else self.seed + 1000 * (index + 1)
            self.kernels.append(
                self.add_weight(
                    shape=(incoming, units),
                    initializer=keras.initializers.GlorotUniform(seed=seed),
                    regularizer=keras.regularizers.L2(self.l2) if self.l2 else None,
                    name=f"kernel_{index}",
                )
            )
            self.biases.append(self.add_weight(shape=(units,), initializer="zeros", name=f"bias_{index}"))

    def call(self, inputs, jacobian=False):
        """Outputs (N, L); with ``jacobian=True`` also their derivatives (N, L, F)."""
        activate, slope = _ACTIVATIONS[self.activation]
        x, slopes = inputs, []
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            before = ops.matmul(x, kernel) + bias
            slopes.append(slope(before) if jacobian else None)
            x = activate(before)
        out = ops.matmul(x, self.kernels[-1]) + self.biases[-1]
        if not jacobian:
            return out
        # From the outputs back to the inputs; one row for each star and output.
        chain = ops.transpose(self.kernels[-1])[None]
        for kernel, factor in zip(self.kernels[-2::-1], slopes[::-1], strict=True):
            chain = ops.matmul(chain * factor[:, None, :], ops.transpose(kernel))
        if not slopes:
            chain = ops.broadcast_to(chain, (ops.shape(inputs)[0], self.outputs, inputs.shape[-1]))
        return out, chain

    def compute_output_shape(self, input_shape, jacobian=False):
        out = (*input_shape[:-1], self.outputs)
        return (out, (*out, input_shape[-1])) if jacobian else out

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
    """Variance of outputs that independent errors of measured quantities cause: ``sum_b (J A)_lb^2 sigma_b^2``.

    Called with a Jacobian (N, L, F) with respect to scaled features and errors (N, B); the fixed matrix A (F, B) holds
    the derivatives of the scaled features with respect to the measured quantities, for instance of colors with respect
    to magnitudes. Set it with `adapt`.
    """

    def __init__(self, **kwargs):
        super().__init__(trainable=False, **kwargs)

    def build(self, input_shape):
        jacobian, errors = input_shape
        self.matrix = self.add_weight(shape=(jacobian[-1], errors[-1]), initializer="zeros", name="matrix")

    def adapt(self, matrix):
        """Set the matrix (F, B)."""
        self.set_weights([np.asarray(matrix, np.float32)])

    def call(self, inputs):
        jacobian, errors = inputs
        return ops.sum(ops.matmul(jacobian, self.matrix) ** 2 * errors[:, None, :] ** 2, axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[0][:-1]


@_register
class TotalLogError(keras.layers.Layer):
    """Logarithm of the standard deviation that a learned one (given as its logarithm) and a variance add up to."""

    def call(self, inputs):
        log_sigma, variance = inputs
        return 0.5 * ops.log(ops.exp(2 * ops.clip(log_sigma, -7.0, 4.0)) + variance)

    def compute_output_shape(self, input_shape):
        return input_shape[0]
