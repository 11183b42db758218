"""Sampled XP spectra: one row per star, or one table per star."""

import re

import numpy as np

from stellarlabels import columns, flags
from stellarlabels.columns import factor
from stellarlabels.columns.wavelengths import regrid
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files import Ragged, holds_arrays, looks_like_array, parse, register
from stellarlabels.inputs.xp.products import Spectra, beside, given_flags

__all__ = []

_SPECTRUM = ("wavelength", "flux", "flux_error", "spectrum_flag")


def _has(table, *names):
    return all(name in table.colnames for name in names)


@register(
    "xp_sampled",
    product="xp",
    description="one row per star, with source_id and array cells flux and flux_error",
    accepts=lambda table: _has(table, "flux") and holds_arrays(table["flux"]),
)
def read_rows(raw, grid):
    """One row per star; the wavelengths are in a column, in the metadata, or those of the archive."""
    table = raw.table
    _require(raw, "source_id", "flux", "flux_error")
    if "xp" in table.colnames:
        raise ReadError(
            f"{raw.where}: spectra on the internal scale of BP and RP (column 'xp'), as GaiaXPy's convert gives them; "
            "expected calibrated ones"
        )
    own = _cells(table, "wavelength") if "wavelength" in table.colnames else _sampling(raw)
    return _spectra(table, _cells(table, "flux"), _cells(table, "flux_error"), own, grid)


@register(
    "xp_sampled_star",
    product="xp",
    description="one table per star, with columns wavelength, flux and flux_error, and source_id in the metadata, in "
    "the file name or in a column",
    accepts=lambda table: _has(table, "wavelength", "flux") and not holds_arrays(table["flux"]),
)
def read_star(raw, grid):
    """One row per sample, of one star or of several, one after the other."""
    table = raw.table
    _require(raw, "wavelength", "flux", "flux_error")
    if not len(table):
        raise ReadError(f"{raw.where}: the table of samples has no rows")
    if "source_id" not in table.colnames:
        table = table.copy(copy_data=False)
        table["source_id"] = np.full(len(table), _source_id(raw))
    names = columns.without_unit(table["source_id"]).data
    _, first, member = np.unique(names, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))[member]  # stars in the order in which they appear
    order = np.argsort(rank, kind="stable")
    lengths = np.bincount(rank)
    wave, flux, error = (Ragged(_numbers(table, name)[order], lengths) for name in _SPECTRUM[:3])
    stars = table[np.sort(first)]
    if not _has(raw.table, "source_id"):
        stars = stars[["source_id"]]
    return _spectra(stars, flux, error, wave, grid)


def _spectra(table, flux, error, own, grid):
    flux, error, other = regrid(flux, error, own, grid)
    flag = given_flags(table) | flags.SPECTRUM.where(OTHER_SAMPLING=other)
    return Spectra(beside(table, _SPECTRUM), flux, error, np.ones(len(table), dtype=bool), flag)


def _require(raw, *names):
    missing = [name for name in names if name not in raw.table.colnames]
    if missing:
        raise ReadError(
            f"{raw.where}: column {missing[0]!r} is missing; the columns are {', '.join(raw.table.colnames)}"
        )


def _cells(table, name):
    """Array cells in the unit of the vocabulary."""
    cells = Ragged.from_column(table[name])
    return Ragged(cells.values * factor(table[name], name), cells.lengths)


def _numbers(table, name):
    """A column of numbers in the unit of the vocabulary."""
    data = columns.without_unit(table[name])
    if data.dtype.kind not in "fiu":
        raise InputError(f"column {name!r}: expected numbers, got dtype {data.dtype}")
    return np.ma.filled(data.astype(np.float64), np.nan) * factor(table[name], name)


def _sampling(raw):
    """Wavelengths in the metadata, as GaiaXPy writes them, or None."""
    found = raw.meta.get("sampling")
    if found is None:
        return None
    if isinstance(found, str):
        return parse([found]).values if looks_like_array(found) else None
    return np.ravel(np.asarray(np.ma.filled(found, np.nan), dtype=np.float64))


def _source_id(raw):
    """The identifier of the one star in a table: in the metadata or the file name."""
    found = raw.meta.get("sourceid")
    if found is not None and re.fullmatch(r"\d+", str(found).strip()):
        return int(str(found))
    match = re.search(r"Gaia[ _]?E?DR\d[ _](\d+)", raw.name) or re.search(r"(?<!\d)(\d{10,19})(?!\d)", raw.name)
    if match is None:
        raise ReadError(
            f"{raw.where}: source_id is missing: it is no column, and neither in the metadata nor the file name"
        )
    return int(match[1])
