"""What comes in through the one door comes out as numbers that can be trusted, or masked, or not at all."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from astropy.time import Time

from stellarlabels import catalogs, columns
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import (
    ColumnUnitError,
    ImpossibleValueWarning,
    InputError,
    MissingColumnError,
    MissingUnitWarning,
    RenamedColumnWarning,
)

#: More digits than a float has.
BIG = 479359925517769601


def quietly(table, **options):
    """The table that comes out, whatever there is to warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return columns.intake(table, **options)


def plain(table, name):
    """The cells of a column that came out, None where masked."""
    return columns.without_unit(table[name]).tolist()


class TestValues:
    """No number that no star can have goes further."""

    @pytest.mark.parametrize("name", ["phot_g_mean_mag", "j_m", "h_m", "ks_m", "w1mpro", "w2mpro", "mag_aper_6_0"])
    @pytest.mark.parametrize("sentinel", [99, 99.999, -99, 999, -9999, 0, 1e20, np.inf, -np.inf])
    def test_sentinels_of_magnitudes(self, name, sentinel):
        values = np.full((3, *columns.column(name).shape), 12.0)
        values[1] = sentinel
        out = columns.without_unit(quietly(QTable({name: values * u.mag}))[name])
        assert out.mask[1].all() and not out.mask[[0, 2]].any()
        np.testing.assert_array_equal(out.data[[0, 2]], 12.0)

    @pytest.mark.parametrize(
        ("name", "unit", "values", "expected"),
        [
            ("parallax", "mas", [-3.2, 768.07, -9999, 99, 99.999], [-3.2, 768.07, None, None, None]),  # Proxima's
            ("parallax_error", "mas", [0.02, 0, -1, 99], [0.02, None, None, None]),
            ("ra", "deg", [0, 360, -9999, 1e20], [0, 360, None, None]),
            ("dec", "deg", [-90, 90, 91, -99], [-90, 90, None, None]),
            ("radial_velocity", "km/s", [-530, -9999, 999, 9.97e36], [-530, None, None, None]),
            ("ebv", "mag", [0, 1.2, 99, -9999], [0, 1.2, None, None]),
            ("z", "", [-0.001, 0.0, -9999], [-0.001, 0.0, None]),
            ("teff", "K", [5772, -9999, 99, 999], [5772, None, None, None]),
            ("teff_err", "K", [100, -9999, -1], [100, None, None]),
            ("feh", "dex", [-2.5, 99, -9999, -99], [-2.5, None, None, None]),
            ("m_g", "mag", [4.67, -9999, 99], [4.67, None, None]),
            ("pmra", "mas/yr", [-801.6, 10300, -9999], [-801.6, 10300, None]),  # Barnard's star moves 10.3 arcsec/yr
            ("distance", "pc", [1.3, -9999, 0, np.inf], [1.3, None, None, None]),
        ],
    )
    def test_each_quantity_has_its_range(self, name, unit, values, expected):
        assert plain(quietly(QTable({name: u.Quantity(values, unit, dtype=float)})), name) == expected

    def test_ranges_hold_in_any_unit(self):
        table = QTable(
            {"parallax": [0.768, 1.1] * u.arcsec, "r_med_geo": [8.0, -9999] * u.kpc, "dec": [1.5, 1.6] * u.rad}
        )
        out = quietly(table)
        assert plain(out, "parallax") == [0.768, None]
        assert plain(out, "r_med_geo") == [8.0, None] and out["r_med_geo"].unit == u.kpc
        assert plain(out, "dec") == [1.5, None]

    def test_single_precision_knows_its_sentinels(self):
        out = quietly(Table({"parallax": np.array([99.999, 1.5], np.float32)}))
        assert plain(out, "parallax") == [None, 1.5] and out["parallax"].dtype == np.float32

    def test_one_warning_tells_everything_once(self):
        table = QTable(
            {"j_m": [99, 99, 12.0] * u.mag, "parallax": [-9999, 1, 1] * u.mas, "flux": np.full((3, 343), -9999.0)}
        )
        table["flux"].unit = None
        table["flux"] = table["flux"] * u.W / u.m**2 / u.nm
        with pytest.warns(ImpossibleValueWarning) as caught:
            out = columns.intake(table)
        assert len(caught) == 1
        assert "2 of 'j_m' (99), 1 of 'parallax' (-9999)" in str(caught[0].message)
        assert "flux" not in str(caught[0].message)  # whose samples are flagged star by star
        assert out.meta["intake"] in str(caught[0].message)
        assert columns.without_unit(out["flux"]).mask.all()

    def test_what_is_right_is_shared_and_silent(self):
        table = QTable({"source_id": [BIG], "j_m": [12.0] * u.mag, "ra": [10.0] * u.deg})
        out = columns.intake(table)
        assert np.shares_memory(out["j_m"].value, table["j_m"].value)
        assert "intake" not in out.meta and out.colnames == table.colnames

    def test_the_input_is_not_changed(self):
        table = Table({"source_id": ["1", "2"], "J": [99.0, 12.0], "t": [1, 2]}, meta={"a": 1})
        before = table.copy()
        out = quietly(table)
        out["t"].info.description = "another"
        assert table.meta == before.meta and table.colnames == before.colnames
        assert (table == before).all() and table["t"].description is None and table["J"].unit is None

    def test_parts_of_a_table_are_told_of_together(self):
        notes = columns.Notes()
        table = Table({"j_m": [99, 12.0, 99, -9999]})
        whole = quietly(table)
        parts = [columns.intake(table[k : k + 2], notes=notes) for k in (0, 2)]
        assert [cell for part in parts for cell in plain(part, "j_m")] == plain(whole, "j_m")
        with pytest.warns() as caught:
            notes.warn("big.parquet")
        assert [item.category for item in caught] == [MissingUnitWarning, ImpossibleValueWarning]
        assert "big.parquet" in str(caught[1].message) and "3 of 'j_m'" in str(caught[1].message)

    def test_numbers_that_are_texts_or_objects(self):
        out = quietly(Table({"teff": np.array([5000, None, 5100.5], object), "feh": ["0.1", "INDEF", "-1e0"]}))
        assert plain(out, "teff") == [5000, None, 5100.5] and plain(out, "feh") == [0.1, None, -1.0]
        kept = quietly(Table({"teff": ["hot", "1"]}))
        assert kept["teff"].tolist() == ["hot", "1"]
        with pytest.raises(InputError, match="'teff'"):
            columns.values(kept, "teff")


