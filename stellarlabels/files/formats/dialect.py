"""How a delimited text is written: comments, header, units, delimiter, and where the rows begin."""

import codecs
import csv
import re
from dataclasses import dataclass

from stellarlabels.columns import typing
from stellarlabels.exceptions import ReadError
from stellarlabels.files.opening import damages

#: What separates cells; the one that is most often in the header.
_DELIMITERS = (",", "\t", "|", ";")
#: Lines by which the columns are judged before all of them are read, and bytes that are looked at.
_SAMPLE, _MOST = 50, 1 << 25


@dataclass(frozen=True)
class Dialect:
    """How a text is written: comments before the header, the header, where the rows begin, the first rows."""

    comments: list
    header: str
    start: int
    names: list
    units: list
    delimiter: str
    sample: list


def cells(line, delimiter):
    """The cells of one line."""
    row = next(csv.reader([line.strip(" \r\n")], delimiter=delimiter, skipinitialspace=True), [])
    return [cell.strip() for cell in row]


def sniff(place):
    """The `Dialect` of a text; a ReadError if it has no line of column names."""
    with damages(place.where, "text"), place.open() as stream:
        position = 3 if stream.read(3) == codecs.BOM_UTF8 else 0
        stream.seek(position)
        comments, lines, starts = [], [], []
        for raw in stream:
            line = decoded(raw).rstrip("\r\n")
            if lines or (line.strip() and not line.startswith("#")):
                lines.append(line)
                starts.append(position)
            elif line.strip():
                comments.append(line)
            position += len(raw)
            if len(lines) > _SAMPLE or position > _MOST:
                break
    return _dialect(place, comments, lines, [*starts, position])


def decoded(raw):
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _dialect(place, comments, lines, starts):
    """The dialect of the first lines."""
    last = comments[-1].lstrip("# ") if comments else ""
    delimiter = _delimiter(lines[0] if lines else last)
    names, first = cells(lines[0], delimiter) if lines else [], 1
    hidden = cells(last, _delimiter(last) if not lines else delimiter) if last else []
    if delimiter == " " and hidden and hidden[-1] == "":
        hidden.pop()
    numbers = [typing.is_number(cell) for cell in names]
    is_hidden = hidden and not any(map(typing.is_number, hidden)) and not comments[0].startswith("# %ECSV")
    if is_hidden and (not lines or (any(numbers) and len(hidden) == len(names))):
        names, first = hidden, 0
    elif not lines or (all(numbers) and names != [str(index) for index in range(len(names))]):
        shown = f"; the first line is {lines[0][:60]!r}" if lines else ""
        raise ReadError(f"{place.where}: has no line of column names{shown}")
    said = []
    for skip in (1, 2):  # dashes under the names, as VizieR and others have them, or under names and units
        if len(lines) > first + skip - 1 and re.fullmatch(r"-[-\s,;|]*", lines[first + skip - 1]):
            said = cells(lines[first], delimiter) if skip == 2 else []
            first += skip
            break
    if delimiter == "\t" and re.fullmatch(r"\d*[NSM](\t\d*[NSM])*\s*", lines[first] if len(lines) > first else ""):
        first += 1  # widths and types, as RDB has them
    start = starts[first]
    sample = [cells(line, delimiter) for line in lines[first:]]
    return Dialect(comments, lines[0] if lines else last, start, names, said, delimiter, sample)


def _delimiter(header):
    best = max(_DELIMITERS, key=header.count)
    return best if best in header else " " if " " in header.strip() else ","
