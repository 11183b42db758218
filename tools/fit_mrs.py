"""What the models that SPCANet is trained on say of real stars without a network in between.

    python tools/fit_mrs.py --models mrs-models.npz

Writes docs/measured/weights/spcanet-fits.json:

- How far the models are from low-resolution spectra of fold 1, with the strengths of lines as they are and with factors
  that folds 2 to 4 ask for (mrs_strengths.py).
- The two arms of J230311.44+321335.5 fitted apart, without and with these factors.
- KIC 8098300 fitted as one star and as two. The latter takes from the literature (kic8098300.ecsv) the gravities, the
  ratio of the areas and that of the temperatures; free are Teff of the first star, one [Fe/H], two velocities, two
  rotations, and the resolution.
"""

import argparse
import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.table import QTable
from evaluate_spcanet import SOLAR_LOGG
from lamost_lrs import folder, folds, load
from mrs_strengths import Strengths, real_stars
from mrs_synthesis import Models, line_spread, planck_ratio
from scipy.optimize import least_squares

from stellarlabels.archive.readers import read_lamost
from stellarlabels.inputs.lamost.medium_resolution import ARMS, GRIDS, arm_pixels, normalised_arm
from stellarlabels.inputs.spectra import LIGHT, interpolate
from stellarlabels.labels.uncertainty import robust_scatter

#: Nights with starlight, and where the velocities of the two stars are looked for first, in km/s.
NIGHTS = {"58625": (0.0, -20.0), "58644": (-62.0, 58.0)}

#: Error of a pixel that the models have besides the noise, and step of the logarithm in km/s.
MISMATCH, STEP = 0.02, 5.0


def spectrum(models, arm, labels, rotation, resolution, velocity):
    """Flux (4000,) of a star on the grid of an arm."""
    wave = models.wavelength[arm]
    logs = np.arange(np.log(wave[0]), np.log(wave[-1]), STEP / LIGHT)
    depth = np.nan_to_num(interpolate(wave, 1 - models.flux(arm, np.array([labels])), np.exp(logs)))
    size = 1 << (logs.size - 1).bit_length()
    kernel = line_spread(np.fft.rfftfreq(size, STEP), max(rotation, 0.5), resolution, velocity)
    fine = np.fft.irfft(np.fft.rfft(depth, size) * kernel, size)[:, : logs.size]
    return 1 - interpolate(np.exp(logs), fine, GRIDS[arm])[0]


class Fit:
    """Residuals of one night's co-added spectrum.

    Parameters
    ----------
    models : `mrs_synthesis.Models`
    row : `~astropy.table.Table`
        Of one spectrum.
    stars : `~astropy.table.QTable`
        Masses, radii and temperatures from the literature.
    arms : str
        Which arms are fitted.
    """

    def __init__(self, models, row, stars, arms="br"):
        self.models, self.observed = models, {}
        for arm in arms:
            wave, flux, snr = arm_pixels(row, arm)
            ratio, good = normalised_arm(interpolate(wave, flux, GRIDS[arm]))
            self.observed[arm] = ratio[0], good[0] & (ratio[0] < 1.2), np.hypot(1 / snr[0], MISMATCH)
        radius = stars["radius"].value
        self.logg = SOLAR_LOGG + np.log10(stars["mass"].value) - 2 * np.log10(radius)
        self.area, self.cooler = (radius[1] / radius[0]) ** 2, stars["teff_ratio"][1]

    def one(self, x):
        """Residuals of a single star: Teff, log g, [Fe/H], velocity, rotation, R / 1000, shift of the red arm."""
        return self._residual(
            lambda arm, shift: spectrum(self.models, arm, x[:3], x[4], 1000 * x[5], x[3] + shift), x[6]
        )

    def two(self, x):
        """Residuals of two stars: Teff and [Fe/H], two velocities, two rotations, R / 1000, shift of the red arm."""

        def flux(arm, shift):
            hot, cool = x[0], x[0] * self.cooler
            light = self.area * planck_ratio(np.mean(ARMS[arm]), hot, cool)
            first = spectrum(self.models, arm, (hot, self.logg[0], x[1]), x[4], 1000 * x[6], x[2] + shift)
            second = spectrum(self.models, arm, (cool, self.logg[1], x[1]), x[5], 1000 * x[6], x[3] + shift)
            return (first + light * second) / (1 + light)

        return self._residual(flux, x[7])

    def _residual(self, flux, shift):
        parts = []
        for arm, (ratio, good, error) in self.observed.items():
            model, _ = normalised_arm(flux(arm, shift if arm == "r" else 0.0)[None])
            parts.append((ratio - model[0])[good] / error)
        return np.concatenate(parts)

    def as_one(self, start, velocity):
        """Entry of the fit of a single star."""
        found = least_squares(
            self.one,
            [*start, velocity, 10, 7.5, 0],
            x_scale=[100, 0.2, 0.1, 3, 5, 0.5, 2],
            bounds=([3600, 0.3, -2.4, -200, 0.5, 5, -10], [7800, 5, 0.5, 200, 80, 10, 10]),
        )
        return self._entry(found, {"teff": 0, "logg": 1, "feh": 2})

    def as_two(self, velocities):
        """Entry of the fit of two stars: the labels of the first."""
        found = least_squares(
            self.two,
            [6500, -0.2, *velocities, 18, 13, 7.5, 0],
            x_scale=[100, 0.1, 3, 3, 5, 5, 0.5, 2],
            bounds=([4500, -2.4, -200, -200, 0.5, 0.5, 5, -10], [7800, 0.5, 200, 200, 60, 60, 10, 10]),
        )
        apart = {"velocity difference": {"value": round(float(abs(found.x[3] - found.x[2])), 1)}}
        return self._entry(found, {"teff": 0, "feh": 1}) | apart

    @staticmethod
    def _entry(found, places):
        """Labels with their formal errors, and what the fit is like."""
        norm = np.linalg.norm(found.jac, axis=0)
        norm[norm == 0] = 1.0  # of what the fit does not depend on
        scaled = found.jac / norm
        covariance = np.linalg.pinv(scaled.T @ scaled, hermitian=True) / np.outer(norm, norm)
        out = {}
        for label, place in places.items():
            value, error = found.x[place], np.sqrt(covariance[place, place])
            out[label] = {"value": round(float(value), 3), "formal_error": round(float(error), 3)}
        out["teff"]["reduced_chi_square"] = round(float(2 * found.cost / len(found.fun)), 3)
        return out


