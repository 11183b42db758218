"""Tables in columns of fixed width, as the CDS and the AAS journals archive them, with their byte-by-byte description.

Numbers have the shortest text that gives them back, so that nothing is rounded, unless it is asked for. Two libraries
were tried first: `astropy.io.ascii` (its writer of machine-readable tables) and cdspyreadme format value by value, 9 s
for 100,000 rows of ten columns, and stop at some columns of exponents, or at tables without rows.
"""

import re
import textwrap

import numpy as np

from stellarlabels.columns import units
from stellarlabels.exceptions import InputError
from stellarlabels.files.formats import arrow
from stellarlabels.files.progress import TEXT, slices

_RULE = "-" * 80
#: Ends the description of a value out of a cell of several ones.
ORDINAL = "({} of {})"


class FixedWidth:
    """A content in columns of fixed width; ``width`` is the number of characters of a line."""

    # "rounded": numbers have as many decimals as the formats of their columns say, where these are such as ".4f". An
    # InputError names columns of cells of two or more dimensions, of infinite numbers, of text that is not printable
    # ASCII, and names with blanks.

    def __init__(self, content, *, rounded=False):
        self.content = content
        self.columns = [_Column(item, index, rounded) for item in content.fields for index in _places(item)]
        for part in slices(len(content), step=TEXT, title="measuring"):
            for column in self.columns:
                column.measure(part)
        self.width = sum(column.width + 1 for column in self.columns) - 1

    def lines(self):
        """The lines in bytes, thousands at a time."""
        pc = arrow.load().compute
        for part in slices(len(self.content), step=TEXT):
            joined = pc.binary_join_element_wise(*(column.padded(part) for column in self.columns), " ")
            yield "".join(line + "\n" for line in joined.to_pylist()).encode("ascii")

    def description(self, name):
        """The byte-by-byte description of the file of that name, with the meanings of flags as notes."""
        notes = {kind: number for number, kind in enumerate(self.content.flags, start=1)}
        size = max(len(column.name) for column in self.columns)
        head = f"   Bytes Format Units      {'Label':{size}s} Explanations"
        lines = [f"Byte-by-byte Description of file: {name}", _RULE, head, _RULE]
        first = 1
        for column in self.columns:
            last = first + column.width - 1
            place = f"{first:4d}-{last:4d}" if last > first else f"{last:9d}"
            note = notes.get(column.item.column.flags)
            text = column.explanation + (f" ({note})" if note else "")
            lines += _wrapped(f"{place:>9s} {column.format:6s} {column.unit:10s} {column.name:{size}s} ", text)
            first = last + 2
        lines.append(_RULE)
        for kind, number in notes.items():
            lines += _wrapped(f"Note ({number}): ", f"values of the flags ({kind}):", 4)
            for value, meaning in self.content.flags[kind]:
                lines += _wrapped("    ", f"{value} = {_ascii(meaning)}", 10)
        if notes:
            lines.append(_RULE)
        return "\n".join(lines) + "\n"


def _places(item):
    """The indices of the values of a cell; None for a cell of one value."""
    shape = item.column.shape
    if len(shape) > 1:
        raise InputError(f"column {item.column.name!r}: tables of fixed width hold no cells of two or more dimensions")
    return range(shape[0]) if shape else [None]


class _Column:
    """A column, its width and format. A cell of several values has a column for each, counted from 1."""

    def __init__(self, item, index, rounded):
        self.item = item
        asked = re.fullmatch(r"%?\.(\d+)f", item.column.format or "") if rounded and item.kind == "f" else None
        self._rounded_to = int(asked[1]) if asked else None
        self.name = item.column.name if index is None else f"{item.column.name}_{index + 1}"
        if not re.fullmatch(r"[!-~]+", self.name):
            raise InputError(f"column {self.name!r}: names in tables of fixed width are ASCII without blanks")
        self.unit = units.spell(item.column.unit, "cds", self.name) or "---"
        self.width, self._decimals, self._has_exponent = 1, 0, False
        self._index = index

    @property
    def format(self):
        """The format in Fortran's words."""
        letter = {"f": "E" if self._has_exponent else "F", "U": "A"}.get(self.item.kind, "I")
        return f"{letter}{self.width}" + (f".{self._decimals}" if self.item.kind == "f" else "")

    @property
    def explanation(self):
        """The description; a question mark says that values may be missing."""
        text = _ascii(self.item.column.description) or "---"
        place = "" if self._index is None else f" {ORDINAL.format(self._index + 1, self.item.column.shape[0])}"
        return ("? " if self.item.has_missing else "") + text + place

    def measure(self, part):
        """Make room for the values of a slice."""
        pc = arrow.load().compute
        text = self.text(part)
        self.width = max(self.width, pc.max(pc.binary_length(text)).as_py() or 0)
        if self.item.kind == "f":
            self._has_exponent |= bool(pc.any(pc.match_substring(text, "e")).as_py())
            decimals = pc.binary_length(pc.replace_substring_regex(text, r"^[^.]*\.?|e.*$", ""))
            self._decimals = max(self._decimals, pc.max(decimals).as_py() or 0)

    def text(self, part):
        """The text of each value; empty where it is missing."""
        pa, pc = arrow.load(), arrow.load().compute
        data, mask = self.item.data[part], self.item.mask[part]
        if self._index is not None:
            data, mask = data[:, self._index], mask[:, self._index]
        if self.item.kind == "U":
            text = pa.array(data, pa.string())
            if not pc.all(pc.match_substring_regex(text, r"^[ -~]*$")).as_py() and len(text):
                raise InputError(f"column {self.name!r}: tables of fixed width hold printable ASCII only")
            return text
        if self.item.kind == "f" and np.isinf(data).any():
            raise InputError(f"column {self.name!r}: tables of fixed width hold no infinite numbers")
        if self._rounded_to is not None:
            data = np.round(data.astype(np.float64), self._rounded_to)
        text = arrow.numbers(data.astype(np.int8) if self.item.kind == "b" else data)
        return pc.if_else(pa.array(np.ascontiguousarray(mask)), "", text) if self.item.has_missing else text

    def padded(self, part):
        """The text of each value with blanks: numbers to the right, text to the left."""
        pc = arrow.load().compute
        pad = pc.utf8_rpad if self.item.kind == "U" else pc.utf8_lpad
        return pad(self.text(part), self.width, " ")


def _ascii(text):
    return re.sub(r"\s+", " ", text.encode("ascii", "replace").decode("ascii")).strip()


def _wrapped(head, text, indent=None):
    """Lines of at most 80 characters that no reader takes for the description of the next column."""
    glued = re.sub(r" (?=[\d.(\[-])", "\0", text)  # a line that begins with a number would be one
    lines = textwrap.wrap(
        glued,
        80,
        initial_indent=head,
        subsequent_indent=" " * (len(head) if indent is None else indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines] or [head.rstrip()]
