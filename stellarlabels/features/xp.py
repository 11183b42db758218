"""Older name of `stellarlabels.inputs.xp`, under which scripts may have it."""

from stellarlabels.inputs.xp import (
    PIXEL_EDGES,
    WAVELENGTH,
    CoefficientCovariance,
    XPPixels,
    XPSpectrum,
    design_matrix,
    fill_gaps,
    intrinsic_color,
    photometric_colors,
    pixels,
    recover_coefficients,
    sample,
    spectra,
)

__all__ = [
    "PIXEL_EDGES",
    "WAVELENGTH",
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
