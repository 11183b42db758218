"""Spectro-photometric distances: closed-form PDFs, their product with parallaxes and priors, absolute magnitudes."""

from stellarlabels.distances.pdf import (
    DistancePDF,
    absolute_magnitude,
    distance_from_modulus,
    distance_modulus,
    pseudo_absolute_magnitude,
)
from stellarlabels.distances.posterior import DistancePosterior
from stellarlabels.distances.priors import (
    ExponentialDensity,
    Prior,
    UniformDensity,
    UniformDistance,
    published_value as published_value,
)
from stellarlabels.distances.table import distances

__all__ = [
    "DistancePDF",
    "DistancePosterior",
    "ExponentialDensity",
    "Prior",
    "UniformDensity",
    "UniformDistance",
    "absolute_magnitude",
    "distance_from_modulus",
    "distance_modulus",
    "distances",
    "pseudo_absolute_magnitude",
]
