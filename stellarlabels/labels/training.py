"""Training of the networks of a system: which stars and weights each network gets, and in which phases it learns."""

import warnings
from dataclasses import dataclass

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError, StellarLabelsWarning
from stellarlabels.labels.ensemble import Member, build_network, floors, kind_of, parts
from stellarlabels.labels.uncertainty import ONE_SIGMA

#: Signal-to-noise ratio of a parallax above which it gives a first guess of an absolute magnitude.
GUESS_SNR = 5.0


class Targets:
    """Training targets of L labels: values and errors (N, L), NaN where unknown, and which are parallaxes (L,)."""

    # Labels whose likelihood is "parallax" are absolute magnitudes M. They have no column of their own; the target is
    # the pseudo-luminosity ``p = parallax 10**(0.2 m)``, which equals ``10**(0.2 (M + 10))`` (in mas) and, unlike an
    # inverted parallax, has a Gaussian error, ``parallax_error 10**(0.2 m)``, also where the parallax is negative.

    def __init__(self, labels, values, errors, is_parallax):
        self.labels, self.values, self.errors = tuple(labels), values, errors
        self.is_parallax = np.asarray(is_parallax, bool)

    def __getitem__(self, rows):
        return Targets(self.labels, self.values[rows], self.errors[rows], self.is_parallax)

    @property
    def known(self):
        """Whether a star has any target (bool, shape (N,))."""
        return np.isfinite(self.values).any(axis=1)

    def guesses(self):
        """Labels (N, L): those of the table, and absolute magnitudes from parallaxes of at least 5 sigma, NaN else."""
        out = self.values.copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            good = self.is_parallax & (self.values > GUESS_SNR * self.errors)
            magnitude = 5 * np.log10(self.values) - 10
        out[:, self.is_parallax] = np.nan
        return np.where(good, magnitude, out)

    def scaled(self, center, scale):
        """Values and errors in the units of the network: labels standardised, pseudo-luminosities as they are."""
        keep = self.is_parallax
        values = np.where(keep, self.values, (self.values - center) / scale)
        return values, np.where(keep, self.errors, self.errors / scale)

    def comparable(self, mean, sigma):
        """Predicted labels and errors in the units of the targets."""
        with np.errstate(over="ignore", invalid="ignore"):
            luminosity = pseudo_luminosity(mean)
        spread = np.abs(0.2 * np.log(10) * luminosity * sigma)
        return np.where(self.is_parallax, luminosity, mean), np.where(self.is_parallax, spread, sigma)


def center_and_spread(values):
    """Median (L,) of labels (N, L), and half the range (L,) that holds 68.3 % of them; odd ones hardly move them."""
    low, center, high = np.nanquantile(values, [0.5 - ONE_SIGMA / 2, 0.5, 0.5 + ONE_SIGMA / 2], axis=0)
    spread = (high - low) / 2
    return center, np.where(spread > 0, spread, np.nanstd(values, axis=0))


def pseudo_luminosity(magnitude):
    """``10**(0.2 (M + 10))`` in mas: the parallax that a star of apparent magnitude 0 would have."""
    return 10 ** (0.2 * (np.asarray(magnitude) + 10))


def label_targets(table, labels, likelihoods):
    """`Targets` of a training table from labels and errors, or parallaxes and G for the likelihood "parallax"."""
    values, errors, special = [], [], []
    for label in labels:
        special.append(likelihoods.get(label) == "parallax")
        if special[-1]:
            factor = 10 ** (0.2 * columns.values(table, "phot_g_mean_mag"))
            values.append(columns.values(table, "parallax") * factor)
            errors.append(columns.values(table, "parallax_error") * factor)
            values[-1][~(errors[-1] > 0)] = np.nan
        else:
            value, error, _ = columns.label_columns(label)
            values.append(columns.values(table, value.name))
            errors.append(columns.column_values(table, error, required=False))
    return Targets(labels, np.stack(values, axis=1), np.stack(errors, axis=1), special)


@dataclass
class Sample:
    """Training stars: inputs, targets, first guesses (N, L) of the labels, values (N,) of other axes of the weights."""

    # ``snr`` (N,) of the spectra behind the labels, or None.

    features: object
    targets: object
    guesses: np.ndarray
    axes: dict
    snr: np.ndarray | None = None

    def __getitem__(self, rows):
        axes = {name: values[rows] for name, values in self.axes.items()}
        snr = None if self.snr is None else self.snr[rows]
        return Sample(self.features[rows], self.targets[rows], self.guesses[rows], axes, snr)

    def __len__(self):
        return len(self.features)


