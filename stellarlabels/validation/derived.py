"""What follows from labels: dwarfs and giants, and ratios of abundances."""

import numpy as np

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.tables import quality

_RULES = ("logg", "csnet")


def classes(*tables, rule="logg", limit=3.5):
    """Dwarfs and giants, for the arguments called ``groups``.

    Parameters
    ----------
    *tables : `~astropy.table.Table`
        Tables of the same N stars; the first one that has what the rule needs decides.
    rule : {"logg", "csnet"}
        ``"logg"``: a giant has log g below ``limit``. ``"csnet"``: the halves of the color-magnitude diagram of Yang et
        al. (2022), section 4.2.1, where a giant has (BP-RP)0 > 0.95 and M_G < 3.9; with ``bp_rp_0`` and ``m_g``.
    limit : float
        In dex.

    Returns
    -------
    dict of str to `~numpy.ndarray` of bool, shape (N,)
        ``dwarfs`` and ``giants``. A star for which the needed values are missing is neither.

    Raises
    ------
    InputError
        If there is no such rule.
    """
    if rule not in _RULES:
        raise InputError(f"rule: expected one of {', '.join(_RULES)}, got {rule!r}")
    needed = ("logg",) if rule == "logg" else ("bp_rp_0", "m_g")
    table = next((item for item in tables if all(columns.find(item, name) for name in needed)), tables[0])
    if rule == "logg":
        logg = columns.values(table, "logg", required=False)
        return {"dwarfs": logg >= limit, "giants": logg < limit}
    known = np.logical_and.reduce([np.isfinite(columns.values(table, name, required=False)) for name in needed])
    giants = quality.passes(table, quality.get("csnet", "giants"))
    return {"dwarfs": known & ~giants, "giants": known & giants}


def derived_label(table, name, *, required=True):
    """A label, its error (N,), and from which columns: worked out from others if the table does not have it."""
    # Without "required", NaN and "" if it cannot be had. Errors of what it is worked out from are taken to be
    # independent, and it has none where one of them is missing; as errors of [X/H] and [Fe/H] of one spectrum go
    # together, that of [X/Fe] tends to be too large. [X/Fe] = [X/H] - [Fe/H] and the reverse; [alpha/M] = [alpha/Fe] +
    # [Fe/H] - [M/H] and the reverse if all three are there; [M/H] from [Fe/H] and [alpha/Fe] for a solar mixture of the
    # metals with more or less alpha elements (Salaris et al. 1993); the [M/H] that this gives is also used for
    # [alpha/M]. [Fe/H] and [M/H] are never taken for each other. [X/Y] such as c_n, mg_alpha is [X/Fe] - [Y/Fe].
    found = _ratio(table, name) if is_ratio(name) else _direct(table, name) or _derived(table, name)
    if found is not None:
        return found
    if required:
        raise MissingColumnError(f"label {name!r} is missing, and the table has nothing to work it out from")
    return *np.full((2, len(table)), np.nan), ""


def is_ratio(name):
    """Whether a name such as ``c_n`` or ``mg_alpha`` means [X/Y] of two elements neither of which is iron."""
    parts = str(name).split("_")
    known = columns.vocabulary()
    return len(parts) == 2 and str(name) not in known and all(f"{part}_fe" in known for part in parts)


def with_labels(table, names):
    """Columns ``<label>`` and, where known, ``<label>_err`` of all labels that are there or can be worked out."""
    out = {}
    for name in names:
        value, error, source = derived_label(table, name, required=False)
        if not source:
            continue
        item = columns.label_columns(name)
        out[item[0].name] = item[0].dress(value)
        if np.isfinite(error).any():
            out[item[1].name] = item[1].dress(error)
    return out


def _direct(table, name):
    """The label as the table has it."""
    value, error, _ = columns.label_columns(name)
    key = columns.column_name(table, value)
    if key is None:
        return None
    return columns.column_values(table, value), columns.column_values(table, error, required=False), key


def _derived(table, name):
    """The label from others, or None."""
    if name == "m_h":
        return _metallicity(table)
    if name in ("alpha_m", "alpha_fe"):
        return _alpha(table, name)
    element, _, base = name.rpartition("_")
    if base not in ("h", "fe") or name not in columns.vocabulary().notes["labels"]:
        return None
    other = f"{element}_{'fe' if base == 'h' else 'h'}"
    if other not in columns.vocabulary():
        return None
    parts = _direct(table, other), _direct(table, "feh")
    return _sum(parts, (1, 1 if base == "h" else -1))


def _ratio(table, name):
    """[X/Y] from [X/Fe] and [Y/Fe], each as it is or worked out."""
    parts = [derived_label(table, f"{part}_fe", required=False) for part in name.split("_")]
    return _sum([part if part[2] else None for part in parts], (1, -1))


def _alpha(table, name):
    """[alpha/M] from [alpha/Fe] or the reverse."""
    iron = _direct(table, "feh")
    if name == "alpha_fe":
        return _sum((_direct(table, "alpha_m"), _direct(table, "m_h"), iron), (1, 1, -1))
    alpha = _direct(table, "alpha_fe")
    if (exact := _sum((alpha, iron, _direct(table, "m_h")), (1, 1, -1))) is not None or alpha is None:
        return exact
    shift, slope = _shift(alpha[0])
    return alpha[0] - shift, alpha[1] * np.abs(1 - slope), f"{alpha[2]} - shift({alpha[2]})"


def _metallicity(table):
    """[M/H] from [Fe/H] and [alpha/Fe], or from [Fe/H], [alpha/M] and the [alpha/Fe] that they imply."""
    iron, alpha = _direct(table, "feh"), _direct(table, "alpha_fe")
    if iron is None or alpha is None:
        return None
    shift, slope = _shift(alpha[0])
    return iron[0] + shift, np.hypot(iron[1], slope * alpha[1]), f"{iron[2]} + shift({alpha[2]})"


def _shift(alpha):
    """[M/H] - [Fe/H] of a mixture, and its derivative by [alpha/Fe]."""
    numbers = packaged.table("validation", "numbers")
    share = float(numbers["value"][numbers["name"] == "alpha_share"][0])
    metals = share * 10.0**alpha
    return np.log10(metals + 1 - share), metals / (metals + 1 - share)


def _sum(parts, signs):
    """Sum of labels, with independent errors; None if one is missing."""
    if any(part is None for part in parts):
        return None
    value = sum(sign * part[0] for sign, part in zip(signs, parts, strict=True))
    error = np.sqrt(sum(part[1] ** 2 for part in parts))
    text = " ".join(f"{'+' if sign > 0 else '-'} {part[2]}" for sign, part in zip(signs, parts, strict=True))
    return value, error, text.removeprefix("+ ")
