"""How long the papers' recipes would train: the time of one pass over a star, times stars, epochs and networks.

    python benchmarks/bench_training.py [--quick] [--output FOLDER]

The networks, losses, batches and optimisers are those of the recipes called "paper"; the stars are random, fewer than
the papers', and enough for some batches. The time of an epoch is the median of those after the first, so that
compilation and set-up do not count. The extrapolation is a product: it holds as long as all stars fit
into memory, and knows nothing of early stops.
"""

import time
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import timing

from stellarlabels import networks
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.networks import losses, training

#: Training stars (spectra) of each network in the papers. CSNet: three quarters of the stars of each label (Section
#: 2.4); SPCANet: two thirds of 98,612 spectra (Section 2.3); UncertainNet: all but a twentieth; UACSNet: PASTEL;
#: SolarDis: four fifths of 18,573, for each of five networks.
STARS = {
    "CSNet": [round(0.75 * count) for count in (56221, 56360, 56322, 25108, 24824, 18714, 18714, 18714)],
    "SPCANet": [65741] * 2,
    "UncertainNet": [3653101],
    "UACSNet": [1012],
    "SolarDis": [14858] * 5,
}

#: Random stars, and epochs beyond the second.
SIZES = {
    "CSNet": (20_000, 4),
    "SPCANet": (256, 1),
    "UncertainNet": (10_000, 2),
    "UACSNet": (5_120, 10),
    "SolarDis": (128, 1),
}


def random_inputs(shapes, count):
    """Random inputs by name."""
    rng = np.random.default_rng(1)
    return {name: rng.uniform(0.5, 1.5, (count, size)).astype(np.float32) for name, size in shapes.items()}


def learner(name, count):
    """What learns in the recipe of a paper, with inputs and the number of labels."""
    import stellarlabels

    recipe = getattr(stellarlabels, name)("paper").recipe
    outputs = 1 if recipe.per_label.separate else len(recipe.labels)
    if name == "UncertainNet":
        features = stellarlabels.UncertainNet("paper").feature_set.for_training(xp_apogee_sample())
        rows = np.arange(count) % len(features)
        arrays = {key: np.nan_to_num(array[rows]) for key, array in features.arrays.items()}
        shapes = {key: array.shape[1] for key, array in arrays.items()}
    else:
        shapes = {
            "CSNet": {"color": 13, "error": 15},
            "SPCANet": {"flux_b": 4000, "flux_r": 4000, "quality": 4},
            "UACSNet": {"flux": 60, "error": 60},
            "SolarDis": {"flux": 4875},
        }[name]
        arrays = random_inputs(shapes, count)
    network = networks.build(recipe.network, shapes=shapes, outputs=outputs, seed=1, **recipe.network_options)
    if name == "UncertainNet":
        networks.adapt(network, arrays)
    if recipe.train.loss == "squared":
        network = networks.means_of(network)
    return recipe, network, arrays, outputs


def seconds_per_star(name, quick):
    """Time of one star in one epoch of one network."""
    count, more = SIZES[name]
    if quick:
        count, more = max(count // 40, 16), 1
    recipe, network, arrays, outputs = learner(name, count)
    targets = losses.pack(*np.random.default_rng(2).uniform(0.1, 1, (2, count, outputs)))
    times = []
    with clock(times):
        training.train(
            network,
            arrays,
            targets,
            loss=losses.get(recipe.train.loss),
            epochs=2 + more,
            batch_size=recipe.train.batch_size,
            learning_rate=recipe.train.learning_rate,
            weight_decay=recipe.train.weight_decay,
            progress=False,
        )
    return recipe, float(np.median(np.diff(times))) / count


@contextmanager
def clock(times):
    """Every training appends the time at the end of each of its epochs."""
    import keras

    original = keras.Model.fit

    def fit(*arguments, callbacks=(), **options):
        own = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: times.append(time.perf_counter()))
        return original(*arguments, callbacks=[*callbacks, own], **options)

    with patch.object(keras.Model, "fit", fit):
        yield


def run(quick=False):
    """Measure."""
    result = timing.Result(
        "Training",
        "The papers' recipes on this machine: stars that a network learns from in a second, measured on random stars, "
        "and the hours that all epochs of all networks over all stars of the paper would take, if every epoch took as "
        "long.",
    )
    for name in ("UACSNet", "SolarDis") if quick else STARS:
        recipe, seconds = seconds_per_star(name, quick)
        result.row(f"{name}: stars of one network and epoch", 1 / seconds)
        hours = seconds * sum(STARS[name]) * recipe.train.epochs / 3600
        stars = ", ".join(f"{count:,}" for count in STARS[name])
        what = f"{name}: {recipe.train.epochs:,} epochs, networks for {stars} stars"
        result.fact(what, hours, unit="h, extrapolated")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
