"""Files: every format through one door, read whole or in parts, written under their name only when complete.

`contents` and `read_raw` recognize a file by what is in it (FITS, VOTable, Parquet, HDF5, CSV and its relatives, ECSV,
machine-readable tables; packed with gzip or bzip2, or in a zip archive). A format is a module that is registered by
`register_format`; one from outside is registered in the same way.
"""

from stellarlabels.columns import products
from stellarlabels.files.atomic import (
    check as check,
    keep_inputs as keep_inputs,
    replacing as replacing,
    replacing_folder as replacing_folder,
    sha256 as sha256,
)
from stellarlabels.files.content import BLOCK as BLOCK, Content, Field, from_table as from_table
from stellarlabels.files.documents import (
    dumps as dumps,
    loads as loads,
    open_fits as open_fits,
    parse_votable as parse_votable,
)
from stellarlabels.files.formats import arrow as arrow, parquet as parquet
from stellarlabels.files.formats.fixed import FixedWidth as FixedWidth
from stellarlabels.files.formats.mrt import described as described_table  # noqa: F401 - lent under this name
from stellarlabels.files.opening import read_bytes as read_bytes
from stellarlabels.files.paths import as_paths as as_paths
from stellarlabels.files.reading import (
    Raw as Raw,
    contents as contents,
    count as count,
    read_raw as read_raw,
    sheets as sheets,
)
from stellarlabels.files.registry import find as find, register as register_format, supported_formats

register = products.register

__all__ = ["Content", "Field", "register", "register_format", "supported_formats"]
