"""Spoiled copies of LAMOST low-resolution spectra."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.inputs import feature_set
from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.inputs.lamost.damage import KINDS, damaged

GRID = 10 ** (3.5682 + 1e-4 * np.arange(3909))


@pytest.fixture(scope="module")
def stars():
    """Spectra with lines, of other depths and velocities, and noise of 1 %."""
    random = np.random.default_rng(1)
    lines = np.concatenate([[3934.8, 4102.9, 4341.7, 4862.7, 5891.6, 6564.6], np.arange(4000, 8700, 37)])
    z = random.normal(0, 3e-4, 30)
    depth = random.uniform(0.1, 0.5, (30, lines.size))
    flux = (5000 / GRID) ** 5 / np.expm1(1.4388e8 / GRID / random.uniform(4500, 7500, (30, 1)))
    for index, line in enumerate(lines):
        at = line * (1 + z[:, None])
        flux *= 1 - depth[:, [index]] * np.exp(-0.5 * ((GRID - at) / 2) ** 2)
    flux *= 1 + 0.01 * random.normal(size=flux.shape)
    table = QTable({"obsid": np.arange(30), "flux": flux, "ivar": (100 / flux) ** 2, "z": z})
    table["andmask"] = np.zeros(flux.shape, int)
    table.meta["wavelength"] = GRID * u.AA
    return table


@pytest.mark.parametrize("name", KINDS)
def test_damage_grows_with_its_severity(stars, name):
    """In what the networks see; rows and columns stay those of the stars."""
    inputs = feature_set("lamost_lrs", variant="local", width=31)
    before, change = inputs.compute(stars).arrays["flux"], []
    for severity in (0.05, 1.0):
        copies, found, kinds = damaged(stars, [name], severity, seed=2)
        assert set(kinds) == {name} and np.all(found == severity)
        np.testing.assert_array_equal(copies["obsid"], stars["obsid"])
        features = inputs.compute(copies)
        assert features.usable.all() and np.isfinite(features.arrays["flux"]).all()
        change.append(np.mean(np.abs(features.arrays["flux"] - before)))
    assert 0 < change[0] < change[1]


def test_each_star_is_spoiled_in_one_way_drawn_at_random(stars):
    _, severity, kinds = damaged(stars, seed=3)
    _, again, same = damaged(stars, seed=3)
    assert len(set(kinds)) > 8 and severity.min() >= 0.05 and severity.max() <= 1
    np.testing.assert_array_equal(severity, again)
    np.testing.assert_array_equal(kinds, same)


def test_a_second_star_has_its_own_velocity(stars):
    """Of two equal stars with one line the sum has two, 80 to 400 km/s apart, which are half as deep."""
    two = stars[:2].copy()
    two["flux"] = np.tile(1 - 0.6 * np.exp(-0.5 * ((GRID - 6564.6) / 1) ** 2), (2, 1))
    two["ivar"], two["z"] = np.full((2, GRID.size), 1e4), np.zeros(2)
    flux = damaged(two, ["double_lined"], 1.0, seed=5)[0]["flux"]
    for row in flux / np.median(flux, axis=1, keepdims=True):
        # of two rows one may be its own companion; either way there is a line elsewhere
        deep = GRID[row < 0.8]
        first, second = deep[np.abs(deep - 6564.6) < 1], deep[np.abs(deep - 6564.6) > 1]
        assert first.size and second.size
        speed = np.abs(second / 6564.6 - 1) * 299792.458
        assert 60 < speed.min() <= speed.max() < 440
        assert abs(row.min() - 0.7) < 0.08


def test_spectra_with_wavelengths_of_their_own(stars):
    """As `read_lamost` gives them, in cells."""
    cells = stars[:4].copy()
    cells["wavelength"] = np.tile(GRID, (4, 1)) * (1 + 1e-5 * np.arange(4)[:, None]) * u.AA
    copies, *_ = damaged(cells, ["shifted"], 0.5, seed=1)
    assert copies["flux"].shape == (4, GRID.size) and "wavelength" not in copies.colnames


def test_noise_that_is_added_is_as_much_as_was_asked_for(stars):
    inputs = feature_set("lamost_lrs", variant="local", width=31)
    features = inputs.compute(stars)
    noisy = inputs.add_noise(features, 3.0, seed=1)
    np.testing.assert_allclose(noisy.snr, features.snr / 2)
    pull = (noisy.arrays["flux"] - features.arrays["flux"]) / features.arrays["error"]
    assert abs(pull[np.abs(features.arrays["error"]) < 0.1].std() - np.sqrt(3)) < 0.02


@pytest.fixture(scope="module")
def arms():
    """Spectra of medium resolution, whose two arms are spoiled together."""
    return mrs_synthetic_sample()[:24]


@pytest.mark.parametrize("name", KINDS)
def test_damage_of_two_arms_grows_with_its_severity(arms, name):
    inputs = feature_set("lamost_mrs")
    before, change = inputs.compute(arms).arrays["coarse"], []
    for severity in (0.05, 1.0):
        copies = damaged(arms, [name], severity, seed=2, arms=("_b", "_r"))[0]
        assert {"flux_b", "ivar_b", "flux_r", "ivar_r", "z"} <= set(copies.colnames)
        assert copies["flux_b"].shape[1] == copies.meta["wavelength_b"].size
        features = inputs.compute(copies)
        change.append(np.mean(np.abs(features.arrays["coarse"] - before)))
    assert change[0] < change[1] > 1e-3


def test_a_table_with_one_arm(arms):
    blue = arms[[name for name in arms.colnames if not name.endswith("_r")]]
    copies, severity = feature_set("lamost_mrs").damaged(blue, seed=1)
    assert len(copies) == len(severity) == len(arms) and "flux_r" not in copies.colnames
