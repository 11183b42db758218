"""Are the errors honest? Pulls, coverage, and a recorded recalibration of predicted errors."""

from dataclasses import dataclass, field

import numpy as np

#: Probability inside one standard deviation of a Gaussian.
ONE_SIGMA = 0.6826894921370859

#: Standard deviation of a Gaussian over its median absolute deviation.
MAD_TO_SIGMA = 1.482602218505602


def robust_scatter(residual):
    """1.4826 times the median absolute deviation from the median, NaN left out.

    Returns
    -------
    float
        NaN if there is no value.
    """
    residual = np.asarray(residual, float)
    residual = residual[np.isfinite(residual)]
    if residual.size == 0:
        return np.nan
    return float(MAD_TO_SIGMA * np.median(np.abs(residual - np.median(residual))))


def pulls(predicted, error, reference, reference_error=0.0):
    """Residuals in units of their expected standard deviation.

    Parameters
    ----------
    predicted, error : array_like
        Predicted labels and their total standard errors.
    reference, reference_error : array_like
        Labels compared with and their standard errors; a missing (NaN) reference error counts as 0.

    Returns
    -------
    `~numpy.ndarray`
        ``(predicted - reference) / sqrt(error^2 + reference_error^2)``.
    """
    extra = np.nan_to_num(np.asarray(reference_error, float))
    return (np.asarray(predicted, float) - reference) / np.hypot(np.asarray(error, float), extra)


def coverage(pull, sigma=1.0):
    """Share of pulls within ``sigma``, NaN left out; 0.683 is right for one sigma."""
    pull = np.asarray(pull, float)
    pull = pull[np.isfinite(pull)]
    return float(np.mean(np.abs(pull) < sigma)) if pull.size else np.nan


def pit(predicted, error, reference, reference_error=0.0):
    """Probability integral transform, 0 to 1: where in its predicted Gaussian each reference lies; NaN if missing."""
    # Uniform if the predicted distributions are right; piled up at both ends if the errors are too small, in the middle
    # if they are too large (Dawid 1984, J. R. Stat. Soc. A 147, 278).
    from scipy.special import ndtr

    return ndtr(-pulls(predicted, error, reference, reference_error))


def reliability(predicted, error, reference, reference_error=0.0, *, levels=None):
    """Share of the references inside central intervals: a QTable of ``expected``, ``observed``, ``sampling_error``."""
    # "levels" are probabilities, by default 0.05 to 0.95 in steps of 0.05. The last column is the standard error of the
    # observed share if the expected one is right.
    from astropy.table import QTable
    from scipy.special import ndtri

    levels = np.arange(1, 20) / 20 if levels is None else np.asarray(levels, float)
    pull = np.abs(pulls(predicted, error, reference, reference_error))
    pull = np.sort(pull[np.isfinite(pull)])
    inside = np.searchsorted(pull, ndtri(0.5 + levels / 2), side="right")
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = inside / np.float64(pull.size)
        sampling = np.sqrt(levels * (1 - levels) / pull.size)
    return QTable({"expected": levels, "observed": observed, "sampling_error": sampling})


#: How often the factors along each axis are found, where those of all axes are multiplied.
ROUNDS = 4


def combine(means, sigmas, *, calibrated=False):
    """Mean and standard deviation (N, L) of an ensemble from those of its networks (K, N, L)."""
    # With errors as the networks give them, the variance is the mean variance (aleatoric) plus the variance of the
    # means (epistemic), that of an equal mixture. Calibrated errors contain both already; the mean of the networks is
    # then better than the single ones by the variance of the means (the ambiguity decomposition of Krogh & Vedelsby
    # 1995), which is subtracted, though never more than three quarters.
    means, sigmas = np.asarray(means), np.asarray(sigmas)
    variance, spread = np.mean(sigmas**2, axis=0), means.var(axis=0)
    total = reduced(variance, spread) if calibrated else variance + spread
    return means.mean(axis=0), np.sqrt(total)


def reduced(variance, gained):
    """Variance of the mean of several networks: theirs less that about their mean, a quarter of theirs at least."""
    return np.maximum(variance - gained, variance / 4)


