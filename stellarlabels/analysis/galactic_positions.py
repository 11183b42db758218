"""Where in the Galaxy the stars are: Galactocentric coordinates from positions and distances."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError

#: Columns with a distance or a parallax, in the order in which they are tried, with those of the interval or the error.
SOURCES = {
    "distance": ("distance_lo", "distance_hi"),
    "r_med_photogeo": ("r_lo_photogeo", "r_hi_photogeo"),
    "r_med_geo": ("r_lo_geo", "r_hi_geo"),
    "parallax_corrected": ("parallax_error",),
    "parallax": ("parallax_error",),
}
_COORDINATES = ("x_gc", "y_gc", "z_gc", "r_gc", "phi_gc")
#: Number of coordinates that are sampled at a time.
_CHUNK = 2_000_000


def default_frame():
    """Astropy's frame of the parameter set "v4.0", whatever the defaults of the session are."""
    # The Sun is at 8.122 kpc from the center (GRAVITY Collaboration 2018), 20.8 pc above the plane (Bennett & Bovy
    # 2019).
    from astropy.coordinates import Galactocentric, galactocentric_frame_defaults

    with galactocentric_frame_defaults.set("v4.0"):
        return Galactocentric()


def galactocentric(table, *, distance="auto", parallax_over_error=5.0, frame=None, samples=0, seed=0):
    """Galactocentric coordinates of stars.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars with ``ra``, ``dec`` and a distance or a parallax.
    distance : str or `~astropy.units.Quantity`, shape (N,)
        Distances, or the column to take: ``distance``, ``r_med_photogeo``, ``r_med_geo``, ``parallax_corrected`` or
        ``parallax`` (of which the reciprocal is taken); ``"auto"`` for the first of these that the table has with any
        value in it. Columns are not mixed.
    parallax_over_error : float
        Stars with a smaller ratio have no distance from their parallax, where there is an error.
    frame : `~astropy.coordinates.Galactocentric`, optional
        Position of the Sun; by default Astropy's parameter set "v4.0", whatever the defaults of the session are.
    samples : int
        Number of distances drawn for each star, from which the errors are; none for 0. The logarithm of a distance is
        drawn from a Gaussian with the half width of its interval (``distance_lo`` and ``distance_hi``, or
        ``distance_err``), a parallax from a Gaussian with its error. Errors of the position on the sky are left out.
    seed : int
        Of the draws.

    Returns
    -------
    `~astropy.table.QTable`
        The same rows: the identifier, ``distance`` (pc), ``x_gc``, ``y_gc``, ``z_gc``, ``r_gc`` (kpc) and ``phi_gc``
        (deg), and with samples their errors ``<name>_err``, half the distance between the 16 % and 84 % quantiles.
        Right-handed: the Sun is at negative x, y points in the direction of rotation. Masked where the distance is
        missing or not positive. ``meta`` holds the source of the distances and the parameters of the frame.

    Raises
    ------
    MissingColumnError
        If the position or the distance is not there.
    InputError
        If there is no such source.
    """
    frame = default_frame() if frame is None else frame
    source, value, width = _distances(table, distance, parallax_over_error)
    direction = _directions(table)
    matrix, offset = _affine(frame)
    along = direction @ matrix.T
    out = QTable()
    key = columns.identifier(table)
    if key is not None:
        out[key] = table[key]
    out["distance"] = columns.column("distance").dress(value * 1000)
    for name, column in zip(_COORDINATES, _coordinates(offset + value[:, None] * along), strict=True):
        out[name] = columns.column(name).dress(column)
    if samples:
        errors = _sampled(value, width, source, along, offset, samples, seed)
        for name, column in zip(_COORDINATES, errors, strict=True):
            out[f"{name}_err"] = columns.label_columns(name)[1].dress(column)
    out.meta.update(
        distance_source=source,
        galcen_distance=str(frame.galcen_distance.to(u.kpc)),
        z_sun=str(frame.z_sun.to(u.pc)),
    )
    return out


def positions(table, names=("r_gc", "z_gc"), **options):
    """Galactocentric coordinates (N,) by name, NaN where missing: from the table's columns, or by `galactocentric`."""
    there = table if all(columns.find(table, name) for name in names) else galactocentric(table, **options)
    return [columns.values(there, name) for name in names]


