"""The registry of flags: fixed bit values, and the way from conditions to bits and back."""

import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from hypothesis import given, strategies as st

from stellarlabels import flags
from stellarlabels.exceptions import InputError

NAMES = [flag.name for flag in flags.LABEL]


def small_set():
    return flags.FlagSet(
        "test", "for tests", [("FIRST", "the first"), ("SECOND", "the second"), ("THIRD", "the third")]
    )


def test_values_that_are_in_published_files_do_not_move():
    assert {flag.name: flag.value for flag in flags.LABEL} == {
        "NO_INPUT": 1,
        "BAD_SAMPLES": 2,
        "MISSING_BAND": 4,
        "MISSING_PHOTOMETRY": 8,
        "MISSING_EBV": 16,
        "NOISY_INPUT": 32,
        "UNLIKE_TRAINING": 64,
        "COLOR_RANGE": 128,
        "LABEL_RANGE": 256,
        "MAGNITUDE_RANGE": 512,
        "LARGE_ERROR": 1024,
        "NOT_APPLICABLE": 2048,
        "EBV_RANGE": 4096,
        "CAUTION": 8192,
        "MISSING_PARALLAX": 16384,
        "BAD_PHOTOMETRY": 32768,
        "MODELS_DISAGREE": 65536,
        "DOUBLE_LINED": 131072,
        "OTHER_RELEASE": 262144,
        "MISSING_VELOCITY": 524288,
        "OTHER_KIND": 1048576,
        "IN_TRAINING": 2097152,
        "SYNTHETIC_TRAINING": 4194304,
        "PHOTOMETRY_MISMATCH": 8388608,
    }
    assert {flag.name: flag.value for flag in flags.SPECTRUM} == {
        "NO_SPECTRUM": 1,
        "BAD_SAMPLES": 2,
        "OTHER_SAMPLING": 4,
        "MISSING_BP": 8,
        "MISSING_RP": 16,
        "TRUNCATED": 32,
        "DUPLICATE": 64,
        "MISSING_BLUE": 128,
        "MISSING_RED": 256,
    }


def test_levels_of_the_flags_of_labels():
    by_level = {level: {flag.name for flag in flags.LABEL if flag.level == level} for level in flags.LEVELS}
    notes = {"MISSING_PHOTOMETRY", "MISSING_PARALLAX", "MAGNITUDE_RANGE", "IN_TRAINING", "SYNTHETIC_TRAINING"}
    assert by_level["note"] == notes
    bad = {"NO_INPUT", "UNLIKE_TRAINING", "NOT_APPLICABLE", "DOUBLE_LINED", "OTHER_RELEASE", "OTHER_KIND"}
    assert by_level["bad"] == bad
    assert len(by_level["caution"]) == 24 - 5 - 6
    assert flags.LABEL.bits("note") == 8 + 512 + 16384 + 2**21 + 2**22
    assert sum(flags.LABEL.bits(level) for level in flags.LEVELS) == 2**24 - 1


def leveled():
    return flags.FlagSet("test", "for tests", [("A", "one", "note"), ("B", "two"), ("C", "three", "bad")])


def test_the_highest_level_counts_and_an_unknown_bit_is_no_note():
    found = leveled()
    assert found.level([0, 1, 2, 3, 4, 7, 8, 9]).tolist() == [
        *("none", "note", "caution", "caution", "bad", "bad", "caution", "caution"),
    ]
    assert found.is_good([0, 1, 2, 3, 4, 7, 8, 9]).tolist() == [True, True] + [False] * 6
    assert found.level(4) == "bad" and found.is_good(1) is np.True_
    hidden = np.ma.MaskedArray([1, 4], mask=[True, False])
    assert found.level(hidden).tolist() == ["none", "bad"] and found.is_good(hidden).tolist() == [False, False]
    assert found.level(np.array([], int)).shape == found.is_good(np.array([], int)).shape == (0,)


@given(st.integers(0, 2**23 - 1))
def test_a_value_is_good_if_it_has_notes_only(value):
    levels = {flag.level for flag in flags.LABEL if value & flag.value}
    assert flags.LABEL.is_good(value) == (levels <= {"note"})
    assert flags.LABEL.level(value) == max(levels, key=flags.LEVELS.index, default="none")


