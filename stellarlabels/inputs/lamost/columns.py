"""What a table of LAMOST spectra has beside its pixels (``data/lamost/columns.ecsv`` and the vocabulary)."""

from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns import Schema, column

#: Ends of the names of the columns of pixels: low resolution has one spectrum, medium resolution two arms.
ARMS = ("", "_b", "_r")

#: Columns that hold a number for each pixel.
PIXELS = ("wavelength", "flux", "ivar", "andmask", "ormask")


@lru_cache(maxsize=1)
def lamost_columns():
    """The columns of what headers say (`~stellarlabels.columns.Schema`); header cards are aliases."""
    with packaged.file("lamost", "columns.ecsv") as path:
        declared = Schema.read(path)
    columns = [item if item.description else column(item.name) for item in declared]
    return Schema(declared.name, columns, declared.description, declared.reference)