def on_the_sky(table):
    """Galactic longitude from -180 to 180 deg and latitude (N,), NaN where missing: from l and b, or ra and dec."""
    if columns.find(table, "l") is not None and columns.find(table, "b") is not None:
        longitude, latitude = columns.values(table, "l"), columns.values(table, "b")
    else:
        from astropy.coordinates import ICRS, Galactic, SkyCoord

        there = SkyCoord(*(columns.values(table, name) * u.deg for name in ("ra", "dec")), frame=ICRS)
        there = there.transform_to(Galactic)
        longitude, latitude = there.l.deg, there.b.deg
    return (longitude + 180) % 360 - 180, latitude


def _distances(table, distance, least):
    """Source, distances in kpc, and half widths of their logarithm (relative errors of a parallax)."""
    if not isinstance(distance, str):
        value = columns.column("distance").dress(distance)
        if value.shape != (len(table),):
            raise InputError(f"distance: expected {len(table)} values, got shape {value.shape}")
        value = columns.values(QTable({"distance": value}), "distance", unit="kpc")
        return "given", np.where(value > 0, value, np.nan), np.full(len(table), np.nan)
    if distance != "auto" and distance not in SOURCES:
        raise InputError(f"distance: expected auto, {', '.join(SOURCES)} or values, got {distance!r}")
    there = [name for name in SOURCES if columns.find(table, name) is not None and distance in ("auto", name)]
    if not there:
        wanted = ", ".join(SOURCES) if distance == "auto" else distance
        raise MissingColumnError(f"distance: the table has no column {wanted}")
    source = next((name for name in there if np.isfinite(columns.values(table, name)).any()), there[0])
    if source.startswith("parallax"):
        value, error = columns.values(table, source), columns.values(table, "parallax_error", required=False)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where((value > 0) & ~(value < least * error), 1 / value, np.nan)
        return source, value, error * value
    value = columns.values(table, source, unit="kpc")
    low, high = (columns.values(table, name, required=False, unit="kpc") for name in SOURCES[source])
    with np.errstate(invalid="ignore", divide="ignore"):
        width = 0.5 * np.log(high / low)
        if source == "distance":
            error = columns.column_values(table, columns.label_columns("distance")[1], required=False) / 1000
            width = np.where(np.isfinite(width), width, error / value)
    return source, np.where(value > 0, value, np.nan), width


def _directions(table):
    """Unit vectors, ICRS."""
    ra, dec = (np.radians(columns.values(table, name)) for name in ("ra", "dec"))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def _affine(frame):
    """Matrix and offset (kpc) that take ICRS positions to the frame; astropy's transformation is of that form."""
    from astropy.coordinates import ICRS, CartesianRepresentation

    points = np.vstack([np.zeros(3), np.eye(3)]).T * u.kpc
    seen = ICRS(CartesianRepresentation(points)).transform_to(frame).cartesian.xyz.to_value(u.kpc)
    return seen[:, 1:] - seen[:, :1], seen[:, 0]


def _coordinates(position):
    """x, y, z, R and azimuth of positions, shape (..., 3)."""
    x, y, z = np.moveaxis(position, -1, 0)
    return x, y, z, np.hypot(x, y), np.degrees(np.arctan2(y, -x))


def _sampled(value, width, source, along, offset, samples, seed):
    """Half widths of the coordinates over drawn distances."""
    random = np.random.default_rng(seed)
    out = np.full((len(_COORDINATES), len(value)), np.nan)
    usable = np.flatnonzero(np.isfinite(value) & np.isfinite(width))
    step = max(_CHUNK // samples, 1)
    for start in range(0, len(usable), step):
        rows = usable[start : start + step]
        noise = random.standard_normal((samples, len(rows))) * width[rows]
        if source.startswith("parallax"):
            with np.errstate(divide="ignore"):
                drawn = np.where(noise > -1, value[rows] / (1 + noise), np.inf)
            drawn = np.minimum(drawn, 1e3)
        else:
            drawn = value[rows] * np.exp(noise)
        found = _coordinates(offset + drawn[..., None] * along[rows])
        middle = np.median(found[4], axis=0)
        found = (*found[:4], middle + (found[4] - middle + 180) % 360 - 180)
        for index, item in enumerate(found):
            low, high = np.quantile(item, [0.158655, 0.841345], axis=0)
            out[index, rows] = 0.5 * (high - low)
    return out
