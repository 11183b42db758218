"""Keras layers that standard Keras does not have. All are registered under the package ``stellarlabels``."""

import keras
import numpy as np
from keras import ops

#: Options of layers whose terms cancel. In single precision their sums would depend on how many rows are computed at
#: once, because processors add in another order then, by more than a label may: 2e-5 of its error.
DOUBLE = {"dtype": "float64"}

_register = keras.saving.register_keras_serializable(package="stellarlabels")


@_register
class SinglePenalty(keras.regularizers.L2):
    """L2 penalty in single precision for kernels of any: Keras adds the penalties of all layers up as they are."""

    def __call__(self, x):
        return ops.cast(super().__call__(x), keras.config.floatx())


@_register
class AffineProjection(keras.layers.Layer):
    """Fixed linear map ``(x - offset) @ matrix``, (N, F) to (N, units); its weights are set once, not by training."""

    def __init__(self, units, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.units = units

    def build(self, input_shape):
        size = input_shape[-1]
        self.offset = self.add_weight(shape=(size,), initializer="zeros", name="offset")
        self.matrix = self.add_weight(shape=(size, self.units), initializer="zeros", name="matrix")

    def adapt(self, offset, matrix):
        """Set the offset (F,) and the matrix (F, units)."""
        self.set_weights([np.asarray(offset, np.float32), np.asarray(matrix, np.float32)])

    def call(self, inputs):
        return ops.matmul(inputs - self.offset, self.matrix)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@_register
class Standardisation(AffineProjection):
    """Gives each column of the input ``of`` mean 0 and variance 1; constant columns become 0."""

    def __init__(self, of, units, **kwargs):
        super().__init__(units, **kwargs)
        self.of = of

    def adapt_to(self, arrays, seed):
        """Take means and variances from ``arrays[of]`` (N, F)."""
        self.adapt(*standardising(arrays[self.of]))

    def get_config(self):
        return {**super().get_config(), "of": self.of}


@_register
class PrincipalComponents(AffineProjection):
    """Projects spectra (N, F) on principal components (N, units), scaled by the square root of their spread."""

    # That is halfway between leaving faint components too small to learn from and blowing up their noise.

    def __init__(self, of, units, **kwargs):
        super().__init__(units, **kwargs)
        self.of = of

    def adapt_to(self, arrays, seed, stars=12000):
        """Find the components of ``arrays[of]`` (N, F), standardised, from at most so many of the stars."""
        flux = arrays[self.of]
        offset, scaling = standardising(flux)
        some = np.random.default_rng(seed).permutation(len(flux))[:stars]
        directions = np.linalg.svd((flux[some] - offset) @ scaling, full_matrices=False)[2][: self.units].T
        matrix = scaling @ directions
        spread = ((flux[some] - offset) @ matrix).std(axis=0)
        out = np.zeros((flux.shape[1], self.units))
        out[:, : matrix.shape[1]] = matrix / np.sqrt(np.maximum(spread, 1e-9))
        self.adapt(offset, out)

    def get_config(self):
        return {**super().get_config(), "of": self.of}


def standardising(array):
    """Offset (F,) and matrix (F, F) that give each column mean 0 and variance 1; constant columns become 0."""
    spread = array.std(axis=0, dtype=np.float64)
    return array.mean(axis=0, dtype=np.float64), np.diag(np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0))


