"""Sampled spectra from XP coefficients, for many stars at once.

The samples are a linear map of the coefficients, and their variances another one of the products of errors and
correlations. The basis functions are data of this package (``tools/xp_bases.py``), those of GaiaXPy's configuration:
De Angeli et al. 2023, A&A 674, A2; Montegriffo et al. 2023, A&A 674, A3.
"""

from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
from astropy import units as u
from astropy.table import Table

from stellarlabels import packaged
from stellarlabels.columns import column, values
from stellarlabels.columns.wavelengths import DEFAULT, as_grid, same
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.xp.coefficients import band_arrays, check
from stellarlabels.inputs.xp.layout import BANDS, RELEASE, SIZES
from stellarlabels.inputs.xp.packed import BLOCK, QuadraticForms
from stellarlabels.threads import in_threads

#: Sampling of externally calibrated XP spectra in nm, the archive's and GaiaXPy's default.
WAVELENGTH = DEFAULT

#: Wavelengths in nm for which there are basis functions.
RANGE = (330.0, 1050.0)

#: Stars in one go of a thread: their correlations take 24 MB.
CHUNK = 1024

#: More stars than this get a progress bar.
MANY = 100_000


@dataclass(frozen=True)
class BandMap:
    """The linear map from a band's coefficients to the samples ``where`` (slice) that it makes: ``design`` (m, n)."""

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


def sample(table, wavelength=None, *, truncation=False, errors=True, single=False, progress=None):
    """Sampled flux of a table of XP coefficients.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars with ``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations``, and the same of
        ``rp``, as arrays or as texts of arrays. NaN, masked or empty where a band is missing.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Within 330 to 1050 nm, increasing; in nm where there is no unit. By default 336 to 1020 nm in steps of 2 nm.
    truncation : bool
        Whether to use the first ``bp_n_relevant_bases`` basis functions only. The errors are then too small.
    errors : bool
        Whether to compute errors, which take most of the time; without, ``flux_error`` is None.
    single : bool
        Whether to compute errors in single precision: faster, and right to a relative 2e-5 instead of 1e-12.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 100,000 stars.

    Returns
    -------
    flux, flux_error : `~astropy.units.Quantity`, shape (N, M), W / (m2 nm)
        As GaiaXPy's ``calibrate`` gives them. Without BP the samples up to and including 635 nm are NaN, without RP
        those from 643 nm on; in between the band that is there counts alone. Without correlations coefficients count
        as independent; without errors ``flux_error`` is NaN.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there are no coefficients, or with truncation no number of relevant bases.
    stellarlabels.exceptions.ReleaseError
        If the coefficients are of another release than Gaia DR3; see `stellarlabels.releases`.
    InputError
        If the wavelengths are out of range, or a column does not hold arrays of numbers.
    """
    options = {"truncation": truncation, "errors": errors, "single": single, "progress": progress}
    unit = column("flux").unit
    found = sample_arrays(table, wavelength, **options)
    return tuple(None if data is None else u.Quantity(data, unit, copy=False) for data in found)


def sample_arrays(table, wavelength=None, *, truncation=False, errors=True, single=False, progress=None):
    """`sample` with plain arrays (N, M) of float64; the table may be a mapping of columns."""
    from tqdm.auto import tqdm

    grid = checked(wavelength)
    table = table if isinstance(table, Table) else Table(dict(table), copy=False)
    check(table)
    flux = np.full((len(table), grid.size), np.nan)
    error = flux.copy() if errors else None
    starts = range(0, len(table), CHUNK)
    quiet = not (len(table) > MANY if progress is None else progress)
    with tqdm(total=len(starts), desc="sampling", unit="chunk", disable=quiet) as bar:

        def fill(start):
            part = slice(start, start + CHUNK)
            outs = [flux[part]] if error is None else [flux[part], error[part]]
            _sample(maps(grid.tobytes()), table, part, outs, truncation, single)
            bar.update()

        in_threads(fill, starts)
    return flux, error


def design_matrix(wavelength=None):
    """Sampled flux of each basis function: the linear map from coefficients to samples.

    Parameters
    ----------
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        As in `sample`.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (M, 110)
        Flux for a unit coefficient: columns of BP, then of RP.
    """
    grid = checked(wavelength)
    both, _ = maps(grid.tobytes())
    out = []
    for band, one in both.items():
        out.append(np.zeros((grid.size, SIZES[band])))
        out[-1][one.where] = one.design
    return np.concatenate(out, axis=1)


def checked(wavelength):
    """Wavelengths (M,) of samples in nm; an error if there are no basis functions for them."""
    grid = as_grid(wavelength)
    if grid[0] < RANGE[0] or grid[-1] > RANGE[1]:
        raise InputError(f"wavelength: expected {RANGE[0]:g} to {RANGE[1]:g} nm, got {grid[0]:g} to {grid[-1]:g} nm")
    return grid


@cache
def _bases():
    """The arrays of ``stellarlabels.inputs.xp.gaiaxpy.instrument``."""
    with packaged.file("xp", RELEASE.bases) as path, np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


