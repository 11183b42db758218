"""One column of a table that comes in: as it is declared if it is, else as it was, with its unit understood."""

import warnings

import numpy as np
from astropy import units as u
from astropy.table import Column, MaskedColumn, Table
from astropy.time import Time
from astropy.utils.masked import Masked

from stellarlabels.columns import units
from stellarlabels.columns.access import exact, may_be_rounded
from stellarlabels.columns.cells import Ragged
from stellarlabels.columns.column import IDENTIFIER, column_name, in_unit, without_unit
from stellarlabels.columns.star_table import StarTable
from stellarlabels.columns.typing import typed
from stellarlabels.columns.vocabulary import column, declaration, known_names
from stellarlabels.exceptions import ColumnUnitError, InputError

#: What numbers can be: Julian years, modified Julian days (1886 to 2132), Julian days (same years).
YEARS, MODIFIED_DAYS, DAYS = (1800.0, 2200.0), (10_000.0, 100_000.0), (2_410_000.0, 2_500_000.0)


def as_years(values, unit=None):
    """Julian years of floats in a unit of time (or none), NaN for what is none; how many were days."""
    values = np.array(values, dtype=np.float64)
    days = np.zeros(values.shape, dtype=bool)
    if unit is not None and u.Unit(unit) != u.yr:
        in_years = values * u.Unit(unit).to(u.yr)
        values = np.where(_within(in_years, YEARS), in_years, values * u.Unit(unit).to(u.d))
    for limits, form in ((MODIFIED_DAYS, "mjd"), (DAYS, "jd")):
        found = _within(values, limits)
        if found.any():
            values[found] = Time(values[found], format=form, scale="tt").jyear
            days |= found
    values[~_within(values, YEARS)] = np.nan
    return values, int(np.count_nonzero(days))


def _within(values, limits):
    with np.errstate(invalid="ignore"):
        return (values >= limits[0]) & (values <= limits[1])


def impossible(data, item, unit=None):
    """Which floats or integers (masked array) in a unit are no possible value of a column; None if all are."""
    plain = data.data
    if plain.dtype.kind not in "fiu" or not plain.size:
        return None
    low, high = _limits(item, unit)
    nulls = [float(null) for null in item.nulls]
    smallest, largest = (ends.reduce(plain, axis=None) for ends in (np.fmin, np.fmax))
    near = [null for null in nulls if smallest <= null <= largest]
    if not near and low <= smallest and largest <= high and np.isfinite([smallest, largest]).all():
        return None
    with np.errstate(invalid="ignore"):
        bad = (plain < low) | (plain > high) | np.isinf(plain)
    for null in near:
        bad |= plain == np.array(null).astype(plain.dtype) if plain.dtype.kind == "f" else plain == null
    bad &= ~np.ma.getmaskarray(data)
    return bad if bad.any() else None


def _limits(item, unit):
    """Smallest and largest value in the unit of the data, if that is a multiple of the declared one."""
    if unit is None or not item.unit or np.isinf([item.low, item.high]).all():
        return item.low, item.high
    try:
        factor = u.Unit(item.unit).to(unit)
    except (u.UnitsError, TypeError, ValueError):
        return item.low, item.high
    return item.low * factor, item.high * factor


class _Columns(dict):
    """Columns by their names, as far as `column_name` asks for a table."""

    def __init__(self, data):
        super().__init__(data)
        self.colnames = list(self)


def declarations(data):
    """The declaration of each column that the library would take for one of the vocabulary."""
    candidates = {name: known_names().get(name.lower()) for name in data}
    columns = _Columns(data)
    chosen = {id(item): column_name(columns, item) for item in candidates.values() if item is not None}
    found = {name: item for name, item in candidates.items() if item is not None and chosen[id(item)] == name}
    if any(item.is_main_identifier for item in found.values()):  # second ones may have been rounded: nobody needs them
        found = {name: item for name, item in found.items() if not _is_second(item) or _kind(data[name]) != "f"}
    return found


def _is_second(item):
    return item.is_identifier and not item.is_main_identifier


def _kind(data):
    """The kind of the dtype of a column, "" if it has none."""
    return getattr(getattr(data, "dtype", None), "kind", "")


