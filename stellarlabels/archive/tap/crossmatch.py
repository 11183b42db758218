"""The ADQL of a crossmatch of an uploaded table with a table of the service."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.archive.queries.text import identifier
from stellarlabels.archive.tap.payload import ROW
from stellarlabels.exceptions import InputError

__all__ = ["crossmatch_adql", "separations"]

_NAME = "stars"
#: Names in the result of the coordinates of the service's stars.
PLACE = ("there_ra", "there_dec")


def crossmatch_adql(table, columns, radius, *, ra="ra", dec="dec", q3c=False):
    """The query for all pairs; columns map names in the result to the service's; ``q3c``: it has Q3C."""
    try:
        degrees = float(u.Quantity(radius).to_value(u.deg))
    except (TypeError, ValueError, u.UnitConversionError) as error:
        raise InputError(f"radius: expected an angle, got {radius!r}") from error
    if not 0 < degrees <= 1:
        raise InputError(f"radius: expected an angle of at most 1 degree, got {radius}")
    identifier(table, "table")
    here = {name: f"b.{identifier(column, 'columns')}" for name, column in columns.items()}
    for name in here:
        identifier(name, "columns")
    ra, dec = (f"b.{identifier(name, 'columns')}" for name in (ra, dec))
    selected = "".join(f", {column} AS {name}" for name, column in here.items())
    if q3c:
        near = f"'t' = q3c_join(u.ra, u.dec, {ra}, {dec}, {degrees!r})"
    else:
        # The large table is the point: the service has an index on it.
        near = f"1 = CONTAINS(POINT('ICRS', {ra}, {dec}), CIRCLE('ICRS', u.ra, u.dec, {degrees!r}))"
    place = ", ".join(f"{column} AS {name}" for column, name in zip((ra, dec), PLACE, strict=True))
    return f"SELECT u.{ROW}{selected},\n  {place}\nFROM {table} AS b\nJOIN TAP_UPLOAD.{_NAME} AS u ON {near}"


def separations(out, left):
    """Replace the coordinates that the query of `crossmatch_adql` gave by the separations, in place.

    Services compute small separations with errors of a tenth of a milliarcsecond; this is exact.
    """
    from astropy.coordinates import angular_separation

    there = [np.radians(_degrees(out[name])) for name in PLACE]
    here = [np.radians(_degrees(left[name])[np.asarray(out[ROW])]) for name in ("ra", "dec")]
    out.remove_columns(PLACE)
    out["separation"] = columns.column("separation").dress(angular_separation(*here, *there) * u.rad)
    return out


def _degrees(column):
    """Plain numbers."""
    return np.asarray(columns.without_unit(column).data, dtype=float)
