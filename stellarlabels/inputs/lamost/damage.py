"""Spoiled copies of LAMOST spectra, on which a system learns what a spectrum does not look like.

Each kind takes `Spoiled` spectra, a severity (N, 1) from 0 to 1, at which the damage is complete, and a random
generator, and changes the spectra in place. Kinds register themselves in `KINDS`.
"""

from dataclasses import dataclass

import numpy as np
from astropy import units as u

from stellarlabels.columns import StarTable
from stellarlabels.inputs.base import Damages
from stellarlabels.inputs.spectra import LIGHT, interpolate, pixel_column, pixels, redshift
from stellarlabels.inputs.spectra.table_pixels import masks_of

#: Kinds of damage by name.
KINDS = Damages()
kind = KINDS.kind

#: Kinds that look most like stars, of which more copies are needed.
HARD = ("double_lined", "other_arm", "gap")

#: Wavelength (Angstrom) between the arms.
JOIN = 5900.0

#: Lines (Angstrom, vacuum) that nebulae and active stars have in emission.
EMISSION = (3934.8, 4102.9, 4341.7, 4862.7, 4960.3, 5008.2, 5877.3, 6549.9, 6564.6, 6585.3, 6718.3, 8544.4)


@dataclass
class Spoiled:
    """N spectra on the same pixels (P,), flux and inverse variance (N, P), 0 where bad, and redshifts (N,)."""

    wavelength: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    z: np.ndarray

    @property
    def level(self):
        """Median flux of each star (N, 1)."""
        return np.median(self.flux, axis=1, keepdims=True)

    @property
    def place(self):
        """Pixels from -1 to 1."""
        return np.linspace(-1, 1, self.wavelength.size)

    def moved(self, flux, shift):
        """Flux (N, P) at wavelengths that are smaller by a shift (N, P) or (N, 1) in Angstrom; ends are repeated."""
        at = np.clip(self.wavelength - shift, self.wavelength[0], self.wavelength[-1])
        return interpolate(np.broadcast_to(self.wavelength, at.shape), flux, at)

    def __getitem__(self, rows):
        return Spoiled(self.wavelength, self.flux[rows], self.ivar[rows], self.z[rows])


def damaged(table, names=None, severity=None, seed=0, arms=("",)):
    """Copies (N rows) of the spectra of a table, how badly (N,), 0 to 1, and how (N,), of `KINDS`, each is spoiled."""
    # ``arms``: ends of the names of their columns; spectra of several arms are spoiled as one with gaps between them.
    random = np.random.default_rng(seed)
    parts = [_on_one_grid(table, arm) for arm in arms]
    wavelength, flux, ivar = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    every = Spoiled(wavelength, flux, ivar, np.nan_to_num(redshift(table)))
    spoiled, drawn, kinds = KINDS.drawn(len(table), names, severity, random)
    for function, rows in spoiled:
        some = every[rows]
        function(some, drawn[rows, None], random)
        every.flux[rows], every.ivar[rows], every.z[rows] = some.flux, some.ivar, some.z
    ends = np.cumsum([part[0].size for part in parts])[:-1]
    return _table(table, every, arms, ends), drawn, kinds


def _on_one_grid(table, arm):
    """Wavelengths (P,), flux and inverse variance (N, P) of the spectra of an arm, 0 where bad."""
    found = pixels(table, arm, masks=masks_of(arm))
    wavelength = np.broadcast_to(found.wavelength, found.flux.shape)
    grid = wavelength[0].copy() if len(wavelength) else np.zeros(0)
    flux, ivar = found.flux, found.ivar
    if found.wavelength.ndim > 1:  # spectra with pixels of their own: on those of the first one
        flux, ivar = (np.nan_to_num(interpolate(wavelength, array, grid)) for array in (flux, ivar))
    return grid, flux.astype(float), ivar.astype(float)


