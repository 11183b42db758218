"""The forward model of LAMOST medium-resolution spectra: labels -> spectra as the survey would see them.

A module of the tools and not of the package: it needs models that the package does not ship (make_mrs_spectra.py makes
their file), and no user of the package meets it. SPCANet's training spectra, the templates of radial velocities, the
sample of the tests, and the fits without a network (fit_mrs.py) are made with it.
"""

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.table import QTable
from mrs_strengths import Strengths

from stellarlabels.inputs.lamost.medium_resolution import ARMS, GRIDS
from stellarlabels.inputs.spectra import LIGHT

#: Step of the LAMOST pixels in log10 of the wavelength.
LOG_STEP = 1e-5

#: Step of the logarithm in which models are broadened, in km/s.
STEP = 5.0

#: h c / k in Angstrom K.
SECOND_RADIATION = 1.438777e8

#: Scales of the labels for the hull of the models' grid.
HULL = np.array([500.0, 1.0, 1.0])


def vacuum(air):
    """Vacuum wavelengths in Angstrom of wavelengths in air (Ciddor 1996, as Birch & Downs 1994 give it)."""
    square = (1e4 / air) ** 2
    return air * (1 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square))


def rotation_transform(x):
    """Fourier transform of the rotational profile (Gray 2005, Eq. 18.14), limb darkening 0.6, at x = 2 pi f v sin i."""
    from scipy.special import j1

    limb = 0.6
    safe = np.where(x < 1e-3, 1.0, x)
    cap = 3 * (np.sin(safe) / safe**3 - np.cos(safe) / safe**2)
    disk = 2 * j1(safe) / safe
    out = ((1 - limb) * np.pi * disk + limb * 2 * np.pi / 3 * cap) / (np.pi * (1 - limb / 3))
    return np.where(x < 1e-3, 1.0, out)


def line_spread(frequency, rotation, resolution, velocity):
    """Transform (N, F) of what broadens and shifts lines; frequencies (F,) in s/km, the others (N,) in km/s or R."""
    rotation, resolution, velocity = (np.atleast_1d(values)[:, None] for values in (rotation, resolution, velocity))
    width = LIGHT / resolution / np.sqrt(8 * np.log(2))
    kernel = np.exp(-2 * (np.pi * frequency * width) ** 2) * rotation_transform(2 * np.pi * frequency * rotation)
    return kernel * np.exp(-2j * np.pi * frequency * velocity)


def planck_ratio(wavelength, first, second):
    """Surface brightness of blackbodies of the temperature ``second`` in units of that of ``first`` (K, any shape)."""
    energy = SECOND_RADIATION / wavelength
    return np.expm1(energy / first) / np.expm1(energy / second)


@dataclass
class Models:
    """Polynomial models of normalised flux in the windows of the two arms.

    Parameters
    ----------
    wavelength : dict of str to `~numpy.ndarray`
        Vacuum wavelengths (M,) of each arm.
    theta : dict of str to `~numpy.ndarray`
        Coefficients (M, 20).
    scatter : dict of str to `~numpy.ndarray`
        Standard deviation (M,) of the grid about the polynomial.
    center, scale : `~numpy.ndarray`, shape (3,)
        Offset and scale of the labels.
    nodes : `~numpy.ndarray`, shape (G, 3)
        Teff, log g, [Fe/H] of the spectra from which the models were made.
    terms : list
        Which powers of which labels each coefficient belongs to.
    strengths : `mrs_strengths.Strengths`, optional
        Factors on the absorption.
    """

    wavelength: dict
    theta: dict
    scatter: dict
    center: np.ndarray
    scale: np.ndarray
    nodes: np.ndarray
    terms: list
    strengths: Strengths | None = None

    def write(self, path, profiles):
        """Models with their strengths, and the shapes of the noise, in one file."""
        arrays = {"center": self.center, "scale": self.scale, "nodes": self.nodes}
        powers = np.zeros((len(self.terms), 3), int)
        for row, term in zip(powers, self.terms, strict=True):
            for index, power in term:
                row[index] = power
        for arm in ARMS:
            arrays |= {
                f"wavelength_{arm}": self.wavelength[arm],
                f"theta_{arm}": self.theta[arm].astype(np.float32),
                f"scatter_{arm}": self.scatter[arm].astype(np.float32),
                f"strengths_{arm}": self.strengths.coefficients[arm],
                f"profiles_{arm}": profiles[arm].astype(np.float32),
            }
        np.savez_compressed(path, powers=powers, **arrays)

    @classmethod
    def load(cls, path):
        """The models and the shapes of the noise that `write` has written."""
        with np.load(path) as data:
            parts = [{arm: data[f"{name}_{arm}"] for arm in ARMS} for name in ("wavelength", "theta", "scatter")]
            terms = [[(index, int(power)) for index, power in enumerate(row) if power] for row in data["powers"]]
            strengths = Strengths({arm: data[f"strengths_{arm}"] for arm in ARMS})
            profiles = {arm: data[f"profiles_{arm}"] for arm in ARMS}
            return cls(*parts, data["center"], data["scale"], data["nodes"], terms, strengths), profiles

    def design(self, labels):
        """Products of the scaled labels, (N, 20)."""
        scaled = (np.asarray(labels, float) - self.center) / self.scale
        columns = [np.ones(len(scaled))]
        for term in self.terms:
            columns.append(np.prod([scaled[:, index] ** power for index, power in term], axis=0))
        return np.stack(columns, axis=1)

    def flux(self, arm, labels):
        """Normalised flux (N, M)."""
        flux = self.design(labels) @ self.theta[arm].T
        if self.strengths is None:
            return flux
        return 1 - (1 - flux) * self.strengths.factors(arm, self.wavelength[arm], np.asarray(labels, float))


