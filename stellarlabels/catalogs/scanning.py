"""Catalogs that are larger than memory, read some rows at a time."""

from pathlib import Path

from stellarlabels.catalogs import formats, published, schemas
from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError

__all__ = ["pieces", "scan"]


def scan(path, schema=None, *, rows=100_000, format=None):
    """Read a catalog some rows at a time.

    Parameters
    ----------
    path : path-like
    schema : str or `~stellarlabels.schema.Schema`, optional
        As in `stellarlabels.catalogs.read`.
    rows : int
        Number of rows of a piece; the last one, and pieces of a Parquet file, may have fewer.
    format : str, optional
        Name of the format if the suffix is not to decide.

    Yields
    ------
    `~astropy.table.QTable`
        What `stellarlabels.catalogs.read` gives, in pieces with the same columns. A file without rows yields one
        table without rows.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the schema or the format is unknown, or ``rows`` is not a positive integer.
    stellarlabels.exceptions.ReadError
        If the file is missing or is not what its suffix says; for a file that ends too early, after the pieces that
        are there.
    stellarlabels.exceptions.ColumnUnitError
        If a unit in the file does not convert to that of the schema.

    Notes
    -----
    FITS, VOTable, CSV and Parquet files are never in memory as a whole. Those of other formats are read at once and
    then cut into pieces.

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
    source = formats.find(path, format)
    declared = None if schema is None else schemas.get(schema)
    return (published.to_table(piece, declared) for piece in pieces(source, path, declared, rows))


def pieces(source, path, declared=None, rows=None):
    """The contents of a file, before they become tables.

    Parameters
    ----------
    source : `~stellarlabels.catalogs.formats.Format`
    path : path-like
    declared : `~stellarlabels.schema.Schema`, optional
        The schema that the file is said to have.
    rows : int, optional
        As in `scan`; by default there is one piece.

    Returns
    -------
    iterator of `~stellarlabels.catalogs.content.Content`

    Raises
    ------
    stellarlabels.exceptions.ReadError
        If there is no such file, or it is not of that format.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"path: there is no file {path}")
    return _pieces(source, path, declared, rows)


def _pieces(source, path, declared, rows):
    try:
        found = source.blocks(path, rows, declared) if rows else None
        if found is not None:
            yield from found
            return
        whole = source.read(path, declared)
    except StellarLabelsError:
        raise
    except Exception as error:  # whatever the libraries underneath say of a damaged file
        raise ReadError(f"path: {path} could not be read as {source.name}: {error}") from error
    step = rows or max(len(whole), 1)
    for first in range(0, max(len(whole), 1), step):
        yield whole.part(slice(first, first + step))
