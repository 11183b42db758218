"""The crossmatch against hand-made cases and a search by brute force."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingColumnError, MissingUnitWarning
from stellarlabels.tables.crossmatch import crossmatch

MATCH = flags.get("match")
ARCSEC = 1 / 3600


def places(offsets, **columns):
    """Stars on the equator at offsets in arcsec."""
    offsets = np.asarray(offsets, float)
    return QTable({"ra": (10 + offsets * ARCSEC) * u.deg, "dec": np.zeros(len(offsets)) * u.deg, **columns})


def names(flag):
    return [MATCH.decode(value) for value in flag]


def rows(table, name="match_row"):
    return [None if value is np.ma.masked else int(value) for value in table[name]]


def test_best_keeps_rows_and_order_and_flags_what_happened():
    left = places([0, 100, 200, 200.3, np.nan])
    right = places([0.4, 0.2, 200.1], name=["far", "near", "shared"])
    out = crossmatch(left, right, 1 * u.arcsec)
    assert rows(out) == [1, None, 2, 2, None]
    assert names(out["match_flag"]) == [
        ["AMBIGUOUS"],
        ["UNMATCHED"],
        ["SHARED"],
        ["SHARED"],
        ["UNMATCHED", "NO_POSITION"],
    ]
    assert out["separation"].unit == u.arcsec
    np.testing.assert_allclose(out["separation"].unmasked.value[[0, 2, 3]], [0.2, 0.1, 0.2], atol=1e-9)
    assert out["separation"].mask.tolist() == out["name"].mask.tolist() == [False, True, False, False, True]


def test_both_gives_a_right_star_once():
    left = places([200, 200.3, 0])
    right = places([200.1, 0.5])
    out = crossmatch(left, right, find="both")
    assert rows(out) == [0, None, 1]
    assert names(out["match_flag"]) == [["SHARED"], ["UNMATCHED", "SHARED", "NOT_MUTUAL"], []]


def test_all_gives_each_pair_once_in_order():
    left = places([50, 0, np.nan])
    right = places([0.4, 0.2, 50, 0.9])
    out = crossmatch(left, right, find="all")
    assert out["ra"].to_value(u.deg).tolist() == [left["ra"].value[0]] + [left["ra"].value[1]] * 3
    assert rows(out) == [2, 1, 0, 3]
    assert names(out["match_flag"]) == [[], ["AMBIGUOUS"], ["AMBIGUOUS"], ["AMBIGUOUS"]]


def test_proper_motion_finds_the_star_at_the_other_epoch():
    left = places([0, 100], pmra=[2000.0, np.nan] * u.mas / u.yr, pmdec=[0.0, 0.0] * u.mas / u.yr)
    right = places([-32, 100.5])
    out = crossmatch(left, right, left_epoch=2016.0, right_epoch=2000.0)
    assert rows(out) == [0, 1]
    np.testing.assert_allclose(out["separation"].to_value(u.arcsec), [0, 0.5], atol=1e-6)
    assert names(out["match_flag"]) == [[], ["NO_PROPER_MOTION"]]
    without = crossmatch(left, right)
    assert rows(without) == [None, 1] and names(without["match_flag"])[1] == []
    assert without.meta["crossmatch"]["moved"] is False


def test_right_star_is_moved_where_the_left_one_cannot_be():
    motion = {"pmra": [1000.0] * u.mas / u.yr, "pmdec": [0.0] * u.mas / u.yr}
    slow = {"pmra": [np.nan] * u.mas / u.yr, "pmdec": [np.nan] * u.mas / u.yr}
    for left in (places([10]), places([10], **slow)):
        out = crossmatch(left, places([0], **motion), left_epoch=2010.0, right_epoch=Time(2000.0, format="jyear"))
        assert rows(out) == [0] and out["match_flag"][0] == 0
        assert out["separation"][0] < 1e-6 * u.arcsec


def test_epoch_of_each_row():
    left = places(
        [0, 0], pmra=[1000.0] * 2 * u.mas / u.yr, pmdec=[0.0] * 2 * u.mas / u.yr, ref_epoch=[2016.0, 2015.0] * u.yr
    )
    right = places([-16, 4, -3], ref_epoch=[2000.0, 2020.0, 2012.0] * u.yr)
    out = crossmatch(left, right, 0.1 * u.arcsec, find="all")
    # At 2000, 2020 and 2012 the first star is at -16, 4 and -4, the second at -15, 5 and -3.
    np.testing.assert_array_equal(out["ref_epoch"].value, [2016.0, 2016.0, 2015.0])
    assert rows(out) == [0, 1, 2] or rows(out) == [1, 0, 2]
    assert (out["separation"] < 1e-5 * u.arcsec).all()


def test_masked_epoch_of_a_right_row_compares_positions_as_they_are():
    left = places([0], pmra=[1000.0] * u.mas / u.yr, pmdec=[0.0] * u.mas / u.yr)
    right = places([0.2, 300], ref_epoch=MaskedColumn([0.0, 2000.0], mask=[True, False], unit="yr"))
    out = crossmatch(left, right, left_epoch=2016.0)
    assert rows(out) == [0] and names(out["match_flag"]) == [["NO_PROPER_MOTION"]]


def test_names_collide_predictably_in_any_case():
    left = places([0], Name=["a"], separation=[1.0] * u.arcsec, source_id=[2**53 + 1])
    right = places([0], name=["b"], name_right=["c"], source_id=[2**60 + 1])
    out = crossmatch(left, right)
    assert out.colnames == [
        *("ra", "dec", "Name", "separation", "source_id", "ra_right", "dec_right", "name_right", "name_right_right"),
        *("source_id_right", "separation_right", "match_row", "match_flag"),
    ]
    assert out["name_right"][0] == "b" and out["name_right_right"][0] == "c"
    assert out["source_id"][0] == 2**53 + 1 and out["source_id_right"][0] == 2**60 + 1
    assert crossmatch(left, right, suffix="_2mass").colnames[-3] == "separation_2mass"


def test_every_kind_of_column_is_carried_and_masked():
    right = places([0])
    right["source_id"] = np.array([2**60 + 1])
    right["text"], right["flag"] = ["abc"], [True]
    right["vector"] = np.ones((1, 3)) * u.Jy
    right["masked"] = MaskedColumn([5], mask=[True])
    right["time"] = Time([2000.0], format="jyear")
    right["coord"] = SkyCoord([1.0], [2.0], unit="deg")
    right["text"].info.description = "three letters"
    out = crossmatch(places([100, 0]), right)
    assert out["source_id"].dtype == np.int64 and out["source_id"][1] == 2**60 + 1
    assert out["source_id"].mask.tolist() == [True, False] and np.ma.getdata(out["source_id"])[0] == 0
    assert out["text"].mask.tolist() == [True, False] and out["text"].description == "three letters"
    assert out["flag"].dtype == bool and out["flag"][1]
    assert out["vector"].unit == u.Jy and out["vector"].mask.tolist() == [[True] * 3, [False] * 3]
    assert out["masked"].mask.all()
    assert out["time"].mask.tolist() == [True, False] and out["time"][1].jyear == 2000.0


def test_column_that_cannot_be_masked_is_named():
    from astropy.table import NdarrayMixin

    right = places([0])
    right["odd"] = np.zeros(1, dtype=[("a", float)]).view(NdarrayMixin)
    assert crossmatch(places([0]), right)["odd"].shape == (1,)
    with pytest.raises(InputError, match="'odd'"):
        crossmatch(places([0, 50]), right)


@pytest.mark.parametrize("find", ["best", "both", "all"])
def test_empty_tables(find):
    stars, nothing = places([0, 1], text=["a", "b"]), places([], text=np.array([], "U3"))
    out = crossmatch(stars, nothing, find=find)
    assert len(out) == (0 if find == "all" else 2)
    assert len(crossmatch(nothing, stars, find=find)) == len(crossmatch(nothing, nothing, find=find)) == 0
    if find != "all":
        assert (out["match_flag"] == MATCH["UNMATCHED"]).all() and out["text_right"].mask.all()
        assert out["ra_right"].unit == u.deg and out["ra_right"].mask.all()


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_impossible_positions_are_flagged():
    left = QTable({"ra": [10.0, np.inf, 10.0] * u.deg, "dec": [91.0, 0.0, 0.0] * u.deg})
    out = crossmatch(left, left)
    assert names(out["match_flag"]) == [["UNMATCHED", "NO_POSITION"]] * 2 + [[]]


def test_plain_table_in_other_units_and_under_other_names():
    left = Table({"RAJ2000": [0.1], "DEJ2000": [0.2]}, units={"RAJ2000": "rad", "DEJ2000": "rad"})
    right = QTable({"ra": [np.degrees(0.1)] * u.deg, "dec": [np.degrees(0.2)] * u.deg})
    out = crossmatch(left, right)
    assert isinstance(out, QTable) and rows(out) == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"find": "nearest"}, "find"),
        ({"suffix": ""}, "suffix"),
        ({"radius": 1 * u.kg}, "radius"),
        ({"left_epoch": "x"}, "left_epoch"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(InputError, match=message):
        crossmatch(places([0]), places([0]), **change)


def test_missing_position_columns_and_no_table():
    with pytest.raises(MissingColumnError, match="'ra'"):
        crossmatch(QTable({"x": [1]}), places([0]))
    with pytest.raises(InputError, match="right"):
        crossmatch(places([0]), [1, 2])
    with pytest.warns(MissingUnitWarning, match="radius"):
        assert rows(crossmatch(places([0]), places([0.5]), 1)) == [0]


coordinates = st.lists(
    st.tuples(st.one_of(st.integers(0, 6), st.just(np.nan)), st.one_of(st.integers(-3, 3), st.just(np.nan))),
    max_size=12,
)


def grid(points, seed):
    """Stars on a coarse grid (so that some coincide) near the pole, where right ascensions are far apart."""
    random = np.random.default_rng(seed)
    x, y = np.array(points, float).reshape(-1, 2).T
    n = len(x)
    dec = 90 - 5 * ARCSEC + y * ARCSEC
    return QTable(
        {
            "ra": x * 60 * u.deg,
            "dec": np.where(dec > 90, np.nan, dec) * u.deg,
            "pmra": np.where(random.random(n) < 0.3, np.nan, random.normal(0, 500, n)) * u.mas / u.yr,
            "pmdec": random.normal(0, 500, n) * u.mas / u.yr,
            "ref_epoch": random.choice([2000.0, 2001.5, 2004.0], n) * u.yr,
        }
    )


def brute_force(left, right, radius):
    """Every pair and its separation, one by one, with straight motion in the tangential plane."""

    def vector(row, years):
        ra, dec = row["ra"].to_value(u.rad), row["dec"].to_value(u.rad)
        here = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        east, north = np.array([-np.sin(ra), np.cos(ra), 0]), np.cross(here, [-np.sin(ra), np.cos(ra), 0])
        pm = [row[name].to_value(u.rad / u.yr) for name in ("pmra", "pmdec")]
        there = here + (years * (pm[0] * east + pm[1] * north) if np.isfinite(pm).all() else 0)
        return there / np.linalg.norm(there)

    found = {}
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            years = (other["ref_epoch"] - one["ref_epoch"]).value
            if np.isfinite(one["pmra"]):
                a, b = vector(one, years), vector(other, 0)
            else:
                a, b = vector(one, 0), vector(other, -years)
            separation = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)) * 3600
            if separation <= radius:
                found[i, j] = separation
    return found


@settings(max_examples=60, deadline=None)
@given(coordinates, coordinates, st.integers(0, 10**6))
def test_pairs_are_those_of_a_search_by_brute_force(left_points, right_points, seed):
    left, right = grid(left_points, seed), grid(right_points, seed + 1)
    before = left.copy(), right.copy()
    expected = brute_force(left, right, 2.00001)
    left["row"] = np.arange(len(left))
    out = crossmatch(left, right, 2.00001 * u.arcsec, find="all")
    pairs = dict(
        zip(zip(out["row"].tolist(), rows(out), strict=True), out["separation"].to_value(u.arcsec), strict=True)
    )
    assert pairs.keys() == expected.keys() and len(out) == len(pairs)
    for pair, separation in pairs.items():
        assert separation == pytest.approx(expected[pair], abs=1e-7)
    best = crossmatch(left, right, 2.00001 * u.arcsec)
    both = crossmatch(left, right, 2.00001 * u.arcsec, find="both")
    for i in range(len(left)):
        mine = {j: s for (k, j), s in expected.items() if k == i}
        row = rows(best)[i]
        assert (row is None) == (not mine)
        if mine:
            assert mine[row] == pytest.approx(min(mine.values()), abs=1e-7)
        assert MATCH.has(best["match_flag"][i], "AMBIGUOUS") == (len(mine) > 1)
    used = [row for row in rows(both) if row is not None]
    assert len(used) == len(set(used))
    assert all(one is None or one == other for one, other in zip(rows(both), rows(best), strict=True))
    left.remove_column("row")
    for table, original in zip((left, right), before, strict=True):
        assert table.colnames == original.colnames
        for name in table.colnames:
            np.testing.assert_array_equal(table[name].value, original[name].value)


class TestEpochOfTheRelease:
    """A table that says of which release it is needs no column for the epoch of its positions."""

    def stars(self, *names):
        places = {"ra": np.arange(1.0, len(names) + 1) * u.deg, "dec": np.zeros(len(names)) * u.deg}
        motion = {"pmra": [1000.0] * len(names) * u.mas / u.yr, "pmdec": [0.0] * len(names) * u.mas / u.yr}
        return QTable({**places, **motion, "designation": [f"{name} 1" for name in names]})

    def test_each_row_has_its_own(self):
        here = self.stars("Gaia DR3", "Gaia DR2", "Gaia DR4")
        there = QTable(
            {"ra": here["ra"] + [3.5, 4, 2] * u.arcsec, "dec": here["dec"], "ref_epoch": [2019.5] * 3 * u.yr}
        )
        found = crossmatch(here, there, 0.1 * u.arcsec)
        assert found["separation"].to_value(u.arcsec) == pytest.approx([0, 0, 0], abs=1e-6)
        told = "Gaia DR2: 2015.5, Gaia DR3: 2016.0, Gaia DR4: 2017.5 (not confirmed)"
        assert found.meta["crossmatch"]["epochs"] == [told, "ref_epoch"]

    def test_the_column_and_the_argument_know_better(self):
        here, there = self.stars("Gaia DR3"), self.stars("")[["ra", "dec"]]
        dated = QTable(here)
        dated["ref_epoch"] = [2010.0] * u.yr
        apart = [
            crossmatch(here, there, 30 * u.arcsec, left_epoch=2000.0, right_epoch=2020.0),
            crossmatch(dated, there, 30 * u.arcsec, right_epoch=2020.0),
            crossmatch(here, there, 30 * u.arcsec, right_epoch=2020.0),
        ]
        assert [one["separation"][0].to_value(u.arcsec) for one in apart] == pytest.approx([20, 10, 4], abs=1e-5)

    def test_unknown(self):
        found = crossmatch(self.stars("HD"), self.stars("")[["ra", "dec"]], 1 * u.arcsec, right_epoch=2020.0)
        assert found["separation"][0].value == 0 and found.meta["crossmatch"]["epochs"] == ["unknown", "given"]

    def test_positions_that_were_moved_to_2000_are_not_of_the_epoch_of_the_release(self):
        moved = self.stars("Gaia DR3")
        moved.rename_column("ra", "RAJ2000")
        found = crossmatch(moved, self.stars("")[["ra", "dec"]], 1 * u.arcsec, right_epoch=2020.0)
        assert found.meta["crossmatch"]["moved"] is False


def test_epochs_in_days_and_those_that_stand_for_nothing():
    moving = places([0.0, 100.0], pmra=[1000.0, 1000.0] * u.mas / u.yr, pmdec=[0.0, 0.0] * u.mas / u.yr)
    day = Time(2026.0, format="jyear").mjd
    for epoch in (2026.0, day, day + 2400000.5, Time(day, format="mjd")):
        found = crossmatch(moving, places([10.0, 110.0]), 1 * u.arcsec, left_epoch=2016.0, right_epoch=epoch)
        assert found["separation"].to_value(u.arcsec) == pytest.approx([0, 0], abs=1e-4)
    unknown = QTable({**moving, "ref_epoch": [0.0, 2016.0] * u.yr})
    with pytest.warns(ImpossibleValueWarning, match=r"1 of 'ref_epoch' \(0\)"):
        found = crossmatch(unknown, places([0.0, 110.0]), 1 * u.arcsec, right_epoch=2026.0)
    assert found["match_row"].tolist() == [0, 1]
