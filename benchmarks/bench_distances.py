"""Distances per second: closed form, posteriors on grids, and scipy's minimizer called once for each star.

Run it by hand, on one core (``OMP_NUM_THREADS=1``)::

    python benchmarks/bench_distances.py [--repeats 7] [--json distances.json]

Each row is the median over the repeats, with all methods taking turns within each repeat. "Wall" is elapsed time; "CPU"
is the time that the process itself used, which a busy machine disturbs less. The last column is the median ratio of the
wall rates to the minimizer of the same repeat.
"""

import argparse
import json
import platform
import time

import numpy as np
from astropy import units as u
from scipy.optimize import minimize_scalar

from stellarlabels.distances import DistancePDF

REFERENCE = "scipy minimize_scalar, star by star"


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


def measure(repeats, sizes):
    """Median rates (stars per second) and ratios to the minimizer, one dict for each method."""
    todo = methods(sizes)
    for _, _, function in todo:
        function()
    wall = np.empty((repeats, len(todo)))
    cpu = np.empty_like(wall)
    for repeat in range(repeats):
        for index, (_, count, function) in enumerate(todo):
            elapsed, used = time.perf_counter(), time.process_time()
            function()
            wall[repeat, index] = count / (time.perf_counter() - elapsed)
            cpu[repeat, index] = count / (time.process_time() - used)
    ratios = wall / wall[:, :1]
    return [
        {
            "method": name,
            "stars": count,
            "wall_stars_per_s": float(np.median(wall[:, index])),
            "cpu_stars_per_s": float(np.median(cpu[:, index])),
            "ratio_to_minimizer": float(np.median(ratios[:, index])),
            "least_ratio": float(ratios[:, index].min()),
        }
        for index, (name, count, _) in enumerate(todo)
    ]


def main():
    """Measure, print the table, and write it as JSON if wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--closed", type=int, default=1_000_000, help="stars for the closed form")
    parser.add_argument("--grid", type=int, default=20_000, help="stars for the posteriors")
    parser.add_argument("--minimizer", type=int, default=2_000, help="stars for the minimizer")
    parser.add_argument("--json", help="file to write the numbers to")
    arguments = parser.parse_args()
    sizes = {name: getattr(arguments, name) for name in ("closed", "grid", "minimizer")}
    rows = measure(arguments.repeats, sizes)
    compared = agreement(arguments.minimizer)
    print(f"{'method':<46}{'stars':>10}{'wall /s':>14}{'CPU /s':>14}{'ratio':>10}")
    for row in rows:
        print(
            f"{row['method']:<46}{row['stars']:>10,}{row['wall_stars_per_s']:>14,.0f}{row['cpu_stars_per_s']:>14,.0f}"
            f"{row['ratio_to_minimizer']:>10,.1f}"
        )
    print(f"mode with sigma_M = 0.2546: largest relative difference {compared['published_error']:.1e}")
    print(
        f"sigma_M of 0.05 to 0.5: the minimizer misses the mode by more than 1 % for {compared['missed']:.1%} of stars"
    )
    if arguments.json:
        result = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "processor": platform.processor() or platform.machine(),
            "repeats": arguments.repeats,
            "minimizer_against_closed_form": compared,
            "rows": rows,
        }
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
