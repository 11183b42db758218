"""Compare M_G and distances of SolarDis with parallaxes of Gaia DR2 that no training has seen.

    python tools/solardis_parallaxes.py

Of the LAMOST stars of tools/lamost_lrs.py 35 are among the stars with parallaxes that astroNN 1.1.0 has. Their
extinction is that of the map of Burstein & Heiles (1982), so that only stars away from the plane count. Writes the part
"Gaia DR2 parallaxes" of ``solardis-compact.json``.
"""

import argparse
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from absolute_magnitudes import ZERO_POINT
from astropy import units as u
from astropy.coordinates import SkyCoord
from lamost_lrs import load
from train_solardis import TEFF, WEIGHTS

from stellarlabels import SolarDis, columns
from stellarlabels.corrections.extinction import coefficients
from stellarlabels.labels.uncertainty import robust_scatter

FILE = "data/gaiadr2_apogeedr14_parallax.npz"

#: E(B-V) of the map in units of the real one (Schlafly & Finkbeiner 2011), and the least latitude (deg).
SCALE, LATITUDE = 0.86, 10.0


def matched(table, path=None):
    """Rows of a table that have parallaxes, and parallax, its error (mas) and G of each."""
    path = Path(find_spec("astroNN").submodule_search_locations[0]) / FILE if path is None else path
    with np.load(path, allow_pickle=False) as data:
        known = data["parallax"] > -90
        place = SkyCoord(*(data[name][known].astype(float) for name in ("RA", "DEC")), unit="deg")
        found = {name: data[name][known].astype(float) for name in ("parallax", "parallax_error", "g")}
    nearest, apart, _ = SkyCoord(table["ra"], table["dec"]).match_to_catalog_sky(place)
    rows = np.flatnonzero(apart < 1 * u.arcsec)
    return rows, {name: values[nearest[rows]] for name, values in found.items()}


def extinction(table):
    """A_G (N,) of stars beyond the dust."""
    from dustmaps.bh import BHQuery

    ebv = SCALE * np.maximum(BHQuery()(SkyCoord(table["ra"], table["dec"])), 0)
    return coefficients("parsec").ratio("G") * ebv


def compared(magnitude, error, dimmed, found, rows):
    """Residuals of magnitudes in magnitudes and in units of the errors of the parallaxes, of some of the stars."""
    parallax = found["parallax"] + ZERO_POINT
    factor = 10 ** (0.2 * (found["g"] - dimmed))
    model = 10 ** (0.2 * (magnitude + 10))
    pull = (parallax * factor - model) / np.hypot(found["parallax_error"] * factor, 0.2 * np.log(10) * model * error)
    sharp = rows & (parallax > 10 * found["parallax_error"])
    residual = (magnitude - 5 * np.log10(parallax * factor) + 10)[sharp]
    draws = np.random.default_rng(0).integers(len(residual), size=(2000, len(residual)))
    scatter = np.array([robust_scatter(residual[draw]) for draw in draws])
    return {
        "stars": int(rows.sum()),
        "of them with S/N > 10": int(sharp.sum()),
        "m_g scatter": round(robust_scatter(residual), 3),
        "its standard error": round(float(scatter.std()), 3),
        "m_g bias": round(float(np.median(residual)), 3),
        "median error of m_g": round(float(np.median(error[sharp])), 3),
        "parallax pull width": round(robust_scatter(pull[rows]), 3),
        "within 1 sigma": round(float(np.mean(np.abs(pull[rows]) < 1)), 3),
        "within 2 sigma": round(float(np.mean(np.abs(pull[rows]) < 2)), 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="model file in place of the shipped one")
    args = parser.parse_args()
    table = load()
    rows, found = matched(table)
    table = table[rows]
    system = SolarDis.load(args.model) if args.model else SolarDis.pretrained("compact")
    labels = system.predict(table, progress=False)
    magnitude, error = (columns.column_values(labels, one) for one in columns.label_columns("m_g")[:2])
    teff = columns.values(table, "teff")
    away = np.abs(SkyCoord(table["ra"], table["dec"]).galactic.b.deg) > LATITUDE
    groups = {"|b| > 10 deg, up to 8500 K": away & (teff < TEFF[1])}
    groups["of them good"] = groups["|b| > 10 deg, up to 8500 K"] & np.asarray(labels["m_g_good"])
    out = {name: compared(magnitude, error, extinction(table), found, some) for name, some in groups.items()}
    print(json.dumps({"matched": len(rows), **out}, indent=1))
    if not args.model:
        path = WEIGHTS / "solardis-compact.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        content["Gaia DR2 parallaxes"] = {"matched": len(rows), **out}
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
