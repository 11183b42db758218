"""Files in the layout that each paper prints become tables with units, UCDs, masks and flags."""

import gzip
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import catalogs, columns, flags
from stellarlabels.catalogs import published, schemas
from stellarlabels.exceptions import ReadError, RenamedColumnWarning

#: Wang et al. 2020, Table 2; the second star is too hot for abundances, the third has no match in Gaia.
SPCANET = """\
starid,Gaia_source_id,medres_specid,medid_blue,medid_red,RA,Dec,S/N_blue,S/N_red,RV_blue,RV_red,Teff,logg,\
[Fe/H],[C/H],[N/H],[O/H],[Mg/H],[Al/H],[Si/H],[S/H],[Ca/H],[Ti/H],[Cr/H],[Ni/H],[Cu/H],Flag
LAMOST J063254.08+150211.2,3357117441152370049,20171118-HIP30-1-17-84190011-V2,0841900117,0841900118,98.225,15.036,\
35.1,60.2,12.5,12.9,4872.1,2.61,-0.12,-0.2,0.05,0,-0.1,-0.09,-0.11,-0.3,-0.15,-0.2,-0.05,-0.1,-0.3,1
LAMOST J063301.11+150000.0,3357117441152370050,20171118-HIP30-1-18-84190011-V2,0841900119,0841900120,98.25,15,\
11,12,-9999,-9999,7100,4.1,-0.02,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,0
LAMOST J063302.22+150000.0,,20171118-HIP30-1-19-84190011-V2,0841900121,0841900122,98.26,15.1,\
NaN,12,3,4,5000,4.5,-0.02,1,2,3,4,5,6,7,8,9,10,11,12,1
"""

#: Shen & Luo 2024, Table D.1; the second star is in neither LASP nor APOGEE nor Gaia.
SOLARDIS = """\
obsid,ra,dec,snrg,snrr,flag,cnn_teff,cnn_logg,cnn_feh,cnn_mg,cnn_bprp,cnn_distance,lasp_teff,lasp_teff_err,lasp_logg,\
lasp_logg_err,lasp_feh,lasp_feh_err,lasp_rv,lasp_rv_err,gaia_source_id,parallax,parallax_over_error,\
parallax_zeropoint,parallax_correction,gaia_g_mean_mag,gaia_bp_rp,r_med_geo,APOGEE_ID
101001,10.684708,41.26875,55.5,77,0,5772,4.44,0.01,4.7,0.82,251.5,5780.25,30,4.4,0.05,0.02,0.04,-12.5,3.5,\
369243423453245441,3.9,55,-0.035,3.935,11.7,0.84,252.1,2M00424433+4116074
101002,-9999,-9999,11,-9999,1,5000,4.6,-0.5,6.1,1.1,999.5,-9999,-9999,-9999,-9999,-9999,-9999,-9999,-9999,,,,,,,,,
"""

FILTERS = 12


def write_csnet(path, **changes):
    """A file of two stars with the names that Table 3 of Yang et al. 2022 prints."""
    table = Table({"specid": ["26649-1", "26649-2"], "gl": [120.5, 121.0], "gb": [-35.0, 12.0]})
    table["ra"], table["dec"] = np.array([9.25, 9.5], np.float32), np.array([30.125, 31.0], np.float32)
    table["MAG_APER6"] = np.arange(2 * FILTERS, dtype=np.float32).reshape(2, FILTERS)
    table["MAG_APER6"][1, 3] = 99
    table["ERR APER6"] = np.full((2, FILTERS), 0.01, np.float32)
    table["ERR APER6"][1, 3] = 99
    table["FLAGS"] = np.zeros((2, FILTERS), np.int16)
    table["FLAGS"][0, 5] = 3
    table["PHOT BP MEAN MAG"], table["PHOT_RP_MEAN_MAG"], table["PHOT_G_MEAN_MAG"] = [15.1, 16], [14.0, 15], [14.6, 99]
    table["E(B-V)"] = [0.03, -9999]
    for number, label in enumerate(["Teff", "logg", *(f"[{x}/Fe]" for x in ("alpha", "C", "N", "Mg", "Ca")), "[Fe/H]"]):
        table[label] = [number + 0.25, -9999]
        table[f"{label}_flag"] = [0, 1]
    for name, data in changes.items():
        table[name] = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # brackets in the names of columns
        fits.BinTableHDU(table).writeto(path)


def masks(table):
    return {name: np.ma.getmaskarray(columns.without_unit(table[name])).tolist() for name in table.colnames}


@pytest.fixture
def spcanet(tmp_path):
    path = tmp_path / "MRS_parameters_elements.csv"
    path.write_text(SPCANET, encoding="utf-8")
    return path