class TestUnits:
    """Units are understood or supplied, and never shift what they have no business to shift."""

    def test_missing_units_are_named_in_one_warning(self):
        with pytest.warns(MissingUnitWarning) as caught:
            out = columns.intake(Table({"RA": [1.0], "dec": [2.0], "Plx": [3.0], "ruwe": [1.0], "other": [1.0]}))
        assert len(caught) == 1
        for part in ("'RA' in deg", "'dec' in deg", "'Plx' in mas"):
            assert part in str(caught[0].message)
        assert [str(out[name].unit) for name in out.colnames] == ["deg", "deg", "mas", "None", "None"]

    @pytest.mark.parametrize(
        ("name", "unit", "value", "expected"),
        [
            ("logg", "[cm/s2]", 4.4, 4.4),
            ("logg", "log(m.s**-2)", 2.4, 4.4),
            ("logg_err", "log(m.s**-2)", 0.1, 0.1),
            ("feh", "[Sun]", -0.5, -0.5),
            ("feh", "[-]", -0.5, -0.5),
            ("feh", "'dex'", -0.5, -0.5),
            ("parallax", "0.001 arcsec", 1.5, 1.5),
            ("pmra", "mas.yr**-1", 3.0, 3.0),
            ("j_m", "mag(AB)", 12.0, 12.0),
        ],
    )
    def test_foreign_spellings(self, name, unit, value, expected):
        table = Table({name: [value]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", u.UnitsWarning)
            table[name].unit = u.Unit(unit, parse_strict="silent")
        out = columns.intake(table)
        item = columns.label_columns("logg")[1] if name == "logg_err" else columns.column(name)
        assert columns.column_values(out, item)[0] == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("unit", ["[solLum]", "[pc]", "log(Msun)", "[Jy]"])
    def test_logarithms_of_other_things_keep_their_numbers(self, unit):
        table = Table({"x": [1.0, 2.0]})
        table["x"].unit = u.Unit(unit, parse_strict="silent")
        assert plain(columns.intake(table), "x") == [1.0, 2.0]

    def test_a_unit_of_something_else_is_left_for_whoever_needs_it(self):
        table = Table({"feh": [1.0], "parallax": [2.0], "teff": [5000.0]}, units={"parallax": "km"})
        table["feh"].unit, table["teff"].unit = (
            u.Unit("[pc]", parse_strict="silent"),
            u.Unit("hot", parse_strict="silent"),
        )
        out = columns.intake(table)
        for name in table.colnames:
            with pytest.raises(ColumnUnitError, match=name):
                columns.values(out, name)

    def test_texts_with_a_unit_stay_texts(self):
        out = columns.intake(Table({"spectral_type": ["G2V"]}, units={"spectral_type": "deg"}))
        assert out["spectral_type"].tolist() == ["G2V"]


class TestIdentifiers:
    """No digit is lost, and where one may have been there is no answer."""

    @pytest.mark.parametrize(
        "ids",
        [
            np.array([BIG, 2]),
            np.array([BIG, 2], np.uint64),
            np.array([BIG, 2], ">i8"),
            np.array([12, 2], np.int16),
            [str(BIG), " 2 "],
            [str(BIG).encode(), b"2"],
            [f"Gaia DR3 {BIG}", "Gaia EDR3 2"],
            np.array([BIG, 2], object),
            np.array([str(BIG), 2], object),
        ],
    )
    def test_integers_in_any_dress(self, ids):
        out = columns.intake(Table({"source_id": ids}))["source_id"]
        assert out.dtype == np.dtype("=i8")
        assert out.tolist() == ([12, 2] if getattr(ids, "itemsize", 8) == 2 else [BIG, 2])

    @pytest.mark.parametrize("gap", [None, np.nan, pd.NA, "", "nan", "--", "<NA>"])
    def test_missing_ones_are_masked(self, gap):
        out = columns.intake(Table({"source_id": np.array([BIG, gap], object)}))
        assert out["source_id"].tolist() == [BIG, None]

    @pytest.mark.parametrize("ids", [[BIG, -9999, 0], [str(BIG), "-9999", "0"]])
    def test_negative_ones_are_none(self, ids):
        with pytest.warns(ImpossibleValueWarning, match="1 of 'source_id' \\(-9999\\)"):
            out = columns.intake(Table({"source_id": ids}))
        assert out["source_id"].tolist() == [BIG, None, 0]

    @pytest.mark.parametrize("ids", [[1e18], [1.5], [7.0], np.array([7], np.float32), np.array([1e18, None], object)])
    @pytest.mark.parametrize("name", ["source_id", "SOURCE_ID", "obsid", "Source", "GaiaDR3"])
    def test_floats_are_refused_by_name_with_the_remedy(self, ids, name):
        with pytest.raises(InputError, match=f"'{name}'.*float.*Int64"):
            columns.intake(Table({name: ids}))

    @pytest.mark.parametrize("ids", [["4.79e+17"], ["12.0"], ["Gaia DR2 12"], ["HD 12"], np.array([2**70], object)])
    def test_other_texts_are_refused_by_name(self, ids):
        with pytest.raises(InputError, match="'source_id'"):
            columns.intake(Table({"source_id": ids}))

    @pytest.mark.parametrize(
        "name",
        ["Source", "DR3Name", "GaiaDR3", "GaiaEDR3", "SOURCE_ID", "gaia_source_id", "gaiadr3_source_id"],
    )
    def test_names_of_other_tools(self, name):
        out = columns.intake(Table({"x": [1.0], name: [f"Gaia DR3 {BIG}"]}))
        assert columns.identifier(out) == name and out[name].tolist() == [BIG]
        assert columns.find(Table({name: [BIG]}), "source_id") == name

    @pytest.mark.parametrize("name", ["dr2_source_id", "GaiaDR2", "Gaia", "gaia_id"])
    def test_identifiers_of_other_releases_are_kept_but_are_no_source_id(self, name):
        out = columns.intake(Table({"x": [1.0], name: [f"Gaia DR2 {BIG}"]}))
        assert columns.identifier(out) == name and out[name].tolist() == [BIG] and out[name].dtype == np.int64
        assert columns.find(out, "source_id") is None
        with pytest.raises(InputError, match=f"'{name}'.*float.*Int64"):
            columns.intake(Table({name: [float(BIG)]}))
        both = columns.intake(Table({name: [float(BIG)], "Source": [BIG]}))
        assert columns.identifier(both) == "Source" and both[name].dtype == float

    def test_a_survey_is_no_identifier(self):
        table = Table({"source": ["2MASS", "WISE"], "ra": [1.0, 2.0] * u.deg})
        assert columns.identifier(columns.intake(table)) is None

    def test_another_survey_says_by_its_ucd_what_its_identifier_is(self):
        table = Table({"TARGETID": np.array([BIG], np.uint64), "ra": [1.0] * u.deg})
        assert columns.identifier(table) is None
        table["TARGETID"].info.meta["ucd"] = "meta.id;meta.main"
        out = columns.intake(table)
        assert columns.identifier(out) == "TARGETID"
        assert out["TARGETID"].dtype == np.int64 and out["TARGETID"][0] == BIG
        table["TARGETID"] = [1e18]
        table["TARGETID"].info.meta["ucd"] = "meta.id;meta.main"
        with pytest.raises(InputError, match="'TARGETID'"):
            columns.intake(table)

    def test_series_and_single_ones(self):
        for ids in (BIG, [BIG], pd.Series([BIG], dtype="Int64"), pd.Series([str(BIG)]), pd.Series([BIG])):
            assert columns.identifiers(ids).tolist() == [BIG]


class TestNames:
    """The names of VizieR, the CDS and the archives, and names that are there twice."""

    @pytest.mark.parametrize(
        ("name", "given"),
        [
            ("ra", ["_RAJ2000", "RAdeg", "RA_ICRS", "ra_epoch2000", "RAJ2000", "TARGET_RA"]),
            ("dec", ["_DEJ2000", "DEdeg", "DE_ICRS", "dec_epoch2000", "DEJ2000"]),
            ("ebv", ["E(B-V)", "E_B-V_"]),
            ("feh", ["[Fe/H]", "__Fe_H_"]),
            ("parallax", ["Plx", "PARALLAX"]),
        ],
    )
    def test_of_other_tools(self, name, given):
        assert [columns.find(Table({key: [1.0]}), name) for key in given] == given

    def test_the_clearer_name_wins(self):
        assert columns.find(Table({"K": [1.0], "k_m": [2.0]}), "ks_m") == "k_m"
        assert columns.find(Table({"J": [1.0], "Jmag": [2.0]}), "j_m") == "Jmag"

    def test_the_g_of_other_surveys_is_not_that_of_gaia(self):
        both = Table({"gmag": [18.5], "Gmag": [17.9], "e_gmag": [0.1], "e_Gmag": [0.01], "JMAG": [16.0], "B": [18.9]})
        assert columns.find(both, "phot_g_mean_mag") == "Gmag"
        assert columns.find(both, "phot_g_mean_mag_error") == "e_Gmag"
        assert columns.find(both["gmag", "e_gmag"], "phot_g_mean_mag") is None
        assert columns.find(both, "j_m") == "JMAG" and columns.find(both, "b") is None
        with pytest.warns(MissingUnitWarning, match="'Gmag' in mag") as told:
            columns.intake(both)
        assert "gmag" not in str(told[0].message).replace("Gmag", "")
        assert columns.declaration("gmag") is None and columns.declaration("B") is None
        assert columns.declaration("Gmag").name == "phot_g_mean_mag" and columns.declaration("JMAG").name == "j_m"

    def test_what_a_join_has_renamed_is_named(self):
        joined = Table({"parallax_1": [1.0], "Plx_x": [1.0], "parallax_error": [0.1], "parallax_over_error_1": [1.0]})
        with pytest.raises(MissingColumnError, match="the table has 'parallax_1', 'Plx_x': rename the one that is"):
            columns.values(joined, "parallax")
        with pytest.raises(MissingColumnError, match="is missing; the table has 'gaia.parallax': rename if that is it"):
            columns.values(Table({"gaia.parallax": [1.0]}), "parallax")
        with pytest.raises(MissingColumnError, match="is missing; looked for"):
            columns.values(Table({"parallax_error": [1.0]}), "parallax")

    def test_the_first_of_two_keeps_its_name(self):
        frame = pd.DataFrame([[1, 12.0, 3.0, 4.0]], columns=["source_id", "g", "g", "g_2"])
        with pytest.warns(RenamedColumnWarning, match="'g' is now 'g_3'"):
            out = columns.intake(frame)
        assert out.colnames == ["source_id", "g", "g_3", "g_2"] and out["g"][0] == 12.0 and out["g_3"][0] == 3.0

    def test_declared_columns_are_known_everywhere(self):
        age = columns.Column("age_of_test", "Gyr", ucd="time.age", low=0, high=20, aliases=("tau_of_test",))
        columns.declare(age)
        columns.declare(age)
        out = quietly(QTable({"Tau_of_test": [5000.0, 1e6] * u.Myr}))
        assert plain(out, "Tau_of_test") == [5000.0, None]
        assert columns.values(out, "age_of_test")[0] == 5.0
        with pytest.raises(InputError, match="'tau_of_test'"):
            columns.declare(columns.Column("tau_of_test"))


class TestEpochs:
    """Years are years, and days are not."""

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ([2016.0, 2015.5] * u.yr, [2016, 2015.5]),
            ([57388.5, 51544.5], [2016, 2000]),
            ([2457389.0, 2451545.0] * u.d, [2016, 2000]),
            ([2016.0 * 365.25, 2451545.0] * u.d, [2016, 2000]),
            ([0.0, 2016.0] * u.yr, [None, 2016]),
            (Time([2016.0, 2000.0], format="jyear"), [2016, 2000]),
        ],
    )
    def test_of_a_table(self, given, expected):
        out = quietly(QTable({"ref_epoch": given}))
        assert out["ref_epoch"].unit == u.yr
        for cell, right in zip(plain(out, "ref_epoch"), expected, strict=True):
            assert cell == (right if right is None else pytest.approx(right, abs=1e-3))

    def test_days_are_told_of(self):
        with pytest.warns(ImpossibleValueWarning, match="1 of 'ref_epoch' are Julian days"):
            columns.intake(QTable({"ref_epoch": [57388.5, 2016] * u.yr}))


