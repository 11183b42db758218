"""Extinction from the Rayleigh-Jeans color excess (RJCE) of a star's own infrared color."""

import numpy as np

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError


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
