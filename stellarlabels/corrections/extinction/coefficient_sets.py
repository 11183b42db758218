"""Sets of extinction coefficients of photometric bands, and the two scales of E(B-V) that they refer to."""

from functools import cache

import numpy as np

from stellarlabels import columns, packaged
from stellarlabels.corrections.arguments import floats
from stellarlabels.exceptions import InputError

#: Scale of the map of Schlegel, Finkbeiner & Davis (1998), and of the column ``ebv``.
SFD = "sfd"
#: Scale of the color excess of stars, to which extinction laws refer.
TRUE = "true"


def check_scale(scale, argument="scale"):
    """The name of a scale, if it is one."""
    known = [str(name) for name in packaged.table("extinction", "ebv_scales")["scale"]]
    if scale not in known:
        raise InputError(f"{argument}: expected one of {known}, got {scale!r}")
    return scale


def convert_ebv(ebv, *, from_scale, to_scale):
    """Color excess on another scale.

    Parameters
    ----------
    ebv : array_like or `~astropy.units.Quantity`
        E(B-V) in mag; masked or not.
    from_scale, to_scale : {"sfd", "true"}
        E(B-V) on the scale "true" is 0.86 times that on the scale "sfd" (Schlafly & Finkbeiner 2011).

    Returns
    -------
    `~numpy.ndarray` of float64
        In mag; NaN where ``ebv`` is missing.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If a scale is unknown or ``ebv`` are not numbers.
    """
    table = packaged.table("extinction", "ebv_scales")
    per_sfd = {str(row["scale"]): float(row["per_sfd"]) for row in table}
    start, end = check_scale(from_scale, "from_scale"), check_scale(to_scale, "to_scale")
    out = floats(ebv, "ebv", "mag")
    return out if start == end else out * (per_sfd[end] / per_sfd[start])


def scale_of_column(table, ebv_scale=None):
    """Scale of the column ``ebv``: the argument, if it does not contradict the column's metadata, these, or "sfd"."""
    key = columns.find(table, "ebv")
    written = None if key is None else (table[key].info.meta or {}).get("ebv_scale")
    if ebv_scale is not None and written not in (None, ebv_scale):
        raise InputError(f"ebv_scale: the column {key!r} says that it is on the scale {written!r}, got {ebv_scale!r}")
    return check_scale(ebv_scale or written or SFD, "ebv_scale")


def ebv_of(table, scale=SFD):
    """E(B-V) (N,) of the column ``ebv`` on a scale, whatever the column's own; NaN where there is none."""
    ebv = columns.values(table, "ebv", required=False)
    return convert_ebv(ebv, from_scale=scale_of_column(table), to_scale=scale)


#: The set that is used where none is named.
DEFAULT = "zhang_yuan_2023"

_NAMES = (DEFAULT, "yang_2022", "wang_chen_2019", "parsec")
_POWERS = ("t3", "t2", "t1", "e2", "e1", "constant")


