"""Epochs as Julian years, whether they arrive as years, as days or as instants."""

import numpy as np
from astropy import units as u
from astropy.time import Time

#: What numbers can be: Julian years, modified Julian days (1886 to 2132), Julian days (same years).
YEARS, MODIFIED_DAYS, DAYS = (1800.0, 2200.0), (10_000.0, 100_000.0), (2_410_000.0, 2_500_000.0)


def as_years(values, unit=None):
    """Julian years of floats in a unit of time (or none), NaN for what is none; how many were days."""
    values = np.array(values, dtype=np.float64)
    days = np.zeros(values.shape, dtype=bool)
    if unit is not None and u.Unit(unit) != u.yr:
        in_years = values * u.Unit(unit).to(u.yr)
        values = np.where(_within(in_years, YEARS), in_years, values * u.Unit(unit).to(u.d))
    for limits, form in ((MODIFIED_DAYS, "mjd"), (DAYS, "jd")):
        found = _within(values, limits)
        if found.any():
            values[found] = Time(values[found], format=form, scale="tt").jyear
            days |= found
    values[~_within(values, YEARS)] = np.nan
    return values, int(np.count_nonzero(days))


def _within(values, limits):
    with np.errstate(invalid="ignore"):
        return (values >= limits[0]) & (values <= limits[1])
