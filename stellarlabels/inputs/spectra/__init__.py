"""Spectra of any survey: pixels and masks, rest frame, resampling, continua, and the feature set ``spectrum``."""

from stellarlabels.inputs.spectra.normalised import (
    Normalised as Normalised,
    SpectrumPixels,
    clipped_continuum,
    normalise as normalise,
    running_continuum as running_continuum,
    spectrum_features as spectrum_features,
)
from stellarlabels.inputs.spectra.specutils_objects import from_specutils, to_specutils
from stellarlabels.inputs.spectra.table_pixels import (
    Pixels as Pixels,
    fill_gaps as fill_gaps,
    interpolate as interpolate,
    masks_of as masks_of,
    pixel_column as pixel_column,
    pixels,
)
from stellarlabels.inputs.spectra.velocity import LIGHT as LIGHT, measure_velocity, redshift

__all__ = [
    "SpectrumPixels",
    "clipped_continuum",
    "from_specutils",
    "measure_velocity",
    "pixels",
    "redshift",
    "to_specutils",
]