def _table(table, spectra, arms, ends):
    """The table with other spectra, which are cut at ``ends``, and redshifts."""
    gone = {"z", "radial_velocity", *(f"rv{arm}" for arm in arms)}
    for arm in arms:
        gone |= {pixel_column(name, arm).name for name in ("wavelength", *masks_of(arm))}
    out = StarTable(table[[name for name in table.colnames if name not in gone]], copy=False)
    cut = (np.split(array, ends, axis=-1) for array in (spectra.wavelength, spectra.flux, spectra.ivar))
    for arm, wavelength, flux, ivar in zip(arms, *cut, strict=True):
        out[f"flux{arm}"], out[f"ivar{arm}"] = flux, ivar
        out.meta[f"wavelength{arm}"] = wavelength * u.AA
    out["z"] = spectra.z
    return out


def _signs(spectra, random):
    """-1 or 1 for each spectrum (N, 1)."""
    return random.choice([-1.0, 1.0], (len(spectra.flux), 1))


def _replaced(spectra, severity, other):
    """So much of something else instead of the star."""
    spectra.flux[:] = (1 - severity) * spectra.flux + severity * other


def _smooth(spectra, pixels_of):
    """Flux smeared with Gaussians of so many pixels (N,), in steps of a tenth."""
    from scipy.ndimage import gaussian_filter1d

    return np.array(
        [gaussian_filter1d(row, max(width, 0.1)) for row, width in zip(spectra.flux, pixels_of, strict=True)]
    )


@kind
def wrong_velocity(spectra, severity, random):
    """The velocity is off by up to 800 km/s."""
    spectra.z += (_signs(spectra, random) * severity * 800 / LIGHT)[:, 0]


@kind
def double_lined(spectra, severity, random):
    """The light of another star, up to as much as of the first one, at a velocity that differs by 80 to 400 km/s."""
    other = random.permutation(len(spectra.flux))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.nan_to_num(severity * spectra.level / spectra.level[other], posinf=0, neginf=0)
    velocity = _signs(spectra, random) * random.uniform(80, 400, (len(spectra.flux), 1))
    shift = (velocity / LIGHT + (spectra.z - spectra.z[other])[:, None]) * spectra.wavelength
    spectra.flux += scale * spectra.moved(spectra.flux[other], shift)


@kind
def other_arm(spectra, severity, random):
    """The red arm is that of another star, or of a mixture with it."""
    other = random.permutation(len(spectra.flux))
    near = np.abs(spectra.wavelength - JOIN) < 100
    near = near if near.any() else spectra.wavelength > JOIN  # arms of medium resolution are farther apart
    if not near.any():
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.median(spectra.flux[:, near], axis=1) / np.median(spectra.flux[other][:, near], axis=1)
    another = spectra.flux[other] * np.nan_to_num(scale, posinf=1, neginf=1)[:, None]
    mixed = (1 - severity) * spectra.flux + severity * another
    spectra.flux[:] = np.where(spectra.wavelength > JOIN, mixed, spectra.flux)


@kind
def arms_exchanged(spectra, severity, random):
    """The arms, or a mixture of them, on each other's wavelengths."""
    low, high = spectra.wavelength[0], spectra.wavelength[-1]
    at = np.where(
        spectra.wavelength < JOIN,
        np.interp(spectra.wavelength, [low, JOIN], [JOIN, high]),
        np.interp(spectra.wavelength, [JOIN, high], [low, JOIN]),
    )
    _replaced(spectra, severity, interpolate(spectra.wavelength, spectra.flux, at))


@kind
def lower_resolution(spectra, severity, random):
    """Of a survey with less resolution: smeared with up to 12 pixels more, R of some 160."""
    spectra.flux[:] = _smooth(spectra, 12 * severity[:, 0])


@kind
def sharper(spectra, severity, random):
    """Of a survey with more resolution: lines up to three times as deep and narrower."""
    spectra.flux += 2 * severity * (spectra.flux - _smooth(spectra, np.full(len(spectra.flux), 2.5)))


@kind
def shifted(spectra, severity, random):
    """Wavelengths off by up to 30 Angstrom; those of air are off by 2."""
    spectra.flux[:] = spectra.moved(spectra.flux, 30 * severity * _signs(spectra, random))


@kind
def stretched(spectra, severity, random):
    """Wavelengths stretched about their middle by up to a hundredth."""
    offset = 0.01 * severity * _signs(spectra, random) * (spectra.wavelength - spectra.wavelength.mean())
    spectra.flux[:] = spectra.moved(spectra.flux, offset)


