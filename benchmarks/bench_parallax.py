"""Speed of the parallax zero-point against the package gaiadr3-zeropoint, on one million random stars.

Run by hand: ``python benchmarks/bench_parallax.py``. Needs ``gaiadr3-zeropoint``.
"""

import statistics
import time

import numpy as np
from astropy import units as u
from astropy.table import QTable
from zero_point import zpt

from stellarlabels.corrections.parallax import zero_point


def stars(number, seed=1):
    """Random valid stars, a fifth of them with 6-parameter solutions."""
    rng = np.random.default_rng(seed)
    six = rng.random(number) < 0.2
    return QTable(
        {
            "phot_g_mean_mag": rng.uniform(6.01, 20.99, number) * u.mag,
            "nu_eff_used_in_astrometry": np.where(six, np.nan, rng.uniform(1.11, 1.89, number)) / u.um,
            "pseudocolour": np.where(six, rng.uniform(1.25, 1.71, number), np.nan) / u.um,
            "ecl_lat": np.degrees(np.arcsin(rng.uniform(-1, 1, number))) * u.deg,
            "astrometric_params_solved": np.where(six, 95, 31).astype(np.int16),
        }
    )


def seconds(function, repeats=7):
    """Median wall-clock time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(number=1_000_000):
    """Print the two times, their ratio, and the largest difference."""
    table = stars(number)
    names = ("phot_g_mean_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat", "astrometric_params_solved")
    arrays = [np.asarray(table[name]) for name in names]
    zpt.load_tables()
    ours, theirs = seconds(lambda: zero_point(table)), seconds(lambda: zpt.get_zpt(*arrays))
    difference = np.max(np.abs(zero_point(table).to_value("mas") - zpt.get_zpt(*arrays)))
    print(f"stellarlabels      {number / ours / 1e6:6.2f} million stars per second")
    print(f"gaiadr3-zeropoint  {number / theirs / 1e6:6.2f} million stars per second")
    print(f"ratio {theirs / ours:.2f}, largest difference {difference:.2e} mas")


if __name__ == "__main__":
    main()
