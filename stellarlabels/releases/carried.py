"""The release of a table on its way: what the caller says of it, and what results say of their stars."""

import numpy as np

from stellarlabels.exceptions import ReleaseError
from stellarlabels.releases.declared import available, get
from stellarlabels.releases.found import ANOTHER, IGNORE, META, STATED, of

#: Key of the metadata of results for what is not certain about their release.
NOTE = "release_note"


def stated(table, release):
    """A table that may be changed, with the release that the caller names in it, or "ignore" in its metadata."""
    if release is None:
        return table
    name = IGNORE if release == IGNORE else get(release).name
    table.meta = {**table.meta, META: name}
    if name != IGNORE:
        table.remove_columns([key for key in table.colnames if key.lower() in STATED])
        table[STATED[0]] = np.full(len(table), name)
    return table


def told(found, needed=None):
    """What metadata of results say (dict): ``release`` where it is one; a note if not sure or not ``needed``."""
    names = found.all
    sources = {name if name == ANOTHER else get(name).catalog for name in names}
    one = sources - {ANOTHER} if len(sources) == 1 else ()
    out = {META: names[0] if len(names) == 1 else next(iter(sources))} if one else {}
    notes = []
    if needed is not None and found.unknown.any():
        notes.append(f"nothing tells the data release of {'some' if names else 'the'} stars; taken as {needed}")
    if needed is not None and found.other(needed).any():
        others = [name for name in names if name == ANOTHER or not get(needed).fits(name)]
        notes.append(f"stars of {' and '.join(others)} were taken for those of {needed}, see the flag OTHER_RELEASE")
    return {**out, **({NOTE: "; ".join(notes)} if notes else {})}


def fact_for(table, name, release=None, *, unknown, remedy):
    """The fact that is declared for the release of all rows, ``unknown`` where nothing tells it; or `ReleaseError`."""
    found = of(table, release)
    names = [*found.all, *([get(unknown).name] if found.unknown.any() or not found.all else [])]
    sources = {name: None if name == ANOTHER else get(get(name).catalog) for name in names}
    without = [of_rows for of_rows, source in sources.items() if source is None or not source.knows(name)]
    if without:
        there = ", ".join(other for other in available() if get(other).knows(name))
        raise ReleaseError(
            f"the table is of {found}; {name.replace('_', ' ')}: not known for {' and '.join(without)}, only for "
            f"{there}; {remedy}"
        )
    values = [source.fact(name).value for source in sources.values()]
    if any(value != values[0] for value in values):
        raise ReleaseError(f"the table has {found}, of which each has its own {name.replace('_', ' ')}; split it")
    return values[0]
