"""The network for few stars: components, kernel machine, bent labels, training with noisier copies."""

import numpy as np
import pytest

from stellarlabels import networks
from stellarlabels.networks import kernel, losses, training

OPTIONS = {
    "components": 3,
    "windows": (None,),
    "floor": 0.001,
    "iterations": 6,
    "width": 16,
    "dropout": 0.0,
    "share": 0.5,
    "reach": (),
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
    layer = network.get_layer("encoder_0")
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
        found = np.asarray(network_of(arrays, iterations=iterations).get_layer("encoder_0").get_weights()[1], float)
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


def test_components_of_windows():
    """A second set of components sees the pixels of its window alone, and is what a layer for these would be."""
    arrays, _, _ = spectra()
    network = network_of(arrays, windows=(None, (20, 60)))
    both = kernel.encoded(network, arrays, 0, augment=False)
    alone = network_of({name: array[:, 20:60] for name, array in arrays.items()})
    cut = kernel.encoded(alone, {name: array[:, 20:60] for name, array in arrays.items()}, 0, augment=False)
    np.testing.assert_allclose(both[:, 3:], cut, rtol=1e-3, atol=1e-4)
    spoiled = {**arrays, "flux": arrays["flux"] + np.where(np.arange(80) < 20, 0.5, 0).astype(np.float32)}
    again = kernel.encoded(network, spoiled, 0, augment=False)
    np.testing.assert_allclose(again[:, 3:], both[:, 3:], rtol=1e-5, atol=1e-5)
    assert np.abs(again[:, :3] - both[:, :3]).max() > 0.1


def test_what_is_described_of_spectra():
    """Components, and chi squares about 1 for spectra like those of the training and large ones in spoiled segments."""
    arrays, _, _ = spectra(600, 160)
    network = network_of(arrays)
    found = kernel.described(network, arrays)
    np.testing.assert_allclose(found[:, :3], kernel.encoded(network, arrays, 0, augment=False), rtol=1e-4, atol=1e-5)
    assert found.shape == (600, 3 + 2) and np.abs(np.median(found[:, 3:])) < 0.1
    spoiled = {**arrays, "flux": arrays["flux"].copy()}
    spoiled["flux"][:, :80] += 6 * arrays["error"][:, :80] * np.tile([1, -1], 40)
    worse = kernel.described(network, spoiled)
    assert np.median(worse[:, 3]) > 3 and np.median(worse[:, 4]) < 1


def test_a_network_like_another_one_has_its_components():
    first, second = spectra(seed=1)[0], spectra(seed=7)[0]
    network, other = network_of(first), network_of(second)
    assert np.abs(kernel.described(network, first) - kernel.described(other, first)).max() > 0.1
    networks.adapt(other, second, 1, network)
    np.testing.assert_array_equal(kernel.described(network, first), kernel.described(other, first))


def of_two(seed=2):
    """Two numbers of 120 stars, two labels of them, which of these are known, and how blurred the stars are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(120, 2)) * [1.0, 5.0] + [0.0, 2.0]
    y = np.stack([np.sin(x[:, 0]), 0.3 * (x[:, 1] - 2) + 0.1 * x[:, 0] ** 2], axis=1)
    known = np.ones(y.shape, bool)
    known[::7, 1] = False
    return x, y, known, rng.uniform(0.5, 2, 120)


def test_kernel_machine_is_the_mean_of_a_gaussian_process():
    """Beside one that is written down in full, with the scales that were found."""
    x, y, known, blur = of_two()
    layer = kernel.KernelRegression(2, centers=150)
    layer.build((None, 2))
    layer.fit(x, y, known, blur, 0)
    new = of_two(3)[0]
    got = np.asarray(layer(new.astype(np.float32)))
    scaled, others = ((array - x.mean(axis=0)) / x.std(axis=0) for array in (x, new))
    for label in range(2):
        there = known[:, label]
        one, noise = scaled[there], blur[there] / np.median(blur)
        scales = kernel._scales(one, y[there, label], noise, 0)
        lengths, (amplitude, linear, _, _) = np.exp(-scales[:-4] / 2), np.exp(scales[-4:])
        apart = np.sqrt(5) * np.linalg.norm((others[:, None] - one) / lengths, axis=2)
        covariance = amplitude * (1 + apart + apart**2 / 3) * np.exp(-apart) + linear * others @ one.T + 1
        want = covariance @ kernel._solution(scales, one, y[there, label], noise)
        np.testing.assert_allclose(got[:, label], want, atol=2e-3)
        truth = [np.sin(new[:, 0]), 0.3 * (new[:, 1] - 2) + 0.1 * new[:, 0] ** 2][label]
        assert np.median(np.abs(want - truth)) < 0.1 * np.std(truth)
    assert (layer.get_weights()[1][:120][~known[:, 1], 1] == 0).all()


def test_scales_of_inputs_that_do_not_matter_are_long():
    x, y, _, blur = of_two()
    scales = kernel._scales((x - x.mean(axis=0)) / x.std(axis=0), y[:, 0], blur, 0)
    assert scales[0] > scales[1] + 1


def test_slope_of_the_evidence():
    """Against differences of the logarithm of the density that scipy gives."""
    from scipy.stats import multivariate_normal

    x, y, _, blur = (array[:30] for array in of_two())
    x = (x - x.mean(axis=0)) / x.std(axis=0)

    def density(scales):
        own, (amplitude, linear, noise, noisier) = np.exp(scales[:-4]), np.exp(scales[-4:])
        near, _, products = kernel._covariance(own, x)
        total = amplitude * near + linear * products + 1 + np.diag(noise + noisier * blur)
        return -multivariate_normal.logpdf(y[:, 0], cov=total)

    scales = np.array([-1.0, -2.0, 0.3, -2.0, -3.0, -2.5])
    steps = 1e-4 * np.eye(len(scales))
    want = [(density(scales + step) - density(scales - step)) / 2e-4 for step in steps]
    np.testing.assert_allclose(kernel._slope(scales, x, y[:, 0], blur), want, rtol=1e-4, atol=1e-6)


def test_stars_far_off_count_less():
    x, y, _, blur = of_two()
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    scales = np.array([0.0, 0.0, 0.0, -3.0, -4.0, -4.0])
    spoiled = y[:, 0].copy()
    spoiled[::40] += 10
    near, _, products = kernel._covariance(np.ones(2), x)
    covariance = near + np.exp(-3.0) * products + 1
    robust = covariance @ kernel._solution(scales, x, spoiled, blur)
    plain = covariance @ np.linalg.solve(covariance + np.diag(np.exp(-4.0) * (1 + blur)), spoiled)
    sound = np.arange(120) % 40 > 0
    apart = [np.mean(np.abs(found - y[:, 0])[sound]) for found in (robust, plain)]
    assert apart[0] < 0.6 * apart[1]


def test_kernel_machine_does_not_count_beyond_its_reach():
    layer = kernel.Blend((0.5,), (1.0,))
    perceptron = np.array([[0.0, 0.1], [0.9, 0.1], [1.5, 0.1]], np.float32)
    out = np.asarray(layer([perceptron, np.full((3, 1), 4.0, np.float32)]))
    np.testing.assert_allclose(out[:, 0], [2.0, 0.9 + 0.5 * 0.4 * 3.1, 1.5], rtol=1e-5)


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
