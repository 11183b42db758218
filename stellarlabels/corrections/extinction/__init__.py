"""Extinction: E(B-V) from maps, coefficient sets of photometric bands, the curve for XP spectra, and RJCE.

Two scales of E(B-V) are in use, and every number here knows its own: that of the map of Schlegel, Finkbeiner & Davis
(1998), ``"sfd"``, and the color excess of stars to which extinction laws refer, ``"true"``. The second is 0.86 times
the first (Schlafly & Finkbeiner 2011). The functions are told the scale of the E(B-V) that they are given, look up the
scale of the coefficients, and convert where the two differ, so nobody has to multiply by 0.86 by hand. The column
``ebv`` is on the scale of the SFD map.
"""

from stellarlabels.corrections.extinction.amounts import deredden, extinction, reddening, rjce, rjce_error
from stellarlabels.corrections.extinction.coefficient_sets import (
    DEFAULT as DEFAULT,
    SFD as SFD,
    CoefficientSet,
    check_scale as check_scale,
    coefficient_sets as coefficient_sets,
    coefficients,
    convert_ebv,
    ebv_of as ebv_of,
    scale_of_column as scale_of_column,
)
from stellarlabels.corrections.extinction.curve import deredden_xp, e4455, xp_curve
from stellarlabels.corrections.extinction.maps import add_ebv, check_map, ebv

__all__ = [
    "CoefficientSet",
    "add_ebv",
    "check_map",
    "coefficients",
    "convert_ebv",
    "deredden",
    "deredden_xp",
    "e4455",
    "ebv",
    "extinction",
    "reddening",
    "rjce",
    "rjce_error",
    "xp_curve",
]
