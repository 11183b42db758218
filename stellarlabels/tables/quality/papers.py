"""The sets of cuts of the papers, read from ``data/quality``: one file for each paper, one line for each condition.

A cut has as many lines as it has conditions, which all must hold; its description is in the first one.
"""

from dataclasses import replace

import numpy as np
from astropy.table import Table

from stellarlabels import columns, flags, packaged
from stellarlabels.columns import StarTable
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


@columns.entrance("table")
def apply(table, cuts, *, supply=None, prefix="quality"):
    """Flag the stars that fail cuts, and those that a cut cannot judge.

    Parameters
    ----------
    table : `~astropy.table.Table`
    cuts : str, `CutSet`, `Cut` or iterable of `Cut`
        A name stands for the paper's default selection; see `stellarlabels.tables.quality.get`.
    supply : dict of str to array_like or `~astropy.units.Quantity`, optional
        Columns, by their name in the vocabulary and in its unit, that are used instead of the table's: dereddened
        colors ``bp_rp_0``, for instance. They are not in the result.
    prefix : str
        Beginning of the names of the two new columns.

    Returns
    -------
    `~astropy.table.QTable`
        The rows of ``table`` in the same order, with two columns of int32: ``quality_flag``, in which the bit of each
        cut that the star fails is set, and ``quality_undefined``, in which the bit of each cut is set that lacks an
        input. A star that is 0 in both passes all cuts. The bits of a paper's set are in the registry of flags as
        ``quality_<name>``; those of all cuts are in ``meta[prefix + "_flag"]``.

    Raises
    ------
    InputError
        If the table has a column of one of the two names, or if an argument is not as described.
    """
    cuts, out = _as_set(cuts), StarTable(table, copy=True)
    names = (f"{prefix}_flag", f"{prefix}_undefined")
    taken = [name for name in names if name in out.colnames]
    if taken:
        raise InputError(f"prefix: the table has a column {taken[0]!r} already; choose another prefix than {prefix!r}")
    failed, undefined = cuts.flag_set.empty(len(out)), cuts.flag_set.empty(len(out))
    for cut, passed, defined in _answers(out, cuts, supply):
        bit = cuts.flag_set[cut.name.upper()]
        failed[defined & ~passed] |= bit
        undefined[~defined] |= bit
    for name, data, kind in zip(names, (failed, undefined), ("quality_flag", "quality_undefined"), strict=True):
        item = replace(columns.column(kind), name=name, aliases=(), flags=cuts.flag_set.name)
        out[name] = item.dress(data)
    out.meta[names[0]] = {
        "cuts": cuts.name,
        "selection": cuts.chosen,
        "bits": {cut.name: cuts.flag_set[cut.name.upper()] for cut in cuts},
    }
    return out


@columns.entrance("table")
def passes(table, cuts, *, supply=None):
    """Whether each star passes all cuts.

    Parameters
    ----------
    table, cuts, supply
        As for `apply`.

    Returns
    -------
    `~numpy.ndarray` of bool, shape (N,)
        False also where a cut is undefined.
    """
    out = np.ones(len(table), bool)
    for _, passed, _ in _answers(table, _as_set(cuts), supply):
        out &= passed
    return out


@columns.entrance("table")
def waterfall(table, cuts, *, supply=None):
    """How many stars are left after each cut, as the papers print it.

    Parameters
    ----------
    table, cuts, supply
        As for `apply`.

    Returns
    -------
    `~astropy.table.QTable`
        A row for the table itself and one for each cut, in order: ``cut`` and ``description``; ``left`` (int64), stars
        that pass this cut and all before it; ``removed`` (int64), stars that this cut takes away from those, of which
        ``undefined`` (int64) because an input is missing; and ``alone`` (int64), stars of the whole table that pass
        this cut.
    """
    cuts = _as_set(cuts)
    left = np.ones(len(table), bool)
    rows = [("", "all stars", len(table), 0, 0, len(table))]
    for cut, passed, defined in _answers(table, cuts, supply):
        removed, undefined = left & ~passed, left & ~defined
        left = left & passed
        rows.append((cut.name, cut.description, *(int(n.sum()) for n in (left, removed, undefined, passed))))
    return StarTable(
        rows=rows,
        names=["cut", "description", "left", "removed", "undefined", "alone"],
        dtype=[str, str, np.int64, np.int64, np.int64, np.int64],
        meta={"cuts": cuts.name, "selection": cuts.chosen, "reference": cuts.reference},
    )


def _answers(table, cuts, supply):
    """Each cut with its answer."""
    working = StarTable(table, copy=False)
    for name, data in (supply or {}).items():
        item = columns.column(name)
        data = np.broadcast_to(data, len(table), subok=True) if np.ndim(data) == 0 else data
        if len(data) != len(table):
            raise InputError(f"supply: {name!r} has {len(data)} rows, the table has {len(table)}")
        working[item.name] = item.dress(data)
    return [(cut, *cut(working)) for cut in cuts]


def _as_set(cuts):
    """The set of cuts that is meant."""
    if isinstance(cuts, str):
        return get(cuts)
    if isinstance(cuts, CutSet):
        return cuts
    cuts = [cuts] if isinstance(cuts, Cut) else list(cuts)
    if not all(isinstance(cut, Cut) for cut in cuts):
        raise InputError(f"cuts: expected the name of a set, a CutSet or Cuts, got {cuts!r}")
    return CutSet("given", cuts)
