"""Older name of the photometry of `stellarlabels.inputs.xp` and `stellarlabels.inputs.colors`, for older scripts."""

from stellarlabels.inputs.colors import add_noise, jplus_error, photometric_error
from stellarlabels.inputs.xp import Photometry, available, synthesize, synthetic_photometry

__all__ = [
    "Photometry",
    "add_noise",
    "available",
    "jplus_error",
    "photometric_error",
    "synthesize",
    "synthetic_photometry",
]
