"""What no measurement can be: sentinels of surveys, infinities, values outside of what the vocabulary declares."""

import numpy as np
from astropy import units as u


def impossible(data, item, unit=None):
    """Which floats or integers (masked array) in a unit are no possible value of a column; None if all are."""
    plain = data.data
    if plain.dtype.kind not in "fiu" or not plain.size:
        return None
    low, high = _limits(item, unit)
    nulls = [float(null) for null in item.nulls]
    smallest, largest = (ends.reduce(plain, axis=None) for ends in (np.fmin, np.fmax))
    near = [null for null in nulls if smallest <= null <= largest]
    if not near and low <= smallest and largest <= high and np.isfinite([smallest, largest]).all():
        return None
    with np.errstate(invalid="ignore"):
        bad = (plain < low) | (plain > high) | np.isinf(plain)
    for null in near:
        bad |= plain == np.array(null).astype(plain.dtype) if plain.dtype.kind == "f" else plain == null
    bad &= ~np.ma.getmaskarray(data)
    return bad if bad.any() else None


def _limits(item, unit):
    """Smallest and largest value in the unit of the data, if that is a multiple of the declared one."""
    if unit is None or not item.unit or np.isinf([item.low, item.high]).all():
        return item.low, item.high
    try:
        factor = u.Unit(item.unit).to(unit)
    except (u.UnitsError, TypeError, ValueError):
        return item.low, item.high
    return item.low * factor, item.high * factor
