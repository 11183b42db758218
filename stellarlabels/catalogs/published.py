"""From what a file holds to a table: units, missing values, renamed columns and flags of the published catalogs.

The rules for a published file, which knows nothing of nulls or units, are in its schema: null values for each column,
units, other names, sets of flags. A file that this library wrote has true nulls, so none are looked for.
"""

import difflib
import logging
import re
from dataclasses import replace

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn

from stellarlabels import columns, files, flags
from stellarlabels.columns import Column, StarTable
from stellarlabels.exceptions import ColumnUnitError, ReadError

_log = logging.getLogger(__name__)
#: A cell of several numbers as text, "(1.0, 2.0)" or "[1.0 2.0]".
_BRACKETS = str.maketrans("()[]{},;", "        ")
#: Words that stand for no number.
_NOTHING = ("", "nan", "null", "none", "-", "--", "n/a", "na")

#: Name in the metadata of a table for the columns that it has beside those of its schema.
BESIDE = "beside_the_schema"


def content_of(table, declared):
    """The content of a table for files, conformed to a schema if there is one, with what the table has beside it."""
    if declared is None:
        return files.from_table(table)
    out = declared.conform(table)
    for name in table.meta.get(BESIDE, ()):
        if name in table.colnames:
            out[name] = table[name]
    return files.from_table(out, declared)


def to_table(content, declared=None):
    """The QTable that a file's content makes, conformed to a schema if one is declared."""
    # What was found is in its metadata: "renamed_columns", names in the file by names of the schema; "unknown_columns",
    # kept as they are; "missing_columns", masked in every row; "similar_columns", unknown ones that missing ones may
    # be. Null values of the schema are not looked for in files of our own.
    out = StarTable(meta=dict(content.meta))
    for key in ("description", "reference"):
        if getattr(content, key):
            out.meta[key] = getattr(content, key)
    for item in content.fields:
        if declared is not None:
            item = _as_declared(item, declared, content.is_own)
        out.add_column(_dressed(item, declared), name=item.column.name, copy=False)
    if declared is None:
        return out
    conformed = declared.conform(out, unknown="keep")
    _report(out.colnames, conformed.meta, declared)
    return conformed


def taken_in(content, declared, notes):
    """The table of a content; of another program's, without a schema, its numbers go through the intake (`Notes`)."""
    out = to_table(content, declared)
    return out if declared is not None or content.is_own else columns.intake(out, notes=notes, whole=False)


def with_flags(table, declared):
    """The table with the flags of the published catalog, by ``notes["flag_rules"]``, in place of those of labels."""
    # A rule says "from" which columns a flag column of the catalog follows, which "bits" of them count (without any
    # all but notes), and the values for "clear" and "set". It is missing where one that it follows from is; a rule of
    # which no column is there changes nothing.
    out = StarTable(table, copy=False)
    for name, rule in declared.notes.get("flag_rules", {}).items():
        sources = [key for key in rule["from"] if key in table.colnames]
        if not sources:
            continue
        bits = sum(flags.LABEL[bit] for bit in rule["bits"]) or ~flags.LABEL.bits("note")
        values = np.ma.stack([np.ma.asarray(table[key]) for key in sources])
        raised = ((values & bits) != 0).any(axis=0)
        column = declared[name]
        for key in [key for key in out.colnames if key.lower() == name.lower()]:
            out.remove_column(key)
        flagged = np.where(np.ma.filled(raised, True), rule["set"], rule["clear"])
        out[name] = column.dress(np.ma.MaskedArray(flagged, mask=np.ma.getmaskarray(values).any(axis=0)))
    return out


def beside(catalog, labels, declared):
    """The columns of labels that a catalog in a published schema does not have, by the names that they get there."""
    # Files do not tell apart names by the case of letters. Flags of the schema have a convention of their own, unless
    # their bits are those of labels; a column of bits whose name is taken by such is called <label>_flag_bits.
    bits, out, taken = tuple(flags.LABEL), {}, {name.lower() for name in catalog.colnames}
    clash = any(name.endswith("_flag") and name.lower() in taken - {*catalog.colnames} for name in labels.colnames)
    for name in labels.colnames:
        if name == columns.identifier(labels):
            continue
        if name in declared and declared[name].name in catalog.colnames:
            known = declared[name]
            is_bits = bool(known.flags) and tuple(flags.get(known.flags)) == bits
            if is_bits or not name.endswith("_flag"):
                continue
        if name.endswith("_flag"):
            name, data = f"{name}_bits" if clash else name, labels[name]
        else:
            name, data = f"{name}_label" if name.lower() in taken else name, labels[name]
        out[name] = data
    return out


