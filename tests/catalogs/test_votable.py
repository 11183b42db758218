"""VOTable files as Astropy's own reader, the standards and an independent validator see them."""

import shutil
import subprocess

import numpy as np
import pytest
from astropy import units as u
from astropy.io import votable
from astropy.table import QTable, Table
from astropy.utils.masked import Masked

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.columns import units
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files.formats import binary2
from stellarlabels.files.opening import Place

SERIALIZATIONS = ["votable", "votable.tabledata"]


@pytest.fixture(params=SERIALIZATIONS)
def serialization(request):
    return request.param


@pytest.fixture
def mixed():
    """A table with every kind of column, some of it missing."""
    mask = [False, False, True]
    table = QTable({"source_id": np.ma.MaskedArray([2**63 - 1, -(2**63), 5], mask=mask)})
    table["small"] = np.ma.MaskedArray([1, -(2**15), 5], mask=mask, dtype=np.int16)
    table["byte"] = np.ma.MaskedArray([0, 255, 5], mask=mask, dtype=np.uint8)
    table["ok"] = np.ma.MaskedArray([True, False, True], mask=mask)
    table["rate"] = Masked([1e300, -np.inf, 2.0] * u.electron / u.s, mask=mask)
    table["single"] = np.array([0.1, np.inf, np.nan], np.float32)
    table["pairs"] = np.ma.MaskedArray([[1, 2], [3, 4], [5, 6]], mask=[[0, 1], [0, 0], [1, 1]])
    table["grid"] = np.arange(12.0).reshape(3, 2, 2)
    table["name"] = ["a<b>&c", "\U0001f31f Å", ""]
    table["id"] = ["J2303", "x", "y z"]
    table.meta = {"description": "All <kinds>", "list": [1, "Å"], "seed": 1, "note": "a\tb", "name": "same as a column"}
    return table