@dataclass
class Calibration:
    """Factors on predicted errors as functions of the star's magnitude or signal-to-noise ratio.

    Parameters
    ----------
    curves : dict of str to tuple of `~numpy.ndarray`
        For each axis ("magnitude", "log_snr") its knots, shape (K,), and the factors of each label there, shape (K, L).
        Between the knots the factors are linear, outside constant. The first axis that is known for a star counts; with
        none known the median factor of the first. No curve: errors stay as they are.
    product : bool
        Whether the factors of all axes are multiplied, instead; of an axis that is unknown for a star the median one.
    rest : `~numpy.ndarray`, shape (L,), or None
        For systems whose errors have a term that the errors of the inputs cause: factors on the variance of the other
        terms, before the curves; see `balance`. None stands for 1.
    """

    curves: dict = field(default_factory=dict)
    product: bool = False
    rest: np.ndarray | None = None

    @classmethod
    def fit(
        cls,
        predicted,
        error,
        reference,
        reference_error,
        axes,
        knots=8,
        least=100,
        levels=(ONE_SIGMA,),
        product=False,
        gained=None,
    ):
        """Find the factors for which one-sigma intervals hold 68.3 % of the stars.

        Parameters
        ----------
        predicted, error, reference, reference_error : `~numpy.ndarray`, shape (N, L)
            For stars that the predicting network was not trained on. NaN in the reference for unknown labels.
        axes : dict of str to `~numpy.ndarray`, shape (N,)
            Values of each axis, NaN where unknown; the most important axis first.
        knots : int
            Largest number of bins, with equal numbers of stars.
        least : int
            Smallest number of stars in a bin; with fewer stars than this on an axis it gets no curve.
        levels : sequence of float
            Shares of the stars that the central intervals of these probabilities are to hold. The residuals are no
            perfect Gaussians, so that different levels ask for different factors: their geometric mean is taken.
        product : bool
            Whether the factors of the axes are multiplied; those of each axis are then found, several times in turn,
            with the errors as the other axes have made them.
        gained : `~numpy.ndarray`, shape (N, L), optional
            If ``predicted`` are the means of several networks and ``error`` those of single ones: the variance of the
            networks, by which their mean is better, see `combine`. The factors found are still those of single
            networks' errors, but it is the errors of the means that then hold.

        Returns
        -------
        Calibration
        """
        curves, start = {}, error
        gained = np.zeros_like(error) if gained is None else gained
        members = {name: _bins(at, np.isfinite(at), knots, least) for name, at in axes.items()}
        members = {name: bins for name, bins in members.items() if bins}
        for name, bins in [*members.items()] * (ROUNDS if product else 1):
            factors = [
                [
                    _factor(
                        *(array[rows, label] for array in (predicted, error, reference, reference_error, gained)),
                        levels,
                    )
                    for label in range(predicted.shape[1])
                ]
                for rows in bins
            ]
            before = curves[name][1] if name in curves else 1
            curves[name] = np.array([np.median(axes[name][rows]) for rows in bins]), before * np.array(factors)
            if product:
                error = cls(curves, True).apply(start, axes)
        return cls(curves, product)

    def apply(self, error, axes):
        """Calibrated errors.

        Parameters
        ----------
        error : `~numpy.ndarray`, shape (..., N, L)
        axes : dict of str to `~numpy.ndarray`, shape (N,)
            As in `fit`.
        """
        if not self.curves:
            return error
        typical = {name: np.median(factors, axis=0) for name, (_, factors) in self.curves.items()}
        first, factor = next(iter(self.curves)), np.full(error.shape[-2:], np.nan)
        if self.product:
            factor = np.ones(error.shape[-2:])
        for name, (knots, factors) in self.curves.items():
            at = np.asarray(axes.get(name, np.full(len(factor), np.nan)), float)
            known = np.isfinite(at)[:, None]
            values = np.stack([np.interp(at, knots, column) for column in factors.T], axis=1)
            if self.product:
                factor = factor * np.where(known, values, typical[name])
            else:
                factor = np.where(np.isnan(factor) & known, values, factor)
        return error * np.where(np.isnan(factor), typical[first], factor)


def _bins(at, known, knots, least):
    """Masks (N,) of at most ``knots`` bins with equal numbers of stars, or one for each value if these are so few."""
    values = np.unique(at[known])
    if len(values) <= knots:
        return [mask for mask in (at == value for value in values) if mask.sum() >= least]
    bins = min(knots, known.sum() // least)
    if bins < 1:
        return []
    edges = np.quantile(at[known], np.linspace(0, 1, bins + 1))
    index = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, bins - 1)
    return [known & (index == k) for k in range(bins)]


