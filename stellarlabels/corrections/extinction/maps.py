"""E(B-V) of the stars of a table: from its own column, or from a dust map at their coordinates."""

import logging
from functools import lru_cache

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.corrections.arguments import floats
from stellarlabels.corrections.extinction.amounts import EXTINCTION
from stellarlabels.corrections.extinction.files import describe_map, open_map
from stellarlabels.corrections.extinction.scales import SFD, check_scale, convert_ebv, scale_of_column
from stellarlabels.exceptions import DataNotFoundError, InputError, MissingColumnError

__all__ = ["ebv", "add_ebv"]

_log = logging.getLogger(__name__)


@columns.entrance("table")
def ebv(table, *, dustmap="sfd", path=None, distance=None, map_scale=None, query_options=None):
    """Color excess E(B-V) of each star, on the scale of the SFD map.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A column ``ebv`` wins: where it has a value, that is the result. Elsewhere the map is asked at ``ra`` and
        ``dec``, or else at ``l`` and ``b``.
    dustmap : {"sfd", "csfd", "planck", "bayestar"} or query object of dustmaps
        Which map to ask. A query object is called with a `~astropy.coordinates.SkyCoord`.
    path : path-like, optional
        Folder of the files of a map given by name, or its file; by default the data directory of dustmaps.
    distance : array_like or `~astropy.units.Quantity`, shape (N,), optional
        Distances, in pc where there is no unit, for maps in three dimensions. Without them, such maps give the whole
        line of sight.
    map_scale : {"sfd", "true"}, optional
        Scale of what the map gives; by default the one that is declared for a named map, and "sfd" for a query object,
        so that its values stay as they are.
    query_options : dict, optional
        Keyword arguments of the query, for instance ``{"order": 0}`` for the nearest pixel of SFD.

    Returns
    -------
    `~astropy.units.Quantity` of float64, shape (N,), mag
        Masked where there is no value: coordinates missing or impossible, or outside the map. Where a column ``ebv``
        leaves rows out and the map is not there, these rows are masked as well.

    Raises
    ------
    stellarlabels.exceptions.DataNotFoundError
        If the map is needed and not there; the message says where to get it.
    stellarlabels.exceptions.MissingColumnError
        If there is neither ``ebv`` nor a pair of coordinates.
    stellarlabels.exceptions.InputError
        If the name of the map is unknown or an argument does not fit.
    """
    values, _ = _ebv(table, dustmap, path, distance, map_scale, query_options)
    return _dress(values)


@columns.entrance("table")
def add_ebv(table, *, dustmap="sfd", path=None, distance=None, map_scale=None, query_options=None):
    """The table with E(B-V) and a flag. Errors are raised as by `ebv`.

    Parameters
    ----------
    table : `~astropy.table.Table`
        As for `ebv`.
    dustmap, path, distance, map_scale, query_options
        As for `ebv`.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input; ``ebv`` (mag, on the scale of the SFD map; a column of this name is replaced) and
        ``extinction_flag`` (bits of the flag set "extinction").
    """
    values, flag = _ebv(table, dustmap, path, distance, map_scale, query_options)
    out = QTable(table)
    out[columns.find(table, "ebv") or "ebv"] = _dress(values)
    out["extinction_flag"] = columns.column("extinction_flag").dress(flag)
    return out


def _dress(values):
    """The column ``ebv``, which says in its metadata on which scale it is."""
    column = columns.column("ebv").dress(values)
    column.info.meta = {**column.info.meta, "ebv_scale": SFD}
    return column


def _ebv(table, dustmap, path, distance, map_scale, query_options):
    """E(B-V) on the scale of the SFD map as floats, NaN where there is none, and the flags."""
    ask, scale = _query(dustmap, path, map_scale)
    values = _own_values(table)
    from_table = np.isfinite(values)
    known = np.ones(len(table), dtype=bool)
    wanted = ~from_table
    if wanted.any():
        has_column = columns.find(table, "ebv") is not None
        try:
            coordinates, known = _coordinates(table, distance)
            rows = wanted & known
            values[rows] = _from_map(ask(), coordinates, rows, query_options or {}, scale, distance is not None)
        except (DataNotFoundError, MissingColumnError) as error:
            if not has_column:
                raise
            _log.warning("E(B-V) stays missing for %d stars: %s", wanted.sum(), error)
    missing = ~np.isfinite(values)
    values[missing] = np.nan
    with np.errstate(invalid="ignore"):
        flag = EXTINCTION.where(
            MISSING_EBV=missing,
            NO_COORDINATES=wanted & ~known,
            OUTSIDE_MAP=missing & known,
            NEGATIVE_EBV=values < 0,
            FROM_MAP=wanted & ~missing,
        )
    return values, flag


