"""CSNet on dereddened photometry of J-PLUS and S-PLUS alone: columns, zero-points of fields, noise, damage."""

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import CSNet, columns, flags, networks, packaged
from stellarlabels.exceptions import MissingColumnError, MissingUnitWarning
from stellarlabels.inputs import feature_set
from stellarlabels.inputs.colors import color_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import synthetic_photometry

#: Colors of an ordinary star (r = 16, [Fe/H] of -1.2) after the median of the tables of Whitten et al.
SPLUS = {"F395": 17.31, "F410": 16.84, "F430": 16.76, "g": 16.45, "F515": 16.28, "r": 16.0}
SPLUS |= {"F660": 15.96, "i": 15.87, "F861": 15.85}


def splus_table(count=6):
    """Rows with the columns of the published table."""
    table = Table({f"{band}_cor": np.full(count, value) for band, value in SPLUS.items()})
    for band in SPLUS:
        table[f"e{band}_aper"] = 0.02
    table["FIELD"] = str(packaged.table("photometry", "splus82_zero_points")["FIELD"][3])
    return table


#: The same of J-PLUS: medians of its stars with [Fe/H] near -1.2 and Teff near 5900 K.
JPLUS = {"uJAVA": 17.44, "J0378": 17.3, "J0395": 17.12, "J0410": 16.76, "J0430": 16.68, "gSDSS": 16.43}
JPLUS |= {"J0515": 16.27, "rSDSS": 16.0, "J0660": 15.98, "iSDSS": 15.85, "J0861": 15.8, "zSDSS": 15.77}


def jplus_table(count=4):
    """Rows with the columns of the published table of J-PLUS."""
    table = Table()
    for band, value in JPLUS.items():
        table[f"MAG_6_{band}"], table[f"ERR_MAG_6_{band}"] = np.full(count, value), 0.015
        table[f"MAG_6_{band}"].unit = table[f"ERR_MAG_6_{band}"].unit = "mag"
    return table


def splus_features(table):
    table = table.copy()
    for name in table.colnames:
        if name.endswith(("_cor", "_aper")):
            table[name].unit = "mag"
    return feature_set("colors", colors="splus_dereddened").compute(columns.intake(table))


def test_one_warning_names_all_columns_without_units():
    table = splus_table()
    with pytest.warns(MissingUnitWarning) as caught:
        found = feature_set("colors", colors="splus_dereddened").compute(columns.intake(table))
    assert len(caught) == 1 and all(name in str(caught[0].message) for name in table.colnames if name != "FIELD")
    np.testing.assert_array_equal(found.arrays["color"], splus_features(table).arrays["color"])
    assert table["g_cor"].unit is None


class TestZeroPoints:
    def test_those_of_the_field_are_subtracted_by_hand(self):
        row, table = packaged.table("photometry", "splus82_zero_points")[3], splus_table()
        colors = color_set("splus_dereddened").colors
        found = splus_features(table).arrays["color"][0]
        for index, color in enumerate(colors):
            blue, red = (SPLUS[part.replace("J0", "F")] for part in color.split("-"))
            assert found[index] == pytest.approx(blue - red - row[color], abs=1e-5)

    def test_a_field_that_is_not_known_has_larger_errors(self):
        table = splus_table()
        table["FIELD"] = "STRIPE82-9999"
        without = splus_table()
        without.remove_column("FIELD")
        scatter = packaged.table("photometry", "splus82_zero_points").meta["scatter"]
        for other in (table, without):
            found = splus_features(other)
            for index, band in enumerate(color_set("splus_dereddened").bands):
                assert found.arrays["error"][0, index] == pytest.approx(np.hypot(0.02, scatter[band.name]), rel=1e-5)
            assert flags.LABEL.has(found.flag, "BAD_SAMPLES").all()
        assert splus_features(splus_table()).arrays["error"].max() == pytest.approx(0.02)


