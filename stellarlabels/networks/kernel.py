"""A network for few stars: noise-weighted components of a spectrum, a kernel machine and a perceptron on them.

The components are found once, by factor analysis that knows the error of every pixel; what is trained afterwards is
small. Training therefore goes through the spectra a few times only, each time with other noise (`encoded`).
"""

import keras
import numpy as np
from keras import layers, ops

from stellarlabels.networks.kinds import register
from stellarlabels.networks.layers import DOUBLE

_register = keras.saving.register_keras_serializable(package="stellarlabels")

#: Spectra that are projected at once.
BLOCK = 512

#: Length scales (of the median squared distance) and noises among which the kernel machine chooses.
LENGTHS, NOISES = (0.5, 1.0, 2.0, 4.0, 8.0), (0.003, 0.01, 0.03, 0.1)


@_register
class WeightedComponents(layers.Layer):
    """Posterior mean (N, K) of the components of spectra (N, F) whose pixels have errors (N, F)."""

    # The model of a spectrum is ``offset + z @ directions`` plus noise with the variance ``error**2 + floor**2``, and a
    # standard normal prior of z. Pixels without information (large errors) do not matter, and of a noisy spectrum
    # little more than the prior remains. The directions are found by expectation maximisation (factor analysis with
    # known noise; Rubin & Thayer 1982, Psychometrika 47, 69) in ``iterations`` steps from principal components.

    def __init__(self, units, floor=0.004, iterations=5, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.units, self.floor, self.iterations = units, floor, iterations

    def build(self, input_shape):
        size = input_shape[0][-1]
        self.offset = self.add_weight(shape=(size,), initializer="zeros", name="offset")
        self.directions = self.add_weight(shape=(self.units, size), initializer="zeros", name="directions")

    def adapt_to(self, arrays, seed):
        """Find offset and directions from training spectra ``arrays["flux"]`` with ``arrays["error"]``, (N, F) each."""
        flux = np.asarray(arrays["flux"], np.float32)
        weight = self._weight(np.asarray(arrays["error"], np.float32))
        offset = np.average(flux, axis=0, weights=weight)
        self.set_weights([offset, _factors(flux - offset, weight, self.units, self.iterations)])

    def _weight(self, error):
        return 1 / (error * error + self.floor**2)

    def call(self, inputs):
        flux, error = inputs
        weight = self._weight(error)
        upper, lower = np.triu_indices(self.units)
        products = ops.take(self.directions, upper, axis=0) * ops.take(self.directions, lower, axis=0)
        packed = ops.matmul(weight, ops.transpose(products))
        place = np.zeros((self.units, self.units), int)
        place[upper, lower] = place[lower, upper] = np.arange(len(upper))
        gram = ops.reshape(ops.take(packed, place.ravel(), axis=1), (-1, self.units, self.units))
        right = ops.matmul(weight * (flux - self.offset), ops.transpose(self.directions))
        gram, right = (ops.cast(array, "float64") for array in (gram + ops.eye(self.units), right[:, :, None]))
        return ops.cast(ops.solve(gram, right)[:, :, 0], self.compute_dtype)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("units", "floor", "iterations")}
        return {**super().get_config(), **own}


def _factors(residual, weight, units, iterations):
    """Directions (K, F) of the factor analysis of spectra (N, F) with inverse variances; zeros where N is too small."""
    typical = np.sqrt(np.median(weight, axis=0))
    scaled = residual * typical
    values, vectors = np.linalg.eigh((scaled @ scaled.T).astype(np.float64))
    found = min(units, len(residual) - 1)
    directions = np.zeros((units, residual.shape[1]), np.float32)
    directions[:found] = vectors[:, ::-1][:, :found].T @ scaled / typical / np.sqrt(len(residual))
    upper, lower = np.triu_indices(units)
    for _ in range(iterations):
        packed = weight @ (directions[upper] * directions[lower]).T
        gram = np.empty((len(residual), units, units))
        gram[:, upper, lower] = gram[:, lower, upper] = packed
        covariance = np.linalg.inv(gram + np.eye(units))
        weighted = weight * residual
        z = np.einsum("nij,nj->ni", covariance, weighted @ directions.T)
        second = z[:, upper] * z[:, lower] + covariance[:, upper, lower]
        moments = weight.T @ second.astype(np.float32)
        left = np.empty((residual.shape[1], units, units))
        left[:, upper, lower] = left[:, lower, upper] = moments
        scale = np.einsum("fii->fi", left).max(axis=1)[:, None, None]
        right = weighted.T @ z.astype(np.float32)
        solved = np.linalg.solve(left + 1e-7 * scale * np.eye(units), right[:, :, None].astype(np.float64))
        directions = solved[:, :, 0].T.astype(np.float32)
    return directions


