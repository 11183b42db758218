"""Catalogs that are larger than memory, read some rows at a time."""

from pathlib import Path

from stellarlabels.catalogs import published, schemas
from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError
from stellarlabels.files import formats

__all__ = ["count", "pieces", "scan"]


def scan(path, schema=None, *, rows=100_000, first=0, format=None):
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
        If the schema or the format is unknown, ``rows`` is not a positive integer, or ``first`` is negative.
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
    if not isinstance(first, int) or first < 0:
        raise InputError(f"first: expected an integer of 0 or more, got {first!r}")
    source = formats.find(path, format)
    declared = None if schema is None else schemas.get(schema)
    return (published.to_table(piece, declared) for piece in pieces(source, path, declared, rows, first))


def count(path, *, format=None):
    """Number of rows of a file, from its header.

    Parameters
    ----------
    path : path-like
    format : str, optional
        Name of the format if the suffix is not to decide.

    Returns
    -------
    int or None
        None for formats whose files do not say it.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the format is unknown.
    stellarlabels.exceptions.ReadError
        If the file is missing or is not what its suffix says.
    """
    source, path = formats.find(path, format), _existing(path)
    try:
        return source.count(path)
    except StellarLabelsError:
        raise
    except Exception as error:  # whatever the libraries underneath say of a damaged file
        raise ReadError(f"path: {path} could not be read as {source.name}: {error}") from error


def pieces(source, path, declared=None, rows=None, first=0):
    """The contents of a file, before they become tables.

    Parameters
    ----------
    source : `~stellarlabels.files.formats.Format`
    path : path-like
    declared : `~stellarlabels.columns.Schema`, optional
        The schema that the file is said to have.
    rows, first : int, optional
        As in `scan`; by default there is one piece.

    Returns
    -------
    iterator of `~stellarlabels.files.content.Content`

    Raises
    ------
    stellarlabels.exceptions.ReadError
        If there is no such file, or it is not of that format.
    """
    return _pieces(source, _existing(path), declared, rows, first)


def _existing(path):
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"path: there is no file {path}")
    return path


def _pieces(source, path, declared, rows, begin):
    try:
        found = source.blocks(path, rows, declared, begin) if rows else None
        if found is not None:
            yield from found
            return
        whole = source.read(path, declared)
    except StellarLabelsError:
        raise
    except Exception as error:  # whatever the libraries underneath say of a damaged file
        raise ReadError(f"path: {path} could not be read as {source.name}: {error}") from error
    if begin:
        whole = whole.part(slice(begin, None))
    step = rows or max(len(whole), 1)
    for first in range(0, max(len(whole), 1), step):
        yield whole.part(slice(first, first + step))
