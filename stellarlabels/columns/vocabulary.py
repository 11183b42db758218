"""The library's own vocabulary (``data/vocabulary.ecsv``): all inputs and all labels."""

from dataclasses import replace
from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns.column import Column
from stellarlabels.columns.schema import Schema

__all__ = ["column", "declaration", "declare", "error_term", "known_names", "label_columns", "vocabulary"]


@lru_cache(maxsize=1)
def vocabulary():
    """The `Schema` of all column names that the library gives or takes (``data/vocabulary.ecsv``)."""
    with packaged.file("", "vocabulary.ecsv") as path:
        return Schema.read(path)


def column(name):
    """The declaration of ``name`` (or of the column that has it as an alias) in the vocabulary.

    Raises
    ------
    MissingColumnError
        If the vocabulary has no such name.
    """
    return vocabulary()[name]


def declare(*items):
    """Add columns to the vocabulary: labels, identifiers and inputs of another survey.

    Parameters
    ----------
    *items : `Column`
        A column that is there already, exactly so, is left as it is.

    Raises
    ------
    InputError
        If a name or alias is that of another column.
    """
    for item in items:
        vocabulary().add(item)
    known_names.cache_clear()


def label_columns(label):
    """Declarations of a label, its error and its flag.

    Parameters
    ----------
    label : str
        Name of a label in the vocabulary, for instance ``teff``.

    Returns
    -------
    tuple of `Column`
        ``label``, ``label_err`` (total standard error), ``label_flag`` (bits of `stellarlabels.flags.LABEL`).
    """
    value = column(label)
    error = replace(
        value,
        name=f"{value.name}_err",
        aliases=(*(f"{name}_err" for name in value.aliases), *(f"e_{name}" for name in value.names)),
        ucd=f"stat.error;{value.ucd}" if value.ucd else "stat.error",
        description=f"Standard error of {value.name}",
        low=0.0,
        high=value.high - value.low,
        nulls=(),
    )
    flag = Column(
        name=f"{value.name}_flag",
        dtype="int32",
        ucd="meta.code.qual",
        description=f"Flag bits of {value.name}; 0 is good",
    )
    return value, error, flag


def error_term(label, term):
    """Declaration of one term ("model", "input" or "excess") of a label's error, ``<label>_err_<term>``."""
    # "model" is the scatter of networks or dropout passes, "input" comes from the errors of the inputs, "excess" is
    # learned.
    error = label_columns(label)[1]
    return replace(error, name=f"{error.name}_{term}", aliases=(), description=f"{error.description}, {term} term")


@lru_cache(maxsize=1)
def known_names():
    """Declarations by all names in lower case: of the vocabulary's columns, and of the errors of its labels."""
    known = {name.lower(): item for item in vocabulary() for name in item.names}
    for label in [item for item in vocabulary() if item.unit in ("K", "dex") and not item.name.endswith("_err")]:
        error = label_columns(label.name)[1]
        for name in error.names:
            known.setdefault(name.lower(), error)
    return known


def declaration(name):
    """What the vocabulary says of a column, or of the label of which it is the error or the flag; None if nothing."""
    found = known_names().get(name.lower())
    if found is not None:
        return found
    label = name.removesuffix("_err").removesuffix("_flag")
    if label not in vocabulary():
        return None
    return next((item for item in label_columns(label) if item.name == name), None)
