"""Strengths of lines in the Cannon models, corrected with real low-resolution spectra whose labels are known.

Used by make_mrs_spectra.py. In the windows of the medium-resolution arms the absorption of the models, at the
resolution of the LAMOST low-resolution spectra, is compared with that of the real ones with LASP labels
(tools/lamost_lrs.py). What is missing or too much is learned for every Angstrom as a factor on the absorption, a
quadratic function of the labels. The stars of fold 0 are not used, and spectra of KIC 8098300, with which the result is
judged, are not among them.
"""

from dataclasses import dataclass

import numpy as np

from stellarlabels import columns
from stellarlabels.inputs.lamost.medium_resolution import ARMS
from stellarlabels.inputs.spectra import LIGHT, clipped_continuum, fill_gaps, interpolate, pixels

#: Resolving power of the low-resolution spectra that brings models and stars closest together, of 1300, 1500, 1800.
RESOLUTION = 1500.0

#: Step of the logarithm in which models are smoothed, in km/s.
STEP = 5.0

#: Limits between which labels count, their middle and scale (Teff as 5040 K / Teff), and limits of the factor.
CLIP = np.array([[4100.0, 7900.0], [0.8, 4.85], [-2.4, 0.5]])
MIDDLE, SCALE = np.array([0.87, 3.9, -0.4]), np.array([0.1, 0.7, 0.5])
FACTORS = (0.3, 2.0)

#: Rounds of the fit, and strength with which factors are held at 1 (in units of a star's weight).
ROUNDS, RIDGE = 6, 0.03

#: Least S/N (g band) of the stars that are used.
LEAST_SNR = 30.0

#: Wavelengths at rest of the comparison.
LOW = {arm: np.arange(low, high + 0.5) for arm, (low, high) in ARMS.items()}


@dataclass
class Strengths:
    """Factors on the absorption of models.

    Parameters
    ----------
    coefficients : dict of str to `~numpy.ndarray`
        For each arm (P, 10), of the terms of `terms` at the wavelengths `LOW`.
    """

    coefficients: dict

    @staticmethod
    def terms(labels):
        """Products (N, 10) of the scaled labels up to second degree."""
        labels = np.clip(labels, *CLIP.T)
        scaled = (np.stack([5040 / labels[:, 0], labels[:, 1], labels[:, 2]], axis=1) - MIDDLE) / SCALE
        first, second = np.triu_indices(3)
        return np.concatenate([np.ones((len(labels), 1)), scaled, scaled[:, first] * scaled[:, second]], axis=1)

    def factors(self, arm, wavelength, labels):
        """Factors (N, M) at wavelengths (M,), within `FACTORS`."""
        at = np.clip(wavelength - LOW[arm][0], 0, LOW[arm].size - 1.001)
        left = at.astype(int)
        share = (at - left)[:, None]
        rows = self.coefficients[arm]
        return np.clip(1 + self.terms(labels) @ (rows[left] * (1 - share) + rows[left + 1] * share).T, *FACTORS)

    @classmethod
    def fit(cls, models, stars):
        """Find the factors.

        Parameters
        ----------
        models : `mrs_synthesis.Models`
            Without strengths.
        stars : dict
            From `real_stars`.

        Returns
        -------
        Strengths
        """
        out = cls({arm: np.zeros((grid.size, 10)) for arm, grid in LOW.items()})
        terms = cls.terms(stars["labels"])
        for arm in ARMS:
            weight = (1 / (0.01**2 + stars["error"][arm] ** 2))[:, None]
            weight /= weight.mean()
            for _ in range(ROUNDS):
                residual, absorption = out.residual(models, stars, arm)
                depth = np.maximum(absorption, 0.01)
                for index in range(LOW[arm].size):
                    x = terms * depth[:, [index]]
                    left = (weight * x).T @ x + RIDGE * np.eye(terms.shape[1])
                    right = (weight * x).T @ residual[:, index] - RIDGE * out.coefficients[arm][index]
                    out.coefficients[arm][index] += 0.8 * np.linalg.solve(left, right)
        return out

    def residual(self, models, stars, arm):
        """Normalised flux of models minus that of stars, both with the stars' noise, and the models' absorption.

        Returns
        -------
        residual, absorption : `~numpy.ndarray`, shape (N, P)
        """
        labels, wave = stars["labels"], models.wavelength[arm]
        absorption = 1 - models.flux(arm, labels)
        absorption = smoothed(wave, absorption * self.factors(arm, wave, labels), LOW[arm])
        noise = stars["noise"][arm]
        flux = 1 - absorption + noise
        # the noise moves the pseudo-continuum, and is then taken out again
        return flux / clipped_continuum(flux) - noise - stars["flux"][arm], absorption


def smoothed(wavelength, absorption, grid):
    """Absorption (N, M) at the resolution of low-resolution spectra, on another grid (P,)."""
    logs = np.arange(np.log(wavelength[0]), np.log(wavelength[-1]), STEP / LIGHT)
    fine = interpolate(wavelength, absorption, np.exp(logs))
    size = 1 << (logs.size - 1).bit_length()
    width = LIGHT / RESOLUTION / np.sqrt(8 * np.log(2))
    kernel = np.exp(-2 * (np.pi * np.fft.rfftfreq(size, STEP) * width) ** 2)
    fine = np.fft.irfft(np.fft.rfft(np.nan_to_num(fine), size) * kernel, size)[:, : logs.size]
    return interpolate(np.exp(logs), fine, grid)


def real_stars(table, chosen):
    """Normalised low-resolution spectra in the windows of both arms, with labels and noise.

    Parameters
    ----------
    table : `~astropy.table.Table`
        From `lamost_lrs.load`.
    chosen : `~numpy.ndarray` of bool, shape (N,)
        Stars that may be used; of these the ones of 4000 to 7900 K with S/N > 30 and complete windows are.

    Returns
    -------
    dict
        ``labels`` (K, 3), and by arm ``flux`` and ``noise`` (K, P), ``error`` (K,): the noise is that of a random
        spectrum with the errors of the star.
    """
    labels = np.stack([columns.values(table, name) for name in ("teff", "logg", "feh")], axis=1)
    data, z = pixels(table), columns.values(table, "z")[:, None]
    rest = data.wavelength / (1 + z)
    flux = fill_gaps(data.wavelength, data.flux, data.good)
    flux = {arm: interpolate(rest, flux, grid) for arm, grid in LOW.items()}
    there = np.all([np.isfinite(values).all(axis=1) for values in flux.values()], axis=0)
    usable = chosen & there & (columns.values(table, "snrg") > LEAST_SNR)
    usable &= (labels[:, 0] > 4000) & (labels[:, 0] < 7900)
    ratios = {}
    for arm, grid in LOW.items():
        inside = (data.wavelength > grid[0]) & (data.wavelength < grid[-1])
        found = np.where(data.good[:, inside], data.flux[:, inside] * np.sqrt(data.ivar[:, inside]), np.nan)
        ratios[arm] = np.nanmedian(np.where(usable[:, None], found, 1.0), axis=1)
        usable &= ratios[arm] > 0
    random = np.random.default_rng(7)
    out = {"labels": labels[usable], "flux": {}, "noise": {}, "error": {}}
    for arm, grid in LOW.items():
        out["flux"][arm] = flux[arm][usable] / clipped_continuum(flux[arm][usable])
        error = out["error"][arm] = 1 / ratios[arm][usable]
        noise = random.standard_normal(data.flux.shape)[usable] * error[:, None]
        out["noise"][arm] = interpolate(rest[usable], noise, grid)
    return out