def _query(dustmap, path, map_scale):
    """A function that gives the query object (and opens its files when it is called), and the scale of the map."""
    if isinstance(dustmap, str):
        declared = describe_map(dustmap)
        options = dict(item.split("=") for item in declared["options"].split())

        def ask():
            query = open_map(dustmap, path)
            return lambda coordinates, **more: query(coordinates, **{**options, **more})

        return ask, check_scale(map_scale or declared["scale"], "map_scale")
    if not callable(dustmap):
        raise InputError(f"dustmap: expected the name of a map or a query object, got {type(dustmap).__name__}")
    if path is not None:
        raise InputError(f"path: expected with the name of a map only, got it with a {type(dustmap).__name__}")
    return (lambda: dustmap), check_scale(map_scale or SFD, "map_scale")


def _own_values(table):
    """The column ``ebv`` on the scale of the SFD map; NaN without it."""
    return convert_ebv(columns.values(table, "ebv", required=False), from_scale=scale_of_column(table), to_scale=SFD)


def _coordinates(table, distance):
    """Arguments of a SkyCoord (longitude, latitude, perhaps distance; frame), and which rows have them."""
    equatorial = columns.find(table, "ra") is not None and columns.find(table, "dec") is not None
    galactic = columns.find(table, "l") is not None and columns.find(table, "b") is not None
    if not (equatorial or galactic):
        raise MissingColumnError("columns 'ra' and 'dec', or 'l' and 'b', are missing; a dust map needs a pair of them")
    names, frame = (("ra", "dec"), "icrs") if equatorial else (("l", "b"), "galactic")
    longitude, latitude = (columns.values(table, name) for name in names)
    known = np.isfinite(longitude) & (np.abs(latitude) <= 90)
    parts = [longitude, latitude]
    if distance is not None:
        parts.append(np.broadcast_to(floats(distance, "distance", "pc"), longitude.shape))
        known &= np.isfinite(parts[2]) & (parts[2] > 0)
    return (parts, frame), known


def _from_map(query, coordinates, rows, options, scale, has_distance):
    """E(B-V) of some rows on the scale of the SFD map."""
    parts, frame = coordinates
    if not rows.any():
        return np.empty(0)
    angles = [part[rows] for part in parts[:2]]
    if frame == "icrs" and not has_distance:  # ten times as fast as when the map asks Astropy for it
        angles, frame = _galactic(*angles), "galactic"
    angles = [u.Quantity(part, u.deg) for part in angles]
    distance = {"distance": u.Quantity(parts[2][rows], u.pc)} if has_distance else {}
    answer = floats(query(SkyCoord(*angles, frame=frame, **distance), **options), "dustmap", "mag")
    if answer.ndim == 2 and not has_distance:
        answer = answer[:, -1]
    if answer.shape != (rows.sum(),):
        raise InputError(f"dustmap: expected one value for each star, got shape {answer.shape} for {rows.sum()} stars")
    return convert_ebv(answer, from_scale=scale, to_scale=SFD)


@lru_cache(maxsize=1)
def _galactic_axes():
    """The rotation from the ICRS to galactic coordinates, as Astropy has it, shape (3, 3)."""
    x, y, z = np.eye(3)
    axes = SkyCoord(x=x, y=y, z=z, representation_type="cartesian", frame="icrs")
    return axes.galactic.cartesian.xyz.value


def _galactic(ra, dec):
    """Galactic longitude and latitude of right ascension and declination, all in degrees."""
    ra, dec = np.radians(ra), np.radians(dec)
    across = np.cos(dec)
    x, y, z = _galactic_axes() @ np.stack([across * np.cos(ra), across * np.sin(ra), np.sin(dec)])
    return [np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))]
