"""Files: every format through one door, read whole or in parts, written under their name only when complete.

`contents` and `read_raw` recognize a file by what is in it (FITS, VOTable, Parquet, HDF5, CSV and its relatives, ECSV,
machine-readable tables; packed with gzip or bzip2, or in a zip archive). A format is a module that is registered by
`register_format`; one from outside is registered in the same way.
"""

from stellarlabels.files.atomic import check, replacing, replacing_folder, sha256
from stellarlabels.files.cache import read_cached
from stellarlabels.files.content import BLOCK, Content, Field, from_table
from stellarlabels.files.documents import described_table, dumps, loads, open_fits, parse_votable
from stellarlabels.files.formats import arrow, parquet
from stellarlabels.files.formats.fixed import FixedWidth
from stellarlabels.files.opening import read_bytes
from stellarlabels.files.paths import as_paths
from stellarlabels.files.products import available, recognize, register, registered
from stellarlabels.files.reading import Raw, contents, count, read_raw, sheets
from stellarlabels.files.registry import find, supported_formats
from stellarlabels.files.registry import register as register_format
from stellarlabels.files.spool import Spool, SpooledArray

__all__ = [
    "BLOCK",
    "Content",
    "Field",
    "FixedWidth",
    "Raw",
    "Spool",
    "SpooledArray",
    "arrow",
    "as_paths",
    "available",
    "check",
    "contents",
    "count",
    "described_table",
    "dumps",
    "find",
    "from_table",
    "loads",
    "open_fits",
    "parquet",
    "parse_votable",
    "read_bytes",
    "read_cached",
    "read_raw",
    "recognize",
    "register",
    "register_format",
    "registered",
    "replacing",
    "replacing_folder",
    "sha256",
    "sheets",
    "supported_formats",
]
