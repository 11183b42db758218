"""Labels in dex are compared with numbers, in whatever table the library hands out."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table, vstack

import stellarlabels
from stellarlabels import catalogs, columns
from stellarlabels.columns import StarTable
from stellarlabels.tables import join_by_id

FEH = [-1.5, -0.2, np.nan]


@pytest.fixture
def stars():
    """Three stars, the last without a metallicity."""
    return QTable(
        {"source_id": [4, 5, 6], "ra": [1.0, 2.0, 3.0] * u.deg, "dec": [0.0, 1.0, 2.0] * u.deg, "feh": FEH * u.dex}
        | {"teff": [4500.0, 5000.0, 6000.0] * u.K, "ebv": [0.1, 0.2, 0.3] * u.mag}
    )


def check(table, name="feh"):
    """The first star is the only poor one, and the column knows its unit."""
    poor = np.ma.filled(table[name] < -1, False)
    assert poor.tolist() == [True, False, False]
    assert table[name].unit == u.dex and len(table[poor]) == 1
    assert (table["teff"] > 4900 * u.K).tolist() == [False, True, True]


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet", "ecsv", "csv", "mrt"])
def test_tables_from_files(stars, suffix, tmp_path):
    path = tmp_path / f"stars.{suffix}"
    catalogs.write(stars, path)
    if suffix != "csv":  # which has no units
        check(catalogs.read(path))
        check(stellarlabels.read_table(path))


def test_tables_of_functions(stars):
    check(columns.intake(stars))
    check(join_by_id(stars, stars["source_id", "ra"]))
    assert (vstack([columns.intake(stars)] * 2)["feh"] < 0).sum() == 4


def test_a_column_that_is_set_later(stars):
    table = StarTable(stars, copy=False)
    table["alpha_m"] = u.Quantity([0.3, 0.1, 0.0], u.dex)
    assert (table["alpha_m"] > 0.2).tolist() == [True, False, False]
    table["masked"] = columns.column("feh").dress(np.ma.MaskedArray([0.5, 0.1, 0.2], mask=[True, False, False]))
    assert (table["masked"] > 0.15).filled(False).tolist() == [False, False, True]
    assert Table(table)["alpha_m"].unit == u.dex and isinstance(table["teff"], u.Quantity)
