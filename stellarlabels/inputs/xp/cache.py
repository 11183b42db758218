"""What is in a file of spectra, parsed once and kept in binary: text and VOTables are slow to read, arrays are not.

An entry is one file in a folder that the user names. It belongs to one source file, by its path, and is used as long as
the source has the size and the time of modification that it had, or, where only the time differs, the same SHA-256
checksum. All that is in an entry is under the checksums of its format, so that a damaged one is noticed; it is then
made anew, as is one of another source, or of another version of this format.
"""

import hashlib
import json
import logging
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.table import Column, MaskedColumn, Table

from stellarlabels import files
from stellarlabels.columns import Ragged, holds_arrays, without_unit
from stellarlabels.exceptions import InputError, ReadError, StellarLabelsError, WriteError
from stellarlabels.files import Raw

_log = logging.getLogger(__name__)

#: Version of the entries.
FORMAT = 1

_DAMAGES = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, zlib.error)


def read_raw(path):
    """As ``stellarlabels.files.read_raw``, with what GaiaXPy says of a CSV file in one beside it."""
    path = Path(path)
    found, failures = files.read_raw(path)
    beside = _sidecar(path)
    if [raw.where for raw in found] != [str(path)] or failures or not beside.is_file():
        return found, failures
    try:
        sampling = files.read_raw(beside)[0][0].table["pos"][0]
    except (ReadError, KeyError, IndexError) as error:
        raise ReadError(f"{beside}: expected the sampling of {path.name} in a column 'pos'; {error}") from error
    return [replace(found[0], meta={"sampling": sampling, **found[0].meta})], failures


def _sidecar(path):
    """Path of the file into which GaiaXPy writes the sampling of a CSV file, ``<name>_sampling.csv``."""
    return path.with_name(f"{path.stem}_sampling{path.suffix}")


def read_cached(path, folder):
    """As `read_raw`, from an entry of a cache in a folder if there is one; None for no cache."""
    if folder is None:
        return read_raw(path)
    path, folder = Path(path), Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cache: expected a folder, got the file {folder}")
    if not path.is_file() or _is_fits(path):
        return read_raw(path)
    entry = folder / f"{path.stem}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}.npz"
    found = _load(entry, path)
    if found is not None:
        return found, []
    source = _state(path)
    tables, failures = read_raw(path)
    if not failures and _state(path) == source:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _store(entry, path, source, tables)
        except (TypeError, InputError) as error:
            _log.info("%s is not cached: %s", path, error)
        except (OSError, WriteError) as error:
            _log.warning("%s: the cache cannot be written; %s", entry, error)
    return tables, failures


def _is_fits(path):
    with open(path, "rb") as stream:
        return stream.read(9) == b"SIMPLE  ="


def _state(path):
    """Size and time of a file and of the file that GaiaXPy writes beside its own."""
    out = {}
    for name, one in (("file", path), ("sidecar", _sidecar(path))):
        if one.is_file():
            about = one.stat()
            out[name] = [about.st_size, about.st_mtime_ns]
    return out


def _load(entry, path):
    """The tables of an entry, or None if there is none that fits its source."""
    if not entry.is_file():
        return None
    try:
        with open(entry, "rb") as stream, np.load(stream, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            if about["format"] != FORMAT or not _fresh(about, path):
                return None
            return [_table(stored, number, item) for number, item in enumerate(about["tables"])]
    except (*_DAMAGES, StellarLabelsError) as error:
        _log.warning("%s is damaged and is made anew: %s", entry, error)
        return None


def _fresh(about, path):
    """Whether the source is the one that was read."""
    old, new = about["source"], _state(path)
    if old == new:
        return True
    sizes = [{name: values[0] for name, values in state.items()} for state in (old, new)]
    return sizes[0] == sizes[1] and about["sha256"] == _checksums(path)


def _checksums(path):
    return [files.sha256(one) for one in (path, _sidecar(path)) if one.is_file()]


def _store(entry, path, source, tables):
    """Write an entry; a TypeError for what has no binary form."""
    arrays, described = {}, []
    for number, raw in enumerate(tables):
        columns = []
        for index, name in enumerate(raw.table.colnames):
            own = raw.table[name]
            data, key = without_unit(own), f"{number}.{index}"
            if data.dtype == object:
                if not holds_arrays(own) or np.ma.is_masked(data):
                    raise TypeError(f"column {name!r} holds objects")
                cells = Ragged.from_column(own)
                types = {np.asarray(cell).dtype for cell in data.data if np.size(cell)}
                single = types == {np.dtype(np.float32)}
                arrays[f"{key}.values"] = cells.values.astype(np.float32) if single else cells.values
                arrays[f"{key}.lengths"] = cells.lengths
            else:
                arrays[key] = data.data
                if np.ma.is_masked(data):
                    arrays[f"{key}.mask"] = np.ma.getmaskarray(data)
            masked = isinstance(own, MaskedColumn)
            unit = None if own.unit is None else str(own.unit)
            columns.append({"name": name, "unit": unit, "description": own.description, "masked": masked})
        described.append({"where": raw.where, "meta": raw.meta, "columns": columns})
    about = {"format": FORMAT, "source": source, "sha256": _checksums(path), "tables": described}
    arrays["about"] = np.array(json.dumps(about, default=_plain))
    with files.replacing(entry, overwrite=True) as stream:
        np.savez(stream, **arrays)


def _plain(value):
    """NumPy's numbers and arrays in metadata, as JSON can have them."""
    if isinstance(value, np.ndarray | np.generic):
        return np.ma.filled(value, np.nan).tolist() if np.ma.is_masked(value) else np.asarray(value).tolist()
    raise TypeError(f"the metadata hold {type(value).__name__}")


def _table(stored, number, item):
    """A table of an entry."""
    table = Table()
    for index, column in enumerate(item["columns"]):
        key = f"{number}.{index}"
        if f"{key}.values" in stored:
            data = Ragged(stored[f"{key}.values"], stored[f"{key}.lengths"]).cells()
        else:
            data = stored[key]
        about = {name: column[name] for name in ("name", "unit", "description")}
        if column["masked"]:
            mask = stored.get(f"{key}.mask", False)
            one = MaskedColumn(data, mask=mask, copy=False, **about)
        else:
            one = Column(data, copy=False, **about)
        table.add_column(one, copy=False)
    return Raw(table, item["where"], item["meta"])
