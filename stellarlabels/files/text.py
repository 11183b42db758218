"""Tables in delimited text: CSV with or without comments, and ECSV. Long array cells are parsed fast and exactly."""

import codecs
import csv
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import numpy as np
from astropy.table import Column, Table

from stellarlabels.columns import declared_dtype, exact_floats, looks_like_array, parse, parse_column
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files.wide import split_columns

__all__ = ["read_text"]

_ECSV = "# %ECSV"
_NULLS = ("null", "None", "--")


def read_text(data, where):
    """A table in delimited text.

    Parameters
    ----------
    data : bytes
    where : str
        What to call the file in messages.

    Returns
    -------
    table : `~astropy.table.Table`
        64-bit integers are exact also next to missing values, which are masked. Texts in brackets are arrays: a
        two-dimensional column, or a column of arrays where the lengths differ.
    meta : dict
        What the comments before the header say (``# key: value``), or the metadata of ECSV.

    Raises
    ------
    ReadError
        If the text is not a table, or was cut off.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    comments, start = _comments(data, where)
    if not re.compile(rb"\S").search(data, start):
        raise ReadError(f"{where}: no table; there is no line with column names")
    if comments and comments[0].startswith(_ECSV):
        fields, meta, delimiter = _ecsv_header(comments, where)
    else:
        fields, meta, delimiter = {}, _key_values(comments), _delimiter(_decoded(data, start, where, line=True))
    split = split_columns(data, start, delimiter)
    frame = _frame(split.rest if split.names else _decoded(data, start, where), delimiter, where)
    parsed = _parsed(split, fields)
    table = Table()
    for name in split.names or frame.columns:
        field = fields.get(name, {})
        try:
            if name in parsed:
                table.add_column(Column(parsed[name].result().cells(), name=name, copy=False), copy=False)
            else:
                table[name] = _column(frame[name], field.get("datatype"), field.get("subtype"))
        except (InputError, ValueError, TypeError) as error:
            raise ReadError(f"{where}: column {name!r}: {error}") from error
        table[name].unit = field.get("unit")
        table[name].description = field.get("description")
    return table, meta


def _parsed(split, fields):
    """Futures of the columns of arrays, by name, in the precision of the archive."""
    if not split.arrays:
        return {}
    import pyarrow as pa

    out = {}
    with ThreadPoolExecutor(min(pa.cpu_count(), len(split.arrays))) as pool:
        for name, texts in split.arrays.items():
            single = _dtype_of_cells(name, fields.get(name, {}).get("subtype")) == "float32"
            out[name] = pool.submit(parse_column, texts, np.float32 if single else np.float64)
    return out


def _decoded(data, start, where, *, line=False):
    """Text from a place on, to the end of the line or of the file."""
    end = data.find(b"\n", start) + 1 if line else 0
    try:
        return data[start : end or len(data)].decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(f"{where}: neither FITS, VOTable, zip nor text; {error}") from error


def _comments(data, where):
    """Lines of comment before the header, and where the rest begins."""
    comments, start = [], 0
    while data.startswith((b"#", b"\n", b"\r\n"), start):
        line = _decoded(data, start, where, line=True)
        comments.append(line.rstrip())
        start += len(line.encode())
    return [line for line in comments if line], start


def _ecsv_header(comments, where):
    """Declared columns by name, metadata and delimiter of an ECSV file."""
    from astropy.table import meta as header_of
    from yaml import YAMLError

    lines = [line[2:] for line in comments[1:]]
    try:
        header = header_of.get_header_from_yaml(lines)
        fields = {field["name"]: field for field in header["datatype"]}
    except (YAMLError, header_of.YamlParseError, KeyError, TypeError, ValueError) as error:
        raise ReadError(f"{where}: the ECSV header is damaged; {type(error).__name__}: {error}") from error
    return fields, dict(header.get("meta") or {}), header.get("delimiter", " ")


def _key_values(comments):
    pairs = (re.match(r"#\s*([\w ]+?)\s*[:=]\s*(.+)", line) for line in comments)
    return {match[1]: match[2].strip() for match in pairs if match}


def _delimiter(header):
    return next((mark for mark in (",", "\t", ";", "|") if mark in header), " " if " " in header.strip() else ",")


def _frame(body, delimiter, where):
    """The body as a DataFrame of nullable columns."""
    import pandas as pd

    separator = r"\s+" if delimiter == " " else delimiter
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                StringIO(body),
                sep=separator,
                dtype_backend="numpy_nullable",
                na_values=_NULLS,
                index_col=False,
                skipinitialspace=True,
                low_memory=False,
                **exact_floats(),
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = "it ends within a quoted cell" if "EOF inside string" in str(error) else str(error)
        raise ReadError(f"{where}: damaged or truncated text; {reason}") from error
    _check_last_line(body, delimiter, len(frame.columns), where)
    return frame


def _check_last_line(body, delimiter, width, where):
    """A file that was cut off ends within a line that has too few cells."""
    end = len(body)
    while end and body[end - 1] in "\r\n":
        end -= 1
    last = body[max(body.rfind("\n", 0, end), body.rfind("\r", 0, end)) + 1 : end].strip(" ")
    if last.count('"') % 2:  # the end of a cell with a line break: the parser has seen that it is complete
        return
    try:
        cells = len(next(csv.reader([last], delimiter=delimiter, skipinitialspace=True)))
    except csv.Error as error:
        raise ReadError(f"{where}: damaged text; {error}") from error
    if cells < width:
        raise ReadError(f"{where}: truncated; the last line has {cells} cells, expected {width}")


def _column(series, datatype, subtype):
    """One column of a DataFrame; missing values are masked."""
    mask = series.isna().to_numpy()
    kind = series.dtype.kind
    dtype = _dtype_of_cells(series.name, subtype)
    if mask.all():  # pandas has no idea of the type
        dtype = dtype if subtype else datatype or dtype or "float64"
        return np.ma.masked_all(mask.shape, dtype="U1" if dtype == "string" else dtype)
    if kind in "OSU":
        texts = series.to_numpy(dtype=object, na_value="")
        first = next((text for text in texts if text), "")
        if looks_like_array(first):
            return _arrays(parse(list(texts)), dtype)
        return np.ma.MaskedArray(texts.astype(np.str_), mask=mask)
    dtype = (datatype if datatype != "string" else None) or dtype
    if kind in "iu":
        plain = series.to_numpy(dtype=series.dtype.numpy_dtype, na_value=0)
    elif kind == "b":
        plain = series.to_numpy(dtype=bool, na_value=False)
    else:
        plain = series.to_numpy(dtype=np.float64, na_value=np.nan)
        dtype = dtype if dtype and np.dtype(dtype).kind == "f" else None  # never round identifiers silently
    return np.ma.MaskedArray(plain.astype(dtype) if dtype else plain, mask=mask)


def _dtype_of_cells(name, subtype):
    """What ECSV declares, or the archive has."""
    return (subtype or "").split("[")[0] or declared_dtype(name)


def _arrays(ragged, dtype):
    """Array cells in the precision of the archive: text has more digits than the number that was written."""
    cells = ragged.cells()
    if dtype != "float32":
        return cells
    if cells.dtype != object:
        return cells.astype(np.float32)
    cells[:] = [cell.astype(np.float32) for cell in cells]
    return cells
