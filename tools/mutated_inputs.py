"""Read thousands of damaged and unusual files of all formats, and count what goes wrong.

Nothing may come out but a table with all rows and identifiers, or an error of this package that says what is wrong:
through every entrance, which is chosen by chance. A file of which bytes were changed may hold other numbers, as no
format but a packed one has checksums of everything; but no row and no identifier beyond those whose bytes were changed
may be lost. Nobody can see that a text ends after a line, or that a piece of it is missing.

Usage: python tools/mutated_inputs.py [--count 10000] [--seed 1] [--jobs 1]
"""

import argparse
import gzip
import re
import tempfile
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import votable
from astropy.io.misc.hdf5 import write_table_hdf5
from astropy.table import MaskedColumn, QTable, Table, vstack

from stellarlabels import catalogs, columns, scale
from stellarlabels.archive.readers import read_table
from stellarlabels.exceptions import RenamedColumnWarning, StellarLabelsError

#: More digits than a float has.
FIRST, ROWS = 479359925517769601, 12


def stars(random):
    """A small table with an identifier, numbers, gaps, texts and arrays."""
    out = Table({"source_id": FIRST + 2 * random.permutation(ROWS).astype(np.int64)})
    out["ra"], out["dec"] = random.uniform(0, 360, ROWS) * u.deg, random.uniform(-90, 90, ROWS) * u.deg
    out["j_m"] = MaskedColumn(random.uniform(8, 15, ROWS), mask=random.random(ROWS) < 0.2, unit="mag")
    out["parallax"] = random.normal(1, 0.3, ROWS) * u.mas
    out["n_obs"] = MaskedColumn(random.integers(0, 99, ROWS), mask=random.random(ROWS) < 0.2)
    out["name"] = [f"star {number}" for number in range(ROWS)]
    return out


def _write_parquet(table, path):
    table.to_pandas().to_parquet(path, index=False)


def _write_votable(table, path, **options):
    signed = {
        name: np.asarray(table[name]).astype(np.int64) for name in table.colnames if table[name].dtype == np.uint64
    }
    table = table.copy()
    for name, data in signed.items():  # VOTable has no unsigned integers
        table[name] = data
    # Astropy's writer in C puts a zero behind the end of its buffer now and then, and the process ends later.
    votable.from_table(table).to_xml(str(path), _debug_python_based_parser=True, **options)


def _write_mrt(table, path):
    catalogs.write(table, path, format="mrt")


#: How other programs write each format.
WRITERS = {
    "fits": lambda table, path: table.write(path, format="fits"),
    "fits.gz": lambda table, path: table.write(path, format="fits"),
    "vot": _write_votable,
    "b2.vot": lambda table, path: _write_votable(table, path, tabledata_format="binary2"),
    "csv": lambda table, path: table.to_pandas().to_csv(path, index=False),
    "tsv": lambda table, path: table.to_pandas().to_csv(path, index=False, sep="\t"),
    "ecsv": lambda table, path: table.write(path, format="ascii.ecsv"),
    "parquet": _write_parquet,
    "mrt": _write_mrt,
    "hdf5": lambda table, path: write_table_hdf5(table, str(path), path="stars", serialize_meta=False),
}


# Damage: what comes out may be other numbers, or an error that says so


def flip(data, random):
    """Some bytes are others."""
    data = bytearray(data)
    for place in random.integers(0, len(data), random.integers(1, 6)):
        data[place] ^= int(random.integers(1, 256))
    return bytes(data)


def truncate(data, random):
    """The end is missing."""
    return data[: random.integers(0, len(data))]


def drop(data, random):
    """A piece in the middle is missing."""
    start = random.integers(0, len(data))
    return data[:start] + data[start + random.integers(1, 200) :]


def insert(data, random):
    """Something is in the middle that does not belong there."""
    start = random.integers(0, len(data))
    return data[:start] + random.bytes(random.integers(1, 50)) + data[start:]


DAMAGES = (flip, truncate, drop, insert)


# Change: nothing may be lost, or the column is named