@pytest.mark.parametrize("level", ["good", "", None, "Bad"])
def test_there_are_three_levels(level):
    with pytest.raises(InputError, match="'note', 'caution', 'bad'"):
        flags.FlagSet("test", "", [("A", "one", level)])
    with pytest.raises(InputError, match="'note', 'caution', 'bad'"):
        flags.LABEL.bits(level)


def columns_of_flags():
    """A label's, the distance's, a published catalog's and one of an unknown kind."""
    table = QTable({"feh": [0.0] * 3, "feh_flag": [0, 128, 192], "distance_flag": [0, 128, 192], "my_flag": [0, 1, 2]})
    table["Teff_flag"] = Column([0, 1, 1])
    table["Teff_flag"].info.meta = {"flags": "csnet"}
    return table


def test_a_column_knows_its_set():
    table = columns_of_flags()
    assert [flags.set_of(table[name]) for name in table.colnames] == ["", "label", "distance", "", "csnet"]
    assert flags.decode(table["feh_flag"]) == [[], ["COLOR_RANGE"], ["UNLIKE_TRAINING", "COLOR_RANGE"]]
    assert flags.decode(table["distance_flag"]) == [[], ["CONFLICT"], ["PRIOR_DOMINATED", "CONFLICT"]]
    assert (
        flags.decode(table["Teff_flag"], "csnet")
        == flags.decode(table["Teff_flag"])
        == [
            *([], ["COLOR_RANGE"], ["COLOR_RANGE"]),
        ]
    )
    assert flags.decode(table["feh_flag"][1:]) == [["COLOR_RANGE"], ["UNLIKE_TRAINING", "COLOR_RANGE"]]
    assert flags.decode(table["feh_flag"], "uacsnet")[1] == ["COLOR_RANGE"]  # the same bits under another name
    lines = flags.describe(table["distance_flag"]).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["PRIOR_DOMINATED", "CONFLICT"]
    frame = table.to_pandas()
    assert flags.decode(frame["distance_flag"])[1] == ["CONFLICT"]


def test_the_wrong_set_is_refused():
    table = columns_of_flags()
    with pytest.raises(InputError, match="'distance_flag' are those of the set 'distance', got 'label'; leave"):
        flags.decode(table["distance_flag"], "label")
    with pytest.raises(InputError, match="nothing tells what the flags of column 'my_flag' mean; give one of"):
        flags.decode(table["my_flag"])
    assert flags.decode(table["my_flag"], "photometry") == [[], ["MISSING_G"], ["MISSING_BP"]]


def test_a_masked_flag_of_a_column_is_none():
    table = Table({"feh": [0.0] * 2, "feh_flag": np.ma.MaskedArray([4, 4], mask=[False, True])})
    assert flags.decode(table["feh_flag"]) == [["MISSING_BAND"], None]
    assert flags.decode(np.array([0, 68])) == [[], ["MISSING_BAND", "UNLIKE_TRAINING"]]
    with pytest.raises(InputError, match=r"one flag or an array \(N,\), got the shape"):
        flags.decode(np.zeros((2, 2), int))


def test_where_adds_the_bits_of_the_conditions_that_hold():
    out = small_set().where(FIRST=[True, False, True, False], THIRD=[True, True, False, False])
    assert out.dtype == np.int32
    assert out.tolist() == [5, 4, 1, 0]


def test_where_broadcasts_scalars_and_takes_no_condition_at_all():
    assert small_set().where(SECOND=True, FIRST=[True, False]).tolist() == [3, 2]
    assert small_set().where(SECOND=True) == 2
    assert small_set().where() == 0


@pytest.mark.parametrize("kind", [np.ma.MaskedArray, MaskedColumn])
def test_a_masked_condition_is_not_met(kind):
    condition = kind([True, True, False], mask=[False, True, True])
    assert small_set().where(SECOND=condition).tolist() == [2, 0, 0]


@given(st.lists(st.sets(st.sampled_from(NAMES)), min_size=1, max_size=20))
def test_decode_is_the_inverse_of_where(chosen):
    packed = flags.LABEL.where(**{name: [name in row for row in chosen] for name in NAMES})
    assert [set(flags.LABEL.decode(value)) for value in packed] == chosen
    for name in NAMES:
        assert flags.LABEL.has(packed, name).tolist() == [name in row for row in chosen]


