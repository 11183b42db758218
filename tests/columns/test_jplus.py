"""Columns of filters become arrays."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.columns.jplus import FILTERS, gather
from stellarlabels.tables.quality.conditions import JPLUS_FILTERS


@pytest.fixture
def table():
    """Two stars, the columns in an order that is not that of the wavelengths."""
    out = QTable({"number": [1, 2]})
    for index, name in reversed(list(enumerate(FILTERS))):
        out[f"MAG_APER_6_0_{name}"] = np.array([15.0 + index, 99.0 if index == 3 else 16.0 + index]) * u.mag
        out[f"mag_err_aper_6_0_{name.lower()}"] = np.array([0.01 * index, 99.0 if index == 3 else 0.02])
        out[f"flags_{name.lower()}"] = np.array([index, 0])
    out["mag_auto_gsdss"] = [14.0, 15.0]
    return out


def test_order_units_and_masks(table):
    before = table.copy()
    got = gather(table)
    assert set(got.colnames) == {"number", "mag_aper_6_0", "mag_err_aper_6_0", "flags", "mag_auto_gsdss"}
    assert got["mag_aper_6_0"].unit == u.mag and got["mag_aper_6_0"].shape == (2, 12)
    np.testing.assert_array_equal(got["mag_aper_6_0"][0].value, 15.0 + np.arange(12))
    assert got["mag_aper_6_0"].mask[1].tolist() == [index == 3 for index in range(12)]
    assert got["mag_err_aper_6_0"].mask[1].tolist() == [index == 3 for index in range(12)]
    np.testing.assert_array_equal(got["flags"], [np.arange(12), np.zeros(12)])
    assert table.colnames == before.colnames and got["number"].tolist() == [1, 2]


def test_what_is_not_complete_stays(table):
    del table["flags_j0660"]
    got = gather(table)
    assert "flags" not in got.colnames and "flags_ujava" in got.colnames


def test_there_is_one_order():
    assert JPLUS_FILTERS is FILTERS and len(set(FILTERS)) == 12
