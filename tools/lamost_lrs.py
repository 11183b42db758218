"""The real LAMOST low-resolution spectra with LASP labels that SolarDis is trained on, and their folds.

The file is 1,595 DR10 spectra with the labels of the LAMOST AFGK catalogue; it does not come with the package. Folds
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
_FILE = "lamost_lrs/lamost_lrs_labelled.npz"
_FIELDS = ("flux", "ivar", "andmask", "ormask", "z", "snrg", "ra", "dec")


def folder():
    """Folder of real observations (``STELLARLABELS_DATA``)."""
    return Path(os.environ.get("STELLARLABELS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def load(path=None):
    """The spectra with their labels.

    Parameters
    ----------
    path : path-like, optional
        The .npz file; by default that of `folder`.

    Returns
    -------
    `~astropy.table.QTable`
        As from `stellarlabels.archive.readers.read_lamost`, the wavelengths in ``meta``, with ``teff``, ``logg``,
        ``feh``.
    """
    with np.load(folder() / _FILE if path is None else path, allow_pickle=False) as data:
        table = QTable({"obsid": columns.column("obsid").dress(data["obsid"])})
        for name in _FIELDS:
            known = name in ("z", "snrg", "ra", "dec")
            table[name] = columns.column(name).dress(data[name]) if known else data[name]
        for name in LABELS:
            table[name] = columns.column(name).dress(data[name])
        table.meta["wavelength"] = data["wave"] * u.AA
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
