"""Predictions of uncertain networks with NumPy: dropout passes, Jacobians and errors from the inputs, without Keras.

One pass through a block of stars that fits into the processor's cache gives everything. Nothing of the size of a
115 x 115 covariance is made: variances are computed on packed blocks, see ``stellarlabels.inputs.xp.packed``.
"""

from dataclasses import dataclass

import numpy as np

from stellarlabels.inputs.xp import SIZES
from stellarlabels.networks import jacobian_mlp
from stellarlabels.threads import in_threads

#: Stars that are computed at once: layers of so many fit into the cache of a processor.
BLOCK = 256


class Passes:
    """The passes of a network, ready to run, from stages, parameters, and dropout factors (P, width) of each."""

    def __init__(self, stages, parameters, factors):
        steps = list(_steps(stages, iter(parameters)))
        first = next((index for index, (kind, *_) in enumerate(steps) if kind == "dropout"), len(steps) - 1)
        self._shared = _thinned(steps[:first], ())
        self._single = [_precise(_thinned(steps[first:], own)) for own in list(zip(*factors, strict=True)) or [()]]
        self._outputs = next(len(arrays[1]) for kind, *arrays in reversed(steps) if kind == "dense")

    def __call__(self, x):
        """Outputs (P, outputs, N) of all passes for inputs (N, size); of one pass if there is no dropout."""
        out = np.empty((len(self._single), self._outputs, len(x)))
        for start in range(0, len(x), BLOCK):
            stars = slice(start, start + BLOCK)
            state = _run(self._shared, np.ascontiguousarray(x[stars].T, np.float32), ())
            for steps, one in zip(self._single, out, strict=True):
                one[:, stars] = _run(steps, *state)[0]
        return out


def _steps(stages, parameters):
    """The stages in the order in which they are computed, with their parameters."""
    for stage in stages:
        kind = stage["kind"]
        if kind in ("dense", "norm"):
            yield kind, next(parameters), next(parameters)
        elif kind == "activation":
            yield kind, stage["name"]
        elif kind == "unit":
            yield (kind,)
        elif kind == "residual":
            yield ("keep",)
            yield from _steps(stage["stages"], parameters)
            yield ("add",)
        elif stage.get("passes", True):
            yield ("dropout",)


def _thinned(steps, factors):
    """Steps of a pass on columns of stars without the units that its dropout factors (width,) leave out."""
    factors = iter(factors)
    steps = [(kind, next(factors)) if kind == "dropout" else (kind, *arrays) for kind, *arrays in steps]
    out, left, pending = [], None, None
    for index, (kind, *arrays) in enumerate(steps):
        after = steps[index + 1 :]
        if kind == "dropout" and _is_dense(after):
            pending = arrays[0]
            rows = np.flatnonzero(pending)
            if left is None:
                out.append(("take", rows))
        elif kind == "dropout":
            out.append(("scale", arrays[0][:, None]))
        elif kind == "dense":
            kernel, offset = arrays
            if pending is not None:
                kernel, pending = pending[rows, None] * kernel[rows], None
            left = _left(after)
            if left is not None:
                kernel, offset = kernel[:, left], offset[left]
            out.append((kind, np.ascontiguousarray(kernel.T), offset[:, None].copy()))
        elif kind == "norm":
            out.append((kind, *(array[:, None].copy() for array in arrays)))
        else:
            out.append((kind, *arrays))
    return out


def _precise(steps):
    """The same steps with the last layer, whose terms cancel, in double precision."""
    last = max(index for index, (kind, *_) in enumerate(steps) if kind == "dense")
    kind, kernel, offset = steps[last]
    return [*steps[:last], (kind, kernel.astype(np.float64), offset), *steps[last + 1 :]]


def _is_dense(steps):
    return bool(steps) and steps[0][0] == "dense"


def _left(steps):
    """Units that a dropout leaves of an output that only activations come between; None if there is none."""
    for index, (kind, *arrays) in enumerate(steps):
        if kind == "dropout" and _is_dense(steps[index + 1 :]):
            return np.flatnonzero(arrays[0])
        if kind != "activation":
            break
    return None


