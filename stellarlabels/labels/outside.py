"""Is this an object for which the labels hold? Learned from objects for which they do not."""

from dataclasses import dataclass, field

import numpy as np

from stellarlabels.exceptions import InputError

#: The kind of the stars that a system was trained on, and that of spoiled copies of them.
INSIDE, DAMAGED = "star", "damaged"

#: How the classifier is built and trained, and how it was built where a file does not say so.
NETWORK = {"components": 100, "hidden": (384, 192)}
FIRST_NETWORK = {"components": 80, "hidden": (256, 128)}
TRAINING = {"epochs": 45, "batch_size": 1024, "learning_rate": 2e-3, "schedule": "cosine", "weight_decay": 1e-4}

#: Dropout in the training.
DROPOUT = 0.1

#: Share of the objects that the classifier does not see, from which the thresholds are; largest weight of an object of
#: a rare kind; how often stars are spoiled, and how many of them, at most.
LEFT_OUT, LARGEST_WEIGHT, COPIES, MOST_DAMAGED = 0.15, 20.0, 4, 24000

#: Steps of the training at least, where there are few objects and nothing else is said.
LEAST_STEPS = 4000

#: Thresholds are for intervals of S/N, each with all, some or no colors known, where a class has so many stars.
QUANTILES, ENOUGH = (0.25, 0.5, 0.75), 300

#: Share of the training stars that are flagged, where nothing else is said.
DEFAULT = 0.01

#: Amounts of noise, in units of the variance, that copies of all stars and objects have, besides none.
NOISE = (1.0, 10.0, 100.0)


@dataclass
class Outside:
    """What tells stars for which labels hold from objects for which they do not."""

    # ``network`` gives logits of the ``kinds``, the first one of which is that of the training stars; ``spared`` are
    # labels that hold for objects of a kind all the same. A label is flagged if the probability of kinds for which it
    # does not hold is above its threshold: one number, or one for each class of stars (C,), see `classes`; ``edges`` of
    # log S/N separate these. ``counts`` are the objects from which this was learned, without copies;
    # ``built`` are options of the network, as `NETWORK`.

    network: object
    kinds: tuple
    spared: dict = field(default_factory=dict)
    thresholds: dict = field(default_factory=dict)
    edges: tuple = ()
    counts: dict = field(default_factory=dict)
    built: dict = field(default_factory=lambda: dict(NETWORK))

    def probabilities(self, inputs):
        """Probability (N, K) of each kind, from what `inputs_of` gives."""
        from stellarlabels import networks

        logits = networks.predict(self.network, inputs)
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        return odds / odds.sum(axis=1, keepdims=True)

    def against(self, label, probabilities):
        """Probability (N,) that a label does not hold."""
        kinds = [index for index, name in enumerate(self.kinds[1:], 1) if label not in self.spared.get(name, ())]
        return probabilities[:, kinds].sum(axis=1)

    def classes(self, star):
        """Class (N,) by what is known of stars: all colors, some or none, each in intervals of the S/N."""
        known = np.isfinite(np.delete(star, 1, axis=1))
        known = np.where(known.all(axis=1), 0, np.where(known.any(axis=1), 1, 2))
        return known * (len(self.edges) + 1) + np.searchsorted(self.edges, np.nan_to_num(star[:, 1], nan=-np.inf))

    def flagged(self, inputs):
        """For each label which stars (N,) it does not hold for, from what `inputs_of` gives."""
        probabilities, classes = self.probabilities(inputs), self.classes(inputs["star"])
        limits = {label: np.broadcast_to(found, 3 * (len(self.edges) + 1)) for label, found in self.thresholds.items()}
        return {label: self.against(label, probabilities) > found[classes] for label, found in limits.items()}