def strengths(models):
    """Differences of models and low-resolution spectra of stars of fold 1, before and after the fit to folds 2 to 4."""
    table = load()
    number = folds(table)
    train, test = (real_stars(table, chosen) for chosen in (number > 1, number == 1))
    fitted = Strengths.fit(models, train)
    nothing = Strengths({arm: 0 * rows for arm, rows in fitted.coefficients.items()})
    out = {}
    for arm, name in (("b", "blue"), ("r", "red")):
        for title, factors in (("models as they are", nothing), ("with factors", fitted)):
            residual, _ = factors.residual(models, test, arm)
            out[f"{name} arm, {title}"] = {
                "flux": {
                    "stars": len(residual),
                    "scatter_of_pixels": round(robust_scatter(residual), 5),
                    "scatter_of_the_stars_median": round(float(np.std(np.median(residual, axis=0))), 5),
                    "mean_difference": round(float(residual.mean()), 5),
                }
            }
    return out


def spectrum_of(night):
    """The co-added spectrum of one night."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_lamost(sorted((folder() / "lamost_mrs").glob(f"med-{night}*")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", required=True, help="file of make_mrs_spectra.py")
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "docs" / "measured" / "weights")
    args = parser.parse_args()
    models, _ = Models.load(args.models)
    plain = replace(models, strengths=None)
    stars = QTable.read(Path(__file__).with_name("kic8098300.ecsv"))
    single, double = {}, {}
    for title, version in (("models as they are", plain), ("with factors", models)):
        for arms, name in (("b", "blue arm"), ("r", "red arm"), ("br", "both arms")):
            fit = Fit(version, spectrum_of("58408"), stars, arms)
            single[f"{name}, {title}"] = fit.as_one((4900, 2.5, -0.8), -52.5)
    for night, velocities in NIGHTS.items():
        fit = Fit(models, spectrum_of(night), stars)
        double[f"{night}, as one star"] = fit.as_one((6400, 4.2, -0.2), velocities[0])
        double[f"{night}, the first of two stars"] = fit.as_two(velocities)
    result = {
        "system": "spcanet",
        "what": "models of the training spectra beside real stars, without a network",
        "literature": stars.meta["reference"],
        "measured": {
            "models beside low-resolution spectra (stars of fold 1)": strengths(plain),
            "models fitted to J230311.44+321335.5": single,
            "models fitted to KIC 8098300": double,
        },
    }
    text = json.dumps(result, indent=1)
    print(text)
    (args.output / "spcanet-fits.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
