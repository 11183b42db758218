"""Posterior distances from magnitudes, a parallax and a prior, by quadrature on a grid of its own for each star.

All is done in x = ln d. A first mesh follows the widths of the photometric and of the parallax likelihood; it finds the
interval outside of which the posterior is negligible, and a uniform grid over that interval gives the integrals. Stars
are taken in chunks that fit the processor's cache, and no grid is kept: a star needs the memory of a few numbers.
"""

from typing import NamedTuple

import numpy as np
from astropy import units as u

from stellarlabels.distances import priors, quadrature
from stellarlabels.distances.arguments import lengths, parallaxes, parsecs, probabilities
from stellarlabels.distances.quadrature import StarLikelihood
from stellarlabels.exceptions import InputError

#: Probabilities of the ends of the interval that summaries give.
LOWER, UPPER = 0.16, 0.84
#: Stars whose grids are in memory at once.
CHUNK = 128


class DistanceSummary(NamedTuple):
    """What a table of distances says of each star (Quantities in pc, shape of the stars)."""

    median: u.Quantity
    lower: u.Quantity
    upper: u.Quantity
    mode: u.Quantity
    mean: u.Quantity


class DistancePosterior:
    """Posterior of the distance; made by `stellarlabels.distances.DistancePDF.with_parallax`.

    Parameters
    ----------
    mu, var : `~numpy.ndarray`
        Mean and variance of ln(d / pc) from the magnitudes; an infinite variance where nothing is known.
    parallax, error : `~astropy.units.Quantity`
        Parallax, corrected for the zero-point, and its standard error; an infinite error where there is none.
    prior : None, str, callable or `stellarlabels.distances.Prior`
        See `stellarlabels.distances.DistancePDF.with_parallax`.

    Raises
    ------
    InputError
        If an error is zero or negative, the shapes do not broadcast, or the prior is of an unknown kind.

    Notes
    -----
    NaN or masked inputs give NaN, and so does a posterior that cannot be normalized: one without any data, or one
    without a magnitude whose parallax is uncertain and whose prior does not fall off.
    """

    def __init__(self, mu, var, parallax, error, prior=None):
        parallax, error = parallaxes(parallax, "parallax"), parallaxes(error, "error")
        if (error <= 0).any():
            raise InputError(f"error: expected positive errors, got {np.count_nonzero(error <= 0)} that are not")
        shapes = [np.shape(item) for item in (mu, var, parallax, error)]
        try:
            self.shape = np.broadcast_shapes(*shapes)
        except ValueError:
            raise InputError(
                f"parallax, error: expected shapes that broadcast with {shapes[0]}, got {shapes[2:]}"
            ) from None
        prior = priors.get(prior)
        prior = None if prior is None else prior.for_stars(self.shape)
        self._stars = StarLikelihood.of(
            *(np.broadcast_to(item, self.shape) for item in (mu, var, parallax, error)), prior
        )
        self._statistics = None

    def __repr__(self):
        prior = "uniform in distance modulus" if self._stars.prior is None else self._stars.prior
        return f"<DistancePosterior, shape {self.shape}, prior: {prior}>"

    @property
    def median(self):
        """Median distance (Quantity in pc, shape of the stars)."""
        return self.summary().median

    @property
    def mode(self):
        """Distance at which the density is greatest (Quantity in pc, shape of the stars)."""
        return self.summary().mode

    @property
    def mean(self):
        """Mean distance (Quantity in pc, shape of the stars)."""
        return self.summary().mean

    @property
    def tension(self):
        """By how many standard errors magnitude and parallax disagree, at the mode (floats, shape of the stars).

        The square root of the sum of the squared residuals of both measurements: one degree of freedom.
        """
        with np.errstate(invalid="ignore"):
            return np.sqrt(self._stars.chi_squared(np.log(self.mode.value)))

    def summary(self, *, progress=False):
        """Median, 16 and 84 % quantiles, mode and mean.

        Parameters
        ----------
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        `DistanceSummary`
            Computed once and kept: a few numbers for each star.
        """
        if self._statistics is None:
            self._scan((0.5, LOWER, UPPER), progress)
        return DistanceSummary(*(parsecs(row) for row in self._statistics[:5]))

    def quantile(self, p):
        """Distances below which the star is with a given probability.

        Parameters
        ----------
        p : float or array_like
            Probabilities from 0 to 1. Below 1e-15 and above 1 - 1e-15 they give the ends of the grid.

        Returns
        -------
        `~astropy.units.Quantity`
            In pc, shape ``p.shape + shape`` as of `numpy.quantile`.

        Raises
        ------
        InputError
            If a probability is outside 0 to 1.
        """
        p = probabilities(p)
        known = (0.5, LOWER, UPPER)
        if p.ndim == 0 and float(p) in known:
            return self.summary()[known.index(float(p))]
        return parsecs(self._scan(p.ravel(), False).reshape(p.shape + self.shape))

    def pdf(self, d):
        """Probability density of the distance.

        Parameters
        ----------
        d : `~astropy.units.Quantity`
            Distances, which broadcast against the shape of the stars: for a grid of G distances common to N stars give
            ``d[:, None]`` and get (G, N). Plain numbers are pc, with a warning.

        Returns
        -------
        `~astropy.units.Quantity`
            In 1/pc; 0 for distances that are not positive.
        """
        d = lengths(d, "d")
        self.summary()
        log_norm = self._statistics[5]
        inside = (d > 0) & np.isfinite(d)
        x = np.log(np.where(inside, d, 1.0))
        with np.errstate(invalid="ignore", over="ignore"):
            density = np.exp(self._stars.log_density(x[..., None])[..., 0] - log_norm - x)
        return u.Quantity(np.where(inside | np.isnan(log_norm), density, 0.0), 1 / u.pc)

    def _scan(self, levels, progress):
        """Quantiles (P, ...) of all stars; keeps the other statistics on the way."""
        levels = np.asarray(levels, dtype=np.float64)
        count = int(np.prod(self.shape))
        out = np.full((levels.size + 3, count), np.nan)
        usable = np.flatnonzero(self._stars.usable)
        for start in _steps(usable.size, progress):
            rows = usable[start : start + CHUNK]
            out[:, rows] = quadrature.integrate(self._stars.rows(rows), levels)
        out = out.reshape(levels.size + 3, *self.shape)
        if self._statistics is None and levels.tolist() == [0.5, LOWER, UPPER]:
            self._statistics = out
        return out[: levels.size]


def _steps(count, progress):
    """Starts of the chunks, with a progress bar if wanted."""
    from tqdm.auto import tqdm

    return tqdm(range(0, count, CHUNK), desc="distances", unit="chunk", disable=not progress)
