"""What makes one trained system differ from another: a recipe of plain values, and what a system declares."""

from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real

import numpy as np

from stellarlabels import columns, releases
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.inputs import Bridged, feature_set
from stellarlabels.labels.ensemble import kind_of
from stellarlabels.labels.uncertainty import CalibrationPlan


@dataclass(frozen=True)
class TrainOptions:
    """How a network is trained; see ``stellarlabels.networks.train``.

    Parameters
    ----------
    loss : {"gaussian", "student_t", "squared", "propagated_gaussian", "propagated_student_t", "taught", "taught_terms"}
        Likelihood, by its name in the registry of ``stellarlabels.networks.losses``; the last two are of students.
    epochs, batch_size, learning_rate, schedule, weight_decay, clip_norm, patience
        ``patience=None`` means no early stopping.
    decay : {"decoupled", "l2"}
        What ``weight_decay`` means: each step takes this share, times the learning rate, from the weights (AdamW); or
        so many times the weights are added to the gradients, as PyTorch's Adam does.
    epsilon : float
        What Adam adds to the root of the second moment.
    order : {"shuffled", "fixed"}
        Whether stars are dealt to batches anew in each epoch, or once, in a random order.
    left_out : float
        Share of the stars that each network leaves out, where `LabelEstimator.fit` is told of no other.
    """

    loss: str = "gaussian"
    epochs: int = 100
    batch_size: int = 512
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    decay: str = "decoupled"
    epsilon: float = 1e-7
    order: str = "shuffled"
    left_out: float = 0.0

    def settings(self):
        """Those that ``stellarlabels.networks.train`` takes for one loss and number of epochs (dict)."""
        return {name: value for name, value in asdict(self).items() if name not in ("loss", "epochs", "left_out")}


@dataclass(frozen=True)
class MeansFirst:
    """How networks on colors are trained: for losses that know no errors the means first, then the layers for errors.

    Parameters
    ----------
    excess_epochs : int
        Epochs in which only the layers for errors are trained, with the loss "gaussian".
    input_noise : float or dict of str to float
        How many times the errors of a star's magnitudes are added to its colors as noise while the means are trained
        (with other losses: all of the network), perhaps different for each label (0 for those not named).
    """

    excess_epochs: int = 0
    input_noise: float | dict = 0.0


@dataclass(frozen=True)
class CostOptions:
    """Cost-sensitive weights of the training stars; see ``stellarlabels.networks.cost_weights``.

    Parameters
    ----------
    bins : tuple of int, dict of str to tuple of int, or None
        Bins on the two axes, perhaps different for each label; None for equal weights.
    axes : tuple of str
        Two of: "color"; "label", the label itself, for separate networks; the name of a label of the training table.
    gamma : float or dict of str to float
        Strength of the weights, perhaps different for each label.
    """

    bins: tuple | dict | None = None
    axes: tuple = ("color", "feh")
    gamma: float | dict = 0.5


@dataclass(frozen=True)
class LabelOptions:
    """What holds for single labels.

    Parameters
    ----------
    separate : bool
        Whether each label has a network of its own, trained on the stars that have this label.
    likelihoods : dict of str to str
        Labels whose likelihood is "parallax": absolute magnitudes that are known through parallaxes; see
        ``stellarlabels.labels.training``. The loss of the other labels is then "student_t".
    label_ranges, color_ranges : dict of str to tuple of float
        Smallest and largest value of a label, and of the color of its stars, within which the label is trained and
        holds; outside predictions are flagged. Labels that are not named have the range of their training stars.
    error_floor : dict of str to float
        Lower limit of the predicted error of a label, in the label's unit.
    snr_ranges : dict of str to float
        S/N of the spectrum behind a label (column ``snrg``) above which the label is trained.
    """

    separate: bool = False
    likelihoods: dict = field(default_factory=dict)
    label_ranges: dict = field(default_factory=dict)
    color_ranges: dict = field(default_factory=dict)
    error_floor: dict = field(default_factory=dict)
    snr_ranges: dict = field(default_factory=dict)


#: Groups of hyper-parameters, and what comes in front of the names of their fields when one is given by itself.
_GROUPS = {
    "train": (TrainOptions, ""),
    "means_first": (MeansFirst, ""),
    "cost": (CostOptions, "cost_"),
    "per_label": (LabelOptions, ""),
    "calibration": (CalibrationPlan, "calibration_"),
}
_FLAT = {prefix + item.name: (group, item.name) for group, (kind, prefix) in _GROUPS.items() for item in fields(kind)}
#: Dictionaries that are updated, not replaced, when a recipe is changed.
_UPDATED = ("feature_options", "network_options", "error_floor")


