"""References in BibTeX, and a text that says what to cite."""

import re

from stellarlabels import __version__

__all__ = ["bibtex", "text"]

_SPECIAL = re.compile(r"([&%$#_])")


def bibtex(publication):
    """BibTeX entries: the catalog, the paper, and the software.

    Parameters
    ----------
    publication : `~stellarlabels.catalogs.bundle.Publication`

    Returns
    -------
    str
    """
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


def text(publication):
    """What to cite, in words.

    Parameters
    ----------
    publication : `~stellarlabels.catalogs.bundle.Publication`

    Returns
    -------
    str
    """
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
