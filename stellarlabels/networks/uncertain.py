"""The uncertain network: it propagates the covariance of its inputs and predicts an excess error.

The inputs are normalised XP coefficients (110), and further features (colors, pseudo-magnitude) of which some may be
missing (NaN). See ``stellarlabels.inputs.xp.coefficient_features``.
"""

from functools import cache, partial

import keras
import numpy as np
from keras import ops

from stellarlabels.inputs.xp import SIZES
from stellarlabels.networks import jacobian_mlp
from stellarlabels.networks.kinds import register

_register = keras.saving.register_keras_serializable(package="stellarlabels")

#: Coefficients of a band, and of both.
BAND, COEFFICIENTS = SIZES["bp"], sum(SIZES.values())

#: Standardised features are clipped to plus or minus this.
LIMIT = 6.0

#: The two heads on the trunk.
HEADS = ("mean", "excess")


def stages_of(hidden, activation, dropout, blocks, width, outputs, logs):
    """Stages of the trunk and of the two heads: so many means (outputs) and logarithms of errors (logs)."""
    # ``hidden``: plain layers with activation and dropout, as in the paper. ``blocks``, ``width``: residual blocks
    # after that: layer normalisation, layer, activation, dropout, layer. Of their dropout only that of the last block
    # stays on in the passes, so that the other blocks are computed once.
    active, trunk = {"kind": "activation", "name": activation}, []

    def drop(**options):
        return [{"kind": "dropout", "rate": dropout, **options}] if dropout else []

    for units in hidden:
        trunk += [{"kind": "dense", "units": units}, active, *drop()]
    if blocks:
        trunk.append({"kind": "dense", "units": width})
    for block in range(blocks):
        inner = [{"kind": "norm"}, {"kind": "dense", "units": width}, active]
        inner += [*drop(passes=block == blocks - 1), {"kind": "dense", "units": width}]
        trunk.append({"kind": "residual", "stages": inner})
    mean, excess = [{"kind": "dense", "units": outputs}], [{"kind": "dense", "units": logs}]
    if blocks:
        trunk.append({"kind": "norm"})
        excess = [{"kind": "dense", "units": 64}, active, *excess]
    return trunk, mean, excess


