"""LAMOST low-resolution spectra as SolarDis gets them: at rest, on one grid, divided by a pseudo-continuum.

Three ways are offered, see `normalised`: what the authors' published code does, what the paper says, and a local
continuum that uses the inverse variances.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.base import FeatureSet, register
from stellarlabels.inputs.lamost.damage import damaged
from stellarlabels.inputs.lamost.published_continuum import LINEAR_GRID, as_code, as_paper
from stellarlabels.inputs.spectra import normalise, pixel_column, running_continuum, spectrum_features
from stellarlabels.inputs.spectra.continuum import UNKNOWN, WIDTH

#: Wavelengths of the local continuum: the steps of LAMOST, 1e-4 in the logarithm, from 3850 to 8800 Angstrom.
LOG_GRID = 10 ** (np.log10(3850.0) + 1e-4 * np.arange(3590))

#: Wavelength (Angstrom) between the blue and the red arm.
SPLITS = (5900.0,)

VARIANTS = ("code", "paper", "local")

#: Signal-to-noise ratio below which copies with more noise are of no use.
LEAST_SNR = 8.0


def normalised(table, *, variant="code", width=WIDTH):
    """Spectra of a table at rest, on a common grid, divided by their pseudo-continuum.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N low-resolution spectra with ``wavelength``, ``flux``, ``ivar``, ``andmask``, ``ormask`` and ``z`` or
        ``radial_velocity``, as from `stellarlabels.read_lamost`.
    variant : {"code", "paper", "local"}
        "code": what the authors' published code does. Pixels with any mask bit are deleted (not those without an
        inverse variance); what is left is smoothed by a Savitzky-Golay filter (15 pixels, degree 7); below and above
        6000 Angstrom a polynomial of degree 5 is fitted, first to find strong lines (3 sigma, widened on both sides
        by their own width), then ten times without them, each time without pixels that lie one standard deviation or
        more below; the quotient is interpolated linearly to 1 Angstrom, and pixels above 1.2 or below 0.1 become 1.
        The code's fits run in single precision, in which the polynomial has only about four effective coefficients:
        singular values below n times 1.2e-7 of the largest are left out, here as well.
        "paper": what Section 2.2 of the paper says. The spectrum at rest is interpolated to 1 Angstrom, smoothed,
        divided by one polynomial, and pixels above 1.2 or below 0.1 become 0. What the paper does not say (filter,
        degree, rejection) is as in the code; the fit is in double precision and masks are not used.
        "local": three running means, weighted with the inverse variances, are the continuum; with errors.
    width : int
        Pixels of each of the running means of the variant "local".

    Returns
    -------
    ``stellarlabels.inputs.spectra.Normalised``
        On `LINEAR_GRID`, with "local" on `LOG_GRID`; two parts, below and above 5900 Angstrom.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If the table has no spectra, or those of medium resolution.
    InputError
        If there is no such variant.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant: expected one of {VARIANTS}, got {variant!r}")
    _check_resolution(table)
    if variant == "local":
        continuum = partial(running_continuum, grid=LOG_GRID, width=width)
        return normalise(table, LOG_GRID, continuum, splits=SPLITS, masks=LRSSpectrum.masks)
    continuum, masks = (as_code, LRSSpectrum.masks) if variant == "code" else (as_paper, ())
    return normalise(table, LINEAR_GRID, continuum, splits=SPLITS, masks=masks, weighted=False)


def _check_resolution(table):
    """Refuse a table that has spectra of medium resolution only, with the system that takes them."""
    there = [end for end in ("", "_b", "_r") if columns.column_name(table, pixel_column("flux", end)) is not None]
    if there and "" not in there:
        raise MissingColumnError(
            "table: column 'flux' is missing; expected spectra of low resolution (LRS), got those of medium resolution "
            f"(MRS, flux{there[0]}); SPCANet labels these"
        )
    for name in ("flux", "ivar"):
        if columns.column_name(table, pixel_column(name)) is None:
            raise MissingColumnError(f"table: column {name!r} is missing{without_spectra(table)}")


def without_spectra(table, resolution="low"):
    """Words for a table without spectra of LAMOST: what they are and who gets them, or whose spectra these are."""
    there = {name.lower() for name in table.colnames}
    if {"flux", "flux_error"} <= there or "bp_coefficients" in there:
        return ": spectra of LAMOST are needed; these are XP spectra of Gaia; UACSNet and UncertainNet label them"
    return (
        f": spectra of {resolution} resolution of LAMOST, cells of pixels 'wavelength', 'flux' and 'ivar'. "
        "stellarlabels.read_lamost reads the survey's files, 'stellarlabels spectra lamost' or "
        "stellarlabels.lamost_spectra gets them by obsid or position, and system.label(table) or 'stellarlabels label' "
        "without --offline fetches what is lacking"
    )


@register
class LRSSpectrum(FeatureSet):
    """LAMOST low-resolution spectra, normalised.

    Stars whose velocity is not known are taken to be at rest and have the flag MISSING_VELOCITY: at 100 km/s Teff is
    hardly different, but [Fe/H] too low by 0.2. A star of which less than half of the pixels of both sides of 5900
    Angstrom are good and have a positive continuum has the flag NO_INPUT; of one side, MISSING_BAND.

    Arrays: ``flux`` (N, 4875) or, with the variant "local", ``flux`` and ``error`` (N, 1795), each a mean of two pixels
    weighted with their inverse variances.

    Parameters
    ----------
    variant : {"code", "paper", "local"}
        See `normalised`.
    width : int
        Of the local continuum.
    """

    name = "lamost_lrs"
    #: Columns of bits that speak against a pixel.
    masks = ("andmask", "ormask")

    def __init__(self, variant="code", width=WIDTH):
        if variant not in VARIANTS:
            raise InputError(f"variant: expected one of {VARIANTS}, got {variant!r}")
        self.variant, self.width = variant, width

    @property
    def config(self):
        return {"variant": self.variant, "width": self.width}

    @property
    def wavelengths(self):
        """Wavelengths of the pixels of each array of a spectrum (dict of str to `~astropy.units.Quantity`)."""
        grid = LOG_GRID.reshape(-1, 2).mean(axis=1) if self.variant == "local" else LINEAR_GRID
        return {"flux": grid * u.AA}

    def compute(self, table):
        return spectrum_features(normalised(table, variant=self.variant, width=self.width), average=2)

    def add_noise(self, features, amount, seed=0):
        if "error" not in features.arrays:
            return super().add_noise(features, amount, seed)
        flux, error = features.arrays["flux"], features.arrays["error"]
        noise = np.random.default_rng(seed).standard_normal(flux.shape, np.float32)
        flux = np.clip(flux + np.sqrt(amount, dtype=np.float32) * np.minimum(error, 1) * noise, 0, 2)
        more = np.sqrt(1 + amount, dtype=np.float32)
        arrays = {**features.arrays, "flux": flux, "error": np.minimum(error * more, UNKNOWN)}
        snr = features.snr / more
        return replace(features, arrays=arrays, snr=snr, usable=features.usable & (snr > LEAST_SNR))

    def damaged(self, table, seed=0):
        return damaged(table, seed=seed)[:2]
