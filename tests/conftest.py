"""Fixtures shared by all tests."""

import os
import re
import sys
from pathlib import Path

import matplotlib
import pytest


@pytest.fixture(autouse=True)
def plot_settings():
    """Settings of Matplotlib as before, no figure open: importing GaiaXPy, also in a fixture, asks for LaTeX."""
    with matplotlib.rc_context({"text.usetex": False}):
        yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def real_data():
    """Folder of real observations (``STELLARLABELS_DATA``); tests that need it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("STELLARLABELS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder (set STELLARLABELS_DATA)")
    return folder


@pytest.fixture(scope="session")
def example():
    """A function that makes a table in a published schema: every column filled, a tenth of the values missing."""
    import numpy as np
    from astropy.table import QTable

    from stellarlabels.catalogs import schemas

    def values(item, shape, random):
        if item.is_text:
            return np.array([f"{item.name[:4]} {number}" for number in range(int(np.prod(shape)))]).reshape(shape)
        dtype = np.dtype(item.dtype)
        if dtype.kind == "f":
            low, high = (0, 360) if "pos.eq.ra" in item.ucd else (-90, 90)
            return random.uniform(low, high, shape).astype(dtype)
        return random.integers(0, 2**62 if dtype.itemsize == 8 else 4, shape).astype(dtype)

    def make(name, rows=50, seed=1):
        random = np.random.default_rng(seed)
        table = QTable(meta={"system": name, "schema": name, "weights": "example"})
        for item in schemas.get(name):
            shape = (rows, *item.shape)
            mask = random.random(shape) < (0 if "meta.main" in item.ucd else 0.1)
            table[item.name] = item.dress(np.ma.MaskedArray(values(item, shape, random), mask=mask))
        return table

    return make


@pytest.fixture(scope="session")
def agree():
    """A function that compares tables of labels of the same stars that were computed with other stars beside them.

    A label may differ by 2e-5 of its error (and by the last digit of its type), an error, whose calibration depends
    on the label, by 3e-5 of itself, a distance by 2e-5 of half of its interval; identifiers, masks, flags, units
    and all other columns not at all. ``errors`` are those of columns whose errors are not in the tables, by name.
    """
    import numpy as np

    from stellarlabels.columns import without_unit

    def error_of(table, name, errors):
        label = re.sub("_(err.*|lo|hi|mode)$", "", name)
        if name in errors:
            return without_unit(errors[name])
        if f"{label}_err" in table.colnames:
            return without_unit(table[f"{label}_err"])
        if f"{label}_lo" in table.colnames:
            return 0.5 * (without_unit(table[f"{label}_hi"]) - without_unit(table[f"{label}_lo"]))
        return None

    def compare(found, wanted, names=None, errors=()):
        assert names or found.colnames == wanted.colnames
        for name in names or wanted.colnames:
            one, other = without_unit(found[name]), without_unit(wanted[name])
            assert one.dtype == other.dtype and str(found[name].info.unit) == str(wanted[name].info.unit), name
            np.testing.assert_array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(other), err_msg=name)
            one, other = one.compressed(), other.compressed()
            error = error_of(wanted, name, errors) if other.dtype.kind == "f" else None
            if error is None:
                np.testing.assert_array_equal(one, other, err_msg=name)
                continue
            error = np.ma.filled(error, 0)[~np.ma.getmaskarray(without_unit(wanted[name]))]
            moved = np.abs(one - other)
            allowed = 3e-5 if "_err" in name else 2e-5
            far = moved > allowed * error + np.spacing(np.abs(other))
            assert not far.any(), f"{name}: {far.sum()} differ, by {moved[far][:5]} with errors of {error[far][:5]}"

    return compare


@pytest.fixture(autouse=True)
def _no_memory_of_units():
    """Astropy keeps the units that it has met in VOTables, and no longer takes 'dex' once it has met a bare dex."""
    from astropy.units.format import VOUnit

    VOUnit._custom_units.clear()
    yield
    VOUnit._custom_units.clear()
