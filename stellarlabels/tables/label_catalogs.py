"""Catalogs of labels as surveys and journals publish them: LAMOST, APOGEE, PASTEL, machine-readable tables."""

from functools import lru_cache, partial

import numpy as np
from astropy.table import vstack

from stellarlabels import packaged
from stellarlabels.columns import by_name, dressed, identifiers, products, without_unit
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files import Raw, as_paths, described_table, read_raw

#: Integers whose every bit has a meaning; no value of theirs stands for a missing one.
_BITS = ("starflag", "aspcapflag", "extratarg", "flags", "fibermask")
_IDENTIFIERS = ("source_id", "obsid")


def read_labels(path_or_paths, *, catalog=None, readme=None):
    """Labels of stars from the files of a catalog.

    Parameters
    ----------
    path_or_paths : path-like or list of path-like
        FITS (of several tables, that with the stars), VOTable, CSV (also with ``|`` between the cells), ECSV, a
        machine-readable table of the AAS journals, a table of the CDS; also with gzip.
    catalog : str, optional
        Whose rules for missing values hold: ``lamost``, ``apogee`` or ``table``; by default what the columns tell. See
        ``stellarlabels.archive.readers.available("labels")``.
    readme : path-like, optional
        The ReadMe that describes the tables of the CDS.

    Returns
    -------
    `~astropy.table.QTable`
        Labels, errors, identifiers, positions and magnitudes under the names and in the units of the vocabulary, all
        other columns under their own names in lower case. What the catalog marks as missing (-9999; 99 for a
        magnitude; no identifier) is masked, element by element in columns of vectors. Bit masks are integers as they
        are. ``meta["catalog"]`` says whose rules were followed.

    Raises
    ------
    ReadError
        If a file cannot be read, or holds no labels.
    InputError
        If no path is given or the catalog is unknown.

    Notes
    -----
    A file is read into memory at once, which takes twice its size.
    """
    if catalog is not None and catalog not in products.available("labels"):
        raise InputError(f"catalog: expected one of {', '.join(products.available('labels'))}, got {catalog!r}")
    parts = [_read(path, catalog, readme) for path in as_paths(path_or_paths)]
    return vstack(parts, metadata_conflicts="silent") if len(parts) > 1 else parts[0]


def _read(path, catalog, readme):
    """The labels in one file."""
    raws, failures = ([_described(path, readme)], []) if readme is not None else read_raw(path)
    if failures:
        raise failures[0][1]
    raws = [Raw(by_name(raw.table), raw.where, raw.meta) for raw in raws]
    raw = next((raw for raw in raws if _holds_labels(raw.table)), None)
    if raw is None:
        shown = ", ".join(raws[0].table.colnames[:12])
        raise ReadError(f"{path}: no column of labels such as teff, logg or feh; the columns are {shown}")
    return products.recognize(raw, "labels").read(raw) if catalog is None else _masked(raw, catalog)


def _described(path, readme):
    """A table of the CDS with its ReadMe."""
    return Raw(described_table(path, readme), str(path))


def _holds_labels(table):
    return any(name in table.colnames for name in ("teff", "logg", "feh", "m_h"))


def _masked(raw, catalog):
    """The table with missing values masked, names and units known."""
    out = raw.table.copy()
    rules = _rules()[catalog]
    for name in out.colnames:
        data = without_unit(out[name])
        missing = np.zeros(data.shape, dtype=bool)
        for columns, numbers, below in rules:
            plain = columns == ["*"] and name not in (*_BITS, *_IDENTIFIERS) and data.dtype.kind in "iuf"
            if plain or name in columns:
                missing |= _is_one_of(data, numbers, below)
        if data.dtype.kind == "f":
            missing |= ~np.isfinite(data.filled(np.nan))
        if missing.any():
            about = {"unit": out[name].unit, "description": out[name].description}
            out[name] = np.ma.MaskedArray(data.data, mask=data.mask | missing)
            out[name].unit, out[name].description = about["unit"], about["description"]
    out = dressed(out)
    if "source_id" in out.colnames:
        try:
            out["source_id"] = identifiers(out["source_id"])
        except InputError as error:
            raise ReadError(f"{raw.where}: {error}") from error
    out.meta["catalog"] = catalog
    return out


def _is_one_of(data, numbers, below):
    """Where the data are one of the numbers, or smaller than another; identifiers may be texts."""
    if data.dtype.kind in "OSU":
        text = np.char.strip(data.filled("").astype(str))
        return np.isin(text, ["", "0", *(f"{number:g}" for number in numbers)]) | np.char.startswith(text, "-")
    filled = data.filled(0)
    missing = np.zeros(data.shape, dtype=bool) if below is None else filled < below
    for number in numbers:
        if data.dtype.kind == "f" or (number % 1 == 0 and number >= np.iinfo(data.dtype).min):
            missing |= filled == data.dtype.type(number)
    return missing


@lru_cache(maxsize=1)
def _rules():
    """For each catalog, columns with the numbers that stand for missing values, and a limit below which all do."""
    out = {}
    for row in packaged.table("archive", "label_catalogs"):
        words = str(row["missing"]).split()
        below = float(words[1]) if words[0] == "below" else None
        numbers = [] if below is not None else [float(word) for word in words]
        out.setdefault(str(row["catalog"]), []).append((str(row["columns"]).split(), numbers, below))
    return out


#: Catalogs with rules of their own, in the order in which they are tried: name, description, how it is recognized.
_CATALOGS = (
    (
        "apogee",
        "APOGEE allStar files: one row per star, with apogee_id, labels, bit masks and vectors of parameters",
        lambda table: {"apogee_id", "aspcapflag"} <= set(table.colnames),
    ),
    (
        "lamost",
        "LAMOST catalogs of stellar parameters: one row per spectrum, with obsid and labels",
        lambda table: "obsid" in table.colnames,
    ),
    (
        "table",
        "any other table with labels under names that the vocabulary knows: PASTEL, tables of VizieR, journals",
        _holds_labels,
    ),
)
for _name, _description, _accepts in _CATALOGS:
    products.register(_name, product="labels", description=_description, accepts=_accepts)(
        partial(_masked, catalog=_name)
    )
