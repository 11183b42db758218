"""Spectra of one or many files on their way into one table."""

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable, vstack

from stellarlabels import columns, flags
from stellarlabels.columns import dressed, identifiers


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
        columns = QTable({"source_id": identifiers(np.ma.concatenate([part.columns["source_id"] for part in parts]))})
    else:
        columns = vstack([part.columns for part in parts], metadata_conflicts="silent")
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("flux", "flux_error")}
    rest = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("sampled", "flag")}
    return Spectra(columns, **arrays, **rest)


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
