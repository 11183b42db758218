"""Diagrams of stars, maps of the Galaxy, clusters, flags: orientation, units, and where the ink is."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from matplotlib.figure import Figure

from stellarlabels import plots
from stellarlabels.analysis import radial_gradients
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.plots.style import CYCLE, VALUES
from stellarlabels.validation import tally


@pytest.fixture(scope="module")
def sample():
    return xp_apogee_sample()


def corner(ax):
    return ax.artists[0].txt.get_text()


def test_kiel(sample, ax, pixels, ink):
    assert plots.kiel(sample, ax=ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$T_{\rm eff}$ (K)", r"$\log g$ (dex)")
    assert ax.xaxis_inverted() and ax.yaxis_inverted()
    assert ax.figure.axes[-1].get_ylabel() == "[Fe/H] (dex)"
    image = pixels(ax)
    white = (image.min(axis=2) > 0.97).astype(float)
    height, width = white.shape
    hot_giants = white[: height // 3, 80 : width // 3]
    giants = white[height // 4 : height // 2, width // 2 : 3 * width // 4]
    assert hot_giants.mean() > 0.98 and giants.mean() < hot_giants.mean()


def test_kiel_of_one_star_is_where_it_should_be(ax, pixels, ink):
    table = QTable({"teff": [5000] * u.K, "logg": [2.5] * u.dex, "feh": [0.0] * u.dex})
    plots.kiel(table, ax=ax)
    offsets = np.concatenate([part.get_offsets() for part in ax.collections])
    np.testing.assert_allclose(offsets, [[5000, 2.5]])
    image = pixels(ax)
    height, width = image.shape[:2]
    middle = image[2 * height // 5 : 3 * height // 5, 2 * width // 5 : 3 * width // 5]
    assert ink(middle, "white") < 1 and ink(image[-height // 3 :], "white") == 1


def test_kiel_with_isochrones(sample, ax):
    line = QTable({"teff": [6000, 5000, 4000] * u.K, "logg": [4.4, 3.3, 1.0] * u.dex})
    plots.kiel(sample, isochrones={"5 Gyr": line, "8 Gyr": line}, ax=ax)
    assert ax.get_xlim()[0] < 7500  # the lines do not stretch the panel
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["5 Gyr", "8 Gyr"]
    assert ax.lines[0].get_color() != ax.lines[1].get_color()
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [4.4, 3.3, 1.0])


def test_kiel_needs_its_labels(sample, ax):
    with pytest.raises(MissingColumnError, match="logg"):
        plots.kiel(sample[["teff", "feh"]], ax=ax)


def test_density_is_colored_by_the_mean(ax):
    rng = np.random.default_rng(1)
    teff = rng.uniform(4000, 6000, 10_000)
    table = QTable({"teff": teff * u.K, "logg": rng.uniform(1, 5, 10_000) * u.dex})
    table["feh"] = (teff - 5000) / 1000 * u.dex
    table["feh"][teff > 5900] = np.nan
    plots.kiel(table, ax=ax)
    grey, colored = ax.images
    assert colored.get_cmap().name == VALUES
    array = colored.get_array()
    columns = np.linspace(*colored.get_extent()[:2], array.shape[1] + 1)
    means = np.ma.filled(array.mean(axis=0), np.nan)
    at = 0.5 * (columns[1:] + columns[:-1])
    inside = (at > 4100) & (at < 5850)
    np.testing.assert_allclose(means[inside], (at[inside] - 5000) / 1000, atol=0.02)
    assert np.isnan(means[at > 5920]).all() and grey.get_array()[:, at > 5920].any()


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        ({"bp_rp_0": u.mag, "m_g": u.mag}, (r"$(G_{\rm BP} - G_{\rm RP})_0$ (mag)", "$M_G$ (mag)")),
        ({"bp_rp": u.mag, "phot_g_mean_mag": u.mag}, (r"$G_{\rm BP} - G_{\rm RP}$ (mag)", "$G$ (mag)")),
        (
            {"phot_bp_mean_mag": u.mag, "phot_rp_mean_mag": u.mag, "m_g_dimmed": u.mag},
            (r"$G_{\rm BP} - G_{\rm RP}$ (mag)", "$M_G + A_G$ (mag)"),
        ),
    ],
)
def test_color_magnitude(columns, texts, ax):
    table = QTable({name: np.linspace(1, 2, 50) * unit for name, unit in columns.items()})
    plots.color_magnitude(table, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == texts
    assert ax.yaxis_inverted() and not ax.xaxis_inverted()


def test_abundance_planes_of_dwarfs_and_giants(few):
    labels = few[0]
    figure = plots.abundance_planes(labels, figure=Figure(figsize=(9, 4), layout="constrained"))
    dwarfs, giants = figure.axes
    giant = labels["logg"].value < 3.5
    for ax, rows in ((dwarfs, ~giant), (giants, giant)):
        offsets = np.asarray(ax.collections[0].get_offsets())
        np.testing.assert_allclose(offsets, np.c_[labels["feh"].value, labels["alpha_m"].value][rows])
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("[Fe/H] (dex)", r"[$\alpha$/M] (dex)")
    assert dwarfs.get_title().startswith("dwarfs") and giants.get_title().startswith("giants")
    assert dwarfs.get_xlim() == giants.get_xlim() and dwarfs.get_ylim() == giants.get_ylim()


def test_isochrones_in_both_diagrams(ax):
    """They are drawn over the stars and leave the axes alone."""
    stars = QTable({"teff": [5000, 6000] * u.K, "logg": [4.6, 4.3] * u.dex})
    stars["bp_rp_0"], stars["m_g"] = [1.0, 0.7] * u.mag, [6.0, 4.2] * u.mag
    line = QTable({"teff": [3000, 9000] * u.K, "logg": [5.5, 0.0] * u.dex})
    line["bp_rp_0"], line["m_g"] = [3.0, 0.0] * u.mag, [12.0, -2.0] * u.mag
    for draw, x, y in ((plots.kiel, "teff", "logg"), (plots.color_magnitude, "bp_rp_0", "m_g")):
        ax.clear()
        draw(stars, isochrones={"1.5 Gyr": line}, ax=ax)
        np.testing.assert_array_equal(ax.lines[0].get_data(), [line[x].value, line[y].value])
        assert ax.get_legend().get_texts()[0].get_text() == "1.5 Gyr"
        assert line[x].value.max() > max(ax.get_xlim()) and line[y].value.max() > max(ax.get_ylim())


def test_abundances_are_worked_out_from_others(ax):
    table = QTable({"mg_h": [0.1, -0.2] * u.dex, "feh": [0.0, -0.5] * u.dex})
    plots.abundance_plane(table, "mg_fe", ax=ax)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0, 0.1], [-0.5, 0.3]])
    assert ax.get_ylabel() == "[Mg/Fe] (dex)"


@pytest.fixture(scope="module")
def disk():
    """Stars with a radial gradient of -0.06 dex/kpc in the plane, none far above it."""
    rng = np.random.default_rng(2)
    radius, height = rng.uniform(7, 13.5, 20_000), rng.uniform(-3, 3, 20_000)
    slope = np.where(np.abs(height) < 1, -0.06, 0.0)
    feh = slope * (radius - 8) + rng.normal(0, 0.05, radius.size)
    return QTable({"r_gc": radius * u.kpc, "z_gc": height * u.kpc, "feh": feh * u.dex})


def test_rz_map(disk, ax, pixels):
    plots.galaxy_map(disk, "feh", ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$R$ (kpc)", "$Z$ (kpc)")
    assert ax.figure.axes[-1].get_ylabel() == "median [Fe/H] (dex)"
    image = pixels(ax)
    height, width = image.shape[:2]
    inner, outer = (image[height // 2 - 5 : height // 2 + 5, part].mean(axis=(0, 1)) for part in
                    (slice(width // 8, width // 4), slice(-width // 5, -width // 20)))  # fmt: skip
    assert inner @ [0.3, 0.6, 0.1] > outer @ [0.3, 0.6, 0.1] + 0.2  # bright is metal-rich in this color map
    ax.clear()
    plots.galaxy_map(disk, ax=ax)
    assert ax.collections[0].get_array().sum() == pytest.approx(20_000, abs=100)


def test_face_on_and_the_sky(ax):
    """The Sun is marked; on the sky longitudes grow to the left."""
    random = np.random.default_rng(3)
    table = QTable({"ra": random.uniform(0, 360, 500) * u.deg, "dec": random.uniform(-60, 60, 500) * u.deg})
    table["distance"], table["feh"] = random.uniform(100, 3000, 500) * u.pc, random.normal(0, 0.2, 500) * u.dex
    plots.galaxy_map(table, "feh", plane="xy", least=1, bins=20, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$X$ (kpc)", "$Y$ (kpc)")
    assert ax.lines[0].get_xdata() == pytest.approx(-8.122)
    ax.clear()
    plots.galaxy_map(table, plane="sky", bins=20, ax=ax)
    assert ax.get_xlabel() == "$l$ (deg)" and ax.get_xlim()[0] > ax.get_xlim()[1]
    assert ax.collections[0].get_array().sum() == pytest.approx(500, abs=5)


def test_ratios_against_other_abundances(ax):
    """[C/N] from [C/Fe] and [N/Fe], against [Mg/H]."""
    table = QTable({"c_fe": [0.1, 0.0] * u.dex, "n_fe": [0.3, -0.2] * u.dex, "mg_h": [0.2, 0.4] * u.dex})
    plots.abundance_plane(table, "c_n", against="mg_h", ax=ax)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.2, -0.2], [0.4, 0.2]])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("[Mg/H] (dex)", "[C/N] (dex)")


def test_gradients(disk, ax):
    table = radial_gradients(disk)
    plots.gradients(table, titles=["this catalog"], ax=ax)
    at, slope = ax.lines[0].get_data()
    np.testing.assert_allclose(slope[at < 1], -0.06, atol=0.004)
    np.testing.assert_allclose(slope[at > 1], 0, atol=0.004)
    assert ax.get_xlabel() == "$|Z|$ (kpc)" and ax.get_ylabel() == "d[Fe/H] / d$R$ (dex / kpc)"
    assert ax.get_legend().get_texts()[0].get_text() == "this catalog"


def test_cluster(ax):
    rng = np.random.default_rng(3)
    mag = rng.uniform(12, 16, 60)
    catalog = QTable({"source_id": np.arange(1, 61), "phot_g_mean_mag": mag * u.mag})
    catalog["feh"] = (-1.5 + 0.05 * (mag - 14) + rng.normal(0, 0.02, 60)) * u.dex
    catalog["feh_err"] = np.full(60, 0.02) * u.dex
    members = QTable({"source_id": np.arange(1, 61), "cluster": ["NGC 1"] * 40 + ["NGC 2"] * 20})
    plots.cluster_trend(catalog, members, "NGC 1", literature=-1.5, ax=ax)
    assert ax.get_title() == "NGC 1" and (ax.get_xlabel(), ax.get_ylabel()) == ("$G$ (mag)", "[Fe/H] (dex)")
    trend = next(line for line in ax.lines if line.get_label() == "trend")
    assert np.diff(trend.get_ydata())[0] / np.diff(trend.get_xdata())[0] == pytest.approx(0.05, abs=0.01)
    assert "40 stars" in corner(ax) and "slope +0.0" in corner(ax)
    assert len(ax.lines[0].get_xdata()) == 40
    with pytest.raises(InputError, match="NGC 3"):
        plots.cluster_trend(catalog, members, "NGC 3", ax=ax)


def test_flag_tally(ax, pixels):
    table = QTable({"feh": np.zeros(100), "teff": np.zeros(100)})
    table["feh_flag"] = np.array([64] * 90 + [68] * 10)
    table["teff_flag"] = np.array([4] * 1 + [0] * 99)
    plots.flag_tally(table, ax=ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["MISSING_BAND", "UNLIKE_TRAINING"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["feh_flag", "teff_flag"]
    shown = {tuple(map(int, text.get_position()[::-1])): text.get_text() for text in ax.texts}
    assert shown == {(0, 0): "10.0", (0, 1): "1.0", (1, 0): "100.0", (1, 1): "0"}
    image = pixels(ax)
    height, width = image.shape[:2]
    dark, light = image[-height // 4 :, : width // 4].mean(), image[-height // 4 :, -width // 4 :].mean()
    assert dark < 0.4 < 0.9 < light


def test_no_flags(ax):
    plots.flag_tally(tally(QTable({"feh": [0.0], "feh_flag": [0]})), ax=ax)
    assert corner(ax) == "no star has a flag"


def test_importance(ax):
    table = QTable({"input": ["flux"] * 5, "wavelength": np.arange(5) * u.nm, "feh_share": [0.1, 0.2, 0.4, 0.2, 0.1]})
    plots.importance_spectrum(table, "feh", ax=ax)
    assert ax.get_xlabel() == "wavelength (nm)" and ax.get_ylabel() == "share in [Fe/H] (%)"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [10, 20, 40, 20, 10])
    assert ax.lines[0].get_color() == CYCLE[0]
