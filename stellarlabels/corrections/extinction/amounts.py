"""Extinction and reddening in magnitudes, from E(B-V) or from infrared colors (RJCE), and dereddened photometry."""

from dataclasses import replace

import numpy as np
from astropy import units as u

from stellarlabels import columns, flags, packaged
from stellarlabels.columns import StarTable
from stellarlabels.corrections.arguments import floats
from stellarlabels.corrections.extinction.coefficient_sets import (
    DEFAULT,
    SFD,
    coefficients as coefficient_set,
    convert_ebv,
    scale_of_column,
)
from stellarlabels.exceptions import InputError

EXTINCTION = flags.register(
    flags.FlagSet(
        "extinction",
        "extinction_flag: what is known of E(B-V) and of the extinction",
        [
            ("MISSING_EBV", "E(B-V) is missing; the dereddened magnitudes are masked.", "bad"),
            (
                "NO_COORDINATES",
                "Coordinates, or the distance, are missing or impossible; the map could not be asked.",
                "bad",
            ),
            ("OUTSIDE_MAP", "The map has no value at this place.", "bad"),
            ("EBV_RANGE", "E(B-V) is larger than the coefficients are valid for; the one at the limit was used."),
            ("TEFF_RANGE", "Teff is outside the coefficients' range; the coefficient at its edge was used."),
            ("NEGATIVE_EBV", "E(B-V) is negative, so that dereddening makes stars fainter and redder."),
            ("FROM_MAP", "E(B-V) was looked up in a map.", "note"),
        ],
    )
)


def extinction(band, ebv, *, coefficients=DEFAULT, ebv_scale=SFD, teff=None):
    """Extinction in a band.

    Parameters
    ----------
    band : str
        A band of the set; for colors see `reddening`.
    ebv : array_like or `~astropy.units.Quantity`
        E(B-V) in mag.
    coefficients : str or `CoefficientSet`
        See `stellarlabels.corrections.extinction.coefficients`.
    ebv_scale : {"sfd", "true"}
        Scale of ``ebv``. It is converted to the scale of the coefficients.
    teff : array_like or `~astropy.units.Quantity`, optional
        Effective temperature in K, for sets that depend on it.

    Returns
    -------
    `~numpy.ndarray` of float64, or `~astropy.units.Quantity` where ``ebv`` is one
        In mag; NaN where ``ebv`` (or ``teff``) is missing.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the band, set or scale is unknown, or ``band`` is a color.
    """
    if "-" in band:
        raise InputError(f"band: expected a band, got the color {band!r}; use reddening()")
    return _amount(band, ebv, coefficients, ebv_scale, teff)


def reddening(color, ebv, *, coefficients=DEFAULT, ebv_scale=SFD, teff=None):
    """Color excess of a color such as "BP-RP".

    Parameters
    ----------
    color : str
        A color of the set, or of two of its bands.
    ebv, coefficients, ebv_scale, teff
        As for `extinction`.

    Returns
    -------
    `~numpy.ndarray` of float64, or `~astropy.units.Quantity` where ``ebv`` is one
        In mag; NaN where ``ebv`` (or ``teff``) is missing.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the color, set or scale is unknown, or ``color`` is a band.
    """
    if "-" not in color:
        raise InputError(f"color: expected a color such as 'BP-RP', got {color!r}; use extinction() for a band")
    return _amount(color, ebv, coefficients, ebv_scale, teff)


def _amount(band, ebv, coefficients, ebv_scale, teff):
    """Coefficient times E(B-V), both on the scale of the coefficients."""
    chosen = coefficient_set(coefficients)
    excess = convert_ebv(ebv, from_scale=ebv_scale, to_scale=chosen.scale)
    out = chosen.ratio(band, teff, None if teff is None else excess) * excess
    return u.Quantity(out, u.mag) if isinstance(ebv, u.Quantity) else out


