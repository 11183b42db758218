"""Isochrones for Kiel and color-magnitude diagrams."""

import numpy as np
from astropy import units as u
from astropy.io.ascii import InconsistentTableError
from astropy.table import QTable, Table

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError, ReadError

#: Magnitudes from here on stand for missing ones.
_NO_MAGNITUDE = 90.0


def read_isochrones(path, *, age=None, m_h=None):
    """Isochrones of a file of PARSEC (CMD web interface) or MIST (``.iso`` or ``.iso.cmd``).

    Parameters
    ----------
    path : path-like
    age, m_h : `~astropy.units.Quantity` or float, optional
        Age (Gyr if a number) and metallicity (dex) of the only one to return: of all the nearest in metallicity, and
        of these the nearest in the logarithm of the age.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each point: ``age`` (Gyr), ``m_h`` (dex), ``initial_mass`` (solMass), ``teff`` (K), ``logg``
        (dex), ``phase`` (int64), and, where the file has magnitudes of Gaia, ``m_g`` and ``bp_rp_0`` (mag). The order
        is that of the file. ``meta["model"]`` is ``"parsec"`` or ``"mist"``; ``meta["age"]`` (Gyr) and ``meta["m_h"]``
        are those of a single one.

    Raises
    ------
    ReadError
        If the file is not there, or not of either kind.
    InputError
        If only one of age and metallicity is given, or the age is not positive.
    """
    if (age is None) != (m_h is None):
        raise InputError("age, m_h: expected both of them, or none")
    try:
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read; {error}") from error
    table = _parse(lines, path)
    model, found = _known(table)
    if model is None:
        raise ReadError(
            f"{path}: expected the columns of a file of PARSEC or MIST, got {', '.join(table.colnames[:8])}"
        )
    out = QTable(meta={"model": model})
    out["age"] = 10 ** (found["log_age"] - 9) * u.Gyr
    out["m_h"] = columns.column("m_h").dress(found["m_h"])
    out["initial_mass"] = found["initial_mass"] * u.solMass
    out["teff"] = columns.column("teff").dress(10 ** found["log_teff"])
    out["logg"] = columns.column("logg").dress(found["logg"])
    out["phase"] = found["phase"].astype(np.int64) if "phase" in found else np.zeros(len(out), np.int64)
    if all(name in found for name in ("g", "bp", "rp")):
        g, bp, rp = (np.where(found[name] < _NO_MAGNITUDE, found[name], np.nan) for name in ("g", "bp", "rp"))
        out["m_g"] = columns.column("m_g").dress(g)
        out["bp_rp_0"] = columns.column("bp_rp_0").dress(bp - rp)
    return out if age is None else _nearest(out, age, m_h)


def _nearest(isochrones, age, m_h):
    """The points of that metallicity, and of these of that age (Gyr), which are the nearest."""
    wanted = u.Quantity(age, u.Gyr).value
    if not wanted > 0:
        raise InputError(f"age: expected a positive age, got {age!r}")
    metals = columns.values(isochrones, "m_h")
    ages = u.Quantity(isochrones["age"], u.Gyr).value
    metal = metals[np.argmin(np.abs(metals - float(u.Quantity(m_h).value)))]
    same = np.flatnonzero(np.isclose(metals, metal, atol=1e-6))
    nearest = ages[same[np.argmin(np.abs(np.log(ages[same] / wanted)))]]
    out = isochrones[same[np.isclose(ages[same], nearest, rtol=1e-6)]]
    out.meta.update(age=float(nearest), m_h=float(metal))
    return out


def _parse(lines, path):
    """The rows of all blocks, with the names in the last comment before the first row."""
    header, rows = None, []
    for line in lines:
        if line.startswith("#"):
            header = line.lstrip("#").split() if not rows else header
        elif line.strip():
            rows.append(line)
    if header is None or not rows:
        raise ReadError(f"{path}: expected comments with the names of the columns, and rows of numbers")
    try:
        return Table.read(rows, format="ascii.no_header", names=header)
    except (InconsistentTableError, ValueError) as error:
        raise ReadError(f"{path}: the rows do not fit the {len(header)} names of the columns; {error}") from error


def _known(table):
    """Which model a table is of, and its columns as plain numbers."""
    declared = packaged.table("analysis", "isochrones")
    for model in dict.fromkeys(declared["model"].tolist()):
        found = {}
        for row in declared[declared["model"] == model]:
            key = next((name for name in str(row["names"]).split() if name in table.colnames), None)
            if key is not None:
                found[str(row["quantity"])] = np.asarray(table[key], float)
        if {"log_age", "m_h", "initial_mass", "log_teff", "logg"} <= set(found):
            return model, found
    return None, {}
