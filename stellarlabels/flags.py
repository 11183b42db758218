"""The registry of flags: each bit of each flag column, with its name and meaning.

A flag column is an integer column in which each bit answers one yes-or-no question; 0 means that nothing is to be
said against the value. The flags of spectra and labels are declared here; a function with flags of its own declares
them in its module, which is listed in `DECLARED_IN`. The tables of flags in the documentation come from this registry.

Examples
--------
>>> from stellarlabels import flags
>>> flags.LABEL["UNLIKE_TRAINING"]
64
>>> flags.decode(68, "label")
['MISSING_BAND', 'UNLIKE_TRAINING']
"""

import operator
from dataclasses import dataclass
from importlib import import_module

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = [
    "DECLARED_IN",
    "LABEL",
    "SPECTRUM",
    "Flag",
    "FlagSet",
    "decode",
    "describe",
    "get",
    "names",
    "register",
    "table",
]

DTYPE = np.int32

#: Modules that register flag sets besides this one, by the first word of the sets' names; ``*`` are those of published
#: catalogs. They are imported when a set is asked for that is not there yet.
DECLARED_IN = {
    "match": "stellarlabels.tables.same_star",
    "quality": "stellarlabels.tables.quality.papers",
    "parallax": "stellarlabels.corrections.parallax",
    "photometry": "stellarlabels.corrections.photometry",
    "extinction": "stellarlabels.corrections.extinction.amounts",
    "systematics": "stellarlabels.corrections.systematics",
    "distance": "stellarlabels.distances.table",
    "*": "stellarlabels.catalogs.flagsets",
}


@dataclass(frozen=True)
class Flag:
    """One bit of a flag column.

    Parameters
    ----------
    bit : int
        Position of the bit, 0 to 30.
    name : str
        Name in capitals.
    meaning : str
        One sentence: what is true of the value when the bit is set.
    """

    bit: int
    name: str
    meaning: str

    @property
    def value(self):
        """The bit's value, ``2**bit``."""
        return 1 << self.bit


class FlagSet:
    """The bits of one kind of flag column.

    Parameters
    ----------
    name : str
        Name in the registry.
    description : str
        What the column qualifies.
    entries : iterable of (str, str)
        Name and meaning of bit 0, bit 1, and so on.
    zero : str
        What it means that no bit is set.
    good : int
        The value against which nothing is to be said: 0, except in published catalogs of another convention.

    Raises
    ------
    InputError
        If a name appears twice or there are more than 31 bits.
    """

    def __init__(self, name, description, entries, *, zero="no flag is set", good=0):
        self.name = name
        self.description = description
        self.zero = zero
        self.good = good
        self.flags = tuple(Flag(bit, key, meaning) for bit, (key, meaning) in enumerate(entries))
        self._by_name = {flag.name: flag for flag in self.flags}
        if len(self._by_name) != len(self.flags) or len(self.flags) > 31:
            got = [flag.name for flag in self.flags]
            raise InputError(f"flag set {name!r}: expected at most 31 different names, got {got}")

    def __getitem__(self, name):
        try:
            return self._by_name[name].value
        except KeyError:
            raise InputError(f"flag set {self.name!r} has no flag {name!r}; it has {list(self._by_name)}") from None

    def __iter__(self):
        return iter(self.flags)

    def __len__(self):
        return len(self.flags)

    def __repr__(self):
        return f"<FlagSet {self.name!r}: {len(self)} flags>"

    def empty(self, shape):
        """A flag array with no bit set.

        Parameters
        ----------
        shape : int or tuple of int

        Returns
        -------
        `~numpy.ndarray` of int32
        """
        return np.zeros(shape, dtype=DTYPE)

    def where(self, **conditions):
        """Combine conditions into one flag array.

        Parameters
        ----------
        **conditions : array_like of bool
            For each flag's name, where it is set. All broadcast together. A masked condition is not met.

        Returns
        -------
        `~numpy.ndarray` of int32

        Raises
        ------
        InputError
            If the set has no flag of that name.
        """
        arrays = np.broadcast_arrays(*(np.ma.filled(c, False).astype(bool) for c in conditions.values()))
        out = self.empty(arrays[0].shape if arrays else ())
        for name, condition in zip(conditions, arrays, strict=True):
            out |= np.where(condition, self[name], 0).astype(DTYPE)
        return out

    def has(self, value, name):
        """Whether a bit is set.

        Parameters
        ----------
        value : int or array_like of int
            Flags, of any integer type. Masked ones count as 0.
        name : str
            Name of the bit.

        Returns
        -------
        bool or `~numpy.ndarray` of bool
            Of the same shape.

        Raises
        ------
        InputError
            If the set has no such flag, or the values are not integers.
        """
        bit = self[name]
        value = np.asarray(np.ma.filled(value, 0))
        if value.dtype.kind not in "iu":
            raise InputError(f"value: expected integers, got dtype {value.dtype}")
        return (value.astype(np.int64) & bit) != 0

    def is_good(self, value):
        """Whether nothing is to be said against the row, in the convention of this set.

        Parameters
        ----------
        value : int or array_like of int
            Flags. Masked ones are not good.

        Returns
        -------
        bool or `~numpy.ndarray` of bool
            Of the same shape.

        Raises
        ------
        InputError
            If the values are not integers.
        """
        found = np.ma.asarray(value)
        if found.dtype.kind not in "iu":
            raise InputError(f"value: expected integers, got dtype {found.dtype}")
        return np.ma.filled(found == self.good, False)[()]

    def decode(self, value):
        """Names of the bits that are set.

        Parameters
        ----------
        value : int

        Returns
        -------
        list of str
            Bits that the set does not know come as ``"UNKNOWN_BIT_<n>"``.

        Raises
        ------
        InputError
            If the value is masked, negative, or not an integer.
        """
        try:
            value = operator.index(value)
        except TypeError:
            raise InputError(f"value: expected a non-negative integer, got {value!r}") from None
        if value < 0:
            raise InputError(f"value: expected a non-negative integer, got {value}")
        known = {flag.bit: flag.name for flag in self.flags}
        return [known.get(bit, f"UNKNOWN_BIT_{bit}") for bit in range(value.bit_length()) if (value >> bit) & 1]

    def describe(self, value):
        """What the bits that are set say, one line each, as one string."""
        meanings = {flag.name: flag.meaning for flag in self.flags}
        lines = [f"{name}: {meanings.get(name, 'not a flag of this column')}" for name in self.decode(value)]
        return "\n".join(lines) or self.zero

    def table(self):
        """The set as a table.

        Returns
        -------
        `~astropy.table.QTable`
            Columns ``bit``, ``value``, ``name``, ``meaning``.
        """
        from astropy.table import QTable

        rows = [(flag.bit, flag.value, flag.name, flag.meaning) for flag in self.flags]
        return QTable(rows=rows, names=["bit", "value", "name", "meaning"], meta={"description": self.description})


