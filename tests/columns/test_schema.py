"""Columns and schemas: units, masks, identifiers and names, against values worked out by hand."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable.ucd import check_ucd
from astropy.table import Column as TableColumn, MaskedColumn, QTable, Table
from astropy.utils.masked import Masked
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from stellarlabels import columns
from stellarlabels.exceptions import (
    ColumnUnitError,
    InputError,
    MissingColumnError,
    MissingUnitWarning,
    ReadError,
)

INT64 = st.integers(-(2**63), 2**63 - 1)


def unrecognized(text):
    return u.Unit(text, parse_strict="silent")


class TestDress:
    """Plain data become table columns."""

    def test_a_unit_makes_a_quantity_with_description_and_ucd(self):
        out = columns.column("teff").dress([5772, 4300])
        assert isinstance(out, u.Quantity)
        assert out.unit == u.K
        assert out.dtype == np.float64
        assert out.value.tolist() == [5772, 4300]
        assert out.info.description == "Effective temperature"
        assert out.info.meta == {"ucd": "phys.temperature.effective"}

    def test_nan_and_masked_values_come_out_masked(self):
        out = columns.column("teff").dress(np.ma.MaskedArray([1.0, np.nan, 3.0], mask=[True, False, False]))
        assert isinstance(out, Masked)
        assert out.mask.tolist() == [True, True, False]
        assert out[2] == 3 * u.K

    @pytest.mark.parametrize(
        ("name", "data", "expected"),
        [
            ("ra", [np.pi] * u.rad, 180.0),
            ("parallax", [1.5] * u.arcsec, 1500.0),
            ("distance", [8.178] * u.kpc, 8178.0),
            ("teff", [5.772] * u.kK, 5772.0),
            ("phot_bp_rp_excess_factor", [120] * u.percent, 1.2),
            ("flux", [[1.0]] * u.erg / u.s / u.cm**2 / u.AA, 0.01),
            ("logg", u.Dex([2.438], "dex(m / s2)"), 4.438),
            ("phot_g_mean_mag", u.Magnitude([15.2], "mag(AB)"), 15.2),
            ("pmra", TableColumn([1.0], unit="deg / yr"), 3.6e6),
            ("ra", MaskedColumn([12.0], unit="hourangle"), 180.0),
            ("nu_eff_used_in_astrometry", [1.5e-4] / u.AA, 1.5),
        ],
    )
    def test_units_are_converted(self, name, data, expected):
        out = columns.column(name).dress(data)
        np.testing.assert_allclose(columns.without_unit(out), np.reshape(expected, np.shape(data)), rtol=1e-14)

    def test_a_unit_of_another_kind_is_an_error_that_names_both(self):
        with pytest.raises(ColumnUnitError, match="'teff' has the unit 'm'.*'K'"):
            columns.column("teff").dress([1.0] * u.m)
        with pytest.raises(ColumnUnitError, match="'ruwe' has the unit 'm'"):
            columns.column("ruwe").dress([1.0] * u.m)

    @given(st.lists(st.none() | INT64, min_size=1))
    def test_identifiers_are_exact(self, numbers):
        plain = np.array([0 if n is None else n for n in numbers], dtype=np.int64)
        mask = [n is None for n in numbers]
        out = columns.column("source_id").dress(np.ma.MaskedArray(plain, mask=mask))
        assert out.dtype == np.int64
        assert out.tolist() == numbers

    @pytest.mark.parametrize("data", [[2.0**53], [1.5], [np.inf], ["1"], np.array([2**63], dtype=np.uint64)])
    def test_identifiers_that_are_not_exact_are_refused(self, data):
        with pytest.raises(InputError, match="'source_id': expected"):
            columns.column("source_id").dress(data)

    def test_integers_that_came_with_gaps_as_floats_or_objects_are_kept(self):
        for data in (np.array([31.0, np.nan]), np.ma.MaskedArray(np.array([31, None], object), mask=[False, True])):
            assert columns.column("astrometric_params_solved").dress(data).tolist() == [31, None]

    def test_integers_do_not_wrap_around(self):
        with pytest.raises(InputError, match="from -32768 to 32767, got 65567"):
            columns.column("astrometric_params_solved").dress([65567])

    def test_text(self):
        column = columns.Column("name", dtype="str")
        out = column.dress(np.ma.MaskedArray(["Arcturus", "?"], mask=[False, True]))
        assert out.tolist() == ["Arcturus", None]
        assert column.null() == ""
        assert column.dress(np.array([b"Arcturus"])).tolist() == ["Arcturus"]

    def test_text_is_no_number(self):
        with pytest.raises(InputError, match="'teff': expected numbers, got dtype <U3"):
            columns.column("teff").dress(["hot"])

    def test_the_input_is_not_changed_and_not_shared(self):
        data = np.ma.MaskedArray([1.0, 2.0], mask=[False, True])
        out = columns.column("teff").dress(data)
        out[0] = 9 * u.K
        assert data.tolist() == [1.0, None]

    @given(hnp.arrays(np.float64, st.tuples(st.integers(0, 4), st.just(343)), elements=st.floats(allow_infinity=False)))
    def test_cells_of_spectra_keep_their_values(self, data):
        out = columns.without_unit(columns.column("flux").dress(data))
        np.testing.assert_array_equal(out.mask, np.isnan(data))
        np.testing.assert_array_equal(out.filled(np.nan), data)


class TestValues:
    """Columns of a user's table become plain floats in the declared unit."""

    def test_masked_values_are_nan(self):
        table = QTable({"teff": Masked([5000.0, 6000.0] * u.K, mask=[True, False])})
        np.testing.assert_array_equal(columns.values(table, "teff"), [np.nan, 6000])

    def test_masked_integers_are_nan(self):
        table = Table({"astrometric_params_solved": np.ma.MaskedArray([31, 95], mask=[False, True])})
        np.testing.assert_array_equal(columns.values(table, "astrometric_params_solved"), [31, np.nan])

    @pytest.mark.parametrize(
        ("unit", "number", "expected"),
        [
            ("dex", 4.4, 4.4),
            ("dex(cm / s2)", 4.4, 4.4),
            ("dex(m / s2)", 2.4, 4.4),
            ("log(cm.s**-2)", 4.4, 4.4),
            ("", 4.4, 4.4),
        ],
    )
    def test_surface_gravities_in_the_units_of_the_archives(self, unit, number, expected):
        table = Table({"logg": TableColumn([number], unit=unrecognized(unit))})
        assert columns.values(table, "logg")[0] == pytest.approx(expected, abs=1e-14)

    @pytest.mark.parametrize("unit", ["K", "mas", "cm / s2", "no such unit"])
    def test_a_surface_gravity_in_another_unit_is_refused(self, unit):
        table = Table({"logg": TableColumn([4.4], unit=unrecognized(unit))})
        with pytest.raises(ColumnUnitError, match="'logg' has the unit"):
            columns.values(table, "logg")

    def test_another_unit_can_be_asked_for(self):
        table = QTable({"distance": [1.5] * u.kpc})
        assert columns.values(table, "distance", unit="Mpc").tolist() == [0.0015]

    def test_a_missing_unit_warns_and_names_the_column_and_the_unit(self):
        with pytest.warns(MissingUnitWarning, match="'Parallax' has no unit.*mas"):
            assert columns.values(Table({"Parallax": [1.5]}), "parallax").tolist() == [1.5]

    def test_a_missing_column_is_an_error_that_lists_the_names_or_nan(self):
        table = Table({"x": [1, 2]})
        with pytest.raises(MissingColumnError, match="'feh' is missing; looked for feh, fe_h"):
            columns.values(table, "feh")
        assert np.isnan(columns.values(table, "feh", required=False)).tolist() == [True, True]
        assert columns.values(table, "flux", required=False).shape == (2, 343)

    def test_text_is_refused(self):
        with pytest.raises(InputError, match="'teff': expected numbers"):
            columns.values(Table({"teff": ["5000"]}), "teff")

    def test_identifiers_do_not_become_floats(self):
        with pytest.raises(InputError, match="'source_id' holds 64-bit integers"):
            columns.values(Table({"source_id": [4472832130942575872]}), "source_id")

    def test_the_table_is_not_shared(self):
        table = QTable({"teff": [5000.0] * u.K})
        columns.values(table, "teff")[0] = 0
        assert table["teff"][0] == 5000 * u.K


