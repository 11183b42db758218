"""Distances per second: closed form, posteriors on grids, and scipy's minimizer called once for each star.

    python benchmarks/bench_distances.py [--quick] [--output FOLDER]

All methods take turns; run it with one thread (``OMP_NUM_THREADS=1``).
"""

import numpy as np
import timing
from astropy import units as u
from scipy.optimize import minimize_scalar

from stellarlabels.distances import DistancePDF

REFERENCE = "scipy minimize_scalar, star by star"

#: Stars for the closed form, for posteriors, and for the minimizer.
SIZES = {"closed": 1_000_000, "grid": 20_000, "minimizer": 2_000}


def make_stars(count, seed=1):
    """Stars from 100 pc to 9 kpc with errors of M of 0.05 to 0.5 mag and parallax S/N of 0.5 to 50."""
    rng = np.random.default_rng(seed)
    d = np.exp(rng.uniform(np.log(100), np.log(9000), count))
    sigma = rng.uniform(0.05, 0.5, count)
    true = rng.uniform(-1, 7, count)
    error = 1000 / d / np.exp(rng.uniform(np.log(0.5), np.log(50), count))
    return {
        "apparent_mag": true + 5 * np.log10(d / 10) + 0.3,
        "absolute_mag": true + sigma * rng.normal(size=count),
        "absolute_mag_err": sigma,
        "extinction": np.full(count, 0.3),
        "parallax": (1000 / d + error * rng.normal(size=count)) * u.mas,
        "error": error * u.mas,
    }


def first(stars, count):
    """The first stars."""
    return {name: data[:count] for name, data in stars.items()}


def pdf_of(stars):
    """The closed form of all stars."""
    return DistancePDF(*(stars[name] for name in ("apparent_mag", "absolute_mag", "absolute_mag_err", "extinction")))


def minimizer(stars):
    """Mode in 0 to 10 kpc as the published SolarDis code finds it: one bounded minimization for each star."""
    out = []
    columns = (stars[name] for name in ("apparent_mag", "absolute_mag", "absolute_mag_err", "extinction"))
    for m, absolute, sigma, extinction in zip(*columns, strict=True):

        def negative(d, m=m, absolute=absolute, sigma=sigma, extinction=extinction):
            h = m - 5 * np.log10(d) + 5 - extinction
            gaussian = np.exp(-((h - absolute) ** 2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
            return -abs(5 / (d * np.log(10))) * gaussian

        out.append(minimize_scalar(negative, bounds=(0, 10000), method="bounded").x)
    return np.array(out)


def methods(sizes):
    """What is measured: name, number of stars, function."""
    stars = make_stars(max(sizes.values()))
    many, some, few = (first(stars, sizes[name]) for name in ("closed", "grid", "minimizer"))

    def summary(prior):
        return lambda: pdf_of(some).with_parallax(some["parallax"], some["error"], prior).summary()

    def all_closed():
        pdf = pdf_of(many)
        return pdf.median, pdf.mode, pdf.mean, pdf.quantile([0.16, 0.84])

    return [
        (REFERENCE, sizes["minimizer"], lambda: minimizer(few)),
        ("closed form: mode", sizes["closed"], lambda: pdf_of(many).mode),
        ("closed form: median, mode, mean, 16 and 84 %", sizes["closed"], all_closed),
        ("grid posterior, prior uniform in modulus", sizes["grid"], summary(None)),
        ("grid posterior, exponential space density", sizes["grid"], summary("exponential")),
    ]


def agreement(count):
    """How the minimizer's mode compares with the closed form, for modes inside its bracket.

    Returns
    -------
    dict
        ``published_error``: greatest relative difference with the paper's error of 0.2546 mag for all stars;
        ``missed``: fraction of stars with errors of 0.05 to 0.5 mag for which the minimizer is off by more than 1 %.
    """
    stars = make_stars(count, seed=2)
    paper = stars | {"absolute_mag_err": np.full(count, 0.2546)}
    differences = []
    for case in (paper, stars):
        ours = pdf_of(case).mode.value
        inside = ours < 9900
        differences.append(np.abs(minimizer(case)[inside] / ours[inside] - 1))
    return {"published_error": float(differences[0].max()), "missed": float(np.mean(differences[1] > 0.01))}


def run(quick=False):
    """Measure."""
    sizes = {"closed": 2_000, "grid": 100, "minimizer": 50} if quick else SIZES
    entries = {name: (count, function) for name, count, function in methods(sizes)}
    rates = timing.race(entries, 1 if quick else 5)
    result = timing.Result(
        "Distances",
        "Most probable distances of spectro-photometric distance PDFs, next to the published way: one bounded "
        "minimization in 0 to 10 kpc for each star.",
    )
    for name, (count, _) in entries.items():
        if name != REFERENCE:
            target = 1000 if name.startswith("closed form: mode") else None
            result.row(name, rates[name], size=count, peer=REFERENCE, theirs=rates[REFERENCE], target=target)
    compared = agreement(sizes["minimizer"])
    result.fact(
        "mode with the paper's error of 0.2546 mag: largest relative difference from the minimizer",
        compared["published_error"],
        target="at most 1e-3",
    )
    result.fact(
        "share of stars with errors of 0.05 to 0.5 mag for which the minimizer misses the mode by more than 1 %",
        100 * compared["missed"],
        unit="%",
    )
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
