"""Machine-readable tables (MRT) of the AAS journals: a byte-by-byte description, notes, and lines of fixed width.

The format holds names, units, descriptions, numbers and text. A cell of several values has a column for
each. There is no place for UCDs, dtypes, formats and metadata: these come from the schema when the file is read with
one.
"""

import re
import warnings
from dataclasses import replace

import numpy as np
from astropy.table import Table

from stellarlabels.exceptions import ReadError
from stellarlabels.files.content import Content, field_of
from stellarlabels.files.formats.dialect import decoded
from stellarlabels.files.formats.fixed import ORDINAL, FixedWidth
from stellarlabels.files.formats.foreign import TableSheet
from stellarlabels.files.opening import damages

#: The end of the description of a column of values out of cells of several ones.
_PLACE = re.compile("(.*) " + re.escape(ORDINAL).replace(r"\{\}", r"(\d+)"))
#: The name of a column in the byte-by-byte description, and the lines around that.
_LABEL = re.compile(r"^[ \d-]*\d +[AIFEDG][\d.]* +\S+ +(\S+)", re.MULTILINE)
_RULE = "-" * 20
#: Characters in which the description is looked for.
_HEAD = 1 << 20
_WRITTEN_BY = re.compile(r"Title: (.*)\nAuthors: .*\nTable: (.*) \(written by (.*)\)\n")


def write(content, stream, path):
    """Write a content as a machine-readable table."""
    table = FixedWidth(content)
    title = (content.description or content.name).encode("ascii", "replace").decode("ascii")
    head = f"Title: {title}\nAuthors: \nTable: {content.name} (written by {content.creator})\n{'=' * 80}\n"
    stream.write((head + table.description(path.name)).encode("ascii"))
    for lines in table.lines():
        stream.write(lines)


def tables(place):
    """The table of a file."""
    return [_Table(place, _parsed)]


def _parsed(data):
    """The table as Astropy reads it, without blank lines at the end."""
    text = decoded(data)
    with warnings.catch_warnings(action="ignore"):  # units in the dialects of journals
        table = Table.read(text.rstrip().splitlines(), format="ascii.mrt")
    if not table.colnames:
        raise ReadError("truncated machine-readable table; its description has no columns")
    # Where two columns have one name, Astropy has given the second another one.
    described = text[:_HEAD].partition("Byte-by-byte")[2].split(f"\n{_RULE}", 3)
    labels = _LABEL.findall(described[2]) if len(described) > 2 else []
    table.meta = {"head": text[:4096], "names": labels if len(labels) == len(table.colnames) else table.colnames}
    return table


def described(path, readme):
    """The table of the CDS at a path with the ReadMe that describes it."""
    with damages(path, f"table of the CDS, or not as {readme} describes it"), warnings.catch_warnings(action="ignore"):
        return Table.read(path, readme=str(readme), format="ascii.cds")


class _Table(TableSheet):
    """A machine-readable table."""

    def read(self, declared=None):
        fields = super().read().fields
        for item in fields:
            item.column = replace(item.column, description=re.sub(r" \(\d+\)$", "", item.column.description))
        own = _WRITTEN_BY.search(str(self.meta.get("head", "")))
        if not own:
            return Content(fields)
        title, name, creator = own.groups()
        meta = {} if name == "labels" else {"system": name}
        return Content(_joined(fields), meta, description="" if title == name else title, creator=creator)


def _joined(fields):
    """The fields with the columns of values of one cell joined again."""
    out, parts = [], []
    for item in fields:
        found = _PLACE.fullmatch(item.column.description)
        if not found:
            out.append(item)
            continue
        parts.append(item)
        if found[2] == found[3]:
            name = item.column.name.removesuffix(f"_{found[2]}")
            column = replace(item.column, name=name, description=found[1])
            data, mask = (np.stack([getattr(one, key) for one in parts], axis=1) for key in ("data", "mask"))
            out.append(field_of(column, data, mask))
            parts = []
    return out
