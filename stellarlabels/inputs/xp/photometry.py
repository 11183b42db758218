"""Magnitudes of stars in many bands, from the coefficients of their XP spectra.

The mean flux in a band is a linear function of the coefficients; GaiaXPy, which has the weights for 28 photometric
systems, integrates star by star. Here it is one product of matrices for all stars.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.columns import Column, StarTable, find
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp import gaiaxpy
from stellarlabels.inputs.xp.coefficients import has_coefficients, read_coefficients
from stellarlabels.inputs.xp.layout import CELLS, RELEASE
from stellarlabels.inputs.xp.recovery import recover_coefficients
from stellarlabels.inputs.xp.samples import spectra


@dataclass(frozen=True)
class PhotometricSystem:
    """A photometric system as GaiaXPy has it: a linear map from coefficients to mean fluxes of M bands."""

    name: str  #: GaiaXPy's, such as JPLUS
    label: str  #: GaiaXPy's prefix of columns, such as Jplus
    bands: tuple
    matrix: np.ndarray  #: (M, 110), mean flux in each band for a unit coefficient
    zero_points: np.ndarray  #: (M,), magnitude of unit flux
    offsets: np.ndarray  #: (M,), flux that is added in standardised systems
    color_equation: object = None  #: correction of one band in some standardised systems
    error_factors: object = None  #: G (K,) and factors of flux errors (K, M), by which GaiaXPy mitigates underestimates


@dataclass(frozen=True)
class ColorEquation:
    """A polynomial in a color that is added to a band's magnitude, continued linearly beyond its range of the color."""

    band: str
    color: tuple
    coefficients: tuple
    limits: tuple

    @property
    def polynomial(self):
        """The polynomial."""
        return np.polynomial.Polynomial(self.coefficients)

    def correction(self, color):
        """Correction in mag for colors in mag."""
        inside = np.clip(color, *self.limits)
        return self.polynomial(inside) + self.polynomial.deriv()(inside) * (color - inside)


@cache
def _stored():
    with packaged.file("xp", RELEASE.photometric_systems) as path, np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def shipped():
    """Names of the photometric systems that are data of this package."""
    return tuple(str(name) for name in _stored()["systems"])


@cache
def photometric_systems():
    """Names of the photometric systems that there are: those of this package, and those of GaiaXPy if it is there."""
    try:
        further = gaiaxpy.photometric_systems()
    except InputError:
        further = ()
    return tuple(dict.fromkeys([*shipped(), *further]))


@cache
def photometric_system(name):
    """A photometric system by its name; an error if there is none of that name."""
    if name not in shipped():
        if name not in photometric_systems():
            raise InputError(f"system: expected one of {', '.join(photometric_systems())}, got {name!r}")
        return _system(**gaiaxpy.photometric_system(name))
    own = {key.partition("/")[2]: array for key, array in _stored().items() if key.startswith(f"{name}/")}
    equation = None
    if "color_bands" in own:
        band, *color = own["color_bands"].tolist()
        equation = band, tuple(color), tuple(own["color_coefficients"].tolist()), tuple(own["color_limits"].tolist())
    return _system(
        name=name,
        label=str(own["label"]),
        bands=tuple(own["bands"].tolist()),
        color_equation=equation,
        error_factors=(own["g"], own["factor"]) if "g" in own else None,
        **{key: own[key] for key in ("matrix", "zero_points", "offsets")},
    )


def _system(color_equation, **given):
    """A system from plain values."""
    return PhotometricSystem(**given, color_equation=color_equation and ColorEquation(*color_equation))


#: Magnitude of a small relative change of flux.
POGSON = 2.5 / np.log(10)

#: Stars in one go: their correlations take 48 MB.
CHUNK = 2048

#: The system whose G chooses the factors of the errors.
GAIA = "Gaia_DR3_Vega"


@dataclass
class Photometry:
    """Photometry of N stars in the M bands of a system.

    Parameters
    ----------
    system : ``stellarlabels.inputs.xp.photometry.PhotometricSystem``
    flux, flux_error : `~numpy.ndarray` of float64, shape (N, M)
        Mean flux in the unit to which the zero-points belong: W m-2 Hz-1 in AB systems, W m-2 nm-1 in Vega systems.
    """

    system: object
    flux: np.ndarray
    flux_error: np.ndarray

    @property
    def magnitude(self):
        """Magnitudes, shape (N, M); NaN where the flux is not positive."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.flux > 0, self.system.zero_points - 2.5 * np.log10(self.flux), np.nan)

    @property
    def magnitude_error(self):
        """Standard errors of the magnitudes, to first order; NaN where the flux is not positive."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.flux > 0, POGSON * self.flux_error / self.flux, np.nan)


def available():
    """Names of the photometric systems that there are.

    Returns
    -------
    tuple of str
        GaiaXPy's names: ``JPLUS``, ``Gaia_DR3_Vega``, ``SDSS``, ``Sky_Mapper`` and so on; those that are data of this
        package first, then those for which GaiaXPy is needed.
    """
    return photometric_systems()


def synthesize(coefficients, variance, *, systems, error_correction=False):
    """Photometry from arrays of coefficients.

    Parameters
    ----------
    coefficients : `~numpy.ndarray`, shape (N, 110)
        Those of BP, then those of RP; a star without one of the bands gets NaN.
    variance : callable
        Gives the variances (N, M) of ``coefficients @ matrix.T`` for a matrix of shape (M, 110): the method of
        `~stellarlabels.inputs.xp.CoefficientCovariance`.
    systems : iterable of str
        Names of photometric systems; see `available`.
    error_correction : bool
        Whether errors are multiplied with GaiaXPy's factors, where a system has them.

    Returns
    -------
    list of Photometry
        One for each system.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If there is no such system.
    """
    chosen = [photometric_system(name) for name in systems]
    g = None
    if error_correction:
        gaia = photometric_system(GAIA)
        g = Photometry(gaia, coefficients @ gaia.matrix.T, np.nan).magnitude[:, gaia.bands.index("G")]
    stacked = np.concatenate([system.matrix for system in chosen])
    fluxes, errors = coefficients @ stacked.T, np.sqrt(variance(stacked))
    ends = np.cumsum([len(system.bands) for system in chosen])[:-1]
    parts = zip(chosen, np.split(fluxes, ends, axis=1), np.split(errors, ends, axis=1), strict=True)
    return [_corrected(system, flux, error, g) for system, flux, error in parts]