class TestNames:
    """Columns are found under the names that archives give them."""

    @pytest.mark.parametrize(
        ("present", "asked", "found"),
        [
            ("SOURCE_ID", "source_id", "SOURCE_ID"),
            ("GAIAEDR3_SOURCE_ID", "source_id", "GAIAEDR3_SOURCE_ID"),
            ("Gmag", "phot_g_mean_mag", "Gmag"),
            ("J", "j_m", "J"),
            ("k", "ks_m", "k"),
            ("FE_H", "feh", "FE_H"),
            ("B", "b", None),
            ("L", "l", None),
            ("glat", "b", "glat"),
        ],
    )
    def test_find(self, present, asked, found):
        assert columns.find(Table({present: [1]}), asked) == found

    def test_the_canonical_name_wins_over_aliases_in_whatever_order(self):
        assert columns.find(Table({"fe_h": [1], "feh": [2]}), "feh") == "feh"
        assert columns.find(Table({"ebv_sfd": [1], "E_BV": [2]}), "ebv") == "E_BV"

    def test_unknown_names_are_an_error(self):
        with pytest.raises(MissingColumnError, match="no column 'temperature'"):
            columns.find(Table({"temperature": [1]}), "temperature")

    def test_identifier(self):
        assert columns.identifier(Table({"OBSID": [1], "ra": [2]})) == "OBSID"
        assert columns.identifier(Table({"obsid": [1], "gaia_source_id": [2]})) == "gaia_source_id"
        assert columns.identifier(Table({"ra": [1]})) is None

    def test_label_columns(self):
        value, error, flag = columns.label_columns("fe_h")
        assert (value.name, error.name, flag.name) == ("feh", "feh_err", "feh_flag")
        assert (flag.flags, columns.label_columns("distance")[2].flags) == ("label", "distance")
        assert (value.unit, error.unit, flag.unit) == ("dex", "dex", "")
        assert error.ucd == "stat.error;phys.abund.Fe"
        assert {"fe_h_err", "e_feh", "e_fe_h"} <= set(error.aliases)
        assert (flag.dtype, flag.ucd) == ("int32", "meta.code.qual")