def taken(data, name, item, notes, whole=True):
    """One column, as it is declared if it is; it shares the data where nothing has to change."""
    if isinstance(data, Time) and item is not None and item.name == "ref_epoch":
        return data.jyear * u.yr
    if not isinstance(data, (Column, np.ndarray)) or data.dtype.names:
        return shared(data)
    if not whole and data.dtype.kind not in ("iu" if _names_stars(data, item) else "fiu"):
        if data.dtype.kind == "f" and (rounded := may_be_rounded(without_unit(data))):
            notes.remarks[f"{name!r} are no integers, so that the last digits of the identifiers may be lost"] += (
                rounded
            )
        return shared(data)
    if _names_stars(data, item):
        pattern = IDENTIFIER if item is None else item.designation
        numbers = exact(without_unit(data), name, pattern)
        if item is not None and (bad := (numbers.data < item.low) & ~np.ma.getmaskarray(numbers)).any():
            notes.count(name, numbers.data[bad])
            numbers = np.ma.MaskedArray(numbers.data, np.ma.getmaskarray(numbers) | bad)
        return like(data, numbers, None)
    if item is None or item.is_text:
        return _spelled(data)
    numbers, unit = _numbers(without_unit(data), item, name, notes), units.understood(getattr(data, "unit", None))
    if numbers.dtype.kind not in "fiu":
        return shared(data)
    if item.name == "ref_epoch":
        numbers, unit = _years(numbers, unit, name, notes)
    bad = impossible(numbers, item, unit)
    if bad is not None:
        if numbers.ndim == 1:  # what is wrong in a spectrum is told star by star, by flags
            notes.count(name, numbers.data[bad])
        numbers = np.ma.MaskedArray(numbers.data, np.ma.getmaskarray(numbers) | bad)
    if whole and unit is None and item.unit and numbers.shape[1:] == item.shape:
        unit = u.Unit(item.unit)
        notes.unitless[name] = item.unit
    elif isinstance(unit, u.function.FunctionUnitBase) and item.unit:
        try:
            numbers, unit = in_unit(data, item, name, warn=False), u.Unit(item.unit)
        except ColumnUnitError:  # whoever needs the column will say so
            return shared(data)
    return like(data, numbers, unit)


def _names_stars(data, item):
    """Whether a column holds the identifiers of stars or spectra, of whatever survey."""
    if item is not None:
        return item.is_identifier
    return str(data.info.meta.get("ucd", "") if data.info.meta else "").lower().startswith("meta.id;meta.main") and (
        data.dtype.kind in "iuf" and getattr(data, "unit", None) is None
    )


def _numbers(plain, item, name, notes):
    """Texts and objects as numbers, or rows of a matrix, where every one of them is; a masked array."""
    if plain.dtype.kind not in "OSU":
        return plain
    cells = [cell for cell, hidden in zip(plain.data, np.ma.getmaskarray(plain), strict=True) if not hidden]
    if item.shape or any(isinstance(cell, (list, tuple, np.ndarray)) for cell in cells):
        return _matrix(plain, item, name, notes)
    cells = np.ma.filled(plain.astype(object), "")
    texts = [cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in cells]
    out, missing, _ = typed(np.array(texts, np.str_))
    if out.dtype.kind not in "fiu":
        return plain
    if out.dtype.kind == "f":
        missing = np.isnan(out)
        out = np.where(missing, 0.0, out)
    if item.dtype.startswith("float"):
        out = out.astype(np.float64)
    elif out.dtype.kind == "f" and (out % 1 == 0).all():
        out = out.astype(np.int64)
    return np.ma.MaskedArray(out, missing)


def _matrix(plain, item, name, notes):
    """Cells that hold arrays as a matrix; rows of another length than the others are missing."""
    try:
        ragged = Ragged.from_column(plain)
    except InputError:
        return plain
    lengths = np.unique(ragged.lengths[ragged.lengths > 0])
    if lengths.size > 1 and not (item.shape and item.shape[0] in lengths):
        return _padded(ragged, int(lengths.max()))
    length = item.shape[0] if item.shape and (not lengths.size or item.shape[0] in lengths) else int(lengths.max())
    other = int(np.count_nonzero((ragged.lengths > 0) & (ragged.lengths != length)))
    if other:
        notes.remarks[f"{name!r} left out, since they are no arrays of {length} numbers"] += other
    matrix = ragged.matrix(length)
    if np.dtype(item.dtype).kind in "iu" and (matrix % 1 == 0).all():
        matrix = matrix.astype(np.int64)
    return np.ma.MaskedArray(matrix)


def _padded(ragged, length):
    """Arrays of different lengths as rows of a matrix, NaN behind their ends."""
    out = np.full((ragged.lengths.size, length), np.nan)
    out[np.arange(length) < ragged.lengths[:, None]] = ragged.values
    return np.ma.MaskedArray(out)