@pytest.fixture
def solardis(tmp_path):
    path = tmp_path / "solardis.csv"
    path.write_text(SOLARDIS, encoding="utf-8")
    return path


@pytest.fixture
def csnet(tmp_path):
    write_csnet(tmp_path / "csnet.fits")
    return tmp_path / "csnet.fits"


class TestSPCANet:
    def test_every_column_of_the_paper_is_known(self, spcanet):
        found = catalogs.read(spcanet, "spcanet")
        assert found.colnames == schemas.get("spcanet").names
        assert "unknown_columns" not in found.meta and "missing_columns" not in found.meta
        assert found.meta["renamed_columns"]["[Cu/H]"] == "Cu_H"

    def test_identifiers_keep_every_digit(self, spcanet):
        found = catalogs.read(spcanet, "spcanet")
        assert found["Gaia_source_id"].tolist() == [3357117441152370049, 3357117441152370050, None]
        assert found["medid_blue"].tolist() == ["0841900117", "0841900119", "0841900121"]

    def test_nulls_of_either_kind_are_masked(self, spcanet):
        found = masks(catalogs.read(spcanet, "spcanet"))
        assert all(found[f"{x}_H"] == [0, 1, 0] for x in ("C", "N", "O", "Mg", "Al", "Si", "S", "Ca", "Ti", "Cr", "Ni"))
        assert found["RV_blue"] == [0, 1, 0] and found["SN_blue"] == [0, 0, 1] and found["Fe_H"] == [0, 0, 0]

    def test_one_is_good(self, spcanet):
        flag = catalogs.read(spcanet, "spcanet")["Flag"]
        found = flags.get(flag.info.meta["flags"])
        assert found.is_good(flag).tolist() == [True, False, True]
        assert flags.describe(flag[0], "spcanet") == "GOOD: The labels are good."
        assert flags.describe(flag[1], "spcanet") == "bad"

    def test_the_table_answers_to_the_names_of_the_library(self, spcanet):
        found = catalogs.read(spcanet, "spcanet")
        np.testing.assert_array_equal(columns.values(found, "teff"), [4872.1, 7100, 5000])
        np.testing.assert_array_equal(columns.values(found, "cr_h"), [-0.05, np.nan, 10])
        np.testing.assert_array_equal(columns.values(found, "snr_r"), [60.2, 12, 12])
        assert found["RV_red"].unit == u.km / u.s and found["Teff"].unit == u.K

    @pytest.mark.parametrize("delimiter", ["|", ";", "\t"])
    def test_other_delimiters_and_a_byte_order_mark(self, delimiter, spcanet):
        wanted = catalogs.read(spcanet, "spcanet")
        spcanet.write_text(SPCANET.replace(",", delimiter), encoding="utf-8-sig")
        found = catalogs.read(spcanet, "spcanet")
        assert found.colnames == wanted.colnames and found["starid"].tolist() == wanted["starid"].tolist()
        np.testing.assert_array_equal(columns.values(found, "ti_h"), columns.values(wanted, "ti_h"))

    def test_a_compressed_file(self, spcanet):
        packed = spcanet.with_suffix(".csv.gz")
        packed.write_bytes(gzip.compress(SPCANET.encode()))
        assert catalogs.read(packed, "spcanet")["Gaia_source_id"].tolist()[1] == 3357117441152370050


class TestSolarDis:
    def test_every_column_of_the_paper_is_known(self, solardis):
        found = catalogs.read(solardis, "solardis")
        assert found.colnames == SOLARDIS.splitlines()[0].split(",")
        assert not {"unknown_columns", "missing_columns", "renamed_columns"} & set(found.meta)

    def test_nulls_are_masked(self, solardis):
        found = masks(catalogs.read(solardis, "solardis"))
        own = {"obsid", "snrg", "flag"} | {name for name in found if name.startswith("cnn_")}
        assert {name: mask for name, mask in found.items() if mask != [False, name not in own]} == {}

    def test_values_units_and_names_of_the_library(self, solardis):
        found = catalogs.read(solardis, "solardis")
        assert found["gaia_source_id"][0] == 369243423453245441
        assert found["lasp_rv"].dtype == np.float32 and found["lasp_rv"][0] == -12.5 * u.km / u.s
        names = {"teff": 5772, "m_g": 4.7, "bp_rp_0": 0.82, "bp_rp": 0.84, "distance": 251.5, "phot_g_mean_mag": 11.7}
        names |= {"parallax_corrected": 3.935, "parallax_zero_point": -0.035, "teff_lasp": 5780.25}
        assert {name: columns.values(found, name)[0] for name in names} == names

    def test_zero_is_good(self, solardis):
        flag = catalogs.read(solardis, "solardis")["flag"]
        assert flags.get("solardis").is_good(flag).tolist() == [True, False]
        assert flags.describe(1, "solardis").startswith("BAD_PIXELS")


