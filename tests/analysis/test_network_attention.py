"""What the shipped network looks at, on real stars that it has not seen."""

import numpy as np
import pytest
from astropy import units as u

from stellarlabels.analysis import (
    attention,
    derivative_spectra,
    observed_differences,
    simulated_differences,
    spectral_lines,
)
from stellarlabels.analysis.network_attention import red_clump
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import design_matrix
from stellarlabels.plots import attention_bars, derivative_panel
from stellarlabels.systems.uncertain import UncertainNet


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()


@pytest.fixture(scope="module")
def clump(stars):
    """Giants like those of the red clump; the sample is small, so that the limits are wider than the paper's."""
    near = (abs(stars["teff"].value - 4750) < 150) & (abs(stars["logg"].value - 2.5) < 0.5)
    return stars[near & (abs(stars["feh"].value) < 0.5)]


@pytest.fixture(scope="module")
def system():
    return UncertainNet.pretrained("apogee")


def test_attention_is_derivative_times_input(system, stars):
    """Against finite differences of the predictions, for one color."""
    table = attention(system, stars[:40])
    assert len(table) == 110 + 6 and table["teff"].unit == u.K
    assert table["feature"][55] == "RP 0" and table["feature"][-1] == "pseudo-magnitude"
    features = system.feature_set.compute(stars[:40])
    step = 1e-2
    means = []
    for sign in (-1, 1):
        moved = features[np.arange(40)]
        moved.arrays["others"] = moved.arrays["others"] + np.float32(sign * step) * np.eye(6, dtype=np.float32)[1]
        means.append(_means(system, moved))
    slope = (means[1] - means[0]) / (2 * step)
    want = np.nanstd(slope * features.arrays["others"][:, 1:2], axis=0)
    got = [table[label].value[111] for label in system.labels]
    np.testing.assert_allclose(got, want, rtol=0.05)


def _means(system, features):
    """Means of the networks without dropout."""
    from stellarlabels.networks import Propagation, jacobian_mlp as chain

    out = []
    for network in Propagation.of([member.network for member in system.ensemble.members]).networks:
        z = network._inputs(features.arrays)[0]
        x, _ = chain.forward(network.stages[0], network.parameters[0], z)
        out.append(chain.forward(network.stages[1], network.parameters[1], x)[0])
    return np.mean(out, axis=0) * system.ensemble.scale


def test_red_clump_is_the_papers(stars):
    inside = stars[red_clump(stars)]
    assert 0 < len(inside) < len(stars) / 10
    assert (abs(inside["teff"].value - 4750) <= 50).all() and (abs(inside["logg"].value - 2.5) <= 0.5).all()


def test_derivative_spectra_reproduce_the_labels(system, clump):
    """A pseudo-inverse is one: along the derivative spectrum of a label this label changes by 1, the others by 0."""
    features, jacobian, _ = system.jacobian(clump[:20])
    x = features.arrays["coefficients"].astype(float)
    weight = x.std(axis=0)
    scale = system.ensemble.scale[:, None]
    inverse = np.linalg.pinv(jacobian / scale * weight) * weight[:, None] / scale.T
    unit = np.broadcast_to(np.eye(len(system.labels)), (20, 4, 4))
    np.testing.assert_allclose((jacobian @ inverse) / scale * scale.T, unit, atol=1e-3)
    spectra = derivative_spectra(system, clump[:20])
    assert spectra.colnames == ["wavelength", *system.labels] and len(spectra) == 343
    coarse = derivative_spectra(system, clump[:20], wavelength=[400, 500] * u.nm)
    at = np.searchsorted(spectra["wavelength"].value, [400, 500])
    np.testing.assert_allclose(coarse["feh"].value, spectra["feh"].value[at], rtol=1e-4)


def mean_in(table, label, low, high):
    """Mean of a spectrum between two wavelengths, minus that of its surroundings."""
    at = table["wavelength"].to_value("nm")
    inside = (at >= low) & (at <= high)
    around = ((at >= low - 14) & (at < low - 4)) | ((at > high + 4) & (at <= high + 14))
    return np.mean(table[label].value[inside]) - np.mean(table[label].value[around])


