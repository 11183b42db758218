"""Priors on the distance: uniform in distance, uniform or exponentially decreasing space density, and the user's own.

A prior is the density p(d) of the distance before magnitude and parallax are seen. It need not be normalized.
"""

import numpy as np
from astropy import units as u

from stellarlabels import packaged
from stellarlabels.corrections.arguments import floats
from stellarlabels.distances.arguments import lengths
from stellarlabels.exceptions import InputError


def published_value(name):
    """A published number as a Quantity (``data/distances/published.ecsv``)."""
    table = packaged.table("distances", "published")
    row = table[list(table["name"]).index(name)]
    return row["value"] * u.Unit(row["unit"])


class Prior:
    """A prior given as a function.

    Parameters
    ----------
    density : callable
        Takes distances in pc as a plain array of any shape, and returns p(d), not negative, in any normalization.
        Densities that are narrower than a tenth of the photometric or parallax error should be given as
        ``log_density``, which does not underflow.
    log_density : callable, optional
        The natural logarithm of p(d) instead of p(d).
    support : tuple of `~astropy.units.Quantity`
        Least and greatest distance that the prior allows. Say them here rather than returning 0 beyond them: the
        integration then ends exactly there.

    Raises
    ------
    InputError
        If neither or both of the functions are given, or the support is empty.
    """

    def __init__(self, density=None, *, log_density=None, support=(0 * u.pc, np.inf * u.pc)):
        if (density is None) == (log_density is None):
            raise InputError("prior: expected one of density and log_density")
        self._density = density
        self._log_density = log_density
        self.support = _support(*support)

    def __repr__(self):
        function = self._density or self._log_density
        return f"<Prior: {getattr(function, '__name__', function)}>"

    def log_density(self, ln_d, d):
        """Logarithm of p(d), up to a constant.

        Parameters
        ----------
        ln_d, d : `~numpy.ndarray`
            Natural logarithm of the distance in pc, and the distance itself, same shape.

        Returns
        -------
        `~numpy.ndarray`
            -inf where the density is zero.
        """
        if self._log_density is not None:
            out = np.asarray(self._log_density(d), dtype=np.float64)
        else:
            density = np.asarray(self._density(d), dtype=np.float64)
            if (density < 0).any():
                raise InputError(f"prior: expected densities that are not negative, got {density.min()}")
            with np.errstate(divide="ignore"):
                out = np.log(density)
        return np.where(np.isnan(out), -np.inf, out)

    def for_stars(self, shape):
        """The prior with its parameters, where there is one for each star, spread to stars of that shape."""
        return self

    def rows(self, index):
        """The prior of some of the stars, by their flat index, after `for_stars`."""
        return self


class UniformDistance(Prior):
    """p(d) constant: all distances are equally likely.

    Parameters
    ----------
    maximum : `~astropy.units.Quantity`, optional
        Greatest distance. Without a magnitude, a negative or uncertain parallax needs one.
    """

    def __init__(self, maximum=np.inf * u.pc):
        self.support = _support(0 * u.pc, maximum)

    def __repr__(self):
        return f"<UniformDistance to {np.exp(self.support[1]):g} pc>"

    def log_density(self, ln_d, d):
        return 0.0


class UniformDensity(Prior):
    """p(d) proportional to d^2: the same number of stars in every volume.

    Parameters
    ----------
    maximum : `~astropy.units.Quantity`, optional
        Greatest distance, as in `UniformDistance`.
    """

    def __init__(self, maximum=np.inf * u.pc):
        self.support = _support(0 * u.pc, maximum)

    def __repr__(self):
        return f"<UniformDensity to {np.exp(self.support[1]):g} pc>"

    def log_density(self, ln_d, d):
        return 2 * ln_d


class ExponentialDensity(Prior):
    """p(d) proportional to d^2 exp(-d / L): the space density decreases exponentially.

    Parameters
    ----------
    scale_length : `~astropy.units.Quantity`, optional
        L, one for all stars or one for each; 1.35 kpc by default (Astraatmadja & Bailer-Jones 2016, ApJ 833, 119).

    Raises
    ------
    InputError
        If a scale length is not positive.

    Notes
    -----
    Bailer-Jones 2015, PASP 127, 994. It is the prior to choose for parallaxes of low signal-to-noise ratio.
    """

    support = (-np.inf, np.inf)

    def __init__(self, scale_length=None):
        scale_length = published_value("scale_length") if scale_length is None else scale_length
        self.scale_length = lengths(scale_length, "scale_length")
        if not (self.scale_length > 0).all():
            raise InputError(f"scale_length: expected positive lengths, got {scale_length}")

    def __repr__(self):
        lengths_pc = f"{self.scale_length:g}" if self.scale_length.ndim == 0 else "one each"
        return f"<ExponentialDensity, scale length {lengths_pc} pc>"

    def log_density(self, ln_d, d):
        return 2 * ln_d - d / self.scale_length[..., None]

    def for_stars(self, shape):
        try:
            spread = np.broadcast_to(self.scale_length, shape)
        except ValueError:
            raise InputError(
                f"scale_length: expected a shape that broadcasts to the stars' {shape}, got {self.scale_length.shape}"
            ) from None
        return ExponentialDensity(spread * u.pc)

    def rows(self, index):
        return ExponentialDensity(self.scale_length.ravel()[index] * u.pc)


#: Priors that can be named.
_NAMED = {"uniform": UniformDistance, "density": UniformDensity, "exponential": ExponentialDensity}


def get(prior):
    """The `Prior` for its name, a function of the distance in pc, or itself; None if uniform in distance modulus."""
    # Names: "modulus" (as None, p(d) proportional to 1/d, which is what the closed form implies), "uniform", "density",
    # "exponential".
    if prior is None or isinstance(prior, Prior):
        return prior
    if isinstance(prior, str):
        if prior == "modulus":
            return None
        if prior in _NAMED:
            return _NAMED[prior]()
    elif callable(prior):
        return Prior(prior)
    raise InputError(f"prior: expected 'modulus', {', '.join(map(repr, _NAMED))}, a Prior or a function, got {prior!r}")


def _support(least, greatest):
    """Natural logarithms of the least and greatest distance in pc."""
    least, greatest = (floats(value, "support", "pc") for value in (least, greatest))
    if not 0 <= least < greatest:
        raise InputError(f"support: expected 0 <= least < greatest distance, got {least} and {greatest} pc")
    with np.errstate(divide="ignore"):
        return float(np.log(least)), float(np.log(greatest))
