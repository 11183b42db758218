"""A query with declared parameters, the same with their values, and the files that hold queries."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from stellarlabels import columns, releases
from stellarlabels.archive.queries.parameters import Parameter, pieces, placeholders, without_comments
from stellarlabels.exceptions import InputError, ReadError, ReleaseError

__all__ = ["BoundQuery", "Query", "Upload", "available", "find", "get", "read"]


_SAMPLES = ("train", "apply", "compare", "stars")

#: Where the list of selected columns ends.
_FROM = re.compile(r"\bFROM\b", re.IGNORECASE)


@dataclass(frozen=True)
class Upload:
    """The table that a query wants to have uploaded.

    Parameters
    ----------
    name : str
        In the query, ``TAP_UPLOAD.<name>``.
    columns : tuple of str
        Names in the vocabulary.
    """

    name: str
    columns: tuple


@dataclass(frozen=True)
class Query:
    """An ADQL text with placeholders, and what is declared of it.

    Parameters
    ----------
    name : str
    title : str
    template : str
        ADQL; ``{name}`` stands for a whole literal.
    system : str
        The system whose sample this is.
    sample : {"train", "apply", "compare", "stars"}
        "stars": a step of ``stellarlabels.gather``: stars of a region, or what an archive has of given ones.
    services : tuple of str
        Services that know these names of tables and columns; the first is the default.
    reference : str
    parameters : dict
        Name -> Parameter.
    upload : `Upload`, optional
    unconfirmed : tuple of str
        Names in the query that no document of the archive confirmed.
    notes : tuple of str

    Raises
    ------
    InputError
        If parameters and placeholders do not agree, or a placeholder is not where a literal can be.
    """

    name: str
    title: str
    template: str
    system: str
    sample: str
    services: tuple
    reference: str = ""
    parameters: dict = field(default_factory=dict)
    upload: Upload | None = None
    unconfirmed: tuple = ()
    notes: tuple = ()

    def __post_init__(self):
        if self.sample not in _SAMPLES:
            raise InputError(f"query {self.name}: sample: expected one of {', '.join(_SAMPLES)}, got {self.sample!r}")
        used, declared = set(placeholders(self.template)), set(self.parameters)
        if used != declared:
            raise InputError(
                f"query {self.name}: placeholders and parameters differ; not declared: {sorted(used - declared)}, "
                f"not used: {sorted(declared - used)}"
            )
        if self.upload and f"tap_upload.{self.upload.name}".lower() not in self.template.lower():
            raise InputError(f"query {self.name}: upload: the text does not read TAP_UPLOAD.{self.upload.name}")
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    @property
    def release(self):
        """Name of the Gaia release whose tables the query reads; None if it reads none of them."""
        found = [release.name for release in _with_tables() if self._tables(release)]
        return found[0] if len(found) == 1 else None

    @property
    def gives(self):
        """Names of the columns of the result, in lower case (list of str)."""
        selected = _FROM.split(without_comments(self.template), maxsplit=1)[0]
        selected = re.sub(r"^\s*SELECT\s+(DISTINCT\s+)?(\{\w+\}|TOP\s+\d+)?", "", selected, flags=re.IGNORECASE)
        parts = re.split(r",(?![^(\[]*[)\]])", selected)  # not at commas in parentheses
        return [re.split(r"\s+AS\s+|\.", part.strip(), flags=re.IGNORECASE)[-1].strip('"').lower() for part in parts]

    def _tables(self, release):
        """What the query reads of a release: names of tables by what they are."""
        tables = release.tables.items()
        return {kind: name for kind, name in tables if re.search(rf"\b{re.escape(name)}\b", self.template)}

    def for_release(self, release):
        """The same query of the tables of another Gaia release.

        Parameters
        ----------
        release : str

        Returns
        -------
        `Query`
            What is not confirmed of the release is in its ``unconfirmed`` and ``notes``.

        Raises
        ------
        InputError
            If the query reads no tables of a Gaia release, or there is no release of the name.
        ReleaseError
            If the release has no such table, as far as is known.
        """
        wanted = releases.get(release)
        if self.release is None:
            raise InputError(f"release: the query {self.name} reads no tables of a release of Gaia; leave it out")
        if wanted.name == self.release:
            return self
        read, there = self._tables(releases.get(self.release)), wanted.fact("tables")
        missing = [name for kind, name in read.items() if kind not in there.value]
        if missing:
            raise ReleaseError(
                f"release: the query {self.name} reads {', '.join(missing)}, and nothing like it is known of {wanted}; "
                "take a query of your own, from a file *.adql"
            )
        template = self.template
        for kind, name in read.items():
            template = re.sub(rf"\b{re.escape(name)}\b", there.value[kind], template)
        notes = (*self.notes, f"Names of columns are those of {self.release}.")
        new = () if there.confirmed else tuple(f"{there.value[kind]} ({there.source})" for kind in read)
        title = self.title.replace(self.release, wanted.name)
        return replace(self, title=title, template=template, unconfirmed=(*self.unconfirmed, *new), notes=notes)

    def bind(self, **values):
        """Give the parameters their values.

        Parameters
        ----------
        **values
            By the parameters' names; those with a default may be left out. Texts, as from a command line, are read.

        Returns
        -------
        `BoundQuery`

        Raises
        ------
        InputError
            If there is no such parameter, one is missing, or a value is not what is declared.
        """
        unknown = sorted(set(values) - set(self.parameters))
        if unknown:
            known = ", ".join(self.parameters) or "none"
            raise InputError(f"{unknown[0]}: the query {self.name} has no such parameter; it has: {known}")
        checked, literals = {}, {}
        for name, parameter in self.parameters.items():
            given = values.get(name, parameter.default)
            if given is None:
                raise InputError(f"{name}: the query {self.name} needs a value: {parameter.expected()}")
            checked[name] = parameter.value(given)
            literals[name] = parameter.literal(checked[name])
        parts = []
        for kind, text in pieces(without_comments(self.template)):
            part = literals[text] if kind == "placeholder" else text
            parts.append(part.removeprefix(" ") if parts and not parts[-1] else part)
        return BoundQuery(self, "".join(parts), MappingProxyType(checked))


def _with_tables():
    """The releases of which tables are declared."""
    return [releases.get(name) for name in releases.available() if releases.get(name).knows("tables")]


@dataclass(frozen=True)
class BoundQuery:
    """A query that can be sent.

    Parameters
    ----------
    query : `Query`
    adql : str
        The text.
    values : mapping
        The parameters' values, in their declared units.
    """

    query: Query
    adql: str
    values: MappingProxyType

    def __str__(self):
        return self.adql


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