def _run(steps, x, kept):
    """Columns after some steps, and those that are kept for a later sum; ``x`` itself is not changed."""
    own = False  # whether nobody else needs x as it is
    for kind, *arrays in steps:
        if kind == "dense":
            kernel, offset = arrays
            x = kernel @ x
            x += offset
        elif kind == "take":
            x = np.take(x, arrays[0], axis=0)
        elif kind == "activation" and arrays[0] == "relu":
            x = np.maximum(x, 0.0, out=x if own else None)
        elif kind == "activation":
            x, _ = jacobian_mlp.ACTIVATIONS[arrays[0]](x, jacobian_mlp.NumPyOps)
        elif kind in ("norm", "unit"):
            x = x - x.mean(axis=0)
            x *= 1 / np.sqrt(np.einsum("un,un->n", x, x) / len(x) + jacobian_mlp.EPSILON)
            if arrays:
                x *= arrays[0]
                x += arrays[1]
        elif kind == "scale":
            x = x * arrays[0]
        elif kind == "keep":
            kept = (*kept, x)
        else:
            x = x + kept[-1]
            kept = kept[:-1]
        own = kind != "keep"
    return x, kept


#: Dropout passes of a prediction (the paper's Section 3.1.1).
PASSES = 50

#: Coefficients of a band, and of both.
BAND, COEFFICIENTS = SIZES["bp"], sum(SIZES.values())

#: Standardised features are clipped to plus or minus this.
LIMIT = 6.0


@dataclass
class Terms:
    """What the networks of an ensemble say of N stars, in scaled labels; without propagation some terms are 0."""

    # "mean" (N, L) of the networks' medians of their dropout passes; variances (N, L): "dropout" of the passes of a
    # network, averaged, "spread" of the networks' means, "inputs_each" that the errors of the inputs cause in a
    # network, averaged, "excess" learned, averaged; "inputs" (N, L, L) or None, the covariance that they cause in the
    # mean of the networks.

    mean: np.ndarray
    dropout: np.ndarray
    spread: np.ndarray
    inputs: np.ndarray
    inputs_each: np.ndarray
    excess: np.ndarray


