"""The parallax zero-point, next to the package gaiadr3-zeropoint in the same process.

    python benchmarks/bench_parallax.py [--quick] [--output FOLDER]

Needs ``gaiadr3-zeropoint``. The stars are random and valid: the reference package refuses a whole array for one that is
not.
"""

import numpy as np
import timing
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


def run(quick=False):
    """Measure."""
    count = 2_000 if quick else 1_000_000
    table = stars(count)
    names = ("phot_g_mean_mag", "nu_eff_used_in_astrometry", "pseudocolour", "ecl_lat", "astrometric_params_solved")
    arrays = [np.asarray(table[name]) for name in names]
    zpt.load_tables()
    rates = timing.race(
        {"here": (count, lambda: zero_point(table)), "theirs": (count, lambda: zpt.get_zpt(*arrays))},
        1 if quick else 7,
    )
    difference = np.max(np.abs(zero_point(table).to_value("mas") - zpt.get_zpt(*arrays)))
    result = timing.Result(
        "Parallax zero-point",
        "From a table with units and masks, next to ``get_zpt`` of gaiadr3-zeropoint on plain arrays without missing "
        "values, which it does not take.",
    )
    result.row("zero_point", rates["here"], size=count, peer="gaiadr3-zeropoint", theirs=rates["theirs"], target=1)
    result.fact(
        "largest difference from gaiadr3-zeropoint", difference, unit="mas", target="at most 1e-6 (its rounding)"
    )
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
