"""The correction of systematic errors of XP spectra by Huang et al. (2024), with the user's own copy of its tables.

The authors' package (`doi:10.12149/101375 <https://doi.org/10.12149/101375>`_, GaiaDR3XPspectracorrectionV1) has no
licence that would allow its tables to be shipped here. Download it and give the folder with its CSV files to
`correct_xp`. The numbers are those of the authors' own code, for all stars at once instead of one by one.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from stellarlabels import columns, flags
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import DataNotFoundError, InputError, ReadError

__all__ = ["correct_flux", "correct_xp"]

FLAGS = flags.register(
    flags.FlagSet(
        "systematics",
        "systematics_flag: how far the correction of XP spectra can be trusted",
        [
            ("NOT_CORRECTED", "The spectrum's shape is outside the correction, or its G magnitude is missing."),
            ("SHAPE_EDGE", "The spectrum's shape is at the edge of the stars from which the correction was made."),
            ("FAINT", "G is between 17.122 and 17.4 mag, where the shape correction is that of 17.122 mag.", "note"),
            ("MAGNITUDE_RANGE", "G is brighter than 2.703 or fainter than 17.4 mag; the value at the limit was used."),
        ],
    )
)

#: Environment variable with the folder of the tables, for where the one that is named is not there.
ELSEWHERE = "STELLARLABELS_XP_CORRECTION"

#: Samples (of 343) of the normalisation and of the two windows of each shape index.
NORM, C2_WINDOWS, C3_WINDOWS = slice(62, 78), (slice(27, 49), slice(49, 71)), (slice(71, 102), slice(102, 133))
#: Shape indices beyond which the authors call for caution, for spectra without and with truncation.
EDGES = {False: (-1.238505903, 1.032292962), True: (-1.257463033, 1.095023301)}
#: G magnitudes at which the correction changes its form, and the last sample of the absolute correction of BP.
BRIGHTEST, EXTENDED, FAINTEST_SHAPE, FAINTEST, FAINTEST_ABSOLUTE = 2.703, 10.0, 17.122, 17.4, 17.65
BP_SAMPLES = 105


@dataclass(frozen=True)
class _Grid:
    """Rows of factors at equally spaced values."""

    at: np.ndarray
    rows: np.ndarray

    def __call__(self, value):
        """Row at the value of three decimals that is nearest, the first or last one outside."""
        step = self.at[1] - self.at[0] if len(self.at) > 1 else 1.0
        index = np.rint((np.round(value, 3) - self.at[0]) / step)
        return self.rows[np.clip(index, 0, len(self.at) - 1).astype(int)]

    def holds(self, value):
        return (value > self.at[0]) & (value < self.at[-1])


@lru_cache(maxsize=4)
def _tables(folder, truncated):
    """The authors' tables as grids."""
    kind = "dotruc" if truncated else "untruc"
    folder = Path(folder if Path(folder).is_dir() else os.environ.get(ELSEWHERE, folder))

    def load(name):
        path = folder / name
        if not path.is_file():
            raise DataNotFoundError(
                f"{path} is missing; download GaiaDR3XPspectracorrectionV1 (doi:10.12149/101375) and give the folder "
                f"that holds its CSV files, or its path in the environment variable {ELSEWHERE}"
            )
        try:
            return np.loadtxt(path, delimiter=",", ndmin=2)
        except ValueError as error:
            raise ReadError(f"{path}: expected a table of numbers ({error})") from error

    out = {}
    for key in ("C2", "C3", "G"):
        out[key] = _Grid(load(f"{kind}_inter{key}_CM.csv").ravel(), load(f"{kind}_interyy{key}_CM.csv"))
    out["Gext"] = _Grid(load("interGext_CM.csv").ravel(), load(f"{kind}_interyyGext_CM.csv"))
    magnitudes = load("inter_phot.csv").ravel()
    for key in ("BP", "RP"):
        out[key] = _Grid(magnitudes, load(f"inter_{key}.csv"))
    return out


