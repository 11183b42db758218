"""Tables in delimited text: CSV, TSV and tables with blanks, also with comments, units or a header in a comment.

The types are those that hold every value of a column in the whole file, whether it is read at once or in pieces; that
takes one pass over the file before pieces are read. Apache Arrow does the work; a text that it does not understand
(blanks around quotes, say) is first brought into plain form.
"""

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stellarlabels.columns import Column, declared_dtype, looks_like_array, parse, parse_column, typing, units
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files.content import Content, field_of, ragged_field
from stellarlabels.files.formats import arrow
from stellarlabels.files.formats.dialect import decoded, sniff
from stellarlabels.files.formats.foreign import TableSheet
from stellarlabels.files.formats.long_cells import LongCells
from stellarlabels.files.opening import damages
from stellarlabels.files.progress import TEXT, slices
from stellarlabels.files.sheets import Sheet, regrouped

#: Bytes that are read at once: longer than any line, but few enough for the cache of a processor.
_BLOCK = 1 << 22
#: A value above it may be an identifier that has been rounded.
_EXACT = 2**53
#: Bytes of a piece of a file that is not read at once.
_SEGMENT = 1 << 25
#: The header of an IPAC table.
_IPAC = re.compile(r"\s*(\\|\|.*\|\s*$)")


def tables(place):
    """The table of a text file."""
    line = next((line for line in place.head.splitlines() if line.strip()), b"")
    if _IPAC.match(decoded(line)):
        return [TableSheet(place, _ipac)]
    return [Text(place, sniff(place))]


def _ipac(data):
    from astropy.table import Table

    return Table.read(decoded(data).splitlines(), format="ascii.ipac")


class _AgainError(Exception):
    """The text has to be read once more, in another way."""


