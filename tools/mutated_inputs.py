"""Read thousands of damaged and unusual files of all formats, and count what goes wrong.

Nothing may come out but a table with all rows and identifiers, or an error of this package that says what is wrong.
A file of which bytes were changed may hold other numbers, but no error of another library may come through.

Usage: python tools/mutated_inputs.py [--count 10000] [--seed 1]
"""

import argparse
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io.misc.hdf5 import write_table_hdf5
from astropy.table import MaskedColumn, Table

from stellarlabels import catalogs, columns
from stellarlabels.exceptions import StellarLabelsError

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
    table.write(path, format="votable", **options)


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


def taken(path):
    """The table that comes in from a file."""
    return columns.intake(catalogs.read(path))


def one(folder, random):
    """What became of one input: "read", "refused", or what is wrong; and the kind of input."""
    kind = str(random.choice(list(WRITERS)))
    path, table = Path(folder) / f"stars.{kind}", stars(random)
    path.unlink(missing_ok=True)
    damaged = random.random() < 0.5
    what = DAMAGES[random.integers(0, len(DAMAGES))] if damaged else CHANGES[random.integers(0, len(CHANGES))]
    if not damaged:
        table = what(table, random)
    label = f"{kind} {what.__name__}"
    try:
        WRITERS[kind](table, path)
        if damaged:
            path.write_bytes(what(path.read_bytes(), random))
        found = taken(path)
    except StellarLabelsError:
        return "refused", label
    except Exception:
        return f"another error: {traceback.format_exc(limit=-3)}", label
    if damaged:
        return "read", label
    key = columns.identifier(found)
    if len(found) != len(table):
        return f"{len(found)} rows of {len(table)}", label
    ids = next(np.asarray(table[name]) for name in table.colnames if columns.find(table[[name]], "source_id") == name)
    if len(table) and (key is None or np.asarray(found[key]).tolist() != [int(value) for value in ids]):
        return f"identifiers {None if key is None else np.asarray(found[key])[:2]} for {ids[:2]}", label
    return "read", label


def run(count, seed, folder):
    """Counts of (what became of it, kind of input) for so many inputs."""
    random = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Counter(one(folder, random) for _ in range(count))


def main():
    """Print what became of the inputs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(options.count, options.seed, folder)
    for (outcome, label), number in sorted(
        found.items(), key=lambda item: (item[0][0] in ("read", "refused"), item[0])
    ):
        print(f"{number:6d}  {label:18s} {outcome}")
    wrong = sum(number for (outcome, _), number in found.items() if outcome not in ("read", "refused"))
    print(f"{options.count} inputs, {wrong} wrong")


if __name__ == "__main__":
    main()
