"""The sets of cuts of the papers, read from ``data/quality``: one file for each paper, one line for each condition.

A cut has as many lines as it has conditions, which all must hold; its description is in the first one.
"""

import numpy as np
from astropy.table import Table

from stellarlabels import flags, packaged
from stellarlabels.exceptions import InputError
from stellarlabels.tables.quality import conditions
from stellarlabels.tables.quality.cuts import Cut, CutSet

PAPERS = ("csnet", "spcanet", "uncertain", "uacsnet", "solardis")

_REGISTRY: dict[str, object] = {}


def register(cut_set):
    """Add a `CutSet`, and its flags, to the registries, and return it.

    Raises
    ------
    InputError
        If the name is taken.
    """
    if cut_set.name in _REGISTRY:
        raise InputError(f"cut set {cut_set.name!r} is registered already")
    flags.register(cut_set.flag_set)
    _REGISTRY[cut_set.name] = cut_set
    return cut_set


def names():
    """Names of all registered sets of cuts."""
    return list(_REGISTRY)


def get(name, selection=None):
    """The set of cuts called ``name``.

    Parameters
    ----------
    name : str
        ``csnet``, ``spcanet``, ``uncertain``, ``uacsnet`` or ``solardis``, or one that was registered.
    selection : str, optional
        One of the paper's samples, such as ``training`` (the default) or ``catalog``: `CutSet.selections`.

    Returns
    -------
    `CutSet`

    Raises
    ------
    InputError
        If there is none; the message lists those there are.
    """
    if name not in _REGISTRY:
        raise InputError(f"no set of cuts is called {name!r}; there are {names()}")
    return _REGISTRY[name] if selection is None else _REGISTRY[name].select(selection)


def read(path):
    """Read a set of cuts from an ECSV file.

    Parameters
    ----------
    path : path-like
        Columns ``cut``, ``selections`` (blank-separated; empty if the cut serves as a part of others only),
        ``quantity``, ``operator``, ``limit``, ``of``, ``release``, ``description`` and ``source``. Operators are those
        of `conditions.compare`; ``present``; ``without`` (names of bits); ``is`` (a word); and, with the name of an
        earlier cut as the quantity, ``passes`` and ``fails``. In the metadata ``name``, ``description``,
        ``reference``, ``selections`` and ``notes``.

    Returns
    -------
    `CutSet`
    """
    table, lines = _lines(path)
    cuts, selections = {}, {name: [] for name in table.meta["selections"]}
    for name in dict.fromkeys(line["cut"] for line in lines):
        parts = [line for line in lines if line["cut"] == name]
        head = parts[0]
        cuts[name] = Cut(
            name,
            head["description"],
            head["source"],
            _function([_condition(line, cuts) for line in parts]),
            head["release"],
        )
        for selection in head["selections"].split():
            selections[selection].append(name)
    return CutSet(
        table.meta["name"],
        cuts.values(),
        selections,
        description=table.meta["description"],
        reference=table.meta["reference"],
        notes=table.meta["notes"],
    )


def published(name):
    """The conditions of a paper as its file declares them, one dict of str for each; the keys are those of `read`."""
    with _file(name) as path:
        return _lines(path)[1]


def _file(name):
    return packaged.file("quality", f"{name}.ecsv")


def _lines(path):
    """The table of a file, and its lines as texts."""
    table = Table.read(path, format="ascii.ecsv")
    lines = [
        {key: "" if np.ma.is_masked(row[key]) else str(row[key]).strip() for key in table.colnames} for row in table
    ]
    return table, lines


def _function(tests):
    """The function of a cut from its conditions."""
    return lambda table: conditions.both(*(test(table) for test in tests))


def _condition(line, cuts):
    """The condition of one line of the file."""
    name, operator, limit = line["quantity"], line["operator"], line["limit"]
    if operator == "present":
        return conditions.present(name)
    if operator == "without":
        return conditions.without_bits(name, limit.split())
    if operator == "is":
        return conditions.is_word(name, limit)
    if operator == "passes":
        return cuts[name]
    if operator == "fails":
        return ~cuts[name]
    return conditions.compare(name, operator, [float(number) for number in limit.split()], line["of"] or None)


def _read_all():
    for name in PAPERS:
        with _file(name) as path:
            register(read(path))


_read_all()