def _shape(flux, error, windows):
    """Slope between two windows of the normalised flux per 1000 Angstrom, (N, 343) to (N,)."""
    # The mean of a window is weighted with the fourth power of the inverse relative error, as in the authors' code
    # (they hand inverse variances to a fit that squares its weights).
    norm = flux[:, NORM].mean(axis=1, keepdims=True)
    norm_error = np.sqrt((error[:, NORM] ** 2).sum(axis=1, keepdims=True)) / 16
    scaled = flux / norm
    relative = np.abs(scaled) * np.sqrt((error / flux) ** 2 + (norm_error / norm) ** 2) / scaled
    weight = relative**-4
    wavelength = 3.36 + 0.02 * np.arange(flux.shape[1])
    means = [(weight * scaled)[:, w].sum(axis=1) / weight[:, w].sum(axis=1) for w in windows]
    return (means[0] - means[1]) / (wavelength[windows[0]].mean() - wavelength[windows[1]].mean())


def correct_flux(flux, error, magnitude, folder, *, truncated=False, absolute=True):
    """Corrected spectra as plain arrays.

    Parameters
    ----------
    flux, error : `~numpy.ndarray`, shape (N, 343)
        Flux and standard error, in any unit.
    magnitude : `~numpy.ndarray`, shape (N,)
        G in mag.
    folder : path-like
        Folder of the authors' CSV files.
    truncated : bool
        Whether the spectra were sampled from truncated coefficients.
    absolute : bool
        Whether the level of the spectrum is corrected too, not only its shape (G > 10).

    Returns
    -------
    flux : `~numpy.ndarray`, shape (N, 343)
        Uncorrected where the correction does not hold.
    flag : `~numpy.ndarray` of int32, shape (N,)
        Bits of the flag set "systematics".

    Raises
    ------
    DataNotFoundError
        If a table is not in the folder; the message says where to get it.
    InputError
        If the spectra do not have 343 samples.
    """
    flux, error, magnitude = (np.asarray(x, float) for x in (flux, error, magnitude))
    if flux.ndim != 2 or flux.shape[1] != columns.wavelengths.DEFAULT.size:
        raise InputError(
            f"flux: expected spectra of {columns.wavelengths.DEFAULT.size} samples, got shape {flux.shape}"
        )
    tables = _tables(str(folder), bool(truncated))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        c2, c3 = _shape(flux, error, C2_WINDOWS), _shape(flux, error, C3_WINDOWS)
        good = tables["C2"].holds(c2) & tables["C3"].holds(c3) & np.isfinite(magnitude)
        c2, c3, g = (
            np.where(good, x, at) for x, at in ((c2, tables["C2"].at[0]), (c3, tables["C3"].at[0]), (magnitude, 10))
        )
        factor = tables["C2"](c2) * tables["C3"](c3)
        bright = tables["G"](np.clip(g, BRIGHTEST, FAINTEST_SHAPE))
        faint = tables["Gext"](np.clip(g, EXTENDED, FAINTEST)) * bright[:, NORM].mean(axis=1, keepdims=True)
        if absolute:
            at = np.clip(g, EXTENDED, FAINTEST_ABSOLUTE)
            faint[:, :BP_SAMPLES] *= tables["BP"](at)
            faint[:, BP_SAMPLES:] *= tables["RP"](at)
        factor *= np.where((g < EXTENDED)[:, None], bright, faint)
        low, high = EDGES[bool(truncated)]
        flag = FLAGS.where(
            NOT_CORRECTED=~good,
            SHAPE_EDGE=good & ((c2 < low) | (c3 > high)),
            FAINT=(magnitude > FAINTEST_SHAPE) & (magnitude <= FAINTEST),
            MAGNITUDE_RANGE=(magnitude < BRIGHTEST) | (magnitude > FAINTEST),
        )
    return np.where(good[:, None], flux * factor, flux), flag


@columns.entrance("table")
def correct_xp(table, *, folder, truncated=False, absolute=True):
    """A table with corrected XP spectra.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``flux``, ``flux_error`` (cells of 343 samples) and ``phot_g_mean_mag``.
    folder, truncated, absolute
        See `correct_flux`.

    Returns
    -------
    `~astropy.table.QTable`
        The table with ``flux`` corrected and the column ``systematics_flag`` (int32, bits of the flag set
        "systematics") added. Errors
        stay as they are, as with the authors' code.
    """
    flux = columns.values(table, "flux")
    arrays = flux, columns.values(table, "flux_error"), columns.values(table, "phot_g_mean_mag")
    corrected, flag = correct_flux(*arrays, folder, truncated=truncated, absolute=absolute)
    out = StarTable(table)
    out[columns.find(table, "flux")] = columns.column("flux").dress(corrected)
    out["systematics_flag"] = flag
    return out
