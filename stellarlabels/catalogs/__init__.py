"""Catalogs: tables of stars read from and written to files, with everything that makes a column understood.

A published catalog is declared column by column in `stellarlabels.catalogs.schemas`: name, unit, dtype, UCD,
description, nulls. `read` turns the published file, or one of our own, into a `~astropy.table.QTable`; `write` puts a
table into FITS, VOTable, Parquet, ECSV or MRT with units, UCDs, descriptions, missing values and 64-bit identifiers; a
table of labels can be written without a schema. `scan` reads, and `stream` writes, tables that are larger than memory
piece by piece. Each format is one small module; `supported_formats` lists them, and files are recognized by what is
in them. The expressions of `stellarlabels.catalogs.filters` keep good rows, in TOPCAT and in ADQL.
"""

from stellarlabels.catalogs import astropy_formats, filters, schemas  # noqa: F401 - importing it registers the formats
from stellarlabels.catalogs.core import read, write
from stellarlabels.catalogs.scanning import scan
from stellarlabels.catalogs.stream import Writer, stream
from stellarlabels.catalogs.table import CatalogTable
from stellarlabels.files import supported_formats
from stellarlabels.packaged import modules

__all__ = [
    "CatalogTable",
    "Writer",
    "filters",
    "read",
    "scan",
    "schemas",
    "stream",
    "supported_formats",
    "write",
]

__getattr__ = modules(__name__, "bundle")
