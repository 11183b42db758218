"""What the recovery of XP coefficients from sampled spectra is worth for photometry, and how fast it is.

    python benchmarks/bench_photometry.py COEFFICIENTS CORRELATIONS... [--archive ZIP] [--output JSON]

COEFFICIENTS is a file of XP spectra with coefficients and their errors, CORRELATIONS are files with the correlations of
the errors, too, as for ``tools/xp_prior.py``, and ZIP is a file of DataLink with the coefficients and the samples of
one star, both made by the archive. All stars of COEFFICIENTS that count here are held out from the prior.

Magnitudes in the 12 filters of J-PLUS from the true coefficients are compared with those from coefficients recovered
from samples: samples as GaiaXPy gives them, in single precision; samples that differ from GaiaXPy's by as much as the
archive's do; samples of spectra to which measurement noise has been added once more. Errors of magnitudes are
compared with those from known covariances, of each star from a prior that was learned without it. GaiaXPy's
``generate`` is timed in the same run.
"""

import argparse
import json
import sys
import time
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import timing
from astropy.table import Table, vstack

from stellarlabels.archive.readers import read_xp
from stellarlabels.inputs.xp import SIZES, design_matrix, packed, recover_coefficients, recovery, synthetic_photometry
from stellarlabels.inputs.xp.coefficients import read_coefficients
from stellarlabels.inputs.xp.gaiaxpy import quiet
from stellarlabels.inputs.xp.layout import BANDS, columns as columns_of
from stellarlabels.inputs.xp.photometry import photometric_system

sys.path.append(str(Path(__file__).parents[1] / "tools"))
import xp_prior  # noqa: E402

OUTPUT = Path(__file__).parents[1] / "docs" / "measured" / "xp" / "photometry.json"

#: Relative difference between the archive's samples and those of GaiaXPy, whose design matrix has six digits.
ARCHIVE = 1.5e-6

#: Stars whose true magnitude in a filter has a smaller error than this count.
PRECISE = 0.1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coefficients")
    parser.add_argument("correlations", nargs="+")
    parser.add_argument("--archive", help="DataLink's zip of one star with samples and coefficients")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    stars = read_xp(options.coefficients)
    held = stars[(np.asarray(stars["source_id"], dtype=np.int64) >> 35) % 5 == 0]
    true = read_coefficients(held)
    rng = np.random.default_rng(1)
    design = design_matrix()
    flux = true.values @ design.T
    flux_error = np.sqrt(with_mean_correlation(true).variance(design))
    noisy = true.values + draw(true.errors, rng)
    measured = {
        "Samples in single precision": agreement(true, flux.astype(np.float32), flux_error),
        "Samples as precise as the archive's next to GaiaXPy's": agreement(
            true, flux * (1 + ARCHIVE * rng.standard_normal(flux.shape)), flux_error
        ),
        "Samples with measurement noise once more": agreement(
            true, (noisy @ design.T).astype(np.float32), flux_error, measurement=True
        ),
        "Errors next to those from known covariances": known_errors(options),
    }
    if options.archive:
        measured["The archive's samples of one star"] = archive_star(options.archive)
    content = {
        "stars": f"{len(held)} Gaia DR3 stars with true coefficients that the prior was not learned from; for each "
        f"filter those whose magnitude has an error of less than {PRECISE} mag",
        "speed": speed(stars),
        "measured": measured,
    }
    options.output.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content, indent=1))


def with_mean_correlation(true):
    """The coefficients with the mean correlation of real stars, where the file has none."""
    for band in BANDS:
        correlation = getattr(recovery.prior(), band).correlation
        true.correlations[band] = np.tile(packed.packed_correlations(correlation), (len(true.values), 1))
    return true


def draw(errors, rng):
    """A realisation of the measurement noise, shape (N, 110)."""
    parts = []
    for band in BANDS:
        root = getattr(recovery.prior(), band).root
        parts.append(rng.standard_normal((len(errors), SIZES[band])) @ root.T)
    return errors * np.hstack(parts)


def agreement(true, flux, flux_error, *, measurement=False):
    """Magnitudes from recovered coefficients minus true ones, with the predicted errors.

    Parameters
    ----------
    true : Coefficients
    flux, flux_error : `~numpy.ndarray`, shape (N, 343)
    measurement : bool
        Whether the differences contain measurement noise, so that predicted errors must.
    """
    system = photometric_system("JPLUS")
    values, errors = recover_coefficients(flux, flux_error)
    old, new = true.values @ system.matrix.T, values @ system.matrix.T
    own_error = 1.0857 * np.sqrt(true.variance(system.matrix)) / old
    variance = errors.variance(system.matrix) if measurement else errors._recovery(system.matrix, recovery._diagonals)
    predicted = 1.0857 * np.sqrt(variance) / old
    with np.errstate(invalid="ignore"):
        difference = -2.5 * np.log10(new / old)
    good = (own_error > 0) & (own_error < PRECISE)
    return {"held-out": {band: row(difference[good[:, k], k], predicted[good[:, k], k]) for k, band in named(system)}}


def named(system):
    return enumerate(system.bands)


def row(difference, predicted):
    """Statistics of one filter, in mmag."""
    size = np.abs(difference)
    return {
        "stars": int(size.size),
        "rms_mmag": round(1e3 * float(np.sqrt(np.mean(difference**2))), 3),
        "percentile_99_mmag": round(1e3 * float(np.percentile(size, 99)), 3),
        "largest_mmag": round(1e3 * float(size.max()), 3),
        "predicted_error_mmag": round(1e3 * float(np.median(predicted)), 3),
        "pull_rms": round(float(np.sqrt(np.mean((difference / predicted) ** 2))), 2),
    }


