"""Numbers as they stand in sentences and cells."""

import numpy as np

from stellarlabels.plots.names import unit

__all__ = ["MISSING", "count", "number", "percent", "slug", "with_error", "with_unit"]

#: What a cell says where there is no number.
MISSING = "n/a"


def number(value, digits=3):
    """A number with so many significant digits, never in powers of ten; `MISSING` for NaN.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    str
    """
    if value is None or not np.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    places = digits - 1 - int(np.floor(np.log10(abs(value))))
    if places > 6:
        return f"{value:.1e}"
    return f"{value:,.{max(places, 0)}f}".replace("-", "\N{MINUS SIGN}")


def with_error(value, error):
    """A number with its standard error, both to the second digit of the error, or the first if it is small.

    Parameters
    ----------
    value, error : float

    Returns
    -------
    str
        Without the error where it is not known.
    """
    if value is None or not np.isfinite(value):
        return MISSING
    if error is None or not np.isfinite(error) or error <= 0:
        return number(value)
    places = 1 - int(np.floor(np.log10(error)))
    places = max(places - (places > 4), 0)
    value = round(float(value), places) + 0.0  # no minus before a zero
    return f"{value:,.{places}f} ± {error:,.{places}f}".replace("-", "\N{MINUS SIGN}")


def with_unit(value, name, digits=3):
    """A number with the unit of a label.

    Parameters
    ----------
    value : float
    name : str
        Column of the vocabulary.
    digits : int

    Returns
    -------
    str
    """
    return f"{number(value, digits)} {unit(name)}".rstrip()


def count(value, noun="star"):
    """A number of things, such as "1 star" or "1,234 stars"."""
    return f"{int(value):,} {noun}{'' if int(value) == 1 else 's'}"


def percent(share):
    """A share as a percentage, never rounded to a bound that it does not reach."""
    if share is None or not np.isfinite(share):
        return MISSING
    value = 100 * float(share)
    if 0 < value < 0.05:
        return "< 0.1 %"
    if 99.95 < value < 100:
        return "> 99.9 %"
    return f"{value:.1f} %" if 0 < value < 10 or value > 99 and value < 100 else f"{value:.0f} %"


def slug(text):
    """A text as part of a file name or an anchor."""
    kept = "".join(letter.lower() if letter.isascii() and letter.isalnum() else "-" for letter in str(text))
    return "-".join(filter(None, kept.split("-"))) or "x"
