"""What a report is made of: sections of text, tables and figures, without any form."""

from dataclasses import dataclass, field
from typing import ClassVar

__all__ = ["Facts", "Figure", "Finding", "Findings", "Section", "Text", "View"]


@dataclass(frozen=True)
class Finding:
    """One sentence on what to be careful about.

    Parameters
    ----------
    kind : {"problem", "caution", "note"}
        How much it matters.
    text : str
        The sentence.
    label : str
        The label that it is about, or empty.
    reference : str
        The reference that shows it, or empty.
    """

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
    """A table as it is shown.

    Parameters
    ----------
    caption : str
    head : tuple of str
        Names of the columns; the first column names the rows.
    rows : list of tuple of str
        Cells as text.
    numeric : tuple of bool
        Which columns hold numbers.
    file : str
        Name of the file with the same numbers in full, or empty.
    """

    caption: str
    head: tuple
    rows: list
    numeric: tuple
    file: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Figure:
    """A figure.

    Parameters
    ----------
    image : bytes
        SVG.
    alt : str
        What is seen, in words.
    caption : str
    wide : bool
        Whether it takes the whole width of the page.
    """

    image: bytes
    alt: str
    caption: str
    wide: bool = False
    kind: ClassVar[str] = "figure"


@dataclass
class Section:
    """A section with its blocks and the sections in it.

    Parameters
    ----------
    title : str
    key : str
        Unique in the report: letters, digits and hyphens.
    blocks : list of `Text`, `Findings`, `Facts`, `View` or `Figure`
    sections : list of `Section`
    """

    title: str
    key: str
    blocks: list = field(default_factory=list)
    sections: list = field(default_factory=list)