class TestCSNet:
    def test_every_column_of_the_paper_is_known(self, csnet):
        found = catalogs.read(csnet, "csnet")
        assert found.colnames == schemas.get("csnet").names[:-1]  # all but the Gaia identifier
        assert "unknown_columns" not in found.meta and "missing_columns" not in found.meta
        assert found.meta["renamed_columns"]["[Fe/H]_flag"] == "Fe_H_flag"

    def test_cells_of_twelve_filters(self, csnet):
        found = catalogs.read(csnet, "csnet")
        assert found["MAG_APER6"].shape == found["ERR_APER6"].shape == found["FLAGS"].shape == (2, FILTERS)
        wanted = np.zeros((2, FILTERS), bool)
        wanted[1, 3] = True
        np.testing.assert_array_equal(found["MAG_APER6"].mask, wanted)
        np.testing.assert_array_equal(found["ERR_APER6"].mask, wanted)
        assert flags.get("sextractor").is_good(found["FLAGS"]).sum(axis=1).tolist() == [11, 12]
        assert flags.describe(found["FLAGS"][0, 5], "sextractor").startswith("NEIGHBORS")

    def test_nulls_flags_and_single_precision_positions(self, csnet):
        found = catalogs.read(csnet, "csnet")
        assert found["EBV"].mask.tolist() == found["PHOT_G_MEAN_MAG"].mask.tolist() == [False, True]
        assert all(found[name].mask.tolist() == [False, True] for name in ("Teff", "Fe_H", "alpha_Fe", "Ca_Fe"))
        assert found["ra"].dtype == np.float64 and found["ra"].value.tolist() == [9.25, 9.5]
        assert flags.get("csnet").is_good(found["Fe_H_flag"]).tolist() == [True, False]
        assert flags.describe(0, "csnet").startswith("reliable")
        np.testing.assert_array_equal(columns.values(found, "ca_fe"), [6.25, np.nan])

    def test_cells_of_another_shape_are_an_error(self, tmp_path):
        write_csnet(tmp_path / "x.fits", MAG_APER6=np.zeros((2, 13)))
        with pytest.raises(ReadError, match=r"'MAG_APER6'.*\(13,\), expected \(12,\)"):
            catalogs.read(tmp_path / "x.fits", "csnet")

    def test_cells_as_text(self, tmp_path):
        text = "specid,MAG_APER6,FLAGS\na,{},{}\nb,,\n"
        numbers, bits = ", ".join(["14.5"] * 11 + ["99"]), " ".join(["0"] * 11 + ["4"])
        (tmp_path / "x.csv").write_text(text.format(f'"({numbers})"', f"[{bits}]"), encoding="utf-8")
        found = catalogs.read(tmp_path / "x.csv", "csnet")
        assert found["MAG_APER6"].mask.sum(axis=1).tolist() == [1, 12]
        assert found["FLAGS"].dtype == np.int32 and found["FLAGS"][0].tolist() == [0] * 11 + [4]
        (tmp_path / "x.csv").write_text(text.format('"(1, 2)"', ""), encoding="utf-8")
        with pytest.raises(ReadError, match=r"'MAG_APER6'.*\(2,\), expected \(12,\)"):
            catalogs.read(tmp_path / "x.csv", "csnet")


class TestUncertain:
    def test_a_file_with_some_of_the_columns_and_others(self, tmp_path):
        table = Table(
            {"SOURCE_ID": [2**62 + 1, 5], "fe_h": [-0.25, np.nan], "fe_h_err": [0.06, -9999], "teff": [5000, 1]}
        )
        table["teff_err_excess"], table["quality"] = [50.0, 60.0], [1, 0]
        table.write(tmp_path / "x.fits")
        found = catalogs.read(tmp_path / "x.fits", "uncertain")
        assert found["source_id"].tolist() == [2**62 + 1, 5]
        assert found["feh"].mask.tolist() == found["feh_err"].mask.tolist() == [False, True]
        assert found["teff_err_excess"].unit == u.K
        assert found.meta["unknown_columns"] == ["quality"] and found["quality"].tolist() == [1, 0]
        assert found.meta["renamed_columns"] == {"SOURCE_ID": "source_id", "fe_h": "feh", "fe_h_err": "feh_err"}
        assert "teff_err_model" in found.meta["missing_columns"]


