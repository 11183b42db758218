"""Reading and writing of catalogs in any format."""

import logging
import os
from pathlib import Path
from typing import Any

from astropy.table import Table

from stellarlabels import columns, files, releases
from stellarlabels.catalogs import published, schemas
from stellarlabels.catalogs.table import CatalogTable
from stellarlabels.columns import Schema

_log = logging.getLogger(__name__)


def write(
    table: Any,
    path: str | os.PathLike[str],
    schema: str | Schema | None = None,
    *,
    overwrite: bool = False,
    format: str | None = None,
) -> None:
    """Write a table of stars to a file.

    Parameters
    ----------
    table : `~astropy.table.Table` or data frame
        It is not changed.
    path : path-like
        Its suffix decides about the format; see `supported_formats`.
    schema : str or `~stellarlabels.columns.Schema`, optional
        The published catalog that the file is to be: exactly the columns of the schema, under its names, in its order,
        units and dtypes; columns that the table does not have are all missing. Without it all columns are written as
        they are, with unit, description, format and ``info.meta["ucd"]`` of each, or what the vocabulary says of them.
    overwrite : bool
        Whether an existing file is replaced.
    format : str, optional
        Name of the format if the suffix is not to decide: ``"votable.tabledata"`` is a VOTable in plain text,
        ``"fits-plus"`` the FITS of TOPCAT, with the header of a VOTable in its primary HDU.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the format is unknown or cannot hold a column (the message names it): FITS and MRT hold ASCII text only,
        FITS 999 columns with names of up to 68 characters, VOTable in plain text no control characters and no arrays
        of text, Parquet no cells of two or more dimensions, MRT no infinite numbers; none holds integers above
        2**63 - 1 or cells of several lengths.
    stellarlabels.exceptions.ColumnUnitError
        If a unit does not convert to that of the schema.
    stellarlabels.exceptions.WriteError
        If the file exists, its folder does not, or the system refuses to write.

    Warns
    -----
    stellarlabels.exceptions.FileWarning
        Of metadata without a name, which are not written.

    Notes
    -----
    The file appears under its name only when it is complete; if anything fails, nothing is left behind and a file that
    was there stays. Missing values are those that are masked, NaN, or an empty text. FITS and the plain-text VOTable
    have no other sign for a missing text than an empty one; FITS drops blanks at the end of a text, MRT also at its
    beginning. MRT has no place for UCDs, dtypes and metadata, CSV and TSV also none for units and descriptions: they
    come back when the file is read with its schema. ``dex``, the unit of [Fe/H], is no unit of the FITS standard:
    other programs show it, and Astropy warns when it reads it.

    Two million rows or more show a progress bar. Tables that are larger than memory are for
    `stellarlabels.catalogs.stream`.
    """
    target = files.find(path, format)
    table = table if isinstance(table, Table) else columns.as_table(table)
    declared = None if schema is None else schemas.get(schema, table.meta.get(releases.META))
    with files.replacing(path, overwrite=overwrite) as stream:
        target.write(published.content_of(table, declared), stream, Path(path))
    _log.info("wrote %d rows to %s (%s)", len(table), path, target.name)


def read(
    path: str | os.PathLike[str],
    schema: str | Schema | None = None,
    *,
    table: str | int | None = None,
    format: str | None = None,
) -> CatalogTable:
    """Read a catalog: a published file, or one that `write` made.

    Parameters
    ----------
    path : path-like
        FITS, VOTable, Parquet, HDF5, CSV, TSV and other text, ECSV or MRT, recognized by what is in it, also packed
        with gzip or bzip2, or in a zip archive.
    schema : str or `~stellarlabels.columns.Schema`, optional
        The published catalog that the file is. Without it the table is what the file says; one that another program
        made goes through `stellarlabels.columns.intake` so far that numbers that stand for missing are masked, and that
        identifiers that came as floats are told of. They are refused by the function that needs them, which also says
        in which units it takes columns that have none: files of any kind can be read.
    table : int or str, optional
        Number, from 1, or name of the table if the file holds several with different columns. Tables with the same
        columns are read one after the other.
    format : str, optional
        Name of the format if the content is not to decide.

    Returns
    -------
    `~stellarlabels.catalogs.CatalogTable`
        The schema's columns under its names, in its order, units and dtypes, with UCDs in ``info.meta["ucd"]`` and the
        set of flags that explains a column in ``info.meta["flags"]``; missing values (nulls, NaN, the schema's null
        values such as -9999) are masked. Columns that the schema does not know follow, and are listed in
        ``meta["unknown_columns"]``; columns that the file does not have are masked in every row and listed in
        ``meta["missing_columns"]``; see ``stellarlabels.catalogs.published.to_table``.

    Raises
    ------
    stellarlabels.exceptions.ReadError
        If the file is missing, is not what its suffix says, or holds several tables with different columns; the
        message lists them.
    stellarlabels.exceptions.InputError
        If the schema, the table or the format is unknown.
    stellarlabels.exceptions.ColumnUnitError
        If a unit in the file does not convert to that of the schema.

    Warns
    -----
    stellarlabels.exceptions.ImpossibleValueWarning
        Of values that were taken as missing, since no star has such, and of identifiers that came as floats; also in
        ``meta["intake"]``.
    stellarlabels.exceptions.FileWarning
        Of columns that are left out (complex numbers, structures), second columns of one name, which get the suffix
        ``_2``, and results of services that are cut off.
    """
    declared = None if schema is None else schemas.get(schema)
    [found] = files.contents(path, table=table, format=format, declared=declared)
    if declared is not None:
        declared = schemas.get(declared, found.meta.get(releases.META))
    notes = columns.Notes()
    out = published.taken_in(found, declared, notes)
    notes.keep(out.meta)
    notes.warn(str(path), stacklevel=2)
    return CatalogTable(out, copy=False)
