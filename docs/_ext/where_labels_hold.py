"""``.. where-labels-hold::``: for all shipped weights the ranges in their model files, and what was measured outside.

Ranges are those that the domain test of the model file has, limits of single labels included. What was measured is in
``weights/<system>-<weights>-domain.json``, which the scripts in ``tools`` write: plain entries, and dictionaries of any
depth. Weights without such a file show the groups of stars of their evaluation file.
"""

import json

from generated import DATA, Generated, heading, list_table, literal, measure, plain, with_unit

from stellarlabels import columns, systems
from stellarlabels.labels import modelfile

WEIGHTS = DATA / "weights"
#: The systems in the order of the user guide.
ORDER = ("uacsnet", "uncertain", "csnet", "solardis", "spcanet")
#: What the ranges of a domain are called.
RANGES = {"color": "color", "magnitude": "magnitude (G, or of the survey)", "snr": "S/N", "ebv": "E(B-V) (mag)"}
QUANTITIES = ("median_bias", "bias", "robust_scatter", "scatter", "pull_width", "coverage_68", "within_1_sigma")


class WhereLabelsHold(Generated):
    """The ranges of the shipped weights, and what is good outside of them."""

    def lines(self):
        """A section for each set of weights."""
        out = []
        for name in sorted(systems.available(), key=ORDER.index):
            for weights, text in systems.get(name).available().items():
                out += [*heading(f"{systems.get(name).__name__} {weights}"), plain(text) + ".", ""]
                path = WEIGHTS / f"{name}-{weights}.stellarlabels"
                self.env.note_dependency(str(path))
                out += label_ranges(path)
                out += self.measured(WEIGHTS / f"{name}-{weights}")
        return out

    def measured(self, stem):
        """What was measured: of the file that is about it, or the groups of the evaluation."""
        path = stem.with_name(f"{stem.name}-domain.json")
        if path.is_file():
            self.env.note_dependency(str(path))
            content = json.loads(path.read_text(encoding="utf-8"))
            return nested({key: value for key, value in content.items() if key not in ("system", "weights")})
        path = stem.with_name(f"{stem.name}.json")
        self.env.note_dependency(str(path))
        groups, rows = next(iter(json.loads(path.read_text(encoding="utf-8"))["measured"].values())), []
        keys = [key for key in QUANTITIES if any(key in x for labels in groups.values() for x in labels.values())]
        for group, labels in groups.items():
            rows += [
                (plain(group), plain(with_unit(label)), *(measure(x.get(key, ""), key, label) for key in keys))
                for label, x in labels.items()
            ]
        return list_table(("Stars", "Label", *(key.replace("_", " ") for key in keys)), rows)


def label_ranges(path):
    """Lines of the table of ranges in a model file."""
    domain, rows = modelfile.read_description(path)["domain"], []
    for label, limits in domain["labels"].items():
        rows.append((literal(label), number(limits[0]), number(limits[1]), columns.column(label).unit))
    for key, limits in domain["ranges"].items():
        rows.append((RANGES.get(key, key), *map(number, limits[:2]), ""))
    for label, others in domain.get("within", {}).items():
        for other, limits in others.items():
            unit = columns.column(other).unit
            rows.append((f"{literal(label)}, only for {literal(other)}", *map(number, limits[:2]), unit))
    return list_table(("Quantity", "From", "To", "Unit"), rows, "40 20 20 20")


def number(value):
    """A limit, or that there is none."""
    return "no limit" if value is None or abs(float(value)) > 1e30 else f"{float(value):.4g}"


def shown(value):
    """A number, or a text, of a measurement."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else plain(", ".join(map(shown, value)) if isinstance(value, list) else value)


def nested(content, title=""):
    """Lines of tables of nested dictionaries: one for the plain entries, one for those whose entries are plain."""
    out = [f".. rubric:: {plain(title)}", ""] if title else []
    simple = {key: value for key, value in content.items() if not isinstance(value, dict)}
    if simple:
        out += list_table(
            ("Quantity", "Value"), [(plain(named(key)), shown(value)) for key, value in simple.items()], "60 40"
        )
    flat = {key: value for key, value in content.items() if isinstance(value, dict) and is_flat(value)}
    if flat:
        keys = list(dict.fromkeys(key for value in flat.values() for key in value))
        rows = [(plain(named(key)), *(shown(value.get(name)) for name in keys)) for key, value in flat.items()]
        out += list_table(("What", *map(plain, map(named, keys))), rows)
    for key, value in content.items():
        if isinstance(value, dict) and key not in flat:
            out += nested(value, f"{title}, {named(key)}" if title else named(key))
    return out


def named(key):
    """A key as words."""
    return str(key).replace("_", " ")


def is_flat(value):
    """Whether no entry is a dictionary."""
    return not any(isinstance(item, dict) for item in value.values())


def setup(app):
    """Register the directive."""
    app.add_directive("where-labels-hold", WhereLabelsHold)