def test_metal_rich_stars_absorb_more_in_the_blue(system, clump):
    """More iron: less flux in the lines of Fe, CN and Ca II at 380 to 400 nm, in the network and in the sky."""
    network, sky = derivative_spectra(system, clump), observed_differences(clump, ["feh"])
    at = sky["wavelength"].to_value("nm")
    blue = (at >= 380) & (at <= 400)
    assert np.mean(sky["feh"].value[blue]) < 0
    assert np.mean(network["feh"].value[blue]) < 0


@pytest.mark.parametrize(("feature", "low", "high"), [("CN", 414.2, 421.6), ("CN", 914, 935), ("Fe", 526, 543)])
def test_metal_rich_stars_have_deeper_features(system, clump, feature, low, high):
    """In CN and Fe more iron means less flux than in the surroundings, in the network and in the sky."""
    table = spectral_lines()
    assert ((table["name"] == feature) & np.isclose(table["low"].to_value("nm"), low)).any()
    assert mean_in(observed_differences(clump, ["feh"]), "feh", low, high) < 0
    assert mean_in(derivative_spectra(system, clump), "feh", low, high) < 0


def test_metal_rich_stars_have_deeper_calcium(system, clump):
    """Ca II H and K fall off the blue end, where there is no continuum: less flux than in the mean."""
    for table in (observed_differences(clump, ["feh"]), derivative_spectra(system, clump)):
        at = table["wavelength"].to_value("nm")
        assert np.mean(table["feh"].value[(at >= 393) & (at <= 397)]) < 0


def made_of_basis_functions(labels):
    """A spectrum that XP can show exactly: coefficients of a smooth spectrum, of which two change with [Fe/H]."""
    wavelength = np.arange(330.0, 1030.0, 0.25) * u.nm
    coefficients = np.zeros(110)
    coefficients[[0, 55]] = 100.0, 120.0
    coefficients[[1, 56]] += 4.0 * labels["feh"]
    return wavelength, design_matrix(wavelength) @ coefficients * 1e9


def test_simulated_differences_of_what_xp_can_show(stars):
    """The derivative is known: that of the flux over its mean redward of 415 nm, which the paper's normalisation is."""
    table = simulated_differences(made_of_basis_functions, ["feh"])
    design = design_matrix()
    ends = []
    for feh in (-0.25, 0.25):
        coefficients = np.zeros(110)
        coefficients[[0, 55]] = 100.0, 120.0
        coefficients[[1, 56]] += 4.0 * feh
        flux = design @ coefficients
        ends.append(flux / flux[table["wavelength"].value > 415].mean())
    want = (ends[1] - ends[0]) / 0.5
    inside = (table["wavelength"].value > 400) & (table["wavelength"].value < 950)
    np.testing.assert_allclose(table["feh"].value[inside], want[inside], atol=0.01 * np.abs(want).max())
    coarse = simulated_differences(made_of_basis_functions, ["feh"], wavelength=[500, 700] * u.nm, steps={"feh": 0.1})
    np.testing.assert_allclose(coarse["feh"].value, table["feh"].value[[82, 182]], atol=0.02 * np.abs(want).max())


def test_simulations_that_cannot_be_compared():
    with pytest.raises(InputError, match="none for mg_fe"):
        simulated_differences(made_of_basis_functions, ["mg_fe"])
    with pytest.raises(InputError, match="from 335 to 1021 nm"):
        simulated_differences(lambda labels: (np.arange(400.0, 900.0) * u.nm, np.ones(500)), ["feh"])


def test_lines_are_in_order():
    table = spectral_lines()
    assert {"CN", "CaHK", "Fe", "Mg", "CaT"} == set(table["name"])
    assert (table["low"] < table["high"]).all() and (np.diff(table["low"].value) > 0).all()


def test_plots(system, clump):
    bars = attention_bars(attention(system, clump), "logg")
    assert len(bars.patches) == 5 + 5 + 6
    panel = derivative_panel(derivative_spectra(system, clump), observed_differences(clump, ["feh"]), "feh")
    assert len(panel.lines) == 2


def test_too_few_stars(system, clump):
    with pytest.raises(InputError, match="at least 2 stars"):
        derivative_spectra(system, clump[:1])
    with pytest.raises(InputError, match="at least 4 stars"):
        observed_differences(clump[:3], ["feh"])
