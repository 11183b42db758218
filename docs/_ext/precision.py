"""``.. precision:: [SYSTEM ...]``: one table of all shipped weights, or of those systems: how precise each label is.

Numbers are those of the evaluation scripts (``weights/*.json``), ranges are those in the model files. Of each file it
is the first model and the first group of stars: all that it was measured on. ``.. label-ranges:: SYSTEM`` has the
ranges alone.
"""

import json

from generated import Generated, list_table, literal, plain
from where_labels_hold import ORDER, WEIGHTS, label_ranges

from stellarlabels import columns, systems
from stellarlabels.labels import modelfile
from stellarlabels.plots import plain as label_name

HEADER = ("Weights", "Label", "Scatter", "Median error", "Bias", "Range", "Stars")
#: What the same quantity is called in the files of different scripts.
NAMES = {
    "scatter": ("robust_scatter", "scatter"),
    "error": ("median_error",),
    "bias": ("median_bias", "bias"),
    "stars": ("stars", "spectra"),
}


def measured(name, weights):
    """What was measured of all stars by label, and the name of that group of stars."""
    content = json.loads((WEIGHTS / f"{name}-{weights}.json").read_text(encoding="utf-8"))
    groups = next(iter(content["measured"].values()))
    return next(iter(groups.values())), next(iter(groups))


def number(value, unit, *, sign="", digits=3):
    """A number with the digits that matter: whole kelvins, three decimals of anything else."""
    if value is None:
        return ""
    text = f"{value:{sign}.{0 if unit == 'K' else digits}f}"
    return text.lstrip("+-") if float(text) == 0 else text


def rows_of(name, weights):
    """A row for each label."""
    description = modelfile.read_description(WEIGHTS / f"{name}-{weights}.stellarlabels")
    limits, found = description["domain"]["labels"], measured(name, weights)[0]
    for label, entry in found.items():
        unit = str(columns.column(label).unit or "")
        value = {key: next((entry[x] for x in keys if x in entry), None) for key, keys in NAMES.items()}
        span = " to ".join(number(limit, unit, digits=2) for limit in limits[label][:2]) if label in limits else ""
        yield (
            *(f"{systems.get(name).__name__} {literal(weights)}", plain(f"{label_name(label)} ({unit})")),
            *(number(value["scatter"], unit), number(value["error"], unit), number(value["bias"], unit, sign="+")),
            *(span, f"{value['stars']:,}"),
        )


def distances_of(name, weights):
    """A row for distances, in percent, where they were measured against parallaxes of more than 20 sigma."""
    content = json.loads((WEIGHTS / f"{name}-{weights}.json").read_text(encoding="utf-8"))
    for model, groups in content["measured"].items():
        entry = groups.get("all", {}).get("20 sigma")
        if model.endswith(", distances") and entry:
            yield (
                *(f"{systems.get(name).__name__} {literal(weights)}", "distance (%)"),
                *(f"{100 * entry['median_fractional_error']:.1f}", "", f"{100 * entry['median_ratio'] - 100:+.1f}"),
                *("", f"{entry['stars']:,}"),
            )


class Precision(Generated):
    """The table, and of what stars the numbers are."""

    optional_arguments = 10

    def lines(self):
        """One table, and a line for each set of weights."""
        rows, told = [], []
        for name in self.arguments or sorted(systems.available(), key=ORDER.index):
            for weights, text in systems.get(name).available().items():
                self.env.note_dependency(str(WEIGHTS / f"{name}-{weights}.json"))
                rows += [*rows_of(name, weights), *distances_of(name, weights)]
                group = measured(name, weights)[1]
                of = "" if group == "all" else f" The numbers are for stars of {plain(group)}."
                told += [f"{systems.get(name).__name__} {literal(weights)}", f"    {plain(text)}.{of}", ""]
        table = list_table(HEADER, rows, "22 16 11 11 11 18 11")
        return [line.replace(":class: generated", ":class: generated one-line") for line in table] + told


class LabelRanges(Generated):
    """The ranges of a system's weights."""

    required_arguments = 1

    def lines(self):
        """A table for each set of weights."""
        out, name = [], self.arguments[0]
        for weights in systems.get(name).available():
            path = WEIGHTS / f"{name}-{weights}.stellarlabels"
            self.env.note_dependency(str(path))
            out += [f".. rubric:: {literal(weights)}", "", *label_ranges(path)]
        return out


def setup(app):
    """Register the directives."""
    app.add_directive("precision", Precision)
    app.add_directive("label-ranges", LabelRanges)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
