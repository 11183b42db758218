"""How precise distances are that come from APOGEE labels: what a network on XP spectra can hope for.

    python tools/limit_of_distances.py

A small network learns M_G + A_G from the APOGEE labels themselves (Teff, log g, [Fe/H], [alpha/M]) and colors, with the
parallaxes and their errors in the likelihood, on the stars that are not held out. Its distances of the held-out stars
are measured as those of the shipped weights. Writes docs/measured/weights/uacsnet-limit.json in a minute.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from evaluate_uacsnet import distance_statistics
from train_uacsnet import select_apogee
from xp_apogee import add_options, add_parallaxes, load

from stellarlabels.labels.training import label_targets
from stellarlabels.networks import losses, training


def inputs_of(table):
    """Labels and colors (N, 7)."""
    teff, *labels = (table[name].value for name in ("teff", "logg", "feh", "alpha_m"))
    g, j, h, ks = (table[name].value for name in ("phot_g_mean_mag", "j_m", "h_m", "ks_m"))
    return np.stack([np.log10(teff), *labels, j - h, h - ks, g - ks], axis=1)


def small_network(size, seed):
    """Three layers of 64, and a mean and an error."""
    seeds = iter(range(seed, seed + 10))

    def dense(units, activation=None):
        return keras.layers.Dense(
            units, activation, kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds))
        )

    labels = keras.Input((size,), name="labels")
    x = labels
    for _ in range(3):
        x = dense(64, "gelu")(x)
    return keras.Model({"labels": labels}, keras.layers.Concatenate()([dense(1)(x), dense(1)(x)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs" / "measured" / "weights")
    args = parser.parse_args()
    table = select_apogee(add_parallaxes(load(args.data), args.parallaxes))
    inputs = inputs_of(table)
    usable = np.isfinite(inputs).all(axis=1)
    table, inputs = table[usable], inputs[usable]
    held = training.held_out(table["source_id"])
    targets = label_targets(table, ["m_g_dimmed"], {"m_g_dimmed": "parallax"})
    train = targets.known & ~held
    inputs = ((inputs - inputs[train].mean(axis=0)) / inputs[train].std(axis=0)).astype(np.float32)
    guesses = targets[train].guesses()
    center, scale = np.nanmean(guesses, axis=0), np.nanstd(guesses, axis=0)
    network = small_network(inputs.shape[1], args.seed)
    training.train(
        network,
        {"labels": inputs[train]},
        losses.pack(*targets[train].scaled(center, scale)),
        loss=losses.with_parallaxes([True], center, scale),
        epochs=60,
        batch_size=256,
        learning_rate=2e-3,
        schedule="cosine",
        weight_decay=1e-3,
        clip_norm=5.0,
        seed=args.seed,
    )
    output = training.predict(network, {"labels": inputs[held]})
    test = table[held]
    magnitude, sigma = center + scale * output[:, 0], scale * np.exp(output[:, 1])
    distance = 10 ** (0.2 * (test["phot_g_mean_mag"].value - magnitude + 5)) / 1000
    result = {
        "what": "distances from the APOGEE labels themselves, for comparison",
        "stars": int(held.sum()),
        "training_stars": int(train.sum()),
        "measured": {"APOGEE labels and colors, distances": distance_statistics(test, distance, sigma)},
    }
    print(json.dumps(result["measured"], indent=1))
    (args.output / "uacsnet-limit.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
