"""What a publication says of itself: its description, and how it is cited."""

import datetime
import os
import re
from dataclasses import dataclass, field

from stellarlabels import __version__


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
    made : str
        The system that made the labels, in words; empty for a catalog that this library did not make.
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
    made: str = ""


def describe(content, declared=None, *, name=None, title=None, authors=(), license=""):
    """The `Publication` of a content, from the schema's notes, the content itself, and what is given."""
    notes = {} if declared is None else declared.notes
    made = _made_with(content) if content.is_own else ""
    text = content.description or "Stellar labels"
    remarks = (*notes.get("corrections", ()), *notes.get("comments", ()))
    if made:
        columns = f", in the columns of the catalog {declared.name}" if declared is not None else ""
        own = content.description if declared is None or content.description != declared.description else ""
        text = own or f"Stellar labels by {made}{columns}"
        remarks = _remarks(content, declared)
    return Publication(
        name=identifier(name or content.name),
        title=title or text,
        description=text,
        authors=tuple(authors),
        reference=content.reference,
        paper={key: notes[key] for key in _PAPER if notes.get(key)},
        remarks=remarks,
        license=license,
        date=_today(),
        made=made,
    )


def _made_with(content):
    """The system and the recipe that made the labels of a content, in words; empty if it does not say so."""
    system, recipe = (str(content.meta.get(key) or "") for key in ("system", "recipe"))
    return f"the system {system}{f' with the recipe {recipe}' if recipe else ''}" if system else ""


def _remarks(content, declared):
    """What is to be known of labels that this library made: the weights, and what became of the paper's columns."""
    told = content.meta
    out = [f"The labels are those of the networks of stellarlabels ({_made_with(content)}), not those of the paper."]
    if told.get("trained_on"):
        out.append(f"The networks were trained on {told['trained_on']}.")
    if told.get("weights"):
        out.append(f"Checksum of the weights: {told['weights']}.")
    for key, text in (told.get("unfilled") or {}).items():
        out.append(f"{key} is empty: {text}.")
    if told.get("strict"):
        out.append(f"The catalog is {told['strict']}.")
    if declared is not None:
        of_columns = [text for text in declared.notes.get("corrections", ()) if text.partition(":")[0] in declared]
        out += [f"Column {text}" for text in of_columns]
    return tuple(out)


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


_SPECIAL = re.compile(r"([&%$#_])")


def bibtex(publication):
    """BibTeX entries as text: the catalog, the paper, and the software."""
    entries = []
    year = publication.date[:4]
    if publication.authors:
        entries.append(
            _entry(
                "misc",
                f"{publication.name}_catalog",
                author=" and ".join(publication.authors),
                title=publication.title,
                year=year,
                note="Catalog",
            )
        )
    paper = publication.paper
    if paper:
        entries.append(
            _entry(
                "article",
                f"{publication.name}_paper",
                author=paper.get("authors"),
                title=paper.get("title"),
                year=paper.get("year"),
                journal=paper.get("journal"),
                doi=paper.get("doi"),
                eprint=paper.get("eprint"),
                adsurl=f"https://ui.adsabs.harvard.edu/abs/{paper['bibcode']}" if "bibcode" in paper else None,
            )
        )
    entries.append(
        _entry(
            "software", "stellarlabels", author="{the stellarlabels developers}", title="stellarlabels",
            year=year, version=__version__,
        )
    )  # fmt: skip
    return "\n".join(entries)


def _entry(kind, key, **fields):
    lines = [f"  {name} = {{{_escaped(name, str(value))}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"]) + "\n"


def _escaped(name, value):
    if name in ("doi", "adsurl", "author"):
        return value
    value = _SPECIAL.sub(r"\\\1", value)
    return f"{{{value}}}" if name == "title" else value


def citation_text(publication):
    """What to cite, in words, as text."""
    lines = ["If you use this catalog, please cite"]
    if publication.authors:
        names = "; ".join(publication.authors)
        lines.append(f"- the catalog: {names} ({publication.date[:4]}), {publication.title}")
    paper = publication.paper
    if paper:
        where = ", ".join(str(paper[key]) for key in ("journal", "bibcode", "doi", "eprint") if key in paper)
        authors = paper.get("authors", "").replace(" and others", " et al.").replace(" and ", "; ")
        lines.append(f"- the paper: {authors} ({paper.get('year', 'no year')}), {paper.get('title', '')}, {where}")
    elif publication.reference:
        lines.append(f"- the paper: {publication.reference}")
    lines.append(f"- the software: stellarlabels {__version__}")
    return "\n".join([*lines, "", "The entries are in references.bib."]) + "\n"
