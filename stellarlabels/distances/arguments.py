"""Arguments of the distance functions as plain arrays, and plain results as Quantities."""

import warnings

import numpy as np
from astropy import units as u

from stellarlabels.corrections.arguments import floats
from stellarlabels.exceptions import InputError, MissingUnitWarning


def magnitudes(data, name):
    """Magnitudes as floats, NaN where masked; plain numbers are magnitudes."""
    return floats(data, name, "mag")


def magnitude_errors(data, name):
    """Standard errors in magnitudes as floats; none may be negative."""
    out = magnitudes(data, name)
    _refuse(out < 0, name, "errors that are not negative")
    return out


def parallaxes(data, name):
    """Parallaxes (or their errors) in mas as floats, NaN where masked; plain numbers are mas, with a warning."""
    return _with_unit(data, name, "mas")


def lengths(data, name):
    """Distances in pc as floats, NaN where masked; plain numbers are pc, with a warning."""
    return _with_unit(data, name, "pc")


def probabilities(p):
    """Probabilities as floats, from 0 to 1."""
    out = floats(p, "p")
    _refuse(~((out >= 0) & (out <= 1)), "p", "probabilities from 0 to 1")
    return out


def parsecs(values):
    """Floats as a Quantity in pc."""
    return u.Quantity(values, u.pc)


def _with_unit(data, name, unit):
    if getattr(data, "unit", None) is None:
        warnings.warn(f"{name} has no unit; it is taken to be in {unit}", MissingUnitWarning, stacklevel=4)
    return floats(data, name, unit)


def _refuse(bad, name, expected):
    count = np.count_nonzero(bad)
    if count:
        raise InputError(f"{name}: expected {expected}, got {count} of {np.size(bad)} that are not")
