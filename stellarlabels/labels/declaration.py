"""What a system declares, and what may be its own; the estimator does the rest."""

import numpy as np

from stellarlabels import columns, releases
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.inputs import Bridged, feature_set
from stellarlabels.labels.ensemble import kind_of


class Declaration:
    """A name, recipes, and a few functions that a system may have of its own."""

    name: str | None = None
    recipes: dict = {}
    #: Array of the features in which stars are compared with the training stars.
    compared_in = "flux"
    #: Rows whose features are held in memory at once, where they are larger than those of other systems.
    chunk: int | None = None
    #: What makes spectra of another release into those that the networks know; see `LabelEstimator.adapt`.
    bridge = None

    def __init__(self, recipe=None, **changes):
        recipe = next(iter(self.recipes)) if recipe is None else recipe
        if recipe not in self.recipes:
            raise InputError(f"recipe: {self.name} has {list(self.recipes)}, got {recipe!r}")
        self.recipe_name = recipe
        self.recipe = self.recipes[recipe].with_changes(**changes)
        self.ensemble = self.domain = self.training_stars = None
        self.history_, self.provenance_, self.weights_ = [], {}, ""

    def __repr__(self):
        state = "not trained" if self.ensemble is None else f"trained on {self.provenance_.get('stars')} stars"
        return f"<{type(self).__name__} {self.recipe_name!r}: {', '.join(self.labels)}; {state}>"

    @property
    def labels(self):
        """Names of the labels, in the order of the output's columns."""
        return self.recipe.labels

    @property
    def error_terms(self):
        """Terms of the error that are given beside the total, as columns ``<label>_err_<term>``."""
        return kind_of(self.recipe).error_terms

    @property
    def feature_set(self):
        """The `stellarlabels.inputs.FeatureSet` that makes the network's inputs."""
        own = feature_set(self.recipe.features, **self.recipe.feature_options)
        return own if self.bridge is None else Bridged(own, self.bridge)

    @property
    def release(self):
        """Name of the Gaia release of which the inputs must be; None where they do not depend on one."""
        return self.feature_set.release

    def not_applicable(self, table):
        """Stars that the system's own selection excludes (bool, shape (N,))."""
        return np.zeros(len(table), bool)

    def own_flags(self, table, values):
        """Flags (N,) of the system's authors by label, from the input and predictions by names of columns."""
        return {}

    def stars_of(self, table):
        """Which star each row is of, shape (N,): of a star all rows are left out of a training, or none."""
        key = columns.identifier(table)
        return np.arange(len(table)) if key is None else np.asarray(table[key])

    def features(self, table):
        """Inputs of the networks for a table of stars (`stellarlabels.inputs.Features`); it has to be trained."""
        self.check_trained()
        return self.feature_set.compute(columns.intake(table))

    def admitted(self, table, release):
        """A table from the intake with ``release`` in it, and what was found; `ReleaseError` if that does not fit."""
        if self.release is None:
            found = releases.of(table, release)
        else:
            found, _ = releases.require(table, self.release, release, what=f"the networks of {self.name}")
        return releases.stated(table, release), found

    def check_trained(self):
        """Raise a `NotFittedError` unless there are trained networks."""
        if self.ensemble is None:
            raise NotFittedError(f"{self.name}: train it with fit(), or take it from pretrained() or load()")
