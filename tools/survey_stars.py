"""Real stars of J-PLUS and S-PLUS with labels of SEGUE, as training and evaluation of CSNet take them.

``jplus`` is ``photometry/jplus_segue.csv`` and ``splus`` is ``photometry/splus82_segue.csv`` of the folder of data
(environment variable STELLARLABELS_DATA); see the page "J-PLUS and S-PLUS" of the documentation.
"""

from pathlib import Path

import healpy
import numpy as np
from astropy.table import Table
from lamost_lrs import folder

import stellarlabels
from stellarlabels import columns, packaged
from stellarlabels.inputs import feature_set

FILES = {"jplus": "photometry/jplus_segue.csv", "splus": "photometry/splus82_segue.csv"}
LABELS = {"jplus": ("teff", "logg", "feh", "c_fe", "alpha_fe"), "splus": ("teff", "logg", "feh", "c_fe")}

#: Labels from which the colors of a star are expected, for the zero-points of fields.
EXPLAIN = ("teff", "logg", "feh", "c_fe")

#: Stars fainter than this, in r, say little of a zero-point.
FAINTEST = 18.0

ZERO_POINTS = "splus82_zero_points"


def load(survey):
    """The table as it is, with masked labels where they are not measured, and ``source_id``.

    The latter is what an identifier of the cell of the position would be, so that
    ``stellarlabels.networks.held_out`` and ``split_groups`` know cells and stars.
    """
    table = Table.read(folder() / FILES[survey])
    cell = healpy.ang2pix(4096, table["RA"], table["DEC"], nest=True, lonlat=True)
    table.add_column(np.asarray(cell, np.int64) << 35, index=0, name="source_id")
    if survey == "jplus":
        carbon = np.asarray(table["CFE"], float)
        carbon[(np.asarray(table["CFE_FLAG"]) != "D") | (carbon < -90)] = np.nan
        table["CFE"] = carbon
    return table


def known(table, label):
    """Values and errors (N,) of a label, NaN where missing."""
    value, error, _ = columns.label_columns(label)
    return columns.values(table, value.name), columns.column_values(table, error, required=False)


def zero_points(table, colors):
    """Zero-points of the colors of each field: how far they are from what the labels of the stars make expect.

    This is the stellar color regression of Yuan et al. (2015), with which the photometry of the CSNet paper was
    calibrated (Section 2.1): colors as a polynomial of second degree in the labels, and the median of what is left in
    each field, drawn towards 0 as if four more stars had none.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Training stars.
    colors : `stellarlabels.inputs.colors.ColorSet`

    Returns
    -------
    `~astropy.table.Table`
    """
    found = feature_set("colors", colors={**colors.to_dict(), "zero_points": ""}).compute(columns.intake(table))
    labels = np.stack([known(table, label)[0] for label in EXPLAIN], axis=1)
    labels[:, 0] = 5040 / labels[:, 0]
    use = np.isfinite(labels).all(axis=1) & found.usable & (found.magnitude < FAINTEST)
    scaled = (labels - labels[use].mean(axis=0)) / labels[use].std(axis=0)
    pairs = [(i, j) for i in range(len(EXPLAIN)) for j in range(i + 1)]
    design = np.column_stack([np.ones(len(table)), scaled, *(scaled[:, i] * scaled[:, j] for i, j in pairs)])
    fields, place = np.unique(np.asarray(table["FIELD"]), return_inverse=True)
    out = Table({"FIELD": fields, "stars": np.bincount(place, weights=use).astype(int)})
    for index, name in enumerate(colors.colors):
        color, offset = found.arrays["color"][:, index].astype(float), np.zeros(len(fields))
        for _ in range(4):
            offset = _offsets(color, offset, design, use, place)
        out[name] = np.round(offset, 4)
        out[name].unit = "mag"
    return out


def _offsets(color, offset, design, use, place):
    """Better offsets (K,) of fields from colors (N,), and the fields (N,) of the stars."""
    good = use.copy()
    for _ in range(3):
        fit = np.linalg.lstsq(design[good], (color - offset[place])[good], rcond=None)[0]
        rest = color - design @ fit
        left = rest - offset[place]
        good = use & (np.abs(left) < 3 * 1.4826 * np.median(np.abs(left[use])))
    out = np.zeros(len(offset))
    for field in range(len(offset)):
        here = rest[good & (place == field)]
        out[field] = np.median(here) * here.size / (here.size + 4) if here.size else 0.0
    return out


def zero_points_file():
    """Path of the zero-points that ship with the package."""
    return Path(stellarlabels.__path__[0]) / "data" / "photometry" / f"{ZERO_POINTS}.ecsv"


def write_zero_points(table, colors):
    """Write the zero-points of training stars to the package's data."""
    out = zero_points(table, colors)
    bands = [band.name for band in colors.bands]
    # The scatter of a color between fields is that of two bands of which neither is better known than the other.
    spread = {color: float(np.std(out[color])) for color in colors.colors}
    of_bands = {
        band: round(float(np.mean([spread[color] for color in colors.colors if band in color.split("-")])) / 2**0.5, 4)
        for band in bands
    }
    out["FIELD"].info.description = "Field of S-PLUS"
    out["stars"].info.description = "Training stars in the field"
    out.meta = {
        "name": ZERO_POINTS,
        "description": "Zero-points of dereddened colors in the fields of S-PLUS (Stripe 82), by color regression",
        "reference": "tools/survey_stars.py; the method: Yuan, H., et al. 2015, ApJ, 799, 133",
        "release": "S-PLUS DR2 (Stripe 82)",
        "scatter": of_bands,
    }
    out.write(zero_points_file(), format="ascii.ecsv", overwrite=True)
    packaged.table.cache_clear()
    return out
