"""The registry of flags: each bit of each flag column, with its name and meaning.

A flag column is an integer column in which each bit answers one yes-or-no question; 0 means that nothing is to be
said against the value. Each bit has a level: with a *note* the value is good, with *caution* it may be off by more than
its error, and what is *bad* is not to be used. The flags of spectra and labels are declared here; a function with flags
of its own declares them in its module, which is listed in `DECLARED_IN`. The tables of flags in the documentation come
from this registry.

Examples
--------
>>> from stellarlabels import flags
>>> flags.LABEL["UNLIKE_TRAINING"]
64
>>> flags.decode(68, "label")
['MISSING_BAND', 'UNLIKE_TRAINING']
>>> flags.LABEL.level([0, 8, 12, 68]).tolist()
['none', 'note', 'caution', 'bad']
>>> flags.LABEL.is_good([0, 8, 12, 68]).tolist()
[True, True, False, False]
"""

from importlib import import_module

from stellarlabels.exceptions import InputError
from stellarlabels.flagset import DTYPE as DTYPE, LEVELS, Flag, FlagSet

__all__ = [
    "DECLARED_IN",
    "LABEL",
    "LEVELS",
    "SPECTRUM",
    "Flag",
    "FlagSet",
    "decode",
    "describe",
    "filter",
    "get",
    "names",
    "register",
    "set_of",
    "table",
]

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


_REGISTRY: dict[str, object] = {}


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


def names() -> list[str]:
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


def set_of(column):
    """Name of the set that explains a column of flags.

    Parameters
    ----------
    column : `~astropy.table.Column` or `pandas.Series`
        The set is the one that ``info.meta["flags"]`` names. Where nothing does, it is for a column ``<name>_flag`` the
        set called ``<name>``; or "label", unless the column is in a table that has no column ``<name>``.

    Returns
    -------
    str
        Empty if nothing tells.
    """
    info, name = getattr(column, "info", None), getattr(column, "name", None)
    told = (getattr(info, "meta", None) or {}).get("flags")
    if told:
        return told if told in _REGISTRY or told in names() else ""
    if not (isinstance(name, str) and name.endswith(("_flag", "_flag_bits"))):
        return ""
    if name.endswith("_bits"):  # beside a flag of another convention, see System.catalog
        return "label"
    own = name.removesuffix("_flag")
    if own in _REGISTRY or own in names():
        return own
    table = getattr(info, "parent_table", None)
    return "" if own in DECLARED_IN or (table is not None and own not in table.colnames) else "label"


def decode(value, name=None):
    """Names of the bits that are set.

    Parameters
    ----------
    value : int, array_like of int, or a column of a table
    name : str, optional
        Name of the set of flags. By default it is the one that explains the column, see `set_of`, and for values that
        are no column of a table "label".

    Returns
    -------
    list of str, or list of list of str
        See `FlagSet.decode`.

    Raises
    ------
    InputError
        As of `FlagSet.decode`; if the column's flags are those of another set than ``name``, or nothing tells which
        they are; or if there is no such set.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from stellarlabels import flags
    >>> table = Table({"feh": [0.1, 0.2], "feh_flag": [0, 128], "distance_flag": [0, 128]})
    >>> flags.decode(table["feh_flag"]), flags.decode(table["distance_flag"])
    ([[], ['COLOR_RANGE']], [[], ['CONFLICT']])
    """
    return _explained(value, name).decode(value)


def describe(value, name=None):
    """The meaning of ``value`` in words, of a column of all flags in it. See `decode` and `FlagSet.describe`."""
    return _explained(value, name).describe(value)


def _explained(value, name):
    """The set of flags of a value, which must not be another one than that of its column."""
    own, column = set_of(value), getattr(value, "name", None)
    if column is not None and not (own or name):
        raise InputError(f"name: nothing tells what the flags of column {column!r} mean; give one of {names()}")
    if own and name and name != own and tuple(get(name)) != tuple(get(own)):
        raise InputError(
            f"name: the flags of column {column!r} are those of the set {own!r}, got {name!r}; leave the name out"
        )
    return get(name or own or "label")


