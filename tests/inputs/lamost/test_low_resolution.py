"""SolarDis' pre-processing against straightforward loops over stars, and on made spectra."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy.interpolate import interp1d
from scipy.signal import savgol_filter

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.lamost import LINEAR_GRID, LOG_GRID, normalised

WAVE = 10 ** (3.5682 + 1e-4 * np.arange(3909))


def made(count=4, seed=1, noise=0.02):
    """Spectra with a sloping continuum, lines and noise."""
    rng = np.random.default_rng(seed)
    x = (WAVE - 6400) / 2700
    lines = sum(0.4 * np.exp(-0.5 * ((WAVE - at) / 4) ** 2) for at in (3970, 4102, 4341, 4862, 5175, 5893, 6565, 8542))
    flux = 1000 * (1 + 0.3 * x - 0.4 * x**2) * (1 - lines) * (1 + noise * rng.normal(size=(count, WAVE.size)))
    table = QTable({"obsid": np.arange(count), "flux": flux, "ivar": np.full(flux.shape, (1000 * noise) ** -2.0)})
    table["andmask"] = np.zeros(flux.shape, int)
    table["ormask"] = np.zeros(flux.shape, int)
    table["z"] = rng.normal(0, 1e-4, count)
    table.meta["wavelength"] = WAVE * u.AA
    return table


def fit(x, y, single):
    with warnings.catch_warnings(action="ignore"):
        limit = len(x) * np.finfo(np.float32).eps if single else None
        return np.polyfit(x, y, 5, rcond=limit)


def continuum(wave, flux, single=True):
    """The steps of the published code for one spectrum, one after the other."""
    model = np.polyval(fit(wave, flux, single), wave)
    sigma = np.std(model - flux)
    strong = np.flatnonzero((flux < model - 3 * sigma) | (flux > model + 3 * sigma))
    runs = np.split(strong, np.flatnonzero(np.diff(strong) > 1) + 1) if strong.size else []
    masked = np.zeros(len(wave), bool)
    for number, run in enumerate(runs):
        extra = len(run) - 1
        low = max(run[0] - extra, runs[number - 1][-1] + 1 if number else 0)
        high = min(run[-1] + extra, runs[number + 1][0] - 1 if number + 1 < len(runs) else len(wave) - 1)
        masked[low : high + 1] = True
    x, y = wave[~masked], flux[~masked]
    for _ in range(10):
        coefficients = fit(x, y, single)
        depth = np.polyval(coefficients, x) - y
        kept = depth < np.std(depth)
        x, y = x[kept], y[kept]
    return np.polyval(coefficients, wave)


def published_steps(wave, flux, bad, z):
    """What the authors' code does with one spectrum."""
    wave, flux = wave[~bad] / (1 + z), flux[~bad]
    smooth = savgol_filter(flux, 15, 7)
    blue = wave < 6000
    ratio = np.concatenate([smooth[part] / continuum(wave[part], smooth[part]) for part in (blue, ~blue)])
    out = interp1d(wave, ratio)(LINEAR_GRID)
    return np.where((out > 1.2) | (out < 0.1), 1.0, out)


def stated_steps(wave, flux, z):
    """What Section 2.2 of the paper says, for one spectrum."""
    smooth = savgol_filter(interp1d(wave / (1 + z), flux)(LINEAR_GRID), 15, 7)
    x = (2 * LINEAR_GRID - LINEAR_GRID[0] - LINEAR_GRID[-1]) / (LINEAR_GRID[-1] - LINEAR_GRID[0])
    out = smooth / continuum(x, smooth, single=False)
    return np.where((out > 1.2) | (out < 0.1), 0.0, out)


def test_code_is_the_published_steps():
    table = made()
    table["ormask"][0, 100:140] = 4
    table["andmask"][1, [0, 1, 2, 2000]] = 1
    got = normalised(table)
    for row in range(len(table)):
        bad = (np.asarray(table["andmask"][row]) | np.asarray(table["ormask"][row])) != 0
        want = published_steps(WAVE, np.asarray(table["flux"][row]), bad, table["z"][row])
        np.testing.assert_allclose(got.flux[row], want, atol=1e-6)


def test_paper_is_what_the_paper_says():
    table = made(seed=3, noise=0.1)
    table["flux"][:, 2000] = 4000
    got = normalised(table, variant="paper")
    for row in range(len(table)):
        want = stated_steps(WAVE, np.asarray(table["flux"][row]), table["z"][row])
        np.testing.assert_allclose(got.flux[row], want, atol=1e-6)
    assert got.replaced.any() and (got.flux[got.replaced] == 0).any(axis=1).all()


