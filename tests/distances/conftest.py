"""An independent quadrature of distance posteriors: scipy's adaptive rule in d, not in ln d, one star at a time."""

import math

import numpy as np
import pytest
from scipy.integrate import quad


class Reference:
    """Posterior of one star in d (pc): Gaussian in m, Gaussian in the parallax, times a prior density."""

    def __init__(self, modulus, sigma, parallax, error, prior=lambda d: 1 / d, maximum=None):
        self.terms = modulus, sigma, parallax, error
        self.prior = prior
        low, high = 1e-2, (maximum or 1e12)
        d = np.exp(np.linspace(math.log(low), math.log(high), 200001))
        self.shift = self._log_data(d).max()
        with np.errstate(divide="ignore"):
            log_mass = self._log_data(d) + np.log(prior(d) * d)
        kept = d[log_mass > log_mass.max() - 45]
        # Short pieces make scipy's rule converge wherever the peaks are.
        self.edges = np.exp(np.linspace(math.log(kept[0]), math.log(kept[-1]), 60))
        self.norm = self._integral(self.edges[0], self.edges[-1])

    def _log_data(self, d):
        modulus, sigma, parallax, error = self.terms
        out = -0.5 * ((5 * np.log10(d / 10) - modulus) / sigma) ** 2
        return out - 0.5 * ((parallax - 1000 / d) / error) ** 2

    def density(self, d):
        """Not normalized."""
        return math.exp(self._log_data(d) - self.shift) * self.prior(d)

    def _integral(self, low, high, weight=lambda d: 1.0):
        cuts = [low, *self.edges[(self.edges > low) & (self.edges < high)], high]
        return sum(
            quad(lambda d: self.density(d) * weight(d), a, b, epsabs=0, epsrel=1e-9, limit=200)[0]
            for a, b in zip(cuts[:-1], cuts[1:], strict=True)
        )

    def pdf(self, d):
        """Normalized density."""
        return self.density(d) / self.norm

    def mean(self):
        """Mean distance."""
        return self._integral(self.edges[0], self.edges[-1], weight=lambda d: d) / self.norm

    def error_of_quantile(self, d, p):
        """By which fraction of d the distance d misses the quantile p."""
        below = self._integral(self.edges[0], d) / self.norm
        return (below - p) / (self.pdf(d) * d)


@pytest.fixture(scope="session")
def reference():
    """The independent quadrature."""
    return Reference
