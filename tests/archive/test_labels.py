"""Catalogs of labels in the forms in which surveys and journals publish them."""

import gzip

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import columns
from stellarlabels.archive.readers import available, read_labels
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files import dumps
from stellarlabels.tables.quality import bitmasks

BIG = 2**62 + 1

#: A machine-readable table as the AAS journals publish it.
MRT = """Title: Abundances of two stars
Authors: Doe J.
Table: Labels
================================================================================
Byte-by-byte Description of file: table1.txt
--------------------------------------------------------------------------------
   Bytes Format Units  Label    Explanations
--------------------------------------------------------------------------------
   1- 19 I19    ---    GaiaEDR3 Gaia EDR3 source identifier
  21- 24 I4     K      Teff     ? Effective temperature
  26- 28 I3     K      e_Teff   ? Error of Teff
  30- 33 F4.2   [cm/s2] logg    ? Surface gravity
  35- 39 F5.2   [-]    [Fe/H]   ? Metallicity
  41- 44 F4.2   [-]    e_[Fe/H] ? Error of [Fe/H]
--------------------------------------------------------------------------------
4611686018427387905 5012  60 2.50 -1.25 0.08
4611686018427387907           4.40  0.10 0.05
"""


def assert_masked(column, mask):
    np.testing.assert_array_equal(np.ma.getmaskarray(columns.without_unit(column)), mask)


class TestLamost:
    """Catalogs of stellar parameters, as FITS and as text with bars."""

    @pytest.fixture
    def catalog(self):
        return Table(
            {
                "obsid": np.array([101001, 101002, 101005], dtype=np.int32),
                "designation": ["J220848.54-020324.3", "J220953.17-020506.0", "J221005.01-010506.2"],
                "gaia_source_id": ["2682612426377420672", "-9999", str(BIG)],
                "snrg": [25.3, -9999.0, 80.1],
                "ra": [332.2022740000, 332.4715760000, 332.5208970000],
                "dec": [-2.0567670000, -2.0850190000, -1.0850560000],
                "teff": np.array([5630.89, -9999.0, 4500.5]),
                "teff_err": np.array([73.15, -9999.0, 30.0]),
                "logg": [4.327, -9999.0, 2.1],
                "feh": [-0.107, -9999.0, -0.9],
                "feh_err": [0.072, -9999.0, -9999.0],
                "alpha_m": [-9999.0, -9999.0, 0.2],
            }
        )

    def check(self, got):
        assert got.meta["catalog"] == "lamost" and isinstance(got, QTable)
        assert got["obsid"].tolist() == [101001, 101002, 101005] and got["obsid"].dtype == np.int64
        assert got["source_id"].tolist() == [2682612426377420672, None, BIG]
        for name in ("teff", "teff_err", "logg", "feh", "snrg"):
            assert_masked(got[name], [False, True, False])
        assert_masked(got["feh_err"], [False, True, True])
        assert_masked(got["alpha_m"], [True, True, False])
        assert got["teff"].unit == u.K and got["teff_err"].unit == u.K and got["ra"].unit == u.deg
        assert got["teff"][0] == 5630.89 * u.K and got["feh"].unit == u.dex

    def test_fits(self, catalog, tmp_path):
        path = tmp_path / "dr9_v1.1_LRS_stellar.fits.gz"
        catalog.write(tmp_path / "plain.fits")
        path.write_bytes(gzip.compress((tmp_path / "plain.fits").read_bytes()))
        self.check(read_labels(path))

    def test_text_with_bars(self, catalog, tmp_path):
        catalog.write(tmp_path / "dr5_stellar.csv", format="ascii.csv", delimiter="|")
        self.check(read_labels(tmp_path / "dr5_stellar.csv"))

    def test_several_files(self, catalog, tmp_path):
        catalog[:1].write(tmp_path / "a.fits")
        catalog[1:].write(tmp_path / "b.fits")
        self.check(read_labels([tmp_path / "a.fits", tmp_path / "b.fits"]))

    def test_real_labels(self, real_data, tmp_path):
        """Labels of LASP for real spectra, through a file in the survey's columns."""
        data = np.load(real_data / "lamost_lrs" / "lamost_lrs_labelled.npz")
        names = ("obsid", "ra", "dec", "teff", "logg", "feh", "snrg")
        Table({name: data[name] for name in names}).write(tmp_path / "stars.fits")
        got = read_labels(tmp_path / "stars.fits")
        for name in names:
            np.testing.assert_array_equal(columns.without_unit(got[name]).data, data[name])
        assert got.meta["catalog"] == "lamost" and not np.ma.getmaskarray(got["teff"]).any()