@columns.entrance("table")
def deredden(table, *, bands=None, coefficients=DEFAULT, ebv_scale=None, teff=None):
    """Photometry without extinction.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``ebv`` and magnitudes under the names of the vocabulary (``phot_g_mean_mag``, ``j_m``, ...).
    bands : iterable of str, optional
        Which of G, BP, RP, J, H, Ks, W1, W2 to deredden; by default all that both the table and the set have.
    coefficients : str or `CoefficientSet`
        See `stellarlabels.corrections.extinction.coefficients`.
    ebv_scale : {"sfd", "true"}, optional
        Scale of the column ``ebv``; by default the ``ebv_scale`` in the column's metadata, and "sfd" if that is silent.
    teff : array_like or `~astropy.units.Quantity`, optional
        Effective temperature in K, for sets that depend on it.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input; for each band the extinction ``a_<band>`` and the magnitude ``<column>_0`` in mag,
        masked where E(B-V), Teff or the magnitude is missing; and ``extinction_flag``.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If a band is unknown or ``ebv_scale`` contradicts the metadata of the column.
    stellarlabels.exceptions.MissingColumnError
        If ``ebv`` or the magnitude of a band that was asked for is missing.
    """
    chosen = coefficient_set(coefficients)
    column_of = {str(row["band"]): str(row["column"]) for row in packaged.table("extinction", "bands")}
    if bands is None:
        bands = [band for band, name in column_of.items() if band in chosen and columns.find(table, name) is not None]
    unknown = [band for band in bands if band not in column_of or band not in chosen]
    if unknown:
        raise InputError(f"bands: expected some of {[*column_of]} that {chosen.name!r} has as well, got {unknown}")
    scale = scale_of_column(table, ebv_scale)
    ebv = columns.values(table, "ebv")
    teff = None if teff is None else floats(teff, "teff", "K")
    out = StarTable(table)
    for band in bands:
        column = columns.column(column_of[band])
        absorption = extinction(band, ebv, coefficients=chosen, ebv_scale=scale, teff=teff)
        amount = replace(column, name=f"a_{band.lower()}", ucd="phys.absorption", description=f"Extinction in {band}")
        intrinsic = replace(column, name=f"{column.name}_0", description=f"{column.description}, dereddened")
        out[amount.name] = amount.dress(absorption)
        out[intrinsic.name] = intrinsic.dress(columns.values(table, column.name) - absorption)
    out["extinction_flag"] = columns.column("extinction_flag").dress(_flag(ebv, scale, chosen, bands, teff))
    return out


def _flag(ebv, scale, chosen, bands, teff):
    """The column ``extinction_flag`` of `deredden`."""
    with np.errstate(invalid="ignore"):
        conditions = {
            "MISSING_EBV": np.isnan(ebv),
            "NEGATIVE_EBV": ebv < 0,
            "EBV_RANGE": convert_ebv(ebv, from_scale=scale, to_scale=chosen.scale) > chosen.ebv_max,
        }
        if teff is not None:
            ranges = np.array([chosen.teff_range(band) for band in bands]).reshape(-1, 2)
            conditions["TEFF_RANGE"] = ((teff < ranges[:, :1]) | (teff > ranges[:, 1:])).any(axis=0)
    return EXTINCTION.where(**conditions)


@columns.entrance("table")
def rjce(table, *, variant="wise", coefficient=None, offset=None, clip=(0.0, None)):
    """Extinction in Ks from H-W2: coefficient * (H - W2 - offset).

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``h_m`` and ``w2mpro``.
    variant : {"wise", "irac"}
        Published pair of numbers: "wise", coefficient 0.918 and offset 0.05 mag, as in the target selection of APOGEE
        with WISE W2; "irac", 0.918 and 0.08 mag, Majewski et al. (2011) for Spitzer [4.5].
    coefficient : float, optional
        Instead of the variant's.
    offset : float, optional
        Intrinsic H-W2 in mag, instead of the variant's.
    clip : (float or None, float or None), or None
        Smallest and largest extinction in mag; None for no limit. Noise makes H-W2 of stars without extinction come out
        on both sides of the offset. The default replaces negative results by zero, which raises the mean extinction of
        such stars; None keeps them, so that the mean is right.

    Returns
    -------
    `~astropy.units.Quantity` of float64, shape (N,), mag
        A(Ks), masked where a magnitude is missing. For other bands multiply by a ratio of a coefficient set, as
        ``coefficients("wang_chen_2019").relative("RP", "Ks")``.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a magnitude is missing.
    stellarlabels.exceptions.InputError
        If the variant is unknown or ``clip`` is no pair.

    Notes
    -----
    Majewski, S. R., Zasowski, G., & Nidever, D. L. 2011, ApJ, 739, 25.
    """
    factor, zero = _numbers(variant, coefficient, offset)
    absorption = factor * (columns.values(table, "h_m") - columns.values(table, "w2mpro") - zero)
    if clip is not None:
        if len(clip) != 2:
            raise InputError(f"clip: expected a pair (smallest, largest) or None, got {clip!r}")
        absorption = np.clip(absorption, *clip)
    return columns.column("aks").dress(absorption)


@columns.entrance("table")
def rjce_error(table, *, variant="wise", coefficient=None):
    """Standard error of `rjce` from the errors of the two magnitudes.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``h_msigcom`` and ``w2mpro_error``.
    variant, coefficient
        As for `rjce`.

    Returns
    -------
    `~astropy.units.Quantity` of float64, shape (N,), mag
        Masked where an error is missing. The scatter of the intrinsic color is not in it.
    """
    factor, _ = _numbers(variant, coefficient, None)
    error = factor * np.hypot(columns.values(table, "h_msigcom"), columns.values(table, "w2mpro_error"))
    return columns.column("aks_error").dress(error)


def _numbers(variant, coefficient, offset):
    """Coefficient and offset: the user's, or the variant's."""
    table = packaged.table("extinction", "rjce")
    known = [str(name) for name in table["variant"]]
    if variant not in known:
        raise InputError(f"variant: expected one of {known}, got {variant!r}")
    row = table[known.index(variant)]
    return (
        float(row["coefficient"]) if coefficient is None else coefficient,
        float(row["offset"]) if offset is None else offset,
    )
