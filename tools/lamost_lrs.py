"""The real LAMOST low-resolution spectra with LASP labels that SolarDis is trained on, and their folds.

The files are 2,261 DR10 spectra with the labels of the LAMOST AFGK catalogue; they do not come with the package. Folds
are by star: the level-12 HEALPix index of the position, modulo five, which is the rule of the fixed held-out stars
(fold 0).
"""

import os
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns

LABELS = ("teff", "logg", "feh")
FILES = ("lamost_lrs/lamost_lrs_labelled.npz", "lamost_lrs/lamost_lrs_labelled_2.npz")
_FIELDS = ("flux", "ivar", "andmask", "ormask", "z", "snrg", "ra", "dec")


def folder():
    """Folder of real observations (``STELLARLABELS_DATA``)."""
    return Path(os.environ.get("STELLARLABELS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def load(paths=None):
    """The spectra with their labels.

    Parameters
    ----------
    paths : path-like or sequence of path-like, optional
        The .npz files; by default those of `folder`.

    Returns
    -------
    `~astropy.table.QTable`
        As from `stellarlabels.archive.readers.read_lamost`, the wavelengths in ``meta``, with ``teff``, ``logg``,
        ``feh``. Spectra that end earlier than others have an inverse variance of 0 there.
    """
    parts = []
    for path in [folder() / name for name in FILES] if paths is None else np.atleast_1d(paths):
        with np.load(path, allow_pickle=False) as data:
            parts.append({name: data[name] for name in ("obsid", "wave", *_FIELDS, *LABELS)})
    wavelength, table = parts[0]["wave"], QTable()
    for name in ("obsid", *_FIELDS, *LABELS):
        values = np.concatenate([part[name] for part in parts])
        known = values.ndim == 1
        table[name] = columns.column(name).dress(values) if known else values
    table.meta["wavelength"] = wavelength * u.AA
    return table


def folds(table):
    """The fold of each star, 0 to 4; fold 0 is that of the fixed held-out stars.

    Returns
    -------
    `~numpy.ndarray` of int, shape (N,)
    """
    import healpy

    ra, dec = (columns.values(table, name) for name in ("ra", "dec"))
    return healpy.ang2pix(4096, ra, dec, nest=True, lonlat=True) % 5


def is_fgk(table):
    """Stars of 4000 to 7000 K after LASP, among which scatter is quoted."""
    teff = columns.values(table, "teff")
    return (teff >= 4000) & (teff <= 7000)
