"""Colors of the catalog photometry that accompanies XP spectra."""

import numpy as np

from stellarlabels import columns

__all__ = ["intrinsic_color", "photometric_colors"]


def photometric_colors(table):
    """G-J, J-H, H-Ks, BP-G, G-RP in mag, shape (N, 5); NaN where a magnitude is missing."""
    names = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
    g, bp, rp, j, h, ks = (columns.values(table, name, required=False) for name in names)
    return np.stack([g - j, j - h, h - ks, bp - g, g - rp], axis=1)


def intrinsic_color(table, ebv):
    """(BP-RP)0 in mag: the table's own ``bp_rp_0`` where it has one, else BP-RP dereddened with ``ebv``."""
    from stellarlabels.corrections.extinction import reddening

    own = columns.values(table, "bp_rp_0", required=False)
    bp = columns.values(table, "phot_bp_mean_mag", required=False)
    rp = columns.values(table, "phot_rp_mean_mag", required=False)
    return np.where(np.isfinite(own), own, bp - rp - reddening("BP-RP", ebv))
