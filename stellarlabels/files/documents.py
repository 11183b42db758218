"""Documents on their way to and from other programs, and what others have to open themselves."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from astropy.table import QTable

from stellarlabels.columns import units
from stellarlabels.exceptions import ColumnUnitError
from stellarlabels.files import registry
from stellarlabels.files.content import from_table, plain_table
from stellarlabels.files.opening import Place, damages
from stellarlabels.files.reading import read


def dumps(table, *, serialization="binary2"):
    """A table as a VOTable document in bytes; UCDs are those in ``info.meta["ucd"]``."""
    # "binary2" tells apart a missing integer and any number; every program reads "tabledata".
    content, out = from_table(table), BytesIO()
    for item in content.fields:
        try:
            units.spell(item.column.unit, "vounit", item.column.name)
        except ColumnUnitError:  # the numbers are what the other program needs
            item.column = replace(item.column, unit="")
    name = "votable" if serialization == "binary2" else f"votable.{serialization}"
    registry.find("", name).write(content, out, Path("table.vot"))
    return out.getvalue()


def loads(data, *, where="VOTable"):
    """The first table of a VOTable document in bytes, as a masked QTable; UCDs are in ``info.meta["ucd"]``."""
    with damages(where, "VOTable, or none"):
        found = registry.find("", "votable").tables(Place(Path(where), data=data))
    return QTable(plain_table(read(found[0])))


def parse_votable(data):
    """A VOTable document (bytes) as Astropy has it, for those who need to know more of it than its tables."""
    from astropy.io import votable

    return votable.parse(BytesIO(data), verify="ignore")


def open_fits(source):
    """All HDUs of a FITS file (path or bytes) as Astropy has them, for files that hold no tables of stars."""
    from astropy.io import fits

    source = BytesIO(source) if isinstance(source, bytes) else source
    return fits.open(source, memmap=False, lazy_load_hdus=False)
