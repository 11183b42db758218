"""The Kiel diagram and the color-magnitude diagram: their columns, and isochrones that go into them."""

import numpy as np
from astropy import units as u
from astropy.io.ascii import InconsistentTableError
from astropy.table import QTable, Table

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.tables.quality import quantity
from stellarlabels.validation import classes


def kiel(table, *, color="feh", rule="logg", limit=3.5):
    """Teff and log g of the stars that have both.

    Parameters
    ----------
    table : `~astropy.table.Table`
    color : str
        Label for the color of the points, if the table has it.
    rule, limit
        As for `stellarlabels.validation.classes`.

    Returns
    -------
    `~astropy.table.QTable`
        ``row`` (int64) of the table, ``teff`` (K), ``logg`` (dex), ``color`` in the unit of the label, NaN where it is
        missing, and ``group``: ``"dwarfs"``, ``"giants"`` or empty. ``meta``: ``color``, its name, and ``note``, a
        sentence if there is no star.
    """
    return _diagram(table, {"teff": _values(table, "teff"), "logg": _values(table, "logg")}, color, rule, limit)


def color_magnitude(table, *, color="feh", rule="logg", limit=3.5):
    """Color and absolute magnitude in the bands of Gaia of the stars that have both.

    Parameters
    ----------
    table : `~astropy.table.Table`
        ``bp_rp_0``, or else the observed BP - RP; and ``m_g``, or else G, the extinction ``ag`` (if there) and
        ``distance`` or ``r_med_geo``.
    color, rule, limit
        As for `kiel`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `kiel`, with ``bp_rp_0`` and ``m_g`` (mag). ``meta["reddened"]`` says whether BP - RP is as observed, and
        ``meta["dimmed"]`` whether the extinction is not taken off.
    """
    reddened, dimmed = columns.find(table, "bp_rp_0") is None, False
    shade = quantity(table, "bp_rp") if reddened else _values(table, "bp_rp_0")
    if columns.find(table, "m_g") is not None:
        magnitude = _values(table, "m_g")
    else:
        extinction = _values(table, "ag")
        dimmed = not np.isfinite(extinction).any()
        distance = _values(table, "distance" if columns.find(table, "distance") else "r_med_geo")
        with np.errstate(invalid="ignore", divide="ignore"):
            modulus = 5 * np.log10(np.where(distance > 0, distance, np.nan) / 10)
        magnitude = _values(table, "phot_g_mean_mag") - modulus - (0 if dimmed else extinction)
    out = _diagram(table, {"bp_rp_0": shade, "m_g": magnitude}, color, rule, limit)
    out.meta.update(reddened=reddened, dimmed=dimmed)
    return out


def _values(table, name):
    return columns.values(table, name, required=False)


def _diagram(table, axes, color, rule, limit):
    """The stars for which both axes are known."""
    rows = np.flatnonzero(np.logical_and.reduce([np.isfinite(values) for values in axes.values()]))
    out = QTable({"row": rows.astype(np.int64)})
    for name, values in axes.items():
        out[name] = columns.column(name).dress(values[rows])
    out["color"] = _values(table, color)[rows]
    group = np.full(len(table), "", dtype="U6")
    for name, mask in classes(table, rule=rule, limit=limit).items():
        group[mask] = name
    out["group"] = group[rows]
    missing = [name for name in axes if not np.isfinite(axes[name]).any()]
    out.meta.update(color=color, note=f"no star has {' and '.join(missing or axes)}" if not len(rows) else "")
    return out


#: Magnitudes from here on stand for missing ones.
_NO_MAGNITUDE = 90.0


def read_isochrones(path):
    """Isochrones of a file of PARSEC (CMD web interface) or MIST (``.iso`` or ``.iso.cmd``).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    `~astropy.table.QTable`
        One row for each point: ``age`` (Gyr), ``m_h`` (dex), ``initial_mass`` (solMass), ``teff`` (K), ``logg``
        (dex), ``phase`` (int64), and, where the file has magnitudes of Gaia, ``m_g`` and ``bp_rp_0`` (mag). The order
        is that of the file. ``meta["model"]`` is ``"parsec"`` or ``"mist"``.

    Raises
    ------
    ReadError
        If the file is not there, or not of either kind.
    """
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
    return out


def select_isochrones(isochrones, *, age, m_h):
    """The isochrone of a table that is nearest to an age and a metallicity.

    Parameters
    ----------
    isochrones : `~astropy.table.Table`
        Output of `read_isochrones`.
    age : `~astropy.units.Quantity` or float
        In Gyr if a number.
    m_h : float
        In dex.

    Returns
    -------
    `~astropy.table.QTable`
        Its points in the order of the file; ``meta["age"]`` (Gyr) and ``meta["m_h"]`` are those that it has. The
        nearest metallicity counts first, then the nearest logarithm of the age.

    Raises
    ------
    InputError
        If the table is empty, or the age is not positive.
    """
    wanted = u.Quantity(age, u.Gyr).value
    if not len(isochrones) or not wanted > 0:
        raise InputError(f"age: expected a positive age and isochrones, got {age!r} and {len(isochrones)} points")
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
