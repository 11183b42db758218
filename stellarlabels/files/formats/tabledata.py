"""Rows of a VOTable in plain text, thousands of rows at a time."""

import numpy as np

from stellarlabels.exceptions import InputError
from stellarlabels.files.formats import arrow

_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
#: Characters beside control characters that XML 1.0 cannot hold.
_NO_CHARACTERS = r"[\x{FFFE}\x{FFFF}]"
_MISSING = {"f": "NaN", "b": "?"}


def rows(packer, part):
    """Rows of a slice as TR elements, in bytes."""
    pc = arrow.load().compute
    cells = [_cells(item, null, part) for item, null in zip(packer.fields, packer.nulls, strict=True)]
    joined = pc.binary_join_element_wise(*cells, "</TD><TD>")
    lines = pc.binary_join_element_wise("<TR><TD>", joined, "</TD></TR>\n", "")
    return "".join(lines.to_pylist()).encode("utf-8")


def _cells(item, null, part):
    """The text of each cell of a column; empty where a scalar is missing."""
    pa, pc = arrow.load(), arrow.load().compute
    data, mask = item.data[part], item.mask[part]
    if item.kind == "U":
        return _escaped(item, data)
    shape = data.shape
    text = arrow.numbers(data.reshape(-1), {"f": ("NaN", "+Inf", "-Inf"), "b": ("T", "F")}.get(item.kind))
    if item.has_missing:
        missing = _MISSING.get(item.kind, str(null)) if item.column.shape else ""
        text = pc.if_else(pa.array(np.ascontiguousarray(mask).reshape(-1)), missing, text)
    if not item.column.shape:
        return text
    size = int(np.prod(item.column.shape))
    offsets = pa.array(np.arange(shape[0] + 1, dtype=np.int32) * size)
    return pc.binary_join(pa.ListArray.from_arrays(offsets, text), " ")


def _escaped(item, data):
    """Text with the characters that XML reserves as entities."""
    pa, pc = arrow.load(), arrow.load().compute
    name = item.column.name
    if item.column.shape:
        raise InputError(f"column {name!r}: a VOTable in plain text holds no arrays of text")
    text = pa.array(data, pa.string())
    if pc.any(pc.match_substring_regex(text, _NO_CHARACTERS)).as_py():
        raise InputError(f"column {name!r}: XML holds no U+FFFE and U+FFFF")
    for character, entity in _ENTITIES:
        text = pc.replace_substring(text, character, entity)
    return text
