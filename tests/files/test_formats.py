"""What other programs write, in every format with all that it holds; and what no file holds."""

import warnings

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels import catalogs, files
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import FileWarning, InputError, ReadError, RenamedColumnWarning

IDS = [4295806720123456789, 5853498713190525697, 3]


def both(path, rows=1):
    """A file read at once, and in pieces, which must be the same."""
    whole = catalogs.read(path)
    pieces = list(catalogs.scan(path, rows=rows))
    for name in whole.colnames:
        parts = [without_unit(piece[name]) for piece in pieces]
        if whole[name].dtype.kind == "O":
            cells = [
                [] if np.all(hidden) else np.ravel(cell).tolist()
                for part in parts
                for cell, hidden in zip(part.data, np.ma.getmaskarray(part), strict=True)
            ]
            assert cells == [cell.tolist() for cell in whole[name].data]
            continue
        assert [value for part in parts for value in part.tolist()] == without_unit(whole[name]).tolist(), name
        assert {part.dtype for part in parts} == {parts[0].dtype} or parts[0].dtype.kind in "UO"
    return whole


def make_fits(path, *columns, change=None, cards=(), drop=()):
    ids = fits.Column("source_id", "K", array=IDS)
    fits.BinTableHDU.from_columns([ids, *columns]).writeto(path)
    if change:
        path.write_bytes(path.read_bytes().replace(*change))
    with fits.open(path, mode="update") as units:
        for card in drop:
            del units[1].header[card]
        for key, value in cards:
            units[1].header[key] = value


