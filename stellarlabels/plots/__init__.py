"""Figures of labels: one style, axes with units, colors that are told apart with any color vision.

Every function draws on the Axes (or Figure) that it is given, or on a new one of `matplotlib.pyplot`, and returns it.
Up to 4,000 stars are points, more are a density. The style is applied while a function draws; settings of Matplotlib
stay as they are.
"""

from stellarlabels.plots.calibration import (
    cut_waterfall,
    errors_along,
    flag_tally,
    pit_histogram,
    pull_histogram,
    reliability_curve,
)
from stellarlabels.plots.clouds import axis_range as axis_range
from stellarlabels.plots.comparison import one_to_one, pairwise_matrix, residual_along, residual_panels
from stellarlabels.plots.diagrams import abundance_plane, abundance_planes, color_magnitude, kiel
from stellarlabels.plots.galaxy import cluster_trend, galaxy_map, gradients
from stellarlabels.plots.labels import label_values as label_values, plain as plain, unit as unit
from stellarlabels.plots.networks import attention_bars, derivative_panel, importance_spectrum
from stellarlabels.plots.samples import distribution, value_map, venn
from stellarlabels.plots.spectra import spectrum
from stellarlabels.plots.style import context, figure_bytes as figure_bytes

__all__ = [
    "abundance_plane",
    "abundance_planes",
    "attention_bars",
    "cluster_trend",
    "color_magnitude",
    "context",
    "cut_waterfall",
    "derivative_panel",
    "distribution",
    "errors_along",
    "flag_tally",
    "galaxy_map",
    "gradients",
    "importance_spectrum",
    "kiel",
    "one_to_one",
    "pairwise_matrix",
    "pit_histogram",
    "pull_histogram",
    "reliability_curve",
    "residual_along",
    "residual_panels",
    "spectrum",
    "value_map",
    "venn",
]
