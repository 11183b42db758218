"""Radial velocities measured by cross-correlation."""

import numpy as np
import pytest

from stellarlabels import flags
from stellarlabels.columns import column
from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.inputs.lamost.medium_resolution import GRIDS, MRSArms, templates
from stellarlabels.inputs.spectra import LIGHT, measure_velocity


@pytest.fixture
def stars():
    return mrs_synthetic_sample()


def test_velocities_of_synthetic_stars_are_found(stars):
    truth = stars["radial_velocity"].value
    stars.remove_column("radial_velocity")
    found = MRSArms().velocities(stars)
    assert np.median(np.abs(found - truth)) < 1.5
    assert np.abs(found - truth).max() < 8
    assert np.ptp(truth) > 100


@pytest.mark.parametrize("columns", [["radial_velocity"], ["rv_b", "rv_r"], ["z"]])
def test_velocities_of_the_table_count(stars, columns):
    truth = stars["radial_velocity"].value
    stars.remove_column("radial_velocity")
    for name in columns:
        stars[name] = column(name).dress(truth / LIGHT if name == "z" else truth)
    np.testing.assert_allclose(MRSArms().velocities(stars), truth, atol=1e-9)


def test_only_the_unknown_ones_are_measured(stars):
    known = stars["radial_velocity"].value + 25.0
    mask = np.arange(len(stars)) % 2 == 0
    stars["radial_velocity"] = column("radial_velocity").dress(np.ma.MaskedArray(known, mask=mask))
    found = MRSArms().velocities(stars)
    np.testing.assert_allclose(found[~mask], known[~mask])
    np.testing.assert_allclose(found[mask], known[mask] - 25, atol=8)
    np.testing.assert_array_equal(MRSArms(measure=False).velocities(stars)[mask], 0)


def seen(velocity, share=0.0, other=0.0, template=6):
    """A template as two stars with velocities would show it, in both arms."""
    out = {}
    for arm, grid in GRIDS.items():
        rest = templates()[arm][template]
        one, two = (np.interp(grid, grid * (1 + v / LIGHT), rest) for v in (velocity, other))
        ratio = ((1 - share) * one + share * two)[None]
        out[arm] = grid, ratio, np.ones(ratio.shape, bool), np.array([50.0])
    return out


@pytest.mark.parametrize("velocity", [-500.0, -33.3, 0.0, 7.0, 480.0])
def test_shifted_templates(velocity):
    found, second = measure_velocity(seen(velocity), templates())
    assert abs(found[0] - velocity) < 0.5
    assert second[0] < 0.05


def test_one_arm_is_enough_and_none_gives_nothing():
    arms = seen(50.0)
    for arm in ("b", "r"):
        assert abs(measure_velocity({arm: arms[arm]}, templates())[0][0] - 50) < 0.5
    grid, ratio, good, _ = arms["b"]
    empty = {"b": (grid, np.ones_like(ratio), ~good, np.array([np.nan]))}
    assert measure_velocity(empty, templates())[0][0] == 0


def test_lines_of_a_second_star_are_seen():
    first, second = measure_velocity(seen(-60.0, share=0.35, other=60.0), templates())
    assert abs(first[0] + 60) < 5
    assert 0.3 < second[0] < 0.8
    assert measure_velocity(seen(-60.0, share=0.35, other=-40.0), templates())[1][0] < 0.1


def test_real_double_lined_star_is_flagged_when_its_lines_are_apart(real_data):
    """KIC 8098300: lines of two stars on one night (MJD 58643), on each other 19 days before."""
    from stellarlabels.archive.readers import read_lamost

    folder = real_data / "lamost_mrs"
    table = read_lamost([*folder.glob("med-58625*"), *folder.glob("med-58644*"), *folder.glob("med-58408*")])
    features = MRSArms().compute(table)
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "DOUBLE_LINED"), [False, True, False])
    np.testing.assert_allclose(MRSArms().velocities(table), [-3.4, -62.0, -52.4], atol=2)
