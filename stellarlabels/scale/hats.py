"""Catalogs in the HATS format: a folder of Parquet files, one for each partition of the sky, and what is said of them.

Units, UCDs and descriptions are in the header of a VOTable (VOParquet 1.0) in the metadata of ``_common_metadata`` and,
in catalogs of this library, of each partition. LSDB and hats are needed only to write a catalog.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from stellarlabels import __version__, columns
from stellarlabels.catalogs import published
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.files import arrow, contents, parquet

__all__ = ["INDEX", "columns_of", "finish", "main_catalog", "partition_files", "partition_path", "partitions", "stars"]

#: Column with the place of a star on the sky, by which rows are sorted.
INDEX = "_healpix_29"

_PLACE = re.compile(r"Norder=(\d+)/Dir=\d+/Npix=(\d+)")
#: Order of the pixels in which the density of the stars is described, at least.
_MAP_ORDER = 8


def _properties(folder):
    """What the properties file of a catalog or collection says; nothing if there is none."""
    for name in ("hats.properties", "properties", "collection.properties"):
        path = folder / name
        if path.is_file():
            pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
            return {key.strip(): value.strip() for key, value in pairs if not key.startswith("#")}
    return {}


def main_catalog(path):
    """The folder of a catalog, which may be given by that of its collection.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    `~pathlib.Path`

    Raises
    ------
    InputError
        If it is the folder of no HATS catalog.
    """
    folder = Path(path)
    primary = _properties(folder).get("hats_primary_table_url")
    folder = folder / primary if primary else folder
    if not _properties(folder) or not (folder / "dataset").is_dir():
        raise InputError(f"source: the folder {path} is no HATS catalog: it has no hats.properties or no dataset")
    return folder


def partition_files(path):
    """The Parquet files of a catalog, in the order of their place on the sky.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of `~pathlib.Path`

    Raises
    ------
    InputError
        If it is the folder of no HATS catalog, or of one without partitions.
    """
    found = [file for inside in partitions(main_catalog(path)).values() for file in inside]
    if not found:
        raise InputError(f"source: the catalog {path} has no partitions")
    return found


def partitions(folder):
    """The partitions that are in the folder of a catalog.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    dict of (int, int) to list of `~pathlib.Path`
        Files by order and pixel, in the order of their place on the sky.
    """
    found = {}
    for file in sorted((Path(folder) / "dataset").glob("Norder=*/Dir=*/Npix=*")):
        order, pixel = map(int, _PLACE.search(file.as_posix()).groups())
        found[order, pixel] = sorted(file.glob("*.parquet")) if file.is_dir() else [file]
    return dict(sorted(found.items(), key=lambda item: item[0][1] << 2 * (29 - item[0][0])))


def partition_path(folder, order, pixel):
    """The place of a partition.

    Parameters
    ----------
    folder : path-like
        Of the catalog.
    order, pixel : int
        HEALPix order and number of the pixel, nested.

    Returns
    -------
    `~pathlib.Path`
    """
    parent = Path(folder) / "dataset" / f"Norder={order}" / f"Dir={pixel // 10000 * 10000}"
    return parent / f"Npix={pixel}.parquet"


def columns_of(path):
    """What the file ``_common_metadata`` of a catalog says of its columns.

    Parameters
    ----------
    path : path-like
        Of the catalog.

    Returns
    -------
    dict of str to `~stellarlabels.columns.Column`
        Empty if it says nothing.
    """
    pa = arrow.load()
    file = main_catalog(path) / "dataset" / "_common_metadata"
    return parquet.described(pa.parquet.read_schema(file).metadata if file.is_file() else None)[1]


def stars(content, columns):
    """A table of stars out of a partition, with units.

    Parameters
    ----------
    content : `stellarlabels.files.Content`
    columns : dict of str to `~stellarlabels.columns.Column`
        What is known of the columns. Where it and the content give no unit, that of the vocabulary is meant.

    Returns
    -------
    `~astropy.table.QTable`
    """
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


def finish(folder, info, *, name):
    """Write everything of a catalog but its partitions, which are there.

    Parameters
    ----------
    folder : path-like
    info : `hats.catalog.TableProperties`
        Of the catalog that it was made from.
    name : str
        Of the new catalog.

    Returns
    -------
    int
        Number of rows.
    """
    from hats.catalog import PartitionInfo, TableProperties
    from hats.io.parquet_metadata import write_parquet_metadata
    from hats.pixel_math import HealpixPixel

    pa, folder = arrow.load(), Path(folder)
    _tidy(folder)
    found = partitions(folder)
    files = [file for inside in found.values() for file in inside]
    pixels = [HealpixPixel(order, pixel) for order, pixel in found]
    counts = [pa.parquet.read_metadata(file).num_rows for file in files]
    sky = PartitionInfo.from_healpix(pixels)
    sky.write_to_file(folder / "partition_info.csv")
    write_parquet_metadata(folder, create_per_partition_stats=True)
    _describe(folder, files[0])
    order = max(_MAP_ORDER, *(one.order for one in pixels))
    _write_map(folder, files, order)
    changes = {
        "catalog_name": name,
        "total_rows": sum(counts),
        "hats_max_rows": max(counts),
        "default_columns": None,
        "hats_order": sky.get_highest_order(),
        "moc_sky_fraction": float(f"{sky.calculate_fractional_coverage():.5g}"),
        "npix_suffix": ".parquet",
        "skymap_order": order,
        "skymap_alt_orders": None,
        "hats_cols_sort": None,
        "hats_cols_survey_id": None,
    }
    provenance = TableProperties.new_provenance_dict(folder, builder=f"stellarlabels {__version__}")
    info.copy_and_update(**{**changes, **provenance}).to_properties_file(folder)
    return sum(counts)


def _tidy(folder):
    """Remove what a run that was stopped here has left, and unfinished files of workers that were."""
    left = [file for file in folder.iterdir() if file.is_file()]
    left += (folder / "dataset").glob("_*metadata")
    left += (folder / "dataset").rglob(".*.part")
    for file in left:
        file.unlink()


def _describe(folder, first):
    """Give ``_common_metadata`` the header that all partitions have, without what is true of single ones only."""
    pa = arrow.load()
    content = next(contents(first, 1)).part(slice(0, 0))
    path = folder / "dataset" / "_common_metadata"
    path.unlink(missing_ok=True)
    with open(path, "wb") as stream:
        pa.parquet.write_metadata(parquet.arrow_schema(content), stream)


def _write_map(folder, files, order):
    """The number of stars in the pixels of the sky."""
    from hats.io import file_io, paths
    from hats.io.skymap import write_skymap

    pa = arrow.load()
    histogram = np.zeros(12 * 4**order, np.int64)
    for file in files:
        places = pa.parquet.read_table(file, columns=[INDEX])[INDEX].to_numpy()
        pixels, counts = np.unique(places >> 2 * (29 - order), return_counts=True)
        histogram[pixels] += counts
    file_io.write_fits_image(histogram, paths.get_point_map_file_pointer(folder))
    write_skymap(histogram=histogram, catalog_dir=folder, orders=None)
