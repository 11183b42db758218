"""Recipes: groups of hyper-parameters, changes, and files."""

import json

import pytest

from stellarlabels.exceptions import InputError
from stellarlabels.labels import CalibrationPlan, CostOptions, Recipe, TrainOptions

BASE = Recipe(labels="feh", features="colors", network="color_mlp", network_options={"l2": 0.1, "hidden": (3,)})


def test_fields_by_themselves_and_in_groups_are_the_same():
    one = BASE.with_changes(epochs=7, cost_bins=(3, 4), cost_gamma=1.0, separate=True, calibration_axes=["color"])
    two = BASE.with_changes(
        train=TrainOptions(epochs=7),
        cost={"bins": [3, 4], "gamma": 1.0},
        per_label={"separate": True},
        calibration=CalibrationPlan(axes=("color",)),
    )
    assert one == two and one != BASE
    assert (one.train.epochs, one.cost, one.labels) == (7, CostOptions((3, 4), ("color", "feh"), 1.0), ("feh",))


def test_options_are_updated_not_replaced():
    changed = BASE.with_changes(network_options={"l2": 0.2}, error_floor={"feh": 0.02}).with_changes(
        error_floor={"teff": 20.0}
    )
    assert changed.network_options == {"l2": 0.2, "hidden": (3,)}
    assert changed.per_label.error_floor == {"feh": 0.02, "teff": 20.0}
    assert BASE.network_options["l2"] == 0.1 and BASE.per_label.error_floor == {}


def test_through_json_and_back():
    recipe = BASE.with_changes(cost_bins={"feh": (3, 4)}, calibration_noise=(0, 1), seed=4, input_noise={"feh": 1.0})
    back = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert (back.calibration, back.train, back.seed) == (recipe.calibration, recipe.train, 4)
    assert back.means_first == recipe.means_first and list(back.cost.bins["feh"]) == [3, 4]


def test_recipes_of_files_of_the_first_version():
    """All hyper-parameters on one level; calibration and combination were the class's."""
    old = {
        "labels": ["feh"], "features": "colors", "network": "color_mlp", "feature_options": {}, "network_options": {},
        "loss": "squared", "likelihoods": {}, "epochs": 9, "batch_size": 4, "learning_rate": 0.1,
        "schedule": "constant", "weight_decay": 0.0, "clip_norm": None, "patience": None, "separate": True,
        "label_ranges": {"feh": [-1, 0]}, "color_ranges": {}, "excess_epochs": 3, "input_noise": 0.0,
        "cost_bins": [3, 4], "cost_axis": "label", "cost_label": "feh", "cost_gamma": 0.5, "ensemble": 2,
        "calibrate": True, "error_floor": {}, "seed": 3,
    }  # fmt: skip
    like = BASE.with_changes(calibration_product=True, combination="single")
    recipe = Recipe.from_dict(old, like)
    assert recipe.train == TrainOptions("squared", 9, 4, 0.1)
    assert recipe.cost == CostOptions((3, 4), ("label", "feh"), 0.5)
    assert recipe.calibration.product and recipe.combination == "single" and recipe.per_label.separate


def test_wrong_changes():
    with pytest.raises(InputError, match="no such hyper-parameter: epochz; there are batch_size, "):
        BASE.with_changes(epochz=1)
    for name in ("epochs", "batch_size", "learning_rate", "ensemble"):
        for value in (0, -1, "3", None, *([] if name == "learning_rate" else [2.5])):
            with pytest.raises(InputError, match=f"{name}: expected a positive (whole )?number, got {value!r}"):
                BASE.with_changes(**{name: value})