def validate(path):
    """Complaints of votlint, which tells them on its standard output only."""
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    done = subprocess.run(["stilts", "votlint", str(path)], capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


@pytest.mark.vo
def test_votlint_is_content_with_every_kind_of_column(mixed, serialization, tmp_path):
    catalogs.write(mixed, tmp_path / "x.vot", format=serialization)
    assert validate(tmp_path / "x.vot").strip() == ""


def test_astropy_reads_the_same_values_and_masks(mixed, serialization, tmp_path):
    catalogs.write(mixed, tmp_path / "x.vot", format=serialization)
    found = votable.parse_single_table(tmp_path / "x.vot", verify="exception").to_table(use_names_over_ids=True)
    assert found["source_id"].tolist() == [2**63 - 1, -(2**63), None]
    assert found["small"].tolist() == [1, -(2**15), None]
    assert found["byte"].tolist() == [0, 255, None]
    assert found["ok"].tolist() == [True, False, None]
    assert found["rate"].tolist()[:2] == [1e300, -np.inf]
    assert found["single"].dtype == np.float32
    assert found["single"][:2].tolist() == [np.float32(0.1), np.inf]
    assert found["pairs"][1].tolist() == [3, 4]
    np.testing.assert_array_equal(np.asarray(found["grid"]), mixed["grid"])
    assert found["name"][:2].tolist() == ["a<b>&c", "\U0001f31f Å"]
    assert found["id"].tolist() == ["J2303", "x", "y z"]


def test_everything_comes_back(mixed, serialization, tmp_path):
    catalogs.write(mixed, tmp_path / "x.vot", format=serialization)
    found = catalogs.read(tmp_path / "x.vot")
    assert found["pairs"].tolist() == [[1, None], [3, 4], [None, None]]
    assert found["ok"].tolist() == [True, False, None]
    assert found["rate"].unit == u.electron / u.s
    assert found["name"].tolist() == ["a<b>&c", "\U0001f31f Å", None]
    assert found.meta == mixed.meta


def test_the_default_is_binary2(labels, tmp_path):
    catalogs.write(labels, tmp_path / "x.vot")
    catalogs.write(labels, tmp_path / "y.vot", format="votable.tabledata")
    assert b"<BINARY2>" in (tmp_path / "x.vot").read_bytes()
    assert b"<TABLEDATA>" in (tmp_path / "y.vot").read_bytes()


def test_fields_carry_units_ucds_descriptions_and_the_coordinate_system(tmp_path):
    declared = schemas.get("uacsnet")
    catalogs.write(declared.empty(1), tmp_path / "x.vot", "uacsnet")
    file = votable.parse(tmp_path / "x.vot", verify="exception")
    table = file.get_first_table()
    for found, item in zip(table.fields, declared, strict=True):
        assert (found.name, found.ucd, str(found.description)) == (item.name, item.ucd, item.description)
        assert str(found.unit or "") == item.unit
    system = file.resources[0].coordinate_systems[0]
    assert (system.system, system.epoch) == ("ICRS", "J2016.0")
    assert [field.name for field in table.fields if field.ref == system.ID] == ["ra", "dec"]
    assert str(table.description) == declared.description


def test_flags_are_explained(labels, tmp_path):
    catalogs.write(labels, tmp_path / "x.vot")
    infos = {info.name: info.value for info in votable.parse_single_table(tmp_path / "x.vot").infos}
    assert infos["flag_label_64"].startswith("UNLIKE_TRAINING: ")
    assert infos["creator"].startswith("stellarlabels ")


def test_many_rows_are_joined_without_a_seam(tmp_path):
    numbers = np.arange(2 * 57_000 + 5) * 2**40
    catalogs.write(QTable({"n": numbers.astype(np.int64), "x": numbers / 3}), tmp_path / "x.vot")
    found = Table.read(tmp_path / "x.vot")
    assert (found["n"] == numbers).all() and (found["x"] == numbers / 3).all()
    assert max(map(len, (tmp_path / "x.vot").read_text().splitlines())) < 200


@pytest.fixture
def own(mixed, tmp_path):
    """A file in BINARY2 that the fast reader knows."""
    catalogs.write(mixed, tmp_path / "x.vot")
    return tmp_path / "x.vot"


def test_the_fast_reader_sees_what_astropy_sees(own):
    columns = [(item.data, item.mask) for item in binary2.find(Place(own)).read().fields]
    expected = votable.parse_single_table(own)
    for (data, mask), field in zip(columns, expected.fields, strict=True):
        known = expected.array[field.ID]
        if data.dtype.kind == "U":
            assert [str(value) for value in known.filled("")] == data.tolist(), field.name
            continue
        hidden = np.ma.getmaskarray(known)
        assert (data[~hidden] == known.data[~hidden]).all(), field.name
        assert (mask <= hidden).all() and (hidden <= (mask | (data != data))).all(), field.name


def test_rows_that_come_in_small_windows_are_joined(tmp_path, monkeypatch):
    numbers = np.arange(3000)
    table = QTable({"n": numbers, "x": np.where(numbers % 7, numbers / 3, np.nan), "s": numbers.astype(str)})
    catalogs.write(table, tmp_path / "x.vot")
    monkeypatch.setattr(binary2, "_WINDOW", 1501)
    assert catalogs.read(tmp_path / "x.vot")["n"].tolist() == numbers.tolist()
    pieces = list(catalogs.scan(tmp_path / "x.vot", rows=700))
    assert [len(piece) for piece in pieces] == [700, 700, 700, 700, 200]
    assert np.concatenate([np.asarray(piece["s"]) for piece in pieces]).tolist() == table["s"].tolist()
    assert pieces[0]["x"].mask.tolist() == np.isnan(table["x"][:700]).tolist()


@pytest.mark.parametrize("lines", ["\r\n", "", " \t\n"])
def test_the_lines_of_base64_may_be_of_any_kind(lines, own):
    before = catalogs.read(own)
    head, _, rest = own.read_bytes().partition(b'base64">')
    rows, end, tail = rest.partition(b"</STREAM>")
    own.write_bytes(head + b'base64">' + rows.replace(b"\n", lines.encode()) + end + tail)
    assert (catalogs.read(own)["source_id"] == before["source_id"]).all()


def test_texts_of_varying_length_are_left_to_astropy(tmp_path):
    table = Table({"n": [1, 2], "name": ["a", "Å longer"]})
    file = votable.from_table(table)
    file.get_first_table().fields[1].arraysize = "*"
    file.to_xml(str(tmp_path / "x.vot"), tabledata_format="binary2")
    assert binary2.find(Place(tmp_path / "x.vot")) is None
    assert catalogs.read(tmp_path / "x.vot")["name"].tolist() == ["a", "Å longer"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[: len(rows) // 2 // 4 * 4], "ends within a row"),
        (lambda rows: rows[:-6], "base64"),
        (lambda rows: rows[:40] + b"<X/>" + rows[40:], "elements among the rows|base64"),
    ],
)
def test_damaged_rows_are_an_error(change, message, own):
    head, mark, rest = own.read_bytes().partition(b'base64">')
    rows, end, tail = rest.partition(b"</STREAM>")
    own.write_bytes(head + mark + change(rows.replace(b"\n", b"").strip()) + end + tail)
    with pytest.raises(ReadError, match=message):
        catalogs.read(own)


def test_control_characters_are_for_binary_only(tmp_path):
    table = QTable({"name": ["a\x01b"]})
    with pytest.raises(InputError, match="'name'.*control characters"):
        catalogs.write(table, tmp_path / "x.vot", format="votable.tabledata")
    catalogs.write(table, tmp_path / "x.vot")
    assert catalogs.read(tmp_path / "x.vot")["name"].tolist() == ["a\x01b"]


@pytest.mark.parametrize(
    ("unit", "vounit", "fits"),
    [
        ("", "", ""),
        ("dex", "'dex'", "dex"),
        ("K", "K", "K"),
        ("1 / um", "um**-1", "um-1"),
        ("mas / yr", "mas.yr**-1", "mas yr-1"),
        ("W / (m2 nm)", "W.nm**-1.m**-2", "W nm-1 m-2"),
        ("electron / s", "'electron'.s**-1", "electron s-1"),
        ("Angstrom", "Angstrom", "Angstrom"),
    ],
)
def test_units_in_each_dialect(unit, vounit, fits):
    assert (units.spell(unit, "vounit", "x"), units.spell(unit, "fits", "x")) == (vounit, fits)
    assert u.Unit(units.parse(vounit)) == u.Unit(units.parse(fits)) == u.Unit(unit)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("'dex'", "dex"),
        ("[-]", "dex"),
        ("log(cm.s**-2)", "dex(cm / s2)"),
        ("[cm/s2]", "dex(cm / s2)"),
        ("degree", "deg"),
        ("km/s", "km / s"),
        ("km s-1", "km / s"),
        ("furlongs", "furlongs"),
        (None, ""),
    ],
)
def test_units_of_archives(text, unit):
    assert units.parse(text) == unit
