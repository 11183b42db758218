"""FITS files as Astropy's own reader and the standard see them."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import catalogs, columns
from stellarlabels.catalogs import schemas
from stellarlabels.exceptions import ColumnUnitError, InputError, ReadError


def read_with_astropy(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)  # dex is not a unit of the FITS standard
        return Table.read(path)


def test_checksums_and_structure_are_valid(labels, tmp_path):
    catalogs.write(labels, tmp_path / "x.fits")
    with fits.open(tmp_path / "x.fits", checksum=True) as hdus:  # a wrong checksum is a warning, and that an error
        hdus.verify("exception")
        assert [hdu.verify_checksum() for hdu in hdus] == [1, 1]
        assert [hdu.verify_datasum() for hdu in hdus] == [1, 1]
    assert (tmp_path / "x.fits").stat().st_size % 2880 == 0


def test_every_column_has_its_cards(tmp_path):
    declared = schemas.get("uacsnet")
    catalogs.write(declared.empty(2), tmp_path / "x.fits", "uacsnet")
    header = fits.getheader(tmp_path / "x.fits", 1)
    for number, item in enumerate(declared, start=1):
        assert header[f"TTYPE{number}"] == item.name
        assert header[f"TUCD{number}"] == item.ucd
        assert header[f"TCOMM{number}"] == item.description
        assert header.get(f"TUNIT{number}", "") == item.unit
    assert header["TFORM1"] == "1K" and header["TFORM4"] == "1D" and header["TFORM6"] == "1E"
    assert (header["TDISP1"], header["TDISP4"], header["TDISP12"]) == ("I20", "F17.8", "F13.4")
    assert header["RADESYS"] == "ICRS"
    assert header["REFERENC"] == declared.reference
    assert header["CREATOR"].startswith("stellarlabels ")


def test_there_are_no_comments_and_the_flags_have_cards(labels, tmp_path):
    catalogs.write(labels, tmp_path / "x.fits")
    header = fits.getheader(tmp_path / "x.fits", 1)
    assert "COMMENT" not in header
    assert any(text.startswith("label 64: UNLIKE_TRAINING: ") for text in header["FLAG*"].values())


def test_astropy_reads_the_same_values_units_and_masks(labels, tmp_path):
    labels["teff_flag"].mask = [False, True, False]
    catalogs.write(labels, tmp_path / "x.fits")
    found = read_with_astropy(tmp_path / "x.fits")
    assert found["source_id"].dtype.kind == "i" and found["source_id"].dtype.itemsize == 8
    assert found["source_id"].tolist() == [5853498713190525696, 4295806720, 2**63 - 1]
    assert found["teff"].tolist() == [5772.0, -5772.0, None]
    assert found["teff"].unit == u.K and str(found["feh"].unit) == "dex"
    assert found["teff_flag"].tolist() == [0, None, 1]
    assert (found.meta["SYSTEM"], found.meta["RECIPE"]) == ("uacsnet", "apogee")


@pytest.mark.parametrize(
    ("values", "null"),
    [([7, 5, 3], -(2**15)), ([-(2**15), 5, 3], 2**15 - 1), ([-(2**15), 2**15 - 1, 3], -(2**15) + 1)],
)
def test_the_null_is_never_a_real_value(values, null, tmp_path):
    table = QTable({"n": np.ma.MaskedArray([*values, 999999 % 1000], mask=[0, 0, 0, 1], dtype=np.int16)})
    catalogs.write(table, tmp_path / "x.fits")
    assert fits.getval(tmp_path / "x.fits", "TNULL1", 1) == null
    assert read_with_astropy(tmp_path / "x.fits")["n"].tolist() == [*values, None]


def test_no_integer_left_for_nulls_is_an_error(tmp_path):
    data = np.ma.MaskedArray(np.arange(257).astype(np.uint8), mask=np.arange(257) == 256)
    with pytest.raises(InputError, match="'n'.*none is left"):
        catalogs.write(QTable({"n": data}), tmp_path / "x.fits")
    assert not list(tmp_path.iterdir())


def test_truth_values_and_arrays_of_integers_keep_their_masks(tmp_path):
    table = QTable({"ok": np.ma.MaskedArray([True, False, True], mask=[0, 0, 1])})
    table["pair"] = np.ma.MaskedArray([[1, 2], [3, 4], [5, 6]], mask=[[0, 1], [0, 0], [1, 1]])
    catalogs.write(table, tmp_path / "x.fits")
    found = catalogs.read(tmp_path / "x.fits")
    assert found["ok"].tolist() == [True, False, None]
    assert found["pair"].tolist() == [[1, None], [3, 4], [None, None]]


def test_text_that_is_not_ascii_is_an_error_that_names_the_column(tmp_path):
    with pytest.raises(InputError, match="'name'.*ASCII"):
        catalogs.write(QTable({"name": ["Barnard", "Grünes Auge"]}), tmp_path / "x.fits")


def test_metadata_of_any_kind_come_back(labels, tmp_path):
    labels.meta = {
        "seed": 3,
        "floor": 0.02,
        "shuffled": True,
        "a longer name": "x",
        "Mixed": "y",
        "text": "z " * 60,
        "lines": "a\nb",
        "nested": {"list": [1, None]},
        "none": None,
        "naxis": 7,
        "empty": "",
    }
    labels.meta["numpy"] = np.float32(0.5)
    catalogs.write(labels, tmp_path / "x.fits")
    assert catalogs.read(tmp_path / "x.fits").meta == labels.meta
    labels.meta = {"radius": 1.5 * u.arcsec}
    catalogs.write(labels, tmp_path / "y.fits")
    assert catalogs.read(tmp_path / "y.fits").meta["radius"] == "1.5 arcsec"


def test_an_unsigned_column_of_another_writer_is_read(tmp_path):
    fits.BinTableHDU(Table({"n": np.array([0, 2**63 + 1], np.uint64)})).writeto(tmp_path / "x.fits")
    assert catalogs.read(tmp_path / "x.fits")["n"].tolist() == [0, 2**63 + 1]
    with pytest.raises(InputError, match="'n'.*63 bits"):
        catalogs.write(Table({"n": np.array([0, 2**63 + 1], np.uint64)}), tmp_path / "y.fits")


def test_a_unit_that_files_cannot_hold_is_an_error(tmp_path):
    with pytest.raises(ColumnUnitError, match="'g'.*AB"):
        catalogs.write(QTable({"g": [1.0] * u.ABmag}), tmp_path / "x.fits")


def test_a_file_without_a_table_is_an_error(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "x.fits")
    with pytest.raises(ReadError, match="no binary table"):
        catalogs.read(tmp_path / "x.fits")


def test_columns_take_their_description_from_the_vocabulary(tmp_path):
    table = Table({"source_id": [1], "ebv": [0.1], "feh_err": [0.1], "other": [2]})
    catalogs.write(table, tmp_path / "x.fits")
    found = catalogs.read(tmp_path / "x.fits")
    assert found["ebv"].info.meta["ucd"] == columns.column("ebv").ucd
    assert found["feh_err"].info.meta["ucd"] == "stat.error;phys.abund.Fe"
    assert not found["other"].info.meta
