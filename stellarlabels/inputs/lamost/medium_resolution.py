"""LAMOST medium-resolution spectra as SPCANet gets them: two arms at rest, on fixed grids, divided by a continuum."""

from functools import lru_cache

import numpy as np

from stellarlabels import columns, flags, packaged
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.inputs.base import Features, FeatureSet, register
from stellarlabels.inputs.lamost.damage import damaged
from stellarlabels.inputs.lamost.low_resolution import without_spectra
from stellarlabels.inputs.spectra import (
    LIGHT,
    clipped_continuum,
    interpolate,
    measure_velocity,
    pixel_column,
    pixels,
    redshift,
)
from stellarlabels.inputs.spectra.velocity import velocities

#: Windows of the two arms in Angstrom (vacuum); the paper's Section 2.1.
ARMS = {"b": (4950.0, 5350.0), "r": (6350.0, 6750.0)}

#: Wavelengths of the 4,000 pixels of each arm, 0.1 Angstrom apart.
GRIDS = {arm: low + 0.1 * np.arange(4000) for arm, (low, _) in ARMS.items()}

#: How far beyond its window an arm is looked at, in Angstrom: shifts of up to 1,400 km/s.
MARGIN = 25.0

#: Spectra that are worked on at once.
BLOCK = 256


@lru_cache(maxsize=1)
def templates():
    """Spectra at rest that come with the package, divided by their continuum: arrays (T, 4000) by arm."""
    from astropy.io import fits

    with packaged.file("lamost", "mrs_templates.fits") as path, fits.open(path) as hdus:
        return {arm: np.array(hdus[f"FLUX_{arm}".upper()].data, dtype=np.float64) for arm in ARMS}


def normalised_arm(flux, *, order=4, low=1.0, high=4.0, iterations=5, limits=(0.0, 2.0)):
    """Spectra (N, P), NaN where not good, divided by their clipped continuum, 1 where not good; and goodness (N, P)."""
    good = np.isfinite(flux)
    continuum = clipped_continuum(flux, good, order=order, low=low, high=high, iterations=iterations)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.median(np.where(np.isnan(continuum), 0.0, continuum), axis=1)[:, None]
        usable = good & (continuum > 0.05 * np.abs(level))
        ratio = np.where(usable, flux / np.where(usable, continuum, 1.0), 1.0)
    return np.clip(ratio, *limits), usable


