"""The page: what a report is made of, and HTML that needs no other file."""

import base64
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import ClassVar

from stellarlabels import __version__
from stellarlabels.exceptions import InputError


@dataclass(frozen=True)
class Finding:
    """One sentence ("problem", "caution" or "note") and the label and reference that it is about, or ""."""

    kind: str
    text: str
    label: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Findings:
    """A list of `Finding`."""

    findings: list
    kind: ClassVar[str] = "findings"


@dataclass(frozen=True)
class Facts:
    """Names and values, as text."""

    facts: dict
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class View:
    """A table as it is shown: cells as text, which columns hold numbers, the file with the numbers in full or ""."""

    caption: str
    head: tuple
    rows: list
    numeric: tuple
    file: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Figure:
    """A figure: SVG, what is seen in words, caption, and whether it takes the whole width of the page."""

    image: bytes
    alt: str
    caption: str
    wide: bool = False
    kind: ClassVar[str] = "figure"


@dataclass
class Section:
    """A section with its blocks and the sections in it; its key is unique: letters, digits and hyphens."""

    title: str
    key: str
    blocks: list = field(default_factory=list)
    sections: list = field(default_factory=list)


def html(title, subtitle, sections, footer=""):
    """A complete HTML document as text: styles and figures are in it, and there are no scripts."""
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