class TestFITS:
    @pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.uint64])
    def test_unsigned_integers_are_exact_also_in_pieces(self, dtype, tmp_path):
        values = np.array([0, 1, np.iinfo(dtype).max - 1], dtype)
        fits.BinTableHDU(Table({"n": values})).writeto(tmp_path / "x.fits")
        found = both(tmp_path / "x.fits")["n"]
        assert found.dtype == dtype and found.tolist() == values.tolist()

    def test_signed_bytes_and_other_shifts(self, tmp_path):
        bytes_ = fits.Column("n", "B", array=np.array([0, 128, 255], np.uint8))
        make_fits(tmp_path / "x.fits", bytes_, cards=[("TZERO2", -128)])
        found = both(tmp_path / "x.fits")["n"]
        assert found.dtype == np.int8 and found.tolist() == [-128, 0, 127]

    def test_letters_bits_nameless_columns_and_shapes_of_one(self, tmp_path):
        make_fits(
            tmp_path / "x.fits",
            fits.Column("name", "8A", array=["Bebe", "x", ""]),
            fits.Column("bits", "11X", array=np.arange(33).reshape(3, 11) % 2 == 0),
            fits.Column("x", "E", array=[1, 2, 3]),
            change=(b"Bebe", b"B\xe9b\xe9"),
            cards=[("TDIM2", "(1)")],
            drop=["TTYPE4"],
        )
        found = both(tmp_path / "x.fits")
        assert found["name"].tolist() == ["Bébé", "x", None] and found["column_4"].tolist() == [1, 2, 3]
        np.testing.assert_array_equal(found["bits"], np.arange(33).reshape(3, 11) % 2 == 0)

    def test_scales_nulls_and_arrays_of_any_length(self, tmp_path):
        arrays = np.empty(3, dtype=object)
        arrays[:] = [np.array([1.0, 2.0]), np.zeros(0), np.array([3.0, 4.0])]
        make_fits(
            tmp_path / "x.fits",
            fits.Column("t", "I", array=[5, -32768, 7], null=-32768),
            fits.Column("flux", "PD()", array=arrays),
            cards=[("TSCAL2", 0.5), ("TZERO2", 10.0)],
        )
        found = both(tmp_path / "x.fits")
        assert found["t"].tolist() == [12.5, None, 13.5]
        assert found["flux"].tolist() == [[1, 2], [None, None], [3, 4]]

    def test_two_columns_of_one_name(self, tmp_path):
        make_fits(tmp_path / "x.fits", fits.Column("other", "K", array=[11, 22, 33]), cards=[("TTYPE2", "source_id")])
        with pytest.warns(RenamedColumnWarning, match="'source_id' is called 'source_id_2'"):
            found = both(tmp_path / "x.fits")
        assert found["source_id"].tolist() == IDS and found["source_id_2"].tolist() == [11, 22, 33]

    def test_columns_in_cells_of_one_row(self, tmp_path):
        columns = [fits.Column("source_id", "3K", dim="(3)", array=[IDS]), fits.Column("x", "6E", dim="(2,3)")]
        columns.append(fits.Column("name", "12A", dim="(4,3)"))
        unit = fits.BinTableHDU.from_columns(columns, nrows=1)
        unit.data["x"] = np.arange(6).reshape(3, 2)
        unit.data["name"] = ["ab", "cd", "e"]
        unit.writeto(tmp_path / "x.fits")
        found = both(tmp_path / "x.fits")
        assert found["source_id"].tolist() == IDS and found["name"].tolist() == ["ab", "cd", "e"]
        assert found["x"].tolist() == [[0, 1], [2, 3], [4, 5]]

    def test_a_table_in_characters(self, tmp_path):
        columns = [fits.Column("source_id", "I20", array=np.array([1, 2])), fits.Column("x", "F8.2", array=[1.5, 2.5])]
        fits.TableHDU.from_columns(columns).writeto(tmp_path / "x.fits")
        assert both(tmp_path / "x.fits")["x"].tolist() == [1.5, 2.5]

    def test_what_has_no_room_is_an_error_before_anything_is_written(self, tmp_path):
        with pytest.raises(InputError, match="999 columns, got 1000"):
            catalogs.write(Table({f"c{i}": [1] for i in range(1000)}), tmp_path / "x.fits")
        with pytest.raises(InputError, match="'n{69}'.*up to 68"):
            catalogs.write(Table({"n" * 69: [1]}), tmp_path / "x.fits")
        assert list(tmp_path.iterdir()) == []
        catalogs.write(Table({f"c{i}": [1] for i in range(999)} | {}), tmp_path / "y.fits")
        assert len(catalogs.read(tmp_path / "y.fits").colnames) == 999

    def test_blank_cards_are_told_and_not_written(self, tmp_path):
        unit = fits.BinTableHDU(Table({"source_id": [1]}))
        unit.header.add_blank("  *** Columns ***")
        unit.writeto(tmp_path / "x.fits")
        table = Table.read(tmp_path / "x.fits")
        for suffix in ("vot", "parquet", "fits", "ecsv"):
            with pytest.warns(FileWarning, match="meta: the entry '' has no name"):
                catalogs.write(table, tmp_path / f"y.{suffix}")
            assert len(catalogs.read(tmp_path / f"y.{suffix}")) == 1