_REGISTRY = {}


def register(flag_set):
    """Add a `FlagSet` to the registry and return it.

    Raises
    ------
    InputError
        If the name is taken.
    """
    if flag_set.name in _REGISTRY:
        raise InputError(f"flag set {flag_set.name!r} is registered already")
    _REGISTRY[flag_set.name] = flag_set
    return flag_set


def names():
    """Names of all flag sets.

    Returns
    -------
    list of str
    """
    for module in DECLARED_IN.values():
        import_module(module)
    return list(_REGISTRY)


def get(name):
    """The `FlagSet` called ``name``.

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    if name not in _REGISTRY and name not in names():
        raise InputError(f"no flag set is called {name!r}; there are {names()}")
    return _REGISTRY[name]


def decode(value, name="label"):
    """Names of the bits of ``value`` that are set, in the flag set ``name``. See `FlagSet.decode`."""
    return get(name).decode(value)


def describe(value, name="label"):
    """The meaning of ``value`` in words. See `FlagSet.describe`."""
    return get(name).describe(value)


def table(name="label"):
    """The flag set ``name`` as a table. See `FlagSet.table`."""
    return get(name).table()


SPECTRUM = register(
    FlagSet(
        "spectrum",
        "spectrum_flag: what is known of a spectrum when it has been read",
        [
            ("NO_SPECTRUM", "There is no spectrum at all for this star."),
            ("BAD_SAMPLES", "At least one sample is NaN, infinite, or has an error that is not positive."),
            ("OTHER_SAMPLING", "The spectrum came on another wavelength grid or with another number of samples."),
            ("MISSING_BP", "The BP spectrum is missing; only RP was observed."),
            ("MISSING_RP", "The RP spectrum is missing; only BP was observed."),
            ("TRUNCATED", "The coefficients were truncated before sampling; the sampled errors are too small."),
            ("DUPLICATE", "The same identifier occurs more than once in the input."),
            ("MISSING_BLUE", "The blue arm is missing, or none of its pixels can be used."),
            ("MISSING_RED", "The red arm is missing, or none of its pixels can be used."),
        ],
    )
)

LABEL = register(
    FlagSet(
        "label",
        "<label>_flag: what limits the trust in a predicted label",
        [
            ("NO_INPUT", "The input is missing or unusable; the label is masked."),
            ("BAD_SAMPLES", "Some input values are missing or invalid and were interpolated or imputed."),
            ("MISSING_BAND", "One of the two spectra or one arm is missing."),
            (
                "MISSING_PHOTOMETRY",
                "Photometry that the network was trained with is missing; the label comes without it.",
            ),
            ("MISSING_EBV", "E(B-V) is missing, so the spectrum could not be dereddened."),
            ("NOISY_INPUT", "The input's signal-to-noise ratio is below that of the training stars."),
            (
                "UNLIKE_TRAINING",
                "The star lies farther from the training stars than 99.9 % of them do from each other.",
            ),
            ("COLOR_RANGE", "The color is outside the range of the training stars."),
            ("LABEL_RANGE", "The label is outside the range of the training labels."),
            ("MAGNITUDE_RANGE", "The star is brighter or fainter than the training stars; errors are extrapolated."),
            ("LARGE_ERROR", "The error of the label is larger than the scatter of the label over the training stars."),
            ("NOT_APPLICABLE", "The system's own selection (giants, say) excludes this star."),
            ("EBV_RANGE", "E(B-V) is outside the range of the training stars."),
            ("CAUTION", "The system's authors advise caution with this label of such a star; see its documentation."),
            ("MISSING_PARALLAX", "A parallax that the network was trained with is missing; the label comes without."),
            ("BAD_PHOTOMETRY", "The survey's own flags speak against the photometry in at least one band."),
            ("MODELS_DISAGREE", "The networks of the system differ by more than its authors allow."),
            ("DOUBLE_LINED", "The spectrum shows the lines of a second star, which the labels do not allow for."),
            ("OTHER_RELEASE", "The star's data are of another release than the system was trained for; see release."),
            (
                "MISSING_VELOCITY",
                "The star's velocity is unknown and was taken to be 0; at 100 km/s the label is off by several errors.",
            ),
        ],
    )
)