class TestShapes:
    """Cells that hold arrays."""

    def test_lists_texts_and_gaps(self):
        cells = np.empty(4, object)
        cells[:] = [[1.0] * 55, "(" + ", ".join(["2.0"] * 55) + ")", None, []]
        out = columns.intake(Table({"bp_coefficients": cells}))["bp_coefficients"]
        np.testing.assert_array_equal(out, [[1.0] * 55, [2.0] * 55, [np.nan] * 55, [np.nan] * 55])

    def test_ragged_rows_are_left_out_with_a_word(self):
        cells = np.empty(2, object)
        cells[:] = [np.ones(343), np.ones(10)]
        with pytest.warns(ImpossibleValueWarning, match="1 of 'flux' left out.*343"):
            out = columns.intake(QTable({"flux": cells}, units={"flux": "W / (m2 nm)"}))
        assert np.isfinite(columns.values(out, "flux")).all(axis=1).tolist() == [True, False]

    def test_sentinels_among_samples_are_masked(self):
        flux = np.ones((2, 343))
        flux[0, :10] = [-9999, np.inf, 1e20, -np.inf, 9.97e36] * 2
        out = columns.intake(QTable({"flux": flux * u.W / u.m**2 / u.nm}))
        assert columns.without_unit(out["flux"]).mask.sum(axis=1).tolist() == [10, 0]


