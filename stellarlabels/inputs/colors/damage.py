"""Photometry that is wrong, on which a system learns what the colors of a star do not look like."""

import numpy as np
from astropy.table import QTable

from stellarlabels.columns import Column
from stellarlabels.inputs.colors.set import magnitude

#: Largest error of a band, and of all bands from the bluest to the reddest (mag); scatter of wrong zero-points.
BAND, SLOPE, SCATTER = 1.5, 1.5, 0.6


def damaged(table, colors, seed=0):
    """Copies (N rows) of stars with wrong magnitudes, and how wrong (N,), 0 to 1: one band, a slope, or all bands."""
    random, bands = np.random.default_rng(seed), colors.bands
    shape = len(table), len(bands)
    severity, sign = random.uniform(0.05, 1, (shape[0], 1)), random.choice([-1, 1], (shape[0], 1))
    one = np.arange(shape[1]) == random.integers(shape[1], size=(shape[0], 1))
    kinds = BAND * sign * one, SLOPE / 2 * sign * np.linspace(1, -1, shape[1]), SCATTER * random.normal(size=shape)
    offset = severity * np.choose(random.integers(len(kinds), size=(shape[0], 1)), kinds)
    out = QTable(table, copy=False)
    for index, band in enumerate(bands):
        found = magnitude(table, band) + offset[:, index]
        out[band.columns[0]] = Column(band.columns[0], "mag").dress(found)
    return out, severity[:, 0]
