"""Of which data release the rows of a table are, and whether it is the one that is needed."""

import re
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from stellarlabels.exceptions import ReleaseError
from stellarlabels.releases.declared import available, declared, get

#: Name of the release of spectra whose basis functions no release has that is declared here.
ANOTHER = "another release"

#: What to give as ``release`` to go on with tables of another release.
IGNORE = "ignore"

#: Key of a table's ``meta``, and names of columns, that say the release in words.
META, STATED, DESIGNATION, SOLUTION = "release", ("release", "data_release"), "designation", "solution_id"

#: The column of the epochs of positions, and names of columns of identifiers that name their release. Those of DR2
#: are in catalogs of surveys, beside measurements of any release.
EPOCH, _IDENTIFIERS = "ref_epoch", re.compile(r"(gaia)?_?(e?dr[3-9])(_?source_?id|name|_id)?", re.IGNORECASE)

#: Columns that tell the release of XP spectra.
BASIS, COUNTED, CELLS = "{}_basis_function_id", "{}_n_parameters", "{}_coefficients"

_NAMED = re.compile(r"Gaia[ _-]?(E?DR\d+|FPR)", re.IGNORECASE)
#: The same where nothing else is in a text; other surveys count their releases, too.
_SHORT = re.compile(r"\s*G?(E?DR\d+|FPR)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """Places (N,), int8, of rows in the list of names of releases ("" and "another release" too); reasons."""

    codes: np.ndarray
    reasons: dict

    @property
    def names(self):
        """Names of the rows' releases, `~numpy.ndarray` of object, shape (N,)."""
        return np.array(_names(), dtype=object)[self.codes]

    @property
    def unknown(self):
        """Rows of which nothing tells the release, shape (N,)."""
        return self.codes == 0

    @property
    def all(self):
        """The names that occur (list of str)."""
        return [_names()[code] for code in np.unique(self.codes) if code]

    def other(self, needed):
        """Rows (N,) that are known to be of another release than the one that is needed."""
        needed = get(needed)
        wrong = [name for name in self.all if name == ANOTHER or not needed.fits(name)]
        return np.isin(self.codes, [_names().index(name) for name in wrong])

    def __str__(self):
        counts = {name: int((self.codes == _names().index(name)).sum()) for name in self.all}
        if self.unknown.any():
            counts["an unknown release"] = int(self.unknown.sum())
        told = {name: f" ({self.reasons[name]})" if name in self.reasons else "" for name in counts}
        if len(counts) == 1:
            return "".join(f"{name}{told[name]}" for name in counts)
        return ", ".join(f"{count} rows of {name}{told[name]}" for name, count in counts.items())


@cache
def _names():
    """Names to which codes belong."""
    return ("", *available(), ANOTHER)


@cache
def _declaring(fact):
    """The values of a fact by the names of the releases of which it is known."""
    return {name: release.fact(fact).value for name, release in declared().items() if release.knows(fact)}


def of(table, release=None):
    """Of which release the rows of a table are.

    Spectra tell it themselves, by the identifiers of their basis functions and the number of their coefficients. If
    they do not, it is the argument, the column ``release``, ``table.meta["release"]``, the ``designation``, the
    ``solution_id``, the ``ref_epoch`` if it is that of a release, or the name of the only column of identifiers
    (``dr4_source_id``), in this order. Names of releases that are not declared are those of "another release".

    Parameters
    ----------
    table : `~astropy.table.Table`
    release : str, optional
        What the table is, where it is not known from the spectra.

    Returns
    -------
    Found

    Raises
    ------
    InputError
        If there is no release of the name that is given.
    """
    codes, reasons = np.zeros(len(table), np.int8), {}
    foreign, seen, why = _basis(table)
    strange = _strange(table)
    stated = "" if release in (None, IGNORE) else get(release).name
    evidence = [
        lambda: seen,
        lambda: _counts(table),
        lambda: (_names().index(stated), "as release says"),
        *(partial(_texts, table, name) for name in STATED),
        lambda: (_names().index(_in_text(table.meta.get(META, ""), _of_gaia(table))), "as its metadata say"),
        lambda: _texts(table, DESIGNATION, "U9"),  # all but the number
        lambda: _solutions(table),
        lambda: _epochs(table),
        lambda: _by_identifiers(table),
    ]
    for look in evidence:
        new = codes == 0
        if not new.any():
            break
        found, reason = look()
        codes[new] = found[new] if np.ndim(found) else found
        for code in np.unique(codes[new]):
            reasons.setdefault(_names()[code], reason)
    # Basis functions that are not declared are of a release of which none are, or of one that is not known here.
    without = [name for name in _declaring("coefficients") if name not in _declaring("basis_ids")]
    lost = (foreign | bool(strange)) & ~np.isin(codes, [_names().index(name) for name in without])
    codes[lost] = _names().index(ANOTHER)
    if lost.any():
        reasons[ANOTHER] = why or strange
    return Found(codes, reasons)


#: What to do with stars of another release, unless it is said otherwise.
REMEDY = (
    "take weights that were made for that release, or give release='ignore' to label the stars all the "
    "same, with the flag OTHER_RELEASE"
)


def require(table, needed, release=None, *, what="these weights", remedy=REMEDY):
    """Of which release the rows of a table are, if it is the one that is needed.

    Parameters
    ----------
    table : `~astropy.table.Table`
    needed : str
        Name of the release that is needed.
    release : str, optional
        What the table is, where that is not known; or "ignore": no error. ``table.meta["release"]`` may say it, too.
    what, remedy : str
        Words for the message: what needs the release, and what to do.

    Returns
    -------
    found : Found
    other : `~numpy.ndarray` of bool, shape (N,)
        Rows of another release; there are none but with "ignore".

    Raises
    ------
    ReleaseError
        If a row is of another release.
    """
    found = of(table, release)
    other = found.other(needed)
    ignored = IGNORE in (release, table.meta.get(META))
    if other.any() and not ignored:
        first = int(np.flatnonzero(other)[0])
        where = "" if other.all() else f" ({int(other.sum())} of {len(other)}, the first is row {first})"
        raise ReleaseError(
            f"the table: expected stars of {get(needed)}, for which {what} are made, got {found}{where}; {remedy}"
        )
    return found, other


def _column(table, name):
    """A column by its name in any case; None if there is none."""
    return next((table[key] for key in table.colnames if key.lower() == name), None)


def _numbers(table, name):
    """A column of numbers (N,) as floats, NaN where missing; None if there is none."""
    column = _column(table, name)
    data = None if column is None else np.ma.asarray(getattr(column, "value", column))
    if data is None or data.ndim != 1 or data.dtype.kind not in "fiu":
        return None
    return np.ma.filled(data.astype(float), np.nan)


def _of_gaia(table):
    """Whether nothing but Gaia can be meant by a release that is called DR4 alone: LAMOST has one, too."""
    return _column(table, "source_id") is not None and _column(table, "obsid") is None


def _in_text(text, short=False):
    """The release that a text names, without its survey if ``short``; "another release", or "" if it names none."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    match = isinstance(text, str) and (_NAMED.search(text) or (short and _SHORT.fullmatch(text)))
    if not match:
        return ""
    named = f"Gaia {match[1].upper()}"
    return named if named in declared() else ANOTHER


def _texts(table, name, dtype="U40"):
    """Codes of releases that a column of texts names at the beginning."""
    reason, column = f"column {name!r}", _column(table, name)
    if column is None or getattr(column, "ndim", 1) != 1 or np.dtype(column.dtype).kind not in "OSU":
        return 0, reason
    cells, place = np.unique(np.ma.filled(np.ma.asarray(column), "").astype(dtype), return_inverse=True)
    named = [_names().index(_in_text(str(cell), _of_gaia(table))) for cell in cells]
    return np.array(named, np.int8)[place], reason


def _epochs(table):
    """Codes of the releases that have the reference epochs of a table; tools do not propagate to these."""
    codes, values = np.zeros(len(table), np.int8), _numbers(table, EPOCH)
    if values is None:
        return 0, ""
    for name, epoch in _declaring("reference_epoch").items():
        if get(name).catalog == name:
            codes[np.abs(values - epoch) < 1e-6] = _names().index(name)
    return codes, f"by {EPOCH}"


def _by_identifiers(table):
    """The code of the release that the only column of identifiers of Gaia has in its name."""
    named = {match[2].upper(): name for name in table.colnames if (match := _IDENTIFIERS.fullmatch(name))}
    if len(named) != 1 or _column(table, "source_id") is not None:
        return 0, ""
    ((release, name),) = named.items()
    return _names().index(_in_text(f"Gaia {release}")), f"column {name!r}"


def _solutions(table):
    """Codes of releases to which identifiers of solutions belong."""
    codes, column = np.zeros(len(table), np.int8), _column(table, SOLUTION)
    if column is not None and np.dtype(column.dtype).kind in "iu":
        values = np.ma.filled(np.ma.asarray(column), 0)
        for name, known in _declaring("solution_ids").items():
            codes[np.isin(values, np.array(known, dtype=np.int64))] = _names().index(name)
    return codes, f"by {SOLUTION}"


def _bands():
    """Bands of XP spectra: those of all releases."""
    return list({band: None for known in _declaring("coefficients").values() for band in known})


def _basis(table):
    """Rows with basis functions of no release (N,), codes of the releases that have them, and why."""
    foreign, codes, why = np.zeros(len(table), bool), np.zeros(len(table), np.int8), ""
    for band in _bands():
        column = BASIS.format(band)
        values = _numbers(table, column)
        if values is None:
            continue
        left = values > 0  # 0 and NaN: the band is missing
        for name, known in _declaring("basis_ids").items():
            own = left & np.isin(values, known[band])
            codes[own], left = _names().index(name), left & ~own
        if left.any():
            why = why or f"{column} is {values[left][0]:g}, which no known release has"
        foreign |= left
    codes[foreign] = 0
    return foreign, (codes, "by its basis functions"), why


def _counts(table):
    """Codes of releases whose spectra have as many coefficients, where that is only one, and the numbers in words."""
    lengths = {band: _lengths(table, band) for band in _bands()}
    each = [np.unique(counts, return_inverse=True) for counts in lengths.values()]
    codes, reason = np.zeros(len(table), np.int8), ""
    for kind in np.ndindex(*(len(values) for values, _ in each)):
        given = {band: int(values[k]) for band, (values, _), k in zip(lengths, each, kind, strict=True) if values[k]}
        fitting = [
            name
            for name, known in _declaring("coefficients").items()
            if all(known[band] == count for band, count in given.items())
        ]
        if given and len(fitting) == 1:
            rows = np.logical_and.reduce([place == k for (_, place), k in zip(each, kind, strict=True)])
            codes[rows] = _names().index(fitting[0])
            told = ", ".join(f"{count} of {band.upper()}" for band, count in given.items())
            reason = reason if not rows.any() or reason else f"by the number of coefficients: {told}"
    return codes, reason


def _strange(table):
    """Why the number of coefficients is of no release, for columns whose cells all have the same number."""
    for band in _bands():
        name = CELLS.format(band)
        known = {numbers[band] for numbers in _declaring("coefficients").values()}
        width = (*getattr(_column(table, name), "shape", ()), 0, 0)[1]
        if width and width not in known:
            return f"{name} has {width} numbers in each cell, which no known release has"
    return ""


def _lengths(table, band):
    """Number of coefficients of a band, 0 where there are none or it is not known, shape (N,)."""
    column = _column(table, CELLS.format(band))
    counted = _numbers(table, COUNTED.format(band))
    if column is None:
        return np.zeros(len(table), int) if counted is None else np.nan_to_num(counted).astype(int)
    if getattr(column, "ndim", 1) == 2:
        return np.full(len(table), column.shape[1])
    if np.dtype(getattr(column, "dtype", float)).kind not in "OSU":
        return np.zeros(len(table), int)
    return np.array([_length(cell) for cell in column], int)


def _length(cell):
    """Number of numbers in a cell that is an array, a text of one, or missing."""
    if isinstance(cell, str | bytes):
        text = cell.decode() if isinstance(cell, bytes) else cell
        body = text.strip(" ()[]\n")
        return body.rstrip(",").count(",") + 1 if "," in body else len(body.split())
    return np.size(cell) if np.ndim(cell) else 0


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
        there = ", ".join(_declaring(name))
        raise ReleaseError(
            f"the table is of {found}; {name.replace('_', ' ')}: not known for {' and '.join(without)}, only for "
            f"{there}; {remedy}"
        )
    values = [source.fact(name).value for source in sources.values()]
    if any(value != values[0] for value in values):
        raise ReleaseError(f"the table has {found}, of which each has its own {name.replace('_', ' ')}; split it")
    return values[0]