@_register
class UncertainCore(keras.layers.Layer):
    """Means, log excess errors, and log errors that the covariance of the inputs causes: (N, 3 L) in one pass."""

    # ``model``: whether the third part is instead the logarithms of model errors, which a student has learned.

    # ``components``: principal components of the sampled spectra that stand for the coefficients; 0 for the
    # standardised coefficients themselves. ``context``: whether the logarithms of the errors of the spectrum, and of
    # the pseudo-magnitude, are inputs, too. ``scales``: the last feature, the pseudo-magnitude p, is given as tanh(p /
    # scale) for each of these; () for p standardised. ``noise``: (share, low, high): in training noise with the
    # covariance of the inputs times 10**u, u uniform from low to high, is added to this share of the stars, and the
    # covariance grows accordingly. ``groups``, ``rates``: features that are left out together in training, and how
    # often. ``first_phase``: share of the epochs at the start in which errors from the inputs are left out: the network
    # first learns the derivatives from which they are made. ``indicators``: whether the network is told by further
    # inputs which features are missing; they stand for their means in any case. ``propagate``: whether training follows
    # the derivatives of the Jacobian; if not, errors from the inputs count as known.

    def __init__(
        self,
        outputs,
        trunk,
        mean,
        excess,
        components=0,
        context=False,
        scales=(),
        noise=(),
        groups=(),
        rates=(),
        first_phase=0.125,
        propagate=True,
        indicators=True,
        model=False,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.outputs, self.trunk, self.mean, self.excess = outputs, trunk, mean, excess
        self.components, self.context, self.scales, self.noise = components, context, list(scales), list(noise)
        self.groups, self.rates = [list(group) for group in groups], list(rates)
        self.first_phase, self.propagate, self.model, self.seed = first_phase, propagate, model, seed
        self.indicators = indicators
        self.generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape):
        others = input_shape["others"][-1]
        width = self.components or COEFFICIENTS

        def fixed(name, *shape, start="zeros"):
            return self.add_weight(shape=shape, initializer=start, name=name, trainable=False)

        self.reference = fixed("reference", COEFFICIENTS)
        self.matrix, self.shift = fixed("matrix", COEFFICIENTS, width), fixed("shift", width)
        self.center, self.scale = fixed("center", others), fixed("scale", others, start="ones")
        known = self.context * (input_shape["log_error"][-1] + bool(self.scales))
        self.context_center = fixed("context_center", known)
        self.context_scale = fixed("context_scale", known, start="ones")
        self.phase = fixed("phase", 1, start="ones")
        size = width + (1 + self.indicators) * others + known + (len(self.scales) - 1 if self.scales else 0)
        trunk, last = jacobian_mlp.shapes(self.trunk, size)
        wanted = {"trunk": trunk, **{name: jacobian_mlp.shapes(getattr(self, name), last)[0] for name in HEADS}}
        start = cache(partial(self._start, size, last))
        self.parameters = [
            [
                self.add_weight(shape=shape, initializer=_taken(start, name, index), name=f"{name}_{index}")
                for index, shape in enumerate(shapes)
            ]
            for name, shapes in wanted.items()
        ]

    def _start(self, size, last):
        """Starting parameters of trunk and heads (dict of lists), for so many inputs of each."""
        rng = np.random.default_rng(self.seed)
        out = {"trunk": jacobian_mlp.initial(self.trunk, size, rng)[0]}
        out |= {name: jacobian_mlp.initial(getattr(self, name), last, rng)[0] for name in HEADS}
        out["excess"][-1] = out["excess"][-1] - 1.5
        return out

    def adapt_to(self, arrays, seed=0, stars=12000):
        """Set components, centers and scales from training inputs."""
        rows = np.random.default_rng(seed).permutation(len(arrays["coefficients"]))[:stars]
        coefficients, others, logs = (
            arrays[name][rows].astype(np.float64) for name in ("coefficients", "others", "log_error")
        )
        for target, array in zip(
            (self.reference, self.shift, self.matrix), _components(coefficients, self.components), strict=True
        ):
            target.assign(array)
        known = np.isfinite(others)
        count = np.maximum(known.sum(axis=0), 1)
        center = np.where(known, others, 0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (others - center) ** 2, 0).sum(axis=0) / count)
        self.center.assign(center)
        self.scale.assign(np.where(spread > 0, spread, 1))
        if self.context:
            if self.scales:
                own = {name: arrays[name][rows] for name in ("other_factor", "other_covariance") if name in arrays}
                logs = np.hstack([logs, _log_error(own, np.float64(1.0), np)])
            self.context_center.assign(logs.mean(axis=0))
            self.context_scale.assign(np.maximum(logs.std(axis=0), 1e-3))

    def phases(self, epochs):
        """A callback that takes errors from the inputs into account after the first phase of so many epochs."""
        core = self

        class Phases(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                core.phase.assign([float(epoch >= round(core.first_phase * epochs))])

        return Phases()

    @staticmethod
    def _spectral(rows, inputs):
        """Variances (N, L) of functions with the derivatives ``rows`` (N, L, 110) with respect to coefficients."""
        bp, rp = rows[..., :BAND], rows[..., BAND:]
        parts = (ops.matmul(bp, inputs["bp_factor"]), ops.matmul(rp, inputs["rp_factor"]))
        return sum(ops.sum(part**2, axis=-1) for part in parts)

    def _noisy(self, inputs):
        """Coefficients and other features with noise, and by how much their variances have grown (N, 1)."""
        coefficients, others = inputs["coefficients"], inputs["others"]
        share, low, high = self.noise
        count = ops.shape(coefficients)[0]
        draw = keras.random.uniform((count, 2), seed=self.generator)
        amount = ops.where(draw[:, :1] < share, 10.0 ** (low + (high - low) * draw[:, 1:]), 0.0)

        def noise(name):
            factor = inputs[name]
            normal = keras.random.normal((count, factor.shape[-1], 1), seed=self.generator)
            return ops.sqrt(amount) * ops.matmul(factor, normal)[..., 0]

        bp, rp = noise("bp_factor"), noise("rp_factor")
        coefficients = coefficients + ops.concatenate([bp, rp], axis=-1)
        return coefficients, others + noise("other_factor"), 1 + amount

    def _present(self, others, training):
        """1 for features that are there, 0 for those that are missing or left out of this step."""
        present = ops.cast(ops.logical_not(ops.isnan(others)), others.dtype)
        if training:
            for group, rate in zip(self.groups, self.rates, strict=True):
                member = np.isin(np.arange(others.shape[-1]), group).astype(np.float32)
                drop = keras.random.uniform((ops.shape(others)[0], 1), seed=self.generator) < rate
                present = present * (1 - ops.cast(drop, others.dtype) * member)
        return present

    def _dropout(self, x, stage):
        kept = keras.random.uniform(ops.shape(x), seed=self.generator) >= stage["rate"]
        return ops.cast(kept, x.dtype) / (1 - stage["rate"])

    def call(self, inputs, training=False):
        """Means, logarithms of excess errors, and of errors from the inputs or the model (N, 3 L), in scaled labels."""
        if training and self.noise:
            coefficients, others, level = self._noisy(inputs)
        else:
            coefficients, others = inputs["coefficients"], inputs["others"]
            level = ops.ones_like(coefficients[:, :1])
        present = self._present(others, training)
        others = ops.where(ops.isnan(others), self.center, others)
        flat = ops.clip((others - self.center) / self.scale, -LIMIT, LIMIT)
        slope = ops.cast(ops.abs(flat) < LIMIT, flat.dtype) / self.scale * present
        flat = flat * present
        # In units of the reference, the divisor of the coefficients drops out, and with it its error. Faint components
        # are small differences of large numbers: they are computed in double precision.
        double = ops.cast(coefficients, "float64")
        unit = ops.matmul(double, ops.cast(self.reference, "float64")[:, None])
        double = double / unit
        z = ops.matmul(double, ops.cast(self.matrix, "float64")) - ops.cast(self.shift, "float64")
        coefficients, unit, z = (ops.cast(array, others.dtype) for array in (double, unit, z))
        parts = [z]
        slopes = [slope]
        if self.scales:
            scales = np.asarray(self.scales, np.float32)
            bent = ops.tanh(others[:, -1:] / scales) * present[:, -1:]
            parts += [flat[:, :-1], bent]
            slopes = [slope[:, :-1], (present[:, -1:] - bent**2) / scales]
        else:
            parts.append(flat)
        if self.indicators:
            parts.append(1 - present)
        if self.context:
            logs = inputs["log_error"] + 0.5 * ops.log(level)
            if self.scales:
                logs = ops.concatenate([logs, _log_error(inputs, level, ops)], axis=-1)
            parts.append(ops.clip((logs - self.context_center) / self.context_scale, -LIMIT, LIMIT))
        drop = self._dropout if training else None
        x, cache = jacobian_mlp.forward(self.trunk, self.parameters[0], ops.concatenate(parts, axis=-1), ops, drop)
        mean, last = jacobian_mlp.forward(self.mean, self.parameters[1], x, ops, drop)
        excess, _ = jacobian_mlp.forward(self.excess, self.parameters[2], x, ops, drop)
        if self.model:
            return ops.concatenate([mean, excess], axis=-1)

        def propagated():
            rows = jacobian_mlp.pullback(self.mean, last, ops.eye(self.outputs, dtype=x.dtype)[None], ops)
            rows = jacobian_mlp.pullback(self.trunk, cache, rows, ops)
            variance = self._variance(rows, slopes, inputs, coefficients, unit) * level
            return variance if self.propagate else ops.stop_gradient(variance)

        variance = ops.cond(self.phase[0] > 0, propagated, lambda: ops.zeros_like(mean))
        return ops.concatenate([mean, excess, 0.5 * ops.log(variance + 1e-10)], axis=-1)

    def _variance(self, rows, slopes, inputs, coefficients, unit):
        """Variances (N, L) that the covariance of the inputs causes."""
        width = self.matrix.shape[-1]
        size = sum(slope.shape[-1] for slope in slopes)
        spectral = ops.reshape(rows[..., :width], (-1, width)) @ ops.transpose(self.matrix)
        spectral = ops.reshape(spectral, (-1, self.outputs, COEFFICIENTS))
        along = ops.sum(spectral * coefficients[:, None, :], axis=-1, keepdims=True)
        variance = self._spectral((spectral - along * self.reference) / unit[:, :, None], inputs)
        other = rows[..., width : width + size] * ops.concatenate(slopes, axis=-1)[:, None, :]
        if self.scales:
            plain = slopes[0].shape[-1]
            other = ops.concatenate([other[..., :plain], ops.sum(other[..., plain:], axis=-1, keepdims=True)], axis=-1)
        return variance + ops.sum(ops.matmul(other, inputs["other_factor"]) ** 2, axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape["coefficients"][0], 3 * self.outputs)

    def get_config(self):
        names = ("outputs", "trunk", "mean", "excess", "components", "context", "scales", "noise", "groups", "rates")
        names += ("first_phase", "propagate", "indicators", "model", "seed")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own}


