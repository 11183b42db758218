"""Carrying a trained system over to another data release, with stars that have spectra in both."""

import copy
import datetime
from dataclasses import dataclass, replace

import numpy as np

from stellarlabels import __version__, columns, flags, releases
from stellarlabels.exceptions import InputError, ReleaseError
from stellarlabels.inputs import Features
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.ensemble import Member, build_network, floors, label_arrays
from stellarlabels.labels.training import copy_weights, label_targets, two_sided
from stellarlabels.labels.uncertainty import robust_scatter
from stellarlabels.tables import same_stars

#: One star in so many is left out of everything that is learned, by a hash of its identifier.
LEFT_OUT = 5

#: Fine-tuning: epochs at most and learning rate; by how much the scatter has to fall for it to be kept.
EPOCHS, RATE, GAIN = 8, 1e-4, 0.02

#: Old labels that do not count: they do not come from a star like those of the training.
UNSURE = ("NO_INPUT", "BAD_SAMPLES", "MISSING_BAND", "LABEL_RANGE", "NOT_APPLICABLE", "UNLIKE_TRAINING", "OTHER_KIND")


@dataclass
class Pairs:
    """M stars in both releases: inputs in the old and the new one, old labels and errors (M, L), who is left out."""

    old: Features
    new: Features
    values: np.ndarray
    errors: np.ndarray
    left_out: np.ndarray
    rows: np.ndarray

    def __getitem__(self, rows):
        arrays = (self.values, self.errors, self.left_out, self.rows)
        return Pairs(self.old[rows], self.new[rows], *(array[rows] for array in arrays))


def adapted(system, table, same_as, *, pairs, labels, release, fine_tune, progress):
    """A new system like the given one for the release of ``table``; see ``LabelEstimator.adapt``."""
    system.check_trained()
    table, same = columns.intake(table), columns.intake(same_as, argument="same_as")
    release, length = _other_release(system, table, release), len(table)
    table = releases.stated(table, release)
    same, _ = system.admitted(same, None)
    pairs = None if pairs is None else columns.intake(pairs, argument="pairs", whole=False)
    rows, same_rows = same_stars(table, same, (release, system.release), pairs)
    table, same = table[rows], same[same_rows]
    known = None if labels is None else _known(system, labels, length, rows)
    left_out = _hashed(table) % LEFT_OUT == 0
    bridge = system.feature_set.learn_bridge(table[~left_out], same[~left_out], release)
    out = copy.copy(system)
    out.bridge, out.weights_, out.history_ = bridge, "", []
    out.training_stars = None  # are known by identifiers of the old release
    stars = _pairs(system, out, table, same, left_out)
    measured = {"map": _scatter(out.ensemble, stars[stars.left_out])}
    if fine_tune is None:
        fine_tune = not bridge.suffices
    tuned = False
    if fine_tune and system.recipe.train.loss != "squared":
        found = _fine_tuned(out, stars[~stars.left_out], progress)
        measured["fine-tuned"] = _scatter(found, stars[stars.left_out])
        tuned = _mean(measured["fine-tuned"]) < (1 - GAIN) * _mean(measured["map"])
        out.ensemble = found if tuned else copy.copy(out.ensemble)
    else:
        out.ensemble = copy.copy(out.ensemble)
    out.domain = _domain(out, system.domain, stars[~stars.left_out])
    known = None if labels is None else known[stars.rows]
    done = {"fine_tuned": bool(tuned), "scatter_in_errors": measured, "larger_errors": _calibrate(out, stars, known)}
    out.provenance_ = _provenance(system, out, stars, done)
    return out


def _other_release(system, table, release):
    """Name of the one release, other than the system's, that a table is of; `ReleaseError` if there is no such."""
    if system.release is None:
        raise ReleaseError(f"{system.name}: its inputs do not depend on a data release, so there is nothing to adapt")
    found = releases.of(table, release)
    if len(found.all) != 1 or found.unknown.any() or found.all[0] not in releases.available():
        raise ReleaseError(f"table: expected stars of one known release, got {found}; name it with release=")
    if not found.other(system.release).any():
        raise ReleaseError(
            f"table: expected stars of a release other than {system.release}, got {found}; use predict()"
        )
    return found.all[0]


def _hashed(table):
    """A number (N,) for each star that depends on its identifier alone, as evenly spread as random ones."""
    key = columns.identifier(table)
    identifiers = np.arange(len(table)) if key is None else np.ma.filled(np.ma.asarray(table[key]), 0)
    if identifiers.dtype.kind not in "iu":
        identifiers = np.array([sum(ord(c) * 131**n for n, c in enumerate(str(one)[-8:])) for one in identifiers])
    with np.errstate(over="ignore"):
        mixed = identifiers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(33)).astype(np.int64)


def _pairs(system, out, table, same, left_out):
    """`Pairs` of the stars with usable inputs in both releases; old labels that are not sure are NaN."""
    old, new = system.feature_set.for_training(same), out.feature_set.for_training(table)
    arrays = label_arrays(system, same)
    unsure = np.bitwise_or.reduce([flags.LABEL[name] for name in UNSURE])
    sure = (arrays["_flag"] & unsure) == 0
    values, errors = (np.where(sure, arrays[end], np.nan) for end in ("", "_err"))
    rows = np.flatnonzero(old.usable & new.usable & np.isfinite(values).any(axis=1))
    if not (left_out[rows].any() and (~left_out[rows]).any()):
        raise InputError(f"table: expected stars with usable spectra and labels in both releases, got {rows.size}")
    return Pairs(old[rows], new[rows], values[rows], errors[rows], left_out[rows], rows)


