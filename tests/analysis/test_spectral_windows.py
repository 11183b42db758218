"""Importance of wavelengths, on networks of which the answer is known."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.analysis import importance
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.inputs.base import Features
from stellarlabels.labels.ensemble import Ensemble, Member
from stellarlabels.labels.recipe import Recipe

PIXELS = 40


class Spectra:
    """A feature set that takes the column ``flux`` as it is."""

    wavelengths = {}

    def compute(self, table):
        count = len(table)
        nothing = np.full(count, np.nan)
        flux = np.asarray(table["flux"], np.float32)
        usable = np.isfinite(flux).all(axis=1)
        return Features({"flux": flux}, np.zeros(count, int), usable, nothing, nothing, nothing, nothing)


class System:
    """A trained system whose first label is linear and whose second is quadratic in a few pixels."""

    name, recipe_name, labels = "made", "made", ("teff", "feh")
    recipe = Recipe(labels=("teff", "feh"), features="", network="")
    feature_set = Spectra()

    def __init__(self, square=True):
        import keras
        from keras import layers

        flux = keras.Input((PIXELS,), name="flux")
        teff = layers.Dense(1, kernel_initializer=lambda shape, dtype=None: _only({3: 2.0, 7: -1.0}))(flux)
        feh = layers.Dense(1, kernel_initializer=lambda shape, dtype=None: _only({5: 1.0}))(flux)
        feh = feh * feh if square else feh
        out = layers.Concatenate()([teff, feh, 0 * teff, 0 * feh])
        members = [Member(keras.Model({"flux": flux}, out), (0, 1))]
        self.ensemble = Ensemble(self.recipe, np.zeros(2), np.array([100.0, 0.5]), members)

    def features(self, table):
        if self.ensemble is None:
            raise NotFittedError("made: train it with fit()")
        return self.feature_set.compute(table)


def _only(values):
    out = np.zeros((PIXELS, 1), np.float32)
    for pixel, value in values.items():
        out[pixel] = value
    return out


@pytest.fixture(scope="module")
def system():
    return System()


@pytest.fixture(scope="module")
def stars():
    return QTable({"flux": np.random.default_rng(1).normal(1, 0.1, (50, PIXELS)).astype(np.float32)})


def test_gradients(system, stars):
    found = importance(system, stars)
    spread = np.asarray(stars["flux"]).std(axis=0)
    np.testing.assert_allclose(found["teff"][[3, 7]].value, [200 * spread[3], 100 * spread[7]], rtol=1e-4)
    assert (np.delete(found["teff"].value, [3, 7]) == 0).all() and (np.delete(found["feh_share"], 5) == 0).all()
    np.testing.assert_allclose(found["teff_share"].sum(), 1)
    np.testing.assert_array_equal(found["pixel"], np.arange(PIXELS))


def test_derivatives_have_signs(system, stars):
    found = importance(system, stars, method="derivative")
    np.testing.assert_allclose(found["teff"][[3, 7]].value, [200, -100], rtol=1e-5)
    np.testing.assert_allclose(found["feh"][5].value, 0.5 * 2 * np.mean(stars["flux"][:, 5]), rtol=1e-4)


def test_groups_of_lines(system, stars, monkeypatch):
    """Pixels 3 and 7 at 390 and 410 nm: Ca H and K begin at 393.4 nm, the second band of CN ends at 421.6 nm."""
    with pytest.raises(InputError, match="wavelengths"):
        importance(system, stars, lines=True)
    grid = np.linspace(375, 375 + 5 * (PIXELS - 1), PIXELS) * u.nm
    monkeypatch.setattr(Spectra, "wavelengths", {"flux": grid})
    found, pixels = importance(system, stars, lines=True), importance(system, stars)
    assert found["feature"].tolist()[-1] == "other" and found["pixels"].sum() == PIXELS
    np.testing.assert_allclose(found["teff_share"].sum(), 1, rtol=1e-6)
    rows = {name: row for name, row in zip(found["feature"], found, strict=True)}
    assert rows["other"]["teff"] == pixels["teff"][[3, 7]].sum() and rows["CN"]["teff"] == 0
    assert rows["CN"]["feh"] == 0 and rows["other"]["feh"] == pixels["feh"][5]
    inside = (grid >= 393.4 * u.nm) & (grid <= 396.8 * u.nm)
    assert rows["CaHK"]["pixels"] == inside.sum() == 1


def test_integrated_gradients_add_up(system, stars):
    """With one pixel the value is the difference from the mean star exactly."""
    found = importance(system, stars, method="integrated", samples=8)
    x = np.asarray(stars["flux"], float)
    np.testing.assert_allclose(
        found["feh"][5].value, 0.5 * np.abs(x[:, 5] ** 2 - x[:, 5].mean() ** 2).mean(), rtol=1e-3
    )
    deviation = np.abs(x - x.mean(axis=0)).mean(axis=0)
    np.testing.assert_allclose(found["teff"][[3, 7]].value, [200 * deviation[3], 100 * deviation[7]], rtol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_shapley_values_of_a_linear_network(stars):
    """For independent pixels they are slope times distance from the mean."""
    pytest.importorskip("shap")
    found = importance(System(square=False), stars, method="shapley", samples=200)
    x = np.asarray(stars["flux"], float)
    want = np.abs(x - x.mean(axis=0)).mean(axis=0)
    np.testing.assert_allclose(found["teff"][[3, 7]].value, [200 * want[3], 100 * want[7]], rtol=0.15)
    np.testing.assert_allclose(found["feh"][5].value, 0.5 * want[5], rtol=0.15)
    assert (np.delete(found["teff"].value, [3, 7]) == 0).all()


def test_errors(system, stars):
    with pytest.raises(InputError, match="method"):
        importance(system, stars, method="guess")
    with pytest.raises(InputError, match="arrays"):
        importance(system, stars, arrays=["error"])
    with pytest.raises(InputError, match="no star"):
        importance(system, QTable({"flux": np.full((2, PIXELS), np.nan)}))
    empty = System()
    empty.ensemble = None
    with pytest.raises(NotFittedError, match="train"):
        importance(empty, stars)