def train_ensemble(recipe, sample, checked, constants, *, title, progress, start=None):
    """An ensemble trained on a sample without the stars ``checked`` (K, N) of each network, and losses by member."""
    if recipe.student:
        raise InputError("fit: expected a recipe of the system, got that of a student; use distil() of its teacher")
    for label, known in zip(recipe.labels, np.isfinite(sample.guesses).any(axis=0), strict=True):
        if not known:
            raise InputError(f"table: no star with usable input has a known {label!r} to learn from")
    center, spread = center_and_spread(sample.guesses)
    scale = np.where(spread > 0, spread, 1.0)
    if start is not None:
        center, scale = start.center, start.scale
    out = kind_of(recipe)(recipe, center, scale)
    histories, groups = [], parts(recipe)
    losses, ready = {part: _loss(out, sample, part) for part in groups}, {part: {} for part in groups}
    for number, left_out in enumerate(checked):
        for part in groups:
            own = f" {recipe.labels[part[0]]}" if len(groups) > 1 else ""
            name = f"{title}{own} {number + 1}/{recipe.ensemble}"
            seed = recipe.seed + 7919 * number
            stars = sample[~left_out], sample[left_out]
            options = {"loss": losses[part], "title": name, "seed": seed, "progress": progress, "ready": ready[part]}
            first = start and start.members[len(out.members)].network
            member, history = _member(out, *stars, part, constants, first, options)
            out.members.append(member)
            histories.append(history)
    return out, histories