class TestOtherNames:
    def test_columns_that_nobody_knows_are_kept_and_told_with_what_they_may_be(self, spcanet):
        spcanet.write_text(SPCANET.replace("medres_specid", "medres_specid_2").replace("RV_red", "rv"))
        found = catalogs.read(spcanet, "spcanet")
        assert found.meta["unknown_columns"] == ["medres_specid_2", "rv"]
        assert found.meta["missing_columns"] == ["medres_specid", "RV_red"]
        assert found.meta["similar_columns"] == {"medres_specid": "medres_specid_2"}
        assert found["medres_specid"].mask.all()
        assert found["medres_specid_2"][0] == "20171118-HIP30-1-17-84190011-V2"
        assert found["rv"].tolist() == [12.9, None, 4]

    def test_two_columns_of_one_name_are_both_kept(self, tmp_path):
        (tmp_path / "x.csv").write_text("obsid,cnn_teff,cnn_teff,\n1,5000,5001,x\n", encoding="utf-8")
        with pytest.warns(RenamedColumnWarning, match="second .cnn_teff. is called .cnn_teff_2."):
            found = catalogs.read(tmp_path / "x.csv", "solardis")
        assert found["cnn_teff"].value.tolist() == [5000.0]
        assert found.meta["unknown_columns"] == ["cnn_teff_2", "column_4"] and found["cnn_teff_2"].tolist() == [5001]

    def test_a_column_that_comes_under_two_names_is_kept_twice(self, tmp_path):
        (tmp_path / "x.csv").write_text("obsid,teff,cnn_teff\n1,5000,5001\n", encoding="utf-8")
        found = catalogs.read(tmp_path / "x.csv", "solardis")
        assert found["cnn_teff"].value.tolist() == [5001.0] and found["teff"].value.tolist() == [5000]

    @pytest.mark.parametrize("cell", ["5.5", "abc", "9223372036854775808"])
    def test_wrong_content_is_an_error_that_names_the_column(self, cell, tmp_path):
        (tmp_path / "x.csv").write_text(f"obsid,cnn_teff\n{cell},5000\n", encoding="utf-8")
        with pytest.raises(ReadError, match="'obsid'"):
            catalogs.read(tmp_path / "x.csv", "solardis")

    def test_identifiers_that_others_wrote_as_floats(self, tmp_path):
        (tmp_path / "x.csv").write_text("obsid,flag\n9007199254740993.0,1.0\n,\n7,0.0\n", encoding="utf-8")
        found = catalogs.read(tmp_path / "x.csv", "solardis")
        assert found["obsid"].tolist() == [2**53 + 1, None, 7] and found["flag"].tolist() == [1, None, 0]

    def test_text_where_numbers_are_declared_is_an_error(self, tmp_path):
        (tmp_path / "x.csv").write_text("obsid,cnn_teff\n1,hot\n", encoding="utf-8")
        with pytest.raises(ReadError, match="'cnn_teff'.*hot"):
            catalogs.read(tmp_path / "x.csv", "solardis")

    @pytest.mark.parametrize("text", ["", "\n"])
    def test_an_empty_file_is_an_error(self, text, tmp_path):
        (tmp_path / "x.csv").write_text(text, encoding="utf-8")
        with pytest.raises(ReadError, match="empty"):
            catalogs.read(tmp_path / "x.csv", "solardis")

    def test_a_line_with_too_few_cells_is_an_error(self, tmp_path):
        (tmp_path / "x.csv").write_text("obsid,cnn_teff\n1,5000\n2\n", encoding="utf-8")
        with pytest.raises(ReadError, match="CSV"):
            catalogs.read(tmp_path / "x.csv", "solardis")


class TestFlagsOfLabels:
    """The flags of predictions in the convention of published catalogs; that of SolarDis is of its spectra."""

    @pytest.mark.parametrize(
        ("name", "column", "sources", "wanted"),
        [
            ("csnet", "Teff_flag", ["teff"], [0, 0, 1, 1, None]),
            ("spcanet", "Flag", ["teff", "logg", "feh"], [1, 0, 0, 0, None]),
        ],
    )
    def test_bits_become_the_published_values(self, name, column, sources, wanted):
        bits = [0, flags.LABEL["LARGE_ERROR"], flags.LABEL["COLOR_RANGE"], flags.LABEL["NO_INPUT"], 0]
        table = QTable({f"{label}_flag": np.ma.MaskedArray(bits, mask=[0, 0, 0, 0, 1]) for label in sources})
        found = schemas.get(name).conform(published.with_flags(table, schemas.get(name)))
        assert found[column].tolist() == wanted
        assert table["teff_flag"].tolist()[:4] == bits[:4]

    def test_without_flags_of_labels_nothing_changes(self):
        table = QTable({"obsid": [1]})
        assert published.with_flags(table, schemas.get("solardis")).colnames == ["obsid"]