class TestSchema:
    """An ordered list of columns."""

    two = columns.Schema(
        "two",
        [
            columns.Column("source_id", dtype="int64", aliases=("id",)),
            columns.Column("parallax", unit="mas", aliases=("plx",)),
        ],
    )

    def test_conform_brings_names_order_units_and_dtypes(self):
        table = QTable({"PLX": [1.0, 2.0] * u.arcsec, "color": [1, 2], "ID": [2**60 + 1, 7]}, meta={"origin": "here"})
        out = self.two.conform(table)
        assert out.colnames == ["source_id", "parallax"]
        assert out["source_id"].tolist() == [2**60 + 1, 7]
        assert out["parallax"].unit == u.mas
        np.testing.assert_allclose(out["parallax"].value, [1000, 2000], rtol=1e-14)
        assert out.meta == {"origin": "here", "schema": "two", "left_out": ["color"]}
        assert table.colnames == ["PLX", "color", "ID"]

    def test_conform_keeps_unknown_columns_on_request(self):
        out = self.two.conform(Table({"color": [1], "id": [2], "plx": [3.0] * u.mas}), unknown="keep")
        assert out.colnames == ["source_id", "parallax", "color"]
        assert out.meta["unknown_columns"] == ["color"]

    def test_conform_masks_missing_columns_or_refuses(self):
        table = Table({"id": [1, 2]})
        out = self.two.conform(table)
        assert out["parallax"].mask.all()
        assert len(out["parallax"]) == 2
        assert out.meta["missing_columns"] == ["parallax"]
        with pytest.raises(MissingColumnError, match="'parallax' is missing; looked for parallax, plx"):
            self.two.conform(table, missing="error")

    @pytest.mark.parametrize("choice", [{"missing": "drop"}, {"unknown": True}])
    def test_conform_refuses_other_choices(self, choice):
        with pytest.raises(InputError, match=f"{next(iter(choice))}: expected one of"):
            self.two.conform(Table({"id": [1]}), **choice)

    def test_validate_lists_every_problem(self):
        assert self.two.validate(QTable({"id": [1], "plx": [1.0] * u.mas})) == []
        assert self.two.validate(Table({"id": [1], "plx": ["1.0"]})) == ["column 'plx' holds text, expected numbers"]
        problems = self.two.validate(QTable({"plx": [[1.0, 2.0]] * u.K}))
        assert len(problems) == 3
        assert "'source_id' is missing" in problems[0]
        assert "shape (2,), expected ()" in problems[1]
        assert "unit 'K', expected one that converts to 'mas'" in problems[2]

    def test_validate_agrees_with_conform_on_logarithmic_units(self):
        gravity = columns.Schema("gravity", [columns.column("logg")])
        good = QTable({"logg": u.Dex([4.4], "dex(cm / s2)")})
        assert gravity.validate(good) == []
        assert gravity.conform(good)["logg"].value.tolist() == [4.4]
        bad = QTable({"logg": [4.4] * u.K})
        assert len(gravity.validate(bad)) == 1

    @pytest.mark.parametrize("length", [0, 3])
    def test_empty_conforms_and_is_masked(self, length):
        out = columns.vocabulary().empty(length)
        assert len(out) == length
        assert out.colnames == columns.vocabulary().names
        assert columns.vocabulary().validate(out) == []
        for name in out.colnames:
            assert columns.without_unit(out[name]).mask.all()

    def test_a_name_belongs_to_one_column(self):
        with pytest.raises(InputError, match="'plx' belongs to two columns"):
            columns.Schema("twice", [columns.Column("parallax", aliases=("plx",)), columns.Column("plx")])

    def test_access_by_alias(self):
        assert self.two["PLX"].name == "parallax"
        assert "ID" in self.two
        assert "ra" not in self.two
        assert [item.name for item in self.two] == self.two.names == ["source_id", "parallax"]
        assert len(self.two) == 2

    def test_read(self, tmp_path):
        table = Table(
            {"name": ["feh", "id"], "unit": ["dex", ""], "dtype": ["float32", "int64"], "ucd": ["phys.abund.Fe", ""]},
            meta={"name": "small", "reference": "nowhere", "remark": "for tests"},
        )
        table["format"] = MaskedColumn([".2f", ""], mask=[False, True])
        table.write(tmp_path / "small.ecsv")
        small = columns.Schema.read(tmp_path / "small.ecsv")
        assert (small.name, small.reference, small.notes) == ("small", "nowhere", {"remark": "for tests"})
        assert small["feh"] == columns.Column("feh", "dex", "float32", "phys.abund.Fe", format=".2f")
        assert small["id"] == columns.Column("id", dtype="int64")

    @pytest.mark.parametrize("text", [None, "", "a b\n1 2\n", "# %ECSV 1.0\n# ---\n# datatype: [\n"])
    def test_read_refuses_other_files(self, tmp_path, text):
        path = tmp_path / "other.ecsv"
        if text is not None:
            path.write_text(text)
        with pytest.raises(ReadError, match="other.ecsv: expected an ECSV file of a schema"):
            columns.Schema.read(path)


class TestVocabulary:
    """The library's own columns."""

    @pytest.mark.parametrize("item", columns.vocabulary(), ids=lambda item: item.name)
    def test_declarations_are_valid(self, item):
        assert item.description
        assert item.name == item.name.lower()
        assert np.dtype(item.dtype).kind in "fiU"
        u.Unit(item.unit)
        assert check_ucd(item.ucd, check_controlled_vocabulary=True)

    @pytest.mark.parametrize("name", ["source_id", "obsid"])
    def test_identifiers_have_64_bits(self, name):
        assert columns.column(name).dtype == "int64"