def filter(column, *, language="topcat", without=None, name=None):
    """What keeps the good rows of a table of labels, as an expression for TOPCAT or a condition in ADQL.

    Parameters
    ----------
    column : str
        Name of a column of flags, ``"feh_flag"``, or of a label, ``"feh"``.
    language : {"topcat", "adql"}
    without : str, optional
        Name of a flag: rows that do not have it are kept, whatever else they have.
    name : str, optional
        Name of the set of flags; by default the one called as the column is before ``_flag``, or "label".

    Returns
    -------
    str
        See `FlagSet.filter`. Tables with a column ``<label>_good`` need no more than ``feh_good`` in TOPCAT.

    Raises
    ------
    InputError
        If there is no such language, flag or set.

    Examples
    --------
    >>> from stellarlabels import flags
    >>> flags.filter("feh")
    '(feh_flag | 6308360) == 6308360'
    >>> flags.filter("distance", language="adql", without="CONFLICT")
    'MOD(distance_flag / 128, 2) = 0'
    """
    own = column.removesuffix("_flag")
    kind = name or (own if own in names() else "label")
    return get(kind).filter(column if name or own != column else f"{own}_flag", language=language, without=without)


def table(name="label"):
    """The flag set ``name`` as a table. See `FlagSet.table`."""
    return get(name).table()


SPECTRUM = register(
    FlagSet(
        "spectrum",
        "spectrum_flag: what is known of a spectrum when it has been read",
        [
            ("NO_SPECTRUM", "There is no spectrum at all for this star.", "bad"),
            ("BAD_SAMPLES", "At least one sample is NaN, infinite, or has an error that is not positive."),
            (
                "OTHER_SAMPLING",
                "The spectrum came on another wavelength grid or with another number of samples.",
                "note",
            ),
            ("MISSING_BP", "The BP spectrum is missing; only RP was observed."),
            ("MISSING_RP", "The RP spectrum is missing; only BP was observed."),
            ("TRUNCATED", "The coefficients were truncated before sampling; the sampled errors are too small."),
            ("DUPLICATE", "The same identifier occurs more than once in the input.", "note"),
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
            ("NO_INPUT", "The input is missing or unusable; the label is masked.", "bad"),
            ("BAD_SAMPLES", "Some input values are missing or invalid and were interpolated or imputed."),
            ("MISSING_BAND", "One of the two spectra or one arm is missing."),
            (
                "MISSING_PHOTOMETRY",
                "Photometry that the network was trained with is missing; the label comes without it.",
                "note",
            ),
            ("MISSING_EBV", "E(B-V) is missing, so the spectrum could not be dereddened."),
            ("NOISY_INPUT", "The input's signal-to-noise ratio is below that of the training stars."),
            (
                "UNLIKE_TRAINING",
                "The star lies farther from the training stars than 99.9 % of them do from each other.",
                "bad",
            ),
            ("COLOR_RANGE", "The color is outside the range of the training stars."),
            ("LABEL_RANGE", "The label is outside the range of the training labels."),
            (
                "MAGNITUDE_RANGE",
                "The star is brighter or fainter than the training stars; errors are extrapolated.",
                "note",
            ),
            ("LARGE_ERROR", "The error of the label is larger than the scatter of the label over the training stars."),
            ("NOT_APPLICABLE", "The system's own selection (giants, say) excludes this star.", "bad"),
            ("EBV_RANGE", "E(B-V) is outside the range of the training stars."),
            ("CAUTION", "The system's authors advise caution with this label of such a star; see its documentation."),
            (
                "MISSING_PARALLAX",
                "A parallax that the network was trained with is missing; the label comes without.",
                "note",
            ),
            ("BAD_PHOTOMETRY", "The survey's own flags speak against the photometry in at least one band."),
            ("MODELS_DISAGREE", "The networks of the system differ by more than its authors allow."),
            (
                "DOUBLE_LINED",
                "The spectrum shows the lines of a second star, which the labels do not allow for.",
                "bad",
            ),
            (
                "OTHER_RELEASE",
                "The star's data are of another release than the system was trained for; see release.",
                "bad",
            ),
            (
                "MISSING_VELOCITY",
                "The star's velocity is unknown and was taken to be 0; at 100 km/s the label is off by several errors.",
            ),
            (
                "OTHER_KIND",
                "The input looks like that of a kind of object, or of damage, for which the label does not hold.",
                "bad",
            ),
            (
                "IN_TRAINING",
                "The network was trained with this star, so that comparisons flatter; one in 1000 is told so in error.",
                "note",
            ),
            (
                "SYNTHETIC_TRAINING",
                "The network was trained with synthetic spectra alone, and is hardly proven on real ones.",
                "note",
            ),
            (
                "PHOTOMETRY_MISMATCH",
                "The magnitudes do not fit the spectrum: they are of another star, in another order or another system.",
            ),
        ],
    )
)