def unfilled(catalog, declared, system):
    """Why columns of a catalog are empty: dict of names to reasons."""
    out = {}
    for name in catalog.colnames:
        if len(catalog) == 0 or not np.ma.getmaskarray(columns.without_unit(catalog[name])).all():
            continue
        base = name.removesuffix("_flag")
        item = declared[base if base in declared else name]
        source = item.canonical or item.name
        label = re.sub("_(err(_[a-z]+)?|flag)$", "", source)
        if label in system.labels:
            out[name] = "no star has a value"
        elif source in system.computed_from:
            out[name] = f"it is computed from {system.computed_from[source]}, which the table does not have"
        elif label in columns.vocabulary().notes["labels"]:
            out[name] = f"these weights give no {label}, see {type(system).__name__}.available()"
        else:
            out[name] = f"the table has no {source}"
    return out


def _dressed(item, declared):
    """The field as a table column. Logarithms of quantities come out in bare dex or mag."""
    column = item.column
    if item.kind == "O":  # cells of several lengths
        out = MaskedColumn(item.data, mask=item.mask, unit=column.unit or None, description=column.description)
        out.info.meta = {"ucd": column.ucd} if column.ucd else {}
        return out
    data = np.ma.MaskedArray(item.data, mask=item.mask)
    known = columns.declaration(column.name)
    if known is not None and known.dtype == "bool" and item.kind in "iu" and np.isin(data.compressed(), (0, 1)).all():
        return known.dress(data.astype(bool))  # of a format without truth values: as integers they would be row numbers
    unit = u.Unit(column.unit or "", parse_strict="silent")
    if isinstance(unit, u.LogUnit):
        return replace(column, unit=unit.function_unit.to_string()).dress(MaskedColumn(data, unit=unit))
    if not isinstance(unit, u.UnrecognizedUnit):
        return column.dress(data, copy=False)
    if declared is not None and column.name in declared:
        raise ColumnUnitError(f"column {column.name!r} has the unit {column.unit!r}, which is not a known unit")
    out = replace(column, unit="").dress(data, copy=False)
    out.info.meta = {**out.info.meta, "unit": column.unit}
    return out


def _as_declared(item, declared, is_own):
    """The field with the schema's unit where the file gives none, and the null values of a published file masked."""
    known = item.column.name in declared
    target = declared[item.column.name] if known else Column(item.column.name)
    if known:
        item = _unpacked(item, target)
        if item.column.shape != target.shape:
            raise ReadError(
                f"column {item.column.name!r} has cells of shape {item.column.shape}, expected {target.shape}"
            )
        if item.kind in "iuf":
            item = replace(item, column=replace(item.column, unit=item.column.unit or target.unit))
    if is_own:
        return item
    if item.kind == "U":
        return replace(item, mask=item.mask | np.isin(item.data, target.nulls))
    if item.kind in "iuf":
        nulls = [*declared.notes.get("null_values", {}).get("*", ()), *map(float, target.nulls)]
        return replace(item, mask=item.mask | np.isin(item.data, nulls))
    return item


def _unpacked(item, target):
    """Numbers that came as text, and cells of several numbers that came as text, as numbers."""
    if item.kind != "U" or target.is_text:
        return item
    size = int(np.prod(target.shape, dtype=int))
    words = [text.translate(_BRACKETS).split() or ["nan"] * size for text in np.where(item.mask, "", item.data).flat]
    try:
        words = np.array(words, dtype=np.str_).reshape(*item.data.shape, *target.shape)
        mask = np.isin(np.char.lower(words), _NOTHING)
        data = np.where(mask, "0", words)
        if np.dtype(target.dtype).kind in "iu":  # not by way of floats, which would round identifiers
            data = np.array([re.sub(r"\.0*$", "", word) for word in data.flat], dtype=np.str_).reshape(data.shape)
        data = data.astype(np.int64 if np.dtype(target.dtype).kind in "iu" else np.float64)
    except (ValueError, OverflowError) as error:
        raise ReadError(f"column {item.column.name!r}: expected {size} numbers in each cell; {error}") from error
    return replace(item, column=replace(item.column, dtype=data.dtype.name, shape=target.shape), data=data, mask=mask)


def _report(names, meta, declared):
    """Add to the metadata, and to the log, what was renamed and what may be meant by unknown columns."""
    unknown, missing = meta.get("unknown_columns", []), meta.get("missing_columns", [])
    renamed = {
        name: declared[name].name
        for name in names
        if name in declared and name not in unknown and declared[name].name != name
    }
    lower = {name.lower(): name for name in unknown}
    similar = {}
    for name in missing:
        found = [hit for key in declared[name].names for hit in difflib.get_close_matches(key.lower(), lower, 1, 0.8)]
        if found:
            similar[name] = lower[found[0]]
    for key, value in (("renamed_columns", renamed), ("similar_columns", similar)):
        if value:
            meta[key] = value
    for text, value in (("renamed", renamed), ("not in the schema, kept", unknown), ("missing", missing)):
        if value:
            _log.info("%s: columns %s: %s", declared.name, text, value)
