"""What makes one trained system differ from another: a recipe of plain values."""

from dataclasses import asdict, dataclass, field, fields, replace

from stellarlabels.exceptions import InputError

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a system is built and trained, as plain values that travel in a saved model.

    Parameters
    ----------
    labels : tuple of str
        Labels to predict, by their names in the vocabulary.
    features, feature_options : str, dict
        Feature set and its options; see `stellarlabels.inputs.base`.
    network, network_options : str, dict
        Network and its options; see `stellarlabels.networks`.
    loss : {"gaussian", "student_t", "squared"}
        Likelihood; see `stellarlabels.networks.losses`.
    likelihoods : dict of str to str
        Labels whose likelihood is "parallax": absolute magnitudes that are known through parallaxes; see
        `stellarlabels.labels.targets`. The loss of the other labels is then "student_t".
    epochs, batch_size, learning_rate, schedule, weight_decay, clip_norm, patience
        See `stellarlabels.networks.training.train`. ``patience=None`` means no early stopping.
    separate : bool
        Whether each label has a network of its own, trained on the stars that have this label.
    label_ranges, color_ranges : dict of str to tuple of float
        Smallest and largest value of a label, and of the color of its stars, within which the label is trained and
        holds; outside predictions are flagged. Labels that are not named have the range of their training stars.
    excess_epochs : int
        With the loss "squared", which knows no errors: epochs in which only the layers for errors are trained, with the
        loss "gaussian", after those in which the means are.
    input_noise : float or dict of str to float
        With the loss "squared" and networks for colors: how many times the errors of a star's magnitudes are added to
        its colors as noise while the means are trained, perhaps different for each label (0 for those not named).
    cost_bins : tuple of int, dict of str to tuple of int, or None
        Bins on the two axes of the cost-sensitive weights, perhaps different for each label; None for equal weights.
    cost_axis : {"color", "label"}
        First axis of the cost-sensitive weights; "label" is the label itself, for separate networks.
    cost_label : str
        Label of the second axis of the cost-sensitive weights, a column of the training table.
    cost_gamma : float or dict of str to float
        Strength of the weights, perhaps different for each label; see `stellarlabels.networks.weights.cost_weights`.
    ensemble : int
        Number of networks, trained from different seeds, whose predictions are combined.
    calibrate : bool
        Whether predicted errors are recalibrated on the validation stars, if there are any.
    error_floor : dict of str to float
        Lower limit of the predicted error of a label, in the label's unit.
    seed : int
        Start of all random numbers.
    """

    labels: tuple
    features: str
    network: str
    feature_options: dict = field(default_factory=dict)
    network_options: dict = field(default_factory=dict)
    loss: str = "gaussian"
    likelihoods: dict = field(default_factory=dict)
    epochs: int = 100
    batch_size: int = 512
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = None
    separate: bool = False
    label_ranges: dict = field(default_factory=dict)
    color_ranges: dict = field(default_factory=dict)
    excess_epochs: int = 0
    input_noise: float | dict = 0.0
    cost_bins: tuple | dict | None = None
    cost_axis: str = "color"
    cost_label: str = "feh"
    cost_gamma: float | dict = 0.5
    ensemble: int = 1
    calibrate: bool = True
    error_floor: dict = field(default_factory=dict)
    seed: int = 0

    def with_changes(self, **changes):
        """A copy with some values changed; the two ``_options`` and ``error_floor`` dicts are updated, not replaced.

        Raises
        ------
        InputError
            If a name is not one of a recipe, or a number that must be positive is not.
        """
        known = {item.name for item in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise InputError(f"no such hyper-parameter: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        for name in ("feature_options", "network_options", "error_floor"):
            if name in changes:
                changes[name] = {**getattr(self, name), **changes[name]}
        out = replace(self, **changes)
        for name in ("epochs", "batch_size", "learning_rate", "ensemble"):
            if not getattr(out, name) > 0:
                raise InputError(f"{name}: expected a positive number, got {getattr(out, name)!r}")
        if isinstance(out.labels, str):
            out = replace(out, labels=(out.labels,))
        return out

    def to_dict(self):
        """The recipe as plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`, also after a trip through JSON."""
        values = dict(values)
        for name in ("labels", "cost_bins"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)
