"""Synthetic LAMOST medium-resolution spectra from the Cannon models of thedoppler.

    python tools/make_mrs_spectra.py models --models DOPPLER/data --noise LAMOST_MRS_FILES --output mrs-models.npz
    python tools/make_mrs_spectra.py templates --models mrs-models.npz
    python tools/make_mrs_spectra.py sample --models mrs-models.npz

"models" makes the file that everything else needs: the windows of the two arms, the factors on the strengths of lines
that real low-resolution spectra ask for (mrs_strengths.py), and the noise of real files; 2 MB. "templates" writes
stellarlabels/data/lamost/mrs_templates.fits, with which radial velocities are measured; "sample" writes
stellarlabels/data/sample/mrs_synthetic.fits, a few spectra for examples and tests. Other tools import `Synthesis` to
make the spectra that SPCANet is trained on.

The models (PyPI thedoppler 1.1.32, MIT) give continuum-normalised flux from 3000 to 18000 Angstrom (air) in steps of
0.1 Angstrom as cubic polynomials of Teff, log g and [Fe/H], made from a grid of synthetic spectra. Their files are
pickles: they are opened here only, and with an unpickler that knows nothing but NumPy arrays.
"""

import argparse
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import lamost_lrs
import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table
from mrs_strengths import Strengths, real_stars

import stellarlabels
from stellarlabels.inputs.lamost.medium_resolution import ARMS, GRIDS, normalised_arm
from stellarlabels.inputs.spectra import LIGHT

DATA = Path(stellarlabels.__file__).parent / "data"
MODELS = "cannongrid_3000_18000_coolstars_norm_cubic_model.pkl"

#: Step of the LAMOST pixels in log10 of the wavelength, and the range of each arm that is made.
LOG_STEP = 1e-5
MARGIN = 15.0

#: Templates for radial velocities.
TEMPLATES = [
    (4000, 1.5, -0.5), (4000, 4.5, 0.0), (4500, 2.0, -1.5), (4750, 2.5, -0.2), (5000, 2.5, -2.2), (5200, 4.5, -0.2),
    (5800, 4.3, 0.0), (5800, 4.0, -1.5), (6400, 4.1, -0.2), (7000, 4.1, 0.0), (7700, 4.2, 0.0),
]  # fmt: skip


class ArraysOnly(pickle.Unpickler):
    """Reads pickles of NumPy arrays and plain values, and nothing else."""

    def find_class(self, module, name):
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a model file")


def vacuum(air):
    """Vacuum wavelengths in Angstrom of wavelengths in air (Ciddor 1996, as Birch & Downs 1994 give it)."""
    square = (1e4 / air) ** 2
    return air * (1 + 0.05792105 / (238.0185 - square) + 0.00167917 / (57.362 - square))


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

    @classmethod
    def read(cls, folder):
        with open(Path(folder) / MODELS, "rb") as file:
            state = ArraysOnly(file).load()
        nodes = np.asarray(state["training_set_labels"], float)
        center = np.percentile(nodes, 50, axis=0)  # as in CannonModel of thecannon 0.2.93
        scale = np.ptp(np.percentile(nodes, [2.5, 97.5], axis=0), axis=0)
        wave = vacuum(np.asarray(state["dispersion"]))
        parts = {arm: (wave > low - MARGIN) & (wave < high + MARGIN) for arm, (low, high) in ARMS.items()}
        theta, scatter = np.asarray(state["theta"]), np.sqrt(np.asarray(state["s2"]))
        return cls(
            {arm: wave[part] for arm, part in parts.items()},
            {arm: theta[part] for arm, part in parts.items()},
            {arm: scatter[part] for arm, part in parts.items()},
            center,
            scale,
            nodes,
            state["vectorizer"][1]["terms"],
        )

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


