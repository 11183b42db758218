"""Which stars are giants and which are dwarfs."""

import numpy as np

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.tables import quality

__all__ = ["classes"]

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
