"""What a network gets: the contract between tables and arrays.

A `FeatureSet` turns a table into `Features`. It is the only place where columns become network inputs; models see
nothing but the arrays, and systems name the feature set that they use.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

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
    name = None
    #: Name of the Gaia release of which the inputs must be; None where they do not depend on one.
    release = None

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
