"""The page with a keyboard, a screen reader, weak eyes, no network, and on paper."""

import base64
import re

import numpy as np
import pytest

from stellarlabels.plots import figure_bytes


def words(node):
    return " ".join(" ".join(node.itertext()).split())


def test_it_needs_nothing_else(written, page):
    text = written["index.html"].read_text(encoding="utf-8")
    assert not list(page.iter("script")) and not list(page.iter("link"))
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", text)
    assert not re.search(r"url\(|@import", text)
    for link in page.iter("a"):
        target = link.get("href")
        assert target.startswith("#") or target in {path.name for path in written.values()}


def test_language_title_and_landmarks(page):
    assert page.get("lang") == "en" and words(next(page.iter("title"))) == words(next(page.iter("h1")))
    for name in ("header", "nav", "main", "footer"):
        assert len(list(page.iter(name))) == 1, name
    assert next(page.iter("nav")).get("aria-label") == "Contents"


def test_ids_are_unique_and_references_lead_somewhere(page):
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    targets = [link.get("href")[1:] for link in page.iter("a") if link.get("href").startswith("#")]
    labelled = [node.get("aria-labelledby") for node in page.iter() if node.get("aria-labelledby")]
    assert targets and labelled and set(targets) | set(labelled) <= set(ids)


def test_the_first_link_skips_to_the_content(page):
    first = next(page.iter("a"))
    assert first.get("href") == "#main" and first.get("class") == "skip"
    assert next(page.iter("main")).get("id") == "main"


def test_headings_are_in_order(page):
    levels = [
        int(node.tag[1]) for node in page.iter() if isinstance(node.tag, str) and re.fullmatch("h[1-6]", node.tag)
    ]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_figures_have_words(page):
    images = list(page.iter("img"))
    assert len(images) > 15
    alts = [image.get("alt") for image in images]
    assert len(set(alts)) == len(alts) and all(len(alt) > 60 and alt.endswith(".") for alt in alts)
    assert all(re.search(r"\d", alt) for alt in alts)  # what is seen, not what kind of figure it is
    assert not any("nan" in alt or "n/a" in alt for alt in alts)
    for figure in page.iter("figure"):
        assert len(words(figure.find("figcaption"))) > 15


def test_figures_are_vectors_of_their_size(page):
    for image in page.iter("img"):
        svg = base64.b64decode(image.get("src").removeprefix("data:image/svg+xml;base64,"))
        width, height = map(float, re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', svg).groups())
        assert (int(image.get("width")), int(image.get("height"))) == (round(width * 4 / 3), round(height * 4 / 3))


def test_tables_have_captions_and_headers(page):
    tables = list(page.iter("table"))
    assert len(tables) > 5
    for table in tables:
        assert len(words(table.find("caption"))) > 20
        columns = table.findall("thead/tr/th")
        assert all(cell.get("scope") == "col" and words(cell) for cell in columns)
        for row in table.findall("tbody/tr"):
            assert row[0].tag == "th" and row[0].get("scope") == "row" and len(row) == len(columns)


def test_what_scrolls_is_reached_with_the_keyboard(page):
    regions = [node for node in page.iter("div") if node.get("class") == "scroll"]
    assert regions and all(node.get("tabindex") == "0" and node.get("role") == "region" for node in regions)
    assert all(int(node.get("tabindex")) <= 0 for node in page.iter() if node.get("tabindex"))


def test_kinds_of_findings_are_words_not_only_colors(page):
    for item in page.iter("li"):
        if item.get("class"):
            assert words(item).startswith(f"{item.get('class').capitalize()}:")


# ---------------------------------------------------------------------- colors


def schemes(page):
    """The variables of each color scheme: light, dark, print."""
    style = words(next(page.iter("style")))
    blocks = re.findall(r":root \{([^}]*)\}", style)
    return [dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block)) for block in blocks], style


def contrast(first, second):
    """Contrast ratio of WCAG 2."""

    def luminance(color):
        part = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) / 255
        return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_rightly():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_contrast_of_all_schemes(page):
    found, style = schemes(page)
    assert len(found) == 3 and "prefers-color-scheme: dark" in style and "@media print" in style
    for scheme in found:
        for text in ("ink", "quiet", "link", "problem", "caution", "note"):
            for back in ("paper", "band"):
                assert contrast(scheme[text], scheme[back]) >= 4.5, (text, back, scheme)
        assert contrast(scheme["line"], scheme["paper"]) >= 3


def test_colors_come_from_the_schemes_only(page):
    style = schemes(page)[1]
    rules = re.sub(r":root \{[^}]*\}", "", style)
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) == {"#ffffff"}  # the paper of the figures


def test_texts_in_figures_are_dark_on_white(tables):
    from matplotlib.figure import Figure

    from stellarlabels import plots

    with plots.context():
        ax = plots.kiel(tables[0], ax=Figure().add_subplot())
    svg = figure_bytes(ax.figure).decode()
    fills = set(re.findall(r"fill: (#[0-9a-f]{6})", svg))
    assert "#ffffff" in fills
    assert contrast("#333333", "#ffffff") > 4.5
    assert ax.figure.get_facecolor() == (1, 1, 1, 1)
