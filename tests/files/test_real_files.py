"""Every real file of the shared data is read: rows, columns, units and missing values, as other programs see them."""

import json
import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy import units as u
from astropy.table import Table

from stellarlabels import catalogs
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import ImpossibleValueWarning, ReadError

#: By file: rows, columns, a column and its unit, a column and the number of its missing values.
TABLES = {
    "replies/1710099405832VAL-result.vot": (2, 152, "parallax", "mas", "pseudocolour", 2),
    "replies/1712337806100O-result.ecsv": (5, 153, "pmra", "mas / yr", "parallax", 2),
    "replies/1714556098855O-result.vot": (1, 152, "pseudocolour", "1 / um", "vbroad", 1),
    "replies/job_1.vot": (3, 4, "alpha", None, "source_id", 0),
    "clusters/open_cluster_members_gaiadr3.parquet": (15807, 46, "ra", None, "radial_velocity", 10435),
    "clusters/gc_harris.csv": (155, 120, "ra", None, "vlos_sigma", 119),
    "clusters/globular_members_in_xp.csv": (465, 2, "source_id", None, "cluster", 0),
    "photometry/jplus_segue.csv": (2730, 55, "RA", None, "MAG_6_gSDSS", 0),
    "photometry/splus82_segue.csv": (8670, 41, "RA", None, "NET_FEH", 4433),
    "tables/apokasc_logg_cal.fits": (11059, 30, "LOGG_SEIS", None, "CONS_EVSTATES", 339),
    "tables/gaia_benchmark_stars_v3.fits": (192, 264, "parallax_hip", "mas", "source_id", 13),
    "tables/pastel_v1.2.fits": (17922, 5, "TEFF", None, "FEH", 0),
    "tables/metal_poor_in_xp.csv": (242, 10, "feh_literature", None, "feh_aspcap", 34),
    "tables/sdss_ugriz_segue_feh.csv": (27911, 5, "ug", None, "feh", 0),
    "tables/MIST_iso_7Gyr.csv": (1476, 6, "teff_0", None, "teff_0.5", 3),
    "gaia_xp/xp_continuous_616.parquet": (616, 27, "bp_coefficients", None, "bp_coefficients", 0),
    "gaia_xp/XP_CONTINUOUS_RAW.fits": (2, 26, "bp_coefficients", None, "source_id", 0),
    "gaia_xp/XP_CONTINUOUS_RAW_with_missing_BP.csv": (3, 26, "source_id", None, "bp_n_parameters", 1),
    "gaia_xp/xp_continuous_combined_chunk0.fits": (2000, 223, "source_id", None, "bp_coeff_54", 0),
    "gaia_xp/xp_continuous_combined_weiler2023_examples.vot": (4, 26, "source_id", None, "bp_coefficients", 0),
}


def missing(column):
    """Number of rows in which everything is missing."""
    mask = np.ma.getmaskarray(without_unit(column))
    return int(mask.reshape(len(mask), -1).all(axis=1).sum())


#: What stands for a missing number in tables of surveys.
IMPOSSIBLE = (-9999, 99, -99, 999)


def quietly(path):
    """A file, without words about values that stand for missing ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImpossibleValueWarning)
        return catalogs.read(path)


@pytest.mark.parametrize("name", TABLES)
def test_rows_columns_units_and_missing_values(name, real_data):
    rows, columns, known, unit, gappy, gaps = TABLES[name]
    table = quietly(real_data / name)
    assert (len(table), len(table.colnames)) == (rows, columns)
    assert (None if table[known].unit is None else str(table[known].unit)) == unit
    assert missing(table[gappy]) == gaps


@pytest.mark.parametrize("name", [name for name in TABLES if name.endswith((".csv", ".parquet")) and "RAW" not in name])
def test_pandas_sees_the_same(name, real_data):
    frame = (pd.read_csv if name.endswith(".csv") else pd.read_parquet)(real_data / name)
    table = quietly(real_data / name)
    assert table.colnames == list(frame.columns)
    for column in table.colnames:
        data = without_unit(table[column])
        if data.ndim == 1 and data.dtype.kind in "iuf":
            theirs = frame[column].to_numpy(float)
            stated = np.where(np.isin(theirs, IMPOSSIBLE) & np.ma.getmaskarray(data), np.nan, theirs)
            np.testing.assert_array_equal(data.astype(float).filled(np.nan), stated)
        elif data.ndim == 1:
            assert missing(data) == frame[column].isna().sum(), column


@pytest.mark.parametrize("name", [name for name in TABLES if name.endswith((".vot", ".ecsv", ".fits"))])
def test_astropy_sees_the_same(name, real_data):
    with warnings.catch_warnings(action="ignore"):
        kind = {"ecsv": "ascii.ecsv", "vot": "votable", "fits": "fits"}[name.rpartition(".")[2]]
        expected = Table.read(real_data / name, format=kind)
    table = catalogs.read(real_data / name)
    for column, theirs in zip(table.colnames, expected.colnames, strict=True):
        data, other = without_unit(table[column]), np.ma.asarray(expected[theirs])
        if data.ndim != 1 or data.dtype.kind not in "iuf" or other.dtype.kind not in "iuf":
            continue
        np.testing.assert_array_equal(
            data.astype(float).filled(np.nan), np.ma.masked_invalid(other.astype(float)).filled(np.nan), err_msg=column
        )
        if not isinstance(expected[theirs].unit, u.UnrecognizedUnit):
            assert str(expected[theirs].unit or "") == str(table[column].unit or "")


def test_hdf5_of_records_with_columns_beside(real_data):
    path = real_data / "tables" / "green2020_test_data_small.h5"
    table = catalogs.read(path)
    assert (
        len(table) == 10_000 and table["mag"].shape == (10_000, 13) and table["atm_param_cov"].shape == (10_000, 3, 3)
    )
    with h5py.File(path) as file:
        np.testing.assert_array_equal(np.ma.getdata(table["r_fit"]), file["r_fit"][()])
        np.testing.assert_array_equal(np.ma.getdata(table["parallax"]), file["data"]["parallax"])
        assert table["atm_source"][5] == file["data"]["atm_source"][5].decode()


def test_what_is_no_table_of_stars_is_an_error_that_says_so(real_data):
    assert json.loads((real_data / "replies" / "cone_search.json").read_text())["data"]
    with pytest.raises(ReadError, match=r"cone_search\.json"):
        catalogs.read(real_data / "replies" / "cone_search.json")
    with pytest.raises(ReadError, match=r"test_tables_gaia\.xml: XML or HTML, but not a VOTable"):
        catalogs.read(real_data / "replies" / "test_tables_gaia.xml")
