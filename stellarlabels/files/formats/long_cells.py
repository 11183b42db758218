"""Long arrays in the quoted cells of a text, set aside while Arrow reads the rest: they only have to be copied."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stellarlabels.files.formats import arrow

#: Bytes that are looked at at a time, bytes of a cell that is worth it, and such cells that are copied at a time.
_PIECE, _LONG, _ROWS = 1 << 20, 512, 128
#: Begins the mark of a cell, whose number follows; no text with this letter is marked.
_MARK = "(\x01"


class LongCells:
    """The long arrays of a text; ``text`` is the text with marks in their places."""

    def __init__(self, segment, delimiter):
        self._letters = np.frombuffer(segment, np.uint8)
        self._spans = np.zeros((0, 2), np.int64)
        if self._letters.size:
            self._spans = self._found(np.array([ord(delimiter), ord("\n"), ord("\r")], np.uint8))
        self.text = self._marked(memoryview(segment)) if len(self._spans) else segment

    def _found(self, edges):
        """First and last quote of each long cell (N, 2) between brackets; none where a text has odd letters."""
        with ThreadPoolExecutor(arrow.load().cpu_count()) as pool:
            found = list(pool.map(self._quotes, range(0, self._letters.size, _PIECE)))
        if any(one is None for one in found):
            return self._spans
        quotes = np.concatenate(found)
        spans = quotes[: quotes.size // 2 * 2].reshape(-1, 2)
        spans = spans[spans[:, 1] - spans[:, 0] > _LONG]
        before, first, last = (self._letters[spans[:, side] + step] for side, step in ((0, -1), (0, 1), (1, -1)))
        after = self._letters[np.minimum(spans[:, 1] + 1, self._letters.size - 1)]
        is_array = np.isin(first, list(b"([")) & np.isin(last, list(b")]"))
        return spans[is_array & np.isin(after, edges) & np.isin(before, edges) & (spans[:, 0] > 0)]

    def _quotes(self, first):
        """Where quotes are in a piece of the text; None if it has other letters than ASCII, or that of marks."""
        piece = self._letters[first : first + _PIECE]
        return first + np.flatnonzero(piece == ord('"')) if piece.view(np.int8).min() > 1 else None

    def _marked(self, text):
        parts, at = [], 0
        for number, (first, last) in enumerate(self._spans.tolist()):
            parts += [text[at:first], f"{_MARK}{number})".encode()]
            at = last + 1
        return b"".join([*parts, text[at:]])

    def restored(self, table):
        """An Arrow table of the marked text with the arrays, as texts, where the marks are."""
        pa = arrow.load()
        with ThreadPoolExecutor(pa.cpu_count()) as pool:
            for index, column in enumerate(table.columns if len(self._spans) else ()):
                texts = column.to_pylist() if pa.types.is_string(column.type) else ()
                if any(text is not None and text.startswith(_MARK) for text in texts):
                    parts = [texts[at : at + _ROWS] for at in range(0, len(texts), _ROWS)]
                    found = pa.chunked_array(pool.map(self._of, parts))
                    table = table.set_column(index, table.column_names[index], found)
        return table

    def _of(self, texts):
        """An Arrow array of texts, some of them marks."""
        cells = [self._cell(text) for text in texts]
        edges = np.cumsum([0, *map(len, cells)]).astype(np.int32)
        pa = arrow.load()
        letters = np.concatenate([*cells, self._letters[:0]])
        return pa.Array.from_buffers(pa.string(), len(cells), [None, pa.py_buffer(edges), pa.py_buffer(letters)])

    def _cell(self, text):
        if text is None or not text.startswith(_MARK):
            return np.frombuffer((text or "").encode(), np.uint8)
        first, last = self._spans[int(text[len(_MARK) : -1])]
        return self._letters[first + 1 : last]
