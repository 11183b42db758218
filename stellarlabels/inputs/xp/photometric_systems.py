"""Photometric systems as linear maps from XP coefficients to fluxes of bands.

Those that are used by default are data of this package (``tools/xp_bases.py``); GaiaXPy has further ones.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from stellarlabels import packaged
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp import gaiaxpy
from stellarlabels.inputs.xp.layout import RELEASE


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
