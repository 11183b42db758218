"""E(B-V) from maps of dust, and the files that the maps are in."""

import hashlib
import io
import logging
import warnings
from contextlib import redirect_stdout
from functools import lru_cache
from importlib import import_module
from itertools import zip_longest
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from stellarlabels import columns, packaged
from stellarlabels.columns import StarTable
from stellarlabels.corrections.arguments import floats
from stellarlabels.corrections.extinction.amounts import EXTINCTION
from stellarlabels.corrections.extinction.coefficient_sets import SFD, check_scale, convert_ebv, scale_of_column
from stellarlabels.exceptions import DataNotFoundError, InputError, MissingColumnError, ReadError

_log = logging.getLogger(__name__)


def map_names():
    """Names of the dust maps that `stellarlabels.corrections.extinction.ebv` knows."""
    return [str(name) for name in packaged.table("extinction", "dustmaps")["name"]]


def describe_map(name):
    """The declaration of a map as a dict of str: class, files, checksums, scale, urls, reference."""
    known = map_names()
    if name not in known:
        raise InputError(f"dustmap: expected one of {known} or a query object of dustmaps, got {name!r}")
    table = packaged.table("extinction", "dustmaps")
    row = table[known.index(name)]
    return {key: "" if np.ma.is_masked(row[key]) else str(row[key]) for key in table.colnames}


def map_files(name, path=None):
    """Paths of the files of a map: in the folder ``path``, beside that file, or in the data directory of dustmaps."""
    item = describe_map(name)
    files = item["files"].split()
    if path is None:
        folder = Path(_dustmaps("dustmaps.std_paths").data_dir()) / item["folder"]
        return [folder / file for file in files]
    path = Path(path).expanduser()
    is_file = path.is_file() or (path.suffix and not path.is_dir())
    if is_file and len(files) == 1:
        return [path]
    folder = path.parent if is_file else path
    return [folder / file for file in files]


def check_map(name, path=None):
    """Compare the files of a map with the published checksums.

    Parameters
    ----------
    name : str
        Name of the map.
    path : path-like, optional
        As in `map_files`.

    Raises
    ------
    stellarlabels.exceptions.DataNotFoundError
        If a file is missing, or no checksum of this map is known.
    stellarlabels.exceptions.ReadError
        If a file differs from the published one, because its download was cut off, for instance.
    """
    checksums = describe_map(name)["checksums"].split()
    if not checksums:
        raise DataNotFoundError(f"dustmap: no checksum is published for the map {name!r}")
    for file, checksum in zip(_existing_files(name, path), checksums, strict=True):
        algorithm, _, expected = checksum.partition(":")
        with open(file, "rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
        if found != expected:
            raise ReadError(f"{file}: expected {algorithm} {expected}, got {found}; download it again")


def open_map(name, path=None):
    """The query object of dustmaps for a map, which takes a `~astropy.coordinates.SkyCoord`; kept for the next call."""
    return _open(name, tuple(_existing_files(name, path)))


@lru_cache(maxsize=1)
def _open(name, files):
    item = describe_map(name)
    query_class = getattr(_dustmaps(item["module"]), item["class"])
    arguments = item["arguments"].split()
    values = [files[0].parent] if arguments == ["map_dir"] else files
    messages = io.StringIO()
    try:
        with redirect_stdout(messages):
            query = query_class(**{key: str(value) for key, value in zip(arguments, values, strict=True)})
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise ReadError(
            f"the dust map {name!r} cannot be read from {files[0].parent}: {error}; "
            f"check its files with stellarlabels.corrections.extinction.check_map({name!r}, path)"
        ) from error
    _log.debug("opened the dust map %s from %s %s", name, files[0].parent, messages.getvalue())
    return query


def _existing_files(name, path):
    """The files of a map, or an error that says how to get them."""
    files = map_files(name, path)
    missing = [file for file in files if not file.is_file()]
    if not missing:
        return files
    item = describe_map(name)
    expected = [
        " ".join(pair).strip() for pair in zip_longest(item["files"].split(), item["checksums"].split(), fillvalue="")
    ]
    lines = [
        f"the dust map {name!r} needs {', '.join(file.name for file in missing)}, not found in {missing[0].parent}.",
        f"It is at {' or '.join(item['urls'].split())}; the fetch() of dustmaps is refused by some of these servers,",
        "a web browser is not. Then pass the folder as path=..., or put the files into the folder named above.",
        f"Expected: {', '.join(expected)}.",
        f"Other ways: another dustmap ({', '.join(map_names())}), any query object of dustmaps, or a column 'ebv'.",
    ]
    raise DataNotFoundError("\n".join(lines))


def _dustmaps(module):
    """A module of dustmaps, imported without its remarks on its configuration file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        raise DataNotFoundError(
            f"dust maps are read with the package dustmaps, which cannot be imported ({error}); "
            "install it, or give the table a column 'ebv'"
        ) from error


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
    out = StarTable(table)
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
