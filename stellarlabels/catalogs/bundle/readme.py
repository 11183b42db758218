"""The ReadMe of a catalog, in the form that the CDS archives."""

import textwrap

from stellarlabels.catalogs.bundle import citation

__all__ = ["readme"]

_RULE = "-" * 80
_DOUBLE = "=" * 80


def readme(publication, table, files):
    """The text of the ReadMe.

    Parameters
    ----------
    publication : `~stellarlabels.catalogs.bundle.Publication`
    table : `~stellarlabels.files.FixedWidth`
    files : dict of str to str
        The other files of the bundle and what they are.

    Returns
    -------
    str
        ASCII.
    """
    paper, data = publication.paper, f"{publication.name}.dat"
    names = "; ".join(publication.authors)
    first = publication.authors[0] if publication.authors else "stellarlabels"
    lines = [f"{publication.name[:40]:41s}{f'({first}, {publication.date[:4]})':>39s}", _DOUBLE]
    lines += _filled(publication.title, "")
    lines += _filled(names, "    ") if names else []
    lines += [f"   ={paper['bibcode']}"] if "bibcode" in paper else []
    lines += [_DOUBLE, "Description:", *_filled(publication.description, "    ")]
    if publication.remarks:
        lines += ["", "Remarks on the paper and on the catalog that was published with it:"]
    for remark in publication.remarks:
        lines += _filled(remark, "  - ", 4)
    lines += ["", "File Summary:", _RULE, " FileName" + " " * 12 + "Lrecl   Records   Explanations", _RULE]
    records = len(table.content)
    for name, width, count, text in (
        ("ReadMe", 80, ".", "This file"),
        (data, table.width, records, publication.title),
        *((name, ".", ".", text) for name, text in files.items()),
    ):
        lines += _filled(text, f"{name:20s} {width:>5} {count:>9}   ", 39)
    lines += [_RULE, "", table.description(data).rstrip("\n"), "", "Acknowledgements:"]
    for line in citation.text(publication).splitlines():
        lines += _filled(line, "    ") if line else []
    lines += [f"    License of the data: {publication.license}"] if publication.license else []
    lines += ["", _DOUBLE, f"(End){'stellarlabels':>58s}{publication.date[:10]:>17s}"]
    return "\n".join(line.rstrip() for line in lines).encode("ascii", "replace").decode("ascii") + "\n"


def _filled(text, head, indent=None):
    indent = len(head) if indent is None else indent
    lines = textwrap.wrap(text, 80, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False)
    return lines or [head]