def test_magnitudes_are_not_dereddened_again():
    table = splus_table()
    clear = splus_features(table)
    table["EBV_SFD"] = 0.3
    table["EBV_SFD"].unit = "mag"
    np.testing.assert_array_equal(splus_features(table).arrays["color"], clear.arrays["color"])
    assert not clear.flag.any()
    assert clear.magnitude[0] == 16.0


def test_magnitudes_of_the_archive_which_are_not_dereddened_are_not_taken():
    table = Table({name.replace("_cor", "_auto"): data for name, data in splus_table().items()})
    with pytest.raises(MissingColumnError, match="J0395"):
        splus_features(table)


@pytest.mark.parametrize("missing", [99.0, -9999.0, np.nan])
def test_a_missing_magnitude_is_no_input(missing):
    table = splus_table()
    table["F410_cor"][2] = missing
    found = splus_features(table)
    assert found.usable.tolist() == [True, True, False, True, True, True]
    assert flags.LABEL.has(found.flag, "MISSING_PHOTOMETRY").tolist() == (~found.usable).tolist()


def test_spoiled_copies_differ_as_much_as_they_say():
    table = splus_table(3000)
    for name in table.colnames[:-1]:
        table[name].unit = "mag"
    table = columns.intake(table)
    colors = feature_set("colors", colors="splus_dereddened")
    copies, severity = colors.damaged(table, seed=1)
    change = np.abs(colors.compute(copies).arrays["color"] - colors.compute(table).arrays["color"]).max(axis=1)
    assert np.median(change[severity > 0.8]) > 4 * np.median(change[severity < 0.2]) > 0
    again, _ = colors.damaged(table, seed=1)
    np.testing.assert_array_equal(colors.compute(again).arrays["color"], colors.compute(copies).arrays["color"])


def test_noise_is_in_the_training_of_whole_networks_only():
    """With a linear network whose weights are known, the scatter of outputs is that of the noise by hand."""
    rng, matrix = np.random.default_rng(2), np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    arrays = {"color": rng.normal(size=(500, 2)).astype("f4"), "error": np.full((500, 3), 0.1, "f4")}
    network = networks.build(
        "color_mlp", shapes={"color": 2, "error": 3}, outputs=1, hidden=(), l2=0, error_hidden=(2,), seed=3
    )
    networks.adapt(network, {**arrays, "error_matrix": matrix})
    noisy = networks.with_noise(network, 0.5, seed=1)
    np.testing.assert_allclose(noisy(arrays), network(arrays), rtol=1e-5, atol=1e-6)
    differences = np.asarray(noisy(arrays, training=True))[:, 0] - np.asarray(network(arrays))[:, 0]
    (kernel, _), scale = network.get_layer("mean").get_weights(), arrays["color"].std(axis=0)
    want = 0.05 * np.linalg.norm((kernel[:, 0] / scale) @ matrix)
    assert differences.std() == pytest.approx(want, rel=0.15)


def test_labels_of_an_ordinary_star_of_jplus():
    """Of a star that is the median of many, and of one without a filter."""
    table = jplus_table()
    table["MAG_6_J0395"][1] = -9999
    system = CSNet.pretrained("jplus_segue")
    labels = system.predict(table)
    assert system.labels == ("teff", "logg", "feh", "c_fe", "alpha_fe")
    for label, low, high in (("teff", 5600, 6200), ("feh", -1.7, -0.8), ("alpha_fe", 0.0, 0.5)):
        value, error = (np.asarray(labels[name], float) for name in (label, f"{label}_err"))
        assert low < value[0] < high and 0 < error[0] < (high - low) / 2
        assert labels[f"{label}_good"].tolist() == [True, False, True, True]
        assert np.ma.getmaskarray(np.ma.asarray(labels[label])).tolist() == [False, True, False, False]
    assert labels["feh"][0] == labels["feh"][3]