@kind
def upside_down(spectra, severity, random):
    """Wavelengths run the other way."""
    _replaced(spectra, severity, spectra.flux[:, ::-1])


@kind
def background(spectra, severity, random):
    """Light of the sky that was not taken off, up to three times that of the star, or up to 60 % of it too much."""
    extra = np.where(_signs(spectra, random) > 0, 3.0, -0.6) * severity
    spectra.flux += extra * spectra.level * (1 + random.uniform(-0.5, 0.5, extra.shape) * spectra.place)


@kind
def flat(spectra, severity, random):
    """A straight line of any slope takes the place of the star."""
    slope = random.uniform(-0.95, 0.95, (len(spectra.flux), 1)) * spectra.place
    _replaced(spectra, severity, spectra.level * (1 + slope))


@kind
def noise(spectra, severity, random):
    """Random numbers take its place, with errors as before."""
    _replaced(spectra, severity, spectra.level * random.normal(1, 0.5, spectra.flux.shape))


@kind
def too_noisy(spectra, severity, random):
    """Up to twenty times as much noise as the inverse variances say."""
    with np.errstate(divide="ignore"):
        error = np.where(spectra.ivar > 0, 1 / np.sqrt(spectra.ivar), 0)
    spectra.flux += 20 * severity * error * random.normal(size=spectra.flux.shape)


@kind
def spikes(spectra, severity, random):
    """Up to 400 pixels are up to five times too high or too low."""
    chosen = random.random(spectra.flux.shape) < 400 * severity / spectra.wavelength.size
    size = spectra.level * random.uniform(0.3, 5, spectra.flux.shape) * random.choice([-1, 1], spectra.flux.shape)
    spectra.flux += np.where(chosen, size, 0)


@kind
def gap(spectra, severity, random):
    """A straight line through one to three gaps of up to 1200 pixels together, which are not marked."""
    for row, share in enumerate(severity[:, 0]):
        for _ in range(random.integers(1, 4)):
            size = int(5 + 400 * share)
            low = random.integers(1, spectra.wavelength.size - size - 1)
            ends = [low - 1, low + size]
            spectra.flux[row, low : low + size] = np.interp(np.arange(*ends)[1:], ends, spectra.flux[row, ends])


@kind
def ripples(spectra, severity, random):
    """A wrong response or fringes: waves of 30 to 400 Angstrom and up to 40 % of the flux."""
    phase = random.uniform(0, 2 * np.pi, (len(spectra.flux), 1))
    length = 10 ** random.uniform(np.log10(30), np.log10(400), phase.shape)
    spectra.flux *= 1 + 0.4 * severity * np.sin(phase + 2 * np.pi * spectra.wavelength / length)


@kind
def emission(spectra, severity, random):
    """Lines of hydrogen, calcium, helium and nebulae in emission, each up to some five times the star."""
    for line in EMISSION:
        height = 2 * severity * random.exponential(1, severity.shape) * spectra.level
        at = line * (1 + spectra.z[:, None])
        spectra.flux += height * np.exp(-0.5 * ((spectra.wavelength - at) / 2.5) ** 2)


@kind
def clipped(spectra, severity, random):
    """Saturated: nothing is brighter than a share of the largest flux of that part of the spectrum."""
    from scipy.ndimage import maximum_filter1d

    top = maximum_filter1d(spectra.flux, 100, axis=1)
    spectra.flux[:] = np.minimum(spectra.flux, top * (1 - 0.6 * severity))


@kind
def steps(spectra, severity, random):
    """Blocks of up to 30 pixels have one value each."""
    size = np.ceil(3 + 27 * severity[:, 0]).astype(int)
    at = np.arange(spectra.wavelength.size)
    spectra.flux[:] = np.array([row[at // by * by] for by, row in zip(size, spectra.flux, strict=True)])


@kind
def turned_over(spectra, severity, random):
    """Absorption lines stand above the continuum."""
    smooth = _smooth(spectra, np.full(len(spectra.flux), 40.0))
    spectra.flux -= 2 * severity * (spectra.flux - smooth)
