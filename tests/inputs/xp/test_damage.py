"""Spoiled copies of XP spectra."""

import numpy as np
import pytest

from stellarlabels import columns
from stellarlabels.archive.sample import xp_apogee_sample
from stellarlabels.inputs.xp import WAVELENGTH
from stellarlabels.inputs.xp.damage import KINDS, damaged


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()[:60]


def plain(table):
    """Flux (N, 343) without mask and unit."""
    return np.ma.filled(columns.without_unit(table["flux"]), np.nan)


@pytest.mark.parametrize("name", KINDS)
def test_damage_grows_with_its_severity(stars, name):
    """Of the flux in units of its median: more is changed, and the row stays that of the star."""
    change = []
    for severity in (0.1, 0.5, 1.0):
        copies, found, kinds = damaged(stars, [name], severity, seed=2)
        assert set(kinds) == {name} and np.all(found == severity) and copies["flux"].unit == stars["flux"].unit
        np.testing.assert_array_equal(copies["source_id"], stars["source_id"])
        flux, before = plain(copies), plain(stars)
        assert np.isfinite(flux).all() and flux.shape == (60, WAVELENGTH.size)
        level = np.median(before, axis=1, keepdims=True)
        change.append(np.mean(np.abs(flux - before) / level))
    assert 0 < change[0] < change[-1]
    assert change[0] < change[1] or name == "shifted"


def test_each_star_is_spoiled_in_one_way_drawn_at_random(stars):
    _, severity, kinds = damaged(stars, seed=3)
    _, again, same = damaged(stars, seed=3)
    assert len(set(kinds)) > 10 and severity.min() >= 0.05 and severity.max() <= 1
    np.testing.assert_array_equal(severity, again)
    np.testing.assert_array_equal(kinds, same)


def test_shifts_move_a_line(stars):
    """A line at 500 nm of a spectrum shifted by 30 nm is at 470 or 530 nm."""
    one = stars[:1].copy()
    one["flux"] = (0.1 + np.exp(-0.5 * ((WAVELENGTH - 500) / 10) ** 2))[None] * one["flux"].unit
    copies, _, _ = damaged(one, ["shifted"], 1.0, seed=4)
    at = WAVELENGTH[np.argmax(plain(copies)[0])]
    assert abs(abs(at - 500) - 30) <= 2
