"""How many labels of a table are good, and which flags took the others."""

from collections import Counter

import numpy as np
from astropy.table import QTable

from stellarlabels import columns, flags
from stellarlabels.exceptions import InputError


class Verdicts:
    """Counts of the flags of labels, of one table or of parts that are added up."""

    # ``of`` holds, for each label, a Counter of stars by the value of the flag and whether they are good.

    def __init__(self, of=()):
        self.of = dict(of)

    @classmethod
    def count(cls, table, names=None):
        """Of the labels of a table that have columns ``<label>_flag`` and ``<label>_good``."""
        names = labels_with_flags(table) if names is None else names
        return cls({name: _counter(table, name) for name in names})

    def __add__(self, other):
        labels = dict.fromkeys([*self.of, *other.of])
        return Verdicts({name: self.of.get(name, Counter()) + other.of.get(name, Counter()) for name in labels})

    @property
    def good(self):
        """Number of good labels."""
        return sum(count for found in self.of.values() for (_, is_good), count in found.items() if is_good)

    def table(self):
        """One row for each label: stars, good ones, those of them with a note, caution, bad, and what took how many."""
        rows = [self._row(name, found) for name, found in self.of.items()]
        names = ["label", "stars", "good", "note", "caution", "bad", "taken_by"]
        return QTable(rows=rows, names=names) if rows else QTable(names=names, dtype=["U1", *["i8"] * 5, "U1"])

    def _row(self, name, found):
        known, taken = flags.get(columns.label_columns(name)[2].flags), Counter()
        notes = {flag.name for flag in known if flag.level == "note"}
        numbers = dict.fromkeys(("good", "note", "caution", "bad"), 0)
        for (value, is_good), count in found.items():
            level = str(known.level(value))
            numbers["good"] += count * is_good
            if level in numbers and (level != "note" or is_good):
                numbers[level] += count
            if not is_good:
                keys = [key for key in known.decode(value) if key not in notes]
                taken.update(dict.fromkeys(keys or ["no value"], count))
        text = ", ".join(f"{key} {count}" for key, count in sorted(taken.items(), key=lambda item: (-item[1], item[0])))
        return (name, sum(found.values()), *numbers.values(), text)

    def __str__(self):
        """One line for each label."""
        lines = []
        for row in self.table():
            levels = f"{row['good']} good ({row['note']} with a note), {row['caution']} caution, {row['bad']} bad"
            lines.append(f"{row['label']}: {levels}{' - ' if row['taken_by'] else ''}{row['taken_by']}")
        return "\n".join(lines)


def labels_with_flags(table):
    """Labels of a table that say of each star whether it is good."""
    ends = [name.removesuffix("_good") for name in table.colnames if name.endswith("_good")]
    return [name for name in ends if name in columns.vocabulary() and _flag_name(table, name) is not None]


def good_rows(table, label):
    """Which rows (N,) of a table have a good label: by ``<label>_good``, else by its flag; None if it has neither."""
    item = columns.good_column(label)
    key = columns.column_name(table, item)
    if key is not None:
        return np.ma.filled(columns.without_unit(table[key]), False).astype(bool)
    wanted = {f"{name}_flag".lower() for name in columns.label_columns(label)[0].names}
    out = None
    for key in (key for key in table.colnames if key.lower() in wanted):
        kind = flags.set_of(table[key]) or "label"
        own = flags.get(kind).is_good(columns.without_unit(table[key]))
        out = own if out is None else out & own
    return out


def _flag_name(table, label):
    """Name of the column with the label's bits; in catalogs that have a flag of their own it is another one."""
    name = columns.label_columns(label)[2].name
    return next((key for key in (f"{name}_bits", name) if key in table.colnames), None)


def _counter(table, label):
    key = _flag_name(table, label)
    if key is None:
        raise InputError(f"names: the table has no flags of {label!r}; give labels of {labels_with_flags(table)}")
    value = columns.without_unit(table[key]).filled(1).astype(np.int64)
    good = good_rows(table, label)
    pairs, count = np.unique(np.stack([value, good.astype(np.int64)]), axis=1, return_counts=True)
    return Counter({(int(v), bool(g)): int(n) for (v, g), n in zip(pairs.T, count, strict=True)})


def verdicts(table):
    """Count how many labels are good, and which flags took the others.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Output of a system's ``predict`` or ``catalog``: with columns ``<label>_flag`` and ``<label>_good``.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``; numbers of ``stars``, of ``good`` ones, of those with a flag of level
        ``note`` among the good, of those whose highest level is ``caution`` or ``bad``; and ``taken_by``, the flags
        that took stars with the number of stars that each took, as text. A star may have several flags.

    Raises
    ------
    InputError
        If the table has no such columns.
    """
    found = Verdicts.count(table)
    if not found.of:
        raise InputError("table: expected columns <label>_flag and <label>_good, got none; give what predict() returns")
    return found.table()


def in_training(table, label):
    """Which rows (N,) of a table of labels are stars that the weights were trained with, as the flag says."""
    key = _flag_name(table, label)
    if key is None or tuple(flags.get(flags.set_of(table[key]) or "label")) != tuple(flags.LABEL):
        return np.zeros(len(table), bool)
    return flags.LABEL.has(columns.without_unit(table[key]), "IN_TRAINING")
