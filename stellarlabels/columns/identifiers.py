"""Identifiers: integers of 64 bits of which no digit may be lost, in whatever form they arrive."""

import numpy as np

from stellarlabels.columns.column import IDENTIFIER, NO_IDENTIFIER, without_unit
from stellarlabels.columns.vocabulary import column
from stellarlabels.exceptions import InputError

_REMEDY = (
    "read it as integers or text, for instance with dtype={'%s': 'Int64'} in pandas, "
    "so that no digit is lost, and give the table again"
)


def identifiers(data, name="source_id"):
    """Identifiers as a MaskedColumn of int64 from integers or texts of digits, exact; anything else is refused."""
    # "Gaia DR3 " may be before the digits; None, masked and the like are missing. Floats may have been rounded.
    if hasattr(data, "iloc"):
        data = np.array(data.tolist(), dtype=object)
    masked = without_unit(data)
    return column("source_id").dress(exact(masked.reshape(-1) if masked.ndim == 0 else masked, name))


def exact(data, name, pattern=IDENTIFIER):
    """Identifiers (masked array (N,) of any dtype) as masked int64; uint64 where they need it."""
    mask = np.ma.getmaskarray(data)
    if data.dtype.kind in "OSU":
        data, mask = _from_cells(data.data, mask, name, pattern)
    if data.dtype.kind == "f":
        mask = mask | np.isnan(data.data)
        _refuse_floats(data.data[~mask], name)
    elif data.dtype.kind not in "iu":
        raise InputError(f"column {name!r}: expected identifiers, got dtype {data.dtype}")
    plain = np.where(mask, data.dtype.type(0), data.data) if mask.any() else data.data
    if plain.dtype == np.uint64 and plain.size and plain.max() > np.iinfo(np.int64).max:
        return np.ma.MaskedArray(plain, mask)
    return np.ma.MaskedArray(plain.astype(np.int64), mask)


def may_be_rounded(data):
    """How many floats (masked array) have more digits than a float is sure to hold."""
    with np.errstate(invalid="ignore"):
        return int(np.count_nonzero((np.abs(data.data) >= 2**53) & np.isfinite(data.data) & ~np.ma.getmaskarray(data)))


def _refuse_floats(values, name):
    """No float is an identifier, since nobody can see whether it was rounded; values (n,) are those that are there."""
    if values.size:
        raise InputError(
            f"column {name!r}: expected integers, got {values.dtype} ({values[0]}), in which long identifiers are "
            f"rounded; {_REMEDY % name}"
        )


def _from_cells(cells, mask, name, pattern):
    """Texts and objects as (integers, mask)."""
    numbers, hidden = [], mask.copy()
    for index, cell in enumerate(cells.tolist()):
        number = None if mask[index] else _number(cell, name, pattern)
        hidden[index] = number is None
        numbers.append(number or 0)
    wide = bool(numbers) and max(numbers) > np.iinfo(np.int64).max
    try:
        data = np.array(numbers, dtype=np.uint64 if wide else np.int64)
    except OverflowError as error:
        raise InputError(f"column {name!r}: expected integers of 64 bits, got longer ones") from error
    return np.ma.MaskedArray(data), hidden


def _number(cell, name, pattern):
    """One identifier as an integer; None if it is missing."""
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "replace")
    if isinstance(cell, (int, np.integer)) and not isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, (float, np.floating)) and not np.isnan(cell):
        _refuse_floats(np.array([cell]), name)
    text = str(cell).strip()
    if cell is None or text.lower() in NO_IDENTIFIER:
        return None
    found = pattern.fullmatch(text)
    if found is None:
        raise InputError(f"column {name!r}: expected integers of 64 bits, got {text[:40]!r}; {_REMEDY % name}")
    return int(found[1])