@given(st.integers(0, 2**31 - 1))
def test_decode_names_every_bit_once(value):
    bits = {flag.name: flag.bit for flag in flags.LABEL}
    decoded = [bits[name] if name in bits else int(name.removeprefix("UNKNOWN_BIT_")) for name in flags.decode(value)]
    assert decoded == sorted(set(decoded))
    assert sum(2**bit for bit in decoded) == value


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", ">i4", "i8", "u8"])
def test_has_takes_every_integer_type_also_those_too_narrow_for_the_bit(dtype):
    values = np.array([0, 4, 7], dtype=dtype)
    assert flags.LABEL.has(values, "MISSING_BAND").tolist() == [False, True, True]
    assert not flags.LABEL.has(values, "NOT_APPLICABLE").any()


def test_has_counts_masked_flags_as_zero():
    values = np.ma.MaskedArray([4, 4], mask=[False, True])
    assert flags.LABEL.has(values, "MISSING_BAND").tolist() == [True, False]


def test_bit_thirty_is_the_last():
    entries = [(f"F{bit}", "a meaning") for bit in range(31)]
    last = flags.FlagSet("test", "", entries)
    packed = last.where(F30=[True], F0=[True])
    assert packed.tolist() == [2**30 + 1]
    assert last.decode(packed[0]) == ["F0", "F30"]
    with pytest.raises(InputError, match="at most 31"):
        flags.FlagSet("test", "", [*entries, ("F31", "one too many")])


def test_two_flags_of_one_name_are_refused():
    with pytest.raises(InputError, match="'twice'.*different names"):
        flags.FlagSet("twice", "", [("A", "one"), ("A", "two")])


@pytest.mark.parametrize("value", [-1, 1.5, 2.0, "2", None, np.ma.masked, np.array([1, -2])])
def test_decode_refuses_what_is_not_a_flag_value(value):
    with pytest.raises(InputError, match="non-negative integer"):
        flags.decode(value)


@pytest.mark.parametrize("value", [[1.0], ["1"], [True]])
def test_has_refuses_what_are_not_integers(value):
    with pytest.raises(InputError, match="expected integers"):
        flags.LABEL.has(value, "NO_INPUT")


def test_unknown_names_are_refused_and_the_known_ones_told():
    with pytest.raises(InputError, match="no flag 'FOURTH'.*'FIRST', 'SECOND', 'THIRD'"):
        small_set()["FOURTH"]
    with pytest.raises(InputError, match="no flag 'FOURTH'"):
        small_set().where(FOURTH=[True])
    with pytest.raises(InputError, match="no flag set is called 'labels'.*'spectrum', 'label'"):
        flags.get("labels")


def test_describe_says_the_meaning_of_each_bit():
    assert small_set().describe(5) == "FIRST: the first\nTHIRD: the third"
    assert small_set().describe(8) == "UNKNOWN_BIT_3: not a flag of this column"
    assert flags.describe(0) == "no flag is set"


@pytest.mark.parametrize(("name", "good", "bad"), [("csnet", 0, 1), ("spcanet", 1, 0), ("solardis", 0, 1)])
def test_published_catalogs_have_their_own_conventions(name, good, bad):
    found = flags.get(name)
    assert found.is_good(good) and not found.is_good(bad)
    values = np.ma.MaskedArray([good, bad, good], mask=[False, False, True], dtype=np.int16)
    assert found.is_good(values).tolist() == [True, False, False]
    assert flags.describe(0, name) != flags.describe(1, name)
    with pytest.raises(InputError, match="expected integers"):
        found.is_good([0.0])


def test_catalogs_without_a_convention_of_their_own_have_the_flags_of_labels():
    for name in ("uacsnet", "uncertain"):
        assert flags.decode(68, name) == flags.decode(68) and flags.describe(64, name) == flags.describe(64)


def test_the_table_repeats_the_set():
    table = flags.table("label")
    assert table.colnames == ["bit", "value", "name", "level", "meaning"]
    assert table["name"].tolist() == NAMES
    assert (table["value"] == 2 ** table["bit"]).all()
    assert table.meta["description"].startswith("<label>_flag")


def test_a_name_is_registered_once():
    with pytest.raises(InputError, match="'label' is registered already"):
        flags.register(flags.FlagSet("label", "", []))
    assert flags.get("label") is flags.LABEL


@pytest.mark.parametrize("name", flags.names())
def test_every_set_says_what_it_means(name):
    entries = list(flags.get(name))
    assert entries
    assert flags.get(name).description
    for flag in entries:
        assert flag.name == flag.name.upper()
        assert len(flag.meaning) > len("yes or no")