def rename(table, random):
    """A column has a name of another tool."""
    new = {"source_id": ("SOURCE_ID", "Source", "GaiaDR3"), "ra": ("RA_ICRS", "RAdeg"), "j_m": ("Jmag", "J")}
    name = random.choice(list(new))
    table.rename_column(name, random.choice(new[name]))
    return table


def retype(table, random):
    """Numbers are of another type, identifiers texts or unsigned, magnitudes texts."""
    name, kind = [
        ("source_id", np.uint64),
        ("source_id", str),
        ("j_m", np.float32),
        ("n_obs", float),
        ("ra", np.float32),
    ][random.integers(0, 5)]
    unit = table[name].unit
    table[name] = table[name].astype(kind)
    table[name].unit = unit if kind is not str else None
    return table


def reorder(table, random):
    """Rows and columns are in another order."""
    return table[list(random.permutation(table.colnames))][random.permutation(len(table))]


def repeat(table, random):
    """A column is there twice under names that differ in the case of letters, a row is there twice."""
    name = random.choice(["ra", "j_m", "name"])
    if random.random() < 0.5:
        table[f"{name}_copy"] = table[name]
    return table[np.sort(random.integers(0, len(table), len(table)))]


def strange(table, random):
    """A value is one that no star has."""
    table[random.choice(["ra", "dec", "j_m", "parallax"])][random.integers(0, len(table))] = random.choice(
        [99, -9999, 1e20, np.inf, np.nan]
    )
    return table


def shorten(table, random):
    """There are few rows, or none."""
    return table[: random.integers(0, 3)]


CHANGES = (rename, retype, reorder, repeat, strange, shorten)


# Twins: two columns of one name, of which the first keeps it

#: How the name of a column is written in a header, by format; the bytes are as many in all of them.
_NAMES = {"vot": b'name="%s"', "b2.vot": b'name="%s"'}


def twin(path, kind, table, random):
    """Write a table of which two columns have one name; the second identifiers are those of other stars."""
    name, stand_in = [(b"source_id", b"source_ix"), (b"parallax", b"parallay")][random.integers(0, 2)]
    table[stand_in.decode()] = table[name.decode()][::-1]
    WRITERS[kind](table, path)
    data = path.read_bytes()
    data = gzip.decompress(data) if kind == "fits.gz" else data
    form = _NAMES.get(kind, b"%s")
    data = data.replace(form % stand_in, form % name)
    path.write_bytes(gzip.compress(data) if kind == "fits.gz" else data)
    return name.decode()


# Entrances


class Labels:
    """What a system does with a table of stars, without a network: identifiers, and a label that all stars share."""

    name, labels, provenance_, weights_, release = "stars", ("teff",), {"stars": ROWS}, "none", None

    def save(self, path):
        Path(path).write_bytes(b"none")

    def predict(self, table, progress=False):
        table = columns.intake(table)
        key = columns.identifier(table)
        out = QTable() if key is None else QTable({key: table[key]})
        for item, value in zip(columns.label_columns("teff"), (5000.0, 50.0, 0), strict=True):
            out[item.name] = item.dress(np.full(len(table), value))
        return out


def by_read(path):
    return columns.intake(catalogs.read(path))


def by_scan(path):
    pieces = [columns.intake(piece) for piece in catalogs.scan(path, rows=5)]
    key = columns.identifier(pieces[0])  # other columns may be texts in those pieces only where there is one
    return vstack(pieces if key is None else [piece[[key]] for piece in pieces], metadata_conflicts="silent")


def by_label_file(path):
    target = path.with_name("labels.fits")
    scale.label_file(Labels(), path, target, rows=5, overwrite=True, restart=True, progress=False)
    return catalogs.read(target)


ENTRANCES = {"read": by_read, "scan": by_scan, "table": read_table, "label": by_label_file}
#: How often each entrance is taken: parts on disk take their time.
_SHARES = (0.4, 0.25, 0.25, 0.1)