class Propagation:
    """The networks of an ensemble, ready to predict: a core of each, dropout passes shared evenly, and their seed."""

    # The same dropout factors are used for all stars, so that a prediction does not depend on which other stars are in
    # the table: the passes are so many thinned networks, drawn once.

    def __init__(self, cores, passes=PASSES, seed=0):
        each = -(-passes // len(cores))
        self.networks = [_Network(core, each, seed + 7919 * number) for number, core in enumerate(cores)]

    @classmethod
    def of(cls, networks, passes=PASSES, seed=0):
        """The same from whole networks (`keras.Model`) made by ``stellarlabels.networks.uncertain.uncertain_mlp``."""
        return cls([network.get_layer("uncertain") for network in networks], passes, seed)

    def __call__(self, arrays):
        """`Terms` of the arrays of `stellarlabels.inputs.xp.XPCoefficients`."""
        count, labels = len(arrays["coefficients"]), self.networks[0].outputs
        flat = {name: np.empty((count, labels)) for name in ("mean", "dropout", "spread", "inputs_each", "excess")}
        out = Terms(**flat, inputs=np.empty((count, labels, labels)))

        def fill(start):
            rows = slice(start, start + BLOCK)
            self._block({name: array[rows] for name, array in arrays.items()}, out, rows)

        in_threads(fill, range(0, count, BLOCK))
        return out

    def said(self, arrays):
        """Means, excess and model variances (N, L), without dropout in the means and errors from the inputs."""
        out = np.empty((3, len(arrays["coefficients"]), self.networks[0].outputs))

        def fill(start):
            rows = slice(start, start + BLOCK)
            own = {name: array[rows] for name, array in arrays.items()}
            means, excess, dropout = np.swapaxes([network.said(own) for network in self.networks], 0, 1)
            out[:, rows] = means.mean(axis=0), excess.mean(axis=0), dropout.mean(axis=0) + means.var(axis=0)

        in_threads(fill, range(0, out.shape[1], BLOCK))
        return out

    def jacobian(self, arrays):
        """Derivatives of the means by coefficients (N, L, 110) and other features (N, L, C), without dropout."""
        runs = [network.run(arrays, passes=False) for network in self.networks]
        return tuple(np.mean([run[index] for run in runs], axis=0) for index in (3, 4))

    def _block(self, arrays, out, rows):
        runs = [network.run(arrays) for network in self.networks]
        passes = np.stack([run[0].transpose(2, 1, 0) for run in runs], axis=2)  # stars, labels, networks, passes
        passes.sort(axis=-1)
        count, labels, size, number = passes.shape
        out.mean[rows] = 0.5 * (passes[..., (number - 1) // 2] + passes[..., number // 2]).mean(axis=2)
        means = passes.mean(axis=3)
        out.spread[rows] = means.var(axis=2)
        passes -= means[..., None]
        out.excess[rows], out.dropout[rows] = (sum(run[index] for run in runs) / size for index in (1, 2))
        out.dropout[rows] += np.einsum("nlkp,nlkp->nl", passes, passes) / (size * number)
        spectral, other = (np.concatenate([run[index] for run in runs], axis=1) for index in (3, 4))
        covariance = _spectral_covariance(spectral, _triangles(arrays))
        covariance += (other @ arrays["other_covariance"]) @ np.swapaxes(other, 1, 2)
        covariance = covariance.reshape(count, size, labels, size, labels)
        out.inputs_each[rows] = np.einsum("nklkl->nl", covariance) / size
        out.inputs[rows] = covariance.mean(axis=(1, 3))


class _Network:
    """Parameters of one network as plain arrays."""

    def __init__(self, core, passes, seed):
        plain = {
            name: np.asarray(getattr(core, name), np.float32)
            for name in ("reference", "matrix", "shift", "center", "scale", "context_center", "context_scale")
        }
        self.__dict__.update(plain)
        parameters = [[np.asarray(array, np.float32) for array in group] for group in core.parameters]
        self.stages, self.parameters = _without_gains([core.trunk, core.mean, core.excess], parameters)
        self.outputs, self.context, self.indicators = core.outputs, core.context, core.indicators
        self.scales = np.asarray(core.scales, np.float32)
        trunk = self.stages[0]
        rng = np.random.default_rng(seed)
        self.factors = jacobian_mlp.drop_factors(trunk, len(self.parameters[0][0]), passes, rng)
        #: Stages of the trunk in front of the first dropout of the passes, and the number of their parameters.
        self.first = next(
            (index for index, stage in enumerate(trunk) if jacobian_mlp.drop_factors([stage], 1, 0, rng)), len(trunk)
        )
        self.own = jacobian_mlp.count_parameters(trunk[: self.first])
        self.leave_out(self.factors)

    def leave_out(self, factors):
        """Make the passes of dropout factors."""
        stages = [*self.stages[0][self.first :], *self.stages[1]]
        self.passes = Passes(stages, [*self.parameters[0][self.own :], *self.parameters[1]], factors)

    def said(self, arrays):
        """Mean without dropout, excess variance, and model variance of the passes or learned, (N, L) each."""
        start, x, _ = self._trunk(self._inputs(arrays)[0], keep=False)
        mean, _ = jacobian_mlp.forward(self.stages[1], self.parameters[1], x, keep=False)
        excess, model = self._variances(x)
        return mean, excess, model + self.passes(start).var(axis=0).T

    def _trunk(self, z, keep=True):
        """What the passes begin with, outputs of the trunk (N, W), and what `jacobian_mlp.pullback` needs."""
        before, after = self.stages[0][: self.first], self.stages[0][self.first :]
        start, cache = jacobian_mlp.forward(before, self.parameters[0][: self.own], z, keep=keep)
        x, rest = jacobian_mlp.forward(after, self.parameters[0][self.own :], start, keep=keep)
        return start, x, cache + rest

    def _variances(self, x):
        """Excess variance, and learned model variance or 0, (N, L) each, from outputs of the trunk."""
        logs, _ = jacobian_mlp.forward(self.stages[2], self.parameters[2], x, keep=False)
        found = np.exp(2 * np.clip(logs, -7.0, 4.0))
        excess, model = found[:, : self.outputs], found[:, self.outputs :]
        return excess, model if model.size else np.zeros_like(excess)

    def run(self, arrays, passes=True):
        """Passes (P, L, N), excess and model variance (N, L), derivatives (N, L, 110) and (N, L, C)."""
        # The derivatives with respect to the coefficients are those of a function in which their divisor drops out:
        # they are orthogonal to the coefficients.
        z, slopes, coefficients, unit = self._inputs(arrays)
        trunk, mean, _ = self.stages
        start, x, cache = self._trunk(z)
        outputs = self.passes(start) if passes else None
        _, last = jacobian_mlp.forward(mean, self.parameters[1], x)
        rows = jacobian_mlp.pullback(mean, last, np.eye(self.outputs, dtype=np.float32)[None])
        rows = jacobian_mlp.pullback(trunk, cache, rows)
        rows = np.broadcast_to(rows, (len(z), *rows.shape[1:]))
        width = self.matrix.shape[1]
        spectral = (rows[..., :width].reshape(-1, width) @ self.matrix.T).reshape(len(z), self.outputs, COEFFICIENTS)
        along = spectral @ coefficients[:, :, None]
        spectral -= along * self.reference
        spectral /= unit[:, :, None]
        other = rows[..., width : width + slopes.shape[1]] * slopes[:, None, :]
        if self.scales.size:
            plain = slopes.shape[1] - self.scales.size
            other = np.concatenate([other[..., :plain], other[..., plain:].sum(axis=-1, keepdims=True)], axis=-1)
        return outputs, *self._variances(x), spectral, other

    def _inputs(self, arrays):
        """Inputs (N, Z) of the trunk, slopes of other features, coefficients in units of the reference, that unit."""
        coefficients, others = arrays["coefficients"], arrays["others"]
        double = coefficients.astype(np.float64)
        unit = (double @ self.reference)[:, None]
        double /= unit
        z = (double @ self.matrix - self.shift).astype(np.float32)
        coefficients, unit = double.astype(np.float32), unit.astype(np.float32)
        present = np.isfinite(others).astype(np.float32)
        others = np.where(present > 0, others, self.center)
        flat = np.clip((others - self.center) / self.scale, -LIMIT, LIMIT)
        slope = (np.abs(flat) < LIMIT) / self.scale * present
        flat = flat * present
        parts, slopes = [z, flat], slope
        if self.scales.size:
            bent = np.tanh(others[:, -1:] / self.scales) * present[:, -1:]
            parts[1:] = [flat[:, :-1], bent]
            slopes = np.concatenate([slope[:, :-1], (present[:, -1:] - bent**2) / self.scales], axis=1)
        if self.indicators:
            parts.append(1 - present)
        if self.context:
            parts.append(self._context(arrays))
        return np.concatenate(parts, axis=1), slopes, coefficients, unit

    def _context(self, arrays):
        """Standardised logarithms of the errors of the spectrum and of the pseudo-magnitude."""
        logs = arrays["log_error"]
        if self.scales.size:
            logs = np.concatenate([logs, 0.5 * np.log(arrays["other_covariance"][:, -1, -1:] + 1.0)], axis=1)
        return np.clip((logs - self.context_center) / self.context_scale, -LIMIT, LIMIT)


def _without_gains(stages, parameters):
    """Stages and parameters of trunk and heads after `jacobian_mlp.folded`; the last norm is taken into both heads."""
    (trunk, *heads), (own, *others) = stages, parameters
    last, end = [], []
    if trunk[-1]["kind"] == "norm":
        folds = [
            jacobian_mlp.folded([trunk[-1], *head], [*own[-2:], *mine])
            for head, mine in zip(heads, others, strict=True)
        ]
        others, last, end = [mine for _, mine in folds], [{"kind": "unit"}], own[-2:]
    trunk, own = jacobian_mlp.folded(trunk[: len(trunk) - len(last)], own[: len(own) - len(end)])
    return ([*trunk, *last], *heads), [own, *others]


def _triangles(arrays):
    """Covariances of both bands (N, 55, 55) as lower triangles with half of the diagonal: ``C = T + T.T``."""
    out = []
    for band in ("bp", "rp"):
        block = arrays[f"{band}_covariance"]
        triangle = np.zeros((len(block), BAND, BAND), np.float32)
        for row in range(BAND):
            start = row * (row + 1) // 2
            triangle[:, row, :row] = block[:, start : start + row]
            triangle[:, row, row] = 0.5 * block[:, start + row]
        out.append(triangle)
    return out


def _spectral_covariance(rows, triangles):
    """Covariances (N, L, L) of functions with derivatives ``rows`` (N, L, 110) with respect to the coefficients."""
    parts = zip((rows[..., :BAND], rows[..., BAND:]), triangles, strict=True)
    half = sum((part @ triangle) @ np.swapaxes(part, 1, 2) for part, triangle in parts)
    return half + np.swapaxes(half, 1, 2)
