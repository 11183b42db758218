"""Absolute magnitudes, distance moduli, and the pseudo-absolute magnitude, which negative parallaxes have as well."""

import numpy as np
from astropy import units as u

from stellarlabels.distances.arguments import lengths, magnitude_errors, magnitudes, parallaxes, parsecs

#: Natural logarithm of the ratio of distances that one magnitude makes.
LN_PER_MAG = np.log(10) / 5
#: Absolute magnitude for a pseudo-absolute magnitude of 1 mas: 5 log10(1 mas / 100 mas).
_MAG_AT_ONE_MAS = -10.0


def distance_modulus(distance):
    """Distance modulus 5 log10(d / 10 pc).

    Parameters
    ----------
    distance : `~astropy.units.Quantity`
        Any shape; plain numbers are pc, with a warning.

    Returns
    -------
    `~astropy.units.Quantity`
        In mag; NaN where the distance is missing or not positive.
    """
    return u.Quantity(_modulus(lengths(distance, "distance")), u.mag)


def distance_from_modulus(modulus):
    """Distance of a distance modulus, 10^(modulus / 5 + 1) pc.

    Parameters
    ----------
    modulus : `~astropy.units.Quantity` or array_like
        In mag, without extinction.

    Returns
    -------
    `~astropy.units.Quantity`
        In pc; NaN where the modulus is missing.
    """
    return parsecs(10 * np.exp(LN_PER_MAG * magnitudes(modulus, "modulus")))


def absolute_magnitude(apparent_mag, distance, *, extinction=0):
    """Absolute magnitude m - 5 log10(d / 10 pc) - A.

    Parameters
    ----------
    apparent_mag, extinction : `~astropy.units.Quantity` or array_like
        In mag.
    distance : `~astropy.units.Quantity`
        Plain numbers are pc, with a warning. All arguments broadcast together.

    Returns
    -------
    `~astropy.units.Quantity`
        In mag; NaN where an argument is missing or the distance is not positive.

    Notes
    -----
    SolarDis (A&A 2024), equation 1. Parallaxes that are uncertain or negative should not be inverted for it; see
    `pseudo_absolute_magnitude`.
    """
    modulus = _modulus(lengths(distance, "distance"))
    return u.Quantity(magnitudes(apparent_mag, "apparent_mag") - modulus - magnitudes(extinction, "extinction"), u.mag)


def pseudo_absolute_magnitude(apparent_mag, parallax, parallax_error=0 * u.mas, *, extinction=0, apparent_mag_err=0):
    """Pseudo-absolute magnitude w 10^(0.2 (m - A)): linear in the parallax w, so its error is Gaussian.

    Parameters
    ----------
    apparent_mag, extinction, apparent_mag_err : `~astropy.units.Quantity` or array_like
        In mag.
    parallax, parallax_error : `~astropy.units.Quantity`
        Corrected for the zero-point; may be negative. Plain numbers are mas, with a warning. All arguments broadcast
        together.

    Returns
    -------
    value, error : `~astropy.units.Quantity`
        In mas: the parallax that the star would have if its apparent magnitude were 0. NaN where an argument is
        missing.

    Raises
    ------
    InputError
        If an error of a magnitude is negative.

    Notes
    -----
    Fallows & Sanders 2024, equations 3 and A1, after Arenou & Luri 1999. The paper's error, (sigma_w / w) times the
    value, is negative or undefined for parallaxes that are not positive; sigma_w 10^(0.2 (m - A)) is the same where it
    is defined, and right everywhere. An error of the magnitude adds 0.2 ln(10) sigma_m times the value in quadrature.
    """
    scale = np.exp(LN_PER_MAG * (magnitudes(apparent_mag, "apparent_mag") - magnitudes(extinction, "extinction")))
    value = parallaxes(parallax, "parallax") * scale
    from_parallax = parallaxes(parallax_error, "parallax_error") * scale
    from_magnitude = LN_PER_MAG * magnitude_errors(apparent_mag_err, "apparent_mag_err") * value
    return u.Quantity(value, u.mas), u.Quantity(np.hypot(from_parallax, from_magnitude), u.mas)


def absolute_from_pseudo(pseudo):
    """Absolute magnitudes 5 log10(pseudo / 100 mas) of pseudo-absolute magnitudes; NaN where not positive."""
    return u.Quantity(_log(parallaxes(pseudo, "pseudo")) / LN_PER_MAG + _MAG_AT_ONE_MAS, u.mag)


def pseudo_from_absolute(absolute_mag):
    """Pseudo-absolute magnitudes 10^(0.2 M + 2) in mas of absolute magnitudes in mag; NaN where missing."""
    absolute = magnitudes(absolute_mag, "absolute_mag")
    return u.Quantity(np.exp(LN_PER_MAG * (absolute - _MAG_AT_ONE_MAS)), u.mas)


def _modulus(distance):
    return _log(distance / 10) / LN_PER_MAG


def _log(values):
    """Natural logarithm, NaN where it is not defined."""
    return np.log(np.where(values > 0, values, np.nan))