def inputs_of(system, features):
    """Inputs of the classifier: the spectra in which objects differ; colors and the logarithm of S/N as ``star``."""
    # "fit" is what the first network for labels knows of the spectra, if it knows anything.
    from stellarlabels import networks

    compared = system.compared_in
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = np.log10(features.snr)
    star = [features.color[:, None], np.where(np.isfinite(noise), noise, np.nan)[:, None]]
    star += [features.arrays[name] for name in ("color", "others") if name in features.arrays and name != compared]
    flux = np.nan_to_num(system.feature_set.shown(features, compared), nan=0.0, posinf=0.0, neginf=0.0)
    out = {"flux": flux.astype(np.float32), "star": np.concatenate(star, axis=1).astype(np.float32)}
    fit = networks.described(system.recipe.network, system.ensemble.members[0].network, features.arrays)
    return out if fit is None else {**out, "fit": fit.astype(np.float32)}


@dataclass
class _Sample:
    """Inputs of the classifier for objects of one kind, and which object each row is of."""

    kind: str
    inputs: dict
    groups: np.ndarray

    @classmethod
    def of(cls, system, kind, features, groups, seed):
        """Objects as they are and with noise, for which some or all colors are unknown."""
        random, inputs, names = np.random.default_rng(seed), [], []
        for number, amount in enumerate((0, *NOISE)):
            more = features
            if amount:
                try:
                    more = system.feature_set.add_noise(features, amount, seed=seed + number)
                except InputError:
                    break
            rows = more.usable
            found = inputs_of(system, more[rows])
            if amount:
                _forget(found["star"], random)
            inputs.append(found)
            names.append(groups[rows])
        joined = {name: np.concatenate([one[name] for one in inputs]) for name in inputs[0]}
        return cls(kind, joined, np.concatenate(names))


def _forget(star, random):
    """Make colors of half of the stars unknown, in place."""
    unknown = forgotten(star.shape, 0.5, random)
    unknown[:, 1] = False  # that is the signal-to-noise ratio
    star[unknown] = np.nan


def forgotten(shape, share, random):
    """Which colors (N, C) are made unknown: all of half of a share of the stars, and some of the other half."""
    draw, some = random.random((shape[0], 1)), random.random(shape) < 0.5
    return (draw < share / 2) | ((draw < share) & some)


def learn(system, table, stars, objects=None, *, kinds=None, spared=None, false_alarms=DEFAULT, seed=0, **options):
    """An `Outside` for a system, from a table and its features; parameters as of `LabelEstimator.learn_outside`."""
    samples = [_Sample.of(system, INSIDE, stars, system.stars_of(table), seed)]
    if objects is not None:
        if kinds is None:
            raise InputError("kinds: expected what the objects are, such as 'hot', or one for each of them, got None")
        kinds = np.broadcast_to(np.asarray(kinds, str), len(objects))
        features, groups = system.feature_set.compute(objects), system.stars_of(objects)
        for name in np.unique(kinds):
            rows = kinds == name
            samples.append(_Sample.of(system, str(name), features[rows], groups[rows], seed + 100))
    copies = [_damaged(system, table, stars, seed + copy) for copy in range(COPIES)]
    samples += [sample for sample in copies if sample is not None]
    names = tuple(dict.fromkeys(sample.kind for sample in samples))
    spared = {name: tuple(labels) for name, labels in (spared or {}).items()}
    if len(names) < 2:
        raise InputError(f"objects: {system.name} has no way to spoil its inputs; give objects that are outside")
    if set(spared) - set(names[1:]):
        raise InputError(f"spared: expected kinds among {names[1:]}, got {sorted(spared)}")
    counts = {name: 0 for name in names}
    for sample in samples:
        counts[sample.kind] += len(np.unique(sample.groups))
    return _trained(system, samples, Outside(None, names, spared, counts=counts), false_alarms, seed, **options)


