"""Synthetic photometry from XP spectra, in any photometric system that GaiaXPy packages, and realistic noise for it."""

from stellarlabels.inputs.xp.photometry.noise import add_noise, jplus_error, photometric_error
from stellarlabels.inputs.xp.photometry.synthetic import (
    Photometry,
    available,
    synthesize,
    synthetic_photometry,
)

__all__ = [
    "Photometry",
    "add_noise",
    "available",
    "jplus_error",
    "photometric_error",
    "synthesize",
    "synthetic_photometry",
]
