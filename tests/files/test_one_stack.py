"""One stack: nobody but the room of files opens a table of stars; a format is found by what is in a file."""

import ast
import bz2
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

import stellarlabels
from stellarlabels import catalogs, files
from stellarlabels.columns import Column, without_unit
from stellarlabels.exceptions import FileWarning, InputError, ReadError
from stellarlabels.files.content import Content, field_of
from stellarlabels.files.registry import _FORMATS
from stellarlabels.files.sheets import Sheet

PACKAGE = Path(stellarlabels.__file__).parent
#: Calls that open a FITS, VOTable, Parquet, CSV, ECSV, MRT or HDF5 file.
OPENING = {
    *("fits.open", "fits.getdata", "Table.read", "QTable.read", "ascii.read", "votable.parse", "parse_single_table"),
    *(
        "pd.read_csv",
        "pandas.read_csv",
        "csv.read_csv",
        "h5py.File",
        "np.loadtxt",
        "np.genfromtxt",
        "parquet.read_table",
    ),
    "parquet.ParquetFile",
}
#: What is opened elsewhere, and is no table of stars: data of the package, and models of Keras.
ALLOWED = {
    "packaged.py": "data of the package",
    "columns/schema.py": "schemas of the package",
    "inputs/colors/definition.py": "definitions of color sets",
    "inputs/examples.py": "data of the package",
    "inputs/lamost/medium_resolution.py": "templates of the package",
    "inputs/xp/gaiaxpy.py": "data of GaiaXPy",
    "corrections/systematics.py": "a table of a paper",
    "tables/quality/papers.py": "cuts of papers",
    "catalogs/bundle/descriptor.py": "words of ADQL",
    "analysis/diagrams.py": "isochrones in their authors' own formats",
    "systems/kerasfile.py": "models of Keras",
    "report/inputs.py": "formats that only Astropy knows",
    "scale/cluster.py": "columns of HATS partitions, by LSDB's rules",
    "scale/hats.py": "columns of HATS partitions, by LSDB's rules",
}


