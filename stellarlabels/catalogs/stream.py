"""Catalogs that are larger than memory, written as their rows come."""

import logging
from dataclasses import replace
from pathlib import Path

from stellarlabels import files, releases
from stellarlabels.catalogs import published, schemas
from stellarlabels.catalogs.spool import Spool, SpooledArray
from stellarlabels.columns import Schema
from stellarlabels.exceptions import InputError, WriteError
from stellarlabels.files import Field

_log = logging.getLogger(__name__)


class Writer:
    """Takes a catalog piece by piece and writes it to one or more files.

    The rows wait in an unnamed file in the folder of the first path until `close` writes the catalogs, since the
    width of a text, the number of rows, and an integer that is free to stand for nulls are known only then. So the
    disk needs space for the rows twice; the memory needs space for a few pieces.

    Parameters
    ----------
    path : path-like or list of path-like
        Each suffix decides about the format of the file.
    schema : str or `~stellarlabels.columns.Schema`, optional
        As in `stellarlabels.catalogs.write`.
    overwrite : bool
        Whether existing files are replaced.
    format : str or list of str, optional
        Name of the format, or one for each path, if the suffix is not to decide.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from astropy.table import QTable
    >>> from stellarlabels import catalogs
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "labels.fits"
    >>> with catalogs.stream(path) as writer:
    ...     for first in (1, 4):
    ...         writer.append(QTable({"source_id": [first, first + 1, first + 2]}))
    >>> catalogs.read(path)["source_id"].tolist()
    [1, 2, 3, 4, 5, 6]
    >>> folder.cleanup()
    """

    def __init__(self, path, schema=None, *, overwrite=False, format=None):
        paths = [Path(one) for one in path] if isinstance(path, list | tuple) else [Path(path)]
        names = list(format) if isinstance(format, list | tuple) else [format] * len(paths)
        if not paths or len(names) != len(paths):
            raise InputError(f"format: expected one for each of {len(paths)} paths, got {len(names)}")
        self._targets = [(one, files.find(one, name)) for one, name in zip(paths, names, strict=True)]
        self._declared = None if schema is None else schemas.get(schema)
        self._overwrite = overwrite
        for one in paths:
            files.check(one, overwrite=overwrite)
        self._spool = Spool(paths[0].parent)
        self._content = None
        self._columns = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.close()
        else:
            self.discard()

    @property
    def rows(self):
        """Number of rows so far."""
        return 0 if self._content is None else len(self._content)

    @property
    def content(self):
        """The rows so far, as a `~stellarlabels.files.Content`; None before the first ones."""
        return self._content

    def append(self, table):
        """Add rows.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The first one decides about the metadata and, without a schema, about the columns, their units, dtypes,
            shapes and descriptions; all others have the same columns.

        Raises
        ------
        stellarlabels.exceptions.InputError
            If the writer is closed, columns are missing or new, or a value does not fit.
        stellarlabels.exceptions.ColumnUnitError
            If a unit does not convert.
        stellarlabels.exceptions.WriteError
            If the disk is full.
        """
        if self._spool is None:
            raise InputError("table: the writer is closed")
        if self._content is None:
            if self._declared is not None:
                self._declared = schemas.get(self._declared, table.meta.get(releases.META))
            part = published.content_of(table, self._declared)
            self._begin(part)
        else:
            part = self._alike(table)
        try:
            for item, kept in zip(part.fields, self._content.fields, strict=True):
                kept.data.append(item.data)
                kept.mask.append(item.mask if item.has_missing else len(item.data))
        except OSError as error:
            self.discard()
            raise WriteError(f"path: no room for the rows of {self._targets[0][0]}: {error.strerror}") from error

    def _begin(self, part):
        """Take columns and metadata from the first rows."""
        columns = [item.column for item in part.fields]
        self._columns = self._declared or Schema("rows", [replace(column, aliases=()) for column in columns])
        fields = [
            Field(
                column,
                SpooledArray(self._spool, "U1" if item.kind == "U" else item.data.dtype, column.shape),
                SpooledArray(self._spool, bool, column.shape),
            )
            for item, column in zip(part.fields, columns, strict=True)
        ]
        self._content = replace(part, fields=fields)

    def _alike(self, table):
        """The content of further rows, in the columns of the first ones."""
        if self._declared is None:
            expected, got = self._columns.names, list(table.colnames)
            if sorted(expected) != sorted(got):
                raise InputError(f"table: expected the columns {expected} of the first rows, got {got}")
        return published.content_of(table, self._columns)

    def close(self):
        """Write the files. Nothing is left to be done when it has been called before."""
        if self._spool is None:
            return
        try:
            if self._content is None:
                if self._declared is None:
                    raise InputError("table: expected at least one, got none")
                self.append(self._declared.empty())
            for path, target in self._targets:
                with files.replacing(path, overwrite=self._overwrite) as out:
                    target.write(self._content, out, path)
                _log.info("wrote %d rows to %s (%s)", self.rows, path, target.name)
        finally:
            self.discard()

    def discard(self):
        """Forget the rows; no file is written."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def stream(path, schema=None, *, overwrite=False, format=None):
    """Write a catalog that is larger than memory, piece by piece.

    Parameters
    ----------
    path, schema, overwrite, format
        As those of `Writer`.

    Returns
    -------
    `Writer`
        For a ``with`` statement. The file appears when the block ends without an error; after an error nothing is left.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the format or the schema is unknown.
    stellarlabels.exceptions.WriteError
        If the file exists or its folder does not.
    """
    return Writer(path, schema, overwrite=overwrite, format=format)