def _median_of(values):
    """Median of each row without NaN; NaN, and no warning, for empty rows."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    known = np.isfinite(values)
    count = known.sum(axis=1)
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    rows = np.arange(len(values))
    last = np.maximum(count - 1, 0)
    middle = 0.5 * (ordered[rows, last // 2] + ordered[rows, (last + 1) // 2])
    return np.where(count > 0, middle, np.nan)


@register
class MRSArms(FeatureSet):
    """The two arms of LAMOST medium-resolution spectra (the SPCANet paper, Section 2.1).

    Each arm is shifted to rest, resampled linearly to 4,000 pixels of 0.1 Angstrom, and divided by an iterative
    pseudo-continuum. Radial velocities are taken from the table: ``rv_b`` and ``rv_r`` of the arms, else
    ``radial_velocity``, else ``z``; where none is known the velocity is measured by cross-correlation with templates
    (`stellarlabels.inputs.spectra.measure_velocity`). The wavelengths of LAMOST are heliocentric already.

    Parameters
    ----------
    order, low, high, iterations
        See `stellarlabels.inputs.spectra.clipped_continuum`. The paper does not give the number of iterations.
    measure : bool
        Whether velocities that are not known are measured; if not, such spectra are taken to be at rest and have the
        flag MISSING_VELOCITY.
    least : float
        Share of good pixels, with a positive continuum below them, that an arm needs to be used.
    flaws : float
        Share of pixels that are not good above which the flag BAD_SAMPLES is set; single ones are in nearly every
        spectrum.
    faint : float
        S/N of an arm up to which the flag CAUTION is set; the paper has spectra of S/N > 10 in both arms only.
    second : float
        Height of a second peak of the cross-correlation above which a spectrum of S/N > 20 is flagged as that of two
        stars (DOUBLE_LINED); only where the velocity is measured.

    Notes
    -----
    Inputs: ``wavelength_b``, ``flux_b``, ``ivar_b`` and perhaps ``andmask_b``, and the same with ``_r``, as cells of
    any length, NaN or masked where shorter. Pixels with an inverse variance that is not positive, a bit of the "and"
    mask, or a flux of exactly 0 (with which LAMOST fills gaps without marking all of them) are left out of the
    continuum and become 1. An arm that is missing is 1 throughout, and the star is flagged; so is one of low
    resolution, of which both arms are missing.

    Arrays: ``flux_b`` and ``flux_r`` (N, 4000); ``quality`` (N, 4), scaled logarithms of the arms' S/N and whether they
    are there; ``coarse`` (N, 400), means of 20 pixels, in which stars are compared.
    """

    name = "lamost_mrs"
    #: Columns of bits that speak against a pixel.
    masks = ("andmask",)

    def __init__(
        self, *, order=4, low=1.0, high=4.0, iterations=5, measure=True, least=0.5, flaws=0.01, second=0.3, faint=10.0
    ):
        self.order, self.low, self.high, self.iterations = order, low, high, iterations
        self.measure, self.least, self.flaws, self.second, self.faint = measure, least, flaws, second, faint

    @property
    def config(self):
        names = ("order", "low", "high", "iterations", "measure", "least", "flaws", "second", "faint")
        return {name: getattr(self, name) for name in names}

    @property
    def wavelengths(self):
        """Wavelengths of the arrays that are spectra, by name."""
        from astropy import units as u

        return {f"flux_{arm}": grid * u.AA for arm, grid in GRIDS.items()}

    def compute(self, table):
        arms = _arms(table)
        count = len(table)
        arrays = {f"flux_{arm}": np.ones((count, grid.size), np.float32) for arm, grid in GRIDS.items()}
        snr = {arm: np.full(count, np.nan) for arm in ARMS}
        bad, double, unknown = (np.zeros(count, bool) for _ in range(3))
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            cells = {arm: arm_pixels(table[part], arm) for arm in arms}
            velocity, second, unknown[part] = self._velocities(table[part], cells)
            for arm in arms:
                wavelength, flux, ratio = cells[arm]
                flux = interpolate(wavelength / (1 + velocity[arm][:, None] / LIGHT), flux, GRIDS[arm])
                normal, usable = self._normalised(flux)
                there = usable.mean(axis=1) >= self.least
                arrays[f"flux_{arm}"][part] = np.where(there[:, None], normal, 1.0)
                snr[arm][part] = np.where(there, ratio, np.nan)
                bad[part] |= there & (usable.mean(axis=1) < 1 - self.flaws)
            with np.errstate(invalid="ignore"):
                double[part] = (second > self.second) & (snr["b"][part] > 20)
        with np.errstate(invalid="ignore"):
            faint = np.any([ratio <= self.faint for ratio in snr.values()], axis=0)
        return _features(arrays, snr, BAD_SAMPLES=bad, MISSING_VELOCITY=unknown, DOUBLE_LINED=double, CAUTION=faint)

    def damaged(self, table, seed=0):
        return damaged(table, seed=seed, arms=[f"_{arm}" for arm in _arms(table)])[:2]

    def velocities(self, table):
        """Velocities (N,) in km/s by which spectra are shifted, given or measured, means of the arms; 0 if unknown."""
        out = np.zeros(len(table))
        arms = _arms(table)
        for start in range(0, len(table), BLOCK):
            part = slice(start, start + BLOCK)
            velocity, *_ = self._velocities(table[part], {arm: arm_pixels(table[part], arm) for arm in arms})
            out[part] = np.mean(list(velocity.values()), axis=0)
        return out

    def _normalised(self, flux):
        return normalised_arm(flux, order=self.order, low=self.low, high=self.high, iterations=self.iterations)

    def _velocities(self, table, cells):
        """Radial velocity of each arm in km/s, height of a second peak, where 0 km/s stands for unknown; all (N,)."""
        common = redshift(table) * LIGHT
        out = {}
        for arm in cells:
            own = velocities(table, f"rv_{arm}")
            out[arm] = np.where(np.isfinite(own), own, common)
        second = np.zeros(len(table))
        unknown = np.any([~np.isfinite(velocity) for velocity in out.values()], axis=0)
        if self.measure and unknown.any():
            observed = {}
            for arm, (wavelength, flux, ratio) in cells.items():
                flux = interpolate(wavelength[unknown], flux[unknown], GRIDS[arm])
                observed[arm] = (GRIDS[arm], *self._normalised(flux), ratio[unknown])
            measured = np.zeros(len(unknown))
            measured[unknown], second[unknown] = measure_velocity(observed, templates())
            out = {arm: np.where(np.isfinite(velocity), velocity, measured) for arm, velocity in out.items()}
            unknown[:] = False
        return {arm: np.where(np.isfinite(velocity), velocity, 0.0) for arm, velocity in out.items()}, second, unknown


def _arms(table):
    """Arms of which the table has spectra."""
    arms = [arm for arm in ARMS if columns.column_name(table, pixel_column("flux", f"_{arm}")) is not None]
    if not arms:
        lrs = columns.column_name(table, pixel_column("flux")) is not None
        ivar = columns.column_name(table, pixel_column("ivar")) is not None
        got = "; got those of low resolution (LRS, 'flux'), which SolarDis labels"
        got = got if lrs and ivar else without_spectra(table, "medium")
        raise MissingColumnError(f"table: expected the columns 'flux_b' or 'flux_r' of medium-resolution spectra{got}")
    return arms


def _features(arrays, snr, **conditions):
    """`Features` of normalised arms, with the flags under their conditions (N,)."""
    present = {arm: np.isfinite(snr[arm]) for arm in ARMS}
    usable = present["b"] | present["r"]
    arrays["quality"] = _quality(snr, present)
    shape = len(usable), next(iter(GRIDS.values())).size // 20, 20
    coarse = [arrays[f"flux_{arm}"].reshape(shape).mean(axis=2) for arm in ARMS]
    arrays["coarse"] = np.concatenate(coarse, axis=1)
    flag = flags.LABEL.where(
        NO_INPUT=~usable,
        MISSING_BAND=usable & ~(present["b"] & present["r"]),
        **{name: usable & condition for name, condition in conditions.items()},
    )
    unknown = np.full(len(usable), np.nan)
    overall = np.where(present["b"], snr["b"], snr["r"])
    return Features(arrays, flag, usable, unknown, unknown.copy(), overall, unknown.copy())


def _quality(snr, present):
    """Scaled logarithms of the S/N of the two arms, and 1 or 0 for there or missing; shape (N, 4)."""
    parts = []
    for arm in ARMS:
        ratio = np.clip(np.where(present[arm], snr[arm], 1.0), 1.0, 1000.0)
        parts.append((np.log10(ratio) - 1.5) / 0.5 * present[arm])
    parts += [present[arm] for arm in ARMS]
    return np.stack(parts, axis=1).astype(np.float32)


def arm_pixels(table, arm):
    """Wavelength (Angstrom) and flux (N, M) of one arm in and near its window, NaN where not good, and its S/N (N,)."""
    found = pixels(table, f"_{arm}", masks=MRSArms.masks)
    low, high = ARMS[arm]
    wavelength = np.broadcast_to(found.wavelength, found.flux.shape)
    window = ((wavelength > low - MARGIN) & (wavelength < high + MARGIN)).any(axis=0)
    wavelength, ivar = wavelength[:, window], found.ivar[:, window]
    flux = np.where(found.good[:, window] & (found.flux[:, window] != 0), found.flux[:, window], np.nan)
    inside = (wavelength > low) & (wavelength < high)
    return wavelength, flux, _median_of(np.where(inside, flux * np.sqrt(ivar), np.nan))
