"""Columns in types that other programs read, through a VOTable and back."""

import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time

from stellarlabels import columns
from stellarlabels.archive.tap import payload
from stellarlabels.exceptions import InputError
from stellarlabels.files import dumps, loads

BIG = 479359925517769601


def sent_by_samp(table):
    """What TOPCAT gets."""
    return loads(dumps(columns.portable(columns.as_table(table))))


def uploaded(table):
    """What a service gets."""
    name, sent = payload.of_query("SELECT * FROM TAP_UPLOAD.stars", {"stars": table})
    assert name == "stars"
    return loads(payload.votable(payload.numbered(sent)))


@pytest.mark.parametrize("way", [sent_by_samp, uploaded])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.array([BIG, 2], np.uint64), [BIG, 2]),
        (np.array([-1, 2], np.int8), [-1, 2]),
        (np.array([1, 2**16 - 1], np.uint16), [1, 2**16 - 1]),
        (np.array([1, 2**32 - 1], np.uint32), [1, 2**32 - 1]),
        (np.array([0.5, 2], np.float16), [0.5, 2]),
        (np.array([BIG, None], object), [BIG, None]),
        (np.array(["a", None], object), ["a", None]),
        (np.array(["a", np.nan], object), ["a", None]),
        (np.array([1, 2.5, None], object)[:2], [1.0, 2.5]),
        (np.array([True, None], object), [True, None]),
        (np.array([None, None], object), [None, None]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        (np.array(["2016-01-01", "NaT"], "M8[ns]"), ["2016-01-01T00:00:00.000", None]),
        (Time([2000.0, 2000.0], format="jyear"), ["2000-01-01T12:00:00.000"] * 2),
        (MaskedColumn(np.array([1, 2], np.uint32), mask=[False, True]), [1, None]),
        ([True, False], [True, False]),
    ],
)
def test_every_type_arrives(way, data, expected):
    table = QTable({"x": data})
    before = repr(table)
    assert way(table)["x"].tolist() == expected
    assert repr(table) == before


@pytest.mark.parametrize("way", [sent_by_samp, uploaded])
@pytest.mark.parametrize(
    "data",
    [
        SkyCoord([1.0], [2.0], unit="deg"),
        np.array([{"a": 1}], object),
        np.array([("a", 1)], dtype=[("b", "U1"), ("c", int)]),
        np.array([2**63], np.uint64),
        np.array([2**70], object),
        [np.timedelta64(1, "s")],
    ],
)
def test_what_no_program_reads_is_named(way, data):
    with pytest.raises(InputError, match="column 'x': expected"):
        way(QTable({"x": data}))


def test_kinds_are_not_mixed():
    with pytest.raises(InputError, match="'x'.*int and str"):
        columns.portable(Table({"x": np.array(["a", 1], object)}))


def test_units_and_descriptions_stay():
    table = QTable({"t": u.Quantity(np.array([1, 2], np.float16), "K", dtype=np.float16)})
    table["t"].info.description, table["t"].info.meta = "Temperature", {"ucd": "phys.temperature"}
    out = columns.portable(table)["t"]
    assert out.unit == u.K and out.dtype == np.float32
    assert out.info.description == "Temperature" and out.info.meta["ucd"] == "phys.temperature"


def test_frames_are_uploaded_and_names_are_not_confused():
    frame = pd.DataFrame({"source_id": pd.array([BIG, None], "Int64"), "name": ["a", None]})
    out = uploaded(frame)
    assert out["source_id"].tolist() == [BIG, None] and out["name"].tolist() == ["a", None]
    with pytest.raises(InputError, match="'u', 'U'"):
        uploaded(Table({"u": [1], "U": [2]}))