def _years(numbers, unit, name, notes):
    """Epochs as (Julian years, the year as unit)."""
    given = np.ma.filled(numbers.astype(np.float64), np.nan)
    try:
        years, days = as_years(given, unit)
    except (u.UnitsError, TypeError):  # whoever needs the column will say so
        return numbers, unit
    lost = np.isnan(years) & np.isfinite(given)
    if lost.any():
        notes.count(name, given[lost])
    if days:
        notes.remarks[f"{name!r} are Julian days and were taken as such, not as years"] += days
    return np.ma.MaskedArray(years, np.isnan(years)), u.yr


def _spelled(data):
    """A column that the vocabulary does not know, with its unit understood if that is possible."""
    out = shared(data)
    unit = getattr(out, "unit", None)
    if isinstance(out, Column) and isinstance(unit, u.UnrecognizedUnit):
        found = units.understood(unit)
        out.unit = None if isinstance(found, u.UnrecognizedUnit) else found
        if out.unit is None:
            out.meta["unit"] = str(unit)
    return out


def shared(data):
    """A new column of the same data."""
    if isinstance(data, Column):
        return type(data)(data, copy=False)
    out = data[:] if hasattr(data, "__getitem__") else data
    if hasattr(data, "info"):
        out.info = data.info
    return out


def like(data, numbers, unit):
    """A column of other numbers with what is said of ``data``."""
    mask = np.ma.getmaskarray(numbers)
    if numbers.dtype.isnative is False:
        numbers = numbers.astype(numbers.dtype.newbyteorder("="))
    if unit is None or isinstance(unit, u.UnrecognizedUnit):
        kind = MaskedColumn if mask.any() else Column
        out = kind(numbers if mask.any() else np.ma.getdata(numbers), unit=unit, copy=False)
    else:
        out = u.Quantity(np.ma.getdata(numbers), unit, dtype=numbers.dtype, copy=False)
        out = Masked(out, mask=mask) if mask.any() else out
    info = getattr(data, "info", None)
    if info is not None:
        out.info.description, out.info.format = info.description, info.format
        out.info.meta = dict(info.meta or {})
    return out


def by_name(table):
    """The table, sharing columns, with known ones under canonical names and all others in lower case."""
    # Names of one letter keep their case (B is a magnitude, b a latitude). Where two columns would get the same name,
    # the second keeps its own.
    known = known_names()
    out = Table()
    for name in table.colnames:
        new = name.lower() if len(name) > 1 else name
        item = known.get(name.lower())
        if item is not None and column_name(table, item) == name:
            new = item.name
        out.add_column(shared(table[name]), name=name if new in out.colnames else new, copy=False)
    return out


def dressed(table):
    """A QTable with the units, types and descriptions of the vocabulary where it knows a column and the column fits."""
    # A column that has no unit is taken to be in the declared one. One that does not hold what the vocabulary says is
    # left as it is; whoever needs it will say so.
    out = StarTable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units that astropy does not know stay what they are
        for name in table.colnames:
            out[name] = _tidy(table[name])
            item = declaration(name)
            if item is None:
                continue
            try:
                out[name] = item.dress(table[name])
            except InputError:
                continue
    return out


def plain(name, array):
    """A float column of the vocabulary from an array, with NaN, not a mask, for what is missing."""
    item = column(name)
    out = u.Quantity(array, item.unit, copy=False) if item.unit else Column(array, copy=False)
    out.info.description = item.description
    out.info.meta = {"ucd": item.ucd}
    return out


def factor(data, name):
    """What the numbers of a column are multiplied with to be in the vocabulary's unit; 1 for one without a unit."""
    target, unit = column(name).unit, getattr(data, "unit", None)
    if unit is None or str(unit).strip() == "":
        return 1.0
    for dialect in ("generic", "fits", "vounit", "cds", "ogip"):
        try:
            return u.Unit(str(unit), format=dialect).to(target)
        except (u.UnitsError, ValueError, TypeError):
            continue
    raise ColumnUnitError(f"column {name!r} has the unit {str(unit)!r}, expected one that converts to {target!r}")


def _tidy(data):
    """The same column whatever the file's format: in the machine's byte order, masked only where something is."""
    if not isinstance(data, Column):
        return data
    plain = without_unit(data)
    plain = plain if plain.dtype.isnative else plain.astype(plain.dtype.newbyteorder("="))
    about = {"unit": data.unit, "description": data.description}
    return MaskedColumn(plain, **about) if np.ma.is_masked(plain) else Column(plain.data, **about)
