"""How columns are taken out of a user's table: by canonical name or alias, in the declared unit, missing as NaN."""

from dataclasses import replace

import numpy as np

from stellarlabels.columns.column import IDENTIFIER, NO_IDENTIFIER, absence, column_name, in_unit, without_unit
from stellarlabels.columns.vocabulary import column, vocabulary
from stellarlabels.exceptions import InputError, MissingColumnError


def find(table, name):
    """Name under which a column of the vocabulary is in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Canonical name or alias.

    Returns
    -------
    str or None
        None if the table has it under none of its names.
    """
    return column_name(table, column(name))


def values(table, name, *, required=True, unit=None):
    """Values of a column of the vocabulary as a plain float array with NaN for what is missing.

    Parameters
    ----------
    table : `~astropy.table.Table`
    name : str
        Canonical name or alias.
    required : bool
        Whether the absence of the column is an error; if not, it gives NaN in every row.
    unit : str, optional
        Unit of the result; by default the declared one.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, ...)

    Raises
    ------
    MissingColumnError
        If the column is required and absent. The message lists the names that were looked for.
    ColumnUnitError
        If the column's unit does not convert to the declared one.
    InputError
        If the column holds text, or is declared as 64-bit integers, which floats would round: take identifiers from
        ``table[find(table, name)]``.

    Warns
    -----
    MissingUnitWarning
        If a unit is declared and the column has none. The declared unit is assumed.
    """
    item = column(name)
    return column_values(table, item if unit is None else replace(item, unit=unit), required=required)


def column_values(table, item, *, required=True):
    """As `values`, for a `Column` that need not be in the vocabulary (the error of a label, say)."""
    if item.dtype == "int64":
        raise InputError(f"column {item.name!r} holds 64-bit integers, which floats would round; use find()")
    key = column_name(table, item)
    if key is None:
        if required:
            raise MissingColumnError(absence(item, table))
        return np.full((len(table), *item.shape), np.nan)
    data = in_unit(table[key], item, key)
    if data.dtype.kind not in "fiub":
        raise InputError(f"column {key!r}: expected numbers, got dtype {data.dtype}")
    out = np.array(data.data, dtype=np.float64)
    if np.ma.is_masked(data):
        out[np.broadcast_to(np.ma.getmaskarray(data), out.shape)] = np.nan
    return out


def identifier(table):
    """Name of the table's identifier column.

    Returns
    -------
    str or None
        The first of source_id, obsid and the other identifiers of the vocabulary that the table has, under any of their
        names; else the first column whose UCD, in ``info.meta["ucd"]``, says "meta.id;meta.main"; else the identifier
        in Gaia DR2, or in a release of Gaia that is not named; else one that is a text, such as that of J-PLUS.
    """
    known = [item for item in vocabulary() if item.is_identifier]
    for is_main in (True, False):
        found = (column_name(table, item) for item in known if item.is_main_identifier == is_main)
        key = next((key for key in found if key is not None), None) or (_main_by_ucd(table) if is_main else None)
        if key is not None:
            return key
    texts = (column_name(table, item) for item in vocabulary() if item.is_text and item.ucd == "meta.id")
    return next((key for key in texts if key is not None), None)


def main_identifiers(table):
    """Names of all columns of the table that identify a star in the vocabulary, under any of their names."""
    found = (column_name(table, item) for item in vocabulary() if item.is_main_identifier)
    return [name for name in found if name is not None]


def _main_by_ucd(table):
    """The first column whose UCD says that it is the identifier, or None."""
    ucds = {name: str((table[name].info.meta or {}).get("ucd", "")).lower() for name in table.colnames}
    return next((name for name, ucd in ucds.items() if ucd.startswith("meta.id;meta.main")), None)


def check_same_stars(table, labels):
    """Refuse labels of another length than the table, or with other identifiers where both have them."""
    if len(table) != len(labels):
        raise InputError(f"labels: expected the {len(table)} rows of the table, got {len(labels)}")
    key, other = identifier(table), identifier(labels)
    if key is not None and other is not None and key.lower() == other.lower() and (table[key] != labels[other]).any():
        raise InputError(f"labels: the column {other!r} differs from that of the table")


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