def _taken(start, name, index):
    """An initialiser that takes one of the arrays that ``start()`` gives."""
    return lambda shape, dtype=None: start()[name][index]


def _log_error(inputs, level, ops):
    """Logarithm of the error of the last one of the other features (N, 1), 0 where it is missing."""
    if "other_factor" in inputs:
        variance = ops.sum(inputs["other_factor"][:, -1, :] ** 2, axis=-1, keepdims=True)
    else:
        variance = inputs["other_covariance"][:, -1, -1:]
    return 0.5 * ops.log(variance * level + 1.0)


def _components(coefficients, count):
    """What the coefficients are divided by (110,), and shift (K,) and matrix (110, K) of the map to the components."""
    # Principal components of the sampled spectra in units of their mean flux, scaled by the square root of their
    # spread: halfway between leaving faint components too small to learn from and blowing up their noise. Combinations
    # of coefficients that the sampled spectra do not show have no weight. With ``count=0`` the coefficients themselves
    # in units of the first one of RP, standardised (constant ones become 0).
    reference = np.eye(COEFFICIENTS)[BAND]
    if not count:
        spread = coefficients.std(axis=0)
        matrix = np.diag(np.where(spread > 1e-7, 1 / np.maximum(spread, 1e-7), 0))
        return reference, coefficients.mean(axis=0) @ matrix, matrix
    from stellarlabels.inputs.xp import designs

    samples, reference, _ = designs()
    coefficients = coefficients / (coefficients @ reference)[:, None]
    flux = coefficients @ samples.T
    center, scale = flux.mean(axis=0), np.maximum(flux.std(axis=0), 1e-9)
    directions = np.linalg.svd((flux - center) / scale, full_matrices=False)[2][:count].T / scale[:, None]
    matrix = np.zeros((COEFFICIENTS, count))
    matrix[:, : directions.shape[1]] = samples.T @ directions
    spread = (coefficients @ matrix).std(axis=0)
    matrix /= np.sqrt(np.maximum(spread, 1e-9))
    return reference, (coefficients @ matrix).mean(axis=0), matrix