class TestVOTable:
    def write(self, path, fields, rows, extra=""):
        cells = "".join("<TR>" + "".join(f"<TD>{cell}</TD>" for cell in row) + "</TR>" for row in rows)
        path.write_text(
            f'<VOTABLE version="1.3"><RESOURCE type="results">{extra}<TABLE>{fields}<DATA><TABLEDATA>{cells}'
            "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
        )

    def test_fields_without_a_datatype_lose_no_digit(self, tmp_path):
        fields = '<FIELD name="source_id"/><FIELD name="x" unit="mag"/><FIELD name="letter" datatype="char"/>'
        self.write(tmp_path / "x.vot", fields, [(IDS[0], 1.5, "abc"), (IDS[1], "", "d")])
        found = both(tmp_path / "x.vot")
        assert found["source_id"].dtype == np.int64 and found["source_id"].tolist() == IDS[:2]
        assert found["x"].unit == u.mag and found["letter"].tolist() == ["abc", "d"]

    def test_integers_that_do_not_fit_their_type(self, tmp_path):
        fields = '<FIELD name="n" datatype="short"/><FIELD name="id" datatype="long"/>'
        self.write(tmp_path / "x.vot", fields, [(99999, 2**63), (1, 2)])
        found = catalogs.read(tmp_path / "x.vot")
        assert found["n"].tolist() == [99999, 1] and found["id"].tolist() == [2**63, 2]

    def test_text_with_a_precision(self, tmp_path):
        fields = '<FIELD name="RA" datatype="char" arraysize="13" precision="8"/>'
        self.write(tmp_path / "x.vot", fields, [("10 20 30.1234",)])
        assert both(tmp_path / "x.vot")["RA"].tolist() == ["10 20 30.1234"]

    def test_states_of_services(self, tmp_path):
        field, info = '<FIELD name="n" datatype="int"/>', '<INFO name="QUERY_STATUS" value="{}">no such table</INFO>'
        self.write(tmp_path / "x.vot", field, [(1,)], info.format("OVERFLOW"))
        with pytest.warns(FileWarning, match=r"x\.vot: the service says that the result is cut off"):
            assert catalogs.read(tmp_path / "x.vot")["n"].tolist() == [1]
        (tmp_path / "y.vot").write_text(
            f'<VOTABLE version="1.3"><RESOURCE type="results">{info.format("ERROR")}</RESOURCE></VOTABLE>'
        )
        with pytest.raises(ReadError, match="the service answered with an error: no such table"):
            catalogs.read(tmp_path / "y.vot")

    @pytest.mark.parametrize("serialization", ["binary2", "binary", "tabledata"])
    def test_two_fields_of_one_name(self, serialization, tmp_path):
        file = from_table(Table({"source_id": IDS, "source_id2": [11, 22, 33]}))
        file.get_first_table().fields[1].name = "source_id"
        file.to_xml(str(tmp_path / "x.vot"), tabledata_format=serialization)
        with pytest.warns(RenamedColumnWarning, match="'source_id' is called 'source_id_2'"):
            found = both(tmp_path / "x.vot")
        assert found["source_id"].tolist() == IDS and found["source_id_2"].tolist() == [11, 22, 33]

    @pytest.mark.parametrize("serialization", ["binary2", "tabledata"])
    def test_several_tables(self, serialization, tmp_path):
        file, other = from_table(Table({"n": [1, 2]})), from_table(Table({"n": [3]}))
        file.resources.append(other.resources[0])
        file.to_xml(str(tmp_path / "x.vot"), tabledata_format=serialization)
        assert both(tmp_path / "x.vot")["n"].tolist() == [1, 2, 3]