def _damaged(system, table, features, seed):
    """Spoiled copies of some stars that look bad or have a wrong label; None if the inputs cannot be spoiled."""
    some = np.flatnonzero(features.usable)
    some = np.random.default_rng(seed).permutation(some)[:MOST_DAMAGED]
    found = system.feature_set.damaged(table[some], seed)
    if found is None:
        return None
    copies, severity = system.feature_set.compute(found[0]), found[1]
    right, *_ = system.ensemble.predict(features[some])
    bad, usable = severity > 0.5, copies.usable
    wrong, error, *_ = system.ensemble.predict(copies[usable])
    bad[usable] |= np.nanmax(np.abs(wrong - right[usable]) / error, axis=1) > 2
    return _Sample.of(system, DAMAGED, copies[bad], system.stars_of(table)[some][bad], seed + 200)


def _trained(system, samples, out, false_alarms, seed, epochs=None, progress=False):
    """An `Outside` with its network, and with thresholds from stars that this has not seen."""
    from stellarlabels import networks

    arrays = {name: np.concatenate([sample.inputs[name] for sample in samples]) for name in samples[0].inputs}
    kind = np.concatenate([np.full(len(sample.groups), out.kinds.index(sample.kind)) for sample in samples])
    checked = networks.split_groups(np.concatenate([sample.groups for sample in samples]), LEFT_OUT, seed)[0]
    shapes = {name: int(array.shape[1]) for name, array in arrays.items()}
    out.network = build(shapes, len(out.kinds), out.built, seed)
    real = ~checked & np.array([name != DAMAGED for name in out.kinds])[kind]
    networks.adapt(out.network, {name: array[real] for name, array in arrays.items()}, seed)
    counts = np.bincount(kind[~checked], minlength=len(out.kinds))
    weights = np.minimum(counts[0] / np.maximum(counts, 1), LARGEST_WEIGHT)
    least = LEAST_STEPS * TRAINING["batch_size"] // max(1, int(np.sum(~checked)))
    known, other = ({name: array[rows] for name, array in arrays.items()} for rows in (~checked, checked))
    targets = np.eye(len(out.kinds), dtype=np.float32)[kind]
    learner, inputs, goals, others = networks.learner(
        "kind_classifier", out.network, known, targets[~checked], other, seed
    )
    networks.train(
        learner,
        inputs,
        goals,
        validation=(others, targets[checked]),
        loss=networks.cross_entropy(),
        sample_weight=weights[kind[~checked]],
        seed=seed,
        progress=progress,
        title=f"{system.name}, what is outside",
        **{**TRAINING, "epochs": epochs or max(TRAINING["epochs"], least)},
    )
    inside = checked & (kind == 0)
    _set_thresholds(out, system.labels, {name: array[inside] for name, array in arrays.items()}, false_alarms)
    return out


def _set_thresholds(out, labels, inputs, false_alarms):
    """The limits above which the shares of stars inside, from inputs of such stars, that are false alarms lie."""
    snr = inputs["star"][:, 1]
    if np.isfinite(snr).all():
        out.edges = tuple(np.quantile(snr, QUANTILES).astype(float).tolist())
    probabilities, classes = out.probabilities(inputs), out.classes(inputs["star"])
    members = [
        rows if rows.sum() >= ENOUGH else slice(None) for rows in np.arange(3 * len(out.edges) + 3)[:, None] == classes
    ]
    for label in labels:
        share = false_alarms.get(label, DEFAULT) if isinstance(false_alarms, dict) else false_alarms
        against = out.against(label, probabilities)
        out.thresholds[label] = [float(np.quantile(against[rows], 1 - share)) for rows in members]


def build(shapes, kinds, built, seed=0):
    """An untrained classifier for inputs of these lengths (dict of str to int), so many kinds, and options (dict)."""
    from stellarlabels import networks

    options = {**built, "components": min(built["components"], shapes["flux"]), "dropout": DROPOUT}
    return networks.build("kind_classifier", shapes=shapes, outputs=kinds, seed=seed, **options)