@lru_cache(maxsize=8)
def maps(grid):
    """Maps to the samples on a grid (bytes) by band: for stars with both bands, and for those with that band alone."""
    grid = np.frombuffer(grid)
    (_, high), (low, _) = _bases()["limits"]
    red = np.clip((grid - low) / (high - low), 0.0, 1.0)
    both, alone = {}, {}
    for band, weight in (("bp", np.where(grid < low, 1.0, 1.0 - red)), ("rp", red)):
        places = np.flatnonzero(weight > 0)
        where = slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0)
        design = np.ascontiguousarray(_design(band, grid, where))
        alone[band], both[band] = BandMap(where, design), BandMap(where, design * weight[where, None])
    return both, alone


def _design(band, grid, where):
    """Flux (m, n) of a band's basis functions at the wavelengths ``grid[where]``."""
    bases = _bases()
    if same(grid, bases["wavelength"]):
        return bases[f"{band}_samples"].T
    return _model(band, grid[where])


def _model(band, wavelength):
    """Flux (m, n) of basis functions at any wavelengths (m,): Hermite functions through the mean instrument."""
    from scipy.interpolate import splev, splrep

    bases = _bases()
    if not wavelength.size:
        return np.empty((0, SIZES[band]))
    pseudo, response = (
        np.asarray(splev(wavelength, splrep(*bases[f"{band}_{name}"], s=0))) for name in ("dispersion", "response")
    )
    first, last, lower, upper = bases[f"{band}_ranges"]
    scale = (upper - lower) / (last - first)
    x = pseudo * scale + (lower - first * scale)
    functions = [np.pi**-0.25 * np.exp(-(x**2) / 2)]
    functions.append(functions[0] * np.sqrt(2.0) * x)
    for n in range(2, bases[f"{band}_inverse"].shape[1]):
        functions.append(np.sqrt(2.0 / n) * x * functions[-1] - np.sqrt((n - 1) / n) * functions[-2])
    flux = bases[f"{band}_transformation"] @ (bases[f"{band}_inverse"] @ np.array(functions))
    with np.errstate(divide="ignore"):
        return (flux * np.where(response > 0, bases["scale"] / (response * wavelength), 0.0)).T


def _sample(both_and_alone, table, part, outs, truncation, single):
    """Write flux and, if there are two of ``outs``, errors of a part of the stars of a table."""
    both, alone = both_and_alone
    errors = len(outs) > 1
    bands, present, trusted = {}, {}, np.ones(len(outs[0]), bool)
    for band in BANDS:
        found, sigma, correlations = band_arrays(table, band, part, errors=errors)
        present[band] = np.isfinite(found.sum(axis=1))
        if errors:
            trusted &= (sigma >= 0).all(axis=1) & np.isfinite(sigma.sum(axis=1)) | ~present[band]
            if correlations is not None and not alone[band].design.size:
                trusted &= np.isfinite(correlations.sum(axis=1)) | ~present[band]
        if truncation:
            relevant = values(table[part], f"{band}_n_relevant_bases")
            found, sigma = (None if array is None else _truncated(array, relevant) for array in (found, sigma))
        bands[band] = found, sigma, correlations
    two = present["bp"] & present["rp"]
    for own, rows in [(both, two), *(({band: alone[band]}, present[band] & ~two) for band in BANDS)]:
        rows = np.flatnonzero(rows)
        for start in range(0, rows.size, BLOCK):
            _fill(own, bands, rows[start : start + BLOCK], outs, single)
    if not errors:
        return
    # What is not finite in the errors of a band is in all of its samples; the star then has no errors at all.
    for band in BANDS:
        trusted &= np.isfinite(outs[1][:, alone[band].where].sum(axis=1)) | ~present[band]
    with np.errstate(invalid="ignore"):
        np.sqrt(np.maximum(outs[1], 0, out=outs[1]), out=outs[1])
    outs[1][~trusted] = np.nan


def _fill(own, bands, rows, outs, single):
    """Write samples, and variances if wanted, of a block of stars that have the same bands."""
    place = slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] == rows.size - 1 else rows
    blocks = [out[place] for out in outs]  # views of slices, copies of others
    end = 0
    for band, one in own.items():
        found, *others = (None if array is None else array[place] for array in bands[band])
        first, stop = one.where.start, one.where.stop
        common = slice(first, first + min(max(end - first, 0), stop - first))
        before = [block[:, common].copy() for block in blocks]
        np.matmul(found, one.transposed, out=blocks[0][:, first:stop])
        if len(blocks) > 1:
            (one.single if single else one.forms)(*others, out=blocks[1][:, first:stop])
        for block, part in zip(blocks, before, strict=True):
            block[:, common] += part
        end = max(end, stop)
    if not isinstance(place, slice):
        for out, block in zip(outs, blocks, strict=True):
            out[rows] = block


def _truncated(array, relevant):
    """Zeros beyond so many numbers of each row; all numbers where it is 0 or not known."""
    size = array.shape[1]
    relevant = np.where(relevant > 0, relevant, size)
    return np.where(np.arange(size) < relevant[:, None], array, 0.0)
