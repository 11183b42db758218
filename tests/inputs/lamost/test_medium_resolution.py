"""The arms of medium-resolution spectra as the network gets them."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import flags
from stellarlabels.exceptions import ColumnUnitError, MissingColumnError
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.examples import mrs_synthetic_sample
from stellarlabels.inputs.lamost.medium_resolution import GRIDS, MRSArms
from stellarlabels.inputs.spectra import LIGHT


@pytest.fixture(scope="module")
def sample():
    return mrs_synthetic_sample()


@pytest.fixture
def stars(sample):
    return QTable(sample[:6], copy=True)


def test_grids_are_those_of_the_paper():
    for arm, (low, high) in {"b": (4950, 5350), "r": (6350, 6750)}.items():
        grid = GRIDS[arm]
        assert grid.size == 4000 and grid[0] == low and abs(grid[-1] - (high - 0.1)) < 1e-9
        np.testing.assert_allclose(np.diff(grid), 0.1)


def test_arms_equal_the_steps_done_one_by_one(sample):
    """Rest frame, resampling and continuum, written out for one star."""
    features = MRSArms(iterations=3).compute(sample)
    row = 5
    for arm, grid in GRIDS.items():
        wave = np.array(sample[f"wavelength_{arm}"][row].value)
        flux, good = np.array(sample[f"flux_{arm}"][row]), np.array(sample[f"ivar_{arm}"][row]) > 0
        rest = wave / (1 + sample["radial_velocity"][row].value / LIGHT)
        resampled = np.interp(grid, rest[good], flux[good])
        fine = np.interp(grid, rest, good) == 1
        x, kept = np.linspace(-1, 1, 4000), fine
        for _ in range(4):
            fit = np.polynomial.Chebyshev.fit(x[kept], resampled[kept], 4)
            residual = resampled - fit(x)
            sigma = np.sqrt(np.mean(residual[kept] ** 2))
            kept = kept & (residual >= -sigma) & (residual <= 4 * sigma)
        want = np.clip(resampled / fit(x), 0, 2)
        found = features.arrays[f"flux_{arm}"][row]
        assert fine.mean() > 0.98
        np.testing.assert_allclose(found[fine], want[fine], atol=1e-5)
        assert (found[~fine] == 1).all()


def test_arrays_and_quality(sample):
    features = MRSArms().compute(sample)
    shapes = {name: array.shape for name, array in features.arrays.items()}
    assert shapes == {"flux_b": (32, 4000), "flux_r": (32, 4000), "quality": (32, 4), "coarse": (32, 400)}
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in features.arrays.values())
    np.testing.assert_allclose(features.snr, sample["snr_b"], rtol=0.1)
    assert features.usable.all() and (features.flag == 0).mean() > 0.8
    np.testing.assert_allclose(10 ** (features.arrays["quality"][:, 1] / 2 + 1.5), sample["snr_r"], rtol=0.1)
    assert (np.median(features.arrays["flux_r"], axis=1) > 0.9).all()


def test_scale_of_the_flux_and_blocks_do_not_matter(sample, monkeypatch):
    whole = MRSArms().compute(sample)
    other = QTable(sample[::-1], copy=True)
    for arm in ("b", "r"):
        other[f"flux_{arm}"] *= 1e4
        other[f"ivar_{arm}"] *= 1e-8
    monkeypatch.setattr("stellarlabels.inputs.lamost.medium_resolution.BLOCK", 5)
    parts = MRSArms().compute(other)
    for name, array in whole.arrays.items():
        np.testing.assert_allclose(parts.arrays[name][::-1], array, atol=1e-5)


def test_the_number_of_iterations_is_a_parameter(stars):
    arrays = [MRSArms(iterations=n).compute(stars).arrays["flux_b"] for n in (0, 2, 5)]
    assert (arrays[0].mean(axis=1) > arrays[1].mean(axis=1)).all()
    assert (arrays[1].mean(axis=1) > arrays[2].mean(axis=1)).all()
    assert feature_set("lamost_mrs", iterations=2).config["iterations"] == 2


def test_missing_arms_are_flagged(stars):
    stars["ivar_b"][0] = 0
    stars["flux_r"][1] = np.nan
    stars["wavelength_b"][2] = np.nan
    stars["ivar_b"][3], stars["ivar_r"][3] = 0, 0
    features = MRSArms().compute(stars)
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "MISSING_BAND"), [1, 1, 1, 0, 0, 0])
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "NO_INPUT"), [0, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(features.usable, [1, 1, 1, 0, 1, 1])
    assert (features.arrays["flux_b"][[0, 2, 3]] == 1).all() and (features.arrays["flux_r"][1] == 1).all()
    np.testing.assert_array_equal(features.arrays["quality"][:4, 2:], [[0, 1], [1, 0], [0, 1], [0, 0]])


def test_a_table_of_one_arm(stars):
    both = MRSArms().compute(stars)
    blue = stars[[name for name in stars.colnames if not name.endswith("_r")]]
    features = MRSArms().compute(blue)
    assert flags.LABEL.has(features.flag, "MISSING_BAND").all() and features.usable.all()
    np.testing.assert_allclose(features.arrays["flux_b"], both.arrays["flux_b"], atol=1e-5)


def test_bad_pixels_are_left_out_and_become_continuum(stars):
    want = MRSArms().compute(stars)
    stars["andmask_b"] = np.zeros(stars["flux_b"].shape, np.int32)
    stars["andmask_b"][0, 1000:1100] = 1
    stars["flux_b"][0, 1000:1100] = 1e9
    stars["flux_b"][1, 1000:1100] = 0.0
    stars["ivar_b"][2, 1000:1003] = 0.0
    features = MRSArms().compute(stars)
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "BAD_SAMPLES")[:3], [True, True, False])
    for row, least in ((0, 100), (1, 100), (2, 2)):
        found, before = features.arrays["flux_b"][row], want.arrays["flux_b"][row]
        filled = found == 1
        assert filled.sum() >= least
        assert np.abs(found - before)[~filled].max() < 0.02


def test_cells_of_several_lengths(stars):
    want = MRSArms().compute(stars)
    for name in ("wavelength", "flux", "ivar"):
        for arm in ("b", "r"):
            column = stars[f"{name}_{arm}"]
            values = np.array(getattr(column, "value", column))
            cells = np.empty(len(stars), object)
            for row in range(len(stars)):
                cells[row] = values[row] if row != 1 else values[row][: 17 if name == "ivar" else None]
            stars[f"{name}_{arm}"] = cells
    features = MRSArms().compute(stars)
    np.testing.assert_array_equal(features.usable, [1, 0, 1, 1, 1, 1])
    rows = [0, 2, 3, 4, 5]
    np.testing.assert_allclose(features.arrays["flux_b"][rows], want.arrays["flux_b"][rows], atol=1e-6)


def test_what_is_missing_or_in_a_wrong_unit_is_named(stars):
    with pytest.raises(MissingColumnError, match="flux_b"):
        MRSArms().compute(stars[["source_id"]])
    with pytest.raises(MissingColumnError, match="ivar_b"):
        MRSArms().compute(stars[["flux_b", "wavelength_b"]])
    stars["wavelength_b"] = stars["wavelength_b"].value * u.K
    with pytest.raises(ColumnUnitError, match="wavelength_b"):
        MRSArms().compute(stars)


def test_wavelengths_in_other_units(stars):
    want = MRSArms().compute(stars)
    stars["wavelength_b"] = stars["wavelength_b"].to(u.nm)
    np.testing.assert_allclose(MRSArms().compute(stars).arrays["flux_b"], want.arrays["flux_b"], atol=1e-4)


def test_real_files(real_data):
    """Co-adds and single exposures of one night agree; spectra without starlight are known by their S/N."""
    from stellarlabels.archive.readers import read_lamost

    table = read_lamost(sorted((real_data / "lamost_mrs").glob("med-*")), exposures=True)
    features = MRSArms().compute(table)
    assert features.usable.all()
    night = np.array([str(name).startswith("med-58408") for name in table["spectrum"]])
    flux = features.arrays["flux_b"][night]
    assert (features.snr[night] > 25).all()
    for row in flux[1:]:
        assert np.corrcoef(row, flux[0])[0, 1] > 0.85
    dark = np.array([str(name)[:9] in ("med-58268", "med-58269") for name in table["spectrum"]])
    assert (features.snr[dark] < 2).all()


def test_masked_and_stacked_tables(stars):
    both = vstack([stars[["wavelength_b", "flux_b", "ivar_b"]], stars[["wavelength_b", "flux_b", "ivar_b"]]])
    features = MRSArms(measure=False).compute(both)
    np.testing.assert_allclose(features.arrays["flux_b"][:6], features.arrays["flux_b"][6:], atol=1e-5)


def without_red_arm(stars):
    """As a star whose red arm is not in its file comes beside others."""
    out = QTable(stars, copy=True)
    for name, value in (("flux", np.nan), ("wavelength", np.nan), ("ivar", 0.0)):
        column = out[f"{name}_r"]
        out[f"{name}_r"] = np.full(column.shape, value) * (column.unit or 1)
    return out


@pytest.mark.parametrize("count", [1, 3])
def test_stars_of_which_none_has_a_red_arm(stars, count):
    features = MRSArms().compute(without_red_arm(stars[:count]))
    assert features.usable.all() and (features.arrays["flux_r"] == 1).all()
    assert flags.LABEL.has(features.flag, "MISSING_BAND").all()


def test_a_block_without_an_arm_stops_no_other(stars, monkeypatch):
    """Blocks of two: the first has no red arm, the last has no arm at all, as spectra of low resolution have none."""
    want = MRSArms().compute(stars)
    lacking, none = without_red_arm(stars[:2]), without_red_arm(stars[:2])
    for name, value in (("flux", np.nan), ("wavelength", np.nan), ("ivar", 0.0)):
        none[f"{name}_b"] = np.full(none[f"{name}_b"].shape, value) * (none[f"{name}_b"].unit or 1)
    monkeypatch.setattr("stellarlabels.inputs.lamost.medium_resolution.BLOCK", 2)
    table = vstack([lacking, stars[2:4], none])
    features = MRSArms().compute(table)
    assert features.usable.tolist() == [True] * 4 + [False] * 2
    np.testing.assert_allclose(features.arrays["flux_b"][:4], want.arrays["flux_b"][:4], atol=1e-6)
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "NO_INPUT"), [0, 0, 0, 0, 1, 1])
    for row in range(len(table)):
        alone = MRSArms().compute(table[row : row + 1])
        assert alone.flag[0] == features.flag[row]
        for name, array in alone.arrays.items():
            np.testing.assert_allclose(array[0], features.arrays[name][row], atol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 2.0], ids=["nm as if they were Angstrom", "beyond the windows"])
def test_wavelengths_outside_of_the_windows(stars, scale):
    for arm in ("b", "r"):
        stars[f"wavelength_{arm}"] = stars[f"wavelength_{arm}"] * scale
    features = MRSArms().compute(stars)
    assert not features.usable.any() and (features.flag == flags.LABEL["NO_INPUT"]).all()


def test_descending_wavelengths_are_turned_around(stars):
    want = MRSArms().compute(stars)
    for name in ("wavelength", "flux", "ivar"):
        stars[f"{name}_b"] = stars[f"{name}_b"][:, ::-1]
    got = MRSArms().compute(stars)
    np.testing.assert_array_equal(got.arrays["flux_b"], want.arrays["flux_b"])


def test_what_stands_for_an_unknown_velocity_is_measured(stars):
    """Real velocities are found again to 1 km/s where the table says -9999, NaN, or nothing."""
    truth = stars["radial_velocity"].to_value(u.km / u.s).copy()
    stars["radial_velocity"][:3] = -9999 * u.km / u.s
    stars["z"] = [-9999.0, np.nan, -9999.0, np.nan, np.nan, np.nan]
    np.testing.assert_allclose(MRSArms().velocities(stars)[:3], truth[:3], atol=1.0)
    np.testing.assert_array_equal(MRSArms().velocities(stars)[3:], truth[3:])
    unmeasured = MRSArms(measure=False).compute(stars)
    np.testing.assert_array_equal(flags.LABEL.has(unmeasured.flag, "MISSING_VELOCITY"), [1, 1, 1, 0, 0, 0])
    assert not flags.LABEL.has(MRSArms().compute(stars).flag, "MISSING_VELOCITY").any()


def test_negative_flux_is_no_input(stars):
    for arm in ("b", "r"):
        stars[f"flux_{arm}"][0] *= -1
    features = MRSArms().compute(stars)
    np.testing.assert_array_equal(features.usable, [0, 1, 1, 1, 1, 1])
    assert features.flag[0] == flags.LABEL["NO_INPUT"]


def test_spectra_of_low_resolution_are_recognised():
    with pytest.raises(MissingColumnError, match="those of low resolution.*SolarDis"):
        MRSArms().compute(QTable({"flux": np.ones((2, 5)), "ivar": np.ones((2, 5))}))
