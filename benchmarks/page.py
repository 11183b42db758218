"""The page of the documentation, and its plots, from the files of results."""

import json
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"

#: Sections of the page, in this order, by the names of the results.
ORDER = (
    *("intake", "xp", "csv", "predict", "uncertain", "labels", "distances", "parallax", "dust", "crossmatch"),
    *("solardis", "spcanet"),
    *("import", "training"),
)

HEAD = """\
.. Made by benchmarks/run.py from benchmarks/results; not to be edited.

Speed
=====

What the library does in a second, next to the packages that do the same. Each benchmark is a script in ``benchmarks/``;
this page is made from their results:

.. code-block:: bash

   python benchmarks/run.py            # everything
   python benchmarks/run.py xp csv     # some
   python benchmarks/run.py --quick    # small sizes, to see that all of them work

Contestants take turns in the same process, and a rate is the median over the turns. Ratios are worth more than rates:
they depend less on the machine, and on what else it does. Writing and reading of catalogs is on the page
:doc:`/user_guide/writing`.
"""


def load(folder):
    """The results in a folder, in the order of the page."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.json"))}
    names = [name for name in ORDER if name in found] + [name for name in found if name not in ORDER]
    return {name: found[name] for name in names}


def render(results):
    """The page as reStructuredText."""
    parts = [HEAD]
    for name, result in results.items():
        parts.append(section(name, result))
    parts.append(machines(results))
    return "\n".join(parts)


def section(name, result):
    """One benchmark."""
    lines = [result["title"], "-" * len(result["title"]), "", result["text"], ""]
    if result["quick"]:
        lines += ["*Measured with small sizes only.*", ""]
    if result["rows"]:
        lines += table(
            ("", "Size", "Rate", "Compared with", "Its rate", "Ratio"),
            (
                (
                    row["what"],
                    "" if row["size"] is None else f"{row['size']:,}",
                    f"{number(row['rate'])} {row['unit']}",
                    row["peer"] or "",
                    "" if row["peer_rate"] is None else number(row["peer_rate"]),
                    "" if row["ratio"] is None else number(row["ratio"]),
                )
                for row in result["rows"]
            ),
        )
    if result["facts"]:
        lines += table(
            ("", "Value"),
            ((item["what"], f"{number(item['value'])} {item['unit']}".strip()) for item in result["facts"]),
        )
    if result["series"]:
        lines += [
            f".. image:: /images/speed-{name}.svg",
            f"   :alt: {result['title']}, for tables of different size",
            "",
        ]
    return "\n".join(lines)


def number(value):
    """A number with three or four digits."""
    if value == 0 or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def table(head, rows):
    """A list table."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (head, *rows):
        lines += [f"   {'*' if index == 0 else ' '} - {cell}".rstrip() for index, cell in enumerate(cells)]
    return [*lines, ""]


def machines(results):
    """Where and with what the results were measured."""
    kinds = {}
    for result in results.values():
        machine = result["machine"]
        settings = ", ".join(f"{name}={value}" for name, value in machine["threads"].items()) or "default threads"
        key = f"{machine['processor']}, {machine['cores']} cores; {settings}"
        kinds.setdefault(key, []).append((result["title"], machine))
    lines = ["Machine", "-------", ""]
    for key, members in kinds.items():
        lines += [f"- {key}: {', '.join(title for title, _ in members)}"]
    versions = {}
    for result in results.values():
        versions |= result["machine"]["versions"]
    lines += ["", "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".", ""]
    return "\n".join(lines)


def plot(result, path):
    """The lines of a result against its axis, both logarithmic."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    series = result["series"]
    with mpl.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none", "text.usetex": False}):
        figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
        for name, pairs in series["lines"].items():
            axes.loglog(*zip(*pairs, strict=True), "o-", label=name)
        axes.set(xlabel=series["x"], ylabel=series["y"])
        axes.legend(fontsize="small")
        axes.grid(alpha=0.3)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def make(folder, docs=DOCS):
    """Write ``benchmarks.rst`` and its plots."""
    results = load(folder)
    images = Path(docs) / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        if result["series"]:
            plot(result, images / f"speed-{name}.svg")
    page = Path(docs) / "reference" / "benchmarks.rst"
    page.parent.mkdir(exist_ok=True)
    page.write_text(render(results), encoding="utf-8")
    return page
