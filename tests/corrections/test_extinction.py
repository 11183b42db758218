"""The XP extinction curve and the coefficient sets against the authors' packages and tables."""

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable
from astropy.utils.masked import Masked
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.corrections import extinction as ext
from stellarlabels.exceptions import ColumnUnitError, InputError, MissingColumnError

EXTINCTION = flags.get("extinction")


@pytest.fixture(scope="module")
def toolkit_curve():
    """Wavelength in nm and k of the table in XP_Extinction_Toolkit, read without importing the package."""
    found = importlib.util.find_spec("xp_extinction_toolkit")
    if found is None:
        pytest.skip("XP_Extinction_Toolkit is not installed")
    table = np.genfromtxt(Path(found.origin).parent / "XP_extinction_curve.csv", delimiter=",", skip_header=1)
    keep = table[:, 1] < 5341.4
    return table[keep, 1], table[keep, 2]


@pytest.fixture(scope="module")
def toolkit():
    """The class of XP_Extinction_Toolkit; not made the usual way, as that reads more than is needed here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("xp_extinction_toolkit.ExtinctionToolkit", exc_type=ImportError)
    return object.__new__(module.ExtinctionToolkit)


class TestCurve:
    def test_equals_the_authors_table(self, toolkit_curve):
        wavelength, k = toolkit_curve
        np.testing.assert_allclose(ext.xp_curve(wavelength), k / 2.730 + 1, rtol=0, atol=1e-14)

    def test_is_interpolated_linearly_as_by_the_authors(self, toolkit_curve):
        grid = np.arange(336.0, 1021.0, 2.0)
        np.testing.assert_allclose(ext.xp_curve(), np.interp(grid, *toolkit_curve) / 2.730 + 1, rtol=0, atol=1e-14)

    def test_definition(self):
        """A(55) = 1 and R55 (A(44) - A(55)) = 1; at single wavelengths the measured curve keeps to these within 4 %."""
        a44, a55 = ext.xp_curve([440.0, 550.0])
        assert a55 == pytest.approx(1, abs=5e-3)
        assert 2.730 * (a44 - a55) == pytest.approx(1, abs=0.04)

    def test_units(self):
        np.testing.assert_allclose(ext.xp_curve([5500.0] * u.AA), ext.xp_curve([550.0]), rtol=1e-12)
        with pytest.raises(ColumnUnitError, match="wavelength"):
            ext.xp_curve([1.0] * u.mag)

    @pytest.mark.parametrize("wavelength", [289.0, 5200.0, -1.0, np.inf])
    def test_is_not_extrapolated(self, wavelength):
        with pytest.raises(InputError, match="wavelength"):
            ext.xp_curve([500.0, wavelength])


class TestE4455:
    def test_linear_relation_of_the_paper(self):
        """The UA-CSNet paper, Eq. 1, to 1e-12."""
        np.testing.assert_allclose(ext.e4455([0, 0.1, 1.0]), [0.0011, 0.0972, 0.9621], rtol=0, atol=1e-12)

    def test_toolkit_relation(self, toolkit):
        ebv = np.linspace(0, 1.5, 31)
        expected = toolkit.Cal_E4455(sfdebv=ebv.copy())
        np.testing.assert_allclose(ext.e4455(ebv, relation="toolkit"), expected, rtol=0, atol=1e-12)

    def test_toolkit_relation_stops_at_its_limit(self):
        values = ext.e4455([1.5, 1.6, 400.0], relation="toolkit")
        assert values[0] == values[1] == values[2]

    def test_true_scale(self):
        np.testing.assert_allclose(ext.e4455(0.86, ebv_scale="true"), ext.e4455(1.0), rtol=1e-12)

    def test_missing(self):
        values = ext.e4455(np.ma.array([0.1, 0.2, np.nan, np.inf], mask=[0, 1, 0, 0]))
        assert np.isnan(values).tolist() == [False, True, True, True]

    def test_unknown_relation(self):
        with pytest.raises(InputError, match="relation.*linear.*toolkit"):
            ext.e4455(0.1, relation="quadratic")


class TestDereddenXP:
    def test_equals_the_authors_function(self, toolkit, toolkit_curve):
        wavelength, k = toolkit_curve
        toolkit.λ, toolkit.XPEC_R55 = wavelength * 10, 2.730
        toolkit.Ecurve = {"A(λ)/A(55)": k / 2.730 + 1}
        grid, ebv = np.arange(336, 1021, 2.0), np.array([0.0, 0.07, 0.6])
        factor = toolkit.deredden(E4455=ext.e4455(ebv), wave=grid * 10)
        flux = np.random.default_rng(1).uniform(1, 2, (3, 343))
        np.testing.assert_allclose(ext.deredden_xp(flux, ebv), flux * factor, rtol=1e-12)

    def test_brightens_and_makes_bluer(self):
        flux = ext.deredden_xp(np.ones((1, 343)), [0.3])[0]
        assert np.all(flux > 1)
        # The curve has bumps at 540 and 770 nm, but falls on the whole.
        assert np.all(np.diff(flux[::25]) < 0)

    def test_errors_keep_the_signal_to_noise_ratio(self):
        rng = np.random.default_rng(2)
        flux, error = rng.uniform(1, 2, (4, 343)), rng.uniform(0.01, 0.1, (4, 343))
        new_flux, new_error = ext.deredden_xp(flux, [0, 0.1, 0.2, 1.0], flux_error=error)
        np.testing.assert_allclose(new_flux / new_error, flux / error, rtol=1e-12)

    def test_missing_reddening_gives_nan_rows(self):
        flux, error = ext.deredden_xp(np.ones((2, 343)), [np.nan, 0.1], flux_error=np.ones((2, 343)))
        assert np.isnan(flux[0]).all() and np.isnan(error[0]).all()
        assert np.isfinite(flux[1]).all()

    def test_quantities_and_masks_pass_through(self):
        unit = u.Unit("W / (m2 nm)")
        plain = ext.deredden_xp(np.ones((2, 343)), [0.1, 0.2])
        out = ext.deredden_xp(np.ones((2, 343)) * unit, [0.1, 0.2] * u.mag)
        assert out.unit == unit
        np.testing.assert_array_equal(out.value, plain)
        mask = np.zeros((2, 343), bool)
        mask[0, 5] = True
        masked = ext.deredden_xp(Masked(np.ones((2, 343)) * unit, mask=mask), [0.1, 0.2])
        np.testing.assert_array_equal(masked.mask, mask)
        assert np.isnan(ext.deredden_xp(np.ma.array(np.ones((2, 343)), mask=mask), [0.1, 0.2])[0, 5])

    def test_inputs_stay_as_they_are(self):
        flux, ebv = np.ones((2, 343)), np.array([0.1, 3.0])
        ext.deredden_xp(flux, ebv, relation="toolkit")
        assert np.all(flux == 1) and ebv.tolist() == [0.1, 3.0]

    def test_one_spectrum_and_other_wavelengths(self):
        grid = [400.0, 500.0]
        one = ext.deredden_xp([1.0, 2.0], 0.1, wavelength=grid)
        assert one.shape == (2,)
        np.testing.assert_array_equal(one, ext.deredden_xp([[1.0, 2.0]], [0.1], wavelength=grid * u.nm)[0])
        np.testing.assert_array_equal(one, ext.deredden_xp([[1.0, 2.0]], 0.1, wavelength=grid)[0])

    @pytest.mark.parametrize(("shape", "number"), [((3, 343), 2), ((3, 342), 3), ((343,), 2), ((2, 3, 343), 2)])
    def test_shapes_that_do_not_fit(self, shape, number):
        with pytest.raises(InputError, match="flux"):
            ext.deredden_xp(np.ones(shape), np.ones(number))

    def test_errors_that_do_not_fit(self):
        with pytest.raises(InputError, match="flux_error"):
            ext.deredden_xp(np.ones((2, 343)), [0.1, 0.2], flux_error=np.ones((2, 3)))
        with pytest.raises(InputError, match="flux"):
            ext.deredden_xp(np.full((1, 343), "a"), [0.1])

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.floats(), min_size=1, max_size=4))
    def test_any_reddening(self, ebv):
        flux = ext.deredden_xp(np.ones((len(ebv), 343)), ebv)
        assert flux.shape == (len(ebv), 343)
        np.testing.assert_array_equal(np.isnan(flux).all(axis=1), ~np.isfinite(ebv))


class TestCoefficients:
    def test_zhang_yuan_equals_the_authors_package(self):
        peer = pytest.importorskip("extinction_coefficient").extinction_coefficient
        chosen = ext.coefficients("zhang_yuan_2023")
        teff, ebv = (
            grid.ravel() for grid in np.meshgrid([3500.0, 4000, 4300, 5777, 8000, 9500, 12000], [0, 0.1, 0.5, 0.9])
        )
        colors = [band for band in chosen.bands if band != "BP-RP"]
        for band in [*colors, "BP-RP", "FUV-g", "g-r", "J-Ks"]:
            try:
                expected = peer([band] * len(teff), EBV=ebv.tolist(), Teff=teff.tolist())
            except ValueError:
                pytest.fail(f"the package does not know {band}")
            # Our Horner scheme and their powers differ by rounding, relative to the largest term.
            np.testing.assert_allclose(chosen.ratio(band, teff, ebv), expected, rtol=0, atol=1e-11, err_msg=band)
            assert chosen.ratio(band) == pytest.approx(float(peer(band, mode="simple")[0]), abs=1e-12)

    @pytest.mark.parametrize(
        ("color", "expected"),
        [
            ("BP-RP", 1.360),
            ("BP-u", -1.379),
            ("BP-g", -0.339),
            ("RP-r", -0.678),
            ("RP-i", -0.033),
            ("RP-z", 0.439),
            ("BP-J0378", -1.203),
            ("BP-J0395", -1.158),
            ("BP-J0410", -0.953),
            ("BP-J0430", -0.809),
            ("BP-J0515", -0.069),
            ("RP-J0660", -0.454),
            ("RP-J0861", 0.339),
        ],
    )
    def test_yang_2022_is_table_1(self, color, expected):
        """Yang et al. (2022), Table 1, exactly."""
        chosen = ext.coefficients("yang_2022")
        assert chosen.ratio(color) == expected
        blue, red = color.split("-")
        assert chosen.ratio(f"{red}-{blue}") == -expected

    def test_wang_chen_2019_is_consistent_with_its_table_3(self):
        """Ratios per E(BP-RP) that Wang & Chen (2019) print beside those per A(V); these agree to 2 %."""
        chosen = ext.coefficients("wang_chen_2019")
        printed = {"G": 1.890, "BP": 2.429, "RP": 1.429, "J": 0.582, "H": 0.313, "Ks": 0.186}
        for band, ratio in printed.items():
            assert chosen.relative(band, "BP-RP") == pytest.approx(ratio, rel=0.02), band
        assert chosen.relative("RP", "Ks") == pytest.approx(7.55, abs=0.005)

    def test_parsec_gives_the_ratio_of_solardis(self):
        """The SolarDis code: A(G) = 0.83627 / (1.08337 - 0.63439) E(BP-RP) = 1.8626 E(BP-RP)."""
        assert ext.coefficients("parsec").relative("G", "BP-RP") == pytest.approx(1.8626, abs=5e-5)

    def test_input_is_not_changed(self):
        teff, ebv = np.array([3000.0, 20000.0]), np.array([2.0, 3.0])
        ext.coefficients().ratio("G", teff, ebv)
        assert teff.tolist() == [3000, 20000] and ebv.tolist() == [2, 3]

    def test_missing_temperature_is_nan(self):
        ratio = ext.coefficients().ratio("G", Masked([5000.0, 6000.0] * u.K, mask=[0, 1]), 0.1)
        assert np.isnan(ratio).tolist() == [False, True]

    @pytest.mark.parametrize("band", ["V", "BP-V", "BP-RP-G", "", "g'-q", "bp"])
    def test_unknown_band(self, band):
        with pytest.raises(InputError, match="band"):
            ext.coefficients().ratio(band)

    def test_misuse_of_teff(self):
        with pytest.raises(InputError, match="teff"):
            ext.coefficients("parsec").ratio("G", 5000)
        with pytest.raises(InputError, match="ebv"):
            ext.coefficients().ratio("G", 5000)
        with pytest.raises(InputError, match="no temperature in common"):
            ext.coefficients().ratio("FUV-W3", 5000, 0.1)

    def test_every_set_says_where_it_comes_from(self):
        for name in ext.coefficient_sets():
            chosen = ext.coefficients(name)
            assert chosen.name == name
            assert chosen.scale in ("sfd", "true")
            assert len(chosen.bibcode) == 19
            assert chosen.reference and chosen.validity
        with pytest.raises(InputError, match="coefficients"):
            ext.coefficients("casagrande")


class TestScales:
    def test_factor(self):
        """Schlafly & Finkbeiner (2011): 0.86."""
        np.testing.assert_allclose(ext.convert_ebv([1.0], from_scale="sfd", to_scale="true"), [0.86], rtol=1e-12)
        np.testing.assert_allclose(ext.convert_ebv([0.86], from_scale="true", to_scale="sfd"), [1.0], rtol=1e-12)

    @pytest.mark.parametrize("scale", ["SFD", "landolt", None])
    def test_unknown_scale(self, scale):
        with pytest.raises(InputError, match="scale"):
            ext.convert_ebv([1.0], from_scale=scale, to_scale="sfd")

    def test_factor_is_applied_where_the_scales_differ_and_nowhere_else(self):
        assert ext.extinction("G", 1.0) == pytest.approx(2.364)
        assert ext.extinction("G", 0.86, ebv_scale="true") == pytest.approx(2.364)
        assert ext.extinction("G", 1.0, coefficients="parsec", ebv_scale="true") == pytest.approx(3.1 * 0.83627)
        assert ext.extinction("G", 1.0, coefficients="parsec") == pytest.approx(0.86 * 3.1 * 0.83627)
        assert ext.reddening("BP-RP", 1.0, coefficients="yang_2022") == pytest.approx(1.360)

    def test_ratio_is_taken_at_the_reddening_of_the_set(self):
        chosen = ext.coefficients()
        expected = chosen.ratio("G", 5000, 0.4) * 0.4
        np.testing.assert_allclose(ext.extinction("G", 0.4 * 0.86, ebv_scale="true", teff=5000), expected, rtol=1e-12)

    def test_quantity_in_quantity_out(self):
        assert ext.extinction("G", [0.1] * u.mag).unit == u.mag
        assert isinstance(ext.extinction("G", [0.1]), np.ndarray)
        assert np.isnan(ext.extinction("G", np.ma.array([0.1], mask=True))).all()

    def test_bands_and_colors_are_not_confused(self):
        with pytest.raises(InputError, match="reddening"):
            ext.extinction("BP-RP", 0.1)
        with pytest.raises(InputError, match="extinction"):
            ext.reddening("BP", 0.1)


class TestDeredden:
    def table(self):
        return QTable(
            {
                "source_id": np.arange(4) + 2**60,
                "phot_g_mean_mag": [15.0, 15.0, np.nan, 15.0] * u.mag,
                "phot_bp_mean_mag": [15.5] * 4 * u.mag,
                "phot_rp_mean_mag": [14.5] * 4 * u.mag,
                "ebv": Masked([0.1, 0.2, 0.1, 0.3] * u.mag, mask=[0, 1, 0, 0]),
            }
        )

    def test_magnitudes_and_flags(self):
        table = self.table()
        out = ext.deredden(table)
        np.testing.assert_allclose(out["phot_g_mean_mag_0"][[0, 3]].value, [15 - 0.2364, 15 - 0.7092], rtol=1e-12)
        np.testing.assert_allclose(out["a_bp"][[0, 2, 3]].value, 2.998 * np.array([0.1, 0.1, 0.3]), rtol=1e-12)
        assert out["phot_g_mean_mag_0"].mask.tolist() == [False, True, True, False]
        assert [EXTINCTION.decode(x) for x in out["extinction_flag"]] == [[], ["MISSING_EBV"], [], []]
        assert "j_m_0" not in out.colnames
        assert table.colnames == self.table().colnames
        assert out["source_id"].tolist() == table["source_id"].tolist()

    def test_ranges_are_flagged(self):
        table = self.table()
        table["ebv"] = [0.6, -0.1, 0.1, 0.1] * u.mag
        out = ext.deredden(table, bands=["RP"], teff=[5000, 5000, 3500, 5000] * u.K)
        names = [EXTINCTION.decode(x) for x in out["extinction_flag"]]
        assert names == [["EBV_RANGE"], ["NEGATIVE_EBV"], ["TEFF_RANGE"], []]
        limit = ext.coefficients().ratio("RP", 4000, 0.1) * 0.1
        assert out["a_rp"][2].value == pytest.approx(limit)

    def test_scale_of_the_column_cannot_be_contradicted(self):
        table = self.table()
        table["ebv"].info.meta = {"ebv_scale": "true"}
        out = ext.deredden(table, bands=["G"])
        assert out["a_g"][0].unmasked.value == pytest.approx(0.1 / 0.86 * 2.364)
        with pytest.raises(InputError, match="'true'.*'sfd'"):
            ext.deredden(table, ebv_scale="sfd")

    def test_what_is_not_there_is_named(self):
        with pytest.raises(InputError, match="bands.*FUV"):
            ext.deredden(self.table(), bands=["FUV"])
        with pytest.raises(MissingColumnError, match="j_m"):
            ext.deredden(self.table(), bands=["J"])
        table = self.table()
        table.remove_column("ebv")
        with pytest.raises(MissingColumnError, match="ebv"):
            ext.deredden(table)


class TestRJCE:
    def table(self, h=(10.0, 10.0, 10.0, np.nan), w2=(9.85, 10.2, 9.95, 9.0)):
        return QTable({"h_m": np.array(h) * u.mag, "w2mpro": np.array(w2) * u.mag})

    def test_majewski_2011(self):
        """A(Ks) = 0.918 (H - [4.5] - 0.08), Majewski et al. (2011), Eq. 1."""
        out = ext.rjce(self.table(), variant="irac", clip=None)
        np.testing.assert_allclose(
            out.unmasked.value[:3], 0.918 * (np.array([0.15, -0.2, 0.05]) - 0.08), rtol=0, atol=1e-12
        )
        assert out.mask.tolist() == [False, False, False, True]
        assert out.unit == u.mag

    def test_wise_offset_clip_and_own_numbers(self):
        table = self.table()
        np.testing.assert_allclose(ext.rjce(table).unmasked.value[:3], [0.0918, 0, 0], atol=1e-12)
        np.testing.assert_allclose(ext.rjce(table, clip=(None, 0.05)).unmasked.value[:2], [0.05, -0.2295], atol=1e-12)
        np.testing.assert_allclose(
            ext.rjce(table, coefficient=1.0, offset=0.1, clip=None).unmasked.value[0], 0.05, atol=1e-12
        )

    def test_error(self):
        table = self.table()
        table["h_msigcom"], table["w2mpro_error"] = [0.03] * 4 * u.mag, [0.04] * 4 * u.mag
        np.testing.assert_allclose(ext.rjce_error(table).value, 0.918 * 0.05, rtol=1e-12)

    def test_misuse(self):
        with pytest.raises(InputError, match="variant"):
            ext.rjce(self.table(), variant="unwise")
        with pytest.raises(InputError, match="clip"):
            ext.rjce(self.table(), clip=(0, 1, 2))
        with pytest.raises(MissingColumnError, match="w2mpro"):
            ext.rjce(self.table()["h_m",])


def test_columns_with_units_and_masks_are_arguments():
    column = MaskedColumn([0.1, 0.2], mask=[False, True], unit="mag")
    assert np.isnan(ext.extinction("G", column)).tolist() == [False, True]
    with pytest.raises(InputError, match="ebv"):
        ext.extinction("G", ["a"])
