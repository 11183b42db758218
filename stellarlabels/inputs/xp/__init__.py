"""Gaia XP spectra: sampling, recovery of coefficients, and network inputs.

Two feature sets work on sampled spectra:

``xp_pixels``
    The 60 pixels of the UA-CSNet paper (Yang et al., "Metallicities of 20 Million Giant Stars Based on Gaia XP
    spectra"): dereddened, resampled by medians, scaled to 1 at 550 nm, with RMS errors.
``xp_spectrum``
    All 343 samples, divided by their mean above ``norm_from``, with their errors, and colors of the catalog
    photometry. Not dereddened: the colors let the network see the reddening.
"""

from stellarlabels.inputs.xp.colors import intrinsic_color, photometric_colors
from stellarlabels.inputs.xp.covariance import CoefficientCovariance
from stellarlabels.inputs.xp.pixels import PIXEL_EDGES, pixels
from stellarlabels.inputs.xp.recovery import recover_coefficients
from stellarlabels.inputs.xp.sample_sets import XPPixels, XPSpectrum
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix, sample
from stellarlabels.inputs.xp.spectra import fill_gaps, spectra

__all__ = [
    "WAVELENGTH",
    "PIXEL_EDGES",
    "CoefficientCovariance",
    "XPPixels",
    "XPSpectrum",
    "design_matrix",
    "fill_gaps",
    "intrinsic_color",
    "photometric_colors",
    "pixels",
    "recover_coefficients",
    "sample",
    "spectra",
]