@_register
class SpectrumNoise(keras.layers.Layer):
    """Spectra and errors (N, F) each; in training with noise ``amount`` times the errors added, else as they are."""

    # The noise of star i in sample j is ``amount error_ij (L eps_i)_j`` with ``rank`` standard normal ``eps`` and the
    # rows of ``L`` of unit length, so that the samples are correlated as those of spectra made from few coefficients
    # are. It keeps the network from reading the noise of single training stars; the errors are left as they are.
    # ``faint``, (share, low, high), makes a share of the stars as noisy as fainter ones: noise with ``10**low`` to
    # ``10**high`` times the variance is added to them, equally often in equal ratios, and to their errors, too.

    def __init__(self, rank, amount=0.5, faint=(), seed=None, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.rank, self.amount, self.faint, self.seed = rank, amount, tuple(faint), seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        size = input_shape[0][-1]
        self.basis = self.add_weight(shape=(self.rank, size), initializer="zeros", name="basis")

    def adapt_to(self, arrays, seed):
        """Set the components from a design matrix ``arrays["noise_basis"]`` (size, rank), its rows of unit length."""
        rows = np.asarray(arrays["noise_basis"], float)
        self.set_weights([(rows / np.linalg.norm(rows, axis=1, keepdims=True)).T.astype(np.float32)])

    def call(self, inputs, training=False):
        flux, error = inputs
        if not training:
            return flux, error
        count, amount = ops.shape(flux)[0], self.amount
        noise = ops.matmul(keras.random.normal((count, self.rank), seed=self.generator, dtype=flux.dtype), self.basis)
        total = error
        if self.faint:
            share, low, high = self.faint
            draw = keras.random.uniform((count, 2), seed=self.generator, dtype=flux.dtype)
            variance = ops.where(draw[:, :1] < share, 10.0 ** (low + (high - low) * draw[:, 1:]), 0.0)
            amount, total = ops.maximum(amount, ops.sqrt(variance)), error * ops.sqrt(1 + variance)
        return flux + amount * error * noise, total

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {name: getattr(self, name) for name in ("rank", "amount", "faint", "seed")}
        return {**super().get_config(), **own}


@_register
class MeasurementNoise(keras.layers.Layer):
    """Adds noise ``amount A (sigma eps)`` to features (N, F) in training, from errors (N, B) and a matrix A (F, B)."""

    def __init__(self, matrix, amount=1.0, seed=None, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.matrix, self.amount, self.seed = np.asarray(matrix, np.float32), amount, seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        start = keras.initializers.Constant(self.matrix)
        self.kernel = self.add_weight(shape=self.matrix.shape, initializer=start, name="kernel")

    def call(self, inputs, training=False):
        features, errors = inputs
        if not training:
            return features
        draw = keras.random.normal(ops.shape(errors), seed=self.generator, dtype=features.dtype)
        return features + self.amount * ops.matmul(errors * draw, ops.transpose(self.kernel))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "matrix": self.matrix.tolist(), "amount": self.amount, "seed": self.seed}


@_register
class ColorInput(keras.layers.Layer):
    """Standardised colors (N, C) with missing ones (NaN) at zero, followed by a 0/1 indicator of each: (N, 2 C)."""

    # During training whole ``groups`` of colors are left out at random with the probabilities ``rates``, so that the
    # network learns to do without. Standardised colors are clipped to plus or minus ``limit``.

    def __init__(self, groups=(), rates=(), limit=6.0, seed=None, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.groups, self.rates = [list(g) for g in groups], list(rates)
        self.limit, self.seed = limit, seed
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        size = input_shape[-1]
        self.center = self.add_weight(shape=(size,), initializer="zeros", name="center")
        self.scale = self.add_weight(shape=(size,), initializer="ones", name="scale")

    def adapt_to(self, arrays, seed):
        """Take center and scale from training colors ``arrays["color"]`` (N, C), NaN ignored."""
        colors = arrays["color"]
        center = np.nanmedian(colors, axis=0)
        scale = np.nanstd(colors, axis=0)
        self.set_weights([center.astype(np.float32), np.where(scale > 0, scale, 1).astype(np.float32)])

    def call(self, inputs, training=False):
        missing = ops.isnan(inputs)
        if training:
            size = inputs.shape[-1]
            for group, rate in zip(self.groups, self.rates, strict=True):
                member = ops.convert_to_tensor([[i in group for i in range(size)]])
                drop = keras.random.uniform((ops.shape(inputs)[0], 1), seed=self.generator) < rate
                missing = ops.logical_or(missing, ops.logical_and(drop, member))
        scaled = ops.clip((inputs - self.center) / self.scale, -self.limit, self.limit)
        zeros = ops.zeros_like(scaled)
        return ops.concatenate([ops.where(missing, zeros, scaled), ops.cast(missing, scaled.dtype)], axis=-1)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("groups", "rates", "limit", "seed")}
        return {**super().get_config(), **own}


@_register
class LogErrorBins(keras.layers.Layer):
    """Mean logarithm of the errors (N, F) in equal bins along the spectrum (N, bins), standardised."""

    def __init__(self, bins=12, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.bins = bins

    def build(self, input_shape):
        size = input_shape[-1]
        self.averager = np.zeros((size, self.bins), np.float32)
        for column, rows in enumerate(np.array_split(np.arange(size), self.bins)):
            self.averager[rows, column] = 1 / len(rows)
        self.center = self.add_weight(shape=(self.bins,), initializer="zeros", name="center")
        self.scale = self.add_weight(shape=(self.bins,), initializer="ones", name="scale")

    def adapt_to(self, arrays, seed):
        """Take center and scale from training errors ``arrays["error"]`` (N, F)."""
        logs = np.log(np.maximum(arrays["error"], 1e-6)) @ self.averager
        self.set_weights([logs.mean(axis=0), np.maximum(logs.std(axis=0), 1e-3)])

    def call(self, inputs):
        logs = ops.matmul(ops.log(ops.maximum(inputs, 1e-6)), self.averager)
        return ops.clip((logs - self.center) / self.scale, -6.0, 6.0)

    def get_config(self):
        return {**super().get_config(), "bins": self.bins}


@_register
class SigmaFloor(keras.layers.Layer):
    """Logarithm of ``max(floor, softplus(x))``: standard deviations (N, L) with lower limits, of the scaled labels."""

    def __init__(self, floor, **kwargs):
        super().__init__(**kwargs)
        self.floor = floor

    def call(self, inputs):
        return ops.log(ops.maximum(ops.softplus(inputs), ops.cast(self.floor, inputs.dtype)))

    def get_config(self):
        return {**super().get_config(), "floor": self.floor}
