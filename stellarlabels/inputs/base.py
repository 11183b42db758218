"""What a network gets: the contract between tables and arrays.

A `FeatureSet` turns a table into `Features`. It is the only place where columns become network inputs; models see
nothing but the arrays, and systems name the feature set that they use.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from stellarlabels import flags, releases
from stellarlabels.exceptions import InputError
from stellarlabels.registry import Registry


@dataclass
class Features:
    """Inputs of N stars.

    Parameters
    ----------
    arrays : dict of str to `~numpy.ndarray`
        Network inputs by name, each of shape (N, ...), float32. Finite wherever ``usable``.
    flag : `~numpy.ndarray` of int32, shape (N,)
        Bits of `stellarlabels.flags.LABEL` that hold for the star whatever the label.
    usable : `~numpy.ndarray` of bool, shape (N,)
        False where nothing can be predicted.
    color, magnitude, snr, ebv : `~numpy.ndarray` of float64, shape (N,)
        Color (mag), G magnitude, median signal-to-noise ratio and the E(B-V) used, NaN where unknown or not used: for
        weights, calibration and applicability flags.
    """

    arrays: dict
    flag: np.ndarray
    usable: np.ndarray
    color: np.ndarray
    magnitude: np.ndarray
    snr: np.ndarray
    ebv: np.ndarray

    def __len__(self):
        return len(self.flag)

    def __getitem__(self, rows):
        """The same inputs for a selection of rows (mask, slice or integer array)."""
        picked = {name: array[rows] for name, array in self.arrays.items()}
        per_star = (self.flag, self.usable, self.color, self.magnitude, self.snr, self.ebv)
        return Features(picked, *(array[rows] for array in per_star))

    @property
    def missing(self):
        """Number of unknown colors of each star (float, shape (N,))."""
        found = [np.isnan(self.arrays[name]).sum(axis=1) for name in ("color", "others") if name in self.arrays]
        return sum(found, np.zeros(len(self)))

    def without(self, hidden):
        """The same inputs without some columns of the array ``color`` or ``others``, or "magnitude"; or of a mask."""
        # The mask (N, C) is True where a color is to be unknown.
        if isinstance(hidden, np.ndarray):
            mask, magnitude = hidden, False
        else:
            mask, magnitude = [one for one in hidden if one != "magnitude"], "magnitude" in hidden
        out = replace(self, magnitude=np.full(len(self), np.nan)) if magnitude else self
        if not len(mask):
            return out
        name, arrays = "color" if "color" in self.arrays else "others", dict(self.arrays)
        if not isinstance(mask, np.ndarray):
            mask = np.broadcast_to(np.isin(np.arange(arrays[name].shape[1]), mask), arrays[name].shape)
        arrays[name] = np.where(mask, np.nan, arrays[name]).astype(arrays[name].dtype)
        for key in {"other_covariance", "other_factor"} & set(arrays) if name == "others" else ():
            arrays[key] = np.where(mask[:, :, None] | (mask[:, None, :] & (key != "other_factor")), 0, arrays[key])
        return replace(out, arrays=arrays)

    def mixed(self, partners, share):
        """Stars between these and others, or beyond: ``1 - share`` of each, and ``share`` of its partner's inputs.

        The noise of both goes into the mixture as the noise of independent stars does: errors and covariances are those
        of the sum. What the partner lacks is the star's own.
        """
        weights, arrays = np.array([1 - share, share]), {}
        for name, array in self.arrays.items():
            both = np.stack([array, np.where(np.isfinite(partners.arrays[name]), partners.arrays[name], array)])
            if name.endswith("_covariance"):
                found = np.tensordot(weights**2, both, 1)
            elif name == "error":
                found = np.sqrt(np.tensordot(weights**2, both**2, 1))
            elif name == "log_error":
                found = 0.5 * np.log(np.tensordot(weights**2, np.exp(2 * both), 1))
            else:
                found = np.tensordot(weights, both, 1)
            arrays[name] = found.astype(array.dtype)
        stars = {
            name: np.tensordot(weights, [getattr(self, name), getattr(partners, name)], 1)
            for name in ("color", "magnitude", "ebv")
        }
        noise = np.tensordot(weights**2, [self.snr**-2.0, partners.snr**-2.0], 1)
        return replace(self, arrays=arrays, usable=self.usable & partners.usable, snr=noise**-0.5, **stars)

    @classmethod
    def concatenate(cls, parts):
        """The inputs of several tables, one after the other."""
        names = ("flag", "usable", "color", "magnitude", "snr", "ebv")
        arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in parts[0].arrays}
        return cls(arrays, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class FeatureSet(ABC):
    """Turns a table into `Features`. Subclasses are declared with `register`.

    The options of a feature set are keyword arguments of its constructor, plain numbers and strings only, so that
    they travel in a saved model (`config`).
    """

    #: Name in the registry, set by `register`.
    name: str | None = None
    #: Name of the Gaia release of which the inputs must be; None where they do not depend on one.
    release: str | None = None

    @abstractmethod
    def compute(self, table):
        """Network inputs of a table.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Not changed.

        Returns
        -------
        Features
            As many rows as the table, in the same order.

        Raises
        ------
        stellarlabels.exceptions.MissingColumnError
            If a column is missing without which nothing can be computed.
        """

    def for_training(self, table):
        """Network inputs of training stars: those of `compute`, and whatever training needs besides."""
        return self.compute(table)

    def add_noise(self, features, amount, seed=0):
        """The same stars with noise added that has so many times the covariance of the inputs; if the set can do that.

        Raises
        ------
        InputError
            If it cannot.
        """
        raise InputError(f"feature set {self.name!r} cannot add noise to its inputs, which a calibration asks for")

    def shown(self, features, compared):
        """Spectra (N, F) in which objects of other kinds are told from stars; by default the array ``compared``."""
        return features.arrays[compared]

    def learn_bridge(self, table, same, release):
        """What makes spectra of another release into those of the set's own, learned from stars that have both.

        Parameters
        ----------
        table, same : `~astropy.table.Table`
            N stars in the other release, and the same ones in that of the set.
        release : str
            The other release.

        Returns
        -------
        object
            With ``kind`` (str), ``release`` (str), ``told`` (dict of plain values), ``arrays`` (dict of arrays),
            ``suffices`` (bool) and ``carry``, a function from a table to a new one.

        Raises
        ------
        InputError
            If the set has no such bridges, or there are too few stars.
        """
        raise InputError(
            f"feature set {self.name!r} has no way from one release to another; train a system on stars of {release}"
        )

    def read_bridge(self, described, arrays):
        """The bridge with this description (``kind``, ``release``, ``told``) and these arrays."""
        raise InputError(f"feature set {self.name!r} has no way from one release to another")

    def damaged(self, table, seed=0):
        """Spoiled copies of the stars of a table, to learn what stars do not look like; if the set can do that.

        Parameters
        ----------
        table : `~astropy.table.Table`
        seed : int

        Returns
        -------
        tuple of `~astropy.table.Table` and `~numpy.ndarray`, or None
            As many rows, and how badly each is spoiled, from 0 to 1.
        """
        return None

    @property
    def config(self):
        """Options with which the same feature set can be made again (dict of plain values)."""
        return {}

    @property
    def constants(self):
        """Arrays that fixed layers of a network need beside the stars' inputs (dict of str to `~numpy.ndarray`).

        ``error_matrix`` (C, B): derivatives of the array ``color`` with respect to the magnitudes whose errors are the
        array ``error``. ``noise_basis`` (F, R): what the noise of the array ``flux`` is made of.
        """
        return {}


class Bridged(FeatureSet):
    """The inputs of a set for stars of another release, whose spectra a bridge makes into those of the set's own."""

    def __init__(self, inner, bridge):
        self.inner, self.bridge = inner, bridge
        self.name, self.release = inner.name, bridge.release

    def compute(self, table):
        return self._carried(table, self.inner.compute)

    def for_training(self, table):
        return self._carried(table, self.inner.for_training)

    def _carried(self, table, compute):
        """What a function of the set makes of a table."""
        _, other = releases.require(table, self.release, what="these networks")
        features = compute(self.bridge.carry(table))
        return replace(features, flag=features.flag | flags.LABEL.where(OTHER_RELEASE=other))

    def add_noise(self, features, amount, seed=0):
        return self.inner.add_noise(features, amount, seed)

    def shown(self, features, compared):
        return self.inner.shown(features, compared)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    @property
    def config(self):
        return self.inner.config

    @property
    def constants(self):
        return self.inner.constants


_SETS = Registry("feature set", within="stellarlabels.inputs")


def register(cls):
    """Class decorator that puts a `FeatureSet` into the registry under its ``name``."""
    return _SETS.register(cls)


def feature_set(name, **config):
    """Make the registered feature set called ``name``.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    return _SETS.get(name)(**config)


class Damages(dict):
    """Functions that spoil spectra, by their names."""

    def kind(self, function):
        """Put a function into the dictionary; a decorator."""
        self[function.__name__] = function
        return function

    def drawn(self, count, names, severity, random):
        """For each kind its function and rows, how badly (N,), 0 to 1, and how (N,) so many spectra are spoiled."""
        names = list(self) if names is None else list(names)
        chosen = random.integers(len(names), size=count)
        severities = random.uniform(0.05, 1, count) if severity is None else np.full(count, float(severity))
        spoiled = ((self[name], np.flatnonzero(chosen == index)) for index, name in enumerate(names))
        return [(function, rows) for function, rows in spoiled if rows.size], severities, np.array(names)[chosen]
