"""Reading query files: a header in TOML, in the comments with which the file begins, and ADQL below it."""

import tomllib
from importlib import resources
from pathlib import Path

from stellarlabels import columns
from stellarlabels.archive.queries.parameters import Parameter
from stellarlabels.archive.queries.query import Query, Upload
from stellarlabels.exceptions import InputError, ReadError

__all__ = ["available", "find", "get", "read"]

_REQUIRED = {"title", "system", "sample", "services", "reference", "unconfirmed"}
_KNOWN = _REQUIRED | {"notes", "upload", "parameters"}
_SUFFIX = ".adql"


def available():
    """Names of the queries that ship with the package.

    Returns
    -------
    list of str
    """
    return sorted(item.name.removesuffix(_SUFFIX) for item in _folder().iterdir() if item.name.endswith(_SUFFIX))


def get(name):
    """A query that ships with the package.

    Parameters
    ----------
    name : str
        See `available`.

    Returns
    -------
    ``stellarlabels.archive.queries.Query``

    Raises
    ------
    InputError
        If there is no such query.
    """
    if name not in available():
        raise InputError(f"query: no query is called {name!r}; there are: {', '.join(available()) or 'none'}")
    return parse((_folder() / f"{name}{_SUFFIX}").read_text(encoding="utf-8"), name)


def find(system, sample="apply", *, service=None):
    """The query for a sample of a system.

    Parameters
    ----------
    system : str
    sample : {"train", "apply", "compare"}
    service : str, optional
        Name of a service; by default, and where it is an address, the query called ``<system>_<sample>``.

    Returns
    -------
    ``stellarlabels.archive.queries.Query``

    Raises
    ------
    InputError
        If there is none, or the service is not one for which the sample was written.
    """
    found = [query for query in map(get, available()) if (query.system, query.sample) == (system, sample)]
    if not found:
        raise InputError(f"system: there is no query for {system!r} and the sample {sample!r}; see {available()}")
    found.sort(key=lambda query: query.name != f"{system}_{sample}")
    if service is None or "/" in service:
        return found[0]
    for query in found:
        if service in query.services:
            return query
    known = sorted({name for query in found for name in query.services})
    raise InputError(f"service: expected one of {', '.join(known)} for {system} ({sample}), got {service!r}")


def read(path):
    """A query of one's own.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ``stellarlabels.archive.queries.Query``

    Raises
    ------
    ReadError
        If the file cannot be read.
    InputError
        If its header or its placeholders are not as they should be.
    """
    path = Path(path)
    try:
        return parse(path.read_text(encoding="utf-8"), path.name.removesuffix(_SUFFIX))
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"path: {path} cannot be read: {error}") from error


def parse(source, name):
    """A query from the text of its file.

    Parameters
    ----------
    source : str
    name : str

    Returns
    -------
    ``stellarlabels.archive.queries.Query``
    """
    lines = source.splitlines()
    end = next((index for index, line in enumerate(lines) if not line.startswith("--")), len(lines))
    head = "\n".join(line[2:].removeprefix(" ") for line in lines[:end])
    try:
        declared = tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"query {name}: the header is not TOML in comments: {error}") from error
    if _REQUIRED - set(declared) or set(declared) - _KNOWN:
        raise InputError(
            f"query {name}: header: missing {sorted(_REQUIRED - set(declared))}, "
            f"unknown {sorted(set(declared) - _KNOWN)}"
        )
    parameters, upload = declared.pop("parameters", {}), declared.pop("upload", None)
    for key in ("services", "unconfirmed", "notes"):
        declared[key] = tuple(declared.get(key, ()))
    try:
        return Query(
            name=name,
            template="\n".join(lines[end:]).strip(),
            parameters={key: Parameter(name=key, **value) for key, value in parameters.items()},
            upload=_upload(upload) if upload else None,
            **declared,
        )
    except TypeError as error:
        raise InputError(f"query {name}: header: {error}") from error


def _upload(declared):
    upload = Upload(name=declared["name"], columns=tuple(declared["columns"]))
    for column in upload.columns:
        columns.column(column)
    return upload


def _folder():
    return resources.files("stellarlabels.archive") / "queries"
