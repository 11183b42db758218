"""``.. adaptation::``: how well systems are carried over to another release, measured by ``evaluate_adaptation.py``.

One table for each system and kind of spectra of ``docs/measured/adaptation/*.json``.
"""

import json
from pathlib import Path

from generated import Generated, heading, list_table

RESULTS = Path(__file__).parents[1] / "measured" / "adaptation"
KINDS = ("coefficients", "samples")
#: Sets of labels in the files, and what the page calls them.
SETS = {
    "DR3": "DR3, real spectra",
    "DR3, noisier": "DR3, as noisy as the stand-in's",
    "ignored": "new spectra, release ignored",
    "adapted": "new spectra, carried over",
    "trained anew": "new spectra, trained from nothing",
}
LABELS = {"teff": "Teff (K)", "logg": "log g", "feh": "[Fe/H]", "alpha_m": "[alpha/M]"}


class Adaptation(Generated):
    """Scatter and pull widths before and after."""

    def lines(self):
        """A table for each system and kind of spectra."""
        out = []
        for path in sorted(RESULTS.glob("*.json")):
            self.env.note_dependency(str(path))
            found = json.loads(path.read_text(encoding="utf-8"))
            for kind in KINDS:
                if kind in found:
                    out += heading(f"{found['system']}, {kind}", "^")
                    out += self.table(found, found[kind])
        return out

    def table(self, found, measured):
        """Scatter (pull width) of each label, and what was done."""
        rows = []
        for key, text in SETS.items():
            entry = found.get(key) or measured.get(key)
            if entry:
                rows.append((text, *(cell(entry[label]) for label in LABELS)))
        stars, hot = found["stars"], measured["hot"]
        told = (
            f"{found['networks']} networks; learned from {stars['learned from']} stars in {measured['seconds']:.0f} s; "
            f"{stars['measured']} held-out stars. Of {hot['adapted']['good teff']['of']} stars hotter than 8000 K, "
            f"{hot['DR3, noisier']['good and off']['share']:.1%} (DR3) and "
            f"{hot['adapted']['good and off']['share']:.1%} (carried over) have a good temperature that is off by more "
            "than three errors."
        )
        return [told, "", *list_table(("Labels", *LABELS.values()), rows, "32 17 17 17 17")]


def cell(entry):
    """Scatter and pull width of a label."""
    if "robust_scatter" not in entry:
        return "no labels"
    scatter = entry["robust_scatter"]
    return f"{scatter:.1f} ({entry['pull_width']:.2f})" if scatter > 5 else f"{scatter:.4f} ({entry['pull_width']:.2f})"


def setup(app):
    app.add_directive("adaptation", Adaptation)
    return {"parallel_read_safe": True}
