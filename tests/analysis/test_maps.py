"""Maps and abundance planes against scipy's binned statistics."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels.analysis import abundance_names, as_image, binned_map, galaxy_map
from stellarlabels.exceptions import InputError, MissingColumnError


@pytest.fixture
def stars():
    random = np.random.default_rng(1)
    table = QTable({"teff": random.normal(5500, 400, 3000) * u.K, "logg": random.uniform(1, 5, 3000) * u.dex})
    table["feh"] = random.normal(-0.3, 0.3, 3000) * u.dex
    table["mg_h"] = table["feh"] + random.normal(0.1, 0.05, 3000) * u.dex
    table["mg_h"][:5] = np.nan
    table["weight"] = random.normal(0, 1, 3000)
    return table


def test_a_map_is_that_of_scipy(stars):
    limits = ((4500, 6500), (1, 5))
    table = binned_map(stars, "teff", "logg", "feh", bins=(8, 5), range=limits)
    x, y, value = (stars[name].value for name in ("teff", "logg", "feh"))
    for name, statistic in (("stars", "count"), ("mean", "mean"), ("median", "median")):
        expected, x_edges, y_edges, _ = stats.binned_statistic_2d(x, y, value, statistic, bins=(8, 5), range=limits)
        found = as_image(table, name)
        np.testing.assert_allclose(getattr(found[2], "value", found[2]), expected.T)
        np.testing.assert_allclose(found[0].to_value(u.K), x_edges)
        np.testing.assert_allclose(found[1].to_value(u.dex), y_edges)
    spread = stats.binned_statistic_2d(x, y, value, lambda some: np.std(some, ddof=1), bins=(8, 5), range=limits)
    np.testing.assert_allclose(as_image(table, "std")[2].value, spread.statistic.T, rtol=1e-9)
    assert table.meta["stars"] + table.meta["outside"] == 3000
    assert (table.meta["x"], table.meta["y"], table.meta["value"]) == ("teff", "logg", "feh")
    assert table["median"].unit == u.dex


def test_ranges_by_default_hold_nearly_all_stars(stars):
    table = binned_map(stars, "teff", "weight", bins=10)
    assert 2980 < table["stars"].sum() < 3000 and len(table) == 100
    assert table["x_low"].unit == u.K and table["y_low"].unit is None


def test_the_upper_edge_belongs_to_the_last_cell():
    table = binned_map(QTable({"a": [0.0, 1.0, 2.0]}), "a", np.array([0.0, 1.0, 2.0]), bins=2, range=((0, 2), (0, 2)))
    assert table["stars"].tolist() == [1, 0, 0, 2]


def test_nothing_to_show():
    table = QTable({"teff": np.full(4, np.nan) * u.K, "logg": np.ones(4) * u.dex})
    nothing = binned_map(table, "teff", "logg", bins=3)
    assert nothing.meta["note"] == "no star has all values" and nothing["stars"].sum() == 0 and len(nothing) == 9
    constant = binned_map(table, "logg", np.ones(4), "logg", bins=3)
    assert constant["stars"].max() == 4 and np.isnan(constant["mean"]).sum() == 8
    assert len(binned_map(table[:0], "logg", "logg", bins=2)) == 4


def test_what_maps_refuse(stars):
    with pytest.raises(MissingColumnError, match="'colour'"):
        binned_map(stars, "colour", "logg")
    with pytest.raises(InputError, match="positive integers"):
        binned_map(stars, "teff", "logg", bins=0)
    with pytest.raises(InputError, match="smallest and a largest"):
        binned_map(stars, "teff", "logg", range=((1, 1), (0, 1)))


def test_the_r_z_map():
    table = QTable({"r_gc": [8.1, 8.2, 9.9] * u.kpc, "z_gc": [0.1, 0.2, -0.9] * u.kpc, "feh": [0, 0.2, -1] * u.dex})
    out = galaxy_map(table, "feh", bins=(2, 2), range=((8, 10), (-1, 1)))
    np.testing.assert_allclose(as_image(out, "mean")[2].value, [[np.nan, -1], [0.1, np.nan]])
    assert out["x_low"].unit == u.kpc and galaxy_map(table, bins=2)["stars"].sum() > 0


def test_face_on_and_on_the_sky():
    """The center of the Galaxy and its opposite; the Sun at X = -8.122 kpc."""
    table = QTable({"ra": [266.405, 86.405] * u.deg, "dec": [-28.936, 28.936] * u.deg, "distance": [1, 2] * u.kpc})
    plane = galaxy_map(table, plane="xy", bins=(2, 2), range=((-11, -6), (-1, 1)))
    assert plane.meta["x"] == "x_gc" and as_image(plane, "stars")[2].sum(axis=0).tolist() == [1, 1]
    sky = galaxy_map(table, plane="sky", bins=(4, 2), range=((-180, 180), (-90, 90)))
    assert sky["x_low"].unit == u.deg and sky["stars"].sum() == 2
    longitude = galaxy_map(QTable({"l": [359, 181] * u.deg, "b": [0, 0] * u.deg}), plane="sky", bins=2)
    np.testing.assert_allclose([longitude["x_low"][0].value, longitude["x_high"][-1].value], [-179, -1])
    with pytest.raises(InputError, match="rz, xy, sky"):
        galaxy_map(table, plane="yz")


def test_ratios_of_two_elements(stars):
    """[C/N] against [N/H], from [C/Fe], [N/H] and [Fe/H]."""
    feh = stars["feh"]
    stars["c_fe"], stars["n_h"] = np.full(3000, 0.1) * u.dex, feh + 0.3 * u.dex
    plane = binned_map(stars, "n_h", "c_n", bins=4, rows=stars["logg"].value < 3.5)
    assert (plane.meta["x"], plane.meta["y"]) == ("n_h", "c_n") and plane["y_low"].unit == u.dex
    filled = plane[plane["stars"] > 0]
    assert (filled["y_low"].value <= -0.2).all() and (filled["y_high"].value >= -0.2 - 1e-9).all()
    for name in ("mg_alpha", "ca_fe", "nothing"):
        with pytest.raises(MissingColumnError, match=name):
            binned_map(stars, "feh", name)


def test_an_abundance_plane_from_abundances_relative_to_hydrogen(stars):
    assert abundance_names(stars) == ["mg_fe"]
    plane = binned_map(stars, "feh", "mg_fe", bins=40, range=((-2, 1), (-0.2, 0.4)))
    assert plane["stars"].sum() == 2995
    _, y_edges, image = as_image(plane, "stars")
    middle = 0.5 * (y_edges[1:] + y_edges[:-1]).value
    mean = (image.sum(axis=1) * middle).sum() / image.sum()
    assert mean == pytest.approx(0.1, abs=0.003)
    del stars["feh"]
    assert abundance_names(stars) == []
