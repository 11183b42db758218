"""The page: what a report is made of, HTML that needs no other file, and numbers and tables as it shows them."""

import base64
import re
from dataclasses import dataclass, field
from importlib import resources
from typing import ClassVar

import numpy as np

from stellarlabels import __version__
from stellarlabels.exceptions import InputError
from stellarlabels.plots import plain, unit
from stellarlabels.validation import NO_FLAG


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


#: What a cell says where there is no number.
MISSING = "n/a"


def number(value, digits=3):
    """A number with so many significant digits, never in powers of ten; `MISSING` for NaN."""
    if value is None or not np.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    places = digits - 1 - int(np.floor(np.log10(abs(value))))
    if places > 6:
        return f"{value:.1e}"
    return f"{value:,.{max(places, 0)}f}".replace("-", "\N{MINUS SIGN}")


def with_error(value, error):
    """A number with its standard error, if known, to the second digit of the error, or the first if it is small."""
    if value is None or not np.isfinite(value):
        return MISSING
    if error is None or not np.isfinite(error) or error <= 0:
        return number(value)
    places = 1 - int(np.floor(np.log10(error)))
    places = max(places - (places > 4), 0)
    value = round(float(value), places) + 0.0  # no minus before a zero
    return f"{value:,.{places}f} ± {error:,.{places}f}".replace("-", "\N{MINUS SIGN}")


def with_unit(value, name, digits=3):
    """A number with the unit of a label."""
    return f"{number(value, digits)} {unit(name)}".rstrip()


def count(value, noun="star"):
    """A number of things, such as "1 star" or "1,234 stars"."""
    return f"{int(value):,} {noun}{'' if int(value) == 1 else 's'}"


def percent(share):
    """A share as a percentage, never rounded to a bound that it does not reach."""
    if share is None or not np.isfinite(share):
        return MISSING
    value = 100 * float(share)
    if 0 < value < 0.05:
        return "< 0.1 %"
    if 99.95 < value < 100:
        return "> 99.9 %"
    return f"{value:.1f} %" if 0 < value < 10 or value > 99 and value < 100 else f"{value:.0f} %"


def slug(text):
    """A text as part of a file name or an anchor."""
    kept = "".join(letter.lower() if letter.isascii() and letter.isalnum() else "-" for letter in str(text))
    return "-".join(filter(None, kept.split("-"))) or "x"


def of_contents(table, file):
    """The labels of a catalog."""
    levels = ("good", "note", "caution", "bad")
    head = ("Label", "Missing", "Good", "With a note", "Caution", "Bad", "5 %", "Median", "95 %", "Median error")
    rows = [
        (
            _label(row),
            f"{row['missing']:,}",
            *("no flags" if row[key] < 0 else f"{row[key]:,}" for key in levels),
            *(number(row[key], 4) for key in ("low", "median", "high")),
            number(row["error"]),
        )
        for row in table
    ]
    caption = (
        "The labels of the catalog: how many are missing, good, good but with a note, of level caution, and bad; "
        "quantiles of the values, and the median of the errors."
    )
    return View(caption, head, rows, (False, *(True,) * 9), file)


def of_tally(tally, file):
    """How often each flag is raised; flags that no star has are in the file only."""
    columns = list(dict.fromkeys(map(str, tally["column"])))
    found = {}
    for row in tally:
        found.setdefault((str(row["flag"]), str(row["meaning"])), {})[str(row["column"])] = row
    rows = [
        (flag, _level(by_column), *(_share(by_column.get(name)) for name in columns), meaning)
        for (flag, meaning), by_column in found.items()
        if flag == NO_FLAG or any(row["stars"] for row in by_column.values())
    ]
    caption = (
        f"Share of the stars with each flag, and their number; {NO_FLAG} are the stars without any. A star may have "
        "several. Flags that no star has are left out."
    )
    return View(
        caption, ("Flag", "Level", *columns, "Meaning"), rows, (False, False, *(True,) * len(columns), False), file
    )


def _level(by_column):
    """The level of a flag, which is the same in all columns."""
    return str(next(iter(by_column.values()))["level"])


def _share(row):
    """Share and number of the stars with a flag; nothing where the column has no such flag."""
    if row is None:
        return ""
    return f"{percent(row['share'])} ({row['stars']:,})" if np.isfinite(row["share"]) else MISSING


def of_comparison(comparison, file):
    """Bias and scatter of all labels against a reference."""
    head = ("Label", "Group", "Stars", "Median", "Gaussian mean", "Gaussian sigma", "Robust scatter", "RMSE")
    rows = []
    for row in comparison.table:
        if not row["stars"]:
            continue
        pairs = (
            (row[key], row[f"{key}_err"]) for key in ("median", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")
        )
        cells = (with_error(*pair) for pair in pairs)
        rows.append((_label(row), str(row["group"]), f"{row['stars']:,}", *cells))
    caption = (
        f"Catalog minus {comparison.title}: median, mean and sigma of a Gaussian fit clipped at 3 sigma, robust "
        "scatter (1.4826 times the median absolute deviation) and root mean square; standard errors from a bootstrap."
    )
    return View(caption, head, rows, (False, False, *(True,) * 6), file)


def of_calibration(comparison, file):
    """Whether the predicted errors are right."""
    head = (
        "Label",
        "Stars",
        "Median error",
        "Pull width",
        "Within 1 sigma",
        "Within 2 sigma",
        "Factor",
        "PIT distance",
    )
    errors = {str(row["label"]): row["error"] for row in comparison.table if row["group"] == "all"}
    rows = [
        (
            plain(str(row["label"])),
            f"{row['stars']:,}",
            f"{number(errors[str(row['label'])])} {unit(str(row['label']))}".rstrip(),
            with_error(row["pull_width"], row["pull_width_err"]),
            percent(row["coverage_1"]),
            percent(row["coverage_2"]),
            with_error(row["factor"], row["factor_err"]),
            number(row["pit_distance"], 2),
        )
        for row in comparison.calibration
    ]
    caption = (
        f"Are the errors right? Against {comparison.title}, whose own errors count. Right errors give a pull width "
        "of 1, 68 % within 1 sigma and 95 % within 2 sigma. The factor is what the errors are to be multiplied with."
    )
    return View(caption, head, rows, (False, *(True,) * 7), file)


def of_bins(comparison, name, quantity, file):
    """Bias, scatter and rightness of the errors of one label in bins of a quantity; None if there are no bins."""
    table = comparison.bins
    if table is None or not len(table):
        return None
    table = table[(np.asarray(table["label"]) == name) & (np.asarray(table["along"]) == quantity)]
    if not len(table):
        return None
    head = (
        f"{plain(quantity)}",
        "Stars",
        "Median residual",
        "Robust scatter",
        "Median error",
        "Pull width",
        "Within 1 sigma",
    )
    rows = [
        (
            f"{number(row['low'], 4)} to {number(row['high'], 4)}",
            f"{row['stars']:,}",
            with_error(row["median"], row["median_err"]),
            with_error(row["robust_sigma"], row["robust_sigma_err"]),
            number(row["error"]),
            with_error(row["pull_width"], row["pull_width_err"]),
            percent(row["coverage"]),
        )
        for row in table
    ]
    where = "the reference's own value" if quantity == name else f"{plain(quantity)}"
    units = f" Residuals in {unit(name)}." if unit(name) else ""
    caption = f"{plain(name)} in bins of {where} with equal numbers of stars.{units}"
    return View(caption, head, rows, (False, *(True,) * 6), file)


def _label(row):
    name = str(row["label"])
    return f"{plain(name)} ({unit(name)})" if unit(name) else plain(name)
