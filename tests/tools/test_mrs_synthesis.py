"""The forward model of medium-resolution spectra, on models of a few lines, against closed forms and astropy."""

import pickle
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.modeling.physical_models import BlackBody
from scipy.integrate import quad

from stellarlabels.inputs.lamost.medium_resolution import ARMS, GRIDS, MRSArms

LIGHT = 299792.458
LINES = {"b": 5150.0, "r": 6562.0}


@pytest.fixture(scope="module")
def tools():
    """The modules of the tools, which import each other as scripts do."""
    folder = str(Path(__file__).parents[2] / "tools")
    sys.path.insert(0, folder)
    yield {name: import_module(name) for name in ("make_mrs_spectra", "mrs_strengths", "mrs_synthesis")}
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def models(tools):
    """A line in each arm, 1 km/s wide, whose depth is 0.5 + 0.1 [Fe/H] whatever the other labels are."""
    wave, theta, scatter = {}, {}, {}
    for arm, (low, high) in ARMS.items():
        wave[arm] = np.arange(low - 15, high + 15, 0.05)
        depth = np.exp(-0.5 * ((wave[arm] - LINES[arm]) / (LINES[arm] * 10 / LIGHT)) ** 2)
        theta[arm] = np.stack([1 - 0.5 * depth, 0 * depth, 0 * depth, -0.1 * depth], axis=1)
        scatter[arm] = np.full(wave[arm].size, 1e-3)
    corners = np.array(np.meshgrid([3700.0, 8000.0], [0.5, 5.0], [-2.5, 0.5])).reshape(3, -1).T
    terms = [[(0, 1)], [(1, 1)], [(2, 1)]]
    return tools["mrs_synthesis"].Models(wave, theta, scatter, np.zeros(3), np.ones(3), corners, terms)


@pytest.fixture
def synthesis(tools, models):
    profiles = {arm: np.ones((1, grid.size)) for arm, grid in GRIDS.items()}
    return tools["mrs_synthesis"].Synthesis(models, profiles, 3)


def moments(wave, depth, line):
    """Equivalent width in km/s, mean velocity and its standard deviation."""
    velocity = (wave / line - 1) * LIGHT
    step = np.gradient(velocity)
    area = np.sum(depth * step)
    mean = np.sum(depth * velocity * step) / area
    return area, mean, np.sqrt(np.sum(depth * (velocity - mean) ** 2 * step) / area)


def test_vacuum_wavelengths(tools):
    """Fraunhofer lines in air and vacuum as the NIST database has them (D1, D2, H alpha, H beta)."""
    air = np.array([5895.92424, 5889.95095, 6562.79, 4861.35])
    vacuum = np.array([5897.55808, 5891.58333, 6564.60, 4862.71])
    np.testing.assert_allclose(tools["mrs_synthesis"].vacuum(air), vacuum, atol=0.012)


def test_rotation_is_the_transform_of_the_profile(tools):
    """The profile of Gray (2005, Eq. 18.14) integrated numerically; limb darkening 0.6."""

    def profile(v):
        root = 1 - v * v
        return (2 * 0.4 * np.sqrt(root) + 0.5 * np.pi * 0.6 * root) / (np.pi * (1 - 0.6 / 3))

    for x in (0.0, 0.5, 2.0, 7.0):
        want = quad(lambda v, x=x: profile(v) * np.cos(x * v), -1, 1)[0]
        np.testing.assert_allclose(tools["mrs_synthesis"].rotation_transform(np.array([x])), want, atol=1e-6)


def test_light_of_two_temperatures_is_that_of_black_bodies(tools):
    got = tools["mrs_synthesis"].planck_ratio(5150.0, 6000.0, 4500.0)
    bodies = [BlackBody(t * u.K)(5150 * u.AA).value for t in (4500, 6000)]
    np.testing.assert_allclose(got, bodies[0] / bodies[1], rtol=1e-5)


def test_lines_are_shifted_and_as_broad_as_resolution_and_rotation_make_them(synthesis):
    """Variances add: of the model, of the resolution, and 0.225 (v sin i)**2, the profile's second moment."""
    labels = np.tile([5000.0, 3.0, 0.0], (3, 1))
    velocity, rotation = np.array([0.0, 30.0, -50.0]), np.array([1.0, 20.0, 40.0])
    flux = synthesis.observed("b", labels, rotation, velocity, np.full(3, 7500.0))
    for row in range(3):
        area, mean, width = moments(synthesis.pixels["b"], 1 - flux[row], LINES["b"])
        want = 10**2 + (LIGHT / 7500 / 2.3548) ** 2 + 0.225 * rotation[row] ** 2
        np.testing.assert_allclose(area, 0.5 * 10 * np.sqrt(2 * np.pi), rtol=2e-3)
        np.testing.assert_allclose(mean, velocity[row], atol=0.05)
        np.testing.assert_allclose(width, np.sqrt(want), rtol=0.01)


