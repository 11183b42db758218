"""Bridge to the photometric systems that GaiaXPy packages: linear maps from XP coefficients to fluxes of bands."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy.table import Table

from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.gaiaxpy_adapter import BANDS, quiet

__all__ = ["ColorEquation", "PhotometricSystem", "photometric_system", "photometric_systems"]


@dataclass(frozen=True)
class PhotometricSystem:
    """A photometric system as GaiaXPy has it: a linear map from coefficients to mean fluxes of bands.

    Parameters
    ----------
    name : str
        GaiaXPy's name, such as ``JPLUS``.
    label : str
        GaiaXPy's prefix of columns, such as ``Jplus``.
    bands : tuple of str
        Names of the M bands.
    matrix : `~numpy.ndarray` of float64, shape (M, 110)
        Mean flux in each band for a unit coefficient: 55 columns of BP, then 55 of RP.
    zero_points : `~numpy.ndarray`, shape (M,)
        Magnitude of unit flux.
    offsets : `~numpy.ndarray`, shape (M,)
        Flux that is added in standardised systems; 0 in the others.
    color_equation : `ColorEquation` or None
        Correction of one band in some standardised systems.
    error_factors : dict or None
        Factors of flux errors, by which GaiaXPy mitigates underestimates: ``g`` (K,), G magnitudes, and ``factor``
        (K, M), factors between which one interpolates.
    """

    name: str
    label: str
    bands: tuple
    matrix: np.ndarray
    zero_points: np.ndarray
    offsets: np.ndarray
    color_equation: object
    error_factors: object


@dataclass(frozen=True)
class ColorEquation:
    """A polynomial in a color that is added to the magnitude of a band, continued linearly beyond its range.

    Parameters
    ----------
    band : str
    color : tuple of str
        The two bands of the color.
    polynomial : `~numpy.polynomial.Polynomial`
    limits : tuple of float
        Range of the color in mag.
    """

    band: str
    color: tuple
    polynomial: np.polynomial.Polynomial
    limits: tuple

    def correction(self, color):
        """Correction in mag for colors in mag."""
        inside = np.clip(color, *self.limits)
        return self.polynomial(inside) + self.polynomial.deriv()(inside) * (color - inside)


@cache
def photometric_systems():
    """Names of the photometric systems that GaiaXPy packages.

    Returns
    -------
    tuple of str
    """
    with quiet():
        from gaiaxpy.core.generic_functions import _get_built_in_systems

        return tuple(_get_built_in_systems())


@cache
def photometric_system(name):
    """A photometric system that GaiaXPy packages.

    Parameters
    ----------
    name : str
        One of `photometric_systems`.

    Returns
    -------
    PhotometricSystem

    Raises
    ------
    InputError
        If there is no such system.
    """
    if name not in photometric_systems():
        raise InputError(f"system: expected one of {', '.join(photometric_systems())}, got {name!r}")
    with quiet():
        from gaiaxpy.generator.photometric_system import PhotometricSystem as Systems

        found = Systems[name]
        bases = found.value.load_xpsampling_from_xml()
        _, merge = found.value.load_xpmerge_from_xml()
        label, bands = found.get_system_label(), tuple(found.get_bands())
        standardised = type(found.value).__name__ == "StandardisedPhotometricSystem"
        return PhotometricSystem(
            name=name,
            label=label,
            bands=bands,
            matrix=np.hstack([bases[band].T * merge[band][:, None] for band in BANDS]),
            zero_points=np.asarray(found.get_zero_points()),
            offsets=np.asarray(found.get_offsets()) if standardised else np.zeros(len(bands)),
            color_equation=_color_equation(label),
            error_factors=_error_factors(label),
        )


def _color_equation(label):
    """The color equation of a system, from GaiaXPy's file."""
    from ast import literal_eval
    from configparser import ConfigParser

    from gaiaxpy.colour_equation.xp_filter_system_colour_equation import colour_eq_dir

    parser = ConfigParser()
    if not parser.read(colour_eq_dir / f"{label}_colour_eq.ini"):
        return None
    given = parser[label]
    return ColorEquation(
        band=given["FILTER"],
        color=tuple(given["COLOUR_INDEX"].split("-")),
        polynomial=np.polynomial.Polynomial(literal_eval(given["POLY_COEFFICIENTS"])),
        limits=tuple(literal_eval(given["COLOUR_RANGE"])),
    )


def _error_factors(label):
    """Factors of flux errors: constant up to the center of a bin in G, then linear to the next bin's value."""
    from pathlib import Path

    from gaiaxpy.config.paths import correction_tables_path

    path = Path(correction_tables_path) / f"DIDREQ-465-{label}-correction-factors.csv"
    if not path.is_file():
        return None
    table = Table.read(path, format="ascii.csv")
    low, high = np.asarray(table["min_Gmag_bin"], float), np.asarray(table["max_Gmag_bin"], float)
    factor = np.stack([np.asarray(table[name], float) for name in table.colnames if "factor_" in name], axis=1)
    knots = np.stack([low, (low + high) / 2], axis=1).ravel()
    return {"g": knots, "factor": np.repeat(factor, 2, axis=0)}