def _member(ensemble, sample, check, part, constants, start, told):
    """A `Member` for the labels ``part``, trained on a sample and followed on another one, and its losses (dict)."""
    # ``told`` are options of `networks.train`.
    from stellarlabels import networks

    recipe, seed = ensemble.recipe, told["seed"]
    names = [recipe.labels[index] for index in part]
    sample, check = (stars[_in_range(recipe, stars)[:, part].any(axis=1)] for stars in (sample, check))
    if len(sample) < 2:
        raise InputError(f"table: expected at least 2 rows to train {', '.join(names)}, got {len(sample)}")
    arrays = sample.features.arrays
    shapes = {name: int(np.shape(array)[1]) for name, array in arrays.items()}
    network = build_network(recipe, shapes, len(part), seed, floors(recipe, part, ensemble.scale))
    if start is None:
        networks.adapt(network, {**arrays, **constants}, seed)
    else:
        copy_weights(start, network)
    targets, first = _packed(ensemble, sample, part), recipe.means_first
    means_only = getattr(told["loss"], "means_only", False)
    learner, inputs, goals, checks = networks.learner(
        recipe.network, network, arrays, targets, check.features.arrays, seed
    )
    noise = _of_label(first.input_noise, names[0], 0.0)
    if means_only:
        learner = networks.means_of(network, noise, seed)
    elif noise:
        learner = networks.with_noise(network, noise, seed)
    weights = _weights(recipe, sample, part)
    options = recipe.train.settings() | told
    options |= {"validation": (checks, _packed(ensemble, check, part)) if len(check) else None}
    if weights is not None:
        options["sample_weight"] = np.tile(weights, len(goals) // len(weights))
    history = networks.train(learner, inputs, goals, epochs=recipe.train.epochs, **options)
    if means_only and first.excess_epochs:
        history |= _train_errors(network, arrays, targets, first.excess_epochs, options)
    return Member(network, part), history


def two_sided(arrays, mean, sigma):
    """Inputs and targets of twice as many stars, one error above and below: of these the likelihood is largest."""
    from stellarlabels.networks import losses

    targets = [losses.pack(mean + sign * sigma, np.zeros_like(mean)) for sign in (1, -1)]
    return {name: np.concatenate([array, array]) for name, array in arrays.items()}, np.concatenate(targets)


def copy_weights(old, new):
    """Give a network the weights of another one of the same layers, but not its random numbers."""
    ours = [weight for weight in new.weights if "seed_generator" not in weight.path]
    theirs = [weight for weight in old.weights if "seed_generator" not in weight.path]
    if [weight.shape for weight in ours] != [weight.shape for weight in theirs]:
        raise InputError("start_from: expected networks of the same layers and inputs, got others")
    for weight, value in zip(ours, theirs, strict=True):
        weight.assign(value)


def _train_errors(network, arrays, targets, epochs, options):
    """Train the layers for errors alone; their losses (dict)."""
    from stellarlabels import networks

    networks.freeze_means(network)
    own = {"learning_rate": 1e-3, "schedule": "cosine", "weight_decay": 0.0, "patience": None, "sample_weight": None}
    own |= {"decay": "decoupled", "epsilon": 1e-7, "title": f"{options['title']}, errors", "epochs": epochs}
    own |= {"loss": networks.losses.get("gaussian")}
    found = networks.train(network, arrays, targets, **options | own)
    return {f"excess_{name}": values for name, values in found.items()}


def _loss(ensemble, sample, part):
    """The recipe's loss, or that for labels that are known through parallaxes, if any of them is."""
    from stellarlabels.networks import losses

    columns = list(part)
    special = sample.targets.is_parallax[columns]
    if special.any():
        return losses.with_parallaxes(special, ensemble.center[columns], ensemble.scale[columns])
    return losses.get(ensemble.recipe.train.loss)


def _packed(ensemble, stars, part):
    """Targets (N, 3 L) of the labels ``part``, as the losses know them."""
    from stellarlabels.networks import losses

    columns = list(part)
    values, errors = stars.targets.scaled(ensemble.center, ensemble.scale)
    kept = _in_range(ensemble.recipe, stars)
    return losses.pack(np.where(kept, values, np.nan)[:, columns], errors[:, columns])


def _in_range(recipe, sample):
    """Which labels (N, L) are within the limits of the recipe, and so are the colors and spectra of their stars."""
    out, own = np.isfinite(sample.targets.values), recipe.per_label
    with np.errstate(invalid="ignore"):
        for index, label in enumerate(recipe.labels):
            for limits, values in (
                (own.label_ranges.get(label), sample.guesses[:, index]),
                (own.color_ranges.get(label), sample.features.color),
            ):
                if limits is not None:
                    out[:, index] &= (values >= limits[0]) & (values <= limits[1])
            if sample.snr is not None and label in own.snr_ranges:
                out[:, index] &= sample.snr > own.snr_ranges[label]
    return out


def _weights(recipe, sample, part):
    """Cost-sensitive weights (N,) of the stars of one network; None for equal weights."""
    from stellarlabels.networks import cost_weights

    cost = recipe.cost
    bins, gamma = (_of_label(value, recipe.labels[part[0]]) for value in (cost.bins, cost.gamma))
    if bins is None:
        return None
    known = {"color": sample.features.color, "label": sample.guesses[:, part[0]], **sample.axes}
    _tell_of_equal_weights(recipe.labels[part[0]], {axis: known[axis] for axis in cost.axes}, bins)
    return cost_weights(*(known[axis] for axis in cost.axes), bins=bins, gamma=gamma)


def cost_axes(recipe, table, rows):
    """Values (rows,) of the axes of the weights that are columns of a table; needed where a label has bins of them."""
    cost, out = recipe.cost, {}
    for place, axis in enumerate(cost.axes if cost.bins else ()):
        if axis not in ("color", "label"):
            counts = [(_of_label(cost.bins, label) or (1, 1))[place] for label in recipe.labels]
            out[axis] = columns.values(table, axis, required=max(counts) > 1)[rows]
    return out


def _tell_of_equal_weights(label, axes, bins):
    """Warn of stars that count as the commonest, however rare they are: an axis (N,) of the weights is unknown."""
    for (axis, values), count in zip(axes.items(), bins, strict=True):
        unknown = ~np.isfinite(values)
        if count > 1 and unknown.any():
            need = "give the magnitudes BP and RP, and E(B-V)" if axis == "color" else f"give the column {axis!r}"
            warnings.warn(
                f"cost-sensitive weights of {label!r}: {unknown.sum()} of {len(values)} stars have no {axis!r} and "
                f"count as the commonest ones, with the weight 1; {need}, or leave these stars out",
                StellarLabelsWarning,
                stacklevel=6,
            )


def _of_label(value, label, default=None):
    """What a recipe says of a label: the same of all, or by the label's name."""
    return value.get(label, default) if isinstance(value, dict) else value
