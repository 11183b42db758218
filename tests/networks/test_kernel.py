"""The network for few stars: components, kernel machine, bent labels, training with noisier copies."""

import numpy as np
import pytest

from stellarlabels import networks
from stellarlabels.networks import kernel, losses, training

OPTIONS = {
    "components": 3,
    "floor": 0.001,
    "iterations": 6,
    "width": 16,
    "dropout": 0.0,
    "share": 0.5,
    "centers": 300,
    "bends": (0.15,),
    "noise": 1.0,
    "copies": 3,
}


def spectra(count=200, pixels=80, seed=1):
    """Spectra of three factors with errors that differ from star to star and pixel to pixel."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(0).normal(size=(3, pixels)) * 0.1
    z = rng.normal(size=(count, 3))
    error = 0.02 * np.exp(rng.normal(0, 0.7, (count, 1))) * np.exp(rng.normal(0, 0.5, (1, pixels)))
    flux = 1 + z @ directions + error * rng.normal(size=(count, pixels))
    return {"flux": flux.astype(np.float32), "error": error.astype(np.float32)}, z, directions


def network_of(arrays, outputs=2, **changes):
    shapes = {name: array.shape[1] for name, array in arrays.items()}
    network = networks.build("kernel_mlp", shapes=shapes, outputs=outputs, seed=1, **{**OPTIONS, **changes})
    networks.adapt(network, arrays, 1)
    return network


def test_components_are_the_posterior_mean():
    """Against the formula for one star at a time."""
    arrays, _, _ = spectra()
    network = network_of(arrays)
    layer = network.get_layer("encoder")
    offset, directions = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    got = kernel.encoded(network, arrays, 0, augment=False)
    for row in range(0, 200, 20):
        weight = np.diag(1 / (arrays["error"][row].astype(float) ** 2 + 0.001**2))
        precision = directions @ weight @ directions.T + np.eye(3)
        want = np.linalg.solve(precision, directions @ weight @ (arrays["flux"][row] - offset))
        np.testing.assert_allclose(got[row], want, rtol=2e-3, atol=2e-3)


def test_components_span_the_true_factors():
    """Factor analysis finds the space that the spectra were made from, better than principal components do."""
    arrays, _, truth = spectra(400)
    angles = {}
    for iterations in (0, 8):
        found = np.asarray(network_of(arrays, iterations=iterations).get_layer("encoder").get_weights()[1], float)
        basis, target = np.linalg.qr(found.T)[0], np.linalg.qr(truth.T)[0]
        angles[iterations] = np.arccos(np.clip(np.linalg.svd(basis.T @ target)[1], -1, 1)).max()
    assert angles[8] < 0.1 and angles[8] < angles[0]


def test_pixels_without_information_do_not_matter():
    arrays, z, _ = spectra()
    network = network_of(arrays)
    spoiled = {name: array.copy() for name, array in arrays.items()}
    spoiled["flux"][:, 10:20] += 5
    spoiled["error"][:, 10:20] = 1e3
    one, two = (kernel.encoded(network, data, 0, augment=False) for data in (arrays, spoiled))
    assert np.abs(one - two).mean() < 0.1 * np.abs(one).mean()


def test_kernel_machine_is_kernel_ridge_regression():
    """With the chosen length scale and noise: weights (K + noise)^-1 y, and exact leave-one-out residuals."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 2))
    y = np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], axis=1)
    layer = kernel.KernelRegression(2, centers=80)
    layer.build((None, 2))
    known = np.ones(y.shape, bool)
    known[::7, 1] = False
    layer.fit(x, y, known, 0)
    stars, alpha, exponents = layer.get_weights()
    np.testing.assert_allclose(stars[:60], x, rtol=1e-6)
    square = ((x[:, None] - x) ** 2).sum(axis=2)
    for label in range(2):
        there = known[:, label]
        near = np.exp(-square[np.ix_(there, there)] * exponents[label])
        options = [np.linalg.solve(near + noise * np.eye(there.sum()), y[there, label]) for noise in kernel.NOISES]
        assert min(np.abs(alpha[:60][there, label] - one).max() for one in options) < 1e-3 * np.abs(alpha).max()
        assert (alpha[:60][~there, label] == 0).all() and (alpha[60:] == 0).all()
        got = np.asarray(layer(x.astype(np.float32)))[:, label]
        np.testing.assert_allclose(got, np.exp(-square * exponents[label]) @ alpha[:60, label], atol=1e-3)
        assert np.abs(got - y[:, label])[there].mean() < 0.1


