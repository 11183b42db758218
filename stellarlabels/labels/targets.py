"""What a network is trained towards: labels from a table, or parallaxes that say what a label must be."""

import numpy as np

from stellarlabels import columns
from stellarlabels.labels.uncertainty import ONE_SIGMA

#: Signal-to-noise ratio of a parallax above which it gives a first guess of an absolute magnitude.
GUESS_SNR = 5.0


class Targets:
    """Training targets of L labels: values and errors (N, L), NaN where unknown, and which are parallaxes (L,)."""

    # Labels whose likelihood is "parallax" are absolute magnitudes M. They have no column of their own; the target is
    # the pseudo-luminosity ``p = parallax 10**(0.2 m)``, which equals ``10**(0.2 (M + 10))`` (in mas) and, unlike an
    # inverted parallax, has a Gaussian error, ``parallax_error 10**(0.2 m)``, also where the parallax is negative.

    def __init__(self, labels, values, errors, is_parallax):
        self.labels, self.values, self.errors = tuple(labels), values, errors
        self.is_parallax = np.asarray(is_parallax, bool)

    def __getitem__(self, rows):
        return Targets(self.labels, self.values[rows], self.errors[rows], self.is_parallax)

    @property
    def known(self):
        """Whether a star has any target (bool, shape (N,))."""
        return np.isfinite(self.values).any(axis=1)

    def guesses(self):
        """Labels (N, L): those of the table, and absolute magnitudes from parallaxes of at least 5 sigma, NaN else."""
        out = self.values.copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            good = self.is_parallax & (self.values > GUESS_SNR * self.errors)
            magnitude = 5 * np.log10(self.values) - 10
        out[:, self.is_parallax] = np.nan
        return np.where(good, magnitude, out)

    def scaled(self, center, scale):
        """Values and errors in the units of the network: labels standardised, pseudo-luminosities as they are."""
        keep = self.is_parallax
        values = np.where(keep, self.values, (self.values - center) / scale)
        return values, np.where(keep, self.errors, self.errors / scale)

    def comparable(self, mean, sigma):
        """Predicted labels and errors in the units of the targets."""
        with np.errstate(over="ignore", invalid="ignore"):
            luminosity = pseudo_luminosity(mean)
        spread = np.abs(0.2 * np.log(10) * luminosity * sigma)
        return np.where(self.is_parallax, luminosity, mean), np.where(self.is_parallax, spread, sigma)


def center_and_spread(values):
    """Median (L,) of labels (N, L), and half the range (L,) that holds 68.3 % of them; odd ones hardly move them."""
    low, center, high = np.nanquantile(values, [0.5 - ONE_SIGMA / 2, 0.5, 0.5 + ONE_SIGMA / 2], axis=0)
    spread = (high - low) / 2
    return center, np.where(spread > 0, spread, np.nanstd(values, axis=0))


def pseudo_luminosity(magnitude):
    """``10**(0.2 (M + 10))`` in mas: the parallax that a star of apparent magnitude 0 would have."""
    return 10 ** (0.2 * (np.asarray(magnitude) + 10))


def label_targets(table, labels, likelihoods):
    """`Targets` of a training table from labels and errors, or parallaxes and G for the likelihood "parallax"."""
    values, errors, special = [], [], []
    for label in labels:
        special.append(likelihoods.get(label) == "parallax")
        if special[-1]:
            factor = 10 ** (0.2 * columns.values(table, "phot_g_mean_mag"))
            values.append(columns.values(table, "parallax") * factor)
            errors.append(columns.values(table, "parallax_error") * factor)
            values[-1][~(errors[-1] > 0)] = np.nan
        else:
            value, error, _ = columns.label_columns(label)
            values.append(columns.values(table, value.name))
            errors.append(columns.column_values(table, error, required=False))
    return Targets(labels, np.stack(values, axis=1), np.stack(errors, axis=1), special)
