"""A student: few networks that learn to say what all networks of a trained system say together, errors included."""

import copy
import datetime
from contextlib import suppress

import numpy as np

from stellarlabels import __version__, columns, releases
from stellarlabels.exceptions import InputError
from stellarlabels.inputs import Features
from stellarlabels.labels.domain import TrainingStars
from stellarlabels.labels.ensemble import Member, build_network, floors, kind_of, parts
from stellarlabels.labels.outside import forgotten
from stellarlabels.labels.training import Targets, label_targets, two_sided
from stellarlabels.labels.uncertainty import robust_scatter

#: How a student is trained, unless other hyper-parameters are given. Copies are many, so that it does without decay.
TRAINING = {"epochs": 40, "batch_size": 1024, "learning_rate": 2e-3, "schedule": "cosine", "weight_decay": 1e-4}
TRAINING |= {"clip_norm": 5.0, "patience": None, "decay": "decoupled", "epsilon": 1e-7, "order": "shuffled"}

#: With so many steps it is worth the while to have them compiled.
LONG = 2000

#: Share of the stars left out that the teacher has to have left out, too, for their labels to say how large errors are.
NEW = 0.5

#: Copies: stars that are mixed are among so many nearest ones, from and to this share of the other star; so many copies
#: have the same amount of noise, in units of the variance a power of ten between these, or none; and this share of
#: copies lacks some colors or all of them, and the parallax.
NEAREST, SHARES, BLOCK, NOISE, QUIET, FORGOTTEN = 13, (-0.2, 0.5), 2048, (-1.0, 2.0), 0.35, 0.12


def distilled(system, table, *, networks, copies, validation, release, progress, changes):
    """A student of a system; parameters as of ``LabelEstimator.distil``."""
    system.check_trained()
    table, found = system.admitted(columns.intake(table), release)
    targets = label_targets(table, system.labels, system.recipe.per_label.likelihoods)
    features = system.feature_set.compute(table)
    rows = np.flatnonzero(features.usable & targets.known)
    if rows.size < 2 * NEAREST:
        raise InputError(f"table: expected at least {2 * NEAREST} rows with usable input and a label, got {rows.size}")
    if not (isinstance(copies, int) and copies > 0):
        raise InputError(f"copies: expected a whole number of at least 1 for each star, got {copies!r}")
    out = copy.copy(system)
    out.recipe = _recipe(system.recipe, networks, changes)
    checked = out._left_out(table, rows, validation)
    features, targets = features[rows], targets[rows]
    before = system.ensemble
    out.ensemble = kind_of(out.recipe)(out.recipe, before.center, before.scale)
    out.history_, agreement = [], []
    for number, left_out in enumerate(checked):
        seed, stars = out.recipe.seed + 7919 * number, features[~left_out]
        inputs, said = _lessons(system, stars, copies, seed, progress)
        first = before.groups[number % len(before.groups)]
        groups = zip(parts(out.recipe), first, strict=True)
        members = [_taught(out, stars, inputs, said, part, begin, seed, progress) for part, begin in groups]
        out.ensemble.members += [member for member, _ in members]
        out.history_ += [history for _, history in members]
    if out.recipe.calibrate:
        _calibrate(system, out, checked, table[rows], features, targets)
    out.training_stars = TrainingStars.joined(system.training_stars, table, rows)
    every = checked.all(axis=0)
    if every.any():
        agreement = _agreement(system, out, features[every])
    out.weights_, out.provenance_ = "", _provenance(system, out, checked, copies, agreement, found)
    return out


def _recipe(recipe, networks, changes):
    """The recipe of a student."""
    from stellarlabels.networks import has_learner, student_options

    loss = "taught_terms" if recipe.combination == "propagated" else "taught"
    own = {"ensemble": networks, "loss": recipe.train.loss if has_learner(recipe.network) else loss, **TRAINING}
    own["network_options"] = student_options(recipe.network, recipe.network_options)
    return recipe.with_changes(**own).with_changes(**changes)


