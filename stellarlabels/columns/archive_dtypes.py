"""Types of the archive's own columns, for text files that do not say them (``data/xp/archive.ecsv``)."""

from functools import lru_cache

from stellarlabels import packaged
from stellarlabels.columns.schema import Schema


@lru_cache(maxsize=1)
def archive_columns():
    """The `~stellarlabels.columns.Schema` of Gaia's table of XP coefficients."""
    with packaged.file("xp", "archive.ecsv") as path:
        return Schema.read(path)


def declared_dtype(name):
    """NumPy dtype in which the archive holds a column (or its cells); None if it is not one of the archive's."""
    columns = archive_columns()
    return columns[name].dtype if name in columns else None
