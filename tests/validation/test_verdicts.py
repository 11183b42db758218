"""How many labels are good, and which flags took the others: counted by hand."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack
from astropy.utils.masked import Masked

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError
from stellarlabels.validation import Verdicts, verdicts

BITS = [0, 8, 512, 256, 256 + 64, 1, 0]


@pytest.fixture
def labels():
    """Seven stars; the last one has no flag, but no number either."""
    table = QTable({"teff": Masked([5000.0] * 7 * u.K, mask=[False] * 5 + [True] * 2)})
    table["teff_flag"] = np.array(BITS, np.int32)
    table["teff_good"] = columns.good_values("teff", table["teff"], table["teff_flag"])
    return table


def test_counts_by_level_and_by_flag(labels):
    assert labels["teff_good"].tolist() == [True, True, True, False, False, False, False]
    found = verdicts(labels)
    assert [found[0][name] for name in found.colnames[:6]] == ["teff", 7, 3, 2, 1, 2]
    assert found["taken_by"][0] == "LABEL_RANGE 2, NO_INPUT 1, UNLIKE_TRAINING 1, no value 1"
    assert str(Verdicts.count(labels)).startswith("teff: 3 good (2 with a note), 1 caution, 2 bad - LABEL_RANGE 2, ")


def test_parts_add_up(labels):
    whole = Verdicts.count(vstack([labels, labels[:2]]))
    parts = Verdicts.count(labels) + Verdicts.count(labels[:2])
    assert whole.of == parts.of and parts.good == 5 and (Verdicts() + parts).good == 5


def test_a_table_without_flags_is_refused(labels):
    with pytest.raises(InputError, match="_good, got none; give what predict"):
        verdicts(labels["teff", "teff_flag"])


@pytest.mark.parametrize("language", ["topcat", "adql"])
def test_filters_of_flags(language):
    found = flags.filter("feh", language=language)
    assert found == flags.filter("feh_flag", language=language) == flags.LABEL.filter("feh_flag", language=language)
    assert flags.filter("distance", language=language).startswith(("(distance_flag | 14)", "distance_flag - 2 * MOD"))


def test_a_condition_in_adql_keeps_what_is_good():
    condition = flags.filter("feh", language="adql").replace("MOD", "divmod").replace(", 2)", ", 2)[1]")
    condition = condition.replace(" / ", " // ").replace(" = 0", " == 0")
    values = [0, 8, 512, 16384, 8 + 512, 8 + 1, 64, 2**20, 2**21, 2**22]
    kept = [eval(condition, {"divmod": divmod, "feh_flag": value}) for value in values]
    assert kept == flags.LABEL.is_good(values).tolist()
    shown = [eval(flags.filter("feh").replace("feh_flag", str(value))) for value in values]
    assert shown == kept


def test_there_are_two_languages():
    with pytest.raises(InputError, match="'topcat' or 'adql', got 'sql'"):
        flags.filter("feh", language="sql")
    with pytest.raises(InputError, match="no flag 'X'"):
        flags.filter("feh", without="X")
