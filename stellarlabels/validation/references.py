"""Catalogs that labels and distances are compared with: what their columns are called, and the papers' cuts on them.

They are declared in ``data/validation/references.toml``. The catalogs themselves are not part of the package: they are
files of the surveys, which `Reference.read` reads.
"""

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import catalogs
from stellarlabels.columns import column, column_name, column_values, find, label_columns, vocabulary, without_unit
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.tables import quality, read_labels
from stellarlabels.tables.quality import bitmasks, conditions
from stellarlabels.validation.matching import median_per_star

__all__ = ["Reference", "get", "names"]


@dataclass(frozen=True)
class Reference:
    """What is known of one reference catalog.

    Parameters
    ----------
    name, title : str
    source, bibcode : str
        The paper.
    kind : str
        ``"labels"``, ``"distances"``, or ``"clusters"`` for lists of members, which have ``cluster`` and
        ``membership`` and are for `stellarlabels.validation.cluster_summary`.
    reader : str
        ``"labels"`` (`stellarlabels.tables.read_labels`), ``"file"`` (`stellarlabels.catalogs.read`), or
        the name of a published schema.
    columns : dict of str to list of str
        For columns of the vocabulary, and errors of labels, the names in the files of the catalog; those that the
        vocabulary knows as aliases need not be here.
    units : dict of str to str
        Units of columns for which the files give none.
    missing : tuple of float
        Numbers that stand for missing values.
    cuts : dict of str to dict
        Sets of cuts: ``conditions`` (see `condition`) and ``source``.
    repeats : str
        What is made of several rows of one star: ``"first"`` or ``"median"``.
    epoch : float or None
        Epoch of the positions.
    named_by_file : str
        Column that the name of the file without its ending gives, ``_`` read as blank; none if empty.
    notes : tuple of str
        What the reader of the declaration should know; for instance which names could not be confirmed.
    """

    name: str
    title: str
    source: str
    bibcode: str = ""
    kind: str = "labels"
    reader: str = "labels"
    columns: dict = field(default_factory=dict)
    units: dict = field(default_factory=dict)
    missing: tuple = ()
    cuts: dict = field(default_factory=dict)
    repeats: str = "first"
    epoch: float | None = None
    named_by_file: str = ""
    notes: tuple = ()

    def read(self, path_or_paths, *, columns=None):
        """The catalog from its files.

        Parameters
        ----------
        path_or_paths : path-like or list of path-like
            A list only where the reader is ``"labels"``, or the files' names say something (``named_by_file``).
        columns : dict of str to str, optional
            Names in the files that differ from those declared.

        Returns
        -------
        `~astropy.table.QTable`
            As of `translate`.
        """
        if self.reader == "labels":
            table = read_labels(path_or_paths)
        elif self.named_by_file:
            table = self._named(path_or_paths if isinstance(path_or_paths, list | tuple) else [path_or_paths])
        else:
            table = catalogs.read(path_or_paths, None if self.reader == "file" else self.reader)
        return self.translate(table, columns=columns)

    def translate(self, table, *, columns=None):
        """A table of the catalog under the names and in the units of the vocabulary.

        Parameters
        ----------
        table : `~astropy.table.Table`
        columns : dict of str to str, optional
            Names in the table that differ from those declared.

        Returns
        -------
        `~astropy.table.QTable`
            One row for each row, or where the declaration says so for each star; all other columns are kept.
            ``meta["reference"]`` is the name.

        Raises
        ------
        MissingColumnError
            If a column of ``columns`` is not there.
        """
        out = QTable(table, copy=False)
        present = {key.lower(): key for key in out.colnames}
        given = columns or {}
        for name, candidates in (self.columns | {key: [value] for key, value in given.items()}).items():
            key = next((present[item.lower()] for item in candidates if item.lower() in present), None)
            if key is None and name in given:
                raise MissingColumnError(f"columns: the table has no column {given[name]!r}")
            if key is not None:
                out[name] = self._dressed(table[key], name)
        if self.epoch is not None and find(out, "ref_epoch") is None:
            out["ref_epoch"] = np.full(len(out), self.epoch) * u.yr
        if self.repeats == "median" and (find(out, "source_id") or find(out, "ra")):
            out = median_per_star(out)
        out.meta["reference"] = self.name
        return out

    def cut_set(self, name):
        """The cuts of a paper on this catalog, for `stellarlabels.tables.quality.passes` and its kind.

        Parameters
        ----------
        name : str
            One of ``cuts``.

        Returns
        -------
        `~stellarlabels.tables.quality.CutSet`

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if name not in self.cuts:
            raise InputError(f"cuts: {self.name!r} has {list(self.cuts) or 'none'}, got {name!r}")
        declared = self.cuts[name]
        cuts = [condition(text, source=declared["source"], release=self.title) for text in declared["conditions"]]
        return quality.CutSet(f"{self.name}_{name}", cuts, reference=declared["source"])

    def _named(self, paths):
        """Files one after another, with a column of their names."""
        parts = []
        for path in map(Path, paths):
            parts.append(catalogs.read(path, None))
            parts[-1][self.named_by_file] = np.full(len(parts[-1]), path.stem.replace("_", " "))
        return vstack(parts, metadata_conflicts="silent")

    def _dressed(self, data, name):
        """A column under a name of the vocabulary, with what stands for missing values masked."""
        plain = without_unit(data)
        if self.missing and plain.dtype.kind in "fiu":
            plain = np.ma.masked_where(np.isin(plain.filled(0), self.missing), plain)
        unit = getattr(data, "unit", None) or self.units.get(name)
        item = _declaration(name)
        if unit is not None and plain.dtype.kind in "fiu" and item.unit:
            return item.dress(np.ma.MaskedArray(u.Quantity(plain.filled(0), unit).to_value(item.unit), plain.mask))
        return item.dress(plain)


def condition(text, *, source="", release=""):
    """A `Cut` from ``"column < number"`` (also <=, >, >=, =) or ``"column without BIT ..."``, of any table's column."""
    # A column of the vocabulary or an error of a label is taken in the declared unit, any other column as it is; names
    # in any case of letters. A star of which the value is missing is not judged, nor passes it.
    words = text.split()
    if len(words) >= 3 and words[1] == "without":
        bitmasks.get(words[0]).mask(*words[2:])
        return quality.Cut(_name(text), text, source, conditions.without_bits(words[0], words[2:]), release=release)
    try:
        column, comparison, limit = words[0], conditions.COMPARISONS[words[1]], float(words[2])
    except (KeyError, IndexError, ValueError):
        raise InputError(f"condition: expected 'column < number' or 'column without BIT', got {text!r}") from None

    def test(table):
        value = _numbers(table, column)
        known = np.isfinite(value)
        return known & comparison(value, limit), known

    return quality.Cut(_name(text), text, source, test, release=release)


