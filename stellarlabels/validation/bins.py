"""Bins of a quantity, medians of groups, and the tables that the numbers in them make."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError


@dataclass(frozen=True)
class Along:
    """A quantity of each star, (N,) with NaN where missing; name and unit are empty if it has none."""

    name: str
    values: np.ndarray
    unit: str = ""

    def edges(self, bins, known):
        """Edges for ``bins``, edges or a number with equally many known stars, and a note if there are fewer."""
        if np.ndim(bins) > 0:
            edges = u.Quantity(bins)
            edges = edges.to_value(self.unit) if edges.unit != u.dimensionless_unscaled else edges.value
            if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
                raise InputError(f"bins: expected a number or edges that increase, got {bins!r}")
            return edges.astype(float), ""
        if not (isinstance(bins, int | np.integer) and bins > 0):
            raise InputError(f"bins: expected a positive number or edges, got {bins!r}")
        some = self.values[known]
        if not some.size:
            return np.array([np.nan, np.nan]), "no star has all values"
        edges = np.unique(np.quantile(some, np.linspace(0, 1, bins + 1)))
        if edges.size == 1:
            return np.repeat(edges, 2), f"{self.name or 'the quantity'} is the same for all stars: there is one bin"
        return edges, ""


def inside(values, low, high, *, closed=False):
    """Which values (N,) are in a bin, the lower edge included and, if ``closed``, the upper one."""
    return (values >= low) & ((values < high) | (closed & (values == high)))


def quantity_along(tables, along, length):
    """The `Along` that is meant by (N,) values, or by a name in a table (the first that has it) or the vocabulary."""
    if isinstance(along, str):
        for table in tables:
            if along in columns.vocabulary() and columns.find(table, along) is not None:
                item = columns.column(along)
                return Along(item.name, columns.values(table, along), item.unit)
            if along in table.colnames:
                return Along(along, *_plain(table[along], along))
        raise MissingColumnError(f"along: no table has a column {along!r}")
    values, unit = _plain(along, "along")
    if values.shape != (length,):
        raise InputError(f"along: expected {length} numbers, got an array of shape {values.shape}")
    return Along(getattr(getattr(along, "info", None), "name", None) or "", values, unit)


def _plain(data, name):
    """Numbers with NaN for missing ones, and their unit."""
    masked = columns.without_unit(data)
    if masked.dtype.kind not in "fiub":
        raise InputError(f"{name}: expected numbers, got dtype {masked.dtype}")
    unit = getattr(data, "unit", None)
    return masked.astype(float).filled(np.nan), "" if unit is None else unit.to_string()


#: Number of groups from which on their medians are found by sorting all values together.
_MANY = 20_000


def grouped_median(values, group, number):
    """Medians (number,) of the finite values (N,) of groups (N,) from 0 to number - 1; NaN for a group without."""
    used = np.isfinite(values) & (group >= 0) & (group < number)
    values, group = values[used], group[used]
    count = np.bincount(group, minlength=number)
    ends = np.cumsum(count)
    out = np.full(number, np.nan)
    if number > _MANY:
        values = values[np.lexsort((values, group))]
        some = count > 0
        start = ends[some] - count[some]
        out[some] = 0.5 * (values[start + (count[some] - 1) // 2] + values[start + count[some] // 2])
        return out
    kind = np.int16 if number < np.iinfo(np.int16).max else np.int64  # small integers are sorted by their digits
    values = values[np.argsort(group.astype(kind), kind="stable")]
    for place in np.flatnonzero(count):
        out[place] = np.median(values[ends[place] - count[place] : ends[place]])
    return out


#: Beginnings of the names of numbers without a unit that are of the order of one.
_SHARES = ("pull", "coverage", "clipped", "factor", "fraction")


def as_table(rows, *, units=None, **meta):
    """A QTable from rows (dicts with the same keys), with units by column and metadata; no rows give no columns."""
    out = QTable({key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else None, meta=meta)
    for key in out.colnames:
        if out[key].dtype.kind != "f":
            continue
        unit = (units or {}).get(key)
        if unit:
            out[key] = out[key].data * u.Unit(unit)
        out[key].info.format = ".3f" if key.startswith(_SHARES) else ".4g"
    return out
