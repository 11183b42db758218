"""What is said of a catalog when it is published: title, authors, references."""

import datetime
import os
import re
from dataclasses import dataclass, field

__all__ = ["Publication", "describe", "identifier"]


@dataclass(frozen=True)
class Publication:
    """A catalog that is published.

    Parameters
    ----------
    name : str
        Short name: letters, digits and underscores, beginning with a letter. Files, the schema of the service and the
        cone search are called after it.
    title : str
    description : str
    authors : tuple of str
        ``"Family, Given"`` each.
    reference : str
        Address or DOI of the paper that describes the catalog or the method.
    paper : dict
        ``authors`` (joined by "and"), ``title``, ``year``, ``journal``, ``bibcode``, ``doi``, ``eprint`` of that paper,
        as far as they are known.
    remarks : tuple of str
        What a reader should know: corrections, comments.
    license : str
        Licence of the data; empty if none is declared.
    date : str
        ISO 8601.
    """

    name: str
    title: str
    description: str = ""
    authors: tuple = ()
    reference: str = ""
    paper: dict = field(default_factory=dict)
    remarks: tuple = ()
    license: str = ""
    date: str = ""


def describe(content, declared=None, *, name=None, title=None, authors=(), license=""):
    """The publication of a content.

    Parameters
    ----------
    content : `~stellarlabels.files.Content`
    declared : `~stellarlabels.columns.Schema`, optional
        Its notes say what the paper is.
    name, title, authors, license
        As in `Publication`; by default from the schema and the content.

    Returns
    -------
    `Publication`
    """
    notes = {} if declared is None else declared.notes
    text = content.description or "Stellar labels"
    return Publication(
        name=identifier(name or content.name),
        title=title or text,
        description=text,
        authors=tuple(authors),
        reference=content.reference,
        paper={key: notes[key] for key in _PAPER if notes.get(key)},
        remarks=(*notes.get("corrections", ()), *notes.get("comments", ())),
        license=license,
        date=_today(),
    )


_PAPER = ("authors", "title", "year", "journal", "bibcode", "doi", "eprint")


def identifier(text):
    """The text as a name that files and databases take."""
    name = re.sub(r"\W+", "_", text.lower(), flags=re.ASCII).strip("_")
    return name if re.match("[a-z]", name) else f"catalog_{name}".rstrip("_")


def _today():
    """The time in UTC; that of SOURCE_DATE_EPOCH where this is set, for builds that can be repeated."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.UTC)
    if epoch:
        now = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
