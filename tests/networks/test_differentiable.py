"""The perceptron with its Jacobian, and the variances made of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from stellarlabels.networks.perceptrons import DifferentiableMLP, PropagatedError, TotalLogError


@pytest.mark.parametrize("activation", ["leaky_relu", "relu", "tanh", "silu"])
@pytest.mark.parametrize(("hidden", "outputs"), [((30, 20, 10), 1), ((16,), 4), ((), 3)])
def test_jacobian_equals_automatic_differentiation(activation, hidden, outputs):
    layer = DifferentiableMLP(hidden, outputs, activation, seed=2)
    x = tf.constant(np.random.default_rng(0).normal(size=(50, 13)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        plain = layer(x)
    want = tape.batch_jacobian(plain, x).numpy()
    both, got = layer(x, jacobian=True)
    np.testing.assert_allclose(both, plain, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * np.abs(want).max())


def test_outputs_equal_keras_dense_layers():
    layer = DifferentiableMLP((30, 20), 2, "leaky_relu", seed=2)
    x = np.random.default_rng(0).normal(size=(5, 13)).astype(np.float32)
    out = layer(x)
    leaky = keras.layers.LeakyReLU(negative_slope=0.01)
    for index, (kernel, bias) in enumerate(zip(layer.parameters[::2], layer.parameters[1::2], strict=True)):
        dense = keras.layers.Dense(kernel.shape[1])
        dense.build(x.shape)
        dense.set_weights([kernel, bias])
        x = dense(x) if index == 2 else leaky(dense(x))
    np.testing.assert_allclose(out, x, rtol=1e-5, atol=1e-6)


def test_penalty_is_that_on_all_kernels():
    layer = DifferentiableMLP((4, 3), 1, l2=0.5, seed=1)
    layer(np.zeros((1, 2), np.float32))
    want = 0.5 * sum(float(np.sum(np.square(kernel))) for kernel in layer.parameters[::2])
    assert float(sum(layer.losses)) == pytest.approx(want, rel=1e-6)


def test_propagated_error_equals_a_monte_carlo():
    """Two colors that share a magnitude, and a linear function of them."""
    layer = PropagatedError()
    jacobian = np.array([[[2.0, -1.0]], [[0.0, 3.0]]], np.float32)
    errors = np.array([[0.1, 0.2, 0.3], [0.05, 0.1, 0.0]], np.float32)
    matrix = np.array([[1, -1, 0], [1, 0, -1]], np.float32)
    layer.build((jacobian.shape, errors.shape))
    spread = np.array([2.0, 0.5])
    layer.adapt_to({"color": np.array([[-1, -1], [1, 1]]) * spread, "error_matrix": matrix * spread[:, None]}, 1)
    got = np.asarray(layer([jacobian, errors]))
    draws = np.random.default_rng(4).normal(size=(400_000, 1, 3)) * errors
    values = np.einsum("nlf,fb,snb->snl", jacobian, matrix, draws)
    np.testing.assert_allclose(got, values.var(axis=0), rtol=0.01)


def test_total_error_is_the_root_of_the_sum_of_squares():
    out = TotalLogError()([np.log(np.float32([[3.0]])), np.float32([[16.0]])])
    assert float(np.exp(out)[0, 0]) == pytest.approx(5)