class TestFrames:
    """Data frames, rows and Arrow tables are tables, too; arrays are not."""

    DATA = {"source_id": [BIG, 2], "j_m": [12.0, 13.0], "name": ["a", "b"]}

    @pytest.mark.parametrize(
        "make",
        [
            pd.DataFrame,
            lambda data: pd.DataFrame(data).convert_dtypes(),
            lambda data: pd.DataFrame(data).astype({"source_id": "int64[pyarrow]", "j_m": "double[pyarrow]"}),
            lambda data: pd.DataFrame(data).set_index("source_id"),
            pa.table,
        ],
    )
    def test_of_each_library(self, make):
        out = quietly(make(self.DATA))
        assert isinstance(out, QTable) and out.colnames == list(self.DATA)
        assert out["source_id"].tolist() == [BIG, 2] and out["source_id"].dtype == np.int64
        assert plain(out, "j_m") == [12.0, 13.0] and out["j_m"].unit == u.mag
        assert [str(name) for name in out["name"]] == ["a", "b"]

    def test_polars(self):
        polars = pytest.importorskip("polars", reason="needs polars")
        out = quietly(polars.DataFrame({"source_id": [BIG, None], "flux": [[1.0] * 343, None]}))
        assert out["source_id"].tolist() == [BIG, None] and out["flux"].shape == (2, 343)

    def test_gaps_do_not_make_floats(self):
        for frame in (
            pd.DataFrame({"source_id": pd.array([BIG, None], "Int64")}),
            pa.table({"source_id": [BIG, None]}),
        ):
            assert columns.intake(frame)["source_id"].tolist() == [BIG, None]

    def test_types_that_nobody_needs(self):
        table = pa.table(
            {
                "source_id": [BIG, 2],
                "kind": pa.array(["star", None]).dictionary_encode(),
                "text": pa.array(["a", None], pa.large_string()),
                "ok": pa.array([True, None]),
                "when": pa.array([0, None], pa.timestamp("ms")),
            }
        )
        out = columns.intake(table)
        assert out["kind"].tolist() == ["star", None] and out["text"].tolist() == ["a", None]
        assert out["ok"].tolist() == [True, None] and out["when"].mask.tolist() == [False, True]

    def test_a_row_is_a_table_of_one(self):
        table = QTable({"source_id": [1, 2], "j_m": [12.0, 13.0] * u.mag})
        out = columns.intake(table[1])
        assert out["source_id"].tolist() == [2] and out["j_m"][0] == 13 * u.mag

    def test_a_path_is_read(self, tmp_path):
        (tmp_path / "stars.csv").write_text(f"source_id,j_m\n{BIG},99\n2,12.5\n")
        for path in (tmp_path / "stars.csv", str(tmp_path / "stars.csv")):
            out = quietly(path)
            assert out["source_id"].tolist() == [BIG, 2] and plain(out, "j_m") == [None, 12.5]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (np.zeros((3, 2)), r"stars: .*array of shape \(3, 2\); give Table"),
            ([Table()], "a list; put tables together"),
            ({"a": [1]}, r"a dict; give Table\(...\)"),
            (12, "a int"),
        ],
    )
    def test_what_is_no_table_is_told_what_to_give(self, given, message):
        with pytest.raises(InputError, match=message):
            columns.intake(given, argument="stars")

    def test_columns_of_other_classes_are_carried(self):
        table = QTable({"c": SkyCoord([1.0], [2.0], unit="deg"), "t": Time([2000.0], format="jyear"), "b": [b"x"]})
        table["m"] = MaskedColumn([1], mask=[True], description="none")
        out = columns.intake(table)
        assert isinstance(out["c"], SkyCoord) and isinstance(out["t"], Time)
        assert out["m"].mask[0] and out["m"].description == "none" and out["c"] is not table["c"]