def test_depths_follow_the_labels_and_the_file_keeps_them(tools, models, tmp_path):
    labels = np.array([[5000.0, 3.0, 0.0], [6000.0, 4.0, -1.0]])
    middle = np.argmin(np.abs(models.wavelength["r"] - LINES["r"]))
    np.testing.assert_allclose(1 - models.flux("r", labels)[:, middle], [0.5, 0.4], atol=2e-3)
    strengths = tools["mrs_strengths"].Strengths(
        {arm: np.full((grid.size, 10), 0.2) * (np.arange(10) == 0) for arm, grid in tools["mrs_strengths"].LOW.items()}
    )
    stronger = replace(models, strengths=strengths)
    stronger.write(tmp_path / "models.npz", {arm: np.ones((2, 4000)) for arm in ARMS})
    back, profiles = tools["mrs_synthesis"].Models.load(tmp_path / "models.npz")
    np.testing.assert_allclose(1 - back.flux("r", labels)[:, middle], [0.6, 0.48], atol=3e-3)
    assert profiles["b"].shape == (2, 4000)


def test_random_stars_lie_where_the_models_do(synthesis, models):
    labels = synthesis.labels(500)
    assert labels.shape == (500, 3)
    assert (labels >= models.nodes.min(axis=0)).all() and (labels <= models.nodes.max(axis=0)).all()
    assert (labels[:, 1] > 3.5).mean() > 0.3


def test_noise_is_what_the_inverse_variances_say(synthesis):
    table = synthesis.table(np.tile([5000.0, 3.0, 0.0], (40, 1)), np.full(40, 50.0), plain=True)
    calm = synthesis.pixels["b"] > LINES["b"] + 10
    flux, ivar = (np.asarray(table[name], float)[:, calm] for name in ("flux_b", "ivar_b"))
    x = np.linspace(-1, 1, calm.sum())
    pulls = []
    for row in range(40):
        good = ivar[row] > 0
        smooth = np.polynomial.Chebyshev.fit(x[good], flux[row][good], 12)(x)
        pulls.append(np.median(np.abs((flux[row] - smooth) * np.sqrt(ivar[row]))[good]) / 0.6745)
    assert min(pulls) > 0.6 and max(pulls) < 1.1  # white noise of 1, or that of co-added spectra, which is less
    assert 0.7 < np.median(pulls) < 1.02


def test_second_stars_and_missing_arms(synthesis):
    """Labels of two stars lie between theirs; a spectrum lacks one arm at most; features can be made of all."""
    labels = np.tile([6000.0, 4.3, -0.5], (200, 1))
    table = synthesis.table(labels)
    teff = table["teff"].value
    double = teff < 5999.9
    assert 0.1 < double.mean() < 0.3 and (teff > 0.75 * 6000).all() and (teff <= 6000).all()
    lacking = np.array([(np.asarray(table[f"ivar_{arm}"]) == 0).all(axis=1) for arm in "br"])
    assert not lacking.all(axis=0).any() and lacking.any()
    features = MRSArms().compute(table[:20])
    assert features.usable.all()


def test_a_seed_gives_the_same_spectra(tools, models, synthesis):
    again = tools["mrs_synthesis"].Synthesis(models, synthesis.profiles, 3)
    labels = synthesis.labels(4)
    np.testing.assert_array_equal(again.labels(4), labels)
    np.testing.assert_array_equal(again.table(labels)["flux_r"], synthesis.table(labels)["flux_r"])


def test_pickles_of_models_run_no_code(tools, tmp_path):
    path = tmp_path / "models.pkl"
    path.write_bytes(pickle.dumps({"array": np.arange(3.0)}))
    with open(path, "rb") as file:
        np.testing.assert_array_equal(tools["make_mrs_spectra"].ArraysOnly(file).load()["array"], [0, 1, 2])
    path.write_bytes(pickle.dumps(print))
    with open(path, "rb") as file, pytest.raises(pickle.UnpicklingError, match="print is not expected"):
        tools["make_mrs_spectra"].ArraysOnly(file).load()
