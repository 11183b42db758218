"""Make the sample of synthetic LAMOST low-resolution spectra that ships with the package.

    python tools/make_lrs_sample.py

Real spectra of the survey may not be passed on with a package. A quadratic function of Teff, log g and [Fe/H] is fitted
to each pixel of the normalised real spectra of lamost_lrs.py (The Cannon; Ness et al. 2015, ApJ 808, 16), without those
of the held-out stars. 32 spectra are made from it, with labels near those of real stars of 4500 to 7000 K, radial
velocities, and noise.
"""

from pathlib import Path

import lamost_lrs
import numpy as np
from astropy.io import fits
from astropy.table import Table

import stellarlabels
from stellarlabels import columns
from stellarlabels.inputs.lamost.low_resolution import LOG_GRID, normalised
from stellarlabels.inputs.spectra.normalised import UNKNOWN

OUTPUT = Path(stellarlabels.__file__).parent / "data" / "sample" / "lrs_synthetic.fits"
SOURCE = "Quadratic functions of Teff, log g and [Fe/H], from {} LAMOST DR10 spectra with labels of LASP"
COUNT, SCALE, BLANK, STEP = 32, 10000.0, -32768, 1e-4
#: Temperatures about 5750 K to which quadratic functions are good enough, K.
RANGE = 1500.0
#: Differences of the labels from those of real stars.
JITTER = (40.0, 0.05, 0.04)
#: Offset and scale of the labels.
CENTER, WIDTH = np.array([5700.0, 4.2, -0.2]), np.array([700.0, 0.6, 0.4])


def design(labels):
    """Products (N, 10) of no, one or two of the scaled labels (N, 3)."""
    scaled = (labels - CENTER) / WIDTH
    pairs = [scaled[:, one] * scaled[:, two] for one in range(3) for two in range(one, 3)]
    return np.stack([np.ones(len(scaled)), *scaled.T, *pairs], axis=1)


def fit(flux, error, labels):
    """Coefficients (10, M) of normalised flux (N, M), by least squares in each pixel."""
    terms = design(labels)
    weight = np.where(error < UNKNOWN, 1 / (error**2 + 0.01**2), 0)  # what the function lacks: a percent
    normal = np.einsum("ni,nm,nj->mij", terms, weight, terms, optimize=True)
    right = np.einsum("ni,nm->mi", terms, weight * flux)
    return np.linalg.solve(normal, right[..., None])[..., 0].T


def main():
    stars = lamost_lrs.load()
    labels = np.stack([columns.values(stars, name) for name in lamost_lrs.LABELS], axis=1)
    some = (lamost_lrs.folds(stars) != 0) & (np.abs(labels[:, 0] - 5750) < RANGE)
    stars, labels = stars[some], labels[some]
    found = normalised(stars, variant="local", width=201)  # wide: no line is lost
    coefficients = fit(found.flux, found.error, labels)

    random = np.random.default_rng(2026)
    near = np.flatnonzero((labels[:, 0] > 4500) & (labels[:, 0] < 7000) & (labels[:, 2] > -1.2))
    labels = labels[random.choice(near, COUNT, replace=False)] + random.normal(0, JITTER, (COUNT, 3))
    snr = np.exp(random.uniform(np.log(20), np.log(150), COUNT))
    flux = design(labels) @ coefficients
    flux = flux + random.normal(0, 1, flux.shape) / snr[:, None]
    flux = np.clip(np.round(flux * SCALE), BLANK + 1, -BLANK - 1).astype(np.int16)

    table = Table({"obsid": np.arange(1, COUNT + 1), "radial_velocity": random.normal(0, 35, COUNT).round(2)})
    table["snrg"] = snr.astype(np.float32)
    for name, values in zip(lamost_lrs.LABELS, labels.T, strict=True):
        table[name] = values.astype(np.float32)
    image = fits.CompImageHDU(flux, name="FLUX")
    image.header["CRVAL1"], image.header["CDELT1"], image.header["BLANKVAL"] = np.log10(LOG_GRID[0]), STEP, BLANK
    primary = fits.PrimaryHDU()
    primary.header["SOURCE"] = SOURCE.format(len(stars))
    fits.HDUList([primary, fits.BinTableHDU(table, name="STARS"), image]).writeto(OUTPUT, overwrite=True)
    print(f"{OUTPUT}: {COUNT} spectra from those of {len(stars):,} stars, {OUTPUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
