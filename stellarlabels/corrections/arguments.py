"""Arguments of the corrections as plain arrays."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import ColumnUnitError, InputError


def floats(data, name, unit=""):
    """An argument as a new float array, NaN where it is masked.

    Parameters
    ----------
    data : array_like, `~astropy.units.Quantity` or `~astropy.table.Column`
        Numbers; masked or not.
    name : str
        The argument's name, for messages.
    unit : str
        Unit that a unit of ``data`` is converted to. Data without a unit are taken to be in it.

    Returns
    -------
    `~numpy.ndarray` of float64

    Raises
    ------
    InputError
        If ``data`` are not real numbers.
    ColumnUnitError
        If the unit does not convert.
    """
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
