"""Stars of the sample that ships with the package, many times over, with noise of their own errors."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import UACSNet
from stellarlabels.inputs.examples import xp_apogee_sample


@pytest.fixture(scope="session")
def system():
    return UACSNet.pretrained()


@pytest.fixture(scope="session")
def mock():
    """A function that makes so many stars out of the sample: real spectra with noise, places all over the sky."""

    def make(count, seed=1):
        random = np.random.default_rng(seed)
        sample = xp_apogee_sample()
        names = ("flux", "flux_error", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
        stars = QTable(sample[names][random.integers(0, len(sample), count)])
        stars.add_column(2**60 + 7 * random.permutation(count), name="source_id", index=0)
        stars["ra"], stars["dec"] = random.uniform(0, 360, count) * u.deg, random.uniform(-80, 80, count) * u.deg
        stars["flux"] = stars["flux"] + stars["flux_error"] * random.standard_normal(stars["flux"].shape)
        stars["flux"][::41] = np.nan
        stars.meta.clear()
        return stars

    return make
