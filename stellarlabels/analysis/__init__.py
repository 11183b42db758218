"""What the labels say: diagrams, abundance planes, gradients of metallicity, and what networks read in a spectrum."""

from stellarlabels.analysis.diagrams import color_magnitude, kiel, read_isochrones, select_isochrones
from stellarlabels.analysis.galactic_positions import galactocentric, positions as positions
from stellarlabels.analysis.gradients import radial_gradients, vertical_gradients
from stellarlabels.analysis.maps import (
    abundance_names as abundance_names,
    abundance_plane,
    abundance_planes,
    as_image,
    binned_map,
    rz_map,
)
from stellarlabels.analysis.network_attention import (
    attention,
    derivative_spectra,
    observed_differences,
    spectral_lines as spectral_lines,
)
from stellarlabels.analysis.spectral_windows import importance, sensitivity

__all__ = [
    "abundance_plane",
    "abundance_planes",
    "as_image",
    "attention",
    "binned_map",
    "color_magnitude",
    "derivative_spectra",
    "galactocentric",
    "importance",
    "kiel",
    "observed_differences",
    "radial_gradients",
    "read_isochrones",
    "rz_map",
    "select_isochrones",
    "sensitivity",
    "vertical_gradients",
]
