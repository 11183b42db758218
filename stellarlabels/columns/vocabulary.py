"""The library's own vocabulary (``data/vocabulary.ecsv``): all inputs and all labels."""

from dataclasses import replace
from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns.column import Column, without_unit
from stellarlabels.columns.schema import Schema
from stellarlabels.exceptions import InputError, MissingColumnError

__all__ = ["column", "declare", "declare_labels", "error_term", "label_columns", "vocabulary"]

#: Columns that systems, or users in a training, have declared beside those of the vocabulary, by name.
_DECLARED = {}


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
    return _DECLARED.get(str(name).lower()) or vocabulary()[name]


def declare(item):
    """Make a column known that the vocabulary does not have, the age of a star, say, until the end of the session.

    Parameters
    ----------
    item : Column
        With the unit, UCD and description under which it is to be in every table.

    Raises
    ------
    InputError
        If the name is that of another column: one of the vocabulary, or one that was declared with another unit.

    Examples
    --------
    >>> from stellarlabels import columns
    >>> columns.declare(columns.Column("age_of_star", unit="Gyr", ucd="time.age", description="Age"))
    >>> columns.column("age_of_star").unit
    'Gyr'
    """
    known = column(item.name) if item.name.lower() in _DECLARED or item.name in vocabulary() else item
    if (known.name, known.unit, known.dtype) != (item.name, item.unit, item.dtype):
        raise InputError(
            f"column {item.name!r}: is known already, with the unit {known.unit!r} and the dtype {known.dtype!r}, got "
            f"{item.unit!r} and {item.dtype!r}; give yours another name"
        )
    if item.name not in vocabulary():
        _DECLARED[item.name.lower()] = item


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
    for item in items:
        declare(item)
    for label in labels:
        if label.lower() in _DECLARED or label in vocabulary():
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
    )
    flag = Column(
        name=f"{value.name}_flag",
        dtype="int32",
        ucd="meta.code.qual",
        description=f"Flag bits of {value.name}; 0 is good",
    )
    return value, error, flag


def error_term(label, term):
    """Declaration of one term of a label's error, ``<label>_err_<term>``.

    Parameters
    ----------
    label : str
        Name of a label in the vocabulary.
    term : str
        "model" (scatter of networks or dropout passes), "input" (from the errors of the inputs) or "excess" (learned).
    """
    error = label_columns(label)[1]
    return replace(error, name=f"{error.name}_{term}", aliases=(), description=f"{error.description}, {term} term")
