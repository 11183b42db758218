"""Mock stars for the benchmarks of long runs: real spectra of the sample that ships with the package, with new noise.

Each star is one of the 600 of `stellarlabels.inputs.examples.xp_apogee_sample`, as if observed again: noise of the
spectrum's own errors is added. ``jplus`` has the magnitudes that follow from the spectra, and E(B-V), instead of them.
"""

import re

import numpy as np

from stellarlabels import columns
from stellarlabels.inputs.examples import xp_apogee_sample

MAGNITUDES = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")


def xp_stars():
    """Columns of the sample: spectra and magnitudes, float32."""
    sample = xp_apogee_sample()
    return {name: columns.values(sample, name).astype(np.float32) for name in ("flux", "flux_error", *MAGNITUDES)}


def jplus_stars():
    """The same with J-PLUS magnitudes for spectra, in so far as they could be synthesised."""
    from stellarlabels.inputs.xp import synthetic_photometry

    sample = xp_apogee_sample()
    made = synthetic_photometry(sample, ["JPLUS"])
    bands = [name.removeprefix("Jplus_mag_") for name in made.colnames if re.fullmatch(r"Jplus_mag_[^_]+", name)]
    out = {name: columns.values(sample, name).astype(np.float32) for name in (*MAGNITUDES[:3], "ebv")}
    for name, infix in (("mag_aper_6_0", "mag"), ("mag_err_aper_6_0", "mag_error")):
        cells = [
            np.ma.filled(columns.without_unit(made[f"Jplus_{infix}_{band}"]).astype(float), np.nan) for band in bands
        ]
        out[name] = np.stack(cells, axis=1).astype(np.float32)
    good = np.isfinite(out["mag_aper_6_0"]).all(axis=1)
    return {name: data[good] for name, data in out.items()}


NOISY = {"flux": "flux_error", "mag_aper_6_0": "mag_err_aper_6_0"}
KINDS = {"uacsnet": xp_stars, "csnet": jplus_stars}


def observed(stars, count, random):
    """So many stars with new noise."""
    rows = random.integers(0, len(next(iter(stars.values()))), count)
    out = {name: data[rows] for name, data in stars.items()}
    for name, error in NOISY.items():
        if name in out:
            out[name] = out[name] + out[error] * random.standard_normal(out[name].shape, np.float32)
    return out


def source_id(pixel, number):
    """Identifiers as Gaia's: the HEALPix pixel of order 12 in the upper bits, and a running number."""
    return (np.asarray(pixel, np.int64) << 35) + number
