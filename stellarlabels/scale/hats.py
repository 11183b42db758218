"""Catalogs in the HATS format: a folder of Parquet files, one for each partition of the sky, and what is said of them.

Units, UCDs and descriptions are in the header of a VOTable (VOParquet 1.0) in the metadata of ``_common_metadata`` and,
in catalogs of this library, of each partition. LSDB and hats are not needed here.
"""

import re
from dataclasses import replace
from pathlib import Path

from stellarlabels import columns
from stellarlabels.catalogs import published
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.files import arrow, contents, parquet

__all__ = [
    "INDEX",
    "columns_of",
    "describe",
    "main_catalog",
    "partition_files",
    "partition_files_in",
    "partitions",
    "stars",
]

#: Column with the place of a star on the sky, by which rows are sorted.
INDEX = "_healpix_29"

_PLACE = re.compile(r"Norder=(\d+)/Dir=\d+/Npix=(\d+)")


def _properties(folder):
    """What the properties file of a catalog or collection says; nothing if there is none."""
    for name in ("hats.properties", "properties", "collection.properties"):
        path = folder / name
        if path.is_file():
            pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
            return {key.strip(): value.strip() for key, value in pairs if not key.startswith("#")}
    return {}


def main_catalog(path):
    """The folder of a catalog, which may be given by that of its collection."""
    folder = Path(path)
    primary = _properties(folder).get("hats_primary_table_url")
    folder = folder / primary if primary else folder
    if not _properties(folder) or not (folder / "dataset").is_dir():
        raise InputError(f"source: the folder {path} is no HATS catalog: it has no hats.properties or no dataset")
    return folder


def partition_files(path):
    """The Parquet files of a catalog, in the order of their place on the sky."""
    found = partition_files_in(main_catalog(path))
    if not found:
        raise InputError(f"source: the catalog {path} has no partitions")
    return found


def partition_files_in(folder):
    """The Parquet files in the folder of a catalog, which need not be complete, in the order of their place."""
    return [file for inside in partitions(folder).values() for file in inside]


def partitions(folder):
    """The partitions in the folder of a catalog: files by order and pixel, in the order of their place on the sky."""
    found = {}
    for file in sorted((Path(folder) / "dataset").glob("Norder=*/Dir=*/Npix=*")):
        order, pixel = map(int, _PLACE.search(file.as_posix()).groups())
        found[order, pixel] = sorted(file.glob("*.parquet")) if file.is_dir() else [file]
    return dict(sorted(found.items(), key=lambda item: item[0][1] << 2 * (29 - item[0][0])))


def columns_of(path):
    """What the file ``_common_metadata`` of a catalog says of its columns: `Column` by name."""
    pa = arrow.load()
    file = main_catalog(path) / "dataset" / "_common_metadata"
    return parquet.described(pa.parquet.read_schema(file).metadata if file.is_file() else None)[1]


def stars(content, columns):
    """A table of stars out of a partition, with units."""
    fields = []
    for item in content.fields:
        known = columns.get(item.column.name, item.column)
        unit = item.column.unit or known.unit
        if not unit and item.kind == "f":
            unit = _vocabulary_unit(item.column.name)
        about = {key: getattr(item.column, key) or getattr(known, key) for key in ("ucd", "description", "format")}
        fields.append(replace(item, column=replace(item.column, unit=unit, **about)))
    return published.to_table(replace(content, fields=fields))


def _vocabulary_unit(name):
    try:
        return columns.column(name).unit
    except MissingColumnError:
        return ""


def describe(folder):
    """Give ``_common_metadata`` the header that all partitions have, without what is true of single ones only."""
    pa = arrow.load()
    first = partition_files_in(folder)[0]
    content = next(contents(first, 1)).part(slice(0, 0))
    path = Path(folder) / "dataset" / "_common_metadata"
    path.unlink(missing_ok=True)
    with open(path, "wb") as stream:
        pa.parquet.write_metadata(parquet.arrow_schema(content), stream)
