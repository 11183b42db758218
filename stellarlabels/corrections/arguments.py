"""Arguments of the corrections as plain arrays."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import ColumnUnitError, InputError


def floats(data, name, unit=""):
    """An argument as a new float array in a unit, NaN where masked; without a unit it is taken to be in it."""
    masked = columns.without_unit(data)
    if masked.dtype.kind not in "fiub":
        raise InputError(f"{name}: expected real numbers, got dtype {masked.dtype}")
    out = np.array(masked.data, dtype=np.float64)
    out[np.ma.getmaskarray(masked)] = np.nan
    own = getattr(data, "unit", None)
    if own is None:
        return out
    try:
        return out * u.Unit(own).to(u.Unit(unit))
    except u.UnitConversionError as error:
        raise ColumnUnitError(f"{name}: expected a unit that converts to {unit or 'none'}, got {own!s}") from error
