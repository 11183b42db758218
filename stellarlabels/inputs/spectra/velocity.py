"""Velocities that bring spectra to rest: those that a table has, and measured ones."""

import numpy as np

from stellarlabels import columns

#: Speed of light in km/s.
LIGHT = 299792.458


#: Logarithmic step of the cross-correlation in km/s, and the largest velocity that is looked for.
STEP, LARGEST = 6.0, 600.0
REACH = round(LARGEST / STEP)

#: How far (km/s) the peak of a second star is from the first.
SECOND = (70.0, 300.0)


def velocities(table, name):
    """Velocities or redshifts of a column, (N,); NaN where there is none, or where the vocabulary says that none is."""
    item = columns.column(name)
    found = columns.values(table, name, required=False)
    with np.errstate(invalid="ignore"):
        possible = (found >= item.low) & (found <= item.high) & np.isfinite(found)
    return np.where(possible & ~np.isin(found, [float(null) for null in item.nulls]), found, np.nan)


def redshift(table):
    """Redshifts that bring spectra to rest.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``radial_velocity`` (of a catalog) or ``z`` (of the spectrum's header). Where both are known the radial
        velocity counts.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N,)
        NaN where neither is known: absent, masked, NaN, or a number that no star's velocity can be, such as -9999.
    """
    velocity, z = (velocities(table, name) for name in ("radial_velocity", "z"))
    return np.where(np.isfinite(velocity), velocity / LIGHT, z)


def measure_velocity(arms, templates):
    """Radial velocities from the cross-correlation with templates.

    Absorption (1 minus the normalised flux) is resampled to equal steps of 6 km/s, the cross-correlations of the arms
    are added with the square of their S/N as weight, and the highest peak of all templates within 600 km/s is refined
    by a parabola.

    Parameters
    ----------
    arms : dict of str to tuple
        For one or several pieces of the spectra: wavelengths (P,) in Angstrom, normalised flux as observed and goodness
        of the pixels (N, P), and S/N (N,). Second stars are looked for in the first one, if it is the templates' first.
    templates : dict of str to `~numpy.ndarray`
        Normalised spectra (T, P) at rest of these pieces, on the same wavelengths.

    Returns
    -------
    velocity : `~numpy.ndarray`, shape (N,)
        km/s; 0 where no arm can be used.
    second : `~numpy.ndarray`, shape (N,)
        Height of a second peak of the first piece, 70 to 300 km/s from the first one, in units of the first, once the
        template's own side lobes are removed: the lines of a second star. 0 where there is no such peak.
    """
    total, power = 0.0, 0.0
    first = None
    for arm, (grid, ratio, good, snr) in arms.items():
        weight = np.where(np.isfinite(snr), np.clip(snr, 0.0, 300.0), 0.0)[:, None] ** 2
        models = _absorption(templates[arm], np.ones(templates[arm].shape, bool), grid)
        correlation = _correlate(_absorption(ratio, good, grid)[:, None], models, REACH)
        total = total + weight[..., None] * correlation
        power = power + weight * (models**2).sum(axis=1)
        if arm == next(iter(templates)):
            first = correlation, _correlate(models, models, 2 * REACH)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = total / np.sqrt(power)[..., None]
    rows = np.arange(len(score))
    known = np.isfinite(score).all(axis=(1, 2))
    score = np.where(known[:, None, None], score, 0.0)
    best = score.max(axis=2).argmax(axis=1)
    curve = score[rows, best]
    top = np.clip(curve.argmax(axis=1), 1, curve.shape[1] - 2)
    before, at, after = (curve[rows, top + shift] for shift in (-1, 0, 1))
    bend = before - 2 * at + after
    offset = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    velocity = LIGHT * np.expm1((top - REACH + np.clip(offset, -1, 1)) * STEP / LIGHT)
    second = np.zeros(len(score))
    if first is not None:
        second = np.where(known, _second_peak(first[0][rows, best], first[1][best], top), 0.0)
    return np.where(known, velocity, 0.0), second


def _correlate(signal, models, reach):
    """Cross-correlation along the last axis at shifts from -reach to reach."""
    size = 1 << (signal.shape[-1] + reach).bit_length()
    product = np.fft.rfft(signal, size) * np.conj(np.fft.rfft(models, size))
    out = np.fft.irfft(product, size)
    return np.concatenate([out[..., -reach:], out[..., : reach + 1]], axis=-1)


def _second_peak(curve, own, top):
    """Height of the highest other peak of correlations (N, M) relative to that at ``top``, see `measure_velocity`."""
    rows = np.arange(len(curve))
    shifts = np.arange(curve.shape[1]) - top[:, None]
    height = curve[rows, top][:, None]
    own = own / own[:, own.shape[1] // 2][:, None]
    rest = curve - height * np.take_along_axis(own, shifts + own.shape[1] // 2, axis=1)
    peak = np.zeros(curve.shape, bool)
    peak[:, 1:-1] = (curve[:, 1:-1] > curve[:, :-2]) & (curve[:, 1:-1] >= curve[:, 2:])
    near, far = (round(limit / STEP) for limit in SECOND)
    peak &= (np.abs(shifts) >= near) & (np.abs(shifts) <= far)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(peak & (height > 0), rest / height, 0.0)
    return np.maximum(ratio.max(axis=1), 0.0)


def _absorption(ratio, good, grid):
    """Absorption in equal steps of velocity with mean 0 and tapered ends, (N, M)."""
    steps = np.exp(np.arange(np.log(grid[0]), np.log(grid[-1]), STEP / LIGHT))
    place = np.interp(steps, grid, np.arange(grid.size))
    left = np.minimum(place.astype(int), grid.size - 2)
    share = place - left
    depth = np.where(good, 1 - np.clip(ratio, 0.0, 1.3), 0.0)
    depth = depth[:, left] * (1 - share) + depth[:, left + 1] * share
    edge = np.clip(np.minimum(np.arange(steps.size), np.arange(steps.size)[::-1]) / 100, 0, 1)
    return (depth - depth.mean(axis=1, keepdims=True)) * np.sin(0.5 * np.pi * edge) ** 2