def test_each_spectrum_with_its_own_wavelengths():
    table = made()
    shared = normalised(table).flux
    table["wavelength"] = np.tile(WAVE, (len(table), 1)) * u.AA
    table["wavelength"][1] *= 1 + 5e-5
    table["z"][1] += 5e-5 * (1 + table["z"][1])
    np.testing.assert_allclose(normalised(table).flux, shared, atol=1e-6)


def test_pixels_beyond_the_limits():
    table = made(noise=0.003)
    table["flux"][0, 1500:1503] *= 3
    code, paper = (normalised(table, variant=name) for name in ("code", "paper"))
    at = np.searchsorted(LINEAR_GRID, WAVE[1501])
    assert code.flux[0, at] == 1 and paper.flux[0, at] == 0
    np.testing.assert_array_equal(code.replaced, [True, False, False, False])


def test_spectra_that_do_not_reach_are_unusable():
    table = made()
    table["ormask"][0, :300] = 1
    table["flux"][1] = np.nan
    for name in ("code", "paper"):
        bad = np.isnan(normalised(table, variant=name).flux).any(axis=1)
        np.testing.assert_array_equal(bad, [name == "code", True, False, False])
    features = feature_set("lamost_lrs").compute(table)
    np.testing.assert_array_equal(features.usable, [False, False, True, True])
    np.testing.assert_array_equal(flags.LABEL.has(features.flag, "NO_INPUT"), [True, True, False, False])


