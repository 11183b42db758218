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
#: Modules and functions that open a FITS, VOTable, Parquet, CSV, ECSV, MRT or HDF5 file, under whatever name they go.
OPENING = {
    "astropy.io.ascii": {"read"},
    "astropy.io.fits": {"open", "getdata"},
    "astropy.io.votable": {"parse", "parse_single_table"},
    "astropy.table.QTable": {"read"},
    "astropy.table.Table": {"read"},
    "h5py": {"File"},
    "numpy": {"genfromtxt", "loadtxt", "recfromcsv"},
    "pandas": {"HDFStore", "read_csv", "read_fwf", "read_hdf", "read_parquet", "read_table"},
    "pyarrow.csv": {"open_csv", "read_csv"},
    "pyarrow.parquet": {"ParquetDataset", "ParquetFile", "read_pandas", "read_table"},
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
    "analysis/isochrones.py": "isochrones in their authors' own formats",
    "systems/kerasfile.py": "models of Keras",
    "report/numbers.py": "formats that only Astropy knows",
    "scale/cluster.py": "columns of HATS partitions, by LSDB's rules",
    "scale/hats.py": "columns of HATS partitions, by LSDB's rules",
}


def opened(text):
    """Functions that a module's text takes from elsewhere or calls, and that open files of tables."""
    called, names = ast.parse(text), {}
    for node in ast.walk(called):
        if isinstance(node, ast.Import):
            for item in node.names:
                names[item.asname or item.name.partition(".")[0]] = (
                    item.name if item.asname else item.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {item.asname or item.name: f"{node.module}.{item.name}" for item in node.names}
    found = set(names.values())
    for node in ast.walk(called):
        if isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            found.add(f"{names.get(first, first)}.{rest}")
    return sorted(
        f"{module}.{name}" for module, all_ in OPENING.items() for name in all_ if f"{module}.{name}" in found
    )


def test_no_other_room_opens_a_table_of_stars():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        calls = opened(path.read_text(encoding="utf-8"))
        if calls and not name.startswith("files/") and name not in ALLOWED:
            found[name] = calls
    assert found == {}


@pytest.mark.parametrize(
    "text, name",
    [
        ("from pandas import read_csv as r\nr('x')", "pandas.read_csv"),
        ("import pandas\npandas.read_csv('x')", "pandas.read_csv"),
        ("import pandas as pd\npd.read_parquet('x')", "pandas.read_parquet"),
        ("import pyarrow.parquet as pq\nf = pq.ParquetFile", "pyarrow.parquet.ParquetFile"),
        ("import pyarrow.csv\npyarrow.csv.read_csv('x')", "pyarrow.csv.read_csv"),
        ("from pyarrow import csv\ncsv.open_csv('x')", "pyarrow.csv.open_csv"),
        ("from astropy.io import fits as f\nf.open('x')", "astropy.io.fits.open"),
        ("from astropy.table import QTable\nQTable.read('x')", "astropy.table.QTable.read"),
        ("from astropy import table\ntable.Table.read('x')", "astropy.table.Table.read"),
        ("import h5py\nh5py.File('x')", "h5py.File"),
    ],
)
def test_the_probe_sees_an_opened_file_under_any_name(text, name):
    assert opened(text) == [name]


def test_all_of_the_archive_room_serves_the_network():
    """Each module is one of what talks to servers, or of what these need; two are older names of other rooms."""
    rooms = PACKAGE / "archive"
    modules = {
        path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): path for path in rooms.rglob("*.py")
    }
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    needs = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        taken = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.Import)]
        needs[name] = {
            f"{getattr(node, 'module', None) or ''}.{item.name}".strip(".") for node in taken for item in node.names
        }
    clients = ("astroquery", "http.client", "pyvo", "requests", "urllib.request")
    serving = {name for name, taken in needs.items() if any(one.startswith(clients) for one in taken)}
    assert len(serving) >= 5
    grown = set()
    while serving != grown:
        grown = set(serving)
        for name in grown:
            near = {one.removeprefix("stellarlabels.") for one in needs[name]}
            serving |= {other for other in modules if other in near or any(one.startswith(f"{other}.") for one in near)}
        serving |= {name for name, taken in needs.items() if taken & {f"stellarlabels.{one}" for one in serving}}
        serving |= {
            name
            for name, taken in needs.items()
            if any(one.rpartition(".")[0].removeprefix("stellarlabels.") in serving for one in taken)
        }
    assert set(modules) - serving - {"archive.readers", "archive.sample"} == set()


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


def test_documents_for_other_programs_refuse_what_they_cannot_hold():
    with pytest.raises(InputError, match=r"'name'.*control characters"):
        files.dumps(Table({"name": ["a\x01b"]}), serialization="tabledata")
    with pytest.raises(InputError, match=r"'name'.*'\\ud800'"):
        files.dumps(Table({"name": ["a\ud800"]}))
