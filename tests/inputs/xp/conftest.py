"""GaiaXPy itself as the reference: its own calibration, one star after the other."""

import warnings

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels.columns import Ragged, find, values
from stellarlabels.inputs.xp.gaiaxpy import quiet

BANDS, SIZE = ("bp", "rp"), 55


@pytest.fixture(scope="session")
def by_gaiaxpy():
    """A function ``f(table, wavelength=None, truncation=False)``: flux and error of GaiaXPy's ``calibrate``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("gaiaxpy")
    return _sampled


def _sampled(table, wavelength=None, truncation=False):
    table = table if isinstance(table, Table) else Table(dict(table))
    columns, present, trusted = {}, [], np.ones(len(table), dtype=bool)
    for band in BANDS:
        own, has_flux, has_error = _band(table, band, truncation)
        columns.update(own)
        present.append(has_flux)
        trusted &= has_error | ~has_flux
    rows = np.logical_or(*present)
    size = 343 if wavelength is None else len(wavelength)
    flux = np.full((len(table), size), np.nan)
    error = flux.copy()
    if rows.any():
        given = {name: data[rows] for name, data in columns.items()}
        flux[rows], error[rows] = _calibrated(given, wavelength, truncation)
    error[~trusted] = np.nan
    return flux, error


def _band(table, band, truncation):
    """Input of GaiaXPy for one band, and for which stars it gives fluxes and errors."""

    def matrix(name, length):
        key = find(table, f"{band}_{name}")
        return np.full((len(table), length), np.nan) if key is None else Ragged.from_column(table[key]).matrix(length)

    coefficients, errors = matrix("coefficients", SIZE), matrix("coefficient_errors", SIZE)
    correlations = matrix("coefficient_correlations", SIZE * (SIZE - 1) // 2)
    correlations[np.isnan(correlations).all(axis=1)] = 0.0
    has_flux = np.isfinite(coefficients).all(axis=1)
    has_error = (np.isfinite(errors) & (errors >= 0)).all(axis=1) & np.isfinite(correlations).all(axis=1)
    absent = np.where(has_flux, 1.0, np.nan)
    columns = {
        f"{band}_coefficients": _cells(coefficients, has_flux),
        f"{band}_coefficient_errors": _cells(np.where(has_error[:, None], errors, 0.0), has_flux),
        f"{band}_coefficient_correlations": _cells(np.where(has_error[:, None], correlations, 0.0), has_flux),
        f"{band}_n_parameters": SIZE * absent,
        f"{band}_standard_deviation": absent,
    }
    if truncation:
        relevant = values(table, f"{band}_n_relevant_bases")
        columns[f"{band}_n_relevant_bases"] = np.nan_to_num(relevant, nan=SIZE).astype(np.int64)
    return columns, has_flux, has_error


def _cells(matrix, there):
    cells = np.empty(len(matrix), dtype=object)
    cells[:] = list(matrix)
    cells[~there] = np.nan
    return cells


def _calibrated(columns, wavelength, truncation):
    with quiet():
        import pandas as pd
        from gaiaxpy import calibrate

        frame = pd.DataFrame({"source_id": np.arange(len(columns["bp_coefficients"])), **columns})
        grid = None if wavelength is None else np.asarray(wavelength, float)
        spectra, _ = calibrate(frame, sampling=grid, truncation=truncation, save_file=False)
    return np.stack(list(spectra["flux"])), np.stack(list(spectra["flux_error"]))