def test_no_star_that_is_as_rich_as_the_sun_is_called_metal_poor():
    """Stars of APOGEE with synthesised photometry: the training had none that are as metal-rich as most of them."""
    stars = xp_apogee_sample()
    made, a_v = synthetic_photometry(stars, ["JPLUS"]), 3.1 * columns.values(stars, "ebv")
    clear = (a_v < 0.3) & (columns.values(stars, "teff") > 4500) & (columns.values(stars, "teff") < 6500)
    rich = columns.values(stars, "feh") > -0.6
    table = Table({"source_id": stars["source_id"]})
    bands = (
        "uJAVA",
        "J0378",
        "J0395",
        "J0410",
        "J0430",
        "gJPLUS",
        "J0515",
        "rJPLUS",
        "J0660",
        "iJPLUS",
        "J0861",
        "zJPLUS",
    )
    waves = (3523, 3786, 3950, 4100, 4300, 4803, 5150, 6254, 6600, 7668, 8610, 9114)  # Cenarro et al. 2019, Table 2
    for band, wave in zip(bands, waves, strict=True):
        name = band.replace("JPLUS", "SDSS")
        table[f"{name}_0"] = np.asarray(made[f"Jplus_mag_{band}"], float) - a_v * (wave / 5500) ** -1.3  # about the law
        table[f"{name}_0_err"] = np.full(len(table), 0.01)
        table[f"{name}_0"].unit = table[f"{name}_0_err"].unit = "mag"
    labels = CSNet.pretrained("jplus_segue").predict(table[clear & rich])
    assert len(labels) > 60 and np.median(np.asarray(labels["feh"], float)) < -0.8  # the networks know no better
    assert all(labels[f"{label}_good"].mean() < 0.1 for label in ("teff", "logg", "feh", "c_fe", "alpha_fe"))
    assert flags.LABEL.has(labels["feh_flag"], "OTHER_KIND").mean() > 0.8


#: What magnitudes of ordinary stars in the system of Vega are less than in that of AB, of the bands that have most.
VEGA = {"uJAVA": 1.0, "J0378": 0.5, "J0515": -0.04, "rSDSS": 0.14, "J0660": 0.3, "iSDSS": 0.37, "J0861": 0.54}
VEGA |= {"zSDSS": 0.5, "F660": 0.3, "i": 0.37, "F861": 0.54, "r": 0.14, "F395": -0.02, "F515": -0.04}


@pytest.mark.parametrize(
    ("survey", "make", "column"), [("jplus", jplus_table, "MAG_6_{}"), ("splus", splus_table, "{}_cor")]
)
def test_magnitudes_in_another_system_give_nothing_good(survey, make, column):
    """The same star in AB magnitudes is good, in those of Vega, or behind E(B-V) of 0.5, it is not."""
    system, bands = CSNet.pretrained(f"{survey}_segue"), JPLUS if survey == "jplus" else SPLUS
    waves = {"u": 3523, "g": 4803, "r": 6254, "i": 7668, "z": 9114}
    vega, red = make(), make()
    for band in bands:
        digits = "".join(filter(str.isdigit, band))
        wave = 10 * int(digits) if digits else waves[band[0]]
        vega[column.format(band)] -= VEGA.get(band, 0)
        red[column.format(band)] += 0.5 * 3.1 * (wave / 5500) ** -1.3 - 1.3  # about the law; as bright as it was
    tables = [make(), vega, red]
    for name in [name for name in vega.colnames if name != "FIELD"]:
        for table in tables:
            table[name].unit = "mag"
    assert system.predict(tables[0])["teff_good"].all()
    for wrong in tables[1:]:
        labels = system.predict(wrong)
        assert not any(labels[f"{label}_good"].any() for label in system.labels)
        assert flags.LABEL.has(labels["teff_flag"], "OTHER_KIND").all()


@pytest.mark.parametrize("name", ["jplus_segue", "splus_segue"])
def test_what_is_measured_is_what_was_to_be_reached(name):
    """Scatter on held-out stars of r < 17 beside XGBoost on the same stars, and honest errors."""
    measured = CSNet.metrics(name)["measured"]
    own, trees = (measured[model]["r < 17"]["feh"] for model in (f"CSNet {name}", "XGBoost"))
    assert own["robust_scatter"] < 0.21 and own["stars"] == trees["stars"]
    assert own["robust_scatter"] < trees["robust_scatter"]
