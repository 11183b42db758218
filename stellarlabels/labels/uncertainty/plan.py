"""How the errors of a system are calibrated, as data that travels in its model file."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.labels.uncertainty.scores import ONE_SIGMA

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