def test_local_continuum():
    table = made(noise=0.01)
    table["ivar"][1, 500:560] = 0
    table["flux"][2, 2000:] = 0
    table["ivar"][2, 2000:] = 0
    result = normalised(table, variant="local")
    assert result.flux.shape == (4, LOG_GRID.size) and np.isfinite(result.flux).all()
    calm = (LOG_GRID > 5300) & (LOG_GRID < 5800)
    np.testing.assert_allclose(np.median(result.flux[:, calm], axis=1), 1, atol=0.005)
    pulls = (result.flux[0, calm] - 1) / result.error[0, calm]
    assert 0.6 < pulls.std() < 1.1  # a little less than 1 for the linear interpolation
    assert (result.error[1] == 5).sum() >= 55
    np.testing.assert_array_equal(result.parts[:, 1], [True, True, False, True])
    features = feature_set("lamost_lrs", variant="local").compute(table)
    assert flags.LABEL.has(features.flag, "MISSING_BAND").tolist() == [False, False, True, False]
    assert features.usable.all() and features.arrays["flux"].shape == (4, LOG_GRID.size // 2)


def test_a_weighted_mean_of_two_pixels():
    table = made(1)
    result, features = normalised(table, variant="local"), feature_set("lamost_lrs", variant="local").compute(table)
    (one, two), (e1, e2) = result.flux[0, :2].astype(float), result.error[0, :2].astype(float)
    np.testing.assert_allclose(
        features.arrays["flux"][0, 0], np.average([one, two], weights=[e1**-2, e2**-2]), rtol=1e-5
    )
    np.testing.assert_allclose(features.arrays["error"][0, 0], (e1**-2 + e2**-2) ** -0.5, rtol=1e-5)


def test_unknown_variant():
    with pytest.raises(InputError, match="variant"):
        normalised(made(1), variant="new")
    with pytest.raises(InputError, match="variant"):
        feature_set("lamost_lrs", variant="new")


def test_no_stars():
    assert normalised(made()[:0]).flux.shape == (0, LINEAR_GRID.size)


def test_real_spectra_against_the_published_steps(real_data):
    """100 real spectra: equal to 1e-6."""
    with np.load(real_data / "lamost_lrs" / "lamost_lrs_labelled.npz", allow_pickle=False) as data:
        rows = np.arange(0, 1595, 15)
        arrays = {name: data[name][rows] for name in ("flux", "ivar", "andmask", "ormask", "z")}
        wave = data["wave"]
    bad = (arrays["andmask"] | arrays["ormask"]) != 0
    ends = [wave[~row][[0, -1]] / (1 + z) for row, z in zip(bad, arrays["z"], strict=True)]
    reaches = np.array([low <= LINEAR_GRID[0] and high >= LINEAR_GRID[-1] for low, high in ends])
    chosen = np.flatnonzero(reaches)[:100]
    table = QTable({name: array[chosen] for name, array in arrays.items() if name != "z"})
    table["z"] = columns.column("z").dress(arrays["z"][chosen])
    table.meta["wavelength"] = wave * u.AA
    want = [published_steps(wave, arrays["flux"][row].astype(float), bad[row], arrays["z"][row]) for row in chosen]
    got = normalised(table)
    assert len(chosen) == 100
    np.testing.assert_allclose(got.flux, want, atol=1e-6)


def has(features, name):
    return flags.LABEL.has(features.flag, name).tolist()


@pytest.mark.parametrize("variant", ["code", "paper", "local"])
def test_an_unknown_velocity_is_flagged_and_never_minus_9999(variant):
    """The star is taken to be at rest, as if z were 0, and the flag says so; what is known counts."""
    table = made(5)
    table["z"] = np.ma.MaskedArray([2e-4, 0.0, -9999.0, np.nan, 2e-4], [0, 1, 0, 0, 0])
    table["radial_velocity"] = [-9999.0, -9999.0, np.nan, 99999.0, 30.0] * u.km / u.s
    got = feature_set("lamost_lrs", variant=variant).compute(table)
    assert has(got, "MISSING_VELOCITY") == [False, True, True, True, False]
    assert not any(has(got, "NO_INPUT"))
    plain = made(5)
    plain["z"] = [2e-4, 0.0, 0.0, 0.0, 30 / 299792.458]
    want = feature_set("lamost_lrs", variant=variant).compute(plain)
    np.testing.assert_array_equal(got.arrays["flux"], want.arrays["flux"])
    assert not any(has(want, "MISSING_VELOCITY"))
    del plain["z"]
    assert all(has(feature_set("lamost_lrs", variant=variant).compute(plain), "MISSING_VELOCITY"))


#: Changes after which nothing of a spectrum is left for the network.
NOTHING = {
    "negative flux": lambda t: t.replace_column("flux", -t["flux"]),
    "no flux": lambda t: t.replace_column("flux", 0 * t["flux"]),
    "flux of NaN": lambda t: t.replace_column("flux", np.nan * t["flux"]),
    "all pixels masked": lambda t: t.replace_column("ormask", t["ormask"] + 1),
    "nm as if they were Angstrom": lambda t: t.meta.update(wavelength=WAVE / 10),
    "logarithms as if they were Angstrom": lambda t: t.meta.update(wavelength=np.log10(WAVE)),
    "another part of the spectrum": lambda t: t.meta.update(wavelength=WAVE + 6000),
}


@pytest.mark.parametrize("variant", ["code", "local"])
@pytest.mark.parametrize("change", NOTHING.values(), ids=NOTHING)
def test_a_spectrum_of_which_nothing_reaches_the_network_has_no_labels(change, variant):
    table = made(2)
    change(table)
    features = feature_set("lamost_lrs", variant=variant).compute(table)
    assert not features.usable.any() and has(features, "NO_INPUT") == [True, True]
    assert (features.flag == flags.LABEL["NO_INPUT"]).all()


@pytest.mark.parametrize("variant", ["code", "local"])
def test_a_spectrum_without_a_sky_that_was_real_is_flagged(variant):
    """Four fifths of the light taken off as sky: deep lines go below 0 and are cut off."""
    table = made(2)
    table["flux"][1] -= 0.8 * np.median(table["flux"][1])
    features = feature_set("lamost_lrs", variant=variant).compute(table)
    assert has(features, "BAD_SAMPLES") == [False, True] and features.usable.all()


@pytest.mark.parametrize("variant", ["code", "local"])
def test_descending_wavelengths_are_turned_around(variant):
    table = made(3)
    want = feature_set("lamost_lrs", variant=variant).compute(table)
    table.meta["wavelength"] = WAVE[::-1] * u.AA
    for name in ("flux", "ivar", "andmask", "ormask"):
        table[name] = table[name][:, ::-1]
    got = feature_set("lamost_lrs", variant=variant).compute(table)
    np.testing.assert_array_equal(got.arrays["flux"], want.arrays["flux"])


def test_spectra_of_medium_resolution_are_recognised():
    table = QTable({f"{name}_b": np.ones((2, 5)) for name in ("flux", "ivar")})
    with pytest.raises(MissingColumnError, match="those of medium resolution.*SPCANet"):
        feature_set("lamost_lrs").compute(table)


def test_flux_in_any_unit():
    table = made(2)
    want = normalised(table, variant="local")
    table["flux"] = table["flux"] * u.Unit("1e-17 erg / (s cm2 AA)")
    table["ivar"] = table["ivar"] * 1e34 * u.Unit("erg / (s cm2 AA)") ** -2
    np.testing.assert_allclose(normalised(table, variant="local").error, want.error, rtol=1e-5)
    table["ivar"] = np.asarray(table["ivar"].value) * u.K
    with pytest.raises(InputError, match="'ivar': expected the unit of 1 / flux"):
        normalised(table)
