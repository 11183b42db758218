"""The comparison of labels that were computed with other stars beside them: what it lets pass, and what it does not."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from astropy.utils.masked import Masked


@pytest.fixture
def labels():
    value = np.linspace(4000, 6000, 9)
    table = QTable({"source_id": 2**60 + np.arange(9)})
    table["teff"] = Masked(value, mask=np.arange(9) == 4) * u.K
    table["teff_err"] = Masked(value / 100, mask=np.arange(9) == 4) * u.K
    table["teff_flag"] = np.zeros(9, np.int32)
    table["ra"] = np.linspace(0, 80, 9) * u.deg
    return table


def test_roundings_are_let_pass(agree, labels):
    found = QTable(labels, copy=True)
    found["teff"] += 9e-6 * labels["teff_err"]
    found["teff_err"] *= 1 - 9e-6
    agree(found, labels)
    agree(found[["teff"]], labels, ["teff"])


def of_others(table):
    """A label that a star takes from the mean of the table, as by a normalisation over rows."""
    table["teff"] += 1e-4 * (np.mean(table["teff"][[0, 1, 7]]) - table["teff"])


CHANGES = {
    "teff": of_others,
    "teff_err": lambda table: table["teff_err"].__setitem__(2, 60.01 * u.K),
    "teff_flag": lambda table: table["teff_flag"].__setitem__(3, 1),
    "source_id": lambda table: table["source_id"].__setitem__(3, 5),
    "ra": lambda table: table["ra"].__setitem__(8, 80.0000001 * u.deg),
}


@pytest.mark.parametrize("name", CHANGES)
def test_an_influence_of_other_rows_is_not(agree, labels, name):
    found = QTable(labels, copy=True)
    CHANGES[name](found)
    with pytest.raises(AssertionError, match=name):
        agree(found, labels)


def test_masks_units_and_columns_are_the_same(agree, labels):
    found = QTable(labels, copy=True)
    found["teff"].mask[0] = True
    with pytest.raises(AssertionError):
        agree(found, labels)
    with pytest.raises(AssertionError):
        agree(labels[["source_id", "teff"]], labels)
    found = QTable(labels, copy=True)
    found["ra"] = found["ra"].to(u.rad)
    with pytest.raises(AssertionError):
        agree(found, labels)
