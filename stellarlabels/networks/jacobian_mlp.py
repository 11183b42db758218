"""Multilayer perceptrons as plain lists of stages, with exact Jacobians and Monte Carlo dropout.

A network is a list of stages, each a dict that JSON can hold, and a flat list of parameter arrays:

``{"kind": "dense", "units": 128}``
    ``x @ kernel + bias``; two parameters.
``{"kind": "activation", "name": "relu"}``
    One of `ACTIVATIONS`.
``{"kind": "norm"}``
    Layer normalisation with gain and offset; two parameters.
``{"kind": "unit"}``
    The same without them; `folded` makes it of a normalisation in front of a layer.
``{"kind": "dropout", "rate": 0.2, "passes": True}``
    Dropout; ``passes`` says whether it stays on in the passes of a prediction.
``{"kind": "residual", "stages": [...]}``
    The input plus the output of other stages.

Everything is written for the arrays of any library that `matmul` and broadcasting work for: NumPy in predictions, Keras
tensors of any backend in training. The functions that differ are passed as ``ops``: `keras.ops`, or `NumPyOps`.
"""

from types import SimpleNamespace

import numpy as np

#: Added to variances in layer normalisation, as in Keras.
EPSILON = 1e-3


def _erf(x):
    from scipy.special import erf

    return erf(x)


def _sigmoid(x):
    from scipy.special import expit

    return expit(x)


#: The functions of `keras.ops` that the stages need, for NumPy arrays.
NumPyOps = SimpleNamespace(
    cast=lambda x, dtype: x.astype(dtype),
    erf=_erf,
    exp=np.exp,
    maximum=np.maximum,
    mean=np.mean,
    reshape=np.reshape,
    sigmoid=_sigmoid,
    sqrt=np.sqrt,
    tanh=np.tanh,
    transpose=np.transpose,
)


def _relu(x, ops):
    return ops.maximum(x, 0.0), ops.cast(x > 0, x.dtype)


def _leaky_relu(x, ops):
    """With the negative slope of the CSNet paper, 0.01."""
    slope = 0.01 + 0.99 * ops.cast(x > 0, x.dtype)
    return x * slope, slope


def _tanh(x, ops):
    y = ops.tanh(x)
    return y, 1 - y * y


def _silu(x, ops):
    s = ops.sigmoid(x)
    y = x * s
    return y, s + y * (1 - s)


def _gelu(x, ops):
    share = 0.5 + 0.5 * ops.erf(x * 0.7071067811865476)
    return x * share, share + x * ops.exp(-0.5 * x * x) * 0.3989422804014327


#: Activations by name: value and derivative.
ACTIVATIONS = {"relu": _relu, "leaky_relu": _leaky_relu, "tanh": _tanh, "silu": _silu, "gelu": _gelu}


def initial(stages, size, rng):
    """Starting parameters (list of arrays) for so many inputs, Glorot-uniform and 0; and the number of outputs."""
    out = []
    for stage in stages:
        if stage["kind"] == "dense":
            limit = np.sqrt(6 / (size + stage["units"]))
            out += [rng.uniform(-limit, limit, (size, stage["units"])), np.zeros(stage["units"])]
            size = stage["units"]
        elif stage["kind"] == "norm":
            out += [np.ones(size), np.zeros(size)]
        elif stage["kind"] == "residual":
            inner, _ = initial(stage["stages"], size, rng)
            out += inner
    return [array.astype(np.float32) for array in out], size


def shapes(stages, size):
    """Shapes of the parameters of stages with so many inputs (list of tuple of int), and the number of outputs."""
    out = []
    for stage in stages:
        if stage["kind"] == "dense":
            out += [(size, stage["units"]), (stage["units"],)]
            size = stage["units"]
        elif stage["kind"] == "norm":
            out += [(size,), (size,)]
        elif stage["kind"] == "residual":
            out += shapes(stage["stages"], size)[0]
    return out, size


def count_parameters(stages):
    """Number of parameter arrays."""
    return sum(
        2 if stage["kind"] in ("dense", "norm") else count_parameters(stage.get("stages", ())) for stage in stages
    )


