"""Spectra of any survey: pixels and masks, rest frame, resampling, continua, and the feature set ``spectrum``."""

from stellarlabels.inputs.spectra.continuum import clipped_continuum, running_continuum
from stellarlabels.inputs.spectra.normalised import Normalised, SpectrumPixels, normalise, spectrum_features
from stellarlabels.inputs.spectra.resampling import fill_gaps, interpolate
from stellarlabels.inputs.spectra.specutils_objects import from_specutils, to_specutils
from stellarlabels.inputs.spectra.table_pixels import Pixels, pixel_column, pixels
from stellarlabels.inputs.spectra.velocity import LIGHT, measure_velocity, redshift

__all__ = [
    "LIGHT",
    "Normalised",
    "Pixels",
    "SpectrumPixels",
    "clipped_continuum",
    "fill_gaps",
    "from_specutils",
    "interpolate",
    "measure_velocity",
    "normalise",
    "pixel_column",
    "pixels",
    "redshift",
    "running_continuum",
    "spectrum_features",
    "to_specutils",
]
