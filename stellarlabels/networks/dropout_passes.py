"""Dropout passes of a perceptron with the same factors for all stars: as many thinned networks, drawn once.

The perceptron is a list of stages as in ``stellarlabels.networks.jacobian_mlp``. What comes before the first dropout is
computed once. Units that a pass leaves out are not computed in it: their rows and columns are taken from its kernels
when it is made. Stars are columns here, so that taking rows copies whole lines of memory.
"""

import numpy as np

from stellarlabels.networks import jacobian_mlp

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
