"""Formats of files of XP spectra: samples or coefficients, one star to a row, to a table, or one number to a column."""

import re
from dataclasses import dataclass

import numpy as np
from astropy.table import QTable, vstack

from stellarlabels import columns, flags
from stellarlabels.columns import (
    Ragged,
    dressed,
    factor,
    holds_arrays,
    identifiers,
    looks_like_array,
    parse,
    plain,
    products,
    values,
    without_unit,
)
from stellarlabels.columns.wavelengths import regrid
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.inputs.xp.coefficients import cells, lengths_of
from stellarlabels.inputs.xp.layout import BANDS, COLUMNS, SIZES
from stellarlabels.inputs.xp.samples import sample_cells


@dataclass
class Spectra:
    """Columns of N stars, flux and error (N, M), NaN where there is none, which are sampled (N,), and flags (N,)."""

    columns: QTable
    flux: np.ndarray
    flux_error: np.ndarray
    sampled: np.ndarray
    flag: np.ndarray

    def __len__(self):
        return len(self.flag)

    def __getitem__(self, rows):
        """The spectra of the chosen rows."""
        return Spectra(self.columns[rows], self.flux[rows], self.flux_error[rows], self.sampled[rows], self.flag[rows])


def beside(table, used):
    """What a table with canonical names brings besides its spectra (the columns ``used``), ``source_id`` first."""
    out = QTable({"source_id": identifiers(table["source_id"])})
    others = [name for name in table.colnames if name not in {"source_id", *used}]
    if others:
        for name, column in dressed(table[others]).items():
            out[name] = column
    return out


def stack(parts):
    """One set of spectra from several; columns that a part lacks are masked in its rows."""
    if len(parts) == 1:
        return parts[0]
    if all(part.columns.colnames == ["source_id"] for part in parts):
        together = QTable({"source_id": identifiers(np.ma.concatenate([part.columns["source_id"] for part in parts]))})
    else:
        together = vstack([part.columns for part in parts], metadata_conflicts="silent")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("flux", "flux_error")}
    rest = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("sampled", "flag")}
    return Spectra(together, **arrays, **rest)


def join_products(spectra):
    """One row for each star that came as samples and as coefficients: the samples go to the row of the coefficients."""
    names = np.ma.filled(columns.without_unit(spectra.columns["source_id"]), -1)
    _, member, counts = np.unique(names, return_inverse=True, return_counts=True)
    twice = counts[member] == 2
    samples, fits = np.flatnonzero(twice & spectra.sampled), np.flatnonzero(twice & ~spectra.sampled)
    _, from_, to = np.intersect1d(names[samples], names[fits], return_indices=True)
    samples, fits = samples[from_], fits[to]
    out = spectra[np.arange(len(spectra))]
    for array in (out.flux, out.flux_error, out.sampled, out.flag):
        array[fits] = array[samples]
    return out[np.setdiff1d(np.arange(len(spectra)), samples)]


def duplicates(names):
    """Rows (N,) whose identifier is in another row too."""
    names = columns.without_unit(names)
    _, member, counts = np.unique(names.data, return_inverse=True, return_counts=True)
    return (counts[member] > 1) & ~np.ma.getmaskarray(names)


def given_flags(table):
    """Flags that an earlier reading wrote into the table, except that of duplicates: other rows are with it now."""
    name = columns.find(table, "spectrum_flag")
    if name is None:
        return flags.SPECTRUM.empty(len(table))
    known = np.nan_to_num(columns.values(table, "spectrum_flag")).astype(flags.SPECTRUM.empty(0).dtype)
    return known & ~known.dtype.type(flags.SPECTRUM["DUPLICATE"])


_SPECTRUM = ("wavelength", "flux", "flux_error", "spectrum_flag")


