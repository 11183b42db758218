"""Likelihoods.

A network for L labels returns (N, 2 L) numbers: L means and L logarithms of standard deviations, in units of the scaled
labels. The targets are (N, 3 L) numbers made by `pack`: values, their standard errors, and 1 or 0 for known or not.
"""

import numpy as np
from keras import ops

__all__ = ["pack", "gaussian", "student_t", "get"]


def pack(values, errors):
    """Targets for the likelihoods of this module.

    Parameters
    ----------
    values, errors : array_like, shape (N, L)
        Scaled labels and their standard errors; NaN in values for unknown labels, in errors for unknown errors (taken
        as 0).

    Returns
    -------
    `~numpy.ndarray` of float32, shape (N, 3 L)
    """
    known = np.isfinite(values)
    parts = [np.where(known, values, 0), np.where(np.isfinite(errors), errors, 0), known]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _split(y_true, y_pred):
    value, error, known = ops.split(y_true, 3, axis=-1)
    mean, log_sigma = ops.split(y_pred, 2, axis=-1)
    variance = ops.exp(2 * ops.clip(log_sigma, -7.0, 4.0)) + error**2
    return (value - mean) ** 2, variance, known


def gaussian(y_true, y_pred):
    """Negative Gaussian log-likelihood, summed over the known labels, without its constant.

    The variance is the network's plus that of the label. For one label without error this is Eq. 10 of the UA-CSNet
    paper, ``(y - mean)^2 / (2 sigma^2) + log(sigma)``.
    """
    square, variance, known = _split(y_true, y_pred)
    return ops.sum(known * 0.5 * (square / variance + ops.log(variance)), axis=-1)


def student_t(y_true, y_pred, freedom=5.0):
    """Negative log-likelihood of Student's t with ``freedom`` degrees of freedom, without its constant.

    Its heavy wings keep single wrong labels from pulling at the network.
    """
    square, variance, known = _split(y_true, y_pred)
    wings = 0.5 * (freedom + 1) * ops.log1p(square / (freedom * variance))
    return ops.sum(known * (wings + 0.5 * ops.log(variance)), axis=-1)


def get(name):
    """The likelihood called ``name``."""
    return {"gaussian": gaussian, "student_t": student_t}[name]
