"""Sampling of XP spectra and synthetic photometry, next to GaiaXPy's calibrate and generate in the same process.

    python benchmarks/bench_xp.py [--quick] [--output FOLDER]

The stars are the few real ones with full correlations that GaiaXPy's own tests use (folder STELLARLABELS_DATA),
repeated, with noise of their own errors. Everything runs with one thread of the libraries of linear algebra and with
all; the faster counts, of each.
"""

import os
from functools import partial
from pathlib import Path

import numpy as np
import timing
from astropy.table import Table, vstack

from stellarlabels.archive.readers import read_xp
from stellarlabels.inputs.xp import sample, synthetic_photometry
from stellarlabels.inputs.xp.gaiaxpy import quiet

DATA = Path(os.environ.get("STELLARLABELS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "gaia_xp"
FILES = ("XP_CONTINUOUS_RAW.fits", "xp_continuous_combined_weiler2023_examples.vot")


def stars(count, seed=1):
    """Real stars with both bands and full correlations, repeated, with noise."""
    tables = [Table(read_xp(DATA / name, sample=False)) for name in FILES]
    table = vstack(tables, metadata_conflicts="silent")
    names = [f"{band}_coefficient{end}" for band in ("bp", "rp") for end in ("s", "_errors", "_correlations")]
    table = table[["source_id", *names]]
    complete = np.all([np.isfinite(np.asarray(table[name])).all(axis=1) for name in names], axis=0)
    table = table[complete]
    table = table[np.arange(count) % len(table)]
    rng = np.random.default_rng(seed)
    for band in ("bp", "rp"):
        error = np.asarray(table[f"{band}_coefficient_errors"])
        table[f"{band}_coefficients"] += rng.standard_normal(error.shape) * error
    table["source_id"] = np.arange(1, count + 1)
    return table


def frame(table):
    """The same as GaiaXPy takes it."""
    import pandas as pd

    columns = {"source_id": np.asarray(table["source_id"])}
    for band in ("bp", "rp"):
        for end in ("coefficients", "coefficient_errors", "coefficient_correlations"):
            columns[f"{band}_{end}"] = list(np.asarray(table[f"{band}_{end}"]))
        columns[f"{band}_n_parameters"] = 55
        columns[f"{band}_standard_deviation"] = 1.0
    return pd.DataFrame(columns)


def peers(few):
    """GaiaXPy's two functions, as functions of the number of threads."""
    with quiet():
        from gaiaxpy import PhotometricSystem, calibrate, generate

        systems = [PhotometricSystem.JPLUS, PhotometricSystem.Gaia_DR3_Vega]
    data = frame(few)

    def call(function, count, **options):
        with quiet(), timing.threads(count):
            return function(data, save_file=False, **options)

    return (
        lambda count: call(calibrate, count),
        lambda count: call(generate, count, photometric_system=systems),
    )


def differences(few, spectra):
    """Largest relative differences of flux, error, and error in single precision from GaiaXPy's."""
    flux, error = (np.stack(list(spectra[name])) for name in ("flux", "flux_error"))
    scale = np.abs(flux).max(axis=1, keepdims=True)
    ours = [quantity.value for quantity in sample(few)]
    single = sample(few, single=True)[1].value
    relative = np.abs(ours[0] - flux) / scale, np.abs(ours[1] / error - 1), np.abs(single / error - 1)
    return [float(array.max()) for array in relative]


def run(quick=False):
    """Measure."""
    many, few = (stars(2_000), stars(200)) if quick else (stars(40_000), stars(2_000))
    calibrate, generate = peers(few)
    cores = os.cpu_count()
    result = timing.Result(
        "Sampling of XP spectra",
        "Flux and errors of 343 samples from 110 coefficients with full correlations, and magnitudes and errors in "
        "the 15 bands of J-PLUS and Gaia, next to ``calibrate`` and ``generate`` of GaiaXPy. Everything ran with "
        "one thread and with all; the faster counts, of each.",
    )
    ours = {
        "sample": lambda: sample(many),
        "single": lambda: sample(many, single=True),
        "flux": lambda: sample(many, errors=False),
        "photometry": lambda: synthetic_photometry(many),
    }

    def within(count, function):
        with timing.threads(count):
            return function()

    entries = {}
    for count in sorted({1, cores}):
        for name, function in ours.items():
            entries[f"{name} {count}"] = (len(many), partial(within, count, function))
        entries[f"calibrate {count}"] = (len(few), partial(calibrate, count))
        entries[f"generate {count}"] = (len(few), partial(generate, count))
    measured = timing.race(entries, 1 if quick else 3)
    rates = {
        name: max(value for key, value in measured.items() if key.split()[0] == name)
        for name in (*ours, "calibrate", "generate")
    }
    spectra = {"peer": "GaiaXPy calibrate", "theirs": rates["calibrate"], "size": len(many)}
    result.row("flux and errors, double precision", rates["sample"], target=15, **spectra)
    result.row("flux, and errors in single precision", rates["single"], target=25, **spectra)
    result.row("flux alone", rates["flux"], target=250, **spectra)
    result.row(
        "synthetic photometry in 15 bands",
        rates["photometry"],
        peer="GaiaXPy generate",
        theirs=rates["generate"],
        size=len(many),
        target=15,
    )
    flux, error, single = differences(few, calibrate(1)[0])
    result.fact("largest difference of flux, relative to the spectrum's maximum", flux, target="at most 1e-10")
    result.fact("largest relative difference of errors", error, target="at most 1e-6")
    result.fact("largest relative difference of errors in single precision", single, target="at most 2e-5")
    result.series = scaling(many, quick)
    return result


def scaling(many, quick):
    """Rates for tables of different lengths, and numbers of threads."""
    lengths = (100, 1000) if quick else (100, 1_000, 10_000, len(many))
    lines = {}
    for count in sorted({1, os.cpu_count()}):
        with timing.threads(count):
            name = f"flux and errors, threads: {count}"
            lines[name] = [[n, timing.rate(n, lambda n=n: sample(many[:n]), 1 if quick else 3)] for n in lengths]
    return {"x": "stars", "y": "stars/s", "lines": lines}


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
