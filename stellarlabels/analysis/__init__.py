"""What the labels say: isochrones, abundance planes, gradients of metallicity, and what networks read in a spectrum."""

from stellarlabels.analysis.galaxy import (
    default_frame as default_frame,
    galactocentric,
    positions as positions,
    radial_gradients,
    vertical_gradients,
)
from stellarlabels.analysis.isochrones import read_isochrones
from stellarlabels.analysis.maps import (
    abundance_names as abundance_names,
    as_image,
    binned_map,
    galaxy_map,
)
from stellarlabels.analysis.network_attention import (
    attention,
    derivative_spectra,
    observed_differences,
    simulated_differences,
    spectral_lines as spectral_lines,
)
from stellarlabels.analysis.spectral_windows import importance

__all__ = [
    "as_image",
    "attention",
    "binned_map",
    "derivative_spectra",
    "galactocentric",
    "galaxy_map",
    "importance",
    "observed_differences",
    "radial_gradients",
    "read_isochrones",
    "simulated_differences",
    "vertical_gradients",
]
