"""Joining by identifier: order, exact integers, what is missing or repeated."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, strategies as st

from stellarlabels import flags
from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingColumnError
from stellarlabels.tables import join_by_id

MATCH = flags.get("match")
BIG = 6_917_528_443_525_529_728


def test_neighboring_64_bit_identifiers_are_told_apart():
    left = QTable({"source_id": [BIG + 1, BIG, BIG + 2]})
    right = QTable({"Gaia_source_id": np.array([BIG, BIG + 1], ">i8"), "value": [0.5, 1.5] * u.mag})
    out = join_by_id(left, right)
    assert out["source_id"].dtype == np.int64 and out["source_id"].tolist() == [BIG + 1, BIG, BIG + 2]
    assert out["value"].unmasked.value[:2].tolist() == [1.5, 0.5] and out["value"].mask.tolist() == [False, False, True]
    assert out.colnames == ["source_id", "value", "match_row", "match_flag"]
    assert out["match_flag"].tolist() == [0, 0, MATCH["UNMATCHED"]]


def test_repeated_and_missing_identifiers():
    left = Table({"source_id": MaskedColumn([7, 7, 8, 9, -9999], mask=[False, False, False, True, False])})
    right = Table({"source_id": [8, 8, 7, -9999], "source_id_right": [1, 2, 3, 4]})
    with pytest.warns(ImpossibleValueWarning, match="1 of 'source_id' \\(-9999\\)") as told:
        out = join_by_id(left, right)
    assert [str(one.message).split(":")[0] for one in told] == ["left", "right"]
    assert [MATCH.decode(value) for value in out["match_flag"]] == [
        *(["SHARED"], ["SHARED"], ["AMBIGUOUS"], ["UNMATCHED", "NO_IDENTIFIER"], ["UNMATCHED", "NO_IDENTIFIER"])
    ]
    assert out["match_row"].tolist() == [2, 2, 0, None, None]


def test_text_identifiers_under_any_name():
    left = Table({"APOGEE_ID": ["2M02", "2M01", ""]})
    right = Table({"APOGEE_ID": np.array(["2M01 ", "2M02", ""], dtype="S6"), "n": [1, 2, 3]})
    assert join_by_id(left, right, on="APOGEE_ID")["n"].tolist() == [2, 1, None]


def test_what_cannot_be_joined():
    good = Table({"source_id": [1]})
    with pytest.raises(InputError, match="float64"):
        join_by_id(good, Table({"source_id": [1.0]}))
    with pytest.raises(InputError, match="'source_id'.*'HD 1'"):
        join_by_id(good, Table({"source_id": ["HD 1"]}))
    with pytest.raises(InputError, match="in right"):
        join_by_id(Table({"name": [1]}), Table({"name": ["1"]}), on="name")
    with pytest.raises(MissingColumnError, match="'source_id'"):
        join_by_id(good, Table({"x": [1]}))
    with pytest.raises(MissingColumnError, match="'name'"):
        join_by_id(good, good, on="name")
    with pytest.raises(InputError, match="signed"):
        join_by_id(good, Table({"source_id": np.array([2**63], np.uint64)}))


@given(st.lists(st.integers(1, 6), max_size=8), st.lists(st.integers(1, 6), max_size=8))
def test_each_row_gets_the_first_row_with_its_identifier(left_ids, right_ids):
    left = QTable({"source_id": np.array(left_ids, np.int64), "n": np.arange(len(left_ids))})
    right = QTable({"source_id": np.array(right_ids, np.int64) + 0, "m": np.arange(len(right_ids))})
    out = join_by_id(left, right)
    assert out["n"].tolist() == list(range(len(left_ids)))
    for key, row, flag in zip(left_ids, out["m"].tolist(), out["match_flag"].tolist(), strict=True):
        assert row == (right_ids.index(key) if key in right_ids else None)
        assert MATCH.has(flag, "AMBIGUOUS") == (right_ids.count(key) > 1)
        assert MATCH.has(flag, "SHARED") == (key in right_ids and left_ids.count(key) > 1)
    assert left.colnames == ["source_id", "n"] and right.colnames == ["source_id", "m"]