def opened(path):
    """Calls in a module that open files of tables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = ast.unparse(node.func).split(".")
            if ".".join(words[-2:]) in OPENING:
                yield ".".join(words[-2:])


def test_no_other_room_opens_a_table_of_stars():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        calls = list(opened(path))
        if calls and not name.startswith("files/") and name not in ALLOWED:
            found[name] = calls
    assert found == {}


def test_the_probe_sees_an_opened_file():
    assert list(opened(PACKAGE / "packaged.py")) == ["Table.read"]


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet", ".ecsv", ".csv", ".hdf5"])
@pytest.mark.parametrize("packing", ["plain", "gz", "bz2", "zip"])
def test_a_file_is_known_by_what_is_in_it(stars, suffix, packing, tmp_path):
    path, target = tmp_path / f"x{suffix}", tmp_path / "without a suffix"
    catalogs.write(stars, path)
    data = path.read_bytes()
    if packing == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            archive.write(path, f"x{suffix}")
    else:
        target.write_bytes({"plain": bytes, "gz": gzip.compress, "bz2": bz2.compress}[packing](data))
    for table in (catalogs.read(target), *(catalogs.scan(target, rows=3))):
        assert table["source_id"].tolist() == stars["source_id"].tolist()
        np.testing.assert_array_equal(without_unit(table["teff"]), stars["teff"].value)
        np.testing.assert_array_equal(table["pair"], stars["pair"])
        assert table["name"].tolist() == stars["name"].tolist()
    [raw], failures = files.read_raw(target)
    assert not failures and raw.table["source_id"].tolist() == stars["source_id"].tolist()


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet", ".ecsv", ".csv", ".hdf5", ".tsv"])
def test_pieces_are_the_whole(stars, suffix, tmp_path):
    catalogs.write(stars, tmp_path / f"x{suffix}")
    whole = catalogs.read(tmp_path / f"x{suffix}")
    for rows, first in ((1, 0), (2, 0), (2, 1)):
        pieces = list(catalogs.scan(tmp_path / f"x{suffix}", rows=rows, first=first))
        for name in whole.colnames:
            parts = [without_unit(piece[name]) for piece in pieces]
            assert np.ma.concatenate(parts).tolist() == without_unit(whole[name])[first:].tolist()
            assert {part.dtype.kind for part in parts} == {without_unit(whole[name]).dtype.kind}


class Diary:
    """A format that somebody else might bring: a star to a line, in words."""

    @staticmethod
    def tables(place):
        class Lines(Sheet):
            def read(self, declared=None):
                words = [line.split() for line in self.place.bytes().decode().splitlines()[1:]]
                ids = np.array([int(word[1]) for word in words])
                return Content([field_of(Column("source_id"), ids)])

        return [Lines(place, ["source_id"])]

    @staticmethod
    def write(content, stream, path):
        stream.write("".join(["Dear diary\n", *(f"star {i}\n" for i in content.fields[0].data)]).encode())


def test_a_format_from_outside_is_read_scanned_and_written(tmp_path):
    files.register_format("diary", Diary, (".diary",), lambda head: head.startswith(b"Dear diary"))
    try:
        with pytest.raises(InputError, match="registered already"):
            files.register_format("diary", Sheet)
        catalogs.write(QTable({"source_id": [2**60 + 1, 5]}), tmp_path / "x.diary")
        assert catalogs.read(tmp_path / "x.diary")["source_id"].tolist() == [2**60 + 1, 5]
        assert [len(piece) for piece in catalogs.scan(tmp_path / "x.diary", rows=1)] == [1, 1]
    finally:
        _FORMATS.discard("diary")


def two_tables(path, second):
    units = [fits.table_to_hdu(Table({"source_id": [1, 2], "ra": [1.0, 2.0]})), fits.table_to_hdu(Table(second))]
    for unit, name in zip(units, ("FIRST", "SECOND"), strict=True):
        unit.name = name
    fits.HDUList([fits.PrimaryHDU(), *units]).writeto(path)
    return path


def test_tables_with_the_same_columns_are_one(tmp_path):
    path = two_tables(tmp_path / "x.fits", {"ra": [3.0], "source_id": [3]})
    assert catalogs.read(path)["source_id"].tolist() == [1, 2, 3]
    assert [piece["ra"].tolist() for piece in catalogs.scan(path, rows=2)] == [[1, 2], [3]]
    assert files.count(path) == 3


def test_of_tables_with_different_columns_one_has_to_be_chosen(tmp_path):
    path = two_tables(tmp_path / "x.fits", {"obsid": [3]})
    with pytest.raises(ReadError, match=r"2 tables.*table=NAME: 1: 'FIRST', 2 rows.*2: 'SECOND', 1 row"):
        catalogs.read(path)
    for choice in (2, "SECOND"):
        assert catalogs.read(path, table=choice)["obsid"].tolist() == [3]
    assert [len(piece) for piece in catalogs.scan(path, table="FIRST", rows=1)] == [1, 1]
    for wrong in (3, "third"):
        with pytest.raises(InputError, match=f"{wrong!r}.*'FIRST'"):
            catalogs.read(path, table=wrong)


def test_a_suffix_that_is_not_true_is_an_error_and_a_definite_content_wins(stars, tmp_path):
    (tmp_path / "x.fits").write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match="no fits file as its name says"):
        catalogs.read(tmp_path / "x.fits")
    catalogs.write(stars, tmp_path / "y.csv", format="parquet")
    assert len(catalogs.read(tmp_path / "y.csv")) == 3


def test_complex_numbers_are_left_out_with_one_warning_that_names_them(tmp_path):
    table = Table({"source_id": [1, 2], "z": [1j, 2j], "y": [1j, 2j], "x": [1.5, 2.5]})
    table.write(tmp_path / "x.fits")
    with pytest.warns(FileWarning, match=r"x\.fits: left out.*'z' \(form M\), 'y' \(form M\)") as seen:
        assert catalogs.read(tmp_path / "x.fits").colnames == ["source_id", "x"]
    assert len(seen) == 1
    with pytest.warns(FileWarning) as seen:
        assert len(list(catalogs.scan(tmp_path / "x.fits", rows=1))) == 2
    assert len(seen) == 1
