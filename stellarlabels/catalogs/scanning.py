"""Catalogs that are larger than memory, read some rows at a time."""

import os
from collections.abc import Iterator

from astropy.table import QTable

from stellarlabels import columns, files
from stellarlabels.catalogs import published, schemas
from stellarlabels.columns import Schema
from stellarlabels.exceptions import InputError


def scan(
    path: str | os.PathLike[str],
    schema: str | Schema | None = None,
    *,
    rows=100_000,
    first=0,
    table: str | int | None = None,
    format: str | None = None,
) -> Iterator[QTable]:
    """Read a catalog some rows at a time.

    Parameters
    ----------
    path : path-like
    schema : str or `~stellarlabels.columns.Schema`, optional
        As in `stellarlabels.catalogs.read`.
    rows : int
        Number of rows of a piece; the last one may have fewer.
    first : int
        Number of rows at the beginning that are passed over. FITS and Parquet files are not read up to there.
    table, format
        As in `stellarlabels.catalogs.read`.

    Yields
    ------
    `~astropy.table.QTable`
        What `stellarlabels.catalogs.read` gives, in pieces with the same columns. A file without rows yields one
        table without rows.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the schema or the format is unknown, ``rows`` is not a positive integer, or ``first`` is negative.
    stellarlabels.exceptions.ReadError
        If the file is missing or is not what its suffix says; for a file that ends too early, after the pieces that
        are there.
    stellarlabels.exceptions.ColumnUnitError
        If a unit in the file does not convert to that of the schema.

    Notes
    -----
    FITS, VOTable in BINARY, text, Parquet and HDF5 files are never in memory as a whole. Those of other formats, and
    files of several tables, are read at once and then cut into pieces.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from stellarlabels import catalogs
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "uacsnet.fits"
    >>> catalogs.write(catalogs.schemas.get("uacsnet").empty(5), path, "uacsnet")
    >>> [len(piece) for piece in catalogs.scan(path, "uacsnet", rows=2)]
    [2, 2, 1]
    >>> folder.cleanup()
    """
    if not isinstance(rows, int) or rows < 1:
        raise InputError(f"rows: expected a positive integer, got {rows!r}")
    if not isinstance(first, int) or first < 0:
        raise InputError(f"first: expected an integer of 0 or more, got {first!r}")
    declared = None if schema is None else schemas.get(schema)
    found = files.contents(path, rows, first, table=table, format=format, declared=declared)
    return _pieces(found, declared, str(path))


def _pieces(found, declared, where):
    """The tables of the contents, with one warning of all of them at the end."""
    notes = columns.Notes()
    for content in found:
        yield published.taken_in(content, declared, notes)
    notes.warn(where, stacklevel=3)