def _corrected(system, flux, error, g):
    """With the offsets, the color equation and the factors of errors that a system has."""
    shifted = flux + system.offsets
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(system.offsets == 0, error, error * np.abs(shifted / flux))
    out = Photometry(system, shifted, error)
    if system.color_equation is not None:
        out = _colored(out)
    if g is not None and system.error_factors is not None:
        out.flux_error = out.flux_error * _factors(system.error_factors, g)
    return out


def _colored(photometry):
    """With the color equation applied to its band; the error contains that of the color."""
    equation, bands = photometry.system.color_equation, photometry.system.bands
    band, blue, red = (bands.index(name) for name in (equation.band, *equation.color))
    magnitude, error = photometry.magnitude, photometry.magnitude_error
    color, color_error = magnitude[:, blue] - magnitude[:, red], np.hypot(error[:, blue], error[:, red])
    corrected = magnitude[:, band] + equation.correction(color)
    slope = equation.polynomial.deriv()(color)  # GaiaXPy takes the polynomial itself, beyond the range as well
    flux = 10 ** (-0.4 * (corrected - photometry.system.zero_points[band]))
    photometry.flux[:, band] = flux
    photometry.flux_error[:, band] = np.hypot(error[:, band], color_error * slope) * flux / POGSON
    return photometry


def _factors(knots, g):
    """Factors of errors, shape (N, M), for G magnitudes; the faintest bin's where G is not known."""
    at, factor = knots
    g = np.where(np.isnan(g), np.inf, g)
    return np.stack([np.interp(g, at, column) for column in factor.T], axis=1)


def synthetic_photometry(table, systems=("JPLUS", GAIA), *, error_correction=False):
    """Magnitudes and fluxes of a table of XP spectra in photometric systems.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With coefficients (``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations``, and the same
        of ``rp_``), or with sampled spectra (``flux``, ``flux_error``), from which coefficients are recovered.
    systems : iterable of str
        Photometric systems; see `available`.
    error_correction : bool
        Whether flux errors are multiplied with the factors by which GaiaXPy mitigates underestimates
        (Gaia Collaboration, Montegriffo et al. 2023, A&A 674, A33, Appendix A).

    Returns
    -------
    `~astropy.table.QTable`
        The columns of the input without the spectra, and for each band of a system ``<label>_mag_<band>`` and
        ``<label>_mag_error_<band>`` in mag, ``<label>_flux_<band>`` and ``<label>_flux_error_<band>``, with GaiaXPy's
        labels, such as ``Jplus``. Masked where a band of the spectrum is missing; magnitudes also where the flux is
        not positive, errors where the spectrum came without them.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If there is no such system.
    stellarlabels.exceptions.MissingColumnError
        If the table has neither coefficients nor spectra.

    Notes
    -----
    Fluxes, their errors and magnitudes equal those of GaiaXPy's ``generate`` (Gaia Collaboration, Montegriffo et al.
    2023, A&A 674, A33).
    """
    systems = [systems] if isinstance(systems, str) else list(systems)
    parts = [
        _photometry(table[start : start + CHUNK], systems, error_correction)
        for start in range(0, max(len(table), 1), CHUNK)
    ]
    out = StarTable(table, copy=False)
    out.remove_columns([name for name in {find(table, name) for name in _SPECTRUM} if name is not None])
    for index, first in enumerate(parts[0]):
        flux, flux_error, magnitude, magnitude_error = (
            np.concatenate([getattr(part[index], name) for part in parts])
            for name in ("flux", "flux_error", "magnitude", "magnitude_error")
        )
        for number, band in enumerate(first.system.bands):
            columns = _columns(first.system.label, first.system.name, band)
            for column, data in zip(columns, (magnitude, magnitude_error, flux, flux_error), strict=True):
                out[column.name] = column.dress(data[:, number])
    return out


#: Columns that hold the spectrum itself.
_SPECTRUM = ("flux", "flux_error", *(name for names in CELLS.values() for name in names))


def _photometry(table, systems, error_correction):
    """Photometry of stars that fit into memory."""
    if has_coefficients(table):
        found = read_coefficients(table)
        values, variance = found.values, found.variance
    else:
        flux, flux_error, _ = spectra(table)
        values, covariance = recover_coefficients(flux, flux_error)
        variance = covariance.variance
    return synthesize(values, variance, systems=systems, error_correction=error_correction)


def _columns(label, system, band):
    """Declarations of a band's columns."""
    described = f"{system} {band} synthesised from the XP spectrum"
    return (
        Column(f"{label}_mag_{band}", "mag", ucd="phot.mag;em.opt", description=f"Magnitude in {described}"),
        Column(f"{label}_mag_error_{band}", "mag", ucd="stat.error;phot.mag", description=f"Error of {described}"),
        Column(f"{label}_flux_{band}", ucd="phot.flux.density;em.opt", description=f"Mean flux in {described}"),
        Column(
            f"{label}_flux_error_{band}",
            ucd="stat.error;phot.flux.density",
            description=f"Standard error of the mean flux in {described}",
        ),
    )
