"""Is this star like the training stars? Ranges, the distance to the nearest training spectrum, and kinds outside."""

from dataclasses import dataclass, field

import numpy as np

from stellarlabels import flags
from stellarlabels.labels.outside import Outside
from stellarlabels.labels.targets import center_and_spread

#: Numbers of the nearest-star test: fixed directions, training stars kept for comparison, and the quantile of their
#: distances beyond which a star is unlike them.
COMPONENTS, REFERENCES, QUANTILE = 16, 2000, 0.999

#: Share of the training stars that are outside of each end of a range: a few odd ones do not set it.
ODD = 0.0005

#: A label that is unknown for more than this share of the stars of which another label is known holds only within the
#: range of that other label that the stars with both have. The temperature, which decides what else a spectrum shows,
#: limits all labels.
UNKNOWN, ALWAYS = 0.02, "teff"


@dataclass
class Domain:
    """Where the training stars are.

    Parameters
    ----------
    ranges : dict of str to tuple of float
        Range of ``color``, ``magnitude``, ``snr`` and ``ebv`` of the training stars, where known, without 0.05 % of
        them at either end.
    labels : dict of str to tuple of float
        Range of each training label, likewise, and half the range that holds 68.3 % of its values.
    arrays : dict of str to `~numpy.ndarray`
        ``center`` (F,), ``matrix`` (F, C), ``references`` (R, C): the projection of the spectra and projected training
        stars.
    threshold : float
        Distance to the nearest reference that 99.9 % of the training stars do not exceed.
    colors : dict of str to tuple of float
        Smallest and largest color of the stars for which a label holds, for labels that have limits of their own.
    within : dict of str to dict of str to tuple of float
        By label the ranges of other labels in which it holds: of the temperature, and of those of which many stars do
        not have the label. The [Fe/H] of stars that are too hot for it, for instance, which is in no list of [Fe/H].
    outside : ``stellarlabels.labels.outside.Outside`` or None
        What tells kinds of objects apart for which labels do not hold; see `LabelEstimator.learn_outside`.
    """

    ranges: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    arrays: dict = field(default_factory=dict)
    threshold: float = np.inf
    colors: dict = field(default_factory=dict)
    within: dict = field(default_factory=dict)
    outside: Outside | None = None

    @classmethod
    def fit(cls, features, spectra, labels, values, seed=0, known=None):
        """Describe the training stars.

        Parameters
        ----------
        features : `stellarlabels.inputs.Features`
            Of the training stars.
        spectra : `~numpy.ndarray`, shape (N, F)
            The inputs in which stars are compared.
        labels : sequence of str
        values : `~numpy.ndarray`, shape (N, L)
            Training labels, NaN for unknown ones.
        seed : int
            For the choice of the references.
        known : `~numpy.ndarray` of bool, shape (N, L), optional
            Which labels were trained for which star, where that is not told by ``values``: absolute magnitudes.
        """
        known_labels = np.isfinite(values) if known is None else known
        ranges = {}
        for name in ("color", "magnitude", "snr", "ebv"):
            known = getattr(features, name)
            if np.isfinite(known).any():
                ranges[name] = _range(known)
        spreads = center_and_spread(values)[1]
        spread = {
            label: (*_range(column), float(width))
            for label, column, width in zip(labels, values.T, spreads, strict=True)
        }
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(spectra))
        center = spectra.mean(axis=0, dtype=np.float64)
        scale = np.maximum(spectra.std(axis=0, dtype=np.float64), 1e-12)
        some = (spectra[order[: 4 * REFERENCES]] - center) / scale
        directions = np.linalg.svd(some, full_matrices=False)[2][:COMPONENTS].T
        matrix = directions / scale[:, None]
        projected = (spectra - center) @ matrix
        matrix = matrix / np.maximum(projected.std(axis=0), 1e-12)
        arrays = {"center": center.astype(np.float32), "matrix": matrix.astype(np.float32)}
        out = cls(ranges, spread, arrays, within=_within(labels, values, known_labels))
        references = min(REFERENCES, max(1, len(spectra) // 2))
        out.arrays["references"] = out._project(spectra[order[:references]])
        others = order[references:] if len(spectra) > references else order
        out.threshold = float(np.quantile(out._distance(spectra[others]), QUANTILE))
        return out

    def _project(self, spectra):
        return ((spectra - self.arrays["center"]) @ self.arrays["matrix"]).astype(np.float32)

    def _distance(self, spectra, block=8192):
        """Distance of each spectrum to the nearest reference."""
        references = self.arrays["references"].astype(np.float32)
        square = np.sum(references**2, axis=1)
        out = np.empty(len(spectra))
        for start in range(0, len(spectra), block):
            points = self._project(spectra[start : start + block])
            cross = square - 2 * points @ references.T
            out[start : start + block] = np.sqrt(np.maximum(cross.min(axis=1) + np.sum(points**2, axis=1), 0))
        return out

    def star_flags(self, features, spectra):
        """Flags that hold for a star whatever the label.

        Returns
        -------
        `~numpy.ndarray` of int32, shape (N,)
        """
        low_snr = self.ranges.get("snr", (np.nan, np.nan))[0]
        with np.errstate(invalid="ignore"):
            return flags.LABEL.where(
                COLOR_RANGE=self._outside(features.color, "color"),
                MAGNITUDE_RANGE=self._outside(features.magnitude, "magnitude"),
                EBV_RANGE=self._outside(features.ebv, "ebv"),
                NOISY_INPUT=features.usable & ("snr" in self.ranges) & ~(features.snr >= low_snr),
                UNLIKE_TRAINING=features.usable & (self._distance(spectra) > self.threshold),
            )

    def restrict(self, label_ranges, color_ranges):
        """Put declared limits in place of those of the training stars.

        Parameters
        ----------
        label_ranges, color_ranges : dict of str to tuple of float
            Smallest and largest label, and color of the stars for which it holds, by label.
        """
        for label, (low, high) in label_ranges.items():
            if label in self.labels:
                self.labels[label] = (float(low), float(high), self.labels[label][2])
        self.colors = {label: tuple(limits) for label, limits in color_ranges.items() if label in self.labels}

    def label_flags(self, label, values, color, outside=False):
        """Flags of one label.

        Parameters
        ----------
        label : str
        values : dict of str to `~numpy.ndarray`, shape (N,)
            Predictions by the names of their columns, NaN where there is none.
        color : `~numpy.ndarray`, shape (N,)
            NaN where it is unknown.
        outside : `~numpy.ndarray` of bool, shape (N,), optional
            Which stars look like objects for which the label does not hold.

        Returns
        -------
        `~numpy.ndarray` of int32, shape (N,)
        """
        value, error = values[label], values[f"{label}_err"]
        low, high, spread = self.labels[label]
        blue, red = self.colors.get(label, (-np.inf, np.inf))
        other = np.isfinite(value) & outside
        with np.errstate(invalid="ignore"):
            for name, (smallest, largest) in self.within.get(label, {}).items():
                other |= (values[name] < smallest) | (values[name] > largest)
            return flags.LABEL.where(
                LABEL_RANGE=(value < low) | (value > high),
                LARGE_ERROR=error > spread,
                COLOR_RANGE=(color < blue) | (color > red),
                OTHER_KIND=other,
            )

    def _outside(self, values, name):
        if name not in self.ranges:
            return np.zeros(len(values), bool)
        low, high = self.ranges[name]
        return (values < low) | (values > high)


def _range(values):
    """Range of known values (N,) without the odd ones at its ends."""
    return tuple(float(end) for end in np.nanquantile(values, [ODD, 1 - ODD]))


def _within(labels, values, known):
    """Ranges of other labels in which labels hold: of the temperature, and where labels are unknown for many stars."""
    out = {}
    for index, label in enumerate(labels):
        for other, name in enumerate(labels):
            both = known[:, index] & known[:, other]
            few = both.sum() < (1 - UNKNOWN) * known[:, other].sum()
            if both.any() and index != other and (few or name == ALWAYS):
                out.setdefault(label, {})[name] = _range(values[both, other])
    return out
