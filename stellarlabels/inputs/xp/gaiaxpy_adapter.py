"""Bridge to GaiaXPy, which samples XP spectra from their coefficients.

Nothing else in the package imports GaiaXPy, except `stellarlabels.inputs.xp.gaiaxpy_systems`.

On import GaiaXPy silences all RuntimeWarnings of the process and leaves files open; its calls warn about coming changes
of pandas, write progress bars to the standard output, and by default a file. None of this gets through the bridge. Its
import also switches NumPy to the printing style of version 1.21. That is left as it is: the files that GaiaXPy writes
for the user would be damaged without it.
"""

import warnings
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import numpy as np
from astropy.table import Table

from stellarlabels.columns import find, values
from stellarlabels.columns.wavelengths import DEFAULT, as_grid, same
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.files import Ragged

__all__ = ["BANDS", "CORRELATIONS", "RANGE", "SIZE", "checked", "quiet", "sample_coefficients"]

BANDS = ("bp", "rp")

#: Number of basis functions of a band, and of elements above the diagonal of the matrix of correlations.
SIZE = 55
CORRELATIONS = SIZE * (SIZE - 1) // 2

#: Wavelengths in nm for which GaiaXPy has basis functions.
RANGE = (330.0, 1050.0)

#: Stars in one call. GaiaXPy unpacks the matrices of all of them: about 100 kB a star.
CHUNK = 2000


@contextmanager
def quiet():
    """Without output and warnings; with the filters and the settings of Matplotlib of before afterwards.

    GaiaXPy tells Matplotlib to set texts with LaTeX, and every later plot would fail where there is none.
    """
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


def sample_coefficients(table, wavelength=None, truncation=False, *, progress=None):
    """Externally calibrated spectra from XP coefficients, one star after the other, by GaiaXPy itself.

    Parameters
    ----------
    table : `~astropy.table.Table` or mapping of str to array_like
        N stars. For each band that there is (bp, rp): ``bp_coefficients`` (N, 55), ``bp_coefficient_errors`` (N, 55),
        ``bp_coefficient_correlations`` (N, 1485; elements above the diagonal of the matrix, column by column). Without
        errors the flux errors are NaN, without correlations the coefficients count as independent. Cells may be arrays,
        or texts of arrays. ``bp_standard_deviation`` is not needed: the errors of the archive contain it, it cancels.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Within 330 to 1050 nm, increasing; in nm where there is no unit. By default 336 to 1020 nm in steps of 2 nm.
    truncation : bool
        Whether to use the first ``bp_n_relevant_bases`` basis functions only. The errors are then too small.
    progress : bool, optional
        Whether to show a progress bar; by default for more than one chunk of 2000 stars.

    Returns
    -------
    flux, flux_error : `~numpy.ndarray` of float64, shape (N, M)
        W m-2 nm-1. A band counts as missing where its coefficients are not finite. Without BP the samples up to and
        including 635 nm are NaN, without RP those from 643 nm on; between these limits the band that is there counts
        alone. Without either, all samples are NaN.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there are no coefficients, or with truncation no number of relevant bases.
    InputError
        If the wavelengths are out of range, or a column does not hold arrays of numbers.

    Notes
    -----
    GaiaXPy: De Angeli et al. 2023, A&A 674, A2; Montegriffo et al. 2023, A&A 674, A3.
    """
    from tqdm.auto import tqdm

    grid = checked(wavelength)
    table = table if isinstance(table, Table) else Table(dict(table), copy=False)
    if all(find(table, f"{band}_coefficients") is None for band in BANDS):
        raise MissingColumnError("column 'bp_coefficients' is missing, and so is 'rp_coefficients'")
    flux = np.full((len(table), grid.size), np.nan)
    error = flux.copy()
    starts = range(0, len(table), CHUNK)
    quiet = not (len(starts) > 1 if progress is None else progress)
    for start in tqdm(starts, desc="sampling", unit="chunk", disable=quiet):
        part = slice(start, start + CHUNK)
        flux[part], error[part] = _sample_chunk(table[part], grid, truncation)
    return flux, error


def checked(wavelength):
    """Wavelengths of the samples, if GaiaXPy can sample them.

    Parameters
    ----------
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional

    Returns
    -------
    `~numpy.ndarray` of float64, shape (M,)

    Raises
    ------
    InputError
        If they are out of range.
    """
    grid = as_grid(wavelength)
    if grid[0] < RANGE[0] or grid[-1] > RANGE[1]:
        raise InputError(f"wavelength: expected {RANGE[0]:g} to {RANGE[1]:g} nm, got {grid[0]:g} to {grid[-1]:g} nm")
    return grid


def _sample_chunk(table, grid, truncation):
    """Flux and error of stars that fit into memory."""
    columns, present, trusted = {}, [], np.ones(len(table), dtype=bool)
    for band in BANDS:
        own, has_flux, has_error = _band(table, band, truncation)
        columns.update(own)
        present.append(has_flux)
        trusted &= has_error | ~has_flux
    rows = np.logical_or(*present)
    flux = np.full((len(table), grid.size), np.nan)
    error = flux.copy()
    if rows.any():
        flux[rows], error[rows] = _calibrate({name: data[rows] for name, data in columns.items()}, grid, truncation)
    error[~trusted] = np.nan
    return flux, error


def _band(table, band, truncation):
    """Input of GaiaXPy for one band, and for which stars it gives fluxes and errors."""

    def matrix(name, length):
        key = find(table, f"{band}_{name}")
        return np.full((len(table), length), np.nan) if key is None else Ragged.from_column(table[key]).matrix(length)

    coefficients = matrix("coefficients", SIZE)
    errors = matrix("coefficient_errors", SIZE)
    correlations = matrix("coefficient_correlations", CORRELATIONS)
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
    """Rows of a matrix as cells of a DataFrame; NaN where there is no such row."""
    cells = np.empty(len(matrix), dtype=object)
    cells[:] = list(matrix)
    cells[~there] = np.nan
    return cells


def _calibrate(columns, grid, truncation):
    """GaiaXPy's own calibration. All stars have at least one band."""
    with quiet():
        import pandas as pd
        from gaiaxpy.calibrator.calibrator import _calibrate as calibrate

        count = len(columns["bp_coefficients"])
        frame = pd.DataFrame({"source_id": np.arange(count), **columns})
        # The public function is the same without disable_info, which keeps the bars off the standard output.
        spectra, _ = calibrate(
            frame,
            sampling=None if same(grid, DEFAULT) else grid,
            truncation=truncation,
            save_file=False,
            disable_info=True,
        )
    return np.stack(list(spectra["flux"])), np.stack(list(spectra["flux_error"]))
