"""Sampled spectra from XP coefficients, for many stars at once.

GaiaXPy samples one star after the other. Its samples are a linear map of the coefficients, which GaiaXPy itself tells
(`maps`: the spectra of unit coefficients), and their variances another one of the products of errors and correlations.
Each map is compared with GaiaXPy on stars with random correlations before it is used; should it ever disagree, because
a new version of GaiaXPy does something else, GaiaXPy itself samples all stars.
"""

import logging
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from astropy.table import Table

from stellarlabels import schema
from stellarlabels.archive import _gaiaxpy, forms
from stellarlabels.archive.coefficients import BANDS, CORRELATIONS, SIZE, band_arrays, require_coefficients
from stellarlabels.archive.forms import QuadraticForms
from stellarlabels.exceptions import InputError
from stellarlabels.threads import in_threads

__all__ = ["BandMap", "SampleMap", "design_matrix", "maps", "sample_coefficients"]

_log = logging.getLogger(__name__)

#: Stars in one go of a thread: their correlations take 24 MB.
CHUNK = 1024

#: More stars than this get a progress bar.
MANY = 100_000

#: Stars in one product of matrices.
BLOCK = forms.BLOCK

#: Stars on which a map is compared with GaiaXPy, and the largest relative difference of samples and errors.
TRIAL, AGREEMENT = 4, 1e-8


@dataclass(frozen=True)
class BandMap:
    """A linear map from the 55 coefficients of a band to the samples of a spectrum to which it contributes.

    Parameters
    ----------
    where : slice
        Place of these samples among the M of the grid.
    design : `~numpy.ndarray` of float64, shape (m, 55)
        Flux for a unit coefficient.
    """

    where: slice
    design: np.ndarray

    @cached_property
    def forms(self):
        """Variances of the samples, exactly."""
        return QuadraticForms(self.design)

    @cached_property
    def single(self):
        """Variances of the samples in single precision."""
        return QuadraticForms(self.design, single=True)

    @cached_property
    def transposed(self):
        """The design matrix as it multiplies coefficients from the right."""
        return np.ascontiguousarray(self.design.T)


@dataclass(frozen=True)
class SampleMap:
    """The maps from coefficients to samples on a grid of M wavelengths.

    Parameters
    ----------
    size : int
        M.
    both, alone : dict of str to `BandMap`
        For stars with both bands, and for those that have one band only, which then counts alone between 635 and
        643 nm.
    """

    size: int
    both: dict
    alone: dict

    def sample(self, bands, present, outs, single):
        """Write samples of stars.

        Parameters
        ----------
        bands : dict of str to tuple
            For each band coefficients and errors (N, 55) and correlations (N, 1485) or None.
        present : dict of str to `~numpy.ndarray` of bool, shape (N,)
            Which stars have the band.
        outs : sequence of `~numpy.ndarray` of float64, shape (N, M)
            For the flux and, if it is wanted, its variance.
        single : bool
            Whether to compute variances in single precision.
        """
        two = present["bp"] & present["rp"]
        if not two.all():
            for out in outs:
                out.fill(np.nan)
        chosen = [(self.both, two)]
        chosen += [({band: self.alone[band]}, present[band] & ~two) for band in BANDS]
        for own, rows in chosen:
            rows = np.flatnonzero(rows)
            for start in range(0, rows.size, BLOCK):
                self._fill(own, bands, rows[start : start + BLOCK], outs, single)

    def _fill(self, own, bands, rows, outs, single):
        """Write samples, and variances if wanted, of one block of stars that have the same bands."""
        neighbors = rows[-1] - rows[0] == rows.size - 1
        place = slice(rows[0], rows[-1] + 1) if neighbors else rows
        blocks = [out[place] for out in outs]  # copies where they are no neighbors
        end = 0
        for band, one in own.items():
            values, *others = (None if array is None else array[place] for array in bands[band])
            first, stop = one.where.start, one.where.stop
            common = slice(first, first + min(max(end - first, 0), stop - first))
            before = [block[:, common].copy() for block in blocks]
            np.matmul(values, one.transposed, out=blocks[0][:, first:stop])
            if len(blocks) > 1:
                (one.single if single else one.forms)(*others, out=blocks[1][:, first:stop])
            for block, part in zip(blocks, before, strict=True):
                block[:, common] += part
            end = max(end, stop)
        if not neighbors:
            for out, block in zip(outs, blocks, strict=True):
                out[place] = block


