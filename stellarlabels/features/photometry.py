"""Older name of `stellarlabels.inputs.xp.photometry`, under which scripts may have it."""

from stellarlabels.inputs.xp.photometry import (
    Photometry,
    add_noise,
    available,
    jplus_error,
    photometric_error,
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
