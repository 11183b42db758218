"""Are the magnitudes of a star those of its spectrum? A wrong match, or bands in another order, gives wrong labels.

The colors of a star follow from its spectrum to a few hundredths of a magnitude, whatever its extinction, also those
with a band of 2MASS. The relation is that of ``data/xp/colors.ecsv``, made by ``tools/xp_colors.py``.
"""

import numpy as np

from stellarlabels import packaged
from stellarlabels.inputs.xp.sampling import WAVELENGTH

#: Places (12, 4) of samples: four in each of twelve bins of the sampled spectrum.
BINS, PER_BIN = 12, 4
PLACES = np.array(
    [
        part[((np.arange(PER_BIN) + 0.5) * len(part) / PER_BIN).astype(int)]
        for part in np.array_split(np.arange(WAVELENGTH.size), BINS)
    ]
)

#: The first bin, which is mostly noise, is not used; fluxes, in units of their mean, are compressed below this one.
FIRST, SOFTENING = 1, 0.1

#: The mean flux redward of it (nm) is the unit of fluxes.
NORM_FROM = 415.0

#: What colors may differ by in addition, in units of what errors of bins propagate to if each is that of one sample.
#: The noise of XP spectra averages out: 99.5 % of those of ``XPSpectrum.add_noise`` differ by less than 1.1 of these.
NOISE = 1.2


def bins(flux, error):
    """Mean fluxes and errors (N, 12) of bins of spectra (N, 343), in units of the mean flux redward of `NORM_FROM`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = flux[:, WAVELENGTH > NORM_FROM].mean(axis=1)[:, None]
        return tuple(array[:, PLACES].mean(axis=2) / mean for array in (flux, error))


def terms(flux):
    """Terms (N, T) of colors, of mean fluxes (N, 12) as from `bins`: 1, the levels of bins, and their products."""
    level = _levels(flux)[0]
    first, second = np.triu_indices(level.shape[1])
    return np.concatenate([np.ones((len(level), 1)), level, level[:, first] * level[:, second]], axis=1)


def _levels(flux):
    """Levels (N, 11) of bins that are used, and their derivatives (N, 11) with respect to the fluxes."""
    scaled = np.asarray(flux, np.float64)[:, FIRST:] / SOFTENING
    return np.arcsinh(scaled), 1 / np.sqrt(1 + scaled**2) / SOFTENING


def slopes(flux, factors):
    """Derivatives (N, 11) of a color with these factors (T,) of its `terms` with respect to the fluxes."""
    level, slope = _levels(flux)
    width = level.shape[1]
    products = np.zeros((width, width))
    products[np.triu_indices(width)] = factors[1 + width :]
    return (factors[1 : 1 + width] + level @ (products + products.T)) * slope


def differ(flux, error, colors, names):
    """Which stars (N,) have one of the colors (N, C) not of their spectrum, given as from `bins`."""
    # NaN, and colors that the relation does not know, say nothing.
    relation = packaged.table("xp", "colors")
    known = [place for place, name in enumerate(names) if name in relation.meta["limits"]]
    out = np.zeros(len(flux), bool)
    values, error = terms(flux), np.asarray(error, np.float64)[:, FIRST:]
    for place in known:
        factors = np.asarray(relation[names[place]])
        noise = np.sqrt(((slopes(flux, factors) * error) ** 2).sum(axis=1))
        with np.errstate(invalid="ignore"):
            off = np.abs(colors[:, place] - values @ factors)
            out |= off > relation.meta["limits"][names[place]] + NOISE * noise
    return out
