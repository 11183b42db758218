"""Reference stars put beside the stars of a table of labels: by identifier, the best epoch of each."""

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn, QTable
from astropy.utils.masked import Masked

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.validation.verdicts import good_rows

#: Identifiers, in the order in which they are tried.
IDENTIFIERS = ("source_id", "obsid", "mrs_id", "apogee_id", "jplus_id")
#: Columns that tell which of several spectra of a star is the best.
SIGNAL_TO_NOISE = ("snr", "snrg", "snrr", "snr_b", "snr_r")


def aligned(labels, reference):
    """The reference with the rows of the labels: joined by an identifier that both have, masked where there is none."""
    # Without an identifier in common they must be the same rows, in the same order. Of several rows of the reference
    # the best is taken, see `ranks`.
    key = next((key for key in IDENTIFIERS if _has(labels, key) and _has(reference, key)), None)
    if key is None:
        if len(labels) != len(reference):
            raise InputError(
                f"reference: expected {len(labels)} rows as in labels, got {len(reference)}; the tables have no "
                f"identifier in common by which they could be joined (looked for {', '.join(IDENTIFIERS)}): add one"
            )
        return reference
    left, right = (columns.without_unit(table[columns.find(table, key)]) for table in (labels, reference))
    if left.shape == right.shape and (left.filled() == right.filled()).all() and not _repeated(right):
        return reference
    rows = _rows_of(left, right, ranks(reference))
    if len(labels) and len(reference) and (rows < 0).all():
        raise InputError(f"reference: none of its stars is in labels, joined by {key!r}; give one of the same stars")
    return _taken(reference, rows)


def ranks(table):
    """Place (N,) of each row among all: first those with the most good labels, of these the highest S/N."""
    good = np.zeros(len(table))
    for name in columns.vocabulary().notes["labels"]:
        if columns.find(table, name) is None:
            continue
        own, value = good_rows(table, name), columns.values(table, name)
        good += np.isfinite(value) & (True if own is None else own)
    snr = np.full(len(table), -np.inf)
    for name in (key for key in SIGNAL_TO_NOISE if key in columns.vocabulary() and _has(table, key)):
        snr = np.fmax(snr, columns.values(table, name))
    for name in (key for key in table.colnames if key.lower() in ("snr", "snrev", "sn")):
        data = columns.without_unit(table[name])
        if data.dtype.kind in "iuf" and data.ndim == 1:
            snr = np.fmax(snr, data.astype(float).filled(np.nan))
    out = np.empty(len(table), np.int64)
    out[np.lexsort((-snr, -good))] = np.arange(len(table))
    return out


def _has(table, name):
    return columns.find(table, name) is not None


def _repeated(values):
    some = values.compressed()
    return np.unique(some).size < some.size


def _rows_of(left, right, rank):
    """Row of the reference for each row of the labels, -1 without one; of several that of the lowest rank."""
    there = np.flatnonzero(~np.ma.getmaskarray(right))
    there = there[np.argsort(rank[there], kind="stable")]
    known, first = np.unique(right.data[there], return_index=True)
    if not known.size:
        return np.full(left.size, -1)
    place = np.minimum(np.searchsorted(known, left.data), known.size - 1)
    hit = (known[place] == left.data) & ~np.ma.getmaskarray(left)
    return np.where(hit, there[first[place]], -1)


def _taken(table, rows):
    """Rows of a table; masked where the row is -1."""
    missing, out = rows < 0, QTable(meta=table.meta)
    index = np.where(missing, 0, rows)
    for name in table.colnames:
        data = table[name]
        if data.ndim != 1:
            continue
        if not len(table):
            nothing = np.ma.masked_all(len(rows), columns.without_unit(data).dtype)
            out[name] = MaskedColumn(nothing, unit=data.unit)
        elif not missing.any():
            out[name] = data[index]
        elif isinstance(data, u.Quantity | Masked):
            own = data.mask[index] if isinstance(data, Masked) else False
            plain = data.unmasked if isinstance(data, Masked) else data
            out[name] = Masked(plain[index], mask=missing | own)
        else:
            masked = columns.without_unit(data)
            out[name] = MaskedColumn(masked[index], mask=missing | np.ma.getmaskarray(masked)[index], unit=data.unit)
        out[name].info.meta = data.info.meta
    return out