class Text(Sheet):
    """The table of a text file."""

    def __init__(self, place, dialect):
        pairs = (re.match(r"#\s*([\w ]+?)\s*[:=]\s*(.+)", line) for line in dialect.comments)
        super().__init__(place, dialect.names, meta={pair[1]: pair[2].strip() for pair in pairs if pair})
        self._dialect = dialect
        self._units = dict(zip(self.names, dialect.units, strict=False))
        self._stored = {name: f"c{index}" for index, name in enumerate(self.names)}  # what Arrow calls the columns
        self._form = 2 if dialect.delimiter == " " else 0  # 0: as it is, 1: with line breaks in cells, 2: rewritten
        self._encoding, self._problem, self._texts, self._plain = "utf8", "", set(), None

    def read(self, declared=None):
        types = self._known(declared)

        def whole():
            [found] = self._tables(types, None)
            kinds = self._kinds([found], types)
            columns = dict(zip(self.names, found.columns, strict=True))
            held = {name: ("string", "null", _native(kinds[name])) for name in self.names}
            again = [name for name, column in columns.items() if str(column.type) not in held[name]]
            return self._fields(columns | self._only(again), kinds)

        return self._content(self._tried(whole))

    def blocks(self, rows, first=0, declared=None):
        types = self._known(declared)
        kinds = self._tried(lambda: self._kinds(self._tables(types, _SEGMENT), types))
        types = {name: "string" if name in self._decided else _native(kind) for name, kind in kinds.items()}
        for table in regrouped(self._tables(types, _SEGMENT), rows, first, arrow.load().concat_tables, None):
            yield self._content(self._fields(dict(zip(self.names, table.columns, strict=True)), kinds))

    def _content(self, fields):
        return Content(fields)

    def _known(self, declared):
        """The type in which each column of a schema is read; small integers may be written as floats."""
        known = {name: declared[name] for name in self.names if declared is not None and name in declared}
        texts = {name for name, item in known.items() if item.is_text or item.shape}
        return {name: "string" if name in texts else _native(item.dtype, "double") for name, item in known.items()}

    def _tried(self, function):
        """The result of a function that reads, in the first way of reading in which there is one."""
        with damages(self.place.where, "text"):
            while True:
                try:
                    return function()
                except _AgainError:
                    continue

    def _tables(self, types, size):
        """Arrow tables of segments of about so many bytes; of the whole if that is None."""
        return (self._table(segment, types) for segment in self._segments(size))

    def _only(self, names):
        """Columns of the whole file as texts."""
        if not names:
            return {}
        found = [self._table(segment, dict.fromkeys(names, "string"), names) for segment in self._segments(_SEGMENT)]
        table = arrow.load().concat_tables(found)
        return {name: table[self._stored[name]] for name in names}

    def _table(self, segment, types, only=None):
        """A segment, with the columns of the given types in these and all others in those that are found."""
        pa, csv_of, stored = arrow.load(), arrow.load().csv, list(self._stored.values())
        kinds = {name: "string" if name in self._texts else kind for name, kind in types.items()}
        types = {self._stored[name]: pa.type_for_alias(kind) for name, kind in kinds.items()}
        self._check_end(segment)
        cells = LongCells(segment, self._dialect.delimiter)
        try:
            table = csv_of.read_csv(
                pa.BufferReader(cells.text),
                csv_of.ReadOptions(column_names=stored, block_size=_BLOCK, encoding=self._encoding),
                csv_of.ParseOptions(
                    delimiter="," if self._form == 2 else self._dialect.delimiter,
                    newlines_in_values=self._form > 0,
                    invalid_row_handler=self._odd_row,
                ),
                csv_of.ConvertOptions(
                    column_types=types,
                    null_values=list(typing.NULLS),
                    include_columns=[self._stored[name] for name in only] if only else None,
                ),
            )
            return cells.restored(table)
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                return pa.table({name: pa.array([], types.get(name, pa.null())) for name in stored})
            self._adapt(error)
            raise _AgainError from error

    def _check_end(self, segment):
        """Refuse a text that was cut off within a quoted cell."""
        tail = memoryview(segment)[-_BLOCK:].tobytes().rpartition(b"\n")[2]
        if tail.count(b'"') % 2:
            raise ReadError(f"{self.place.where}: damaged or truncated text (CSV); it ends within a quoted cell")

    def _odd_row(self, row):
        """Lines with another number of cells: comments and blank ones are passed over."""
        if row.text.lstrip().startswith("#") or not row.text.strip(" \t,;|"):
            return "skip"
        self._problem = f"a line has {row.actual_columns} cells, expected {row.expected_columns}: {row.text[:50]!r}"
        return "error"

    def _adapt(self, error):
        """Choose another way of reading after an error, or raise it."""
        words = str(error)
        column = re.search(r"CSV column #(\d+)", words)
        if "UTF8" in words and self._encoding == "utf8":
            self._encoding = "latin-1"
        elif column:
            name = self.names[int(column[1])]
            if name in self._texts:
                raise ReadError(f"{self.place.where}: column {name!r} could not be read as CSV: {words}") from error
            self._texts.add(name)
        elif self._form < 2:
            self._form += 1
        else:
            reason = self._problem or words
            raise ReadError(f"{self.place.where}: damaged or truncated text (CSV); {reason}") from error

    def _segments(self, size):
        """The bytes of the rows, in pieces of whole lines."""
        pa = arrow.load()
        if self._form == 2:
            yield from _cut(io.BytesIO(self._rewritten()), size)
        elif size is None and self.place.is_plain and self.place.path.stat().st_size:
            with pa.memory_map(str(self.place.path)) as file:
                yield file.read_buffer().slice(min(self._dialect.start, file.size()))
        else:
            with self.place.open() as stream:
                stream.seek(self._dialect.start)
                yield from _cut(stream, size)

    def _rewritten(self):
        """The rows with commas, without blanks around cells, and without comments."""
        if self._plain is None:
            with self.place.open() as stream:
                stream.seek(self._dialect.start)
                lines = io.StringIO(decoded(stream.read()), newline="")
            out = io.StringIO(newline="")
            kept = (line.strip(" ") for line in lines if line.strip() and not line.startswith("#"))
            try:
                rows = csv.reader(kept, delimiter=self._dialect.delimiter, skipinitialspace=True, strict=True)
                csv.writer(out, lineterminator="\n").writerows(rows)
            except csv.Error as error:
                reason = "it ends within a quoted cell" if "unexpected end" in str(error) else str(error)
                raise ReadError(f"{self.place.where}: damaged or truncated text (CSV); {reason}") from error
            self._plain = out.getvalue().encode()
        self._encoding = "utf8"
        return self._plain

    def _kinds(self, tables, known):
        """The type of each column: that of Arrow, one that its texts have, "string", or "float32[]" for arrays."""
        seen = {name: set() for name in self.names}
        self._first = dict.fromkeys(self.names, "")
        large = set()
        for table in tables:
            for name, column in zip(self.names, table.columns, strict=True):
                kind = str(column.type)
                seen[name] |= {kind} - {"null"}
                if kind == "string":
                    self._first[name] = self._first[name] or _first(column)
                elif kind == "double" and _is_large(column):
                    large.add(name)
        kinds = {name: known.get(name) or _merged(seen[name], name in large) for name in self.names}
        kinds |= dict.fromkeys(self._texts & set(known), "string")
        for name, kind in kinds.items():
            if kind == "string" and self._is_array(name):
                kinds[name] = f"{'float32' if self._cells_of(name) == 'float32' else 'float64'}[]"
        self._decided = [name for name in self.names if name not in known and self._is_open(name, kinds[name])]
        for name, texts in self._only(self._decided).items():
            kinds[name], odd = typing.decide(texts, comma=self._comma)
            if odd is not None:
                self.notes.append(f"column {name!r} is read as text, since {odd!r} is no number")
        return kinds

    def _is_array(self, name):
        """Whether the texts of a column are arrays."""
        return looks_like_array(self._first[name])

    def _cells_of(self, name):
        """The dtype of numbers in arrays: text may have more digits than the number that was written."""
        return declared_dtype(name)

    @property
    def _comma(self):
        return self._dialect.delimiter not in (",", " ")

    def _is_open(self, name, kind):
        """Whether the texts of a column have to be looked at: odd types, or text where the first rows are numbers."""
        if kind == "?" or kind != "string":
            return kind == "?"
        place = self.names.index(name)
        words = [row[place] for row in self._dialect.sample if len(row) > place and row[place] not in typing.NULLS]
        return sum(typing.is_number(word, comma=self._comma) for word in words) * 2 >= len(words)

    def _fields(self, columns, kinds):
        """The fields of Arrow columns."""
        arrays = {name: columns[name] for name, kind in kinds.items() if kind.endswith("[]")}
        with ThreadPoolExecutor(min(arrow.load().cpu_count(), max(len(arrays), 1))) as pool:
            parsed = {name: pool.submit(parse_column, texts, kinds[name][:-2]) for name, texts in arrays.items()}
            return [self._field(name, column, kinds[name], parsed) for name, column in columns.items()]

    def _field(self, name, texts, kind, parsed):
        column = Column(name, units.parse(self._units.get(name)))
        if name in parsed:
            try:
                length = parse([self._first[name]]).lengths[0]
                return ragged_field(column, parsed[name].result(), length)
            except InputError as error:
                raise ReadError(f"{self.place.where}: column {name!r}: {error}") from error
        if str(texts.type) != "string":
            item = arrow.field(name, texts, column)
        else:
            item = field_of(column, *typing.converted(texts, kind, comma=self._comma))
        dtype = np.dtype(declared_dtype(name) or item.data.dtype) if item.kind in "iuf" else item.data.dtype
        if dtype == item.data.dtype or (dtype.kind != "f" and item.kind == "f"):  # never round identifiers silently
            return item
        return field_of(item.column, item.data.astype(dtype), item.mask)


