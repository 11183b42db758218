"""Is this star like the training stars? Ranges, the distance to the nearest training spectrum, and kinds outside."""

import math
from dataclasses import dataclass, field

import numpy as np

from stellarlabels import columns, flags
from stellarlabels.labels.outside import Outside
from stellarlabels.labels.training import center_and_spread

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


#: Share of other stars that are taken for one of the set.
RATE = 1e-3


class TrainingStars:
    """Identifiers as a Bloom filter (Bloom 1970, CACM 13, 422): no star of the set is missed, one in 1000 is added."""

    def __init__(self, identifier, bits, hashes, stars):
        self.identifier, self.bits, self.hashes, self.stars = str(identifier), bits, int(hashes), int(stars)
        if bits.dtype != np.uint8 or bits.ndim != 1 or not bits.size or not 1 <= self.hashes <= 64:
            raise ValueError(f"training stars: expected bytes and 1 to 64 hashes, got {bits.dtype} and {hashes}")

    @classmethod
    def of(cls, table, rows):
        """Of rows of a table; None if it has no identifiers that are integers."""
        name = _identifier(table)
        if name is None:
            return None
        values, known = _identifiers(table[rows], name)
        values = np.unique(values[known])
        if not values.size:
            return None
        size = max(8, math.ceil(-values.size * math.log(RATE) / math.log(2) ** 2 / 8))
        out = cls(name, np.zeros(size, np.uint8), max(1, round(size * 8 / values.size * math.log(2))), values.size)
        for place in out._places(values):
            np.bitwise_or.at(out.bits, place >> 3, np.uint8(1) << (place & 7).astype(np.uint8))
        return out

    @classmethod
    def joined(cls, before, table, rows):
        """A set that has rows of a table, too; in place of none a new one."""
        if before is None:
            return cls.of(table, rows)
        name = columns.find(table, before.identifier)
        if name is None or before.has(table[rows]).all():
            return before
        values, known = _identifiers(table[rows], before.identifier)
        out = cls(
            before.identifier, before.bits.copy(), before.hashes, before.stars + int((~before.has(table[rows])).sum())
        )
        for place in out._places(np.unique(values[known])):
            np.bitwise_or.at(out.bits, place >> 3, np.uint8(1) << (place & 7).astype(np.uint8))
        return out

    def has(self, table):
        """Which rows (N,) of a table are of the set; none without the identifier that it is of."""
        if columns.find(table, self.identifier) is None:
            return np.zeros(len(table), bool)
        values, out = _identifiers(table, self.identifier)
        for place in self._places(values):
            out &= (self.bits[place >> 3] >> (place & 7).astype(np.uint8)) & 1 == 1
        return out

    def _places(self, values):
        """Bits (N,) of identifiers, one array for each hash."""
        first, step = _mixed(values.astype(np.uint64)), _mixed(~values.astype(np.uint64)) | np.uint64(1)
        for number in range(self.hashes):
            yield ((first + np.uint64(number) * step) % np.uint64(8 * self.bits.size)).astype(np.int64)


def _mixed(values):
    """64-bit integers as random ones (SplitMix64, Steele et al. 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _identifier(table):
    """Name in the vocabulary of the table's identifiers, if these are integers."""
    key = columns.identifier(table)
    if key is None or columns.without_unit(table[key]).dtype.kind not in "iu":
        return None
    return next((item.name for item in columns.vocabulary() if columns.find(table, item.name) == key), None)


def _identifiers(table, name):
    """Integers (N,) and which of them are known."""
    data = columns.without_unit(table[columns.find(table, name)])
    if data.dtype.kind not in "iu":
        return np.zeros(len(table), np.int64), np.zeros(len(table), bool)
    return data.filled(0).astype(np.int64), ~np.ma.getmaskarray(data)
