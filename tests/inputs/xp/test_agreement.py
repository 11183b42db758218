"""Magnitudes that are not those of the spectrum, with real stars that neither relation nor networks have seen."""

import numpy as np
import pytest
from astropy import units as u

from stellarlabels import flags, systems
from stellarlabels.columns import values
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import agreement

NAMES = ("G-J", "J-H", "H-Ks", "BP-G", "G-RP")
BANDS = {
    "G": "phot_g_mean_mag",
    "BP": "phot_bp_mean_mag",
    "RP": "phot_rp_mean_mag",
    "J": "j_m",
    "H": "h_m",
    "Ks": "ks_m",
}
INFRARED, OPTICAL = ("j_m", "h_m", "ks_m"), ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()


def with_magnitudes(stars, change):
    """The stars with other magnitudes: "other" stars', "exchanged" J and Ks, "AB", or "fainter" in G."""
    out, order = stars.copy(), np.roll(np.arange(len(stars)), 1)
    given = {
        "2MASS of another": {name: stars[name][order] for name in INFRARED},
        "Gaia's of another": {name: stars[name][order] for name in OPTICAL},
        "exchanged": {"j_m": stars["ks_m"], "ks_m": stars["j_m"]},
        "AB": {name: stars[name] + zero * u.mag for name, zero in zip(INFRARED, (0.91, 1.39, 1.85), strict=True)},
        "fainter": {"phot_g_mean_mag": stars["phot_g_mean_mag"] + 1 * u.mag},
    }
    for name, data in given[change].items():
        out[name] = data
    return out


def told(stars):
    flux, error = agreement.bins(*(values(stars, name) for name in ("flux", "flux_error")))
    magnitudes = {band: values(stars, name) for band, name in BANDS.items()}
    colors = [magnitudes[blue] - magnitudes[red] for blue, red in (name.split("-") for name in NAMES)]
    return agreement.differ(flux, error, np.stack(colors, axis=1), NAMES)


def test_stars_with_their_own_magnitudes_pass(stars):
    assert told(stars).mean() < 0.015


@pytest.mark.parametrize(
    ("change", "least"),
    [("2MASS of another", 0.8), ("Gaia's of another", 0.8), ("exchanged", 0.85), ("AB", 0.98), ("fainter", 0.98)],
)
def test_those_with_other_magnitudes_are_told(stars, change, least):
    assert told(with_magnitudes(stars, change)).mean() > least


def test_a_star_does_not_depend_on_others_and_nothing_is_told_of_what_is_missing(stars):
    wrong = with_magnitudes(stars[:40], "2MASS of another")
    assert told(wrong)[::3].tolist() == told(wrong[::3]).tolist()
    for name in BANDS.values():
        wrong[name] = np.nan * u.mag
    assert not told(wrong).any() and told(wrong[:0]).shape == (0,)
    wrong = with_magnitudes(stars[:4], "2MASS of another")
    wrong["flux"][0], wrong["flux"][1] = np.nan, 0
    assert not told(wrong)[:2].any()


def test_slopes_are_derivatives():
    rng = np.random.default_rng(1)
    flux, factors, step = rng.uniform(-0.01, 2, (3, 12)), rng.normal(size=78), 1e-6
    slopes = agreement.slopes(flux, factors)
    for place in range(11):
        moved = np.array([flux, flux])
        moved[:, :, place + 1] += step * np.array([[1], [-1]])
        numeric = (agreement.terms(moved[0]) - agreement.terms(moved[1])) @ factors / (2 * step)
        assert np.allclose(slopes[:, place], numeric, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["uacsnet", "uncertain"])
def test_labels_of_such_stars_are_not_good(stars, name):
    system = systems.get(name).pretrained().fewer(1)
    own, wrong = (system.predict(table) for table in (stars[:60], with_magnitudes(stars[:60], "AB")))
    has = flags.LABEL.has
    assert has(wrong["teff_flag"], "PHOTOMETRY_MISMATCH").mean() > 0.95 and wrong["feh_good"].mean() < 0.05
    assert not has(own["teff_flag"], "PHOTOMETRY_MISMATCH").any() and own["feh_good"].mean() > 0.9
    assert flags.LABEL.level(flags.LABEL["PHOTOMETRY_MISMATCH"]) == "caution"