class TestParquet:
    def test_types_that_nobody_needs(self, tmp_path):
        frame = pd.DataFrame({"source_id": IDS, "kind": pd.Categorical(["a", "b", None]), "raw": [b"x", None, b"z"]})
        frame["time"] = pd.to_datetime(["2020-01-01", None, "2021-02-03T04:05:06"], format="ISO8601")
        frame["nothing"], frame["words"] = None, [{"a": 1}] * 3
        table = pa.Table.from_pandas(frame).append_column(
            "id", pa.array([10**17 + 1, None, 3]).cast(pa.decimal128(20, 0))
        )
        table = table.append_column("day", pa.array([1, 2, None], pa.date32()))
        table = table.append_column("view", pa.array(["p", None, "q"]).cast(pa.string_view()))
        table = table.append_column("nested", pa.array([[[1]], None, [[2]]]))
        pq.write_table(table, tmp_path / "x.parquet")
        with pytest.warns(FileWarning, match=r"left out.*'words' \(struct.*'nested' \(list") as seen:
            found = catalogs.read(tmp_path / "x.parquet")
        assert len(seen) == 1
        assert found["kind"].tolist() == ["a", "b", None] and found["raw"].tolist() == ["x", None, "z"]
        assert found["time"][0].startswith("2020-01-01") and found["time"].mask.tolist() == [False, True, False]
        assert found["id"].dtype == np.int64 and found["id"].tolist() == [10**17 + 1, None, 3]
        assert found["day"].tolist() == ["1970-01-02", "1970-01-03", None] and found["nothing"].mask.all()
        assert found["view"].tolist() == ["p", None, "q"] and found["source_id"].tolist() == IDS

    def test_metadata_of_astropy(self, tmp_path):
        table = QTable({"source_id": MaskedColumn(IDS, mask=[0, 1, 0]), "distance": [1.2, 0.5, 3] * u.kpc})
        table["teff"] = MaskedColumn([5000.0, -9999.0, 6000.0], mask=[0, 1, 0], unit="K")
        table.write(tmp_path / "x.parquet")
        found = both(tmp_path / "x.parquet")
        assert found.colnames == ["source_id", "distance", "teff"]
        assert found["source_id"].tolist() == [IDS[0], None, 3] and found["distance"].unit == u.kpc
        assert without_unit(found["teff"]).tolist() == [5000, None, 6000] and found["teff"].unit == u.K

    @pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.int64())])
    def test_lists_of_which_none_is_in_a_piece(self, kind, tmp_path):
        lists = [None, None, [1, 2], None, [3, 4]]
        if not pa.types.is_fixed_size_list(kind):
            lists[1] = []
        pq.write_table(pa.table({"flux": pa.array(lists, kind)}), tmp_path / "x.parquet")
        found = both(tmp_path / "x.parquet")["flux"]
        assert found.tolist() == [[None, None], [None, None], [1, 2], [None, None], [3, 4]]
        assert all(piece["flux"].shape[1:] == (2,) for piece in catalogs.scan(tmp_path / "x.parquet", rows=1))

    def test_two_columns_of_one_name(self, tmp_path):
        pq.write_table(pa.table([pa.array(IDS), pa.array([11, 22, 33])], names=["id", "id"]), tmp_path / "x.parquet")
        with pytest.warns(RenamedColumnWarning):
            found = both(tmp_path / "x.parquet")
        assert found["id"].tolist() == IDS and found["id_2"].tolist() == [11, 22, 33]


class TestHDF5:
    def columns(self, group, ids):
        group["source_id"] = np.array(ids)
        group["bp_coefficients"] = np.outer(ids, [0.5, 1.0]).astype("f4")
        group["solution"] = np.array([f"run {i}" for i in ids], "S6")
        group["bp_coefficients"].attrs["unit"] = "mag"

    def test_one_dataset_to_a_column(self, tmp_path):
        with h5py.File(tmp_path / "x.hdf5", "w") as file:
            self.columns(file, [1, 2, 3])
        found = both(tmp_path / "x.hdf5")
        assert found["source_id"].tolist() == [1, 2, 3] and found["solution"].tolist() == ["run 1", "run 2", "run 3"]
        assert found["bp_coefficients"].unit == u.mag and found["bp_coefficients"].value[2].tolist() == [1.5, 3]

    def test_one_group_to_a_file_of_the_archive(self, tmp_path):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            for name, ids in (("000000-003111", [1, 2]), ("003112-005263", [3])):
                self.columns(file.create_group(name), ids)
        assert both(tmp_path / "x.h5")["source_id"].tolist() == [1, 2, 3]
        assert catalogs.read(tmp_path / "x.h5", table="/003112-005263")["source_id"].tolist() == [3]

    def test_records_and_the_tables_of_astropy(self, tmp_path):
        table = Table({"source_id": IDS, "x": [1.5, 2, 3] * u.kpc, "name": ["a", "b", "c"]})
        with warnings.catch_warnings(action="ignore"):
            table.write(tmp_path / "x.hdf5", path="stars", serialize_meta=True)
        found = both(tmp_path / "x.hdf5")
        assert (
            found["source_id"].tolist() == IDS
            and found["x"].unit == u.kpc
            and found["name"].tolist() == ["a", "b", "c"]
        )

    def test_what_pandas_writes_in_its_fixed_form(self, tmp_path):
        with h5py.File(tmp_path / "x.h5", "w") as file:  # as PyTables lays it out
            group = file.create_group("stars")
            group["axis0"] = np.array(["x", "source_id", "y"], "S9")
            group["axis1"] = np.arange(3)
            group["block0_items"], group["block0_values"] = np.array(["x", "y"], "S9"), np.arange(6.0).reshape(3, 2)
            group["block1_items"], group["block1_values"] = np.array(["source_id"], "S9"), np.array(IDS)[:, None]
        found = both(tmp_path / "x.h5")
        assert found.colnames == ["x", "source_id", "y"] and found["source_id"].tolist() == IDS
        assert found["y"].tolist() == [1, 3, 5]

    def test_a_file_without_a_table(self, tmp_path):
        with h5py.File(tmp_path / "x.h5", "w") as file:
            file["scalar"] = 1.0
        with pytest.raises(ReadError, match=r"x\.h5: the HDF5 file has no table"):
            catalogs.read(tmp_path / "x.h5")


