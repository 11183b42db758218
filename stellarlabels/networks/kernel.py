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

#: Stars of each step of the search for the scales of the kernel, number and first size of the steps, and how far
#: (standard deviations of the logarithms, prior) the scales go from where they start.
SOUGHT, STEPS, RATE, SPREAD = 500, 80, 0.1, 2.0

#: Pixels of each segment of which `described` says how well the components fit.
SEGMENT = 75

#: What stands for the reach of labels without a limit.
FARTHEST = 1e9

#: How often stars that do not fit get a larger noise, as for Student's t with so many degrees of freedom.
ROUNDS, FREEDOM = 2, 4.0


@_register
class WeightedComponents(layers.Layer):
    """Posterior mean (N, K) of the components of spectra (N, F) whose pixels have errors (N, F)."""

    # The model of a spectrum is ``offset + z @ directions`` plus noise with the variance ``error**2 + floor**2``, and a
    # standard normal prior of z. Pixels without information (large errors) do not matter, and of a noisy spectrum
    # little more than the prior remains. The directions are found by expectation maximisation (factor analysis with
    # known noise; Rubin & Thayer 1982, Psychometrika 47, 69) in ``iterations`` steps from principal components.

    # Of the spectra only the pixels of a window (first, last) count, all of them if there is none.

    def __init__(self, units, floor=0.004, iterations=5, window=None, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.units, self.floor, self.iterations, self.window = units, floor, iterations, window

    def build(self, input_shape):
        size = len(range(input_shape[0][-1])[self._seen])
        self.offset = self.add_weight(shape=(size,), initializer="zeros", name="offset")
        self.directions = self.add_weight(shape=(self.units, size), initializer="zeros", name="directions")

    def adapt_to(self, arrays, seed):
        """Find offset and directions from training spectra ``arrays["flux"]`` with ``arrays["error"]``, (N, F) each."""
        flux, error = (np.asarray(arrays[name], np.float32)[:, self._seen] for name in ("flux", "error"))
        weight = self._weight(error)
        offset = np.average(flux, axis=0, weights=weight)
        self.set_weights([offset, _factors(flux - offset, weight, self.units, self.iterations)])

    @property
    def _seen(self):
        return slice(*self.window) if self.window else slice(None)

    def _weight(self, error):
        return 1 / (error * error + self.floor**2)

    def call(self, inputs):
        flux, error = (array[:, self._seen] for array in inputs)
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

    def misfit(self, flux, error, z):
        """Logarithms (N, S) of the mean chi square of the components (N, K) in segments of the window."""
        offset, directions = self.get_weights()
        flux, error = flux[:, self._seen], error[:, self._seen]
        square = (flux - offset - z @ directions) ** 2 * self._weight(error)
        parts = np.array_split(square, max(1, square.shape[1] // SEGMENT), axis=1)
        return np.log(np.stack([part.mean(axis=1) for part in parts], axis=1) + 1e-3)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("units", "floor", "iterations", "window")}
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
    """The mean of a Gaussian process, (N, K) to (N, L), from at most ``centers`` training stars."""

    # Its covariance is a Matern function (5/2) with a scale of its own for each input, plus those of a linear function
    # and of a constant; the variance of a star's label is a constant and a multiple of that of its spectrum's pixels.
    # The scales are those of the largest posterior (Rasmussen & Williams 2006, Gaussian Processes for Machine Learning,
    # Section 5.4), for each label.

    def __init__(self, outputs, centers=2000, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.outputs, self.centers = outputs, centers

    def build(self, input_shape):
        size, count = input_shape[-1], self.outputs
        shapes = {"stars": (self.centers, size), "alpha": (self.centers, count), "inverse": (count, size)}
        shapes |= {"slope": (size, count), "level": (count,)}
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def fit(self, inputs, values, known, blur, seed):
        """Learn from stars (N, K) with values and known (N, L), and variances (N,) of the pixels of their spectra."""
        rows = np.sort(np.random.default_rng(seed).permutation(len(inputs))[: self.centers])
        inputs, blur = np.asarray(inputs, np.float64)[rows], np.asarray(blur, np.float64)[rows]
        values, known = values[rows], known[rows]
        middle, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
        x = (inputs - middle) / spread
        blur = blur / max(np.median(blur), 1e-30)
        stars, alpha = np.zeros((self.centers, x.shape[1])), np.zeros((self.centers, self.outputs))
        inverse, slope, level = np.ones((self.outputs, x.shape[1])), np.zeros((x.shape[1], self.outputs)), []
        stars[: len(rows)] = inputs
        for label in range(self.outputs):
            there = np.flatnonzero(known[:, label])
            level.append(0.0)
            if there.size < 2:
                continue
            of_label = x[there], values[there, label], blur[there]
            scales = _scales(*of_label, seed)
            solution = _solution(scales, *of_label)
            own, (amplitude, linear) = np.exp(scales[:-4]), np.exp(scales[-4:-2])
            alpha[there, label] = amplitude * solution
            inverse[label] = np.sqrt(own) / spread
            slope[:, label] = linear * (solution @ x[there]) / spread
            level[label] = solution.sum() - middle @ slope[:, label]
        self.set_weights([stars, alpha, inverse, slope, np.array(level)])

    def call(self, inputs):
        columns = []
        for label in range(self.outputs):
            ours, theirs = (array * self.inverse[label] for array in (inputs, self.stars))
            square = ops.sum(ours**2, axis=1, keepdims=True) + ops.sum(theirs**2, axis=1)
            square = ops.maximum(square - 2 * ops.matmul(ours, ops.transpose(theirs)), 0.0)
            away = ops.sqrt(5 * square)
            near = (1 + away + away**2 / 3) * ops.exp(-away)
            columns.append(ops.matmul(near, self.alpha[:, label : label + 1]))
        return ops.concatenate(columns, axis=1) + ops.matmul(inputs, self.slope) + self.level

    def get_config(self):
        return {**super().get_config(), "outputs": self.outputs, "centers": self.centers}


def _scales(x, y, blur, seed):
    """Logarithms (K + 4,) of inverse squared lengths, amplitude, linear part, noise, and noise by blur, for a label."""
    # Adam (Kingma & Ba 2015), each step with other stars: with the same few stars scales are found for these.
    random, size = np.random.default_rng(seed), x.shape[1]
    start = np.concatenate([np.full(size, -np.log(2.0 * size)), [0.0, -3.0, -4.0, -4.0]])
    scales, mean, square = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, STEPS + 1):
        some = random.permutation(len(x))[:SOUGHT]
        slope = _slope(scales, x[some], y[some], blur[some]) * len(x) / len(some)
        slope += (scales - start) / SPREAD**2
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        rate = RATE * min(1.0, 2.1 - 2 * step / STEPS)
        scales -= rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-12)
    return scales


def _slope(scales, x, y, blur):
    """Derivatives (K + 4,) of minus the logarithm of the probability of labels y (N,) by the scales."""
    own, (amplitude, linear, noise, noisier) = np.exp(scales[:-4]), np.exp(scales[-4:])
    near, steep, products = _covariance(own, x)
    total = amplitude * near + linear * products + 1 + np.diag(noise + noisier * blur)
    inverse = np.linalg.inv(total)
    solution = inverse @ y
    change = 0.5 * (inverse - np.outer(solution, solution))
    weight = amplitude * change * steep
    by_length = 2 * own * (weight.sum(axis=1) @ x**2 - np.sum((weight @ x) * x, axis=0))
    diagonal = np.diag(change)
    others = [amplitude * np.sum(change * near), linear * np.sum(change * products)]
    others += [noise * diagonal.sum(), noisier * diagonal @ blur]
    return np.concatenate([by_length, others])


def _covariance(own, x):
    """Matern's function of all pairs of rows of x (N, K), its derivative by the squared distance, and products."""
    scaled = x * np.sqrt(own)
    away = np.sqrt(5 * _squares(scaled, scaled))
    fall = np.exp(-away)
    return (1 + away + away**2 / 3) * fall, -5 / 6 * (1 + away) * fall, x @ x.T


def _solution(scales, x, y, blur):
    """Weights (N,) of the stars with the scales; those far off count less."""
    own, (amplitude, linear, noise, noisier) = np.exp(scales[:-4]), np.exp(scales[-4:])
    near, _, products = _covariance(own, x)
    total = amplitude * near + linear * products + 1
    variance, more = noise + noisier * blur, np.ones(len(x))
    for _ in range(ROUNDS + 1):
        inverse = np.linalg.inv(total + np.diag(variance * more))
        solution = inverse @ y
        pull = solution**2 / np.diag(inverse)  # squares of what is left out, in units of its variance
        more = np.maximum(1.0, (FREEDOM + pull) / (FREEDOM + 1))
    return solution


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

    # One share for each label. Where the perceptron's mean of a label is above its reach, the kernel machine, which has
    # not seen such stars, does not count.

    def __init__(self, share, reach, **kwargs):
        super().__init__(**kwargs)
        self.share, self.reach = share, reach

    def call(self, inputs, training=False):
        perceptron, kernel = inputs
        means, log_sigma = ops.split(perceptron, 2, axis=-1)
        if training:
            return perceptron
        inside = ops.clip(4 * (np.asarray(self.reach, float) - means), 0.0, 1.0)
        share = np.asarray(self.share, float) * ops.min(inside, axis=-1, keepdims=True)
        return ops.concatenate([(1 - share) * means + share * kernel, log_sigma], axis=-1)

    def get_config(self):
        return {**super().get_config(), "share": self.share, "reach": self.reach}


@register
def kernel_mlp(
    *, shapes, outputs, components, floor, iterations, width, dropout, share, centers, bends, noise, copies, seed,
    windows=(None,), reach=(),
):  # fmt: skip
    """Components of flux and error (N, F), and on them a perceptron and a kernel machine; output (N, 2 L)."""
    # ``components`` of each of the ``windows`` of pixels (first, last), of all where it is None; ``floor``,
    # ``iterations``: see WeightedComponents. ``width``, ``dropout``: of the two hidden layers of the perceptron, which
    # has a linear path, too. ``share``, ``reach``, ``centers``: see Blend, KernelRegression; the last of several shares
    # is that of all further labels. ``reach``, ``bends``: see Bend; infinite and 0 for labels beyond their ends.
    # ``copies`` of each spectrum with up to ``noise`` times its own noise are seen in training.

    def dense(units, number, activation=None, **kwargs):
        start = keras.initializers.GlorotUniform(seed=seed + 1000 * number)
        return layers.Dense(units, activation, kernel_initializer=start, **kwargs)

    bends = (tuple(bends) + (0.0,) * outputs)[:outputs]
    reach = (tuple(reach) + (FARTHEST,) * outputs)[:outputs]
    share = tuple(np.atleast_1d(share).tolist())
    share = (share + share[-1:] * outputs)[:outputs]
    z = keras.Input((components * len(windows),), name="components")
    x = layers.Dropout(dropout, seed=seed + 1)(dense(width, 1, "gelu")(z))
    x = dense(width, 2, "gelu")(x)
    mean = layers.Add(**DOUBLE)([dense(outputs, 3, **DOUBLE)(z), dense(outputs, 4, **DOUBLE)(x)])
    log_sigma = dense(outputs, 5, bias_initializer=keras.initializers.Constant(-1.5))(x)
    perceptron = layers.Concatenate(**DOUBLE)([mean, log_sigma])
    kernel = KernelRegression(outputs, centers, name="kernel", **DOUBLE)(z)
    out = Bend(bends, name="bend", **DOUBLE)(Blend(share, reach, name="blend", **DOUBLE)([perceptron, kernel]))
    head = keras.Model({"components": z}, out, name="head")
    flux, error = (keras.Input((shapes[name],), name=name) for name in ("flux", "error"))
    found = [
        WeightedComponents(components, floor, iterations, window, name=f"encoder_{number}")([flux, error])
        for number, window in enumerate(windows)
    ]
    joined = layers.Concatenate(name="encoded")(found)
    network = keras.Model({"flux": flux, "error": error}, head({"components": joined}))
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
    encoder = keras.Model(network.input, network.get_layer("encoded").output)
    rng, out = np.random.default_rng(seed), []
    for copy in range(network.augmentation["copies"] if augment else 1):
        for start in range(0, len(arrays["flux"]), BLOCK):
            flux, error = (np.asarray(arrays[name][start : start + BLOCK], np.float32) for name in ("flux", "error"))
            if copy:
                flux, error = degraded(flux, error, network.augmentation["noise"], rng)
            out.append(ops.convert_to_numpy(encoder({"flux": flux, "error": error})))
    return np.concatenate(out) if out else np.zeros((0, *encoder.output.shape[1:]), np.float32)


def head_training(network, arrays, targets, checks, seed):
    """The `learner` of a `kernel_mlp`: its head with encoded spectra (C N, K); the kernel machine is solved here."""
    head, count = network.get_layer("head"), len(targets)
    z = encoded(network, arrays, seed, augment=True)
    values, _, known = np.split(np.asarray(targets, np.float64), 3, axis=1)
    values, reach = head.get_layer("bend").inverse(values), np.asarray(head.get_layer("blend").reach)
    known = (known > 0) & ((known <= 0) | (values < reach)).all(axis=1, keepdims=True)
    blur = np.median(np.minimum(arrays["error"], 1.0), axis=1) ** 2
    head.get_layer("kernel").fit(z[:count], values, known, blur, seed)
    own = encoded(network, checks, seed, augment=False)
    return head, {"components": z}, np.tile(targets, (len(z) // count, 1)), {"components": own}


kernel_mlp.learner = head_training


def described(network, arrays):
    """Components (N, C) of each window of a `kernel_mlp`, and logarithms of mean chi squares in segments of pixels."""
    out = []
    for layer in (layer for layer in network.layers if isinstance(layer, WeightedComponents)):
        for start in range(0, len(arrays["flux"]), BLOCK):
            part = [np.asarray(arrays[name][start : start + BLOCK], np.float32) for name in ("flux", "error")]
            z = ops.convert_to_numpy(layer(part))
            out.append((start, np.concatenate([z, layer.misfit(*part, z)], axis=1)))
    starts = sorted({start for start, _ in out})
    rows = [np.concatenate([part for at, part in out if at == start], axis=1) for start in starts]
    return np.concatenate(rows) if rows else np.zeros((0, 0), np.float32)


kernel_mlp.described = described
