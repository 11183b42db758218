"""Corrections, crossmatch, distances: from table to table, without networks."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

COUNT = 100_000


def stars(count=COUNT, seed=1):
    """Random stars with five-parameter solutions."""
    rng = np.random.default_rng(seed)
    return QTable(
        {
            "source_id": np.arange(1, count + 1),
            "ra": rng.uniform(10, 12, count) * u.deg,
            "dec": rng.uniform(-1, 1, count) * u.deg,
            "phot_g_mean_mag": rng.uniform(6.1, 20.9, count) * u.mag,
            "nu_eff_used_in_astrometry": rng.uniform(1.2, 1.8, count) / u.um,
            "pseudocolour": np.full(count, np.nan) / u.um,
            "ecl_lat": rng.uniform(-90, 90, count) * u.deg,
            "astrometric_params_solved": np.full(count, 31, np.int16),
        }
    )


class Parallax:
    """The parallax zero-point."""

    def setup(self):
        self.table = stars()

    def time_zero_point(self):
        from stellarlabels.corrections.parallax import zero_point

        zero_point(self.table)


class Crossmatch:
    """Two catalogs of the same stars."""

    def setup(self):
        from stellarlabels.tables.crossmatch import crossmatch

        self.left, self.right, self.crossmatch = stars(), stars(), crossmatch

    def time_best(self):
        self.crossmatch(self.left, self.right)

    def peakmem_best(self):
        self.crossmatch(self.left, self.right)


class Distances:
    """The closed form."""

    def setup(self):
        from stellarlabels.distances import DistancePDF

        rng = np.random.default_rng(2)
        self.pdf = DistancePDF
        self.columns = rng.uniform(10, 16, COUNT), rng.uniform(-1, 7, COUNT), rng.uniform(0.05, 0.5, COUNT)

    def time_mode(self):
        _ = self.pdf(*self.columns).mode

    def time_quantiles(self):
        self.pdf(*self.columns).quantile([0.16, 0.5, 0.84])
