"""What a table of LAMOST spectra has for columns (``data/lamost/columns.ecsv`` and the vocabulary)."""

from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns import Schema, column

__all__ = ["ARMS", "PIXELS", "arm_column", "lamost_columns"]

#: Ends of the names of the columns of pixels: low resolution has one spectrum, medium resolution two arms.
ARMS = ("", "_b", "_r")

#: Columns that hold a number for each pixel.
PIXELS = ("wavelength", "flux", "ivar", "andmask", "ormask")


@lru_cache(maxsize=1)
def lamost_columns():
    """The columns of low-resolution spectra and of what headers say; header cards are aliases.

    Returns
    -------
    `~stellarlabels.columns.Schema`
    """
    with packaged.file("lamost", "columns.ecsv") as path:
        declared = Schema.read(path)
    columns = [item if item.description else column(item.name) for item in declared]
    return Schema(declared.name, columns, declared.description, declared.reference)


def arm_column(name, arm=""):
    """The declaration of a column of pixels.

    Parameters
    ----------
    name : str
        One of `PIXELS`.
    arm : {"", "_b", "_r"}

    Returns
    -------
    `~stellarlabels.columns.Column`
    """
    return column(name + arm) if arm else lamost_columns()[name]