class TestApogee:
    """The allStar file: several tables, bit masks, columns of vectors, its own signs for what is missing."""

    @pytest.fixture
    def path(self, tmp_path):
        fparam = np.array(
            [[4800, 2.5, 0.1, -0.2, 0, 0, 0.1, 4.0, 0], [-9999] * 9, [5200, 4.4, 0, 0.1, 0, 0, 0, np.nan, 0]]
        )
        columns = [
            fits.Column("APOGEE_ID", "18A", array=["2M00000002+7417074", "2M00000019-1924498", "VESTA"]),
            fits.Column("RA", "D", array=[0.000103, 0.000832, np.nan], unit="deg"),
            fits.Column("DEC", "D", array=[74.28, -19.41, np.nan], unit="deg"),
            fits.Column("J", "E", array=[8.6, 99.0, 10.1]),
            fits.Column("H", "E", array=[8.1, 11.0, 99.999]),
            fits.Column("K", "E", array=[7.9, 10.8, 10.0]),
            fits.Column("SNR", "E", array=[120.0, 44.0, -9999.0]),
            fits.Column("STARFLAG", "K", array=[0, 1 << 9 | 1 << 16, -9999]),
            fits.Column("ASPCAPFLAG", "K", array=[0, 1 << 23 | 1 << 41, 1 << 31]),
            fits.Column("EXTRATARG", "J", array=[0, 16, 17]),
            fits.Column("TEFF", "E", array=[4812.5, -9999.0, 5230.0]),
            fits.Column("TEFF_ERR", "E", array=[8.5, -9999.0, np.nan]),
            fits.Column("LOGG", "E", array=[2.5, -9999.99, 4.4]),
            fits.Column("M_H", "E", array=[-0.2, -9999.0, 0.1]),
            fits.Column("ALPHA_M", "E", array=[0.1, -9999.0, 0.0]),
            fits.Column("FE_H", "E", array=[-0.21, -9999.0, 0.09]),
            fits.Column("FE_H_ERR", "E", array=[0.01, -9999.0, 0.02]),
            fits.Column("FE_H_FLAG", "I", array=[0, 2, 0]),
            fits.Column("FPARAM", "9E", array=fparam),
            fits.Column("GAIAEDR3_SOURCE_ID", "K", array=[BIG, 0, -1]),
        ]
        symbols = fits.BinTableHDU.from_columns(
            [fits.Column("PARAM_SYMBOL", "16A", array=["TEFF", "LOGG"])], name="LIST"
        )
        stars = fits.BinTableHDU.from_columns(columns, name="STARS")
        path = tmp_path / "allStarLite-dr17-synspec_rev1.fits"
        fits.HDUList([fits.PrimaryHDU(), symbols, stars]).writeto(path)
        return path

    def test_masks_units_and_names(self, path):
        got = read_labels(path)
        assert got.meta["catalog"] == "apogee" and len(got) == 3
        assert got["source_id"].tolist() == [BIG, None, None]
        for name in ("teff", "logg", "m_h", "alpha_m", "feh", "feh_err"):
            assert_masked(got[name], [False, True, False])
        assert_masked(got["teff_err"], [False, True, True])
        assert_masked(got["j_m"], [False, True, False])
        assert_masked(got["h_m"], [False, False, True])
        assert_masked(got["snr"], [False, False, True])
        assert_masked(got["ra"], [False, False, True])
        assert got["ks_m"].unit == u.mag and got["feh"].unit == u.dex and got["teff"].unit == u.K
        assert got["apogee_id"].tolist()[2] == "VESTA" and "fe_h_flag" in got.colnames

    def test_bit_masks_are_whole(self, path):
        got = read_labels(path)
        assert got["aspcapflag"].tolist() == [0, (1 << 23) | (1 << 41), 1 << 31]
        assert got["starflag"].tolist() == [0, (1 << 9) | (1 << 16), -9999], (
            "no value of a mask stands for a missing one"
        )
        assert bitmasks.get("aspcapflag").any(got["aspcapflag"], "STAR_BAD").tolist() == [False, True, False]
        assert bitmasks.get("extratarg").any(got["extratarg"], "DUPLICATE").tolist() == [False, True, True]

    def test_vectors_are_masked_by_element(self, path):
        fparam = read_labels(path)["fparam"]
        assert fparam.shape == (3, 9) and fparam[0, 0] == 4800
        assert_masked(fparam, [[False] * 9, [True] * 9, [False] * 7 + [True] + [False]])

    def test_another_catalogs_rules(self, path):
        got = read_labels(path, catalog="table")
        assert_masked(got["j_m"], [False, False, False])
        assert got.meta["catalog"] == "table"


