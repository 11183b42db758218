"""Colors of surveys as network inputs: the CSNet paper's by hand, and sets of one's own."""

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.exceptions import InputError, MissingColumnError, ReadError
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.colors import Band, ColorSet, available, color_set

#: Table 1 of Yang et al. (2022): color and reddening coefficient.
TABLE_1 = (
    *(("BP-RP", 1.360), ("BP-u", -1.379), ("BP-g", -0.339), ("RP-r", -0.678), ("RP-i", -0.033), ("RP-z", 0.439)),
    *(("BP-J0378", -1.203), ("BP-J0395", -1.158), ("BP-J0410", -0.953), ("BP-J0430", -0.809), ("BP-J0515", -0.069)),
    *(("RP-J0660", -0.454), ("RP-J0861", 0.339)),
)
ORDER = ("u", "J0378", "J0395", "J0410", "J0430", "g", "J0515", "r", "J0660", "i", "J0861", "z")
ARCHIVE = {"u": "uJAVA", "g": "gSDSS", "r": "rSDSS", "i": "iSDSS", "z": "zSDSS"}


def photometry(**changes):
    """Two stars; the magnitude in filter k of star n is 15 + k / 10 + n."""
    table = QTable(
        {
            "source_id": [1, 2],
            "mag_aper_6_0": (15 + np.arange(12) / 10 + np.arange(2)[:, None]) * u.mag,
            "mag_err_aper_6_0": (0.01 + np.arange(12) / 1000 + np.zeros((2, 1))) * u.mag,
            "flags": np.zeros((2, 12), int),
            "phot_g_mean_mag": [15.0, 16.0] * u.mag,
            "phot_bp_mean_mag": [15.5, 16.4] * u.mag,
            "phot_rp_mean_mag": [14.5, 15.5] * u.mag,
            "ebv": [0.0, 0.1] * u.mag,
        }
    )
    for name, column in changes.items():
        table[name] = column
    return table


def names(value):
    return flags.decode(value, "label")


def test_colors_of_the_paper_by_hand():
    features = feature_set("colors").compute(photometry())
    magnitudes = dict(zip(ORDER, 15 + np.arange(12) / 10, strict=True))
    for star, bp, rp, ebv in ((0, 15.5, 14.5, 0.0), (1, 16.4, 15.5, 0.1)):
        own = {**{band: value + star for band, value in magnitudes.items()}, "BP": bp, "RP": rp}
        want = [own[c.split("-")[0]] - own[c.split("-")[1]] - ratio * ebv for c, ratio in TABLE_1]
        np.testing.assert_allclose(features.arrays["color"][star], want, atol=2e-6)
    assert features.usable.all() and list(features.flag) == [0, 0]
    np.testing.assert_allclose(features.color, [1.0, 0.9 - 0.136])
    np.testing.assert_allclose(features.magnitude, [15, 16])
    np.testing.assert_allclose(features.ebv, [0, 0.1])
    assert features.arrays["color"].dtype == features.arrays["error"].dtype == np.float32


def test_errors_of_magnitudes_and_colors():
    chosen = color_set("csnet")
    features = feature_set("colors").compute(photometry())
    want = [0.01, 0.01, *(0.01 + np.arange(12) / 1000)]  # BP, RP: what the paper has at G = 17
    np.testing.assert_allclose(features.arrays["error"], [want, want], rtol=1e-6)
    error = np.array([want])
    covariance = chosen.covariance(error)[0]
    own = dict(zip([band.name for band in chosen.bands], want, strict=True))
    for i, one in enumerate(chosen.colors):
        for k, other in enumerate(chosen.colors):
            signs = [(band, (1, -1)[n]) for n, band in enumerate(one.split("-"))]
            shared = sum(
                s * (1, -1)[n] * own[b] ** 2 for b, s in signs for n, c in enumerate(other.split("-")) if b == c
            )
            np.testing.assert_allclose(covariance[i, k], shared, atol=1e-12)
    np.testing.assert_allclose(chosen.color_error(error)[0], np.sqrt(np.diag(covariance)))


def test_errors_from_fluxes():
    table = photometry(
        phot_bp_mean_flux=[1000.0, 1000.0] * u.electron / u.s, phot_bp_mean_flux_error=[1.0, 20.0] * u.electron / u.s
    )
    features = feature_set("colors").compute(table)
    np.testing.assert_allclose(features.arrays["error"][:, 0], [0.0010857, 0.021715], rtol=1e-4)
    table["phot_bp_mean_mag_error"] = [0.5, np.nan] * u.mag
    features = feature_set("colors").compute(table)
    np.testing.assert_allclose(features.arrays["error"][:, 0], [0.5, 0.021715], rtol=1e-4)


