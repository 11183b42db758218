"""The library's own vocabulary (``data/vocabulary.ecsv``): all inputs and all labels."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from stellarlabels import flags, packaged
from stellarlabels.columns.column import Column, without_unit
from stellarlabels.columns.schema import Schema
from stellarlabels.exceptions import InputError, MissingColumnError


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


def declare_labels(labels, table, items=()):
    """Make the labels of a training known: as they are declared, or as their columns in the table say of themselves.

    Parameters
    ----------
    labels : sequence of str
    table : `~astropy.table.Table`
    items : sequence of Column
        Declarations of some of the labels.

    Raises
    ------
    MissingColumnError
        If a label is neither known, nor declared, nor in the table.
    InputError
        As of `declare`; or if the column in the table does not hold numbers.
    """
    declare(*items)
    for label in labels:
        if label in vocabulary():
            continue
        if label not in table.colnames:
            raise MissingColumnError(f"label {label!r}: it is not in the vocabulary, and the table has no such column")
        data = table[label]
        if without_unit(data).dtype.kind not in "fiu":
            raise InputError(f"label {label!r}: expected a column of numbers, got dtype {data.dtype}")
        about = getattr(data.info, "meta", None) or {}
        unit = "" if data.unit is None else data.unit.to_string()
        declare(Column(label, unit=unit, ucd=str(about.get("ucd", "")), description=data.info.description or label))


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
        flags="distance" if value.name == "distance" else "label",
    )
    return value, error, flag


def good_column(label):
    """Declaration of ``<label>_good``: whether a label is finite, and no flag of level caution or bad is set."""
    name = column(label).name
    return Column(
        name=f"{name}_good",
        dtype="bool",
        ucd="meta.code.qual",
        description=f"Whether {name} is known and has no flag of level caution or bad",
    )


def good_values(label, value, flag):
    """The column ``<label>_good`` from numbers (N,), masked or NaN where missing, and flags (N,)."""
    item, kind = good_column(label), label_columns(label)[2].flags
    known = np.isfinite(np.ma.filled(without_unit(value).astype(float), np.nan))
    return item.dress(known & flags.get(kind).is_good(without_unit(flag)))


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
    if found is not None and found.goes_by(name):
        return found
    label = name.removesuffix("_err").removesuffix("_flag").removesuffix("_good")
    if label not in vocabulary():
        return None
    return next((item for item in (*label_columns(label), good_column(label)) if item.name == name), None)


@lru_cache(maxsize=1)
def archive_columns():
    """The `~stellarlabels.columns.Schema` of Gaia's table of XP coefficients."""
    with packaged.file("xp", "archive.ecsv") as path:
        return Schema.read(path)


def declared_dtype(name):
    """NumPy dtype in which the archive holds a column (or its cells); None if it is not one of the archive's."""
    columns = archive_columns()
    return columns[name].dtype if name in columns else None
