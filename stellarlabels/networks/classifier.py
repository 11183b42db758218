"""A network that tells kinds of objects apart in what the networks for labels see."""

import keras
import numpy as np
from keras import layers, ops

from stellarlabels.networks.kinds import register
from stellarlabels.networks.layers import standardising

_register = keras.saving.register_keras_serializable(package="stellarlabels")

#: Segments of the spectrum in which what the components leave, and how much the spectrum bends, is looked at.
SEGMENTS = 24

#: Spectra whose summaries are made at once.
BLOCK = 4096


@_register
class Summary(keras.layers.Layer):
    """Spectra (N, F) as whitened principal components, and logarithms of two variances in segments (N, C + 2 S)."""

    # The variances are of what the components leave of the standardised spectra, and of second differences of the
    # spectra: a straight line through a gap has none, and noise has many.

    def __init__(self, units, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.units = units

    def build(self, input_shape):
        size = input_shape[-1]
        self.segments = min(SEGMENTS, size)
        self.averager = np.zeros((size, self.segments), np.float32)
        for column, rows in enumerate(np.array_split(np.arange(size), self.segments)):
            self.averager[rows, column] = 1 / len(rows)
        shapes = {"offset": (size,), "inverse": (size,), "matrix": (size, self.units), "spread": (self.units,)}
        shapes |= {"center": (2 * self.segments,), "scale": (2 * self.segments,)}
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=shape, initializer="zeros", name=name))

    def adapt_to(self, arrays, seed, stars=12000):
        """Find the components of ``arrays["flux"]`` (N, F), standardised, from at most so many of the stars."""
        flux = arrays["flux"]
        flux = flux[np.random.default_rng(seed).permutation(len(flux))[:stars]]
        offset, scaling = standardising(flux)
        scaled = (flux - offset) @ scaling
        directions = np.linalg.svd(scaled, full_matrices=False)[2][: self.units].T
        matrix = np.zeros((flux.shape[1], self.units))
        matrix[:, : directions.shape[1]] = directions
        spread = np.maximum((scaled @ matrix).std(axis=0), 1e-6)
        fixed = offset, np.diag(scaling), matrix, spread
        start = np.zeros(2 * self.segments), np.ones(2 * self.segments)
        self.set_weights([array.astype(np.float32) for array in (*fixed, *start)])
        rest = np.asarray(self._variances(flux.astype(np.float32), *self._projected(flux.astype(np.float32))))
        self.center.assign(rest.mean(axis=0))
        self.scale.assign(np.maximum(rest.std(axis=0), 1e-3))

    def _projected(self, flux):
        """Standardised spectra (N, F) and their components (N, C)."""
        scaled = (flux - self.offset) * self.inverse
        return scaled, ops.matmul(scaled, self.matrix)

    def _variances(self, flux, scaled, found):
        """Logarithms (N, 2 S) of the variances in segments, standardised."""
        rest = ops.matmul((scaled - ops.matmul(found, ops.transpose(self.matrix))) ** 2, self.averager)
        bends = (flux[:, :-2] - 2 * flux[:, 1:-1] + flux[:, 2:]) ** 2
        bends = ops.matmul(ops.pad(bends, [[0, 0], [1, 1]]), self.averager)
        logs = ops.log(ops.concatenate([rest, bends], axis=-1) + 1e-8)
        return (logs - self.center) / self.scale

    def call(self, inputs):
        scaled, found = self._projected(inputs)
        rest = ops.clip(self._variances(inputs, scaled, found), -8.0, 8.0)
        found = found / self.spread
        return ops.concatenate([ops.sign(found) * ops.log1p(ops.abs(found)), rest], axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@_register
class Known(keras.layers.Layer):
    """Standardised numbers (N, C) with missing ones (NaN) at zero, followed by a 0/1 indicator of each: (N, 2 C)."""

    # Center and scale are those of the array ``source``.

    def __init__(self, source="star", **kwargs):
        super().__init__(**kwargs)
        self.source = source

    def build(self, input_shape):
        self.center = self.add_weight(shape=input_shape[-1:], initializer="zeros", name="center", trainable=False)
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones", name="scale", trainable=False)

    def adapt_to(self, arrays, seed):
        """Take center and scale from numbers (N, C) in ``arrays``, NaN ignored; columns without any number stay."""
        known = np.ma.masked_invalid(arrays[self.source])
        scale = known.std(axis=0).filled(1)
        self.set_weights([known.mean(axis=0).filled(0), np.where(scale > 0, scale, 1)])

    def call(self, inputs):
        missing = ops.isnan(inputs)
        scaled = ops.clip((inputs - self.center) / self.scale, -8.0, 8.0)
        return ops.concatenate(
            [ops.where(missing, ops.zeros_like(scaled), scaled), ops.cast(missing, scaled.dtype)], axis=-1
        )

    def get_config(self):
        return {**super().get_config(), "source": self.source}


@register
def kind_classifier(*, shapes, outputs, components, hidden, dropout, seed):
    """Spectra (N, F) and numbers of stars (N, C), NaN where unknown, to logits of kinds (N, K)."""
    # "fit", where it is among the shapes, is what the networks for labels know of the spectra; see `kinds.described`.
    inputs = {name: keras.Input((shapes[name],), name=name) for name in ("flux", "star", "fit") if name in shapes}
    parts = [Summary(components, name="summary")(inputs["flux"]), Known(name="known")(inputs["star"])]
    parts += [Known("fit", name="known_fit")(inputs["fit"])] if "fit" in inputs else []
    x = layers.Concatenate()(parts)
    for index, units in enumerate(hidden):
        initializer = keras.initializers.GlorotUniform(seed=seed + index)
        x = layers.Dense(units, activation="gelu", kernel_initializer=initializer)(x)
        x = layers.Dropout(dropout, seed=seed + 10 + index)(x)
    initializer = keras.initializers.GlorotUniform(seed=seed + 20)
    return keras.Model(inputs, layers.Dense(outputs, kernel_initializer=initializer)(x))


def after_summary(network, arrays, targets, checks, seed):
    """The `learner` of a `kind_classifier`: what follows the summaries, which do not change, made only once."""
    summary = network.get_layer("summary")
    name = summary.output.name
    others = [other for other in network.input if other != "flux"]
    inputs = {name: summary.output} | {other: network.input[other] for other in others}

    def made(found):
        if not found:
            return found
        parts = [found["flux"][start : start + BLOCK] for start in range(0, len(found["flux"]), BLOCK)]
        done = np.concatenate([ops.convert_to_numpy(summary(part)) for part in parts])
        return {name: done} | {other: found[other] for other in others}

    return keras.Model(inputs, network.output), made(arrays), targets, made(checks)


kind_classifier.learner = after_summary


def cross_entropy():
    """Loss of a classifier for targets (N, K), one of which is 1."""
    return keras.losses.CategoricalCrossentropy(from_logits=True)
