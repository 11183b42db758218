"""Wavelengths of sampled spectra, and linear resampling from one grid to another."""

import numpy as np
from astropy import units as u

from stellarlabels.exceptions import InputError

#: The archive's and GaiaXPy's own sampling, nm.
DEFAULT = np.arange(336.0, 1021.0, 2.0)

#: Wavelengths that differ by less are the same, nm.
TOLERANCE = 1e-3

#: Beyond these the spectrum is made of one band only, nm: samples on which a missing band shows.
BLUE, RED = 636.0, 644.0


def as_grid(wavelength, name="wavelength"):
    """At least two finite, increasing wavelengths (M,) in nm, the unit where there is none; 336 to 1020 by default."""
    if wavelength is None:
        return DEFAULT.copy()
    try:
        grid = np.array(u.Quantity(wavelength, u.nm).value if _has_unit(wavelength) else wavelength, dtype=np.float64)
    except (u.UnitsError, TypeError, ValueError) as error:
        raise InputError(f"{name}: expected lengths, or numbers in nm; {error}") from error
    if grid.ndim != 1 or grid.size < 2 or not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
        raise InputError(f"{name}: expected at least two increasing wavelengths, got {str(wavelength)[:60]}")
    return grid


def _has_unit(wavelength):
    return getattr(wavelength, "unit", None) is not None


def same(first, second):
    """Whether two grids are the same."""
    return first.shape == second.shape and bool((np.abs(first - second) < TOLERANCE).all())


def resample(flux, error, own, target):
    """Spectra, errors (N, L) at ``own`` (L,) interpolated linearly to ``target`` (M,); NaN outside, next to NaN."""
    # Errors are interpolated like fluxes: neighboring samples of an XP spectrum are correlated, so that their mean is
    # not better than they are.
    right = np.clip(np.searchsorted(own, target), 1, own.size - 1)
    weight = (target - own[right - 1]) / (own[right] - own[right - 1])
    weight = np.where(np.abs(weight) * (own[right] - own[right - 1]) < TOLERANCE, 0.0, weight)
    weight = np.where(np.abs(weight - 1) * (own[right] - own[right - 1]) < TOLERANCE, 1.0, weight)
    outside = (weight < 0) | (weight > 1)

    def between(values):
        left = np.where(weight == 1, 0.0, values[:, right - 1])  # a sample that coincides needs no neighbor
        out = left * (1 - weight) + np.where(weight == 0, 0.0, values[:, right]) * weight
        out[:, outside] = np.nan
        return out

    return between(flux), between(error)


def regrid(flux, error, own, target):
    """Ragged flux and error on one grid: (N, M) each, NaN where there is none, and which (N,) had another sampling."""
    # If "own" wavelengths (nm, of all spectra or of each) are not known, spectra of as many samples as "target", or
    # else as DEFAULT, are taken to be on it.
    shape = (flux.lengths.size, target.size)
    out_flux, out_error, other = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape[0], dtype=bool)
    for length in np.unique(flux.lengths[flux.lengths > 0]):
        rows = np.flatnonzero(flux.lengths == length)
        values, errors = flux.rows(rows, length), error.matrix(length)[rows]
        for chosen, grid in _grids(own, rows, length, target):
            pick = rows[chosen]
            if grid is not None and same(grid, target):
                out_flux[pick], out_error[pick] = values[chosen], errors[chosen]
                continue
            other[pick] = True
            if grid is not None and grid.size > 1:
                out_flux[pick], out_error[pick] = _sorted(values[chosen], errors[chosen], grid, target)
    return out_flux, out_error, other


def _sorted(flux, error, grid, target):
    """`resample` from wavelengths in any order; samples without one, or with one that came before, are left out."""
    grid, order = np.unique(grid, return_index=True)
    order = order[np.isfinite(grid)]
    grid = grid[np.isfinite(grid)]
    if grid.size < 2:
        return np.nan, np.nan
    return resample(flux[:, order], error[:, order], grid, target)


def _grids(own, rows, length, target):
    """Rows of one length that share their wavelengths, with these or None."""
    everyone = np.ones(rows.size, dtype=bool)
    if own is None:
        guesses = [grid for grid in (target, DEFAULT) if grid.size == length]
        yield everyone, guesses[0] if guesses else None
    elif isinstance(own, np.ndarray):
        yield everyone, own if own.size == length else None
    else:
        known = own.lengths[rows] == length
        if not known.all():
            yield ~known, None
        if known.any():
            grids, member = np.unique(own.rows(rows[known], length), axis=0, return_inverse=True)
            for index, grid in enumerate(grids):
                chosen = np.zeros(rows.size, dtype=bool)
                chosen[np.flatnonzero(known)[member.ravel() == index]] = True
                yield chosen, grid


def quality(flux, error, grid):
    """What samples (N, M) on a grid (M,) say against their spectrum: conditions (N,) for flags of `flags.SPECTRUM`."""
    bad = ~(np.isfinite(flux) & np.isfinite(error) & (error > 0))
    blue, red = grid < BLUE, grid > RED
    dark_blue = bad[:, blue].all(axis=1) & blue.any()
    dark_red = bad[:, red].all(axis=1) & red.any()
    nothing = bad.all(axis=1)
    return {
        "NO_SPECTRUM": nothing,
        "BAD_SAMPLES": bad.any(axis=1),
        "MISSING_BP": dark_blue & ~nothing,
        "MISSING_RP": dark_red & ~nothing,
    }
