"""Small tables of stars for the tests of files."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable

#: Identifiers that a float cannot hold.
IDS = [4295806720123456789, 5853498713190525697, 3]


@pytest.fixture
def stars():
    """Three stars with identifiers, units, a gap, text and arrays."""
    table = QTable({"source_id": np.array(IDS)})
    table["teff"] = [5772.5, 4000.0, 6100.25] * u.K
    table["n"] = MaskedColumn([1, 2, 3], mask=[False, True, False], dtype=np.int32)
    table["name"] = ["Sun", "b c", "d"]
    table["pair"] = np.array([[1.5, 2.5], [3.5, 4.5], [5.5, 6.5]])
    return table
