"""Training of an estimator's networks: which stars and weights each network gets, and in which phases it learns."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.exceptions import InputError

__all__ = ["Member", "Sample", "fit_member", "parts"]


@dataclass
class Member:
    """One trained network and the labels that it predicts.

    Parameters
    ----------
    network : `keras.Model`
    labels : tuple of int
        Which of the recipe's labels its outputs are.
    """

    network: object
    labels: tuple


@dataclass
class Sample:
    """Training stars: inputs, targets, first guesses (N, L) of the labels, and the second axis of the weights (N,)."""

    features: object
    targets: object
    guesses: np.ndarray
    axis: np.ndarray

    def __getitem__(self, rows):
        return Sample(self.features[rows], self.targets[rows], self.guesses[rows], self.axis[rows])

    def __len__(self):
        return len(self.features)


def parts(recipe):
    """Labels (tuples of their indices) that share a network."""
    every = range(len(recipe.labels))
    return [(index,) for index in every] if recipe.separate else [tuple(every)]


def in_range(recipe, sample):
    """Which labels (N, L) are within the limits of the recipe, and so are the colors of their stars."""
    out = np.isfinite(sample.targets.values)
    with np.errstate(invalid="ignore"):
        for index, label in enumerate(recipe.labels):
            for limits, values in (
                (recipe.label_ranges.get(label), sample.guesses[:, index]),
                (recipe.color_ranges.get(label), sample.features.color),
            ):
                if limits is not None:
                    out[:, index] &= (values >= limits[0]) & (values <= limits[1])
    return out


def fit_member(estimator, sample, check, part, seed, *, progress, title):
    """Train one network.

    Parameters
    ----------
    estimator : `stellarlabels.labels.estimator.LabelEstimator`
        Its recipe, and the centers and scales of the labels.
    sample : Sample
        Stars to learn from.
    check : Sample
        Stars to follow the loss with; may be empty.
    part : tuple of int
        Labels of this network.
    seed : int
    progress : bool
    title : str

    Returns
    -------
    member : Member
    history : dict of str to list of float
        ``loss`` and ``val_loss`` of the epochs, and those of the second phase, if there is one, as ``excess_loss`` and
        ``excess_val_loss``.

    Raises
    ------
    InputError
        If fewer than two stars are left for this network.
    """
    from stellarlabels.networks import builders as networks, losses, training

    recipe = estimator.recipe
    names = [recipe.labels[index] for index in part]
    sample = sample[in_range(recipe, sample)[:, part].any(axis=1)]
    check = check[in_range(recipe, check)[:, part].any(axis=1)]
    if len(sample) < 2:
        raise InputError(f"table: expected at least 2 rows to train {', '.join(names)}, got {len(sample)}")
    columns = list(part)
    center, scale = estimator._center[columns], estimator._scale[columns]
    special = sample.targets.is_parallax[columns]

    def packed(stars):
        values, errors = stars.targets.scaled(estimator._center, estimator._scale)
        kept = in_range(recipe, stars)
        return losses.pack(np.where(kept, values, np.nan)[:, columns], errors[:, columns])

    loss = losses.get(recipe.loss)
    if special.any():
        loss = losses.with_parallaxes(special, center, scale)
    arrays = sample.features.arrays
    network = estimator._build(arrays, seed, len(part))
    networks.adapt(network, arrays, seed, estimator.feature_set.error_matrix)
    learner, inputs, targets, checks = network, arrays, packed(sample), check.features.arrays
    if recipe.loss == "squared":
        learner = networks.means_of(network, _of_label(recipe.input_noise, names[0], 0.0), seed)
    elif hasattr(network, "augmentation"):
        learner, inputs, targets, checks = networks.head_training(network, arrays, targets, checks, seed)
    weights = cost_weights(recipe, sample, part)
    if weights is not None:
        weights = np.tile(weights, len(targets) // len(weights))
    options = {
        "batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "schedule": recipe.schedule,
        "weight_decay": recipe.weight_decay,
        "clip_norm": recipe.clip_norm,
        "validation": (checks, packed(check)) if len(check) else None,
        "patience": recipe.patience,
        "seed": seed,
        "progress": progress,
    }
    history = training.train(
        learner,
        inputs,
        targets,
        loss=loss,
        epochs=recipe.epochs,
        sample_weight=weights,
        title=title,
        **options,
    )
    if recipe.loss == "squared" and recipe.excess_epochs:
        networks.freeze_means(network)
        options |= {"learning_rate": 1e-3, "schedule": "cosine", "weight_decay": 0.0, "patience": None}
        second = training.train(
            network,
            arrays,
            packed(sample),
            loss=losses.gaussian,
            epochs=recipe.excess_epochs,
            title=f"{title}, errors",
            **options,
        )
        history |= {f"excess_{name}": values for name, values in second.items()}
    return Member(network, part), history


def cost_weights(recipe, sample, part):
    """Cost-sensitive weights (N,) of the stars of one network; None for equal weights."""
    from stellarlabels.networks.weights import cost_weights

    bins, gamma = (_of_label(value, recipe.labels[part[0]]) for value in (recipe.cost_bins, recipe.cost_gamma))
    if bins is None:
        return None
    first = sample.guesses[:, part[0]] if recipe.cost_axis == "label" else sample.features.color
    return cost_weights(first, sample.axis, bins=bins, gamma=gamma)


def _of_label(value, label, default=None):
    """What a recipe says of a label: the same of all, or by the label's name."""
    return value.get(label, default) if isinstance(value, dict) else value
