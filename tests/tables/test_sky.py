"""Positions at an epoch: uniform motion against astropy, and the forms in which epochs and radii may come."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable
from astropy.time import Time

from stellarlabels.exceptions import InputError, MissingUnitWarning
from stellarlabels.tables import sky

ARCSEC = (1 * u.arcsec).to_value(u.rad)


def moving_stars(n=500, seed=1):
    random = np.random.default_rng(seed)
    return QTable(
        {
            "ra": random.uniform(0, 360, n) * u.deg,
            "dec": np.degrees(np.arcsin(random.uniform(-1, 1, n))) * u.deg,
            "pmra": random.normal(0, 3000, n) * u.mas / u.yr,
            "pmdec": random.normal(0, 3000, n) * u.mas / u.yr,
            "ref_epoch": np.full(n, 2016.0) * u.yr,
        }
    )


def test_uniform_motion_is_that_of_astropy():
    table = moving_stars()
    stars, rows = sky.Stars.read(table)
    assert (rows == np.arange(len(table))).all()
    before = SkyCoord(
        table["ra"],
        table["dec"],
        pm_ra_cosdec=table["pmra"],
        pm_dec=table["pmdec"],
        distance=1 * u.pc,
        radial_velocity=0 * u.km / u.s,
        obstime=Time(2016.0, format="jyear", scale="tdb"),
    )
    after = before.apply_space_motion(new_obstime=Time(1950.0, format="jyear", scale="tdb"))
    expected = SkyCoord(after.ra, after.dec).cartesian.xyz.value.T
    assert sky.separations(stars.at(1950.0), expected).max() < 1e-6 * ARCSEC


def test_perspective_acceleration_of_an_approaching_star():
    # A star at 10 au that passes at 1 au/yr along y while it approaches at 2 au/yr: after 3 yr it is at (4, 3, 0) au.
    years_per_au = (1 * u.au / u.yr).to_value(u.km / u.s)
    table = QTable(
        {
            "ra": [0.0] * u.deg,
            "dec": [0.0] * u.deg,
            "pmra": [0.1] * u.rad / u.yr,
            "pmdec": [0.0] * u.rad / u.yr,
            "parallax": [0.1] * u.rad,
            "radial_velocity": [-2 * years_per_au] * u.km / u.s,
        }
    )
    stars, _ = sky.Stars.read(table, 2000.0)
    np.testing.assert_allclose(stars.at(2003.0), [[0.8, 0.6, 0.0]], atol=1e-12)


def test_negative_parallax_and_missing_velocity_give_no_perspective_acceleration():
    table = moving_stars(3)
    table["parallax"] = [-1.0, 5.0, np.nan] * u.mas
    table["radial_velocity"] = [100.0, np.nan, 100.0] * u.km / u.s
    stars, _ = sky.Stars.read(table)
    assert (stars.radial == 0).all()


@pytest.mark.parametrize(
    "given",
    [2010.5, 2010.5 * u.yr, Time(2010.5, format="jyear"), np.full(4, 2010.5), Time([2010.5] * 4, format="jyear")],
)
def test_epoch_forms(given):
    np.testing.assert_allclose(sky.epoch(moving_stars(4), given, "left_epoch"), 2010.5)


def test_epoch_of_the_table():
    table = moving_stars(4)
    np.testing.assert_array_equal(sky.epoch(table, None, "left_epoch"), 2016.0)
    table.remove_column("ref_epoch")
    assert sky.epoch(table, None, "left_epoch") is None


@pytest.mark.parametrize("given", ["J2000", 2000 * u.m, [2000.0, 2001.0], np.nan])
def test_what_is_no_epoch(given):
    with pytest.raises(InputError, match="right_epoch"):
        sky.epoch(moving_stars(3), given, "right_epoch")


def test_star_with_a_masked_epoch_stays():
    table = moving_stars(2)
    table["ref_epoch"] = MaskedColumn([2016.0, 2016.0], mask=[False, True], unit="yr")
    stars, _ = sky.Stars.read(table)
    assert sky.separations(stars.at(2000.0), stars.direction)[1] == 0
    assert sky.separations(stars.at(2000.0), stars.direction)[0] > 0


def test_radius_without_unit_warns_and_is_in_arcsec():
    with pytest.warns(MissingUnitWarning, match="radius"):
        assert sky.angle(2.0, "radius") == pytest.approx(2 * ARCSEC)


@pytest.mark.parametrize("value", [0 * u.deg, -1 * u.arcsec, 181 * u.deg, np.nan * u.deg, 1 * u.m, [1, 2] * u.deg])
def test_what_is_no_radius(value):
    with pytest.raises(InputError, match="radius"):
        sky.angle(value, "radius")


def test_poles_are_no_exception_to_the_radius():
    first = sky.Stars.read(QTable({"ra": [0.0, 10.0] * u.deg, "dec": [90.0, 0.0] * u.deg}))[0].direction
    second = sky.Stars.read(QTable({"ra": [123.0, 10.0] * u.deg, "dec": [89.0, 1.0] * u.deg}))[0].direction
    assert len(sky.neighbors(first, second, np.radians(1.0) * (1 - 1e-12))[0]) == 0
    i, j, separation = sky.neighbors(first, second, np.radians(1.0) * (1 + 1e-12))
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 0), (1, 1)]
    np.testing.assert_allclose(separation, np.radians(1.0), rtol=1e-13)
