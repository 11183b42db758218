"""Filter expressions select the rows that the flags and the paper's cuts say, as STILTS and a database see them."""

import math
import operator
import re
import shutil
import sqlite3
import subprocess

import numpy as np
import pytest
from astropy.table import QTable

from stellarlabels import catalogs, columns, flags
from stellarlabels.catalogs import filters, schemas
from stellarlabels.tables import quality

ROWS = 400


@pytest.fixture(params=schemas.available())
def name(request):
    return request.param


def expected(name, table):
    """For each filter, where the library itself says that a row is kept."""
    for row in filters.of_flags(name):
        item = schemas.get(name)[row["column"]]
        found, values = flags.get(item.flags), np.asarray(table[item.name])
        keep = (
            found.is_good(values) if row["keeps"] == "good" else ~found.has(values, row["keeps"].removeprefix("not "))
        )
        yield row, keep.all(axis=1) if keep.ndim > 1 else keep
    cuts = quality.get(name)
    inputs = QTable(table)
    if name == "csnet":
        color = columns.values(table, "phot_bp_mean_mag") - columns.values(table, "phot_rp_mean_mag")
        inputs["bp_rp_0"] = color - 1.360 * columns.values(table, "ebv")
    for row in filters.of_samples(name):
        [cut] = [cut for cut in cuts.cuts.values() if cut.description == row["keeps"]]
        yield row, cut(inputs)[0]


def every_filter(name, table):
    found = list(expected(name, table))
    kept = [int(keep.sum()) for _, keep in found]
    assert all(0 < number < ROWS for number in kept), "the table does not put every filter to the test"
    return found


@pytest.mark.vo
@pytest.mark.filterwarnings("ignore:column .* has no unit")
def test_topcat_selects_the_same_rows(name, filled, tmp_path):
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    table = filled(name, ROWS)
    found = every_filter(name, table)
    if not found:
        pytest.skip(f"{name} has no filters")
    catalogs.write(table, tmp_path / "x.fits", name)
    commands = [f"addcol keep_{number} {quoted(row['topcat'])}" for number, (row, _) in enumerate(found)]
    commands.append("keepcols 'keep_*'")
    arguments = [f"cmd={command}" for command in commands]
    done = subprocess.run(
        ["stilts", "tpipe", f"in={tmp_path / 'x.fits'}", *arguments, f"out={tmp_path / 'y.fits'}"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    kept = catalogs.read(tmp_path / "y.fits")
    for number, (row, keep) in enumerate(found):
        np.testing.assert_array_equal(np.asarray(kept[f"keep_{number}"]), keep, err_msg=row["topcat"])


def quoted(expression):
    assert "'" not in expression
    return f"'{expression}'"


@pytest.mark.filterwarnings("ignore:column .* has no unit")
def test_a_database_selects_the_same_rows(name, filled):
    table = filled(name, ROWS)
    found = [(row, keep) for row, keep in every_filter(name, table) if row["adql"]]
    database = sqlite3.connect(":memory:")
    for function, code in (("SIN", math.sin), ("RADIANS", math.radians)):
        database.create_function(function, 1, code)
    database.create_function("MOD", 2, operator.mod)
    names = [item.name for item in schemas.get(name) if not item.shape]
    database.execute(f"CREATE TABLE t ({', '.join(names)})")
    rows = zip(*(columns.without_unit(table[column]).tolist() for column in names), strict=True)
    database.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
    for row, keep in found:
        [count] = database.execute(f"SELECT COUNT(*) FROM t WHERE {row['adql']}").fetchone()
        assert count == keep.sum(), row["adql"]


def test_every_flag_of_every_flag_column_has_a_filter(name):
    found = filters.of_flags(name)
    for item in schemas.get(name):
        keeps = [row["keeps"] for row in found if row["column"] == item.name]
        bits = list(flags.get(item.flags)) if item.flags else []
        wanted = ["good"] + [f"not {flag.name}" for flag in bits if len(bits) > 1] if bits else []
        assert keeps == wanted
    assert all(re.fullmatch(r"[A-Za-z]\w*", column) for column in found["column"])


def test_the_papers_samples():
    assert filters.of_samples("uacsnet")["topcat"].tolist()[-1] == "PHOT_G_MEAN_MAG < 15"
    found = filters.of_samples("solardis")
    assert set(found["sample"]) == {"solar_like", "comparison"}
    assert "cnn_logg >= 5.98 - 0.00035 * cnn_teff" in found["adql"].tolist()
