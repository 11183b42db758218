"""What is fetched of each star that lacks it: columns by queries, and spectra."""

import logging
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from astropy.table import MaskedColumn

from stellarlabels import columns
from stellarlabels.archive import queries
from stellarlabels.archive.tap import payload
from stellarlabels.columns import StarTable, jplus
from stellarlabels.exceptions import DataNotFoundError, ReleaseError
from stellarlabels.gather.choice import _of_release, with_source_ids
from stellarlabels.gather.supply import Archives, Supply, has, lacks

_log = logging.getLogger(__name__)

#: Inputs that are worth little, or nothing, without E(B-V).
_REDDENED = ("colors", "xp_pixels")
#: What is kept of spectra that are sampled.
_SAMPLES = ("flux", "flux_error", "spectrum_flag")
#: Largest distance in degrees of a source of Gaia from the position of a fibre, which is of an older epoch.
_FIBRE = 3 / 3600


@dataclass(frozen=True)
class Gathering:
    """What all steps need: the system, its `Supply`, the servers, the release, and a folder for replies."""

    system: object
    supply: Supply
    archives: Archives
    release: str
    folder: Path


def fill(table, gathering):
    """A new table with what the stars lack and archives have, as far as it is there."""
    out = StarTable(table, copy=False)
    for name in gathering.supply.steps:
        out = _STEPS[name](out, gathering) if name in _STEPS else _by_query(out, gathering, name)
    return jplus.gather(out)


def is_query(step):
    """Whether a step is a query."""
    return step not in _STEPS


def _by_query(table, gathering, name):
    """The table with columns of a query to which identifiers are uploaded."""
    query = _of_release(queries.get(name), gathering.release)
    absent = [column for column in query.gives if column != payload.ROW and not has(table, column)]
    if not absent:
        return table
    [key] = query.upload.columns
    names = columns.identifiers(table[columns.find(table, key)], key)
    rows = np.flatnonzero(~np.ma.getmaskarray(columns.without_unit(names)))
    found = StarTable({payload.ROW: np.zeros(0, int)})
    if rows.size:
        upload = StarTable({key: names[rows]})
        found = gathering.archives.tap(query).run_chunks(query.bind(), upload, store=gathering.folder / "replies")
    place = rows[np.asarray(found[payload.ROW], dtype=int)]
    there = {column.lower(): column for column in found.colnames}
    out = StarTable(table, copy=False)
    for column in absent:
        out[column] = _spread(column, found[there[column]] if column in there else None, place, len(table))
    return out


def _spread(name, column, place, count):
    """A column of ``count`` rows with the values at their places, masked elsewhere."""
    known = name in columns.vocabulary()
    data = np.ma.zeros(0) if column is None else columns.without_unit(column)
    out = np.ma.MaskedArray(np.zeros((count, *data.shape[1:]), data.dtype), mask=True)
    if column is not None:
        out[place] = data
    new = MaskedColumn(out, unit=getattr(column, "unit", None))
    return columns.column(name).dress(new) if known else new


def _spectra(table, gathering, *, sample):
    """The table with XP spectra: all that have any are in the archive as coefficients."""
    from stellarlabels.archive.datalink import xp_spectra

    if not lacks(gathering.system, table):
        return table
    names = table[columns.find(table, gathering.supply.key)]
    archives, where = gathering.archives, {"store": gathering.folder / "replies", "url": gathering.archives.spectra}
    how = {"retry": archives.retry, "timeout": archives.timeout, "progress": False, "release": gathering.release}
    spectra = xp_spectra(names, kind="continuous", sample=sample, **where, **how)
    out = StarTable(table, copy=False)
    for name in spectra.colnames:
        if name not in out.colnames and (not sample or name in _SAMPLES):
            out[name] = spectra[name]
    out.meta = {**out.meta, **{key: spectra.meta[key] for key in ("wavelength", "release") if key in spectra.meta}}
    return out


def _samples(table, gathering):
    """The table with sampled XP spectra."""
    return _spectra(table, gathering, sample=True)


def _coefficients(table, gathering):
    """The table with coefficients of XP spectra and their covariances."""
    return _spectra(table, gathering, sample=False)


def _distances(table, gathering):
    """The table with distances, if there are any for the identifiers of the release."""
    if has(table, "r_med_geo"):
        return table
    try:
        return _by_query(table, gathering, "gaia_distances")
    except ReleaseError as error:
        _log.info("stars are labelled without distances of Bailer-Jones et al.: %s", error)
        return table


def _near(table, gathering):
    """The table with the identifier of the source of Gaia that each position is of, if any."""
    if has(table, "source_id") or not (has(table, "ra") and has(table, "dec")):
        return table
    return with_source_ids(
        table, gathering.archives, gathering.release, store=gathering.folder / "replies", radius=_FIBRE
    )


def _reddening(table, gathering):
    """The table with E(B-V), if the map is at hand."""
    from stellarlabels.corrections.extinction import ebv

    if has(table, "ebv") or not (has(table, "ra") and has(table, "dec")):
        return table
    out = StarTable(table, copy=False)
    try:
        out["ebv"] = ebv(StarTable({name: table[columns.find(table, name)] for name in ("ra", "dec")}))
    except DataNotFoundError as error:
        if gathering.system.recipe.features in _REDDENED:
            _log.warning("stars are labelled without E(B-V): %s; a column 'ebv' of the table will do, too", error)
        return table
    return out


def _lamost(resolution, table, gathering):
    """The table with LAMOST spectra."""
    from stellarlabels.archive.lamost import lamost_spectra

    if not lacks(gathering.system, table):
        return table
    archives, names = gathering.archives, table[columns.find(table, gathering.supply.key)]
    where = {"store": gathering.folder / "spectra", "url": archives.spectra, "token": archives.spectra_token}
    how = {"retry": archives.retry, "timeout": archives.timeout, "progress": False, "resolution": resolution}
    spectra = lamost_spectra(names, **where, **how)
    out = StarTable(table, copy=False)
    for name in spectra.colnames:
        if name != "obsid":  # what a file says of its spectrum is what counts
            out[name] = spectra[name]
    return out


_STEPS = {
    "xp samples": _samples,
    "xp coefficients": _coefficients,
    "distances": _distances,
    "ebv": _reddening,
    "gaia near": _near,
    "lamost low": partial(_lamost, "low"),
    "lamost medium": partial(_lamost, "medium"),
}