class TestTextFormats:
    def test_ecsv_of_astropy_with_every_kind_of_column(self, tmp_path):
        table = Table(
            {"source_id": MaskedColumn(IDS, mask=[0, 1, 0]), "ok": MaskedColumn([True, False, True], mask=[0, 0, 1])}
        )
        table["f"], table["small"] = np.array([1.5, np.nan, 3], "f4"), np.array([1, 2, 3], "u1")
        table["grid"], table["pair"] = np.arange(12.0).reshape(3, 2, 2), np.arange(6).reshape(3, 2)
        table["text"], table.meta["catalog"] = ["a b", "", 'q"'], "mine"
        cells = np.empty(3, dtype=object)
        cells[:] = [np.array([1.0]), np.array([1.0, 2.0]), np.zeros(0)]
        table["ragged"] = cells
        for delimiter in (" ", ","):
            table.write(tmp_path / "x.ecsv", format="ascii.ecsv", delimiter=delimiter, overwrite=True)
            found = both(tmp_path / "x.ecsv")
            assert found["source_id"].tolist() == [IDS[0], None, 3] and found["ok"].tolist() == [True, False, None]
            assert (
                found["f"].dtype == np.float32 and found["small"].dtype == np.uint8 and found.meta["catalog"] == "mine"
            )
            assert found["grid"].tolist() == table["grid"].tolist() and found["pair"].tolist() == table["pair"].tolist()
            assert found["text"].tolist() == ["a b", None, 'q"'] and [c.size for c in found["ragged"].data] == [1, 2, 0]

    def test_metadata_of_the_name_catalog_come_back(self, tmp_path):
        table = Table({"n": [1]}, meta={"catalog": {"a": 1}, "description": "Stars"})
        catalogs.write(table, tmp_path / "x.ecsv")
        assert catalogs.read(tmp_path / "x.ecsv").meta == table.meta

    @pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
    def test_machine_readable_tables_with_blank_lines_and_letters(self, encoding, tmp_path):
        lines = [
            "Title: Étoiles",
            "Authors: A.",
            "Table: Stars",
            "=" * 80,
            "Byte-by-byte Description of file: t.txt",
            "-" * 80,
        ]
        lines += ["   Bytes Format Units  Label   Explanations", "-" * 80]
        lines += ["   1-  4  I4    K      Teff    Température", "   6- 10  F5.2  mag    G       Magnitude", "-" * 80]
        (tmp_path / "x.mrt").write_bytes("\n".join([*lines, "5000 12.50", "6000 13.50", "", ""]).encode(encoding))
        found = catalogs.read(tmp_path / "x.mrt")
        assert len(found) == 2 and found["Teff"].unit == u.K and found["G"].value.tolist() == [12.5, 13.5]


def test_cells_of_several_lengths_are_refused_by_every_writer_that_does_not_hold_them(tmp_path):
    cells = np.empty(2, dtype=object)
    cells[:] = [np.array([1.0]), np.array([1.0, 2.0])]
    for suffix in (".fits", ".vot", ".parquet", ".csv", ".mrt"):
        with pytest.raises(InputError, match="'c'"):
            catalogs.write(Table({"n": [1, 2], "c": cells}), tmp_path / f"x{suffix}")
    assert files.supported_formats()["hdf5"] == (".hdf5", ".h5")