def noise_profiles(folder):
    """Shapes of the noise along each arm in real files, from the inverse variances of their brighter spectra.

    Parameters
    ----------
    folder : path-like
        With LAMOST medium-resolution files of the old format (one row a pixel).

    Returns
    -------
    dict of str to `~numpy.ndarray`
        Standard deviations relative to a smooth flux, with median 1, on the grid of each arm, (K, 4000).
    """
    from numpy.polynomial import Chebyshev

    out = {arm: [] for arm in ARMS}
    for path in sorted(Path(folder).glob("med-*.fits*")):
        with fits.open(path) as hdus:
            for hdu in hdus[1:]:
                arm = hdu.name.removeprefix("COADD_")[0].lower()
                if hdu.header.get("SNR", 0) < 15:
                    continue
                wave = 10 ** np.asarray(hdu.data["LOGLAM"], float)
                ivar, flux = (np.asarray(hdu.data[name], float) for name in ("IVAR", "FLUX"))
                good = (ivar > 0) & (wave > ARMS[arm][0] - 5) & (wave < ARMS[arm][1] + 5)
                smooth = Chebyshev.fit(wave[good], flux[good], 4)
                error = np.interp(GRIDS[arm], wave[good], 1 / np.sqrt(ivar[good])) / smooth(GRIDS[arm])
                out[arm].append(error / np.median(error))
    return {arm: np.array(shapes) for arm, shapes in out.items()}


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
        See `noise_profiles`.
    seed : int
    """

    STEP = 5.0  # km/s
    DOUBLE = 0.2  # share of dwarfs with a second star
    APART = 60.0  # standard deviation of the difference of their velocities, km/s

    def __init__(self, models, profiles, seed):
        from scipy.spatial import Delaunay

        self.models, self.profiles = models, profiles
        self.random = np.random.default_rng(seed)
        self.hull = Delaunay(models.nodes / [500.0, 1.0, 1.0])
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
            inside = self.hull.find_simplex(some / [500.0, 1.0, 1.0]) >= 0
            out = np.concatenate([out, some[inside]])
        return out[:count]

    def table(self, labels, snr=None, *, identifiers=None, plain=False):
        """Spectra with the columns of LAMOST medium-resolution spectra.

        Parameters
        ----------
        labels : `~numpy.ndarray`, shape (N, 3)
        snr : `~numpy.ndarray`, shape (N,), optional
            S/N of a pixel in the blue arm; by default 5 to 250, equally in the logarithm.
        identifiers : `~numpy.ndarray` of int64, shape (N,), optional
            Numbers of the stars; by default from 1.
        plain : bool
            Without rotation, errors of the velocity, missing arms, second stars, and the imperfections of the models.

        Returns
        -------
        `~astropy.table.QTable`
            With ``teff``, ``logg``, ``feh``: of the light, where there are two stars.
        """
        from astropy import units as u

        random, count = self.random, len(labels)
        snr = np.exp(random.uniform(np.log(5), np.log(250), count)) if snr is None else np.asarray(snr, float)
        ratio = np.exp(random.normal(np.log(1.6), 0.15, count))
        rotation = np.where(random.random(count) < 0.6, random.exponential(5, count), random.uniform(0, 40, count))
        rotation += np.where(labels[:, 0] > 6300, random.exponential(25, count), 0)
        velocity = random.normal(0, 2, count)
        if plain:
            rotation, velocity = np.full(count, 3.0), np.zeros(count)
        out = QTable()
        out["source_id"] = np.arange(1, count + 1) if identifiers is None else identifiers
        out["radial_velocity"] = np.zeros(count) * u.km / u.s
        absent = random.random((2, count)) < (0.0 if plain else 0.02)
        absent[1] &= ~absent[0]
        resolution = np.full(count, 7500.0) if plain else random.uniform(6500, 8500, count)
        others = None if plain else self._second_stars(labels)
        for index, arm in enumerate(ARMS):
            own = velocity if plain else velocity + random.normal(0, 2, count)
            if others is None:
                flux = self._observed(arm, labels, rotation, own, resolution, imperfect=not plain)
            else:
                rows, second, light, spin, shifts = others
                first = own.copy()
                first[rows] += shifts[0]
                flux = self._observed(arm, labels, rotation, first, resolution)
                share = light[arm][:, None] / (1 + light[arm][:, None])
                flux[rows] *= 1 - share
                flux[rows] += share * self._observed(arm, second, spin, own[rows] + shifts[1], resolution[rows])
            flux, ivar = self._noisy(arm, flux, snr * (ratio if arm == "r" else 1))
            ivar[absent[index]] = 0
            wave = np.broadcast_to(self.pixels[arm].astype(np.float64), flux.shape)
            out[f"wavelength_{arm}"] = u.Quantity(wave, u.AA, copy=False)
            out[f"flux_{arm}"] = flux.astype(np.float32)
            out[f"ivar_{arm}"] = ivar.astype(np.float32)
        labels = np.array(labels, float)
        if others is not None:
            light = np.mean(list(light.values()), axis=0)[:, None]
            labels[rows] = (labels[rows] + light * second) / (1 + light)
        for index, (label, unit) in enumerate({"teff": u.K, "logg": u.dex, "feh": u.dex}.items()):
            out[label] = labels[:, index] * unit
        return out

    def _second_stars(self, labels):
        """Second stars of some dwarfs.

        Returns
        -------
        rows : `~numpy.ndarray` of int, shape (K,)
            The dwarfs that have one.
        second : `~numpy.ndarray`, shape (K, 3)
            Labels of the second stars.
        light : dict of str to `~numpy.ndarray`, shape (K,)
            Their light in each arm, in units of that of the first.
        rotation : `~numpy.ndarray`, shape (K,)
            km/s.
        shifts : tuple of `~numpy.ndarray`, shape (K,)
            Velocities of the two stars in km/s where the spectrum is taken to be at rest: that of the first star where
            the lines are apart, that of the light where they are not.
        """
        random = self.random
        rows = np.flatnonzero((labels[:, 1] > 3.5) & (random.random(len(labels)) < self.DOUBLE))
        ratio = random.uniform(0.75, 1.0, rows.size)
        second = labels[rows] * np.stack([ratio, np.ones(rows.size), np.ones(rows.size)], axis=1)
        second[:, 1] = np.minimum(second[:, 1] + random.uniform(0, 0.4, rows.size), 4.9)
        inside = self.hull.find_simplex(second / [500.0, 1.0, 1.0]) >= 0
        rows, ratio, second = rows[inside], ratio[inside], second[inside]
        mass = ratio ** random.uniform(1.5, 3.0, rows.size)
        area = mass * 10 ** (labels[rows, 1] - second[:, 1])
        light = {}
        for arm, limits in ARMS.items():
            energy = 1.438777e8 / np.mean(limits)  # h c / k, in Angstrom K
            light[arm] = area * np.expm1(energy / labels[rows, 0]) / np.expm1(energy / second[:, 0])
        apart = np.clip(random.normal(0, self.APART, rows.size), -300, 300)
        share = light["b"] / (1 + light["b"])
        first = -apart * share / (1 + (apart / 40) ** 4)
        return rows, second, light, random.exponential(12, rows.size), (first, first + apart)

    def _observed(self, arm, labels, rotation, velocity, resolution, imperfect=True):
        """Spectra without noise at the LAMOST pixels, (N, M), with the imperfections of the models or without."""
        random, count = self.random, len(labels)
        wave = self.models.wavelength[arm]
        flux = self.models.flux(arm, labels)
        if imperfect:
            flux += self.models.scatter[arm] * random.uniform(0, 0.7, (count, 1)) * random.standard_normal(flux.shape)
            nodes = random.standard_normal((count, wave.size // 10 + 2)) * random.uniform(0, 0.2, (count, 1))
            at = np.arange(wave.size) / 10
            left = at.astype(int)
            strength = nodes[:, left] * (left + 1 - at) + nodes[:, left + 1] * (at - left)
            flux = 1 - (1 - flux) * (1 + strength)
        logs = np.arange(np.log(wave[0]), np.log(wave[-1]), self.STEP / LIGHT)
        place = np.interp(logs, np.log(wave), np.arange(wave.size))
        left = np.minimum(place.astype(int), wave.size - 2)
        share = place - left
        flux = flux[:, left] * (1 - share) + flux[:, left + 1] * share
        size = 1 << (logs.size - 1).bit_length()
        padded = np.pad(1 - flux, ((0, 0), (0, size - logs.size)))
        frequency = np.fft.rfftfreq(size, self.STEP)
        width = LIGHT / resolution / np.sqrt(8 * np.log(2))
        kernel = np.exp(-2 * (np.pi * frequency * width[:, None]) ** 2)
        kernel = kernel * rotation_transform(2 * np.pi * frequency * rotation[:, None])
        kernel = kernel * np.exp(-2j * np.pi * frequency * velocity[:, None])
        fine = np.fft.irfft(np.fft.rfft(padded) * kernel, 2 * size) * 2
        at = (np.log(self.pixels[arm]) - logs[0]) / (self.STEP / 2 / LIGHT)
        left = at.astype(int)
        share = at - left
        return 1 - (fine[:, left] * (1 - share) + fine[:, left + 1] * share)

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
        bad = random.random((count, size)) < random.exponential(0.001, (count, 1))
        bad[:, 1:] |= bad[:, :-1]
        first = random.integers(size, size=(count, 1))
        run = np.where(random.random((count, 1)) < 0.2, random.integers(3, 15, (count, 1)), 0)
        bad |= (np.arange(size) >= first) & (np.arange(size) < first + run)
        spikes = random.random((count, size)) < 0.0002
        out = signal + noise * sigma + spikes * random.exponential(0.5, (count, size))
        level = np.exp(random.uniform(np.log(100), np.log(10000), (count, 1)))
        return out * level, np.where(bad, 0.0, ivar / level**2)


def rotation_transform(x):
    """Fourier transform of the rotational profile (Gray 2005, Eq. 18.14) with limb darkening 0.6, at 2 pi f v sin i."""
    from scipy.special import j1

    limb = 0.6
    safe = np.where(x < 1e-3, 1.0, x)
    cap = 3 * (np.sin(safe) / safe**3 - np.cos(safe) / safe**2)
    disk = 2 * j1(safe) / safe
    out = ((1 - limb) * np.pi * disk + limb * 2 * np.pi / 3 * cap) / (np.pi * (1 - limb / 3))
    return np.where(x < 1e-3, 1.0, out)


def write_templates(models, path):
    """The templates for radial velocities, at rest and without noise."""
    synthesis = Synthesis(models, None, 0)
    labels = np.array(TEMPLATES, float)
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["SOURCE"] = "Cannon models of thedoppler 1.1.32 (MIT), R = 7500, vacuum"
    for arm, grid in GRIDS.items():
        slow, still, resolution = (np.full(len(labels), value) for value in (3.0, 0.0, 7500.0))
        flux = synthesis._observed(arm, labels, slow, still, resolution, imperfect=False)
        flux = np.stack([np.interp(grid, synthesis.pixels[arm], row) for row in flux])
        ratio, _ = normalised_arm(flux)
        hdu = fits.ImageHDU(np.round(ratio * 20000).astype(np.int16), name=f"FLUX_{arm}".upper())
        hdu.header["BSCALE"] = 1 / 20000
        hdu.header["CRVAL1"], hdu.header["CDELT1"], hdu.header["CUNIT1"] = grid[0], 0.1, "Angstrom"
        hdus.append(hdu)
    columns = QTable(labels, names=["teff", "logg", "feh"])
    hdus.append(fits.BinTableHDU(columns, name="LABELS"))
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def write_sample(models, path, count=32):
    """A few spectra of stars like those that LAMOST sees, with equal noise in all pixels of an arm and velocities."""
    synthesis = Synthesis(models, {arm: np.ones((1, grid.size)) for arm, grid in GRIDS.items()}, 2026)
    snr = np.geomspace(12, 120, count)[synthesis.random.permutation(count)]
    table = synthesis.table(synthesis.labels(count), snr, plain=True)
    table["radial_velocity"] = np.round(synthesis.random.normal(0, 40, count), 2) * table["radial_velocity"].unit
    hdus = [fits.PrimaryHDU()]
    hdus[0].header["SOURCE"] = (
        "Cannon models of thedoppler 1.1.32 (MIT) with LASP's strengths of lines, R = 7500, vacuum"
    )
    names = ("source_id", "radial_velocity", "teff", "logg", "feh")
    columns = Table({name: getattr(table[name], "value", table[name]) for name in names})
    units = []
    for arm, pixels in synthesis.pixels.items():
        flux, ivar = (np.asarray(table[f"{name}_{arm}"], float) for name in ("flux", "ivar"))
        level = np.median(flux, axis=1, keepdims=True)
        columns[f"snr_{arm}"] = np.median(flux * np.sqrt(ivar), axis=1)
        scaled = np.where(ivar > 0, np.clip(np.round(flux / level * 10000), -32000, 32000), -32768)
        units.append(fits.CompImageHDU(scaled.astype(np.int16), name=f"FLUX_{arm}".upper()))
        units[-1].header["CRVAL1"], units[-1].header["CDELT1"] = np.log10(pixels[0]), LOG_STEP
        units[-1].header["CTYPE1"], units[-1].header["BLANKVAL"] = "log10 Angstrom", -32768
    hdus += [fits.BinTableHDU(columns, name="STARS"), *units]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("product", choices=["models", "templates", "sample"])
    parser.add_argument("--models", required=True, help="file of the models; for itself, the folder of thedoppler's")
    parser.add_argument("--noise", help="folder of real LAMOST MRS files")
    parser.add_argument("--stars", help="lamost_lrs_labelled.npz; by default that of the folder STELLARLABELS_DATA")
    parser.add_argument("--output", type=Path, default=Path("mrs-models.npz"))
    args = parser.parse_args()
    if args.product == "models":
        table, path = lamost_lrs.load(args.stars), args.output
        models = Models.read(args.models)
        stars = real_stars(table, lamost_lrs.folds(table) != 0)
        models = replace(models, strengths=Strengths.fit(models, stars))
        models.write(path, noise_profiles(args.noise))
        print(f"strengths of lines from {len(stars['labels'])} real stars")
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
        return
    models, _ = Models.load(args.models)
    if args.product == "templates":
        path = DATA / "lamost" / "mrs_templates.fits"
        write_templates(models, path)
    else:
        path = DATA / "sample" / "mrs_synthetic.fits"
        write_sample(models, path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
