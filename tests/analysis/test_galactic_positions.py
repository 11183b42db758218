"""Galactocentric coordinates against astropy's transformation, and their errors against closed forms."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Galactocentric, SkyCoord
from astropy.table import QTable

from stellarlabels.analysis import galactocentric, positions
from stellarlabels.analysis.galaxy import default_frame
from stellarlabels.exceptions import InputError, MissingColumnError


@pytest.fixture
def stars():
    random = np.random.default_rng(1)
    table = QTable({"source_id": np.arange(200) + 2**60})
    table["ra"], table["dec"] = random.uniform(0, 360, 200) * u.deg, random.uniform(-90, 90, 200) * u.deg
    table["distance"] = random.uniform(10, 20_000, 200) * u.pc
    return table


@pytest.mark.parametrize(
    "frame", [None, Galactocentric(galcen_distance=8 * u.kpc, z_sun=0 * u.pc, roll=3 * u.deg)], ids=["default", "own"]
)
def test_coordinates_are_those_of_astropy(stars, frame):
    out = galactocentric(stars, frame=frame)
    frame = default_frame() if frame is None else frame
    sky = SkyCoord(stars["ra"], stars["dec"], distance=stars["distance"]).transform_to(frame)
    for name in "xyz":
        np.testing.assert_allclose(out[f"{name}_gc"].to_value(u.kpc), getattr(sky, name).to_value(u.kpc), atol=1e-9)
    cylinder = sky.cylindrical
    np.testing.assert_allclose(out["r_gc"].value, cylinder.rho.to_value(u.kpc), atol=1e-9)
    difference = (out["phi_gc"].value - (180 - cylinder.phi.to_value(u.deg)) + 180) % 360 - 180
    np.testing.assert_allclose(difference, 0, atol=1e-6)
    np.testing.assert_array_equal(out["source_id"], stars["source_id"])


def test_the_sun_and_the_center():
    place = QTable({"ra": [266.4051, 0] * u.deg, "dec": [-28.936175, 0] * u.deg, "distance": [8122, 1e-6] * u.pc})
    out = galactocentric(place)
    assert out["r_gc"][0].value < 0.01
    assert out["x_gc"][1].to_value(u.kpc) == pytest.approx(-8.122, abs=1e-4)
    assert out["z_gc"][1].to_value(u.pc) == pytest.approx(20.8, abs=1e-3)
    assert out["phi_gc"][1].value == pytest.approx(0, abs=1e-6)
    ahead = QTable({"ra": [318.0043] * u.deg, "dec": [48.3296] * u.deg, "distance": [1000] * u.pc})  # l = 90, b = 0
    assert galactocentric(ahead)["y_gc"][0].value == pytest.approx(1, abs=0.01)
    assert galactocentric(ahead)["phi_gc"][0].value > 0


def test_which_distance_is_taken(stars):
    stars["parallax"] = 1 / stars["distance"].to_value(u.kpc) * u.mas
    stars["parallax_error"] = np.full(200, 1e-6) * u.mas
    stars["r_med_geo"] = stars["distance"] * 2
    expected = galactocentric(stars)
    assert expected.meta["distance_source"] == "distance"
    assert galactocentric(stars[["ra", "dec", "parallax", "r_med_geo"]]).meta["distance_source"] == "r_med_geo"
    by_parallax = galactocentric(stars, distance="parallax")
    np.testing.assert_allclose(by_parallax["r_gc"].value, expected["r_gc"].value)
    stars["distance"][:] = np.nan
    assert galactocentric(stars).meta["distance_source"] == "r_med_geo"
    given = galactocentric(stars, distance=np.full(200, 3) * u.kpc)
    np.testing.assert_allclose(given["distance"].to_value(u.pc), 3000)


def test_stars_without_a_distance_are_masked(stars):
    stars["distance"][:3] = [np.nan, 0, -5] * u.pc
    out = galactocentric(stars)
    assert out["r_gc"].mask[:3].all() and not out["r_gc"].mask[3:].any()
    stars.remove_column("distance")
    stars["parallax"] = np.r_[-1, 0, 0.4, np.full(197, 2)] * u.mas
    stars["parallax_error"] = np.full(200, 0.1) * u.mas
    out = galactocentric(stars)
    assert out["r_gc"].mask[:3].all() and not out["r_gc"].mask[3:].any()
    assert not galactocentric(stars, parallax_over_error=3)["r_gc"].mask[2]


def test_errors_from_draws(stars):
    """A star towards l = 0 at 2 kpc with a distance known to 5 %: dR = dd. Its height has hardly an error."""
    table = QTable({"ra": [266.4051] * u.deg, "dec": [-28.936175] * u.deg, "distance": [2] * u.kpc})
    table["distance_err"] = [0.1] * u.kpc
    out = galactocentric(table, samples=4000, seed=2)
    assert out["r_gc_err"][0].to_value(u.kpc) == pytest.approx(0.1, rel=0.06)
    assert out["x_gc_err"][0].to_value(u.kpc) == pytest.approx(0.1, rel=0.06)
    assert out["z_gc_err"][0].to_value(u.kpc) < 1e-3
    table.remove_column("distance_err")
    table["distance_lo"], table["distance_hi"] = [1.8] * u.kpc, [2.2] * u.kpc
    assert galactocentric(table, samples=4000)["r_gc_err"][0].value == pytest.approx(0.2, rel=0.06)
    table.remove_columns(["distance", "distance_lo", "distance_hi"])
    table["parallax"], table["parallax_error"] = [0.5] * u.mas, [0.025] * u.mas
    assert galactocentric(table, samples=4000)["r_gc_err"][0].value == pytest.approx(0.1, rel=0.06)
    table["parallax_error"] = np.nan * u.mas
    assert galactocentric(table, samples=10)["r_gc_err"].mask.all()


def test_azimuths_around_the_far_side_have_small_errors():
    table = QTable({"ra": [266.4051] * u.deg, "dec": [-28.936175] * u.deg, "distance": [16] * u.kpc})
    table["distance_err"] = [0.5] * u.kpc
    out = galactocentric(table, samples=500)
    assert abs(out["phi_gc"][0].value) > 179 and out["phi_gc_err"][0].value < 1


def test_positions_takes_columns_that_are_there(stars):
    out = galactocentric(stars)
    np.testing.assert_array_equal(positions(stars)[0], out["r_gc"].value)
    assert positions(QTable({"r_gc": [9] * u.kpc, "z_gc": [500] * u.pc}))[1] == [0.5]


def test_what_is_refused(stars):
    with pytest.raises(MissingColumnError, match="r_med_geo"):
        galactocentric(stars[["ra", "dec"]])
    with pytest.raises(InputError, match="expected auto"):
        galactocentric(stars, distance="teff")
    with pytest.raises(InputError, match="expected 200 values"):
        galactocentric(stars, distance=np.ones(3) * u.kpc)
