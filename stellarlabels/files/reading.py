"""Files of stars: which tables are in a file of whatever format, which of them is meant, and their rows in pieces."""

import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from astropy.table import Table

from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files import registry
from stellarlabels.files.content import joined, plain_table, tidy
from stellarlabels.files.opening import damages, places
from stellarlabels.files.sheets import sliced


@dataclass(frozen=True)
class Raw:
    """A table as it is in a file, masked where missing; its path and member; header cards by plain names."""

    table: Table
    where: str
    meta: dict = field(default_factory=dict)

    @property
    def name(self):
        """Name of the file, without its folder or archive."""
        return Path(self.where).name.rpartition(":")[2]


def sheets(path, format=None):
    """All tables in a file, or in the members of a zip archive, as sheets that have not been read."""
    return [sheet for place in places(path) for sheet in _of(place, format)]


def _of(place, format=None):
    """The tables in one file."""
    source = registry.detect(place) if format is None else registry.find(place.path, format)
    with damages(place.where, source.title):
        return source.tables(place)


def _chosen(path, table, format):
    """The tables of a file that are meant: the one that is named, or all if they have the same columns."""
    found = sheets(path, format)
    if table is not None:
        return [_named(path, found, table)]
    if len(found) > 1 and len({tuple(sorted(sheet.names)) for sheet in found}) > 1:
        raise ReadError(
            f"{path}: holds {len(found)} tables with different columns; choose one by table=NUMBER or table=NAME:"
            f" {_listed(found)}"
        )
    return found


def _named(path, found, table):
    """The table of a number, counted from 1, or a name."""
    if isinstance(table, int | np.integer) and 1 <= table <= len(found):
        return found[table - 1]
    hits = [sheet for sheet in found if sheet.title == table]
    if len(hits) != 1:
        raise InputError(f"table: expected the number or name of one table in {path}, got {table!r}: {_listed(found)}")
    return hits[0]


def _listed(found):
    """What a message says of the tables."""
    lines = []
    for number, sheet in enumerate(found, start=1):
        size = "" if sheet.rows is None else f", {sheet.rows} rows"
        shown = ", ".join(sheet.names[:4]) + (", ..." if len(sheet.names) > 4 else "")
        lines.append(f"{number}: {sheet.title or sheet.place.name!r}{size} ({shown})")
    return "; ".join(lines)


def contents(path, rows=None, first=0, *, table=None, format=None, declared=None):
    """Yield a file's content (`Content`), at once or in pieces of ``rows`` rows from ``first`` on; one at least."""
    # "table" is number, from 1, or name of one table (HDU, RESOURCE, group, member) if there are several with other
    # columns; "format" a name if the content is not to decide; "declared" the schema in whose types text is read. A
    # FileWarning tells of columns that are left out, second columns of one name, and results that are cut off.
    chosen = _chosen(path, table, format)
    return _pieces(chosen, rows, first, declared)


def _pieces(chosen, rows, first, declared):
    sheet = chosen[0]
    with damages(sheet.place.where, "table"):
        if rows is not None and len(chosen) == 1:
            for content in sheet.blocks(rows, first, declared):
                sheet.tell()
                yield tidy(content)
            return
        whole = joined(_same([read(one, declared) for one in chosen]))
        yield from sliced(whole, rows or max(len(whole), 1), first)


def read(sheet, declared=None):
    """The whole content of a table."""
    with damages(sheet.place.where, "table"):
        content = tidy(sheet.read(declared))
    sheet.tell()
    return content


def _same(contents):
    """Contents with their columns in the order of those of the first."""
    order = {item.column.name: item.column.unit for item in contents[0].fields}
    named = [{item.column.name: item for item in content.fields} for content in contents]
    for one in named:
        if any(name not in one or one[name].column.unit != unit for name, unit in order.items()):
            raise ReadError(f"the tables differ in units or in what can be read of them; choose one: {order}")
    return [replace(content, fields=list(map(one.get, order))) for content, one in zip(contents, named, strict=True)]


def count(path, *, table=None, format=None):
    """Number of rows of a file as `contents` reads it, if its header tells; None if not."""
    found = [sheet.rows for sheet in _chosen(path, table, format)]
    return None if None in found else sum(found)


def read_raw(path):
    """All tables (`Raw`) in a file, and the members of an archive that cannot be read, with reasons."""
    found, failures = [], []
    for place in places(path):
        try:
            found += [_raw(sheet) for sheet in _of(place)]
        except ReadError as error:
            if not place.member:
                raise
            failures.append((place.where, error))
    return found, failures


def _raw(sheet):
    content = read(sheet)
    return Raw(plain_table(content), sheet.place.where, _keys({**content.meta, **sheet.meta}))


def _keys(meta):
    """Metadata by names that do not depend on the spelling of a format."""
    with warnings.catch_warnings(action="ignore"):
        return {"".join(str(key).split()).replace("_", "").replace("-", "").lower(): meta[key] for key in meta}