def test_leave_one_out_is_exact():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=20)
    matrix = np.exp(-((x[:, None] - x) ** 2).sum(axis=2))
    scores = []
    for noise in kernel.NOISES:
        residuals = []
        for left in range(20):
            rest = np.arange(20) != left
            solved = np.linalg.solve(matrix[np.ix_(rest, rest)] + noise * np.eye(19), y[rest])
            residuals.append(y[left] - matrix[left, rest] @ solved)
        scores.append(np.mean(np.abs(residuals)))
    best, _ = kernel._leave_one_out(*np.linalg.eigh(matrix), y)
    np.testing.assert_allclose(best, min(scores), rtol=1e-6)


def test_bent_labels_are_linear_in_the_reciprocal():
    layer = kernel.Bend((0.15, 0.0))
    labels = np.array([[-2.0, 1.0], [0.5, -1.0], [3.0, 2.0]])
    u = layer.inverse(labels)
    reciprocal = 1 / (1 + 0.15 * labels[:, 0])
    np.testing.assert_allclose(u[:, 0], (1 - reciprocal) / 0.15)
    out = np.asarray(layer(np.concatenate([u, np.zeros_like(u)], axis=1).astype(np.float32)))
    np.testing.assert_allclose(out[:, :2], labels, rtol=1e-5)
    step = 1e-3
    slope = (np.asarray(layer(np.array([[u[0, 0] + step, 0, 0, 0]], np.float32)))[0, 0] - labels[0, 0]) / step
    np.testing.assert_allclose(np.exp(out[0, 2]), slope, rtol=1e-2)


def test_noisier_copies():
    arrays, _, _ = spectra(2000, 50)
    flux, error = kernel.degraded(arrays["flux"], arrays["error"], 1.0, np.random.default_rng(1))
    lost = error == 5
    added = (flux - arrays["flux"])[~lost] / np.sqrt(np.maximum(error**2 - arrays["error"] ** 2, 1e-12))[~lost]
    assert abs(added.std() - 1) < 0.02
    assert 0.02 < lost.mean() < 0.04 and (error >= arrays["error"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_learns_and_blends(share):
    arrays, z, _ = spectra(300)
    labels = np.stack([z[:, 0] + 0.3 * z[:, 1] ** 2, z[:, 2]], axis=1)
    targets = losses.pack(labels, np.zeros_like(labels))
    network = network_of(arrays, share=share, bends=())
    head, inputs, copies, checks = networks.learner("kernel_mlp", network, arrays, targets, arrays, 1)
    assert len(inputs["components"]) == len(copies) == 900 and len(checks["components"]) == 300
    training.train(
        head, inputs, copies, loss=losses.student_t, epochs=40, batch_size=100, learning_rate=1e-2, schedule="cosine",
        progress=False,
    )  # fmt: skip
    test, z, _ = spectra(300, seed=5)
    labels = np.stack([z[:, 0] + 0.3 * z[:, 1] ** 2, z[:, 2]], axis=1)
    out = training.predict(network, test)
    assert np.abs(out[:, :2] - labels).mean() < 0.25 * np.abs(labels).mean()
    encoded = {"components": kernel.encoded(network, test, 0, augment=False)}
    np.testing.assert_allclose(training.predict(head, encoded), out, rtol=1e-3, atol=1e-3)
