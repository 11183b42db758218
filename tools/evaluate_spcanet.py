"""Measure the shipped SPCANet weights on simulated stars that they were never trained on,
and show what they say of real files.

    python tools/evaluate_spcanet.py --models mrs-models.npz --cache spectra-1.npz

Writes stellarlabels/data/weights/spcanet-synthetic-cannon.json. The simulated stars are made with a seed of their own.
In the same run ridge regression on 100 principal components sees the same inputs, trained on the spectra in the cache,
some of those that the networks were trained on (see train_spcanet.py). The real files are in the folder
STELLARLABELS_DATA; the masses and radii of KIC 8098300 (kic8098300.ecsv) are those of the literature.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
from astropy.table import QTable
from lamost_lrs import folder
from mrs_synthesis import Models, Synthesis
from shipped import WEIGHTS
from train_spcanet import LABELS

import stellarlabels
from stellarlabels import columns, flags
from stellarlabels.archive.readers import read_lamost
from stellarlabels.labels.uncertainty import coverage, robust_scatter

#: Seed of the simulated stars, 500 in a block; those of training are smaller.
SEED, BLOCKS = 1001, 4

#: The Sun's log g, and the star's low-resolution spectrum.
SOLAR_LOGG, LRS_FILE = 4.438, "lamost_lrs/spec-57287-KP193637N444141V03_sp10-161.fits.gz"


def ridge(cache, arrays, components=100, penalty=1.0):
    """Predictions (N, 3) of ridge regression on principal components of both arms."""
    with np.load(cache) as train:
        flux = np.hstack([train["flux_b"], train["flux_r"]]).astype(np.float32)
        labels = train["labels"]
    other = np.hstack([arrays["flux_b"], arrays["flux_r"]])
    center = flux.mean(axis=0)
    rows = np.random.default_rng(1).permutation(len(flux))[:2000]
    directions = np.linalg.svd(flux[rows] - center, full_matrices=False)[2][:components].T
    x, y = (flux - center) @ directions, (other - center) @ directions
    scale = x.std(axis=0)
    x, y = x / scale, y / scale
    mean = labels.mean(axis=0)
    weights = np.linalg.solve(x.T @ x + penalty * np.eye(components), x.T @ (labels - mean))
    return y @ weights + mean


def measure(residual, error=None):
    """Bias, scatter and, with errors, their honesty."""
    known = np.isfinite(residual)
    out = {
        "spectra": int(known.sum()),
        "median_bias": float(np.median(residual[known])),
        "robust_scatter": robust_scatter(residual),
    }
    if error is not None:
        pull = residual / error
        out |= {
            "pull_width": robust_scatter(pull),
            "coverage_68": coverage(pull),
            "median_error": float(np.median(error[known])),
        }
    return {key: round(value, 5) for key, value in out.items()}


def simulated(system, models, profiles, cache):
    """Statistics by group of simulated stars, with known and with measured velocities, and of ridge regression."""
    synthesis = Synthesis(models, profiles, SEED)
    tables = [synthesis.table(synthesis.labels(500)) for _ in range(BLOCKS)]
    truth = np.concatenate([np.stack([table[name].value for name in LABELS], axis=1) for table in tables])
    known = [system.predict(table) for table in tables]
    features = [system.feature_set.compute(table) for table in tables]
    blind = []
    for table in tables:
        table.remove_column("radial_velocity")
        blind.append(system.predict(table))
    snr = np.concatenate([part.snr for part in features])
    teff = truth[:, 0]
    cool = (teff > 4000) & (teff < 7000)
    groups = {"all": np.isfinite(teff), "4000-7000 K": cool, "giants": cool & (truth[:, 1] < 3.5)}
    groups["dwarfs"] = cool & (truth[:, 1] >= 3.5)
    for low, high in ((5, 10), (10, 30), (30, 100), (100, 250)):
        groups[f"4000-7000 K, S/N {low}-{high}"] = cool & (snr >= low) & (snr < high)
    out = {}
    for title, predictions in (("velocities known", known), ("velocities measured", blind)):
        out[f"SPCANet, {title}"] = {name: {} for name in groups}
        for index, label in enumerate(LABELS):
            value, error, flag = columns.label_columns(label)
            mean, sigma = (
                np.concatenate([columns.column_values(part, item) for part in predictions]) for item in (value, error)
            )
            bits = np.concatenate([np.asarray(part[flag.name]) for part in predictions])
            for name, rows in groups.items():
                entry = measure((mean - truth[:, index])[rows], sigma[rows])
                entry["double_lined"] = round(float(flags.LABEL.has(bits[rows], "DOUBLE_LINED").mean()), 5)
                entry["models_disagree"] = round(float(flags.LABEL.has(bits[rows], "MODELS_DISAGREE").mean()), 5)
                out[f"SPCANet, {title}"][name][label] = entry
    arrays = {name: np.concatenate([part.arrays[name] for part in features]) for name in ("flux_b", "flux_r")}
    residual = ridge(cache, arrays) - truth
    out["ridge regression, velocities known"] = {
        name: {label: measure(residual[rows, index]) for index, label in enumerate(LABELS)}
        for name, rows in groups.items()
    }
    return out


def real(system, folder):
    """Labels of the co-added spectra and single exposures of real files with S/N > 10, and differences of epochs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = read_lamost(sorted(Path(folder).glob("med-*")), exposures=True)
    features = system.feature_set.compute(table)
    labels = system.predict(table)
    velocity = system.feature_set.velocities(table)
    exposure = columns.without_unit(table["exposure"])
    values = {
        label: [columns.column_values(labels, item) for item in columns.label_columns(label)[:2]] for label in LABELS
    }
    spectra, epochs = {}, {}
    for index, name in enumerate(map(str, table["spectrum"])):
        single = f"exposure {exposure[index]}" if not exposure.mask[index] else "co-added"
        text = f"{name.split('_sp')[0]}, {single}, S/N {features.snr[index]:.1f}, {velocity[index]:.1f} km/s"
        bits = flags.decode(int(labels["teff_flag"][index])) or ["no flag"]
        if features.snr[index] > 10:
            spectra[f"{text}, {' '.join(bits)}"] = {
                label: {"value": round(float(value[index]), 3), "error": round(float(error[index]), 3)}
                for label, (value, error) in values.items()
            }
        if exposure.mask[index]:
            epochs[name[4:9]] = index
    one, two = (epochs[night] for night in ("58625", "58644"))
    differences = {
        "KIC 8098300, 58644 minus 58625": {
            label: {
                "difference": round(float(value[two] - value[one]), 3),
                "error": round(float(np.hypot(error[two], error[one])), 3),
            }
            for label, (value, error) in values.items()
        }
    }
    beside = {"medium resolution, 58625, lines together": one, "medium resolution, 58644, lines apart": two}
    beside = {
        name: {
            label: {"value": round(float(value[row]), 3), "error": round(float(error[row]), 3)}
            for label, (value, error) in values.items()
        }
        for name, row in beside.items()
    }
    return {
        "real spectra of LAMOST": spectra,
        "the same star on two nights": differences,
        "KIC 8098300, side by side": low_resolution() | beside | literature(),
    }