def sample_coefficients(table, wavelength=None, truncation=False, *, errors=True, single=False, progress=None):
    """Externally calibrated spectra from XP coefficients.

    Parameters
    ----------
    table : `~astropy.table.Table` or mapping of str to array_like
        As in `stellarlabels.archive._gaiaxpy.sample_coefficients`.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Within 330 to 1050 nm, increasing; in nm where there is no unit. By default 336 to 1020 nm in steps of 2 nm.
    truncation : bool
        Whether to use the first ``bp_n_relevant_bases`` basis functions only. The errors are then too small.
    errors : bool
        Whether to compute errors.
    single : bool
        Whether to compute variances in single precision, right to a relative 2e-5.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 100,000 stars.

    Returns
    -------
    flux : `~numpy.ndarray` of float64, shape (N, M)
        W m-2 nm-1, as GaiaXPy gives it, to a relative 1e-13 of the largest term.
    flux_error : `~numpy.ndarray` of float64, shape (N, M), or None

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there are no coefficients, or with truncation no number of relevant bases.
    InputError
        If the wavelengths are out of range, or a column does not hold arrays of numbers.
    """
    from tqdm.auto import tqdm

    grid = _gaiaxpy.checked(wavelength)
    table = table if isinstance(table, Table) else Table(dict(table), copy=False)
    require_coefficients(table)
    own = maps(grid.tobytes()) if len(table) else None
    if own is None:
        return _gaiaxpy.sample_coefficients(table, grid, truncation, progress=progress)
    flux = np.empty((len(table), grid.size))
    error = np.empty_like(flux) if errors else None
    starts = range(0, len(table), CHUNK)
    quiet = not (len(table) > MANY if progress is None else progress)
    with tqdm(total=len(starts), desc="sampling", unit="chunk", disable=quiet) as bar:

        def fill(start):
            part = slice(start, start + CHUNK)
            _sample(own, table, part, truncation, single, flux[part], None if error is None else error[part])
            bar.update()

        in_threads(fill, starts)
    return flux, error


def _sample(own, table, part, truncation, single, flux, error):
    """Write flux and, unless it is None, error of a part of the stars of a table."""
    bands, present, trusted = {}, {}, True
    for band in BANDS:
        values, sigma, correlations = band_arrays(table, band, part, errors=error is not None)
        present[band] = np.isfinite(values.sum(axis=1))
        if error is not None:
            trusted &= (sigma >= 0).all(axis=1) & np.isfinite(sigma.sum(axis=1)) | ~present[band]
            if correlations is not None and not own.alone[band].design.size:
                trusted &= np.isfinite(correlations.sum(axis=1)) | ~present[band]
        if truncation:
            relevant = schema.values(table[part], f"{band}_n_relevant_bases")
            values, sigma = (None if array is None else _truncated(array, relevant) for array in (values, sigma))
        bands[band] = values, sigma, correlations
    if error is None:
        own.sample(bands, present, (flux,), single)
        return
    own.sample(bands, present, (flux, error), single)
    # What is not finite in the errors of a band is in all of its samples; the star then has no errors at all.
    for band in BANDS:
        inside = error[:, own.alone[band].where]
        trusted &= np.isfinite(inside.sum(axis=1)) | ~present[band]
    with np.errstate(invalid="ignore"):
        np.sqrt(np.maximum(error, 0, out=error), out=error)
    if not np.all(trusted):
        error[~trusted] = np.nan


def _truncated(array, relevant):
    """Zeros beyond so many numbers of each row; all numbers where it is 0 or not known."""
    relevant = np.where(relevant > 0, relevant, SIZE)
    return np.where(np.arange(SIZE) < relevant[:, None], array, 0.0)