@_register
class KernelRegression(layers.Layer):
    """Kernel ridge regression with a Gaussian kernel, (N, K) to (N, L), from at most ``centers`` training stars."""

    def __init__(self, outputs, centers=2000, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.outputs, self.centers = outputs, centers

    def build(self, input_shape):
        size = input_shape[-1]
        self.stars = self.add_weight(shape=(self.centers, size), initializer="zeros", name="stars")
        self.weights_of_stars = self.add_weight(shape=(self.centers, self.outputs), initializer="zeros", name="alpha")
        self.exponents = self.add_weight(shape=(self.outputs,), initializer="zeros", name="exponents")

    def fit(self, inputs, values, known, seed):
        """Solve for the weights of stars (N, K) with values and known (N, L), at the best leave-one-out residuals."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(inputs))[: self.centers])
        inputs = np.asarray(inputs, np.float64)[rows]
        square = _squares(inputs, inputs)
        typical = np.median(square)
        typical = typical if typical > 0 else 1.0
        stars, alpha = np.zeros((self.centers, inputs.shape[1])), np.zeros((self.centers, self.outputs))
        stars[: len(rows)] = inputs
        exponents = np.zeros(self.outputs)
        best = np.full(self.outputs, np.inf)
        for length in LENGTHS:
            kernel = np.exp(-square / (2 * length * typical))
            solved = {}  # labels that the same stars have share a decomposition
            for label in range(self.outputs):
                there = np.flatnonzero(known[rows, label])
                if there.size < 2:
                    continue
                key = there.tobytes()
                if key not in solved:
                    solved[key] = np.linalg.eigh(kernel[np.ix_(there, there)])
                score, solution = _leave_one_out(*solved[key], values[rows, label][there])
                if score < best[label]:
                    best[label], exponents[label] = score, 1 / (2 * length * typical)
                    alpha[:, label] = 0.0
                    alpha[there, label] = solution
        self.set_weights([stars, alpha, exponents])

    def call(self, inputs):
        square = ops.sum(inputs**2, axis=1, keepdims=True) + ops.sum(self.stars**2, axis=1)
        square = ops.maximum(square - 2 * ops.matmul(inputs, ops.transpose(self.stars)), 0.0)
        columns = [
            ops.matmul(ops.exp(-square * self.exponents[label]), self.weights_of_stars[:, label : label + 1])
            for label in range(self.outputs)
        ]
        return ops.concatenate(columns, axis=1)

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs, "centers": self.centers}


def _leave_one_out(eigenvalues, vectors, target):
    """The smallest mean absolute leave-one-out residual among the noises, and the weights (N,) of the stars for it."""
    rotated, best, chosen = vectors.T @ target, np.inf, None
    squared = vectors**2
    for noise in NOISES:
        inverse = 1 / (np.maximum(eigenvalues, 0) + noise)
        solution = vectors @ (inverse * rotated)
        score = np.mean(np.abs(solution / (squared @ inverse)))
        if score < best:
            best, chosen = score, solution
    return best, chosen


def _squares(a, b):
    """Squared distances of all rows of a to all rows of b."""
    square = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.maximum(square, 0.0)


@_register
class Bend(layers.Layer):
    """Means and logarithms of errors (N, 2 L) on another scale of the labels: ``y = u / (1 - bend u)``."""

    # With the bend of (standard deviation / mean) of a label, u is a linear function of the label's reciprocal: of 5040
    # / Teff for the effective temperature. A bend of 0 leaves a label as it is.

    def __init__(self, bends, **kwargs):
        super().__init__(**kwargs)
        self.bends = list(bends)

    def call(self, inputs):
        u, log_sigma = ops.split(inputs, 2, axis=-1)
        rest = ops.maximum(1 - np.asarray(self.bends, np.float32) * u, 0.2)
        return ops.concatenate([u / rest, log_sigma - 2 * ops.log(rest)], axis=-1)

    def inverse(self, values):
        """U of labels (N, L) as the network's loss knows them."""
        return values / (1 + np.asarray(self.bends) * values)

    def get_config(self):
        return {**super().get_config(), "bends": self.bends}


@_register
class Blend(layers.Layer):
    """The means of a perceptron (N, 2 L) and, except in training, a share of those of a kernel machine (N, L)."""

    # One share, or one for each label.

    def __init__(self, share, **kwargs):
        super().__init__(**kwargs)
        self.share = share

    def call(self, inputs, training=False):
        perceptron, kernel = inputs
        means, log_sigma = ops.split(perceptron, 2, axis=-1)
        if training:
            return perceptron
        share = np.asarray(self.share, float)
        return ops.concatenate([(1 - share) * means + share * kernel, log_sigma], axis=-1)

    def get_config(self):
        return {**super().get_config(), "share": self.share}


@register
def kernel_mlp(
    *, shapes, outputs, components, floor, iterations, width, dropout, share, centers, bends, noise, copies, seed
):
    """Components of flux and error (N, F), and on them a perceptron and a kernel machine; output (N, 2 L)."""
    # ``components``, ``floor``, ``iterations``: see WeightedComponents. ``width``, ``dropout``: of the two hidden
    # layers of the perceptron, which has a linear path, too. ``share``, ``centers``: see Blend, KernelRegression; the
    # last of several shares is that of all further labels.
    # ``bends``: see Bend; 0 for labels beyond its end. ``copies`` of each spectrum with up to ``noise`` times its own
    # noise are seen in training.

    def dense(units, number, activation=None, **kwargs):
        start = keras.initializers.GlorotUniform(seed=seed + 1000 * number)
        return layers.Dense(units, activation, kernel_initializer=start, **kwargs)

    bends = (tuple(bends) + (0.0,) * outputs)[:outputs]
    share = tuple(np.atleast_1d(share).tolist())
    share = (share + share[-1:] * outputs)[:outputs]
    z = keras.Input((components,), name="components")
    x = layers.Dropout(dropout, seed=seed + 1)(dense(width, 1, "gelu")(z))
    x = dense(width, 2, "gelu")(x)
    mean = layers.Add(**DOUBLE)([dense(outputs, 3, **DOUBLE)(z), dense(outputs, 4, **DOUBLE)(x)])
    log_sigma = dense(outputs, 5, bias_initializer=keras.initializers.Constant(-1.5))(x)
    perceptron = layers.Concatenate(**DOUBLE)([mean, log_sigma])
    kernel = KernelRegression(outputs, centers, name="kernel", **DOUBLE)(z)
    out = Bend(bends, name="bend", **DOUBLE)(Blend(share, name="blend", **DOUBLE)([perceptron, kernel]))
    head = keras.Model({"components": z}, out, name="head")
    flux, error = (keras.Input((shapes[name],), name=name) for name in ("flux", "error"))
    encoder = WeightedComponents(components, floor, iterations, name="encoder")
    network = keras.Model({"flux": flux, "error": error}, head({"components": encoder([flux, error])}))
    network.augmentation = {"noise": noise, "copies": copies}
    return network


def degraded(flux, error, noise, rng):
    """Flux and error (N, F) with up to ``noise`` times the noise; one in ten pixels is lost in some spectra."""
    amount = noise * rng.random((len(flux), 1), np.float32)
    new = flux + amount * np.minimum(error, 1.0) * rng.standard_normal(flux.shape, np.float32)
    lost = rng.random(flux.shape, np.float32) < 0.1 * (rng.random((len(flux), 1)) < 0.3)
    return new, np.where(lost, 5.0, error * np.sqrt(1 + amount**2)).astype(np.float32)


def encoded(network, arrays, seed, *, augment):
    """What the trained part of a `kernel_mlp` sees (C N, K) of spectra and, if asked for, of noisier copies."""
    encoder, rng = network.get_layer("encoder"), np.random.default_rng(seed)
    out = []
    for copy in range(network.augmentation["copies"] if augment else 1):
        for start in range(0, len(arrays["flux"]), BLOCK):
            flux, error = (np.asarray(arrays[name][start : start + BLOCK], np.float32) for name in ("flux", "error"))
            if copy:
                flux, error = degraded(flux, error, network.augmentation["noise"], rng)
            out.append(ops.convert_to_numpy(encoder([flux, error])))
    return np.concatenate(out) if out else np.zeros((0, encoder.units), np.float32)


def head_training(network, arrays, targets, checks, seed):
    """The `learner` of a `kernel_mlp`: its head with encoded spectra (C N, K); the kernel machine is solved here."""
    head, count = network.get_layer("head"), len(targets)
    z = encoded(network, arrays, seed, augment=True)
    values, _, known = np.split(np.asarray(targets, np.float64), 3, axis=1)
    head.get_layer("kernel").fit(z[:count], head.get_layer("bend").inverse(values), known > 0, seed)
    own = encoded(network, checks, seed, augment=False)
    return head, {"components": z}, np.tile(targets, (len(z) // count, 1)), {"components": own}


kernel_mlp.learner = head_training