def test_entrances_take_what_intake_takes():
    @columns.entrance("left", "right")
    def count(left, right=None, *, option=1):
        """Doc."""
        return type(left), right, option

    frame = pd.DataFrame({"source_id": [1]})
    assert count(frame, option=2) == (StarTable, None, 2) and count.__doc__ == "Doc."
    assert type(count(frame, right=frame)[1]) is StarTable
    with pytest.raises(InputError, match="right: expected a Table"):
        count(frame, 3)
    with pytest.raises(TypeError, match="unexpected"):
        count(frame, wrong=3)


def test_a_million_rows_take_little_more_than_the_table():
    """Ten columns here; benchmarks measure thirty."""
    import tracemalloc

    n, rng = 1_000_000, np.random.default_rng(1)
    names = ["ra", "dec", "parallax", "parallax_error", "phot_g_mean_mag", "j_m", "h_m", "ks_m", "ebv", "ruwe"]
    table = QTable({"source_id": np.arange(n), **{name: rng.uniform(0.5, 1.5, n) for name in names}})
    for name in names[:-1]:
        table[name] = u.Quantity(table[name], columns.column(name).unit)
    table["j_m"][::7] = 99 * u.mag
    size = 8 * n * len(table.colnames)
    tracemalloc.start()
    quietly(table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * size


def test_a_frame_is_written_as_a_table_is(tmp_path):
    frame = pd.DataFrame({"source_id": pd.array([BIG, None], "Int64"), "teff": [5000.0, 6000.0]})
    catalogs.write(frame, tmp_path / "stars.vot")
    out = catalogs.read(tmp_path / "stars.vot")
    assert out["source_id"].tolist() == [BIG, None] and plain(out, "teff") == [5000.0, 6000.0]
    with pytest.raises(InputError, match="table: expected a Table"):
        catalogs.write(np.zeros(3), tmp_path / "zeros.vot")
