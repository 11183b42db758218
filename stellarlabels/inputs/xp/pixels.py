"""Sixty pixels of a spectrum, as the UA-CSNet paper resamples it."""

import numpy as np

from stellarlabels.inputs.xp.sampling import WAVELENGTH
from stellarlabels.inputs.xp.statistics import nanmean, nanmedian

__all__ = ["PIXEL_EDGES", "pixels"]

#: Edges in nm of the 60 pixels. The paper gives their number only; equal widths of 11.4 nm cover all samples.
PIXEL_EDGES = np.linspace(335.0, 1021.0, 61)


def pixels(flux, error, *, edges=PIXEL_EDGES, norm_wavelength=550.0, norm_width=10.0):
    """Resample spectra to the pixels of the UA-CSNet paper (its Section 2.1).

    Parameters
    ----------
    flux, error : `~numpy.ndarray`, shape (N, 343)
        Flux and standard error at `WAVELENGTH`; NaN samples are left out.
    edges : array_like, shape (P + 1,)
        Pixel edges in nm.
    norm_wavelength, norm_width : float
        Center and full width in nm of the window whose mean flux becomes 1. The paper gives the wavelength, 550 nm;
        the width is a choice.

    Returns
    -------
    flux, error : `~numpy.ndarray`, shape (N, P)
        Median flux, and root mean square of the errors (not divided by the square root of their number, as in the
        paper), both divided by the mean flux of the window. NaN for pixels without samples, and for all pixels where
        the window's flux is not positive.
    """
    edges = np.asarray(edges, dtype=float)
    position = np.digitize(WAVELENGTH, edges) - 1
    binned_flux = np.full((len(flux), edges.size - 1), np.nan)
    binned_error = binned_flux.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for pixel in range(edges.size - 1):
            inside = position == pixel
            if inside.any():
                binned_flux[:, pixel] = nanmedian(flux[:, inside])
                binned_error[:, pixel] = np.sqrt(nanmean(error[:, inside] ** 2))
        window = np.abs(WAVELENGTH - norm_wavelength) <= norm_width / 2
        norm = nanmean(flux[:, window])[:, None]
        norm[~(norm > 0)] = np.nan
        return binned_flux / norm, binned_error / norm
