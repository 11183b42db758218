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
        Feature set and its options; see `stellarlabels.features.base`.
    network, network_options : str, dict
        Network and its options; see `stellarlabels.models.networks`.
    loss : {"gaussian", "student_t"}
        Likelihood; see `stellarlabels.models.losses`.
    likelihoods : dict of str to str
        Labels whose likelihood is "parallax": absolute magnitudes that are known through parallaxes; see
        `stellarlabels.labels.targets`. The loss of the other labels is then "student_t".
    epochs, batch_size, learning_rate, schedule, weight_decay, clip_norm, patience
        See `stellarlabels.models.training.train`. ``patience=None`` means no early stopping.
    cost_bins : tuple of int or None
        Bins in color and in ``cost_label`` of the cost-sensitive weights; None for equal weights.
    cost_label : str
        Label of the second axis of the cost-sensitive weights.
    cost_gamma : float
        Strength of the weights; see `stellarlabels.models.weights.cost_weights`.
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
    cost_bins: tuple | None = None
    cost_label: str = "feh"
    cost_gamma: float = 0.5
    ensemble: int = 1
    calibrate: bool = True
    error_floor: dict = field(default_factory=dict)
    seed: int = 0

    def with_changes(self, **changes):
        """A copy with some values changed; the two ``_options`` and ``error_floor`` dicts are updated, not replaced.

        Raises
        ------
        InputError
            If a name is not one of a recipe, a number that must be positive is not, or the weights are to follow a
            label that the recipe does not have.
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
        if out.cost_bins is not None and out.cost_label not in out.labels:
            raise InputError(
                f"cost_label: expected one of the labels {list(out.labels)}, got {out.cost_label!r}; "
                "cost_bins=None gives equal weights"
            )
        return out

    def to_dict(self):
        """The recipe as plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`, also after a trip through JSON."""
        values = dict(values)
        for name in ("labels", "cost_bins"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)
