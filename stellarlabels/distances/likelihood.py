"""What magnitude, parallax and prior say of ln d, for many stars at once."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.distances.priors import Prior

__all__ = ["StarLikelihood"]

#: Parallax in mas at 1 pc.
MAS = 1000.0


@dataclass(frozen=True)
class StarLikelihood:
    """Measurements of stars of any shape, in the form in which they are needed.

    Parameters
    ----------
    mu, weight : `~numpy.ndarray`
        Mean of ln(d / pc) from the magnitudes and the inverse of its variance, 0 where nothing is known.
    parallax, precision : `~numpy.ndarray`
        Parallax in mas and the inverse of its standard error, 0 where there is none.
    prior : `Prior` or None
        None for the prior that is uniform in x = ln d.
    """

    mu: np.ndarray
    weight: np.ndarray
    parallax: np.ndarray
    precision: np.ndarray
    prior: Prior | None

    @classmethod
    def of(cls, mu, var, parallax, error, prior):
        """From variances and errors that may be infinite, with values that may then be NaN."""
        weight, precision = 1 / var, 1 / error
        return cls(np.where(weight == 0, 0.0, mu), weight, np.where(precision == 0, 0.0, parallax), precision, prior)

    @property
    def usable(self):
        """Stars with all numbers known and at least one measurement (bool, shape of the stars)."""
        finite = np.isfinite(self.mu) & np.isfinite(self.parallax)
        return finite & np.isfinite(self.weight) & np.isfinite(self.precision) & (self.weight + self.precision > 0)

    @property
    def support(self):
        """Least and greatest ln d that the prior allows."""
        return (-np.inf, np.inf) if self.prior is None else self.prior.support

    def rows(self, index):
        """Some of the stars, by their flat index; one axis."""
        arrays = (item.ravel()[index] for item in (self.mu, self.weight, self.parallax, self.precision))
        return StarLikelihood(*arrays, None if self.prior is None else self.prior.rows(index))

    def log_density(self, x):
        """Logarithm of the posterior density of x = ln d, not normalized.

        Parameters
        ----------
        x : `~numpy.ndarray`, shape (..., G)
            G values for each star.

        Returns
        -------
        `~numpy.ndarray`, shape (..., G)
        """
        out = x - self.mu[..., None]
        out *= out
        out *= -0.5 * self.weight[..., None]
        inverse = np.exp(-x)
        residual = inverse * (MAS * self.precision)[..., None]
        residual -= (self.parallax * self.precision)[..., None]
        residual *= residual
        residual *= 0.5
        out -= residual
        if self.prior is not None:
            with np.errstate(divide="ignore"):
                out += self.prior.log_density(x, 1 / inverse)
            out += x
            low, high = self.support
            if low > -np.inf or high < np.inf:
                out[~((x >= low) & (x <= high))] = -np.inf
        return out

    def chi_squared(self, x):
        """Sum of the squared residuals of magnitude and parallax in units of their errors, x of the stars' shape."""
        return self.weight * (x - self.mu) ** 2 + (self.precision * (MAS * np.exp(-x) - self.parallax)) ** 2
