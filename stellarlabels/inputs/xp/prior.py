"""What is known about XP coefficients and their errors before a spectrum is looked at, learned from real stars."""

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.inputs.xp.layout import BANDS, columns
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix

#: Samples that a band makes alone: up to 635 nm, and from 643 nm on.
OWN = {"bp": WAVELENGTH <= 635.0, "rp": WAVELENGTH >= 643.0}

#: Relative accuracy with which the flux errors of a star and the correlation of other stars give its own covariance.
#: Chosen on the stars with known correlations, each predicted from the others.
MISMATCH = 0.2


@dataclass(frozen=True)
class Noise:
    """Measurement noise of the n coefficients of a band with S own samples, for spectra of unit level."""

    correlation: np.ndarray  #: (n, n), mean, of the errors of the coefficients
    flux_root: np.ndarray  #: (S, R): times its transpose the mean correlation of the errors of the samples
    log_flux_error: np.ndarray  #: (S,), mean of the logarithms of the errors of the samples
    components: np.ndarray  #: (K, S), principal components of these logarithms
    slopes: np.ndarray  #: (K, n), change of the logarithms of the coefficients' errors with the components
    log_error: np.ndarray  #: (n,), mean of the logarithms of the coefficients' errors

    def errors(self, flux_error):
        """Errors (N, n) of coefficients that go with errors (N, S) of samples in real stars."""
        slopes = self.components.T @ self.slopes
        return np.exp(self.log_error + (np.log(flux_error) - self.log_flux_error) @ slopes)

    @cached_property
    def root(self):
        """``root @ root.T`` is the correlation of the coefficients' errors, shape (n, n)."""
        values, vectors = np.linalg.eigh(self.correlation)
        return vectors * np.sqrt(np.maximum(values, 0))

    def gain(self, design):
        """Best linear estimate (n, S) of the noise of the coefficients from that of samples ``design`` (S, n) makes."""
        half = np.exp(self.log_error)[:, None] * self.root
        size = np.exp(self.log_flux_error)
        seen = design @ half / size[:, None]
        return half @ np.linalg.solve(seen @ seen.T + MISMATCH**2 * np.eye(size.size), seen).T / size


@dataclass(frozen=True)
class Prior:
    """Distribution of coefficients and their errors for spectra of unit level, the root mean square of the samples."""

    mean: np.ndarray  #: (110,), of the coefficients
    factor: np.ndarray  #: (110, 110): times its transpose their covariance
    profile: np.ndarray  #: (343,), root mean square flux, to which rounding errors are taken to be proportional
    bp: Noise
    rp: Noise

    @cached_property
    def design(self):
        """The map from coefficients to samples, shape (343, 110)."""
        return design_matrix()

    @cached_property
    def gains(self):
        """`Noise.gain` of each band, by its name."""
        return {band: getattr(self, band).gain(self.design[OWN[band]][:, columns(band)]) for band in BANDS}


@lru_cache(maxsize=1)
def prior():
    """The prior that ships with the package; ``tools/xp_prior.py`` learns it from real Gaia DR3 spectra."""
    with packaged.file("xp", "coefficients.npz") as path, np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float64) for name in stored.files}
    noise = {band: Noise(**{item.name: arrays[f"{band}_{item.name}"] for item in fields(Noise)}) for band in BANDS}
    return Prior(arrays["mean"], arrays["factor"], arrays["profile"], **noise)
