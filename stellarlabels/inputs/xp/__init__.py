"""Gaia XP spectra: reading, sampling, recovery of coefficients, synthetic photometry, and network inputs.

Feature sets: ``xp_pixels``, the 60 dereddened pixels of the UA-CSNet paper (Yang et al., "Metallicities of 20 Million
Giant Stars Based on Gaia XP spectra"); ``xp_spectrum``, all samples with their errors and colors; ``xp_coefficients``,
the coefficients with all their covariances.
"""

from stellarlabels.inputs.xp import packed as packed
from stellarlabels.inputs.xp.coefficient_features import XPCoefficients, add_noise as add_noise, designs as designs
from stellarlabels.inputs.xp.formats import duplicates as duplicates
from stellarlabels.inputs.xp.layout import COLUMNS as COLUMNS, SIZES as SIZES, lengths as lengths
from stellarlabels.inputs.xp.photometry import Photometry, available, synthesize, synthetic_photometry
from stellarlabels.inputs.xp.reader import read_table, read_xp
from stellarlabels.inputs.xp.recovery import CoefficientCovariance, recover_coefficients
from stellarlabels.inputs.xp.sample_features import XPPixels, XPSpectrum
from stellarlabels.inputs.xp.samples import spectra
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix, sample

__all__ = [
    "WAVELENGTH",
    "CoefficientCovariance",
    "Photometry",
    "XPCoefficients",
    "XPPixels",
    "XPSpectrum",
    "available",
    "design_matrix",
    "read_table",
    "read_xp",
    "recover_coefficients",
    "sample",
    "spectra",
    "synthesize",
    "synthetic_photometry",
]
