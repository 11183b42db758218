"""Where the numbers of a catalog come from, as a record that machines read."""

import importlib.metadata
import platform

import numpy as np

from stellarlabels import __version__, flags
from stellarlabels.files import BLOCK

__all__ = ["record"]

#: Packages whose versions can change a label or a file.
_PACKAGES = ("numpy", "scipy", "astropy", "keras", "tensorflow", "gaiaxpy", "dustmaps", "pyvo", "pyarrow")


def record(publication, content, source=""):
    """The record.

    Parameters
    ----------
    publication : `~stellarlabels.catalogs.bundle.Publication`
    content : `~stellarlabels.files.Content`
        Its metadata hold what the labels were made with: system, weights, training, queries.
    source : str
        The file that was exported.

    Returns
    -------
    dict
        As JSON can hold it: ``catalog``, ``software``, ``origin`` (the metadata of the table: system, weights,
        queries), ``counts`` (rows, and for each column the missing values), ``columns``, ``flags`` (for each flag
        column and value: name, meaning, and the number of rows that have it).
    """
    counts = {item.column.name: _missing(item) for item in content.fields}
    return {
        "catalog": {
            "name": publication.name,
            "title": publication.title,
            "authors": list(publication.authors),
            "reference": publication.reference,
            "license": publication.license,
            "created": publication.date,
            "source": source,
        },
        "software": {"stellarlabels": __version__, "python": platform.python_version(), **_versions()},
        "origin": content.meta,
        "counts": {"rows": len(content), "missing": counts},
        "columns": [
            {
                "name": item.column.name,
                "dtype": item.column.dtype,
                "shape": list(item.column.shape),
                "unit": item.column.unit,
                "ucd": item.column.ucd,
                "description": item.column.description,
            }
            for item in content.fields
        ],
        "flags": {item.column.name: _flag(item, kind) for item, kind in _flag_columns(content)},
    }


def _versions():
    out = {}
    for name in _PACKAGES:
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return out


def _parts(item):
    for first in range(0, len(item.data), BLOCK):
        part = slice(first, first + BLOCK)
        yield item.data[part], item.mask[part]


def _missing(item):
    """Number of missing values."""
    return sum(int(np.count_nonzero(mask)) for _, mask in _parts(item)) if item.has_missing else 0


def _flag_columns(content):
    """The flag columns with the kind of flags of each."""
    for item in content.fields:
        own = item.column.name.removesuffix("_flag")
        kind = item.column.flags
        if not kind and own != item.column.name and item.kind in "iu":
            kind = own if own in content.flags else "label"
        if kind in content.flags and item.kind in "iu":
            yield item, kind


def _flag(item, kind):
    """Name, meaning and number of each bit of a flag column."""
    known = flags.get(kind)
    counts = dict.fromkeys((0, *(flag.value for flag in known)), 0)
    for data, mask in _parts(item):
        values = data[~mask]
        for value in counts:
            counts[value] += int(np.count_nonzero(values & value if value else values == 0))
    return {
        "set": kind,
        "values": [
            {"value": 0, "count": counts[0]},
            *(
                {"value": flag.value, "name": flag.name, "meaning": flag.meaning, "count": counts[flag.value]}
                for flag in known
            ),
        ],
    }