class Synthesis:
    """Random spectra as LAMOST would see them, with known labels.

    Each spectrum has its own line-spread function (R of 6500 to 8500), rotation, small velocity errors of the two arms,
    response, residual ripples of the continuum, scattered light, noise of the shape seen in real files (white as in
    single exposures, or correlated as in co-adds), bad pixels and, rarely, a missing arm. What the models lack is
    imitated: the deviation of the Cannon models from the spectra that they were made from is added as noise at full
    resolution, and the strengths of lines vary by up to a fifth along the spectrum.

    A fifth of the dwarfs have a second star on or below the main sequence of the same [Fe/H], at velocities that differ
    by tens of km/s. The labels of such a spectrum are those of its light: the means of the two stars', weighted with
    their shares of the light. They do not depend on whether the lines are apart.

    Parameters
    ----------
    models : `Models`
    profiles : dict of str to `~numpy.ndarray`
        Shapes of the noise along each arm, (K, 4000), with median 1.
    seed : int
    """

    DOUBLE = 0.2  # share of dwarfs with a second star
    APART = 60.0  # standard deviation of the difference of their velocities, km/s

    def __init__(self, models, profiles, seed):
        from scipy.spatial import Delaunay

        self.models, self.profiles = models, profiles
        self.random = np.random.default_rng(seed)
        self.hull = Delaunay(models.nodes / HULL)
        self.pixels = {}
        for arm, (low, high) in ARMS.items():
            self.pixels[arm] = 10 ** np.arange(np.log10(low - 8), np.log10(high + 8), LOG_STEP)

    def labels(self, count):
        """Teff, log g, [Fe/H] of random stars, (N, 3): half fill the grid of models, half lie where stars are."""
        random = self.random
        out = np.empty((0, 3))
        while len(out) < count:
            size = 2 * count
            low, high = self.models.nodes.min(axis=0), self.models.nodes.max(axis=0)
            some = random.uniform(low, high, (size, 3))
            some[:, 2] = np.where(random.random(size) < 0.6, random.uniform(-1.2, high[2], size), some[:, 2])
            dwarfs, giants = random.random(size) < 0.3, random.random(size) < 0.3
            teff, feh = some[:, 0], some[:, 2]
            main = 4.68 - 0.5 * np.clip((teff - 4800) / 1700, 0, 1) - random.exponential(0.15, size)
            some[:, 1] = np.where(dwarfs, main + random.normal(0, 0.05, size), some[:, 1])
            branch = 0.2 + (random.uniform(3700, 5300, size) - 3700) * 0.0021
            cool = 3800 + (branch - 0.2) / 0.0021 - 250 * feh + random.normal(0, 120, size)
            some[:, 1] = np.where(giants, branch + random.normal(0, 0.2, size), some[:, 1])
            some[:, 0] = np.where(giants, cool, teff)
            inside = self.hull.find_simplex(some / HULL) >= 0
            out = np.concatenate([out, some[inside]])
        return out[:count]

    def table(self, labels, snr=None, *, identifiers=None, plain=False):
        """Spectra with the columns of LAMOST medium-resolution spectra, and the labels of their light (QTable, N rows).

        S/N (N,) is that of a pixel in the blue arm, by default 5 to 250, equally in the logarithm; identifiers (N,) are
        by default from 1. ``plain``: without rotation, errors of the velocity, missing arms, second stars, and the
        imperfections of the models.
        """
        random, count = self.random, len(labels)
        snr = np.exp(random.uniform(np.log(5), np.log(250), count)) if snr is None else np.asarray(snr, float)
        ratio = np.exp(random.normal(np.log(1.6), 0.15, count))
        rotation, velocity = self._motions(labels, plain)
        out = QTable()
        out["source_id"] = np.arange(1, count + 1) if identifiers is None else identifiers
        out["radial_velocity"] = np.zeros(count) * u.km / u.s
        absent = random.random((2, count)) < (0.0 if plain else 0.02)
        absent[1] &= ~absent[0]
        resolution = np.full(count, 7500.0) if plain else random.uniform(6500, 8500, count)
        others = None if plain else self._second_stars(labels)
        for index, arm in enumerate(ARMS):
            own = velocity if plain else velocity + random.normal(0, 2, count)
            flux = self._light(arm, labels, rotation, own, resolution, others)
            flux, ivar = self._noisy(arm, flux, snr * (ratio if arm == "r" else 1))
            ivar[absent[index]] = 0
            wave = np.broadcast_to(self.pixels[arm].astype(np.float64), flux.shape)
            out[f"wavelength_{arm}"] = u.Quantity(wave, u.AA, copy=False)
            out[f"flux_{arm}"] = flux.astype(np.float32)
            out[f"ivar_{arm}"] = ivar.astype(np.float32)
        of_light = _labels_of_light(labels, others)
        for index, (label, unit) in enumerate({"teff": u.K, "logg": u.dex, "feh": u.dex}.items()):
            out[label] = of_light[:, index] * unit
        return out

    def observed(self, arm, labels, rotation, velocity, resolution, *, imperfect=False):
        """Spectra without noise at the LAMOST pixels (N, M); imperfect: with what the models lack imitated."""
        wave = self.models.wavelength[arm]
        flux = self.models.flux(arm, labels)
        if imperfect:
            flux = self._imperfect(arm, flux)
        logs = np.arange(np.log(wave[0]), np.log(wave[-1]), STEP / LIGHT)
        flux = _at(flux, np.interp(logs, np.log(wave), np.arange(wave.size)))
        size = 1 << (logs.size - 1).bit_length()
        padded = np.pad(1 - flux, ((0, 0), (0, size - logs.size)))
        kernel = line_spread(np.fft.rfftfreq(size, STEP), rotation, resolution, velocity)
        fine = np.fft.irfft(np.fft.rfft(padded) * kernel, 2 * size) * 2  # twice as many steps
        return 1 - _at(fine, (np.log(self.pixels[arm]) - logs[0]) / (STEP / 2 / LIGHT))

    def _motions(self, labels, plain):
        """Rotation and velocity (km/s) of each star, (N,) each."""
        random, count = self.random, len(labels)
        rotation = np.where(random.random(count) < 0.6, random.exponential(5, count), random.uniform(0, 40, count))
        rotation += np.where(labels[:, 0] > 6300, random.exponential(25, count), 0)
        velocity = random.normal(0, 2, count)
        return (np.full(count, 3.0), np.zeros(count)) if plain else (rotation, velocity)

    def _light(self, arm, labels, rotation, velocity, resolution, others):
        """Spectra without noise (N, M), with the light of second stars and imperfect models if there are others."""
        if others is None:
            return self.observed(arm, labels, rotation, velocity, resolution)
        first = velocity.copy()
        first[others.rows] += others.first_shift
        flux = self.observed(arm, labels, rotation, first, resolution, imperfect=True)
        share = others.light[arm][:, None] / (1 + others.light[arm][:, None])
        second = velocity[others.rows] + others.second_shift
        flux[others.rows] *= 1 - share
        flux[others.rows] += share * self.observed(
            arm, others.labels, others.rotation, second, resolution[others.rows], imperfect=True
        )
        return flux

    def _second_stars(self, labels):
        """Second stars of some dwarfs (`SecondStars`)."""
        random = self.random
        rows = np.flatnonzero((labels[:, 1] > 3.5) & (random.random(len(labels)) < self.DOUBLE))
        ratio = random.uniform(0.75, 1.0, rows.size)
        second = labels[rows] * np.stack([ratio, np.ones(rows.size), np.ones(rows.size)], axis=1)
        second[:, 1] = np.minimum(second[:, 1] + random.uniform(0, 0.4, rows.size), 4.9)
        inside = self.hull.find_simplex(second / HULL) >= 0
        rows, ratio, second = rows[inside], ratio[inside], second[inside]
        mass = ratio ** random.uniform(1.5, 3.0, rows.size)
        area = mass * 10 ** (labels[rows, 1] - second[:, 1])
        light = {arm: area * planck_ratio(np.mean(ARMS[arm]), labels[rows, 0], second[:, 0]) for arm in ARMS}
        apart = np.clip(random.normal(0, self.APART, rows.size), -300, 300)
        share = light["b"] / (1 + light["b"])
        first = -apart * share / (1 + (apart / 40) ** 4)
        return SecondStars(rows, second, light, random.exponential(12, rows.size), first, first + apart)

    def _imperfect(self, arm, flux):
        """Flux (N, M) with the scatter of the models about their grid, and strengths of lines that vary along it."""
        random, (count, size) = self.random, flux.shape
        flux = flux + self.models.scatter[arm] * random.uniform(0, 0.7, (count, 1)) * random.standard_normal(flux.shape)
        nodes = random.standard_normal((count, size // 10 + 2)) * random.uniform(0, 0.2, (count, 1))
        return 1 - (1 - flux) * (1 + _at(nodes, np.arange(size) / 10))

    def _noisy(self, arm, flux, snr):
        """Response, ripples, scattered light, noise and bad pixels: flux and inverse variance (N, M)."""
        random, (count, size) = self.random, flux.shape
        x = np.linspace(-1, 1, size)
        response = 1 + random.normal(0, [0.2, 0.1, 0.03, 0.01], (count, 4)) @ np.stack([x, x**2, x**3, x**4])
        response = np.maximum(response, 0.3)
        period = np.exp(random.uniform(np.log(0.2), np.log(1.5), (count, 1)))
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        response *= 1 + np.abs(random.normal(0, 0.003, (count, 1))) * np.sin(2 * np.pi * x / period + phase)
        light = random.normal(0, 0.015, (count, 1))
        signal = (flux + light) / (1 + light) * response
        profile = self.profiles[arm][random.integers(len(self.profiles[arm]), size=count)]
        place = np.clip((self.pixels[arm] - GRIDS[arm][0]) / 0.1, 0, GRIDS[arm].size - 1).astype(int)
        sigma = profile[:, place] / snr[:, None]
        white = random.standard_normal((count, size + 2))
        smooth = (white[:, :-2] + 2 * white[:, 1:-1] + white[:, 2:]) / np.sqrt(6)
        coadd = random.random((count, 1)) < 0.5
        noise = np.where(coadd, smooth * random.uniform(0.6, 1.0, (count, 1)), white[:, 1:-1])
        ivar = 1 / sigma**2
        bad = self._bad_pixels(count, size)
        spikes = random.random((count, size)) < 0.0002
        out = signal + noise * sigma + spikes * random.exponential(0.5, (count, size))
        level = np.exp(random.uniform(np.log(100), np.log(10000), (count, 1)))
        return out * level, np.where(bad, 0.0, ivar / level**2)

    def _bad_pixels(self, count, size):
        """Single bad pixels with their neighbor, and now and then a run of them, (N, M)."""
        random = self.random
        bad = random.random((count, size)) < random.exponential(0.001, (count, 1))
        bad[:, 1:] |= bad[:, :-1]
        first = random.integers(size, size=(count, 1))
        run = np.where(random.random((count, 1)) < 0.2, random.integers(3, 15, (count, 1)), 0)
        return bad | ((np.arange(size) >= first) & (np.arange(size) < first + run))


@dataclass
class SecondStars:
    """Second stars of K of N stars.

    Parameters
    ----------
    rows : `~numpy.ndarray` of int, shape (K,)
        The stars that have one.
    labels : `~numpy.ndarray`, shape (K, 3)
    light : dict of str to `~numpy.ndarray`, shape (K,)
        In each arm, in units of that of the first star.
    rotation, first_shift, second_shift : `~numpy.ndarray`, shape (K,)
        km/s. Velocities of the two stars where the spectrum is taken to be at rest: that of the first star where the
        lines are apart, that of the light where they are not.
    """

    rows: np.ndarray
    labels: np.ndarray
    light: dict
    rotation: np.ndarray
    first_shift: np.ndarray
    second_shift: np.ndarray


def _labels_of_light(labels, others):
    """Labels (N, 3) of the light: means of two stars, weighted with their light, where there are two."""
    labels = np.array(labels, float)
    if others is not None:
        light = np.mean(list(others.light.values()), axis=0)[:, None]
        labels[others.rows] = (labels[others.rows] + light * others.labels) / (1 + light)
    return labels


def _at(rows, places):
    """Rows (N, M) between their elements, at places (P,) counted in elements: linear interpolation, (N, P)."""
    left = np.minimum(places.astype(int), rows.shape[1] - 2)
    share = places - left
    return rows[:, left] * (1 - share) + rows[:, left + 1] * share