#: Formats that say how many rows there are, and those whose content is under a checksum.
COUNTED, CHECKED = ("fits", "fits.gz", "parquet", "hdf5"), ("fits.gz",)
#: Warnings of an identifier that is left out, or of which no star has such values.
_TOLD = re.compile(r"left out|such values: .*_id'")
#: Rows that a damage of a text may touch: a missing piece is up to three lines, what is put in can be lines, too.
_TOUCHED = {flip: 5, drop: 6, insert: 6, truncate: ROWS}


def kept(found, ids):
    """Number of identifiers that are in a column of the table, in their order."""
    best = 0
    for name in found.colnames:
        data = columns.without_unit(found[name])
        if data.ndim == 1 and data.dtype.kind in "iu":
            there = data.filled(-1).tolist()
            best = max(best, sum(one in there for one in ids))
    return best


def judged(found, kind, damage, ids, told):
    """What is wrong with a table from a damaged file; "read" if nothing is."""
    if kind in COUNTED and len(found) != ROWS:
        return f"{len(found)} rows of {ROWS}"
    unseen = kind == "parquet" or (kind, damage) == ("b2.vot", drop)  # packed by pandas; a piece as long as rows
    lost = 0 if kind in CHECKED else ROWS if unseen else _TOUCHED[damage]
    if len(found) < ROWS - lost:
        return f"{len(found)} rows of {ROWS}"
    number = kept(found, ids)
    if number < ROWS - lost and not told and (columns.identifier(found) is not None or lost == 0):
        return f"{number} identifiers of {ROWS}"
    return "read"


def one(folder, random):
    """What became of one input: "read", "refused", or what is wrong; and the kind of input."""
    kind, entrance = str(random.choice(list(WRITERS))), str(random.choice(list(ENTRANCES), p=_SHARES))
    path, table = Path(folder) / f"stars.{kind}", stars(random)
    path.unlink(missing_ok=True)
    what = [random.choice(DAMAGES), random.choice(CHANGES), twin][random.choice(3, p=[0.5, 0.4, 0.1])]
    if what in CHANGES:
        table = what(table, random)
    ids = [
        int(value) for value in next(table[name] for name in table.colnames if columns.find(table[[name]], "source_id"))
    ]
    label = f"{kind} {what.__name__} {entrance}"
    try:
        if what is twin:
            name = what(path, kind, table, random)
        else:
            WRITERS[kind](table, path)
        if what in DAMAGES:
            path.write_bytes(what(path.read_bytes(), random))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = ENTRANCES[entrance](path)
    except StellarLabelsError:
        return "refused", label
    except Exception:
        return f"another error: {traceback.format_exc(limit=-3)}", label
    if what in DAMAGES:
        return judged(found, kind, what, ids, any(_TOLD.search(str(one.message)) for one in caught)), label
    key = columns.identifier(found)
    if len(found) != len(table):
        return f"{len(found)} rows of {len(table)}", label
    if len(table) and (key is None or np.asarray(found[key]).tolist() != ids):
        return f"identifiers {None if key is None else np.asarray(found[key])[:2]} for {ids[:2]}", label
    if what is twin and not any(isinstance(one.message, RenamedColumnWarning) for one in caught):
        return f"nothing is said of a second {name}", label
    return "read", label


def run(count, seed, folder):
    """Counts of (what became of it, kind of input) for so many inputs."""
    random = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Counter(one(folder, random) for _ in range(count))


def _job(count, seed):
    with tempfile.TemporaryDirectory() as folder:
        return run(count, seed, folder)


def main():
    """Print what became of the inputs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    shares = [options.count // options.jobs + (job < options.count % options.jobs) for job in range(options.jobs)]
    seeds = [options.seed + 1000 * job for job in range(options.jobs)]
    with ProcessPoolExecutor(options.jobs) as pool:
        found = sum(pool.map(_job, shares, seeds), Counter())
    for (outcome, label), number in sorted(
        found.items(), key=lambda item: (item[0][0] in ("read", "refused"), item[0])
    ):
        print(f"{number:6d}  {label:24s} {outcome}")
    wrong = sum(number for (outcome, _), number in found.items() if outcome not in ("read", "refused"))
    print(f"{options.count} inputs, {wrong} wrong")


if __name__ == "__main__":
    main()