def design_matrix(wavelength):
    """Sampled flux of each basis function: the linear map from coefficients of both bands to samples.

    Parameters
    ----------
    wavelength : `~numpy.ndarray` of float64, shape (M,)
        nm.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (M, 110)
        Flux for a unit coefficient: 55 columns of BP, then 55 of RP.
    """
    return np.concatenate([part.T for part in _unit_spectra(_gaiaxpy.checked(wavelength).tobytes())[0][:2]], axis=1)


@lru_cache(maxsize=8)
def maps(grid):
    """The maps to the samples on a grid.

    Parameters
    ----------
    grid : bytes
        Of an array of wavelengths in nm.

    Returns
    -------
    SampleMap or None
        None if GaiaXPy does something else than a linear map.
    """
    parts, trial, *expected = _unit_spectra(grid)
    both = {band: _band_map(part, part.any(axis=0)) for band, part in zip(BANDS, parts[:2], strict=True)}
    alone = {band: _band_map(part, np.isfinite(part).all(axis=0)) for band, part in zip(BANDS, parts[2:], strict=True)}
    out = SampleMap(parts[0].shape[1], both, alone)
    found = np.empty_like(expected[0]), np.empty_like(expected[1])
    _sample(out, trial, slice(None), False, False, *found)
    for ours, theirs in zip(found, expected, strict=True):
        largest = np.abs(theirs).max(axis=1, keepdims=True)
        if not np.allclose(ours / largest, theirs / largest, rtol=0, atol=AGREEMENT):
            _log.warning("GaiaXPy does not sample as expected; it samples all stars itself, which takes longer")
            return None
    return out


@lru_cache(maxsize=8)
def _unit_spectra(grid):
    """What GaiaXPy makes of unit coefficients, and of a few other stars.

    Parameters
    ----------
    grid : bytes
        Of an array of M wavelengths in nm.

    Returns
    -------
    parts : list of `~numpy.ndarray`, shape (55, M)
        Samples of BP and of RP beside a band of zeros, and of BP and RP alone.
    trial : `~astropy.table.Table`
        Stars with random coefficients, errors and correlations.
    flux, error : `~numpy.ndarray`
        Of these stars.
    """
    unit, rng = np.eye(SIZE), np.random.default_rng(1)
    none, nothing = np.full_like(unit, np.nan), np.zeros_like(unit)
    stars = {"bp": [unit, nothing, unit, none], "rp": [nothing, unit, none, unit]}
    columns, count = {}, 4 * SIZE
    for band in BANDS:
        values, errors, correlations = _random_stars(rng)
        columns[f"{band}_coefficients"] = np.concatenate([*stars[band], values])
        columns[f"{band}_coefficient_errors"] = np.concatenate([np.ones((count, SIZE)), errors])
        columns[f"{band}_coefficient_correlations"] = np.concatenate([np.zeros((count, CORRELATIONS)), correlations])
    table = Table(columns, copy=False)
    flux, error = _gaiaxpy.sample_coefficients(table, np.frombuffer(grid), progress=False)
    return np.split(flux[:count], 4), table[count:], flux[count:], error[count:]


def _random_stars(rng):
    """Coefficients, errors and correlations of a few stars."""
    root = rng.standard_normal((TRIAL, SIZE, 2 * SIZE))
    matrix = root @ root.transpose(0, 2, 1)
    scale = np.sqrt(np.einsum("nii->ni", matrix))
    matrix /= scale[:, :, None] * scale[:, None, :]
    rows, columns = np.tril_indices(SIZE, -1)
    return rng.standard_normal((TRIAL, SIZE)), rng.uniform(0.5, 2, (TRIAL, SIZE)), matrix[:, rows, columns]


def _band_map(samples, inside):
    """The map of a band from the spectra of unit coefficients, and from where it contributes."""
    places = np.flatnonzero(inside)
    where = slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
    if places.size and not np.isfinite(samples[:, where]).all():
        raise InputError("wavelength: GaiaXPy gives no samples within the range of a band")
    return BandMap(where, np.ascontiguousarray(samples[:, where].T))