def forward(stages, parameters, x, ops=NumPyOps, drop=None, keep=True):
    """Outputs (..., outputs) for inputs (..., size), and what `pullback` needs; ``drop(x, stage)`` drops units."""
    cache, at = [], 0
    for stage in stages:
        kind, kept = stage["kind"], None
        if kind == "dense":
            x = x @ parameters[at] + parameters[at + 1]
            kept = parameters[at]
            at += 2
        elif kind == "activation":
            x, kept = ACTIVATIONS[stage["name"]](x, ops)
        elif kind in ("norm", "unit"):
            x = x - ops.mean(x, axis=-1, keepdims=True)
            inverse = 1 / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + EPSILON)
            x = x * inverse
            kept = (x, inverse)
            if kind == "norm":
                kept = (*kept, parameters[at])
                x = x * parameters[at] + parameters[at + 1]
                at += 2
        elif kind == "residual":
            size = count_parameters(stage["stages"])
            y, kept = forward(stage["stages"], parameters[at : at + size], x, ops, drop, keep)
            x = x + y
            at += size
        elif drop is not None:
            kept = drop(x, stage)
            x = x * kept
        cache.append(kept if keep else None)
    return x, cache


def pullback(stages, cache, rows, ops=NumPyOps):
    """Derivatives (N, L, size) by the chain rule from those with respect to the outputs (N, L, outputs) back."""
    for stage, kept in zip(reversed(stages), reversed(cache), strict=True):
        kind = stage["kind"]
        if kind == "dense":
            rows = _times(rows, ops.transpose(kept), ops)
        elif kind == "activation":
            rows = _scaled(rows, kept[:, None, :], ops)
        elif kind == "norm":
            unit, inverse, gain = kept
            rows = rows * gain
            unit = unit[:, None, :]
            along = ops.mean(rows * unit, axis=-1, keepdims=True)
            rows = (rows - ops.mean(rows, axis=-1, keepdims=True) - unit * along) * inverse[:, None, :]
        elif kind == "unit":  # rows have no mean, since the kernel behind has none
            unit, inverse = kept
            along = rows @ (unit * (inverse / unit.shape[-1]))[:, :, None]
            rows = _scaled(rows, inverse[:, None, :], ops)
            rows -= along * unit[:, None, :]
        elif kind == "residual":
            rows = rows + pullback(stage["stages"], kept, rows, ops)
        elif kept is not None:
            rows = rows * kept[:, None, :]
    return rows


def _scaled(rows, factors, ops):
    """``rows * factors``, in place where rows are a NumPy array of that shape that nobody else has."""
    if ops is NumPyOps and len(rows) == len(factors):
        return np.multiply(rows, factors, out=rows)
    return rows * factors


def _times(rows, kernel, ops):
    """``rows @ kernel`` for rows (N, L, w) as one product of two matrices, not N small ones."""
    count, width = rows.shape[1:]
    return ops.reshape(ops.reshape(rows, (-1, width)) @ kernel, (-1, count, kernel.shape[-1]))


def folded(stages, parameters):
    """The same network with the gains, offsets and means of normalisations in the layers that follow, for NumPy."""
    out, kept, at, pending = [], [], 0, None
    for number, stage in enumerate(stages):
        size = count_parameters([stage])
        own, at = parameters[at : at + size], at + size
        if stage["kind"] == "residual":
            inner, own = folded(stage["stages"], own)
            stage = {**stage, "stages": inner}
        elif stage["kind"] == "norm" and number + 1 < len(stages) and stages[number + 1]["kind"] == "dense":
            pending, stage, own = own, {"kind": "unit"}, []
        elif pending is not None:
            own, pending = _behind(pending, own), None
        out.append(stage)
        kept += own
    return out, kept


def _behind(norm, dense):
    """Kernel and offset of a layer behind a normalisation that has its gain and offset in them."""
    (gain, offset), (kernel, bias) = norm, dense
    scaled = np.asarray(gain, np.float64)[:, None] * kernel
    bias = bias + np.asarray(offset, np.float64) @ kernel
    return [(scaled - scaled.mean(axis=0)).astype(np.float32), bias.astype(np.float32)]


def drop_factors(stages, size, passes, rng):
    """Fixed dropout factors (passes, width), 0 or 1 / (1 - rate), of each stage of dropout that stays on."""
    out = []
    for stage in stages:
        if stage["kind"] == "dense":
            size = stage["units"]
        elif stage["kind"] == "residual":
            out += drop_factors(stage["stages"], size, passes, rng)
        elif stage["kind"] == "dropout" and stage.get("passes", True):
            kept = rng.random((passes, size)) >= stage["rate"]
            out.append((kept / (1 - stage["rate"])).astype(np.float32))
    return out