def _scatter(ensemble, stars):
    """Robust scatter of new labels about the old ones in units of the old errors, by label (dict of float)."""
    mean = ensemble.predict(stars.new)[0]
    difference = (mean - stars.values) / stars.errors
    names = ensemble.recipe.labels
    return {name: round(robust_scatter(column), 4) for name, column in zip(names, difference.T, strict=True)}


def _mean(scatter):
    return float(np.nanmean(list(scatter.values())))


def _fine_tuned(system, stars, progress):
    """An ensemble whose networks have learned to say of new spectra what they said of the old ones, errors included."""
    from stellarlabels import networks

    ensemble, recipe, members = system.ensemble, system.recipe, []
    options = recipe.train.settings() | {"learning_rate": RATE, "schedule": "cosine", "patience": None}
    options["weight_decay"] = 0.0
    loss = networks.losses.get(recipe.train.loss)
    shapes = {name: int(np.shape(array)[1]) for name, array in stars.new.arrays.items()}
    for number, member in enumerate(ensemble.members):
        count, seed = len(member.labels), recipe.seed + 7919 * number
        said, arrays = networks.predict(member.network, stars.old.arrays), stars.new.arrays
        network = build_network(recipe, shapes, count, seed, floors(recipe, member.labels, ensemble.scale))
        copy_weights(member.network, network)
        if recipe.student:
            learner, inputs, goals = network, arrays, said.astype(np.float32)
        else:
            mean, sigma = said[:, :count], np.sqrt(sum(np.exp(2 * part) for part in _thirds(said, count)[1:]))
            inputs, goals = two_sided(arrays, mean, sigma)
            learner, inputs, goals, _ = networks.learner(recipe.network, network, inputs, goals, inputs, seed)
        title = f"{system.name} {number + 1}/{len(ensemble.members)}"
        networks.train(
            learner, inputs, goals, loss=loss, epochs=EPOCHS, title=title, seed=seed, progress=progress, **options
        )
        members.append(Member(network, member.labels))
    return type(ensemble)(recipe, ensemble.center, ensemble.scale, members, ensemble.calibration)


def _thirds(said, count):
    """What a network says (N, K count), as its K parts: means, and logarithms of errors."""
    return [said[:, start : start + count] for start in range(0, said.shape[1], count)]


def _domain(out, before, stars):
    """Where the stars of the new release are; labels hold where they did."""
    features, recipe = stars.new, out.recipe
    found = Domain.fit(features, features.arrays[out.compared_in], recipe.labels, stars.values, recipe.seed)
    for name, (low, high) in before.ranges.items():
        own = found.ranges.get(name, (low, high))
        found.ranges[name] = (min(low, own[0]), max(high, own[1]))
    same = {name: dict(getattr(before, name)) for name in ("labels", "colors", "within")}
    # The map makes spectra of the old release, which the classifier of what is outside knows.
    return replace(found, outside=before.outside, **same)


def _known(system, labels, length, rows):
    """Targets of the stars in some rows from labels that are known."""
    labels = columns.intake(labels, argument="labels")
    if len(labels) != length:
        raise InputError(f"labels: expected the {length} rows of the table, got {len(labels)}")
    return label_targets(labels[rows], system.labels, system.recipe.per_label.likelihoods)


def _calibrate(out, stars, known):
    """Calibrate the errors of the stars left out, against known labels or the old ones; factors on them, by label."""
    features = stars.new[stars.left_out]
    if known is not None:
        unseen = np.ones((out.recipe.ensemble, len(features)), bool)
        out.ensemble.calibrate(unseen, features, known[stars.left_out], out.feature_set)
        return None
    # New and old labels share the errors of the networks, and perhaps some noise: their difference cannot show that
    # errors are too large. The calibration holds for the spectra that the map makes; where labels differ by more than
    # both errors allow, the new errors grow.
    mean, error = out.ensemble.predict(features)[:2]
    values, errors = stars.values[stars.left_out], stars.errors[stars.left_out]
    width = [robust_scatter(column) for column in ((mean - values) / np.hypot(error, errors)).T]
    ratio = np.median(np.nan_to_num(errors / error, nan=1.0), axis=0)
    factors = np.sqrt(np.maximum(1, np.square(np.nan_to_num(width)) * (1 + ratio**2) - ratio**2))
    calibration = out.ensemble.calibration
    axes = list(calibration.curves)[: 1 if calibration.product else None]
    curves = {
        axis: (knots, found * factors if axis in axes else found) for axis, (knots, found) in calibration.curves.items()
    }
    out.ensemble.calibration = replace(calibration, curves=curves)
    return {label: round(float(factor), 4) for label, factor in zip(out.labels, factors, strict=True)}


def _provenance(system, out, stars, done):
    """What is told of where the system comes from."""
    before = system.provenance_
    against = f"labels of {system.release}" if done["larger_errors"] else "known labels"
    told = {
        "release": out.release,
        "from_release": system.release,
        "from_weights": system.weights_,
        "stars": len(stars.left_out),
        "left_out": int(stars.left_out.sum()),
        "kind": out.bridge.kind,
        "map": out.bridge.told,
        **done,
        "calibrated_against": against,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "stellarlabels": __version__,
    }
    sample = before.get("sample", f"{before.get('stars')} stars")
    return {**before, "sample": f"{sample}; carried over to {out.release} with {told['stars']} stars", "adapted": told}