def _native(kind, other="string"):
    """The type in which Arrow reads a column of a kind."""
    return {"int64": "int64", "float64": "double", "double": "double"}.get(kind, other)


def _merged(kinds, is_large):
    """The kind of a column of which parts were found to be of these types; "?" if its texts have to be looked at."""
    if kinds <= {"int64"} and kinds:
        return "int64"
    if kinds <= {"int64", "double"} and not is_large:
        return "float64"
    return "string" if "string" in kinds else "?"


def _is_large(column):
    """Whether floats may be identifiers that have been rounded."""
    limits = arrow.load().compute.min_max(column).as_py()
    return any(value is not None and abs(value) >= _EXACT for value in limits.values())


def _first(column):
    """The first text of a column that is no word for nothing."""
    return next((text for text in (item.as_py() for item in column) if text and text not in typing.NULLS), "")


def _cut(stream, size):
    """The bytes of a stream in pieces of whole lines; no piece ends within a quoted cell. At least one."""
    pa, is_first = arrow.load(), True
    while piece := stream.read(size if size else -1):
        if size:
            while not piece.endswith(b"\n") or piece.count(b'"') % 2:
                line = stream.readline()
                if not line:
                    break
                piece += line
        yield pa.py_buffer(piece)
        is_first = False
    if is_first:
        yield pa.py_buffer(b"")


def write(content, stream, path, *, delimiter=","):
    """Write a content as delimited text."""
    pa = arrow.load()
    for item in content.fields:
        if item.kind == "O" or len(item.column.shape) > 1 or (item.kind == "U" and item.column.shape):
            raise InputError(f"column {item.column.name!r}: CSV holds numbers, text and arrays of numbers in a cell")
    names = [item.column.name for item in content.fields]
    csv.writer(head := io.StringIO(), delimiter=delimiter, lineterminator="\n").writerow(names)
    stream.write(head.getvalue().encode())
    options = pa.csv.WriteOptions(include_header=False, delimiter=delimiter)
    for part in slices(len(content), step=TEXT):
        out = pa.BufferOutputStream()
        cells = [_written(pa, item, part) for item in content.fields]
        if len(cells) == 1 and cells[0].null_count:  # a line with nothing in it is no row for most readers
            cells = [cells[0].cast(pa.string()).fill_null("")]
        pa.csv.write_csv(pa.table(cells, names=names), out, options)
        stream.write(out.getvalue())


def _written(pa, item, part):
    """The cells of a slice; arrays as the archive writes them, in brackets."""
    data, mask = item.data[part], item.mask[part]
    if item.column.shape:
        cells = ("(" + ", ".join(map(str, row)) + ")" for row in np.ma.MaskedArray(data, mask).tolist())
        return pa.array([cell.replace("None", "null") for cell in cells], pa.string())
    return pa.array(data, mask=np.ascontiguousarray(mask) if item.has_missing else None)
