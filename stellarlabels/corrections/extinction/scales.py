"""The two scales of E(B-V), and the one place where a color excess goes from one to the other."""

from stellarlabels import columns, packaged
from stellarlabels.corrections.arguments import floats
from stellarlabels.exceptions import InputError

__all__ = ["SFD", "TRUE", "check_scale", "convert_ebv", "scale_of_column"]

#: Scale of the map of Schlegel, Finkbeiner & Davis (1998), and of the column ``ebv``.
SFD = "sfd"
#: Scale of the color excess of stars, to which extinction laws refer.
TRUE = "true"


def check_scale(scale, argument="scale"):
    """The name of a scale, if it is one.

    Parameters
    ----------
    scale : str
    argument : str
        What the name was given as, for the message.

    Returns
    -------
    str

    Raises
    ------
    stellarlabels.exceptions.InputError
        If there is no such scale.
    """
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
    """Scale of the column ``ebv`` of a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
    ebv_scale : {"sfd", "true"}, optional
        What the user says.

    Returns
    -------
    str
        The argument, or else the ``ebv_scale`` in the column's metadata, or else "sfd".

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the argument contradicts the metadata, or the scale is unknown.
    """
    key = columns.find(table, "ebv")
    written = None if key is None else (table[key].info.meta or {}).get("ebv_scale")
    if ebv_scale is not None and written not in (None, ebv_scale):
        raise InputError(f"ebv_scale: the column {key!r} says that it is on the scale {written!r}, got {ebv_scale!r}")
    return check_scale(ebv_scale or written or SFD, "ebv_scale")
