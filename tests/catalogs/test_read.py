"""Published files, as their authors made them, become tables with units, UCDs and masks."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import catalogs, columns
from stellarlabels.catalogs import schemas
from stellarlabels.exceptions import ColumnUnitError, InputError, ReadError

IDS = [5853498713190525696, 4295806720, 2**62 + 1]


@pytest.fixture
def published(tmp_path):
    """A file like the published UA-CSNet one: no units, float32 positions, its own name for G, nulls as numbers."""
    single = np.float32
    table = Table({"source_id": IDS})
    for name in ("gl", "gb"):
        table[name] = [10.5, 20.25, 359.0]
    for name in ("ra", "dec"):
        table[name] = np.array([99.0, 45.123456, -10.0], single)
    table["phot_bp_rp_excess_factor"] = np.array([1.2, 1.3, np.nan], single)
    table["BP_RP0"] = np.array([0.9, 1.1, -9999], single)
    table["PHOT_G_MEAN_MAG_MG"] = np.array([13.5, 99, 14], single)
    table["M_G"] = np.array([-0.5, 99, np.nan], single)
    table["EBV"] = np.array([0.05, 0.1, 0.2], single)
    table["rgeo"] = np.array([1234.5, -9999, 99], single)
    table["FEH"] = [-0.5, -2.25, np.nan]
    table["FEH_err"] = [0.05, 0.125, -9999]
    table["ruwe"] = [1.0, 1.1, -9999]
    table["pick"] = ["a", "", "c"]
    path = tmp_path / "Gaiaparas.fits"
    fits.BinTableHDU(table).writeto(path)
    return path


def test_a_published_file_becomes_the_declared_table(published):
    found = catalogs.read(published, "uacsnet")
    declared = schemas.get("uacsnet")
    assert found.colnames == [*declared.names, "ruwe", "pick"]
    assert found["source_id"].tolist() == IDS
    for item in declared:
        assert found[item.name].dtype == item.dtype
        assert str(getattr(found[item.name], "unit", None) or "") == item.unit
        assert found[item.name].info.meta["ucd"] == item.ucd


def test_nulls_are_masked_where_the_schema_says_so(published):
    found = catalogs.read(published, "uacsnet")
    masks = {name: np.ma.getmaskarray(columns.without_unit(found[name])).tolist() for name in found.colnames}
    assert masks["phot_bp_rp_excess_factor"] == masks["BP_RP0"] == masks["FEH"] == masks["FEH_err"] == [0, 0, 1]
    assert masks["PHOT_G_MEAN_MAG"] == [0, 1, 0]
    assert masks["M_G"] == [0, 1, 1]
    assert masks["rgeo"] == [0, 1, 0]  # 99 pc is a distance
    assert masks["ra"] == [0, 0, 0]  # and 99 degrees a position
    assert masks["ruwe"] == [0, 0, 1] and masks["pick"] == [0, 1, 0]


def test_the_table_answers_to_canonical_names(published):
    found = catalogs.read(published, "uacsnet")
    np.testing.assert_array_equal(columns.values(found, "feh"), [-0.5, -2.25, np.nan])
    np.testing.assert_array_equal(columns.values(found, "r_med_geo"), [1234.5, np.nan, 99])
    np.testing.assert_array_equal(columns.values(found, "l"), [10.5, 20.25, 359.0])


def test_unknown_and_missing_columns_are_reported(published):
    assert catalogs.read(published, "uacsnet").meta["unknown_columns"] == ["ruwe", "pick"]
    table = Table.read(published)
    table.remove_columns(["EBV", "pick", "ruwe"])
    table.write(published, overwrite=True)
    found = catalogs.read(published, "uacsnet")
    assert found.meta["missing_columns"] == ["EBV"]
    assert found["EBV"].mask.all() and found["EBV"].unit == u.mag
    assert "unknown_columns" not in found.meta


def test_reports_are_not_written(published, tmp_path):
    catalogs.write(catalogs.read(published, "uacsnet"), tmp_path / "x.vot")
    assert "unknown_columns" not in catalogs.read(tmp_path / "x.vot").meta


def test_null_values_are_not_looked_for_in_our_own_files(tmp_path):
    table = schemas.get("uacsnet").empty(1)
    table["rgeo"] = [-9999.0] * u.pc
    catalogs.write(table, tmp_path / "x.fits", "uacsnet")
    assert catalogs.read(tmp_path / "x.fits", "uacsnet")["rgeo"].value.tolist() == [-9999.0]


def test_units_of_the_file_are_converted(tmp_path):
    table = QTable({"source_id": [1], "rgeo": [1.5] * u.kpc, "ra": [np.pi] * u.rad, "FEH": [-1.0]})
    table.write(tmp_path / "x.fits")
    found = catalogs.read(tmp_path / "x.fits", "uacsnet")
    assert found["rgeo"][0] == 1500 * u.pc
    assert found["ra"][0].value == pytest.approx(180, abs=1e-12)
    assert found["FEH"].unit == u.dex


@pytest.mark.parametrize("unit", ["K", "furlongs"])
def test_a_unit_that_does_not_convert_is_an_error(unit, tmp_path):
    column = fits.Column("rgeo", "D", unit=unit, array=[1.0])
    fits.BinTableHDU.from_columns([fits.Column("source_id", "K", array=[1]), column]).writeto(tmp_path / "x.fits")
    with pytest.raises(ColumnUnitError, match=f"'rgeo'.*{unit}"):
        catalogs.read(tmp_path / "x.fits", "uacsnet")


def test_without_a_schema_an_unknown_unit_is_kept_aside(tmp_path):
    column = fits.Column("rgeo", "D", unit="furlongs", array=[1.0])
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "x.fits")
    found = catalogs.read(tmp_path / "x.fits")
    assert found["rgeo"].info.meta["unit"] == "furlongs" and found["rgeo"].unit is None


def test_logarithms_of_quantities_come_out_in_dex(tmp_path):
    column = fits.Column("logg", "D", unit="[m/s2]", array=[2.5])
    fits.BinTableHDU.from_columns([column]).writeto(tmp_path / "x.fits")
    found = catalogs.read(tmp_path / "x.fits")["logg"]
    assert found.unit == u.dex
    assert found.value[0] == pytest.approx(4.5)  # log10 of cm/s2


def test_a_canonical_table_is_written_under_published_names(tmp_path):
    table = QTable({"source_id": IDS, "feh": [-1.0, -2, np.nan] * u.dex, "feh_err": [0.1, 0.2, np.nan] * u.dex})
    table["r_med_geo"] = [1.0, 2, 3] * u.kpc
    catalogs.write(table, tmp_path / "x.vot", "uacsnet")
    found = Table.read(tmp_path / "x.vot", use_names_over_ids=True)
    assert found.colnames == schemas.get("uacsnet").names
    assert found["source_id"].tolist() == IDS
    assert found["rgeo"].tolist() == [1000, 2000, 3000]
    assert found["FEH"].tolist() == [-1, -2, None]
    assert found["gl"].mask.all()


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz", ".vot", ".parquet", ".ecsv"])
def test_a_damaged_file_is_an_error_that_names_it(suffix, tmp_path):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"not what the suffix says")
    with pytest.raises(ReadError, match="x\\."):
        catalogs.read(path)


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".ecsv"])
@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_truncated_file_is_an_error(suffix, labels, tmp_path):
    path = tmp_path / f"x{suffix}"
    catalogs.write(labels, path)
    path.write_bytes(path.read_bytes()[: -2880 if suffix == ".fits" else -10])
    with pytest.raises(ReadError, match="x\\."):
        catalogs.read(path)


@pytest.mark.parametrize("suffix", [".fits", ".vot"])
@pytest.mark.filterwarnings("ignore:.*dex")
def test_what_astropy_read_can_be_written_again(suffix, labels, tmp_path):
    catalogs.write(labels, tmp_path / f"x{suffix}")
    found = QTable.read(tmp_path / f"x{suffix}")
    catalogs.write(found, tmp_path / "y.vot", "uacsnet")
    again = catalogs.read(tmp_path / "y.vot", "uacsnet")
    np.testing.assert_array_equal(columns.values(again, "feh"), columns.values(labels, "feh"))


def test_a_missing_file_and_an_unknown_suffix_are_errors(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        catalogs.read(tmp_path / "x.fits")
    with pytest.raises(InputError, match=r"\.ecsv.*\.fits\.gz.*x\.txt"):
        catalogs.write(Table({"a": [1]}), tmp_path / "x.txt")
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="votable.*'xlsx'"):
        catalogs.read(tmp_path / "x.csv", format="xlsx")
