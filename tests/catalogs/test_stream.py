"""Catalogs that come piece by piece become the same files as whole ones, in little memory."""

import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import catalogs
from stellarlabels.exceptions import ColumnUnitError, InputError, WriteError

FORMATS = {"fits": ".fits", "fits-plus": ".fits", "votable": ".vot", "votable.tabledata": ".xml", "parquet": ".parquet"}
FORMATS |= {"ecsv": ".ecsv", "mrt": ".mrt"}


def pieces(table, *lengths):
    """Slices of the table of these lengths."""
    first = 0
    for length in lengths:
        yield table[first : first + length]
        first += length


@pytest.mark.parametrize("name", FORMATS)
def test_the_file_is_the_one_of_the_whole_table(name, example, tmp_path):
    table = example("csnet", rows=40)
    whole, parts = tmp_path / "a" / f"x{FORMATS[name]}", tmp_path / "b" / f"x{FORMATS[name]}"
    whole.parent.mkdir(), parts.parent.mkdir()
    catalogs.write(table, whole, "csnet", format=name)
    with catalogs.stream(parts, "csnet", format=name) as writer:
        for piece in pieces(table, 7, 0, 1, 32):
            writer.append(piece)
        assert writer.rows == 40 and not parts.exists()
    assert parts.read_bytes() == whole.read_bytes()


def test_labels_need_no_schema_and_several_files_come_at_once(labels, tmp_path):
    paths = [tmp_path / "x.fits", tmp_path / "x.vot"]
    with catalogs.stream(paths) as writer:
        for piece in pieces(labels, 1, 2):
            writer.append(piece)
    for path in paths:
        catalogs.write(labels, tmp_path / "whole", format=writer_format(path), overwrite=True)
        assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def writer_format(path):
    return {".fits": "fits", ".vot": "votable"}[path.suffix]


def test_later_rows_may_have_longer_texts_and_the_integer_that_stood_for_nulls(tmp_path):
    low = -(2**15)
    parts = [
        QTable({"n": np.ma.MaskedArray([1, 2], mask=[False, True], dtype=np.int16), "name": ["a", "bc"]}),
        QTable({"n": np.array([low, 3], np.int16), "name": ["a longer name", "Å"]}),
    ]
    with catalogs.stream(tmp_path / "x.vot") as writer:
        for part in parts:
            writer.append(part)
    found = catalogs.read(tmp_path / "x.vot")
    assert found["n"].tolist() == [1, None, low, 3]
    assert found["name"].tolist() == ["a", "bc", "a longer name", "Å"]
    with catalogs.stream(tmp_path / "x.fits") as writer:
        for part in parts:
            writer.append(part["n",])
    assert catalogs.read(tmp_path / "x.fits")["n"].tolist() == [1, None, low, 3]


def test_units_of_later_rows_are_converted(tmp_path):
    with catalogs.stream(tmp_path / "x.fits") as writer:
        writer.append(QTable({"r": [1.0] * u.pc}))
        writer.append(QTable({"r": [1.0] * u.kpc}))
    assert catalogs.read(tmp_path / "x.fits")["r"].value.tolist() == [1, 1000]


@pytest.mark.parametrize(
    ("later", "error", "message"),
    [
        ({"m": [1]}, InputError, r"expected the columns \['n'\].*got \['m'\]"),
        ({"n": [1], "m": [1]}, InputError, r"expected the columns \['n'\]"),
        ({"n": [1.5]}, InputError, "'n'.*fraction"),
        ({"n": [1] * u.pc}, ColumnUnitError, "'n'"),
    ],
)
def test_rows_that_do_not_fit_are_an_error_and_nothing_is_left(later, error, message, tmp_path):
    with pytest.raises(error, match=message), catalogs.stream(tmp_path / "x.fits") as writer:
        writer.append(QTable({"n": [1] * u.s if error is ColumnUnitError else [1]}))
        writer.append(QTable(later))
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_known_at_the_beginning(tmp_path):
    (tmp_path / "x.fits").touch()
    with pytest.raises(WriteError, match="overwrite=True"):
        catalogs.stream(tmp_path / "x.fits")
    with pytest.raises(InputError, match=r"\.fits"):
        catalogs.stream(tmp_path / "x.unknown")
    with pytest.raises(InputError, match="one for each of 1 paths"):
        catalogs.stream(tmp_path / "y.fits", format=["fits", "votable"])


def test_a_catalog_without_rows(tmp_path):
    with catalogs.stream(tmp_path / "x.fits", "uacsnet"):
        pass
    assert len(catalogs.read(tmp_path / "x.fits", "uacsnet")) == 0
    with pytest.raises(InputError, match="at least one"), catalogs.stream(tmp_path / "y.fits"):
        pass


def test_nothing_is_added_after_the_end(labels, tmp_path):
    with catalogs.stream(tmp_path / "x.fits") as writer:
        writer.append(labels)
    writer.close()
    with pytest.raises(InputError, match="closed"):
        writer.append(labels)
    assert vstack([catalogs.read(tmp_path / "x.fits")]).colnames == labels.colnames


SCRIPT = """
import resource, sys
import numpy as np
from astropy.table import QTable
from stellarlabels import catalogs
import tqdm.auto, pyarrow.parquet, pyarrow.compute
rows, name, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with catalogs.stream(path, format=name) as writer:
    for first in range(0, rows, 50_000):
        n = np.arange(first, first + 50_000)
        writer.append(QTable({"n": n, **{f"x{i}": n * (i + 0.5) for i in range(16)}}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_the_memory_does_not_grow_with_the_rows(tmp_path):
    rows = 500_000
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(rows), "votable", str(tmp_path / "x")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) * 1024 < 0.6 * rows * 17 * 8