def balance(
    predicted, inputs, rest, reference, reference_error, groups, levels=(ONE_SIGMA,), largest=10.0, gained=None
):
    """Factors (L,), at least 1, on the variance of a part with which all groups need the same correction."""
    # Errors that are too small where the inputs are good, and right where they are bad, lack variance that does not
    # come from the inputs. "inputs" and "rest" (N, L) are the variance that the errors of the inputs cause and all
    # other; "groups" are stars (N,) whose inputs are ever worse, for instance the same spectra with more and more
    # noise.
    from scipy.optimize import minimize_scalar

    gained = np.zeros_like(inputs) if gained is None else gained

    def unequal(log_factor, label):
        error = np.sqrt(inputs[:, label] + np.exp(log_factor) * rest[:, label])
        others = (reference, reference_error, gained)
        needed = [
            _factor(predicted[rows, label], error[rows], *(array[rows, label] for array in others), levels)
            for rows in groups
        ]
        return np.var(np.log(needed))

    bounds = (0.0, np.log(largest))
    found = [
        minimize_scalar(unequal, bounds=bounds, args=(label,), method="bounded", options={"xatol": 0.01})
        for label in range(predicted.shape[1])
    ]
    return np.exp([result.x for result in found])


def _factor(predicted, error, reference, reference_error, gained, levels):
    """Factor on ``error`` at which the central intervals hold their shares of the stars (1 for fewer than 10 stars)."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    good = np.isfinite(predicted) & np.isfinite(error) & np.isfinite(reference)
    if good.sum() < 10:
        return 1.0
    residual, variance = np.abs(predicted - reference)[good], error[good] ** 2
    extra, gained = np.nan_to_num(reference_error)[good] ** 2, gained[good]

    def excess(log_factor, level, width):
        total = reduced(np.exp(2 * log_factor) * variance, gained) + extra
        return np.quantile(residual / np.sqrt(total), level) - width

    low, high = np.log(0.1), np.log(10)
    logs = []
    for level in levels:
        width = ndtri(0.5 + level / 2)
        if excess(low, level, width) <= 0:
            logs.append(low)
        elif excess(high, level, width) >= 0:
            logs.append(high)
        else:
            logs.append(brentq(excess, low, high, args=(level, width), xtol=1e-4))
    return float(np.exp(np.mean(logs)))


#: Axes that `stellarlabels.inputs.Features` have, and one that follows from them.
_OF_INPUTS = ("magnitude", "color", "snr", "ebv", "missing", "log_snr")


@dataclass(frozen=True)
class CalibrationPlan:
    """What the factors of a calibration depend on, and what they are to achieve; see `Calibration.fit`.

    Parameters
    ----------
    axes : tuple of str
        The most important one first: "magnitude", "color", "snr", "ebv", "missing" (number of unknown colors) or
        "log_snr" of the inputs, or a label.
    product : bool
        Whether the factors of the axes are multiplied; otherwise the first axis that is known for a star counts.
    levels : tuple of float
        Central intervals (their probabilities) that are to hold what they should.
    together : bool
        Whether networks to which the same stars are new are calibrated together, not each for itself.
    noise : tuple of int
        The errors are calibrated on spectra to which noise with so many times their own covariance has been added; with
        several amounts, the part of the variance that the inputs do not cause is balanced; see `balance`.
    dimmed : bool
        Whether stars with noise added count as fainter, by 2.5 log10(1 + noise), at which photons are as noisy. Else
        the axis "magnitude" is of bright stars alone, and faint ones have the factor of the faintest of these.
    incomplete : tuple of tuple of int or str
        The errors are calibrated on the stars as they are and on copies without these columns of the array ``color``,
        and without the magnitude where "magnitude" is among them.
    own : tuple of str
        Axes that are labels, whose factors are those of the label's own errors alone.
    knots : int
        Largest number of knots along an axis, between which are equal numbers of stars and their noisy copies.
    """

    axes: tuple = ("magnitude", "log_snr")
    product: bool = False
    levels: tuple = (ONE_SIGMA,)
    together: bool = False
    noise: tuple = (0,)
    dimmed: bool = False
    incomplete: tuple = ()
    own: tuple = ()
    knots: int = 8

    def present(self, labels):
        """Those of the axes (list of str) that a system with these labels has."""
        return [axis for axis in self.axes if axis in _OF_INPUTS or axis in labels]

    def values(self, features, mean, labels):
        """Values of each axis, dict of (N,), NaN where unknown, from inputs and predicted labels (N, L)."""
        out = {}
        for axis in self.present(labels):
            if axis in labels:
                out[axis] = mean[:, labels.index(axis)]
            elif axis == "log_snr":
                with np.errstate(divide="ignore", invalid="ignore"):
                    log_snr = np.log10(features.snr)
                out[axis] = np.where(np.isfinite(log_snr), log_snr, np.nan)
            else:
                out[axis] = getattr(features, axis)
        return out

    def limit(self, curves, labels):
        """Set the factors along the axes of `own` to 1 for all other labels, in place."""
        for axis in self.own:
            if axis in curves:
                curves[axis][1][:, [label != axis for label in labels]] = 1