@dataclass(frozen=True, init=False)
class Recipe:
    """Everything that decides how a system is built and trained, as plain values that travel in a saved model.

    Parameters
    ----------
    labels : tuple of str
        Labels to predict, by their names in the vocabulary, or as the system declares them.
    features : str
        Feature set; see `stellarlabels.inputs`.
    network : str
        Network; see `stellarlabels.networks`.
    **options
        ``feature_options``, ``network_options`` : dict
            Options of the feature set and of the network.
        ``train``, ``means_first``, ``cost``, ``per_label``, ``calibration``
            Groups of hyper-parameters: `TrainOptions`, `MeansFirst`, `CostOptions`, `LabelOptions`,
            `stellarlabels.labels.CalibrationPlan`, or dicts of some of their fields. Each field can also be
            given by itself: ``epochs=300``, ``cost_gamma=0.5``, ``calibration_axes=("magnitude",)``.
        ``combination`` : {"mixture", "single", "propagated"}
            How the networks of an ensemble are combined; see ``stellarlabels.labels.ensemble``.
        ``ensemble`` : int
            Number of networks, trained from different seeds, whose predictions are combined.
        ``calibrate`` : bool
            Whether predicted errors are recalibrated on the validation stars, if there are any.
        ``seed`` : int
            Start of all random numbers.

    Raises
    ------
    InputError
        As of `with_changes`.
    """

    labels: tuple
    features: str
    network: str
    feature_options: dict
    network_options: dict
    train: TrainOptions
    means_first: MeansFirst
    cost: CostOptions
    per_label: LabelOptions
    calibration: CalibrationPlan
    combination: str
    ensemble: int
    calibrate: bool
    seed: int

    def __init__(self, labels, features, network, **options):
        start = {name: kind() for name, (kind, _) in _GROUPS.items()}
        start |= {"feature_options": {}, "network_options": {}, "combination": "mixture"}
        start |= {"ensemble": 1, "calibrate": True, "seed": 0}
        changes = {"labels": labels, "features": features, "network": network, **options}
        self._set(start, changes)

    def _set(self, start, changes):
        """Take values (dict) with changes."""
        for name, value in _changed(start, changes).items():
            object.__setattr__(self, name, value)

    def with_changes(self, **changes):
        """A copy with some values changed; the two ``_options`` and ``error_floor`` dicts are updated, not replaced.

        Parameters
        ----------
        **changes
            As the options of the constructor.

        Returns
        -------
        Recipe

        Raises
        ------
        InputError
            If a name is not one of a recipe, or a number that must be positive is not.
        """
        out = object.__new__(Recipe)
        out._set(vars(self), changes)
        return out

    @property
    def student(self):
        """Whether a network is trained to say what others say, not towards labels."""
        return self.train.loss.startswith("taught")

    def to_dict(self):
        """The recipe as plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values, like=None):
        """The inverse of `to_dict`, also after a trip through JSON.

        Parameters
        ----------
        values : dict
            Files of format version 1 have all hyper-parameters on one level.
        like : Recipe, optional
            Has the calibration and the combination that such files leave to the class of the system.

        Returns
        -------
        Recipe
        """
        values = dict(values)
        if "train" not in values:  # format version 1
            values["cost_axes"] = values.pop("cost_axis", "color"), values.pop("cost_label", "feh")
            if like is not None:
                values |= {"calibration": like.calibration, "combination": like.combination}
        return cls(**values)


def _changed(values, changes):
    """Values of a recipe (dict) after changes, which may name single fields of the groups."""
    unknown = sorted(set(changes) - {item.name for item in fields(Recipe)} - set(_FLAT))
    if unknown:
        known = sorted({*values, "labels", "features", "network"} - set(_GROUPS) | set(_FLAT))
        raise InputError(f"no such hyper-parameter: {', '.join(unknown)}; there are {', '.join(known)}")
    out = dict(values)
    for name in sorted(changes, key=lambda name: name in _FLAT):  # groups before single fields of them
        value = changes[name]
        group, key = _FLAT.get(name, (name, None))
        before = getattr(out[group], key) if key else out.get(name)
        if name in _UPDATED:
            value = {**before, **value}
        if key:
            out[group] = replace(out[group], **{key: _plain(value)})
        elif name in _GROUPS and isinstance(value, dict):
            out[name] = replace(before, **{field: _plain(item) for field, item in value.items()})
        else:
            out[name] = _plain(value)
    if isinstance(out["labels"], str):
        out["labels"] = (out["labels"],)
    train = out["train"]
    for name, value in (("epochs", train.epochs), ("batch_size", train.batch_size), ("ensemble", out["ensemble"])):
        if not isinstance(value, Integral) or not value > 0:
            raise InputError(f"{name}: expected a positive whole number, got {value!r}")
    if not isinstance(train.learning_rate, Real) or not train.learning_rate > 0:
        raise InputError(f"learning_rate: expected a positive number, got {train.learning_rate!r}")
    return out


def _plain(value):
    """A tuple in place of a list, as JSON gives it."""
    return tuple(value) if isinstance(value, list) else value


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