def known_errors(options):
    """Predicted errors of magnitudes over true ones, for the stars with correlations."""
    system, design = photometric_system("JPLUS"), design_matrix()
    table = distinct(vstack([read_xp(path) for path in options.correlations], metadata_conflicts="silent"))
    true = read_coefficients(table)
    training = xp_prior.training(read_xp(options.coefficients))
    errors = xp_prior.matrix(training, "coefficient_errors")
    level = np.sqrt(((xp_prior.matrix(training, "coefficients") @ design.T) ** 2).mean(axis=1))
    flux_error = np.sqrt(true.variance(design))
    ratios, ratios_of_coefficients = [], []
    for star in range(len(table)):
        measured = xp_prior.known_correlations([table[np.arange(len(table)) != star]])
        noise = {
            band: recovery.Noise(
                **xp_prior.noise(
                    errors[:, columns_of(band)] / level[:, None],
                    design[recovery.OWN[band]][:, columns_of(band)],
                    measured[band],
                )
            )
            for band in BANDS
        }
        own = slice(star, star + 1)
        without = replace(recovery.prior(), **noise)
        with (
            patch("stellarlabels.inputs.xp.recovery.prior", lambda without=without: without),
            patch("stellarlabels.inputs.xp.recovery.prior", lambda without=without: without),
        ):
            _, found = recover_coefficients(true.values[own] @ design.T, flux_error[own])
            ratios.append(np.sqrt(found.variance(system.matrix)[0] / true.variance(system.matrix)[star]))
            ratios_of_coefficients.append(found.errors[0] / true.errors[star])
    out = {band: ratio_row(np.array(ratios)[:, k]) for k, band in named(system)}
    return {f"{len(table)} stars": {**out, "coefficients": ratio_row(np.array(ratios_of_coefficients).ravel())}}


def ratio_row(ratio):
    """Statistics of predicted over true errors."""
    return {
        "median_ratio": round(float(np.median(ratio)), 3),
        "smallest": round(float(ratio.min()), 3),
        "largest": round(float(ratio.max()), 3),
        "rms_of_logarithm": round(float(np.sqrt(np.mean(np.log(ratio) ** 2))), 3),
    }


def distinct(table):
    """Each star once, with both bands."""
    complete = np.isfinite(read_coefficients(table).values).all(axis=1)
    table = table[complete]
    return table[np.unique(np.asarray(table["source_id"]), return_index=True)[1]]


def archive_star(path):
    """Magnitudes from the archive's samples minus those from its coefficients."""
    system = photometric_system("JPLUS")
    true = read_coefficients(read_xp(path))
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if "XP_SAMPLED" in name)
        samples = Table.read(BytesIO(archive.read(name)), hdu=1)
    flux, flux_error = (np.asarray(samples[key], dtype=float)[None] for key in ("flux", "flux_error"))
    values, errors = recover_coefficients(flux, flux_error)
    old, new = true.values @ system.matrix.T, values @ system.matrix.T
    predicted = 1.0857 * np.sqrt(errors._recovery(system.matrix, recovery._diagonals)) / old
    total, own = (np.sqrt(part.variance(system.matrix))[0] for part in (errors, true))
    return {
        name.split()[-1].removesuffix(".fits"): {
            band: {
                "difference_mmag": round(-2500 * float(np.log10(new[0, k] / old[0, k])), 3),
                "predicted_error_mmag": round(1e3 * float(predicted[0, k]), 3),
                "error_over_true_error": round(float(total[k] / own[k]), 3),
            }
            for k, band in named(system)
        }
    }


def speed(stars, repeat=3):
    """Stars in a second of processor time: GaiaXPy's generate and synthetic_photometry, J-PLUS and Gaia.

    From the same coefficients with correlations; run it with one thread (``OMP_NUM_THREADS=1``).
    """
    import pandas as pd

    def cpu_time(function):
        return timing.best(function, repeat, time.process_time)[0]

    known = with_mean_correlation(read_coefficients(stars))
    columns, table = {"source_id": np.asarray(stars["source_id"])}, stars.copy()
    for band in BANDS:
        part = columns_of(band)
        columns[f"{band}_coefficients"] = list(known.values[:, part])
        columns[f"{band}_coefficient_errors"] = list(known.errors[:, part])
        columns[f"{band}_coefficient_correlations"] = list(known.correlations[band])
        columns[f"{band}_n_parameters"] = SIZES[band]
        columns[f"{band}_standard_deviation"] = 1.0
        table[f"{band}_coefficient_correlations"] = known.correlations[band]
    frame = pd.DataFrame(columns)
    with quiet():
        from gaiaxpy import PhotometricSystem, generate

        systems = [PhotometricSystem.JPLUS, PhotometricSystem.Gaia_DR3_Vega]
        theirs = cpu_time(lambda: generate(frame, photometric_system=systems, save_file=False))
    many = vstack([table] * 5, metadata_conflicts="silent")
    ours = cpu_time(lambda: synthetic_photometry(many)) / 5
    flux, flux_error = known.values @ design_matrix().T, np.sqrt(known.variance(design_matrix()))
    samples = Table({"flux": np.tile(flux, (5, 1)), "flux_error": np.tile(flux_error, (5, 1))})
    for name in samples.colnames:
        samples[name].unit = "W / (m2 nm)"
    recovered = cpu_time(lambda: synthetic_photometry(samples)) / 5
    return {
        "gaiaxpy_generate_stars_per_cpu_second": round(len(stars) / theirs),
        "synthetic_photometry_stars_per_cpu_second": round(len(stars) / ours),
        "ratio": round(theirs / ours, 1),
        "from_samples_stars_per_cpu_second": round(len(stars) / recovered),
    }


if __name__ == "__main__":
    main()
