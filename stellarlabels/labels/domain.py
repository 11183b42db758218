"""Is this star like the training stars? Ranges, and the distance to the nearest training spectrum."""

from dataclasses import dataclass, field

import numpy as np

from stellarlabels import flags

#: Numbers of the nearest-star test: fixed directions, training stars kept for comparison, and the quantile of their
#: distances beyond which a star is unlike them.
COMPONENTS, REFERENCES, QUANTILE = 16, 2000, 0.999


@dataclass
class Domain:
    """Where the training stars are.

    Parameters
    ----------
    ranges : dict of str to tuple of float
        Smallest and largest ``color``, ``magnitude``, ``snr`` and ``ebv`` of the training stars, where known.
    labels : dict of str to tuple of float
        Smallest value, largest value and standard deviation of each training label.
    arrays : dict of str to `~numpy.ndarray`
        ``center`` (F,), ``matrix`` (F, C), ``references`` (R, C): the projection of the spectra and projected training
        stars.
    threshold : float
        Distance to the nearest reference that 99.9 % of the training stars do not exceed.
    colors : dict of str to tuple of float
        Smallest and largest color of the stars for which a label holds, for labels that have limits of their own.
    """

    ranges: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    arrays: dict = field(default_factory=dict)
    threshold: float = np.inf
    colors: dict = field(default_factory=dict)

    @classmethod
    def fit(cls, features, spectra, labels, values, seed=0):
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
        """
        ranges = {}
        for name in ("color", "magnitude", "snr", "ebv"):
            known = getattr(features, name)
            known = known[np.isfinite(known)]
            if known.size:
                ranges[name] = (float(known.min()), float(known.max()))
        spread = {}
        for index, label in enumerate(labels):
            known = values[np.isfinite(values[:, index]), index]
            spread[label] = (float(known.min()), float(known.max()), float(known.std()))
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(spectra))
        center = spectra.mean(axis=0, dtype=np.float64)
        scale = np.maximum(spectra.std(axis=0, dtype=np.float64), 1e-12)
        some = (spectra[order[: 4 * REFERENCES]] - center) / scale
        directions = np.linalg.svd(some, full_matrices=False)[2][:COMPONENTS].T
        matrix = directions / scale[:, None]
        projected = (spectra - center) @ matrix
        matrix = matrix / np.maximum(projected.std(axis=0), 1e-12)
        out = cls(ranges, spread, {"center": center.astype(np.float32), "matrix": matrix.astype(np.float32)})
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

    def label_flags(self, label, value, error, color):
        """Flags of one label.

        Parameters
        ----------
        label : str
        value, error, color : `~numpy.ndarray`, shape (N,)
            NaN where there is no prediction, or the color is unknown.

        Returns
        -------
        `~numpy.ndarray` of int32, shape (N,)
        """
        low, high, spread = self.labels[label]
        blue, red = self.colors.get(label, (-np.inf, np.inf))
        with np.errstate(invalid="ignore"):
            return flags.LABEL.where(
                LABEL_RANGE=(value < low) | (value > high),
                LARGE_ERROR=error > spread,
                COLOR_RANGE=(color < blue) | (color > red),
            )

    def _outside(self, values, name):
        if name not in self.ranges:
            return np.zeros(len(values), bool)
        low, high = self.ranges[name]
        return (values < low) | (values > high)
