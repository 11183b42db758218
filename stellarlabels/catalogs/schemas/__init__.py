"""The published catalogs, one ECSV file each: columns, units, dtypes, UCDs, descriptions, nulls, and corrections.

A file that is added to this folder is available under its name, also to Astropy as the format ``stellarlabels.<name>``.
Beside what `stellarlabels.columns.Schema.read` asks for, the metadata of a file may hold

``null_values``
    For ``*``, all columns of numbers, the values that stand for "missing" in the published file, beside those that the
    column ``null`` says.
``coosys``
    ``system`` and ``epoch`` of the equatorial coordinates.
``flag_sets``
    The sets of flags that the column ``flag`` names; see ``stellarlabels.catalogs.flagsets``.
``flag_rules``
    How the flags of the catalog follow from those of labels; see ``stellarlabels.catalogs.published.with_flags``.
``samples``, ``expressions``
    The paper's samples; see `stellarlabels.catalogs.filters.of_samples`.
``corrections``, ``comments``
    What is wrong in the published description, and what else a reader of the published file should know.
``paper``, ``authors``, ``title``, ``year``, ``journal``, ``bibcode``, ``doi``, ``eprint``, ``file``, ``rows``
    The paper, and the published file.
"""

from dataclasses import replace
from functools import lru_cache
from importlib import resources

from stellarlabels import releases
from stellarlabels.columns import Schema
from stellarlabels.exceptions import InputError
from stellarlabels.registry import Registry

__all__ = ["available", "forget", "get", "published", "register"]

_REGISTERED = Registry("schema")

#: The Gaia release of which the published catalogs are, and of which the descriptions of their columns speak.
_RELEASE = "Gaia DR3"


def register(schema, name=None):
    """Make a schema known under its name, beside those of the files in this folder, which win.

    Parameters
    ----------
    schema : `~stellarlabels.columns.Schema` or callable
        A schema, or a function without arguments that makes it when it is asked for.
    name : str, optional
        By default that of the schema.

    Returns
    -------
    `~stellarlabels.columns.Schema` or callable
        The argument.

    Raises
    ------
    InputError
        If another schema has that name.
    """
    return _REGISTERED.register(schema, name)


def forget(name):
    """Take back what `register` did; nothing happens if there is no such schema."""
    _REGISTERED.discard(name)


def published():
    """Names of the schemas of published catalogs, which have a file in this folder.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".ecsv") for file in files if file.name.endswith(".ecsv"))


def available() -> list[str]:
    """Names of the schemas: those of published catalogs, and those that have been registered.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    return sorted({*published(), *_REGISTERED.names()})


def get(name, release=None):
    """The schema of a catalog.

    Parameters
    ----------
    name : str or `~stellarlabels.columns.Schema`
        One of `available`, in any case of letters. A schema is returned as it is.
    release : str, optional
        The Gaia release of the stars, as ``meta["release"]`` of their labels has it: descriptions and the epoch of
        positions are those of this release. What is none changes nothing.

    Returns
    -------
    `~stellarlabels.columns.Schema`

    Raises
    ------
    InputError
        If there is no such schema; the message lists those there are.
    """
    found = _get(name)
    if release not in releases.available() or releases.get(_RELEASE).fits(release):
        return found
    return _of_release(found, releases.get(_RELEASE), releases.get(release))


def _get(name):
    if isinstance(name, Schema):
        return name
    key = str(name).lower()
    if key in published():
        return _read(key)
    if key not in _REGISTERED:
        raise InputError(f"schema: there is none called {name!r}; there are {available()}")
    found = _REGISTERED.get(key)
    return found if isinstance(found, Schema) else found()


def _of_release(schema, old, new):
    """The schema with words and the epoch of another release."""

    def said(text):
        text = text.replace(old.name, new.name)
        return text.replace(f"epoch {old.reference_epoch}", f"epoch {new.reference_epoch}")

    columns = [replace(column, description=said(column.description)) for column in schema]
    notes = dict(schema.notes)
    if "epoch" in notes.get("coosys", {}):
        notes["coosys"] = {**notes["coosys"], "epoch": f"J{new.reference_epoch}"}
    return Schema(schema.name, columns, said(schema.description), schema.reference, notes)


@lru_cache
def _read(key):
    with resources.as_file(resources.files(__name__) / f"{key}.ecsv") as path:
        return Schema.read(path)
