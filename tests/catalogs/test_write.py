"""Files appear whole or not at all, and what no file can hold is an error by name."""

import errno
import os

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from astropy.time import Time

from stellarlabels import catalogs, files
from stellarlabels.exceptions import InputError, StellarLabelsError, WriteError
from stellarlabels.files import registry

SUFFIXES = [".fits", ".fits.gz", ".vot", ".parquet", ".ecsv"]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    return tmp_path / f"x{request.param}"


def test_supported_formats():
    found = catalogs.supported_formats()
    assert found["fits"][:2] == (".fits", ".fits.gz")
    assert {".vot", ".xml"} <= set(found["votable"])
    assert files.find("A.FITS.GZ").name == "fits"
    assert files.find("a.dat", "Parquet").name == "parquet"


def test_a_file_is_only_replaced_on_request(labels, path):
    catalogs.write(labels, path)
    before = path.read_bytes()
    with pytest.raises(WriteError, match="overwrite=True"):
        catalogs.write(labels[:1], path)
    assert path.read_bytes() == before
    catalogs.write(labels[:1], path, overwrite=True)
    assert len(catalogs.read(path)) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("x")])
def test_a_write_that_fails_half_way_leaves_nothing(labels, path, error, monkeypatch):
    catalogs.write(labels, path)
    before = path.read_bytes()
    whole = registry.Format.write

    def half(self, content, stream, path):
        whole(self, content, stream, path)
        raise error

    monkeypatch.setattr(registry.Format, "write", half)
    expected = WriteError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected):
        catalogs.write(labels, path, overwrite=True)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(WriteError, match=r"x\.vot.*No space left"), files.replacing(tmp_path / "x.vot"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_file_appears_at_the_end(tmp_path):
    with files.replacing(tmp_path / "x") as stream:
        stream.write(b"1")
        assert not (tmp_path / "x").exists()
    assert (tmp_path / "x").read_bytes() == b"1"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(WriteError, match="exists"), files.replacing(tmp_path / "x"):
        (tmp_path / "x").write_bytes(b"theirs")
    assert (tmp_path / "x").read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_permissions_are_those_of_any_new_file(labels, tmp_path):
    catalogs.write(labels, tmp_path / "x.fits")
    (tmp_path / "y").touch()
    assert (tmp_path / "x.fits").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_a_missing_folder_is_named(labels, tmp_path):
    with pytest.raises(WriteError, match="nowhere"):
        catalogs.write(labels, tmp_path / "nowhere" / "x.fits")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (SkyCoord([1.0, 2], [3.0, 4], unit="deg"), "'c'.*SkyCoord"),
        (np.array([1 + 2j, 3]), "'c'.*complex"),
        (np.array([{}, []], dtype=object), "'c'.*text"),
    ],
)
def test_columns_that_no_file_holds_are_named(column, message, path):
    with pytest.raises(InputError, match=message):
        catalogs.write(QTable({"source_id": [1, 2], "c": column}), path)
    assert not list(path.parent.iterdir())


def test_names_that_differ_in_case_only_are_an_error(path):
    with pytest.raises(InputError, match="'FEH' and 'feh'"):
        catalogs.write(Table({"FEH": [1.0], "feh": [2.0]}), path)


def test_a_table_without_columns_is_an_error(path):
    with pytest.raises(InputError, match="at least one column"):
        catalogs.write(Table(), path)


def test_text_of_python_and_of_bytes_is_held_as_text(path):
    table = Table({"a": np.array(["x", None, "yz"], dtype=object), "b": np.array([b"p", b"q", b""])})
    catalogs.write(table, path)
    found = catalogs.read(path)
    assert found["a"].tolist() == ["x", None, "yz"]
    assert found["b"].tolist() == ["p", "q", None]


def test_small_and_unsigned_integers_are_held_as_larger_signed_ones(path):
    table = Table({"a": np.array([-128, 127], np.int8), "b": np.array([0, 2**32 - 1], np.uint32)})
    table["c"] = np.array([0, 2**63 - 1], np.uint64)
    table["d"] = np.array([0.5, 2], np.float16)
    catalogs.write(table, path)
    found = catalogs.read(path)
    assert [found[name].dtype.name for name in "abcd"] == ["int16", "int64", "int64", "float32"]
    assert [found[name].tolist() for name in "abcd"] == [table[name].tolist() for name in "abcd"]


def test_instants_and_numbers_of_python_are_written(path):
    table = Table({"n": np.array([2**60 + 1, None], object), "x": np.array([1.5, None], object)})
    table["when"] = Time(["2016-01-01T12:00:00", "2017-07-02T03:00:00.5"])
    catalogs.write(table, path)
    found = catalogs.read(path)
    assert found["n"].dtype == np.int64 and found["n"].tolist() == [2**60 + 1, None]
    assert found["x"].dtype == np.float64 and found["x"].tolist() == [1.5, None]
    assert found["when"].tolist() == ["2016-01-01T12:00:00.000", "2017-07-02T03:00:00.500"]


def test_big_endian_columns_are_written(path):
    catalogs.write(Table({"a": np.array([1.5, 2], ">f8"), "b": np.array([3, 4], ">i4")}), path)
    found = catalogs.read(path)
    assert found["a"].tolist() == [1.5, 2] and found["b"].tolist() == [3, 4]


def test_errors_have_the_common_base():
    assert issubclass(WriteError, StellarLabelsError) and issubclass(WriteError, OSError)