def names(kind=None):
    """Names of the reference catalogs.

    Parameters
    ----------
    kind : str, optional
        ``"labels"``, ``"distances"`` or ``"clusters"``; all by default.

    Returns
    -------
    list of str
    """
    return [name for name, item in _declared().items() if kind in (None, item.kind)]


def get(name):
    """The reference catalog called ``name``.

    Parameters
    ----------
    name : str

    Returns
    -------
    Reference

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    if name not in _declared():
        raise InputError(f"reference: none is called {name!r}; there are {names()}")
    return _declared()[name]


@lru_cache(maxsize=1)
def _declared():
    path = resources.files("stellarlabels") / "data" / "validation" / "references.toml"
    out = {}
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        entry["columns"] = {key: item if isinstance(item, list) else [item] for key, item in entry["columns"].items()}
        for key in ("missing", "notes"):
            entry[key] = tuple(entry.get(key, ()))
        out[name] = Reference(name=name, **entry)
    return out


def _declaration(name):
    """The column of the vocabulary, or the error of a label."""
    if name in vocabulary():
        return column(name)
    label = name.removesuffix("_err")
    if label != name and label in vocabulary():
        return label_columns(label)[1]
    raise InputError(f"columns: {name!r} is neither in the vocabulary nor the error of a label")


def _numbers(table, name):
    """Values of a column, whether the vocabulary knows it or not; NaN where missing or absent."""
    try:
        item = _declaration(name)
    except InputError:
        key = {key.lower(): key for key in table.colnames}.get(name.lower())
    else:
        if item.dtype != "int64":
            return column_values(table, item, required=False)
        key = column_name(table, item)
    if key is None:
        return np.full(len(table), np.nan)
    return without_unit(table[key]).astype(float).filled(np.nan)


def _name(text):
    """A name for a flag from the text of a condition."""
    words = {"<": "below", "<=": "at_most", ">": "above", ">=": "at_least", "=": "is"}
    joined = "_".join(words.get(word, word) for word in text.split())
    return "".join(letter if letter.isalnum() else "_" for letter in joined).lower()