class TestTables:
    """PASTEL, machine-readable tables, tables of the CDS and of VizieR."""

    def test_pastel(self, real_data):
        path = real_data / "tables" / "pastel_v1.2.fits"
        got, raw = read_labels(path), fits.getdata(path)
        assert len(got) == 17922 and got.colnames == ["ra", "dec", "teff", "logg", "feh"]
        for name in got.colnames:
            np.testing.assert_array_equal(got[name].value, raw[name.upper()].astype(float))
            assert got[name].unit == columns.column(name).unit

    def test_machine_readable_table(self, tmp_path):
        (tmp_path / "table1.txt").write_text(MRT)
        got = read_labels(tmp_path / "table1.txt")
        assert got["source_id"].tolist() == [BIG, BIG + 2] and got["source_id"].dtype == np.int64
        assert got["teff"][0] == 5012 * u.K and got["teff_err"][0] == 60 * u.K
        assert_masked(got["teff"], [False, True])
        np.testing.assert_array_equal(columns.without_unit(got["feh"]).data, [-1.25, 0.1])
        assert got["feh"].unit == u.dex and got["feh_err"].unit == u.dex and got["logg"].unit == u.dex

    def test_table_of_the_cds(self, tmp_path):
        readme = MRT[: MRT.index("4611686018427387905")].replace("table1.txt", "table1.dat")
        (tmp_path / "ReadMe").write_text(readme)
        (tmp_path / "table1.dat").write_text(MRT[MRT.index("4611686018427387905") :])
        got = read_labels(tmp_path / "table1.dat", readme=tmp_path / "ReadMe")
        assert got["source_id"].tolist() == [BIG, BIG + 2] and got["feh"].unit == u.dex

    def test_names_of_vizier(self, tmp_path):
        table = Table({"GaiaEDR3": [BIG, 3], "Teff": [5000.0, np.nan], "[Fe/H]": [-1.0, 0.1], "e_[Fe/H]": [0.1, 0.2]})
        table["[C/Fe]"], table["e_[C/Fe]"] = [0.1, 0.2], [0.01, 0.02]
        (tmp_path / "stars.vot").write_bytes(dumps(table))
        got = read_labels(tmp_path / "stars.vot")
        assert got.colnames == ["source_id", "teff", "feh", "feh_err", "c_fe", "c_fe_err"]


class TestErrors:
    """A message says which file, and what is wrong."""

    def test_no_labels(self, tmp_path):
        (tmp_path / "stars.csv").write_text("source_id,ra\n1,2\n")
        with pytest.raises(ReadError, match=r"stars\.csv: no column of labels .* the columns are source_id, ra"):
            read_labels(tmp_path / "stars.csv")

    def test_unknown_catalog(self, tmp_path):
        with pytest.raises(InputError, match="apogee, lamost, table"):
            read_labels(tmp_path / "x", catalog="galah")
        assert set(available("labels")) == {"apogee", "lamost", "table"}

    def test_damaged_table(self, tmp_path):
        (tmp_path / "table1.txt").write_text(MRT[: MRT.index("   Bytes")])
        with pytest.raises(ReadError, match="machine-readable table"):
            read_labels(tmp_path / "table1.txt")

    def test_readme_of_something_else(self, tmp_path):
        (tmp_path / "table2.dat").write_text("1 2 3\n")
        (tmp_path / "ReadMe").write_text(MRT)
        with pytest.raises(ReadError, match=r"table2\.dat: .*not as .*ReadMe describes it"):
            read_labels(tmp_path / "table2.dat", readme=tmp_path / "ReadMe")

    def test_rounded_identifiers(self, tmp_path):
        (tmp_path / "stars.csv").write_text("source_id,teff\n5.9e18,5000\n")
        with pytest.raises(ReadError, match=r"stars\.csv: .*source_id"):
            read_labels(tmp_path / "stars.csv")
