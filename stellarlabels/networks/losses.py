"""Likelihoods.

A network for L labels returns (N, 2 L) numbers: L means and L logarithms of standard deviations, in units of the scaled
labels. The targets are (N, 3 L) numbers made by `pack`: values, their standard errors, and 1 or 0 for known or not.
"""

import numpy as np
from keras import ops

from stellarlabels.registry import Registry

LOSSES = Registry("loss")

#: How much squares of logarithms of errors count beside those of means in units of the teacher's error.
LOGS = 0.2

register = LOSSES.register


def pack(values, errors):
    """Targets (N, 3 L) in float32 from scaled labels and errors (N, L); NaN for unknown labels and errors."""
    known = np.isfinite(values)
    parts = [np.where(known, values, 0), np.where(np.isfinite(errors), errors, 0), known]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _columns(y_true, y_pred):
    value, error, known = ops.split(y_true, 3, axis=-1)
    mean, log_sigma = ops.split(y_pred, 2, axis=-1)
    return value, error, known, mean, ops.exp(ops.clip(log_sigma, -7.0, 4.0))


def _normal(square, variance):
    """Negative Gaussian log-likelihood from squared residual and variance, without its constant."""
    return 0.5 * (square / variance + ops.log(variance))


def _wide(square, variance, freedom=5.0):
    """The same for Student's t."""
    return 0.5 * (freedom + 1) * ops.log1p(square / (freedom * variance)) + 0.5 * ops.log(variance)


@register
def gaussian(y_true, y_pred):
    """Negative Gaussian log-likelihood, summed over the known labels, without its constant."""
    # The variance is the network's plus that of the label. For one label without error this is Eq. 10 of the UA-CSNet
    # paper, (y - mean)^2 / (2 sigma^2) + log(sigma).
    value, error, known, mean, sigma = _columns(y_true, y_pred)
    return ops.sum(known * _normal((value - mean) ** 2, sigma**2 + error**2), axis=-1)


@register
def student_t(y_true, y_pred):
    """Negative log-likelihood of Student's t with 5 degrees of freedom, without its constant."""
    # Its heavy wings keep single wrong labels from pulling at the network.
    value, error, known, mean, sigma = _columns(y_true, y_pred)
    return ops.sum(known * _wide((value - mean) ** 2, sigma**2 + error**2), axis=-1)


@register
def squared(y_true, y_pred):
    """Squared residuals of means (N, L), summed over known labels; CSNet's Eq. 8 without weights and L2 term."""
    value, _, known = ops.split(y_true, 3, axis=-1)
    return ops.sum(known * (value - y_pred) ** 2, axis=-1)


def with_parallaxes(is_parallax, center, scale):
    """Student's t likelihood in which some of the L labels are absolute magnitudes known through parallaxes."""
    # The target of such a label is a pseudo-luminosity p with a Gaussian error s (see labels.training). With the
    # network's mean and sigma turned into an absolute magnitude M and its error (the label is center + scale * mean),
    # the model of p is q = 10**(0.2 (M + 10)) with the variance s^2 + (0.2 ln(10) q sigma_M)^2. Nothing is divided by a
    # parallax.
    special = np.asarray(is_parallax, np.float32)
    center, scale = np.asarray(center, np.float32), np.asarray(scale, np.float32)
    slope = 0.2 * np.log(10.0)

    def loss(y_true, y_pred):
        value, error, known, mean, sigma = _columns(y_true, y_pred)
        exponent = slope * (center + scale * ops.clip(mean, -8.0, 8.0) + 10.0) * special
        model = ops.exp(exponent)
        relative = _wide((value / model - 1) ** 2, (error / model) ** 2 + (slope * scale * sigma) ** 2) + exponent
        plain = _wide((value - mean) ** 2, sigma**2 + error**2)
        return ops.sum(known * (special * relative + (1 - special) * plain), axis=-1)

    return loss


def _propagated_columns(y_true, y_pred):
    """Known labels, squared residuals, and total variances, for networks that propagate the errors of their inputs."""
    value, error, known = ops.split(y_true, 3, axis=-1)
    mean, log_excess, log_input = ops.split(y_pred, 3, axis=-1)
    variance = ops.exp(2 * ops.clip(log_excess, -7.0, 4.0)) + ops.exp(2 * log_input) + error**2
    return known, (value - mean) ** 2, variance


@register
def propagated_gaussian(y_true, y_pred):
    """Negative Gaussian log-likelihood of Fallows & Sanders (Eqs. 6 to 10), summed over the known labels."""
    # The variance is the sum of the label's own, that which the covariance of the inputs causes, and the learned
    # excess. The scatter of the dropout passes, the fourth term of Eq. 10, is not added: in training each residual is
    # that of one pass and has this scatter in it already. (Eq. 9 is the negative logarithm, to be minimised, though the
    # paper calls it the logarithm.) "y_pred" (N, 3 L): means, logarithms of excess errors, logarithms of errors from
    # the inputs.
    known, square, variance = _propagated_columns(y_true, y_pred)
    return ops.sum(known * _normal(square, variance), axis=-1)


@register
def propagated_student_t(y_true, y_pred):
    """As `propagated_gaussian`, with Student's t of 5 degrees of freedom in place of the Gaussian."""
    known, square, variance = _propagated_columns(y_true, y_pred)
    return ops.sum(known * _wide(square, variance), axis=-1)


def _taught(y_true, y_pred, parts):
    """How far a student is from its teacher: means in units of the teacher's error, and logarithms of errors."""
    goals, logs = ops.split(y_true, parts, axis=-1), y_pred[..., y_pred.shape[-1] // parts :]
    error = ops.sqrt(sum(ops.exp(2 * ops.clip(log, -7.0, 4.0)) for log in goals[1:]))
    off = (goals[0] - y_pred[..., : goals[0].shape[-1]]) / error
    logs = logs - ops.concatenate(goals[1:], axis=-1)
    return ops.sum(ops.sqrt(1 + off**2) - 1, axis=-1) + LOGS * ops.sum(logs**2, axis=-1)


@register
def taught(y_true, y_pred):
    """Of a student (N, 2 L): means and logarithms of errors; targets are the teacher's, packed alike."""
    return _taught(y_true, y_pred, 2)


@register
def taught_terms(y_true, y_pred):
    """Of a student that propagates errors (N, 3 L): means, logarithms of excess and model errors."""
    return _taught(y_true, y_pred, 3)


#: Whether a loss knows the means alone, no errors.
squared.means_only = True


def get(name):
    """The loss called ``name``; `InputError` if there is none."""
    return LOSSES.get(name)
