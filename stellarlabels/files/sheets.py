"""One table in a file, whatever the format: what a format module hands out, and what is told of it."""

import warnings

from stellarlabels.exceptions import FileWarning, RenamedColumnWarning


class Sheet:
    """One table in a file, from which formats derive: its place, names of columns, title, rows or None, metadata."""

    # A name that is there twice gets a suffix the second time; "meta" is all that the file says of the table, in its
    # words; "left_out" are columns that cannot be carried, and what they hold; "notes" what else a user has to know.

    def __init__(self, place, names, *, title="", rows=None, meta=None):
        self.place, self.title, self.rows, self.meta = place, title, rows, dict(meta or {})
        self.names, self._second = unique(names)
        self.left_out, self.notes, self._told = {}, [], False

    # A format has "read" or "blocks", or both; the one is made of the other.

    def read(self, declared=None):
        """The `~stellarlabels.files.Content`; ``declared`` is the schema that the file is said to be of."""
        return next(self.blocks(max(self.rows, 1), declared=declared))

    def blocks(self, rows, first=0, declared=None):
        """Contents of at most so many rows, from the row ``first`` on; at least one."""
        yield from sliced(self.read(declared), rows, first)

    def tell(self):
        """Warn, once for each kind, of second names, of columns that are left out, and of notes."""
        if self._second:
            names = ", ".join(f"a second {first!r} is called {name!r}" for name, first in self._second.items())
            warnings.warn(f"{self.place.where}: {names}", RenamedColumnWarning, stacklevel=2)
        if self.left_out and not self._told:
            names = ", ".join(f"{name!r} ({kind})" for name, kind in self.left_out.items())
            self.notes.append(f"left out, since tables of stars do not hold such cells: {names}")
        for note in self.notes:
            warnings.warn(f"{self.place.where}: {note}", FileWarning, stacklevel=2)
        self.notes, self._second, self._told = [], {}, True


def sliced(content, rows, first=0):
    """The content from a row on, in pieces of so many rows; at least one."""
    return (content.part(part) for part in pieces(len(content), rows, first))


def pieces(length, rows, first=0):
    """Slices of so many of all rows from one on, the last one perhaps shorter; at least one, which may be empty."""
    begin = min(first, length)
    return [slice(at, min(at + rows, length)) for at in range(begin, max(length, begin + 1), rows)]


def regrouped(parts, rows, first, join, nothing):
    """Parts of a table, which have slices, in pieces of so many rows from ``first`` on; one at least, maybe nothing."""
    waiting, number, is_first = [], 0, True
    for part in parts:
        passed = min(first, len(part))
        first -= passed
        waiting.append(part[passed:])
        number += len(part) - passed
        while number >= rows:
            whole = waiting[0] if len(waiting) == 1 else join(waiting)
            yield whole[:rows]
            is_first, number, waiting = False, number - rows, [whole[rows:]]
    if number or is_first:
        yield join(waiting) if waiting else nothing


def unique(names):
    """The names, each once, and which of them stand for another: ``["a", "a"]`` -> ``["a", "a_2"], {"a_2": "a"}``."""
    taken, out, second = set(names), {}, {}
    for position, name in enumerate(names, start=1):
        own = new = name or f"column_{position}"
        number = 1
        while new in out or (number > 1 and new in taken):
            number += 1
            new = f"{own}_{number}"
        out[new] = None
        if number > 1:
            second[new] = own
    return list(out), second