@pytest.mark.parametrize(
    ("pattern", "error_pattern"),
    [
        ("mag_aper_6_0[jplus::{}]", "mag_err_aper_6_0[jplus::{}]"),
        ("MAG_APER_6_0_{}", "MAG_ERR_APER_6_0_{}"),
        ("{}_mag", "{}_mag_err"),
        ("{}", "{}_err"),
    ],
)
def test_one_column_for_each_filter(pattern, error_pattern):
    """The array's columns one by one, in any order, give the same."""
    whole = photometry()
    table = whole["source_id", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv"]
    for k, band in reversed(list(enumerate(ORDER))):
        name = ARCHIVE.get(band, band)
        table[pattern.format(name)] = whole["mag_aper_6_0"][:, k]
        table[error_pattern.format(name)] = whole["mag_err_aper_6_0"][:, k]
    one, other = feature_set("colors").compute(whole), feature_set("colors").compute(table)
    for name in ("color", "error"):
        np.testing.assert_allclose(one.arrays[name], other.arrays[name], rtol=1e-5, atol=1e-6)


def test_published_names():
    whole = photometry()
    table = Table(whole)
    table.rename_columns(["mag_aper_6_0", "mag_err_aper_6_0"], ["MAG_APER6", "ERR_APER6"])
    one, other = feature_set("colors").compute(whole), feature_set("colors").compute(table)
    np.testing.assert_allclose(one.arrays["color"], other.arrays["color"], atol=1e-6)


def test_synthetic_photometry_goes_in_as_it_is():
    from stellarlabels.inputs.examples import xp_apogee_sample
    from stellarlabels.inputs.xp import synthetic_photometry

    stars = synthetic_photometry(xp_apogee_sample()[:20])
    features = feature_set("colors").compute(stars)
    assert features.usable.sum() >= 15
    known = features.usable
    want = stars["phot_rp_mean_mag"].value - stars["Jplus_mag_rJPLUS"].value + 0.678 * np.nan_to_num(features.ebv)
    np.testing.assert_allclose(features.arrays["color"][known, 3], np.asarray(want)[known], atol=1e-5)


@pytest.mark.parametrize("missing", [np.nan, 99.0, -99.0, -9999.0])
def test_missing_magnitudes_are_flagged(missing):
    table = photometry()
    table["mag_aper_6_0"][0, 4] = missing * u.mag
    features = feature_set("colors").compute(table)
    assert list(features.usable) == [False, True]
    assert names(features.flag[0]) == ["NO_INPUT", "MISSING_PHOTOMETRY"] and features.flag[1] == 0
    assert (features.arrays["color"][0] == 0).all() and np.isfinite(features.arrays["error"]).all()


def test_other_flags():
    table = photometry()
    table["flags"][0, 3] = 4
    table["mag_err_aper_6_0"][0, 2] = np.nan * u.mag
    table["mag_err_aper_6_0"][1, 2] = 0.101 * u.mag
    table["phot_g_mean_mag"] = [18.5, 17.9] * u.mag
    features = feature_set("colors").compute(table)
    assert features.usable.all()
    assert set(names(features.flag[0])) == {"BAD_PHOTOMETRY", "BAD_SAMPLES", "MAGNITUDE_RANGE"}
    assert names(features.flag[1]) == ["NOISY_INPUT"]
    assert features.arrays["error"][0, 4] == 0


def test_without_ebv():
    table = photometry()
    table["ebv"] = MaskedColumn([0.1, 0.1], mask=[True, False], unit=u.mag)
    features = feature_set("colors").compute(table)
    assert list(features.usable) == [False, True] and names(features.flag[0]) == ["NO_INPUT", "MISSING_EBV"]
    del table["ebv"]
    assert not feature_set("colors").compute(table).usable.any()


def test_scale_of_ebv_is_heard():
    table = photometry()
    plain = feature_set("colors").compute(table).arrays["color"]
    table["ebv"].info.meta = {"ebv_scale": "true"}
    scaled = feature_set("colors").compute(table).arrays["color"]
    np.testing.assert_allclose(plain[1, 0] - scaled[1, 0], 0.136 / 0.86 - 0.136, atol=1e-5)


def test_missing_columns_are_named():
    with pytest.raises(MissingColumnError, match=r"magnitude 'BP' is missing; looked for phot_bp_mean_mag"):
        feature_set("colors").compute(photometry()["mag_aper_6_0", "phot_rp_mean_mag"])
    with pytest.raises(MissingColumnError, match=r"'u' is missing; looked for .*mag_aper_6_0\[0\]"):
        feature_set("colors").compute(photometry()["phot_bp_mean_mag", "phot_rp_mean_mag"])
    short = photometry(mag_aper_6_0=np.ones((2, 5)) * u.mag)
    with pytest.raises(InputError, match="mag_aper_6_0"):
        feature_set("colors").compute(short)


def test_input_is_not_changed():
    table = photometry()
    before = table.copy()
    feature_set("colors").compute(table)
    assert table.colnames == before.colnames
    assert all(np.array_equal(table[name], before[name]) for name in table.colnames)


# ---- Sets of one's own


def test_a_survey_of_ones_own():
    sdss = ColorSet.make(
        "sdss", "ugriz", ["u-g", "g-r", "r-i", "i-z"], ratios=(1.05, 1.05, 0.6, 0.5), color="g-r", magnitude="j_m"
    )
    table = Table({**{band: [20.0 - k, 15.0] for k, band in enumerate("ugriz")}, "u_err": [0.1, 0.2], "ebv": [0.1, 0]})
    for name in table.colnames:
        table[name].unit = "mag"
    features = feature_set("colors", colors=sdss.to_dict()).compute(table)
    np.testing.assert_allclose(features.arrays["color"], [[0.895, 0.895, 0.94, 0.95], [0, 0, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(features.arrays["error"][:, 0], [0.1, 0.2])
    assert names(features.flag[0]) == ["BAD_SAMPLES"]  # errors of g to z are not known
    np.testing.assert_allclose(features.color, [0.895, 0], atol=1e-6)


def test_colors_that_are_measured_as_such():
    own = ColorSet.make("colors", ["ug", "gr", "i"], ["ug", "gr", "gr-i"])
    np.testing.assert_array_equal(own.matrix, [[1, 0, 0], [0, 1, 0], [0, 1, -1]])
    table = Table({"ug": [1.0, -10013.0], "gr": [0.5, 0.5], "i": [0.25, 0.0]})
    for name in table.colnames:
        table[name].unit = "mag"
    features = feature_set("colors", colors=own.to_dict()).compute(table)
    np.testing.assert_allclose(features.arrays["color"][0], [1, 0.5, 0.25])
    assert list(features.usable) == [True, False] and np.isnan(features.color).all()
    assert "MISSING_EBV" not in names(features.flag[0])


def test_config_makes_the_same_set_again(tmp_path):
    """A set of one's own travels in the saved model; a shipped one by its name."""
    own = ColorSet.make("own", [Band("a", ("x", "y"), typical_error=0.1), "b"], ["a-b"], ratios=(0.5,))
    for given_ in ("csnet", own.to_dict()):
        first = feature_set("colors", colors=given_)
        again = feature_set("colors", **json.loads(json.dumps(first.config)))
        assert again.colors == first.colors and json.dumps(again.config) == json.dumps(first.config)
    assert feature_set("colors").config == {"colors": "csnet"}


@pytest.mark.parametrize("name", sorted(available()))
def test_shipped_sets_are_complete(name):
    chosen = color_set(name)
    assert chosen.name == name and chosen.description and chosen.reference
    ratios, _ = chosen.reddening()
    assert np.isfinite(ratios).all() and len(ratios) == len(chosen.colors)
    assert ColorSet.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    assert chosen.color in chosen.colors


def test_read_a_file(tmp_path):
    path = tmp_path / "mine.ecsv"
    table = Table({"name": ["a", "b"], "columns": ["mag_a A", "mag_b"]})
    table.meta = {"name": "mine", "colors": ["a-b"], "coefficients": "", "comment": "ignored"}
    table.write(path)
    chosen = color_set(str(path))
    assert chosen.bands[0].columns == ("mag_a", "A") and chosen.colors == ("a-b",) and not chosen.dereddens
    assert feature_set("colors", colors=str(path)).config["colors"]["name"] == "mine"
    path.write_text("no such thing")
    with pytest.raises(ReadError, match="expected an ECSV file of a color set"):
        color_set(str(path))
    with pytest.raises(InputError, match="expected one of .*csnet.*, an .ecsv file"):
        color_set("csnot")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colors": ("a-c",)}, "is not made of the bands a, b"),
        ({"colors": ("a-b", "a-b")}, "no name twice"),
        ({"colors": ()}, "at least one"),
        ({"ratios": (1.0, 2.0)}, "expected 1 numbers"),
        ({"coefficients": "yang_2022"}, "has none for a-b"),
        ({"color": "b-a"}, "color: expected one of a-b"),
        ({"ebv_scale": "sfd98"}, "ebv_scale"),
    ],
)
def test_contradictions(changes, message):
    with pytest.raises(InputError, match=message):
        ColorSet(**{"name": "own", "bands": (Band("a"), Band("b")), "colors": ("a-b",), **changes})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(5, 25), min_size=3, max_size=3), st.floats(-0.1, 2), st.floats(-3, 3))
def test_dereddening_is_linear(magnitudes, ebv, ratio):
    own = ColorSet.make("own", "abc", ["a-b", "b-c"], ratios=(ratio, 1.0))
    table = Table({**dict(zip("abc", ([m] for m in magnitudes), strict=True)), "ebv": [ebv]})
    for name in table.colnames:
        table[name].unit = "mag"
    a, b, c = magnitudes
    got = feature_set("colors", colors=own.to_dict()).compute(table).arrays["color"][0]
    np.testing.assert_allclose(got, [a - b - ratio * ebv, b - c - ebv], atol=1e-5)