@register
def uncertain_mlp(
    *,
    shapes,
    outputs,
    hidden=(),
    activation="relu",
    dropout=0.2,
    blocks=0,
    width=0,
    model=False,
    seed,
    **options,
):
    """The uncertain network: coefficients (N, 110), others (N, C), log_error (N, 12), factors; to (N, 3 L)."""
    # Plain layers as in the paper, or residual blocks; see stages_of and UncertainCore. A covariance is F @ F.T of its
    # factor F: ``bp_factor`` and ``rp_factor`` (N, 55, 55), ``other_factor`` (N, C, C).
    trunk, mean, excess = stages_of(hidden, activation, dropout, blocks, width, outputs, (1 + model) * outputs)
    inputs = {name: keras.Input((shapes[name],), name=name) for name in ("coefficients", "others", "log_error")}
    for name in ("other_covariance",) if model else ("bp_factor", "rp_factor", "other_factor"):
        inputs[name] = keras.Input((shapes[name], shapes[name]), name=name)
    core = UncertainCore(outputs, trunk, mean, excess, model=model, seed=seed, name="uncertain", **options)
    return keras.Model(inputs, core(inputs))


#: Of a student, which has a head for what passes and other networks would say, and nothing random in its training.
uncertain_mlp.student = {"dropout": 0.0, "noise": (), "groups": (), "rates": (), "model": True}
