"""Groups of rows by star."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, strategies as st

from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingColumnError
from stellarlabels.tables import group_by_star


def groups(table, **options):
    return group_by_star(table, **options)["star_index"].tolist()


def places(offsets, **columns):
    offsets = np.asarray(offsets, float)
    return QTable({"ra": (10 + offsets / 3600) * u.deg, "dec": np.zeros(len(offsets)) * u.deg, **columns})


def test_by_identifier_in_order_of_appearance():
    assert groups(Table({"source_id": [2**60 + 1, 5, 2**60, 2**60 + 1, 5]})) == [0, 1, 2, 0, 1]
    assert groups(Table({"star": ["b", "a", "b"]}), by="star") == [0, 1, 0]


def test_different_identifiers_are_different_stars_however_near():
    assert groups(places([0, 0.1, 0], source_id=[1, 2, 1])) == [0, 1, 0]
    assert groups(places([0, 0.1, 0], source_id=[1, 2, 1]), by="position") == [0, 0, 0]


def test_position_links_chains_and_the_radius_counts():
    assert groups(places([0, 50, 0.9, 1.8, 50.5])) == [0, 1, 0, 0, 1]
    assert groups(places([0, 50, 0.9, 1.8, 50.5]), radius=0.6 * u.arcsec) == [0, 1, 2, 3, 1]


def test_rows_without_identifier_join_by_position():
    table = places([0, 0.5, 100, 100.3, 200], source_id=MaskedColumn([7, 0, 0, -1, 9], mask=[0, 1, 1, 0, 0]))
    with pytest.warns(ImpossibleValueWarning, match="1 of 'source_id'"):
        assert groups(table) == [0, 0, 1, 1, 2]


def test_row_between_two_stars_makes_them_one():
    # 0.8 is nearest to star 2 and is linked to 0.3, which is nearest to star 1.
    table = places([0, 1.0, 0.3, 0.8], source_id=[1, 2, 0, 0])
    assert groups(table) == [0, 0, 0, 0]


def test_neither_identifier_nor_position():
    table = places([np.nan, np.nan, 0], source_id=[0, 0, 3])
    assert groups(table) == [0, 1, 2]
    assert groups(Table({"source_id": MaskedColumn([1, 1, 1], mask=[True, True, False])})) == [0, 1, 2]


def test_spectrum_identifier_is_no_star():
    assert groups(places([0, 0], obsid=[1, 2])) == [0, 0]
    with pytest.raises(MissingColumnError, match="'ra'"):
        group_by_star(Table({"obsid": [1, 2]}))
    with pytest.raises(MissingColumnError, match="'uid'"):
        group_by_star(Table({"obsid": [1, 2]}), by="uid")
    with pytest.raises(InputError, match="float64"):
        group_by_star(Table({"source_id": [1.0]}))


@given(st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=10))
def test_groups_are_a_numbering_of_the_identifiers(ids):
    table = QTable({"source_id": MaskedColumn([i or 0 for i in ids], mask=[i is None for i in ids], dtype=np.int64)})
    out = groups(table)
    assert sorted(set(out)) == list(range(len(set(out))))
    for a, one in enumerate(ids):
        for b, other in enumerate(ids):
            assert (out[a] == out[b]) == (a == b or (one is not None and one == other))
    assert [number for k, number in enumerate(out) if number not in out[:k]] == sorted(set(out))
    assert table.colnames == ["source_id"]
