"""The library's own vocabulary (``data/vocabulary.ecsv``): all inputs and all labels."""

from dataclasses import replace
from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns.column import Column
from stellarlabels.columns.schema import Schema

__all__ = ["column", "error_term", "label_columns", "vocabulary"]


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
