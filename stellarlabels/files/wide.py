"""Text files whose cells hold a thousand numbers, as the archive writes them: no such cell becomes a Python text."""

import csv
import re
from dataclasses import dataclass, field

from stellarlabels.columns import looks_like_array

__all__ = ["Split", "split_columns"]

#: A cell that holds an array, and where it must be seen, in bytes of the first line.
_ARRAY, _SEEN = re.compile(rb'(^|\W)"[(\[]'), 10_000

#: Bytes that are read at once: longer than any line, but few enough for the cache of a processor.
_BLOCK = 2**22


@dataclass(frozen=True)
class Split:
    """A table in text, taken apart.

    Parameters
    ----------
    names : list of str
        All columns in their order; empty if the text is not one for which it pays, or is irregular in any way.
    arrays : dict of str to `pyarrow.ChunkedArray`
        Texts of the columns of arrays.
    rest : str
        A table of the other columns.
    """

    names: list = field(default_factory=list)
    arrays: dict = field(default_factory=dict)
    rest: str = ""


def split_columns(data, start, delimiter):
    """Columns of array cells, apart from the text of all others.

    Parameters
    ----------
    data : bytes
    start : int
        Where the line with the names of the columns begins.
    delimiter : str

    Returns
    -------
    Split
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    body = data.find(b"\n", start) + 1
    if not delimiter.strip() or not body or not _ARRAY.search(data, body, body + _SEEN):
        return Split()
    try:
        names = next(csv.reader([data[start:body].decode()], delimiter=delimiter, skipinitialspace=True))
        table = arrow_csv.read_csv(
            pa.BufferReader(memoryview(data)[start:]),
            read_options=arrow_csv.ReadOptions(block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error):
        return Split()
    columns = dict(zip(table.column_names, table.columns, strict=True))
    arrays = {name: column for name, column in columns.items() if looks_like_array(_first(column))}
    others = [name for name in names if name not in arrays]
    last = [column[-1].as_py() for column in table.columns if len(column)]
    cut = any(text[:1] in ("(", "[") and not looks_like_array(text) for text in last)
    if cut or table.column_names != names or len(columns) < len(names) or len(others) < 2:
        return Split()  # of a single column, an empty cell would be an empty line
    rest = pa.BufferOutputStream()
    arrow_csv.write_csv(table.select(others), rest, write_options=arrow_csv.WriteOptions(delimiter=delimiter))
    return Split(names, arrays, rest.getvalue().to_pybytes().decode())


def _first(column):
    """The first text of a column that is not empty."""
    return next((text for text in (item.as_py() for item in column) if text), "")
