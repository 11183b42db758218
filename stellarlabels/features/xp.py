"""Older name of `stellarlabels.inputs.xp`, under which scripts may have it."""

from stellarlabels.inputs.colors import intrinsic_color
from stellarlabels.inputs.xp import (
    WAVELENGTH,
    CoefficientCovariance,
    XPPixels,
    XPSpectrum,
    design_matrix,
    recover_coefficients,
    sample,
    spectra,
)

__all__ = [
    "WAVELENGTH",
    "CoefficientCovariance",
    "XPPixels",
    "XPSpectrum",
    "design_matrix",
    "intrinsic_color",
    "recover_coefficients",
    "sample",
    "spectra",
]
