"""LAMOST spectra of low and medium resolution: files, pre-processing, and network inputs."""

from stellarlabels.inputs.lamost.files import lamost_columns as lamost_columns
from stellarlabels.inputs.lamost.low_resolution import (
    LINEAR_GRID,
    LOG_GRID as LOG_GRID,
    LRSSpectrum,
    normalised,
)
from stellarlabels.inputs.lamost.medium_resolution import MRSArms
from stellarlabels.inputs.lamost.reader import iter_lamost, read_lamost

__all__ = [
    "LINEAR_GRID",
    "LRSSpectrum",
    "MRSArms",
    "iter_lamost",
    "normalised",
    "read_lamost",
]