class CoefficientSet:
    """Extinction per unit of E(B-V) in bands, and reddening in colors.

    Made by `coefficients`.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Columns ``band`` and ``ratio``; where the ratio is a function of Teff and E(B-V), also its six terms and
        ``teff_min`` and ``teff_max``. In ``meta``: ``name``, ``scale``, ``quantity`` ("per_ebv", or "per_av" with
        ``r_v``), ``reference``, ``bibcode``, ``validity``.

    Attributes
    ----------
    name : str
    scale : {"sfd", "true"}
        Scale of the E(B-V) that the ratios are multiplied with.
    bands : tuple of str
        Bands and colors that are tabulated. Colors of two of the bands are known as well.
    depends_on_teff : bool
        Whether `ratio` takes ``teff`` and ``ebv``.
    reference, bibcode, validity : str
    """

    def __init__(self, table):
        self._rows = {str(row["band"]): row for row in table}
        meta = table.meta
        self.name = meta["name"]
        self.description = meta["description"]
        self.scale = check_scale(meta["scale"])
        self.bands = tuple(self._rows)
        self.depends_on_teff = "teff_min" in table.colnames
        self.reference, self.bibcode, self.validity = (meta[key] for key in ("reference", "bibcode", "validity"))
        self.ebv_max = meta.get("ebv_max", np.inf)
        self._per_ebv = meta["r_v"] if meta["quantity"] == "per_av" else 1.0

    def __repr__(self):
        return f"<CoefficientSet {self.name!r}: {len(self.bands)} bands, per E(B-V) on the scale {self.scale!r}>"

    def __contains__(self, band):
        try:
            self._terms(band)
        except InputError:
            return False
        return True

    def _terms(self, band):
        """The tabulated rows that a band or color is made of, with their signs."""
        if band in self._rows:
            return [(1, self._rows[band])]
        blue, _, red = str(band).partition("-")
        if f"{red}-{blue}" in self._rows:
            return [(-1, self._rows[f"{red}-{blue}"])]
        if blue in self._rows and red in self._rows:
            return [(1, self._rows[blue]), (-1, self._rows[red])]
        raise InputError(f"band: the set {self.name!r} has {', '.join(self.bands)} and colors of these, got {band!r}")

    def teff_range(self, band):
        """Effective temperatures in K for which the ratio is known; without bounds where it does not depend on them.

        Parameters
        ----------
        band : str

        Returns
        -------
        low, high : float
        """
        terms = self._terms(band)
        if not self.depends_on_teff:
            return 0.0, np.inf
        low = max(float(row["teff_min"]) for _, row in terms)
        high = min(float(row["teff_max"]) for _, row in terms)
        if low > high:
            raise InputError(f"band: the two bands of {band!r} have no temperature in common in the set {self.name!r}")
        return low, high

    def ratio(self, band, teff=None, ebv=None):
        """A(band)/E(B-V), or E(color)/E(B-V), with E(B-V) on this set's `scale`.

        Parameters
        ----------
        band : str
            A band, or a color such as "BP-RP". Letters in capitals and others are not the same: G is Gaia's, g is
            Pan-STARRS' or J-PLUS'.
        teff : array_like or `~astropy.units.Quantity`, optional
            Effective temperature in K. Without it the set's single value is given.
        ebv : array_like or `~astropy.units.Quantity`, optional
            E(B-V) in mag on this set's `scale`; needed with ``teff``.

        Returns
        -------
        float, or `~numpy.ndarray` of float64 of the common shape of ``teff`` and ``ebv``
            Temperatures and E(B-V) beyond the set's range count as those at its edge. NaN where one of them is missing.

        Raises
        ------
        stellarlabels.exceptions.InputError
            If the band is unknown, or ``teff`` is given to a set that does not depend on it, or without ``ebv``.
        """
        terms = self._terms(band)
        if teff is None:
            return float(sum(sign * row["ratio"] for sign, row in terms)) * self._per_ebv
        if not self.depends_on_teff:
            raise InputError(f"teff: the ratios of the set {self.name!r} are single values, leave it out")
        if ebv is None:
            raise InputError(f"ebv: the ratios of the set {self.name!r} depend on teff and ebv, give both")
        low, high = self.teff_range(band)
        t = np.clip(floats(teff, "teff", "K"), low, high)
        e = np.minimum(floats(ebv, "ebv", "mag"), self.ebv_max)
        t3, t2, t1, e2, e1, constant = (sum(sign * row[power] for sign, row in terms) for power in _POWERS)
        return ((t3 * t + t2) * t + t1) * t + (e2 * e + e1) * e + constant

    def relative(self, band, reference):
        """A(band)/A(reference), each a band or a color: A(RP)/A(Ks), A(G)/E(BP-RP). Single values.

        Parameters
        ----------
        band, reference : str

        Returns
        -------
        float
        """
        return self.ratio(band) / self.ratio(reference)


def coefficient_sets():
    """Names of the coefficient sets, the default first."""
    return list(_NAMES)


@cache
def _load(name):
    return CoefficientSet(packaged.table("extinction", name))


def coefficients(name=DEFAULT):
    """A coefficient set by name.

    Parameters
    ----------
    name : str or `CoefficientSet`
        "zhang_yuan_2023": GALEX, Pan-STARRS, SDSS, Gaia DR3, 2MASS, WISE, with the dependence on Teff and E(B-V);
        "yang_2022": colors of Gaia DR2 and J-PLUS; "wang_chen_2019": Gaia DR2, 2MASS, WISE; "parsec": Gaia.

    Returns
    -------
    `CoefficientSet`

    Raises
    ------
    stellarlabels.exceptions.InputError
        If there is none of this name; the message lists those there are.
    """
    if isinstance(name, CoefficientSet):
        return name
    if name not in _NAMES:
        raise InputError(f"coefficients: expected one of {list(_NAMES)}, got {name!r}")
    return _load(name)
