"""How often each flag is raised."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import catalogs, flags
from stellarlabels.exceptions import InputError
from stellarlabels.validation import NO_FLAG, flag_columns, tally


def test_tally_counts_every_bit():
    values = np.ma.MaskedArray([0, 64, 68, 4, 0, 1 << 28], mask=[0, 0, 0, 0, 1, 0])
    found = tally(QTable({"feh": np.zeros(6), "feh_flag": values}))
    rows = {str(row["flag"]): (row["stars"], round(float(row["share"]), 3)) for row in found}
    assert rows[NO_FLAG] == (1, 0.2) and rows["MISSING_BAND"] == (2, 0.4) and rows["UNLIKE_TRAINING"] == (2, 0.4)
    assert rows["UNKNOWN_BIT_28"] == (1, 0.2) and rows["NO_INPUT"] == (0, 0)
    assert len(found) == 1 + len(flags.LABEL) + 1


def test_the_flag_of_the_catalog_in_which_1_is_good():
    found = tally(QTable({"Flag": [1, 1, 0]}), columns={"Flag": "spcanet"})
    assert [(str(row["flag"]), row["stars"]) for row in found] == [(NO_FLAG, 2)]


def test_flag_columns_of_labels_and_of_catalogs(example, tmp_path):
    table = QTable({"teff": [1.0] * u.K, "teff_flag": [0], "other_flag": [1], "parallax_flag": [2], "Teff_flags": [1]})
    assert flag_columns(table) == {"teff_flag": "label", "parallax_flag": "parallax"}
    catalogs.write(example("spcanet"), tmp_path / "c.fits", "spcanet")
    assert flag_columns(catalogs.read(tmp_path / "c.fits", "spcanet")) == {"Flag": "spcanet"}


def test_all_flags_missing():
    found = tally(QTable({"feh": [0.0, 0.0], "feh_flag": np.ma.masked_all(2, int)}))
    assert (np.asarray(found["stars"]) == 0).all() and np.isnan(found["share"]).all()


def test_no_flags_at_all():
    assert len(tally(QTable({"feh": [0.0]}))) == 0


def test_refusals():
    with pytest.raises(InputError, match="no column 'feh_flag'"):
        tally(QTable({"feh": [0.0]}), columns={"feh_flag": "label"})
    with pytest.raises(InputError, match="no flag set"):
        tally(QTable({"feh_flag": [0]}), columns={"feh_flag": "nothing"})
