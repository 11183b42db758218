"""A multilayer perceptron that gives its outputs together with their derivatives with respect to the inputs."""

import keras
import numpy as np
from keras import ops

from stellarlabels.networks.jacobian_mlp import forward, pullback
from stellarlabels.networks.layers import standardising

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