def _lessons(system, stars, copies, seed, progress):
    """Inputs (dict of arrays) of copies of stars, and what the teacher says of them: a list of arrays (M, L)."""
    from tqdm.auto import tqdm

    names = set(system.ensemble.members[0].network.input) | {"other_covariance"} & set(stars.arrays)
    blocks = range(-(-copies * len(stars) // BLOCK))
    arrays, said = {name: [] for name in names if name in stars.arrays}, []
    made = _copies(system, stars, seed)
    for _ in tqdm(blocks, desc=f"{system.name}, what the teacher says", unit="block", disable=not progress):
        block = next(made)
        for name, parts_ in arrays.items():
            parts_.append(block.arrays[name])
        said.append(np.stack(system.ensemble.said(block)).astype(np.float32))
    return {name: np.concatenate(found) for name, found in arrays.items()}, list(np.concatenate(said, axis=1))


def _mixtures(system, stars, random):
    """Blocks of stars without end that are mixed with similar ones."""
    from scipy.spatial import cKDTree

    near = cKDTree(place := _places(system, stars)).query(place, NEAREST)[1]
    while True:
        rows = random.integers(0, len(stars), BLOCK)
        block = stars[rows].mixed(stars[near[rows, random.integers(1, NEAREST, BLOCK)]], random.uniform(*SHARES))
        yield block[block.usable]


def _copies(system, stars, seed):
    """Blocks of copies without end: mixtures with more noise, and with colors unknown."""
    random = np.random.default_rng(seed)
    unknown = next((name for name in ("color", "others") if name in stars.arrays), None)
    forget = unknown is not None and np.isnan(stars.arrays[unknown]).any()
    for block in _mixtures(system, stars, random):
        if random.random() > QUIET:
            with suppress(InputError):  # of a set that cannot add noise
                block = system.feature_set.add_noise(block, 10 ** random.uniform(*NOISE), seed=random.integers(2**31))
        if forget:
            found = forgotten(block.arrays[unknown].shape, FORGOTTEN / 2, random)
            found[:, -1] |= random.random(len(found)) < FORGOTTEN  # that may be a parallax
            block = block.without(found)
        yield block[block.usable]


def _places(system, stars):
    """Where stars are (N, L + 1): labels and color, in units of their spread."""
    mean = system.ensemble.said(stars)[0]
    color = np.nan_to_num((stars.color - np.nanmedian(stars.color)) / np.nanstd(stars.color))[:, None]
    return np.hstack([mean, 2 * color]) if np.isfinite(stars.color).any() else mean


def _taught(out, stars, inputs, said, part, begin, seed, progress):
    """A `Member` for the labels ``part`` that has learned what was said of the inputs of copies, and its losses."""
    # It begins as the teacher's `Member` ``begin`` where both have the same layers: that is what long trainings of
    # networks with random weights end with, too.
    from stellarlabels import networks

    recipe, arrays = out.recipe, {**stars.arrays, **out.feature_set.constants}
    shapes = {name: int(np.shape(array)[1]) for name, array in stars.arrays.items()}
    network = build_network(recipe, shapes, len(part), seed, floors(recipe, part, out.ensemble.scale))
    networks.adapt(network, arrays, seed, begin.network)
    if recipe.student:
        _begin(network, begin.network)
    options = {**recipe.train.settings(), "epochs": recipe.train.epochs, "loss": networks.losses.get(recipe.train.loss)}
    options |= {"seed": seed, "progress": progress, "title": f"{out.name}, student"}
    said = [array[:, part] for array in said]
    if recipe.student:
        steps = len(said[0]) * recipe.train.epochs / recipe.train.settings()["batch_size"]
        options["fused"] = recipe.combination == "propagated" and steps > LONG
        learner, goals = network, lesson(*said)
    else:
        inputs, goals = two_sided(inputs, said[0], np.sqrt(said[1]))
        learner, inputs, goals, _ = networks.learner(recipe.network, network, inputs, goals, inputs, seed)
    return Member(network, part), networks.train(learner, inputs, goals, **options)


def _begin(network, teacher):
    """Give a student the weights of one of the teacher's networks, if the layers are the same but for more outputs."""
    ours, theirs = (
        [weight for weight in one.weights if "seed_generator" not in weight.path] for one in (network, teacher)
    )
    shapes = [(tuple(own.shape), tuple(one.shape)) for own, one in zip(ours, theirs, strict=False)]
    if len(ours) != len(theirs) or any(own[:-1] != one[:-1] or own[-1:] < one[-1:] for own, one in shapes):
        return
    for weight, value in zip(ours, theirs, strict=True):
        start = np.asarray(weight).copy()
        start[..., : value.shape[-1]] = value
        weight.assign(start)


def lesson(mean, *variances):
    """Targets (N, K L) of the losses for students: means, and logarithms of errors within their limits."""
    logs = [0.5 * np.log(np.clip(variance, np.exp(-14), np.exp(8))) for variance in variances]
    return np.concatenate([mean, *logs], axis=1).astype(np.float32)


def _calibrate(system, out, checked, table, features, targets):
    """Calibrate a student on stars left out: on labels that are new to the teacher, too, or else on what it says."""
    # Labels that the teacher has seen are in what it says, also of similar stars, and so in what the student says: they
    # would make its errors too small. Against these the teacher's own errors, which are calibrated, say how far off it
    # is; the student's are to be larger by what it adds. The stars are copies, since of a star itself the teacher says
    # more than of others like it.
    seen = system.training_stars
    new = checked.any(axis=0) if seen is None else checked.any(axis=0) & ~seen.has(table)
    if new.sum() > NEW * checked.any(axis=0).sum():
        out.ensemble.calibrate(checked & new, features, targets, out.feature_set)
        return
    random, parts, masks = np.random.default_rng(out.recipe.seed), [], []
    for mask in {mask.tobytes(): mask for mask in checked if mask.sum() >= NEAREST}.values():
        mixed = _mixtures(system, features[mask], random)
        parts += [next(mixed) for _ in range(-(-int(mask.sum()) // BLOCK))]
        masks += [np.repeat((checked == mask).all(axis=1)[:, None], len(part), axis=1) for part in parts[len(masks) :]]

    def says(stars):
        mean, error, *_ = system.ensemble.predict(stars)
        drawn = mean + error * random.normal(size=mean.shape)
        return Targets(system.labels, drawn, np.zeros_like(mean), np.zeros(len(system.labels), bool))

    if parts:
        out.ensemble.calibrate(np.hstack(masks), Features.concatenate(parts), says, out.feature_set)


def _agreement(system, out, features):
    """Robust scatter of the student's labels about the teacher's, in the student's errors, by label."""
    mean, error, *_ = out.ensemble.predict(features)
    off = (mean - system.ensemble.said(features)[0] * system.ensemble.scale - system.ensemble.center) / error
    return {label: round(robust_scatter(column), 4) for label, column in zip(system.labels, off.T, strict=True)}


def _provenance(system, out, checked, copies, agreement, found):
    """What is told of where the student comes from."""
    told = {
        "teacher": system.weights_ or "not saved",
        "networks": system.recipe.ensemble,
        "stars": int(checked.shape[1]),
        "left_out_of_each_network": [int(mask.sum()) for mask in checked],
        "copies": copies,
        "scatter_about_teacher_in_errors": agreement,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "stellarlabels": __version__,
        "final_loss": [history["loss"][-1] for history in out.history_],
        **releases.told(found, out.release),
    }
    return {**system.provenance_, "student": told}
