"""The page: sections in, HTML that needs no other file out."""

import base64
import re
from importlib import resources

from stellarlabels import __version__
from stellarlabels.exceptions import InputError

__all__ = ["html"]


def html(title, subtitle, sections, footer=""):
    """The page as text.

    Parameters
    ----------
    title, subtitle : str
    sections : list of `~stellarlabels.report.parts.Section`
    footer : str

    Returns
    -------
    str
        A complete HTML document: styles and figures are in it, and there are no scripts.

    Raises
    ------
    InputError
        If Jinja is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise InputError("report: the package jinja2 is needed: pip install stellarlabels[report]") from error
    folder = resources.files("stellarlabels") / "data" / "report"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=False)
    template = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))
    style = (folder / "page.css").read_text(encoding="utf-8").strip()
    return template.render(
        title=title,
        subtitle=subtitle,
        footer=footer,
        version=__version__,
        style=jinja2.utils.markupsafe.Markup(style),
        sections=[_section(section) for section in sections],
    )


def _section(section):
    """A section as the template takes it; figures that follow each other make one gallery."""
    blocks = []
    for number, block in enumerate(section.blocks):
        if block.kind == "figure":
            if not blocks or blocks[-1]["kind"] != "gallery":
                blocks.append({"kind": "gallery", "figures": []})
            blocks[-1]["figures"].append(_figure(block))
            continue
        blocks.append({**vars(block), "kind": block.kind, "key": f"{section.key}-table-{number}"})
    inner = [_section(item) for item in section.sections]
    return {"title": section.title, "key": section.key, "blocks": blocks, "sections": inner}


def _figure(figure):
    """A figure with its size in pixels of the page."""
    width, height = (
        round(float(size) * 4 / 3) for size in re.findall(rb'(?:width|height)="([\d.]+)pt"', figure.image)[:2]
    )
    data = base64.b64encode(figure.image).decode("ascii")
    return {
        "data": data,
        "width": width,
        "height": height,
        "alt": figure.alt,
        "caption": figure.caption,
        "wide": figure.wide,
    }