@products.register(
    "xp_continuous",
    product="xp",
    description="one row per star, with source_id and array cells bp_coefficients, bp_coefficient_errors, "
    "bp_coefficient_correlations, and the same of rp",
    accepts=lambda table: any(f"{band}_coefficients" in table.colnames for band in BANDS),
)
def read_continuous(raw, grid):
    """Coefficients in array cells, as the archive has them."""
    table = raw.table
    needed = ["source_id"]
    for band in BANDS:
        if f"{band}_coefficients" in table.colnames:
            needed.append(f"{band}_coefficient_errors")
    missing = [name for name in needed if name not in table.colnames]
    if missing:
        raise ReadError(f"{raw.where}: column {missing[0]!r} is missing; the columns are {', '.join(table.colnames)}")
    out = beside(table, [*COLUMNS, "spectrum_flag"])
    lengths = lengths_of(table)
    for name, length in lengths.items():
        if name in table.colnames:
            data = cells(table[name], name, length) if length else values(table, name)
            data = _single(data) if name.endswith("correlations") else data.astype(float, copy=False)
            out.add_column(plain(name, data), name=name, copy=False)
        elif not name.endswith(("correlations", "deviation")):  # a band that no star of the file has
            out[name] = plain(name, np.full((len(table), length), np.nan))
    return _spectra(out, given_flags(table), grid)


def _single(data):
    """Correlations, by far the most numbers, in the archive's single precision where that holds them."""
    single = data.astype(np.float32, copy=False)
    return single if single is data or np.array_equal(single, data, equal_nan=True) else data.astype(float, copy=False)


@products.register(
    "xp_coefficients",
    product="xp",
    description="one row per star, with source_id and columns bp_coeff_0, bp_coeff_1 and so on, e_bp_coeff_0 and so "
    "on, and the same of rp",
    accepts=lambda table: any(f"{band}_coeff_0" in table.colnames for band in BANDS),
)
def read_coefficients(raw, grid):
    """One coefficient to a column, without correlations."""
    table = raw.table
    groups = {
        f"{band}_{name}": [f"{prefix}{band}_coeff_{index}" for index in range(SIZES[band])]
        for band in BANDS
        for name, prefix in (("coefficients", ""), ("coefficient_errors", "e_"))
    }
    missing = [name for name in ["source_id", *sum(groups.values(), [])] if name not in table.colnames]
    if missing:
        raise ReadError(f"{raw.where}: column {missing[0]!r} is missing, and {len(missing) - 1} more")
    out = beside(table, [*sum(groups.values(), []), "spectrum_flag"])
    for name, members in groups.items():
        found = np.stack([np.ma.filled(without_unit(table[key]), np.nan) for key in members], axis=1)
        out[name] = plain(name, found.astype(np.float64))
    return _spectra(out, given_flags(table), grid)


def _spectra(table, flag, grid):
    """Spectra that are still to be sampled."""
    has = [np.isfinite(table[f"{band}_coefficients"]).all(axis=1) for band in BANDS]
    flag |= flags.SPECTRUM.where(
        NO_SPECTRUM=~has[0] & ~has[1], MISSING_BP=~has[0] & has[1], MISSING_RP=has[0] & ~has[1]
    )
    empty = np.broadcast_to(np.nan, (len(table), grid.size))
    return Spectra(table, empty, empty, np.zeros(len(table), dtype=bool), flag)


def _has(table, *names):
    return all(name in table.colnames for name in names)


@products.register(
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
    wave, flux, error = (sample_cells(table, name) if name in table.colnames else None for name in _SPECTRUM[:3])
    return _sampled_spectra(table, flux, error, _sampling(raw) if wave is None else wave, grid)


@products.register(
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
    names = without_unit(table["source_id"]).data
    _, first, member = np.unique(names, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))[member]  # stars in the order in which they appear
    order = np.argsort(rank, kind="stable")
    lengths = np.bincount(rank)
    wave, flux, error = (Ragged(_numbers(table, name)[order], lengths) for name in _SPECTRUM[:3])
    stars = table[np.sort(first)]
    if not _has(raw.table, "source_id"):
        stars = stars[["source_id"]]
    return _sampled_spectra(stars, flux, error, wave, grid)


def _sampled_spectra(table, flux, error, own, grid):
    flux, error, other = regrid(flux, error, own, grid)
    flag = given_flags(table) | flags.SPECTRUM.where(OTHER_SAMPLING=other)
    return Spectra(beside(table, _SPECTRUM), flux, error, np.ones(len(table), dtype=bool), flag)


def _require(raw, *names):
    missing = [name for name in names if name not in raw.table.colnames]
    if missing:
        raise ReadError(
            f"{raw.where}: column {missing[0]!r} is missing; the columns are {', '.join(raw.table.colnames)}"
        )


def _numbers(table, name):
    """A column of numbers in the unit of the vocabulary."""
    data = without_unit(table[name])
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
