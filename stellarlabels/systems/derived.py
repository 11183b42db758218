"""Columns of published catalogs that several systems compute where a table does not have them."""

import numpy as np

from stellarlabels import columns

__all__ = ["dereddened_photometry", "galactic"]


def dereddened_photometry(table, coefficients="zhang_yuan_2023"):
    """(BP-RP)0 and M_G in mag, (N,) each; NaN where unknown."""
    # The table's own ``bp_rp_0`` and ``m_g`` win. Otherwise M_G needs ``r_med_geo``; reddening follows from ``ebv``
    # with the coefficients that are named, extinction in G with those of Zhang & Yuan (2023).
    from stellarlabels.corrections.extinction import ebv_of, extinction
    from stellarlabels.inputs.colors import intrinsic_color

    ebv = ebv_of(table)
    own = columns.values(table, "m_g", required=False)
    g = columns.values(table, "phot_g_mean_mag", required=False)
    distance = columns.values(table, "r_med_geo", required=False)
    with np.errstate(invalid="ignore", divide="ignore"):
        absolute = g - 5 * np.log10(distance) + 5 - extinction("G", ebv)
    return intrinsic_color(table, ebv, coefficients), np.where(np.isfinite(own), own, absolute)


def galactic(table):
    """Galactic longitude and latitude, as columns called ``l`` and ``b``, from the table's equatorial coordinates."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord

    ra = columns.values(table, "ra", required=False)
    dec = columns.values(table, "dec", required=False)
    known = np.isfinite(ra) & np.isfinite(dec)
    coordinates = SkyCoord(np.where(known, ra, 0) * u.deg, np.where(known, dec, 0) * u.deg).galactic
    angles = (np.where(known, angle.deg, np.nan) for angle in (coordinates.l, coordinates.b))
    return {name: columns.column(name).dress(angle) for name, angle in zip("lb", angles, strict=True)}
