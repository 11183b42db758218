"""The distance PDF of a star from its apparent and absolute magnitude, in closed form."""

import numpy as np
from astropy import units as u

from stellarlabels.distances.arguments import lengths, magnitude_errors, magnitudes, parallaxes, parsecs, probabilities
from stellarlabels.distances.posterior import DistancePosterior
from stellarlabels.distances.priors import published_value
from stellarlabels.exceptions import InputError

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


class DistancePDF:
    """Distances of one star or of many from apparent and absolute magnitudes and extinctions.

    The distance modulus m - A - M is Gaussian, so the distance is log-normal, and everything is in closed form.

    Parameters
    ----------
    apparent_mag : `~astropy.units.Quantity` or array_like
        Apparent magnitude m. Plain numbers are magnitudes, here and below.
    absolute_mag, absolute_mag_err : `~astropy.units.Quantity` or array_like
        Absolute magnitude M in the same band, and its standard error. An infinite error says that nothing is known of
        M; only `with_parallax` then has an answer.
    extinction, extinction_err : `~astropy.units.Quantity` or array_like
        Extinction A in that band, and its standard error. Negative extinctions are taken as they are.
    apparent_mag_err : `~astropy.units.Quantity` or array_like
        Standard error of the apparent magnitude. All arguments broadcast together; their shape is that of the results.

    Raises
    ------
    InputError
        If an error is negative, or all errors of a star are zero.

    Notes
    -----
    With mu = ln(10 pc) + (ln 10 / 5) (m - A - M) and s = (ln 10 / 5) sqrt(sigma_M^2 + sigma_A^2 + sigma_m^2) the
    density is p(d) = exp(-(ln d - mu)^2 / (2 s^2)) / (sqrt(2 pi) s d); SolarDis (A&A 2024), equations 3 to 5.
    Median exp(mu), mean exp(mu + s^2 / 2), mode exp(mu - s^2). The median is 10^((m - A - M) / 5 + 1) pc whatever the
    error; the mode depends on the error and is smaller. Taking this density for the posterior implies a prior that is
    uniform in distance modulus; `with_prior` and `with_parallax` replace it by another.

    NaN or masked inputs give NaN.

    Examples
    --------
    >>> from stellarlabels.distances import DistancePDF
    >>> star = DistancePDF(15.0, 4.8, 0.2, extinction=0.2)
    >>> star.median.round(6)
    <Quantity 1000. pc>
    >>> star.quantile([0.16, 0.84]).round(1)
    <Quantity [ 912.5, 1095.9] pc>
    """

    def __init__(
        self, apparent_mag, absolute_mag, absolute_mag_err, extinction=0, extinction_err=0, *, apparent_mag_err=0
    ):
        given = {"apparent_mag": apparent_mag, "absolute_mag": absolute_mag, "extinction": extinction}
        errors = {
            "absolute_mag_err": absolute_mag_err,
            "extinction_err": extinction_err,
            "apparent_mag_err": apparent_mag_err,
        }
        arrays = [magnitudes(data, name) for name, data in given.items()]
        arrays += [magnitude_errors(data, name) for name, data in errors.items()]
        try:
            apparent, absolute, dimming, *sigmas = np.broadcast_arrays(*arrays)
        except ValueError:
            raise InputError(
                f"{', '.join([*given, *errors])}: expected shapes that broadcast, got {[item.shape for item in arrays]}"
            ) from None
        modulus = apparent - absolute - dimming
        variance = sum(sigma**2 for sigma in sigmas)
        if (variance == 0).any():
            raise InputError("absolute_mag_err: expected a positive error for each star, got 0 with no other error")
        self._mu = np.log(10) + LN_PER_MAG * modulus
        self._var = LN_PER_MAG**2 * variance
        unknown = ~np.isfinite(self._var)
        if unknown.any():
            self._mu = np.where(unknown, np.nan, self._mu)

    def __repr__(self):
        return f"<DistancePDF, shape {self.shape}>"

    @property
    def shape(self):
        """Shape of the stars."""
        return self._mu.shape

    @property
    def median(self):
        """Median distance, 10^((m - A - M) / 5 + 1) pc (Quantity in pc, shape of the stars)."""
        return parsecs(np.exp(self._mu))

    @property
    def mode(self):
        """Most probable distance, the median times exp(-s^2) (Quantity in pc, shape of the stars)."""
        return parsecs(np.exp(self._mu - self._var))

    @property
    def mean(self):
        """Mean distance, the median times exp(s^2 / 2) (Quantity in pc, shape of the stars)."""
        with np.errstate(over="ignore"):
            return parsecs(np.exp(self._mu + self._var / 2))

    def solardis_mode(self, *, clipped=False):
        """The distance of the SolarDis catalog: the distance at which p(d) is greatest.

        Parameters
        ----------
        clipped : bool
            Whether distances beyond 10 kpc, the end of the bracket in which the published code looks, become 10 kpc as
            they do there.

        Returns
        -------
        `~astropy.units.Quantity`
            In pc, shape of the stars. Unless clipped it is `mode`.

        Notes
        -----
        The catalog assumes sigma_M = 0.2546 mag for all stars, and no error of the extinction. Then s = 0.1173, and the
        mode is exp(-s^2) = 0.9863 times the median: these distances are 1.4 % smaller than 10^((m - A - M) / 5 + 1) pc,
        and by construction so for every star. The offset grows as the square of the error.
        """
        return np.minimum(self.mode, published_value("solardis_upper")) if clipped else self.mode

    def quantile(self, p):
        """Distances below which the star is with a given probability.

        Parameters
        ----------
        p : float or array_like
            Probabilities from 0 to 1.

        Returns
        -------
        `~astropy.units.Quantity`
            In pc, shape ``p.shape + shape`` as of `numpy.quantile`.

        Raises
        ------
        InputError
            If a probability is outside 0 to 1.
        """
        from scipy.special import ndtri

        p = probabilities(p)
        z = ndtri(p).reshape(p.shape + (1,) * len(self.shape))
        with np.errstate(over="ignore"):
            return parsecs(np.exp(self._mu + np.sqrt(self._var) * z))

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
        inside = (d > 0) & np.isfinite(d)
        x = np.log(np.where(inside, d, 1.0))
        density = np.exp(-((x - self._mu) ** 2) / (2 * self._var) - x) / np.sqrt(2 * np.pi * self._var)
        return u.Quantity(np.where(inside | np.isnan(density), density, 0.0), 1 / u.pc)

    def with_parallax(self, parallax, error, prior=None):
        """The posterior from the magnitudes, a parallax and a prior.

        Parameters
        ----------
        parallax, error : `~astropy.units.Quantity`
            Parallax, corrected for the zero-point, and its standard error. Parallaxes may be negative. An infinite
            error says that there is no parallax. Plain numbers are mas, with a warning.
        prior : None, str, callable or `stellarlabels.distances.Prior`
            Density of the distance before the data: None or ``"modulus"``, uniform in distance modulus, which makes
            the posterior the product of `pdf` and the likelihood of the parallax; ``"uniform"``, uniform in distance;
            ``"density"``, uniform space density; ``"exponential"``, exponentially decreasing space density; a function
            of the distance in pc; or a `stellarlabels.distances.Prior`.

        Returns
        -------
        `DistancePosterior`
            With the same methods.

        Raises
        ------
        InputError
            If an error is zero or negative, or the prior is none of these.

        Notes
        -----
        p(d) is proportional to N(m - A - 5 log10(d / 10 pc); M, sigma) N(parallax; 1 / d, error) prior(d), which is
        d ``pdf(d)`` N(parallax; 1 / d, error) prior(d): the prior takes the place of the 1/d that the closed form
        implies.
        """
        return DistancePosterior(self._mu, self._var, parallax, error, prior)

    def with_prior(self, prior):
        """The posterior from the magnitudes and a prior, without a parallax; see `with_parallax`."""
        return self.with_parallax(0 * u.mas, np.inf * u.mas, prior)
