"""J-PLUS photometry as the archive gives it: one column for each filter -> arrays of the 12 filters."""

import numpy as np

from stellarlabels.columns.column import without_unit
from stellarlabels.columns.star_table import StarTable
from stellarlabels.columns.vocabulary import column, vocabulary

__all__ = ["FILTERS", "gather"]

#: The filters of J-PLUS in order of wavelength: the order of the elements in columns with 12 of them.
FILTERS = (
    *("uJAVA", "J0378", "J0395", "J0410", "J0430", "gSDSS"),
    *("J0515", "rSDSS", "J0660", "iSDSS", "J0861", "zSDSS"),
)

#: Stands for a non-detection.
_NOT_DETECTED = 99


def gather(table):
    """Put the columns of the filters together.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With columns such as ``mag_aper_6_0_gsdss``, one for each of the 12 filters; letters in any case.

    Returns
    -------
    `~astropy.table.QTable`
        With one column of 12 elements, in order of wavelength, in place of each dozen: ``mag_aper_6_0``,
        ``mag_err_aper_6_0`` (mag; masked where the star is not detected) and ``flags``. All other columns, and dozens
        that are not complete, are as they were. ``jplus_id`` is added from ``tile_id`` and ``number``: "1500-1234".
    """
    present = {name.lower(): name for name in table.colnames}
    first = FILTERS[0].lower()
    stems = [name.removesuffix(f"_{first}") for name in present if name.endswith(f"_{first}")]
    dozens = {stem: [present.get(f"{stem}_{name.lower()}") for name in FILTERS] for stem in stems}
    dozens = {stem: members for stem, members in dozens.items() if None not in members}
    replaced = {members[0]: stem for stem, members in dozens.items()}
    hidden = {name for members in dozens.values() for name in members[1:]}
    out = StarTable(meta=dict(table.meta))
    for name in table.colnames:
        if name in replaced:
            out[replaced[name]] = _stacked(replaced[name], [table[member] for member in dozens[replaced[name]]])
        elif name not in hidden:
            out[name] = table[name]
    if {"tile_id", "number"} <= set(present) and not {"jplus_id", "specid"} & set(present):
        numbers = (without_unit(table[present[name]]) for name in ("tile_id", "number"))
        tile, number = (np.ma.asarray(values).astype(np.int64).astype(str) for values in numbers)
        texts = np.char.add(np.char.add(tile.filled(""), "-"), number.filled(""))
        out["jplus_id"] = column("jplus_id").dress(np.ma.MaskedArray(texts, np.ma.getmaskarray(tile) | number.mask))
    return out


def _stacked(name, columns):
    """One column of the 12, as the vocabulary declares it where it does."""
    data = np.ma.stack([without_unit(each) for each in columns], axis=1)
    if data.dtype.kind == "f":
        data = np.ma.masked_where(data.filled(_NOT_DETECTED) >= _NOT_DETECTED, data)
    if name in vocabulary():
        return column(name).dress(data)
    return data
