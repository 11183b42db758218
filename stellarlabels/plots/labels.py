"""What columns are called on axes and in sentences, with units, and their values."""

import re

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.validation import is_ratio, quantity_along

#: Names that do not follow from the name of the column: in sentences, and on axes.
_NAMES = {
    "teff": ("Teff", r"$T_{\rm eff}$"),
    "logg": ("log g", r"$\log g$"),
    "feh": ("[Fe/H]", "[Fe/H]"),
    "m_g": ("M_G", "$M_G$"),
    "m_g_dimmed": ("M_G + A_G", "$M_G + A_G$"),
    "m_ks": ("M_Ks", r"$M_{K_{\rm s}}$"),
    "bp_rp_0": ("(BP-RP)0", r"$(G_{\rm BP} - G_{\rm RP})_0$"),
    "bp_rp": ("BP-RP", r"$G_{\rm BP} - G_{\rm RP}$"),
    "phot_g_mean_mag": ("G", "$G$"),
    "phot_g_mean_mag_0": ("G0", "$G_0$"),
    "ebv": ("E(B-V)", "$E(B-V)$"),
    "snrg": ("S/N (g)", "S/N (g)"),
    "snr_b": ("S/N (blue)", "S/N (blue)"),
    "snr_r": ("S/N (red)", "S/N (red)"),
    "parallax": ("parallax", r"$\varpi$"),
}
_ABUNDANCE = re.compile(r"(alpha|[a-z]{1,2})_(alpha|[a-z]{1,2})")


def plain(name):
    """The name of a column in a sentence, such as "Teff" or "[Mg/Fe]"; unknown ones keep their name."""
    name = _canonical(name)
    if name in _NAMES:
        return _NAMES[name][0]
    found = _abundance(name)
    return f"[{_element(found[1])}/{_element(found[2])}]" if found else name.replace("_", " ")


def symbol(name):
    """The name of a column on an axis, as Matplotlib sets it."""
    key = _canonical(name)
    if key in _NAMES:
        return _NAMES[key][1]
    return plain(key).replace("alpha", r"$\alpha$") if _abundance(key) else plain(key)


def unit(name):
    """The unit of a column of the vocabulary as text; empty where there is none."""
    try:
        declared = columns.column(name).unit
    except MissingColumnError:
        return "dex" if is_ratio(name) else ""
    return u.Unit(declared).to_string("unicode") if declared else ""


def axis(name, prefix="", *, of=None):
    """Text of an axis such as "$T_{eff}$ (K)": words before it, symbol, and the declared unit or ``of``."""
    text = unit(name) if of is None else of
    return f"{prefix}{symbol(name)}" + (f" ({text})" if text else "")


def _abundance(name):
    """The two elements of [X/Y], [X/H] or [X/M], or None."""
    found = _ABUNDANCE.fullmatch(name)
    return found if found and (found[2] in ("fe", "h", "m") or is_ratio(name)) else None


def _canonical(name):
    try:
        return columns.column(name).name
    except MissingColumnError:
        return str(name)


def _element(letters):
    return letters if letters == "alpha" else letters.capitalize()


def quantity(tables, name):
    """Values (N,) of a column of the first table that has it, NaN where missing, and the text of its axis."""
    found = quantity_along(tables, name, len(tables[0]))
    if found.values.ndim != 1:
        raise InputError(f"column {name!r}: expected single numbers, got cells of shape {found.values.shape[1:]}")
    unit = u.Unit(found.unit, parse_strict="silent") if found.unit else ""
    return found.values, axis(found.name, of=unit.to_string("unicode") if unit else "")


def label_values(table, name):
    """A label and its error, (N,) each; NaN where missing, or if the table does not have them."""
    value, error, _ = columns.label_columns(name)
    return tuple(np.asarray(columns.column_values(table, item, required=False)) for item in (value, error))