def low_resolution():
    """Labels of KIC 8098300 from its low-resolution spectrum, by SolarDis."""
    labels = stellarlabels.SolarDis.pretrained("compact").predict(read_lamost(folder() / LRS_FILE))
    entry = {}
    for label in LABELS:
        value, error = (columns.column_values(labels, item)[0] for item in columns.label_columns(label)[:2])
        entry[label] = {"value": round(float(value), 3), "error": round(float(error), 3)}
    return {"low resolution, SolarDis compact": entry}


def literature():
    """Gravities of the two stars from their masses and radii, and the mean weighted with their light at 5150 Angstrom.

    The weights are the areas times Planck's law for 6500 K and that times the ratio of the temperatures.
    """
    stars = QTable.read(Path(__file__).with_name("kic8098300.ecsv"))
    radius = stars["radius"].value
    logg = SOLAR_LOGG + np.log10(stars["mass"].value) - 2 * np.log10(radius)
    light = radius**2 / np.expm1(1.438777e8 / 5150 / (6500 * stars["teff_ratio"]))
    values = {str(name): value for name, value in zip(stars["star"], logg, strict=True)}
    values["mean of the light"] = np.average(logg, weights=light)
    return {f"literature, {name}": {"logg": {"value": round(float(value), 3)}} for name, value in values.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", required=True, help="file of make_mrs_spectra.py")
    parser.add_argument("--cache", required=True, help="spectra that train_spcanet.py has made")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    system = stellarlabels.SPCANet.pretrained()
    result = {
        "system": "spcanet",
        "weights": "synthetic-cannon",
        "provenance": system.provenance_,
        "file_bytes": (WEIGHTS / "spcanet-synthetic-cannon.stellarlabels").stat().st_size,
        "simulated_stars": f"{500 * BLOCKS} of seed {SEED}, with which nothing was trained",
        "measured": simulated(system, *Models.load(args.models), args.cache) | real(system, folder() / "lamost_mrs"),
    }
    for model, by_group in result["measured"].items():
        print(f"\n{model}")
        for group, by_label in by_group.items():
            for label, entry in by_label.items():
                print(f"  {group:26s} {label:6s} " + " ".join(f"{key}={value}" for key, value in entry.items()))
    path = args.output / "spcanet-synthetic-cannon.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
