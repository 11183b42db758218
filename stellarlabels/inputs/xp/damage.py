"""Spoiled copies of XP spectra, on which a system learns what a spectrum does not look like.

Each kind takes flux and errors (N, 343), a severity (N, 1) from 0 to 1, at which the damage is complete, and a random
generator, and returns flux and errors. Kinds register themselves in `KINDS`.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from stellarlabels.columns import StarTable, column
from stellarlabels.inputs.base import Damages
from stellarlabels.inputs.xp.samples import spectra
from stellarlabels.inputs.xp.sampling import WAVELENGTH

#: Kinds of damage by name.
KINDS = Damages()
kind = KINDS.kind

#: Where BP ends and RP begins (nm), and samples of a spectrum.
JOIN, SIZE = 640.0, WAVELENGTH.size


def damaged(table, names=None, severity=None, seed=0):
    """Copies (N rows) of the spectra of a table, how badly (N,), 0 to 1, and how (N,), of `KINDS`, each is spoiled."""
    random = np.random.default_rng(seed)
    flux, error, _ = spectra(table)
    spoiled, drawn, kinds = KINDS.drawn(len(flux), names, severity, random)
    for function, rows in spoiled:
        flux[rows], error[rows] = function(flux[rows], error[rows], drawn[rows, None], random)
    out = StarTable(table, copy=False)
    coefficients = [name for name in out.colnames if name.startswith(("bp_coefficient", "rp_coefficient"))]
    out.remove_columns([name for name in (*coefficients, "flux", "flux_error") if name in out.colnames])
    for name, array in (("flux", flux), ("flux_error", error)):
        out[name] = column(name).dress(array) if column(name).unit else array
    return out, drawn, kinds


def _level(flux):
    """Median flux of each star (N, 1)."""
    return np.median(flux, axis=1, keepdims=True)


def _mixed(flux, error, severity, other):
    """So much of something else instead of the star."""
    return (1 - severity) * flux + severity * other, error


@kind
def flat(flux, error, severity, random):
    """A constant takes the place of the star."""
    return _mixed(flux, error, severity, np.broadcast_to(_level(flux), flux.shape))


@kind
def line(flux, error, severity, random):
    """A straight line of any slope takes its place."""
    slope = random.uniform(-0.95, 0.95, (len(flux), 1)) * np.linspace(-1, 1, SIZE)
    return _mixed(flux, error, severity, _level(flux) * (1 + slope))


@kind
def noise(flux, error, severity, random):
    """Random numbers take its place."""
    return _mixed(flux, error, severity, _level(flux) * np.abs(random.normal(1, 1, flux.shape)))


@kind
def lost_end(flux, error, severity, random):
    """Samples at one end are 0, up to a third of them."""
    count = np.ceil(severity * SIZE / 3)
    at = np.arange(SIZE)
    left = random.random((len(flux), 1)) < 0.5
    return np.where(np.where(left, at < count, at >= SIZE - count), 0, flux), error


@kind
def gap(flux, error, severity, random):
    """A straight line through a gap of up to 150 nm."""
    width = np.ceil(5 + severity[:, 0] * 70).astype(int)
    start = (random.random(len(flux)) * (SIZE - width)).astype(int)
    out, at = flux.copy(), np.arange(SIZE)
    for row, (low, size) in enumerate(zip(start, width, strict=True)):
        high = min(low + size, SIZE - 1)
        out[row, low:high] = np.interp(at[low:high], [low, high], flux[row, [low, high]])
    return out, error


@kind
def shifted(flux, error, severity, random):
    """The wavelengths are off by up to 30 nm."""
    offset = 30 * severity[:, 0] * random.choice([-1, 1], len(flux))
    out = [np.interp(WAVELENGTH - by, WAVELENGTH, row) for by, row in zip(offset, flux, strict=True)]
    return np.array(out), error


@kind
def stretched(flux, error, severity, random):
    """The wavelengths are stretched about their middle by up to a tenth."""
    factor = 1 + 0.1 * severity[:, 0] * random.choice([-1, 1], len(flux))
    middle = WAVELENGTH.mean()
    out = [
        np.interp(middle + (WAVELENGTH - middle) * by, WAVELENGTH, row) for by, row in zip(factor, flux, strict=True)
    ]
    return np.array(out), error


@kind
def other_unit(flux, error, severity, random):
    """Photons or frequencies instead of energies and wavelengths: the flux times a power of the wavelength."""
    power = 2 * severity * random.choice([-1, 1], (len(flux), 1))
    factor = (WAVELENGTH / WAVELENGTH.mean()) ** power
    return flux * factor, error * factor


@kind
def response(flux, error, severity, random):
    """A wrong response: slow waves of up to 40 % of the flux."""
    phase, waves = (random.uniform(0, high, (len(flux), 1)) for high in (2 * np.pi, 6))
    factor = 1 + 0.4 * severity * np.sin(phase + (1 + waves) * np.pi * np.linspace(0, 1, SIZE))
    return flux * factor, error * factor


@kind
def ringing(flux, error, severity, random):
    """Fast waves on top of the star, as of coefficients of high order that are wrong."""
    phase, waves = random.uniform(0, 2 * np.pi, (len(flux), 1)), random.uniform(15, 60, (len(flux), 1))
    wave = np.sin(phase + waves * np.pi * np.linspace(0, 1, SIZE))
    return flux + 0.4 * severity * _level(flux) * wave, error


@kind
def joined_wrongly(flux, error, severity, random):
    """BP and RP on different scales, by up to a factor of 2.5."""
    factor = 2.5 ** (severity * random.choice([-1, 1], (len(flux), 1)))
    factor = np.where(WAVELENGTH < JOIN, factor, 1)
    return flux * factor, error * factor


@kind
def two_stars(flux, error, severity, random):
    """RP is of another star, on the same level at the join."""
    other = random.permutation(len(flux))
    at = int(np.argmax(WAVELENGTH >= JOIN))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = flux[:, at : at + 1] / flux[other, at : at + 1]
    red = (1 - severity) * flux + severity * flux[other] * np.where(np.isfinite(scale), scale, 1)
    return np.where(WAVELENGTH < JOIN, flux, red), error


@kind
def background(flux, error, severity, random):
    """Light of the sky, with a slope, that was not taken off, or too much of it."""
    sign = random.choice([-1, 1], (len(flux), 1))
    slope = 1 + random.uniform(-0.5, 0.5, (len(flux), 1)) * np.linspace(-1, 1, SIZE)
    return flux + 0.8 * sign * severity * _level(flux) * slope, error


@kind
def spikes(flux, error, severity, random):
    """Up to twelve samples are up to ten times too high or too low."""
    count = np.ceil(12 * severity)
    chosen = random.random(flux.shape).argsort(axis=1) < count
    size = _level(flux) * random.uniform(1, 10, flux.shape) * random.choice([-1, 1], flux.shape) * (0.2 + severity)
    return np.where(chosen, flux + size, flux), error


@kind
def emission(flux, error, severity, random):
    """Up to six emission lines, as those of nebulae, at any wavelengths."""
    out = flux.copy()
    for _ in range(6):
        place = random.uniform(WAVELENGTH[0], WAVELENGTH[-1], (len(flux), 1))
        height = 5 * severity * random.exponential(1, (len(flux), 1)) * _level(flux)
        out += height * np.exp(-0.5 * ((WAVELENGTH - place) / 5) ** 2)
    return out, error


@kind
def blurred(flux, error, severity, random):
    """Smeared over up to 60 nm."""
    out = [gaussian_filter1d(row, 1 + 29 * by, mode="nearest") for by, row in zip(severity[:, 0], flux, strict=True)]
    return np.array(out), error


@kind
def upside_down(flux, error, severity, random):
    """Wavelengths run the other way."""
    return _mixed(flux, error, severity, flux[:, ::-1])


@kind
def clipped(flux, error, severity, random):
    """Saturated: nothing is brighter than a share of the largest flux."""
    top = flux.max(axis=1, keepdims=True)
    return np.minimum(flux, top * (1 - 0.9 * severity)), error


@kind
def steps(flux, error, severity, random):
    """Blocks of up to 60 nm have one value each, as of few digits or of a coarse grid."""
    size = np.ceil(3 + 27 * severity[:, 0]).astype(int)
    return np.array([row[np.arange(SIZE) // by * by] for by, row in zip(size, flux, strict=True)]), error
