"""Which stars: those of a region, of identifiers, of a query, or of a table."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stellarlabels import columns
from stellarlabels.archive import queries
from stellarlabels.archive.lamost import with_obsids
from stellarlabels.archive.tap import payload
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError, MissingColumnError, ReadError
from stellarlabels.inputs.xp import read_table

#: Words of ADQL that bound a query.
_BOUNDED = re.compile(r"\b(TOP|CIRCLE|POLYGON|BOX|q3c_radial_query|TAP_UPLOAD)\b", re.IGNORECASE)
#: The query for what is near a position.
_NEAR = "gaia_near"


@dataclass(frozen=True)
class Choice:
    """The stars that are meant: of a region, identifiers, a query, or a table; at most ``limit`` of a region."""

    region: object = None
    ids: object = None
    query: object = None
    table: object = None
    limit: int | None = None

    def __post_init__(self):
        given = [name for name in ("region", "ids", "query", "table") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InputError(
                f"stars: expected one of region, ids, query and a table, got {' and '.join(given) or 'none'}"
            )
        if self.limit is not None and self.region is None:
            raise InputError("limit: is for stars of a region; a query has TOP, and of a table rows can be taken")

    def bound(self, supply, release):
        """The query of the stars, ready to be sent, and what says where; None for identifiers and tables."""
        if self.query is not None:
            return _own_query(Path(self.query))
        if self.region is None:
            return None
        query = _of_release(queries.get(supply.stars), release)
        return query, query.bind(region=self.region, **({} if self.limit is None else {"limit": self.limit}))

    def check_size(self, supply, release):
        """Refuse to ask an archive for all that it has, unless it is meant."""
        found = self.bound(supply, release)
        if found is None or _BOUNDED.search(getattr(found[1], "adql", found[1])):
            return
        raise InputError(
            "region: this asks for stars of the whole sky, hundreds of millions; give a region or a limit (--limit N), "
            "or say that it is meant with yes=True (--yes)"
        )

    def stars(self, supply, archives, release):
        """The table of the stars, with what is known of them so far."""
        found = self.bound(supply, release)
        if found is not None:
            query, bound = found
            out = _each_once(archives.tap(query).run_async(bound), supply.key)
        elif self.table is not None:
            out = columns.intake(self.table)
        else:
            out = identifiers_in(self.ids, supply.key)
        out.meta = {key: value for key, value in out.meta.items() if key in ("wavelength", "release")}
        return out if columns.find(out, supply.key) is not None else _placed(out, supply, archives, release)

    def count(self, supply, archives, release):
        """Number of the stars; the archive counts those of a query."""
        found = self.bound(supply, release)
        if found is None:
            return len(self.table if self.table is not None else identifiers_in(self.ids, supply.key))
        query, bound = found
        adql = getattr(bound, "adql", bound).strip().rstrip(";")
        return int(archives.tap(query).run_sync(f"SELECT COUNT(*) AS stars FROM ({adql}) AS listed")["stars"][0])

    def described(self, supply, release):
        """What tells the choice from others, as plain values."""
        found = self.bound(supply, release)
        if found is not None:
            return {"adql": getattr(found[1], "adql", found[1])}
        table = self.table if self.table is not None else identifiers_in(self.ids, supply.key)
        names = [name for name in (supply.key, "ra", "dec") if columns.find(table, name) is not None]
        state = hashlib.sha256(repr((len(table), table.colnames)).encode())
        for name in names:
            state.update(np.ma.filled(columns.without_unit(table[columns.find(table, name)]), 0).tobytes())
        return {"stars": state.hexdigest()}


def identifiers_in(given, key):
    """A table of stars from identifiers (N,), a file with one to a line, or the file of any table that has them."""
    if not isinstance(given, str | Path):
        return StarTable({key: columns.identifiers(given, key)})
    path = Path(given)
    if not path.is_file():
        raise ReadError(f"stars: there is no file {path}; it is to have one identifier to a line, or to be a table")
    words = _numbers(path)
    return read_table(path) if words is None else StarTable({key: words})


def _numbers(path):
    """The identifiers (N,) of a file that has one to a line and nothing else; None for any other file."""
    with open(path, "rb") as stream:
        if not stream.read(64).split(b"\n")[0].strip().isdigit():
            return None
    lines = path.read_text(encoding="utf-8", errors="replace").split()
    wrong = next((line for line in lines if not line.isdigit() or int(line) >= 2**63), None)
    if wrong is not None:
        raise InputError(f"stars: {path} has one identifier to a line, but also {wrong!r}")
    return np.array(lines, dtype=np.int64)


def _own_query(path):
    """The query of a file, with declared parameters or plain ADQL, and what is sent."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"query: {path} cannot be read: {error}") from error
    if re.search(r"^--\s*services\s*=", text, re.MULTILINE):
        query = queries.read(path)
        return query, query.bind()
    plain = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--")).strip().rstrip(";")
    return queries.get("gaia_stars"), plain


def _each_once(table, key):
    """The rows of a table with an identifier that was not there before."""
    name = columns.find(table, key)
    if name is None:
        return table
    _, first = np.unique(columns.without_unit(table[name]).data, return_index=True)
    return table if len(first) == len(table) else table[np.sort(first)]


def _of_release(query, release):
    """The query of the tables of a Gaia release, if it reads any."""
    return query if query.release is None or release is None else query.for_release(release)


def _placed(table, supply, archives, release):
    """A table with positions only, with the identifier of the nearest source of each within an arcsecond."""
    there = [name for name in ("ra", "dec") if columns.find(table, name) is not None]
    if len(there) < 2 or supply.key not in ("source_id", "obsid"):
        raise MissingColumnError(
            f"stars: column {supply.key!r} is missing, and archives find stars by it, or by ra and dec; the columns "
            f"are {', '.join(table.colnames)}"
        )
    if supply.key == "obsid":
        resolution = "medium" if "lamost medium" in supply.steps else "low"
        return with_obsids(table, resolution=resolution, tap=archives.tap(queries.get(supply.stars)))
    return with_source_ids(table, archives, release)


def with_source_ids(table, archives, release, *, store=None, **options):
    """The table with the identifier of the nearest source of Gaia of each position, masked where there is none."""
    query = _of_release(queries.get(_NEAR), release)
    places = StarTable({name: columns.column(name).dress(columns.values(table, name)) for name in ("ra", "dec")})
    rows = np.flatnonzero(np.isfinite(places["ra"]) & np.isfinite(places["dec"]))
    pairs = archives.tap(query).run_chunks(query.bind(**options), places[rows], store=store) if rows.size else None
    names = np.ma.masked_all(len(table), np.int64)
    if pairs is not None:
        names[rows] = nearest(places[rows], pairs)
    out = StarTable(table)
    out.add_column(columns.column("source_id").dress(names), name="source_id", index=0)
    return out


def nearest(table, pairs):
    """Identifiers (N,), masked integers, of the nearest of all neighbours (rows of ``pairs``) of each star."""
    from astropy.coordinates import angular_separation

    rows = np.asarray(pairs[payload.ROW], dtype=int)
    here = [np.radians(columns.values(table, name)[rows]) for name in ("ra", "dec")]
    there = [np.radians(np.asarray(columns.without_unit(pairs[f"there_{name}"]), float)) for name in ("ra", "dec")]
    order = np.argsort(angular_separation(*here, *there), kind="stable")[::-1]
    out = np.ma.masked_all(len(table), np.int64)
    out[rows[order]] = np.asarray(pairs["source_id"], np.int64)[order]  # the nearest one is written last
    return out
