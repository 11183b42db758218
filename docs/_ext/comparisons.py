"""``.. comparison:: NAME``: tables of what was measured beside the papers, peers and independent references.

Those of ``tools/evaluate_comparisons.py`` are in ``docs/measured/comparisons``, clusters in ``docs/measured/clusters``;
comparisons with peers are in the evaluation files of the weights.
"""

import json

import numpy as np
from astropy.table import QTable
from generated import MEASURED, Generated, list_table, measure, plain, with_unit
from where_labels_hold import WEIGHTS

from stellarlabels.validation import cluster_summary, papers

#: Models in evaluation files with what they are called here, groups of stars, and labels.
PEERS = {
    "held_out": (
        {
            "uacsnet-apogee:UACSNet apogee": "UACSNet",
            "uncertain-apogee:UncertainNet apogee": "UncertainNet",
            "uacsnet-apogee:XGBoost": "XGBoost",
        },
        ("all", "giants", "dwarfs", "[Fe/H]<-1.5"),
        ("teff", "logg", "feh", "alpha_m"),
    ),
    "sphinx": (
        {
            "csnet-splus_segue:CSNet splus_segue, stars with SPHINX": "CSNet",
            "csnet-splus_segue:SPHINX (published)": "SPHINX",
            "csnet-splus_segue:XGBoost, colors without zero-points of fields, stars with SPHINX": "XGBoost",
        },
        ("all", "r < 17", "r < 17, [Fe/H] < -2"),
        ("feh",),
    ),
    "lasp": (
        {
            "solardis-compact:SolarDis compact": "SolarDis",
            "solardis-compact:Ridge regression on 150 principal components": "ridge regression",
            "solardis-compact:Gaussian process on 60 principal components": "Gaussian process",
        },
        ("4000-7000 K", "4000-7000 K, fold 0"),
        ("teff", "logg", "feh"),
    ),
}
SCATTER, BIAS = ("robust_scatter", "scatter"), ("median_bias", "bias")


class Comparison(Generated):
    """One comparison as a table."""

    required_arguments = 1

    def lines(self):
        """The table of that name."""
        name = self.arguments[0]
        if name in PEERS:
            return self.peers(*PEERS[name])
        return getattr(self, name)()

    def read(self, path):
        """A table of the folder of measured numbers."""
        path = MEASURED / path
        self.env.note_dependency(str(path))
        return QTable.read(path, format="ascii.ecsv")

    def peers(self, models, groups, labels):
        """Scatter and bias of several models on the same stars."""
        measured, rows = {}, []
        for key in models:
            stem, _, model = key.partition(":")
            path = WEIGHTS / f"{stem}.json"
            self.env.note_dependency(str(path))
            measured[key] = json.loads(path.read_text(encoding="utf-8"))["measured"][model]
        for group in groups:
            for label in labels:
                for model, title in models.items():
                    entry = measured[model].get(group, {}).get(label)
                    if entry:
                        scatter, bias = (next(entry[x] for x in keys if x in entry) for keys in (SCATTER, BIAS))
                        numbers = measure(scatter, "scatter", label), measure(bias, "bias", label)
                        stars = f"{int(entry.get('stars', entry.get('spectra', 0))):,}"
                        rows.append((plain(group), plain(with_unit(label)), title, *numbers, stars))
        return list_table(("Stars", "Label", "Whose", "Scatter", "Bias", "Number"), rows)

    def side_by_side(self, name):
        """Output of `stellarlabels.validation.side_by_side`."""
        rows = []
        for row in self.read(f"comparisons/{name}.ecsv"):
            label = str(row["label"])
            numbers = [
                "" if not np.isfinite(row[key]) else measure(float(row[key]), "scatter", label)
                for key in ("value", "ours", "theirs", "bias")
            ]
            words = ["" if np.ma.is_masked(row[key]) else plain(row[key]) for key in ("sample", "differs")]
            rows.append((plain(with_unit(label)), row["quantity"], row["whose"], *numbers, *words))
        common = ("Ours, of both's stars", "Theirs, of both's stars")
        header = ("Label", "Quantity", "Whose", "Value", *common, "Bias", "Sample", "What differs")
        return list_table(header, rows, "9 8 10 8 8 8 8 23 18")

    def uacsnet(self):
        """UACSNet beside its paper and UncertainNet."""
        return self.side_by_side("apogee-uacsnet")

    def uncertain(self):
        """UncertainNet beside its paper and UACSNet."""
        return self.side_by_side("apogee-uncertain")

    def seismology(self):
        """Log g against asteroseismology."""
        rows = []
        for row in self.read("comparisons/seismology.ecsv"):
            numbers = [
                f"{float(row[key]):.3f} ± {float(row[f'{key}_err']):.3f}" for key in ("median", "gauss_sigma", "rmse")
            ]
            pull = f"{float(row['pull_width']):.2f}" if not str(row["whose"]).startswith("APOGEE") else ""
            rows.append((plain(row["whose"]), row["group"], f"{row['stars']:,}", *numbers, pull))
        header = ("Whose", "Stars", "Number", "Bias (dex)", "Scatter (dex)", "RMSE (dex)", "Width of the pulls")
        return list_table(header, rows)

    def pastel(self):
        """[Fe/H] against PASTEL beside what the paper states."""
        rows = []
        for row in self.read("comparisons/pastel.ecsv"):
            if row["stars"] >= 20:
                limit = float(getattr(row["below"], "value", row["below"]))
                which = "all" if np.isinf(limit) else f"[Fe/H] < {limit:g}"
                numbers = [
                    f"{float(getattr(row[key], 'value', row[key])):.3f}"
                    f" ± {float(getattr(row[f'{key}_err'], 'value', row[f'{key}_err'])):.3f}"
                    for key in ("bias", "sigma")
                ]
                rows.append((row["whose"], plain(which), f"{row['stars']:,}", *numbers, "left out of the training"))
        printed = papers.published("uacsnet_section42")
        printed = printed[printed["reference"] == "PASTEL"][0]
        words = ("the paper of UACSNet", "all", f"{printed['stars']:,}", "", f"{printed['sigma']:.2f}")
        rows.append((*words, "its training stars"))
        return list_table(("Whose", "Stars", "Number", "Bias (dex)", "Scatter (dex)", "Which stars"), rows)

    def apogee_scale(self):
        """[Fe/H] of APOGEE against the literature."""
        rows = []
        for row in self.read("comparisons/apogee_scale.ecsv"):
            numbers = [f"{float(row[key]):.2f} ± {float(row[f'{key}_err']):.2f}" for key in ("median", "robust_sigma")]
            rows.append((plain(row["group"]), f"{row['stars']:,}", *numbers))
        return list_table(("[Fe/H] of APOGEE", "Stars", "Higher than the literature by (dex)", "Scatter (dex)"), rows)

    def carbon_nitrogen(self):
        """[C/M] and [N/M] from other labels, and from spectra, too."""
        rows = []
        for row in self.read("comparisons/carbon_nitrogen.ecsv"):
            numbers = [f"{float(row[key]):.3f}" for key in ("left_out_scatter", "held_out_scatter")]
            stars = f"{row['stars']:,}, {row['held_out_stars']:,}"
            rows.append((plain(row["label"]), plain(row["inputs"]), stars, *numbers))
        header = ("Label", "Predicted from", "Stars: training, held out", "Scatter, leave-one-out (dex)")
        return list_table((*header, "Scatter, held out (dex)"), rows)

    def clusters(self):
        """Means of globular clusters beside the literature and, for those that it has, the paper."""
        stars = self.read("clusters/globular.ecsv")
        stars = stars[stars["feh_good"]]
        known = {str(row["cluster"]): float(row["cluster_feh"]) for row in stars}
        printed = {str(row["cluster"]): row for row in papers.published("uacsnet_fig9")}
        rows = []
        for row in cluster_summary(stars, stars["source_id", "cluster"]):
            name = str(row["cluster"])
            if row["stars"] < 3:
                continue
            ours = f"{row['mean'].value:+.2f} ± {row['mean_err'].value:.2f}"
            apogee = stars["feh_apogee"][stars["cluster"] == name].value
            middle = f"{np.nanmedian(np.ma.filled(apogee, np.nan)):+.2f}"
            fit = printed.get(name)
            paper = "" if fit is None else f"{fit['gauss_mean']:+.2f} ± {fit['gauss_sigma']:.2f}"
            width = f"{row['dispersion'].value:.2f}"
            rows.append((name, f"{row['stars']:,}", f"{known[name]:+.2f}", ours, width, middle, paper))
        common = ("Cluster", "Stars", "Literature", "Mean, and its error", "Dispersion")
        header = (*common, "APOGEE of the same stars", "The paper: mean and scatter")
        return list_table(header, rows)

    def benchmark_stars(self):
        """How many benchmark stars have spectra here, and how bright they are."""
        path = MEASURED / "comparisons" / "benchmark_stars.json"
        self.env.note_dependency(str(path))
        found = json.loads(path.read_text(encoding="utf-8"))
        low, middle, high = found["G"]
        rows = [(words, f"{count:,}", f"{hits:,}") for words, (count, hits) in found["spectra"].items()]
        words = (
            f"Spectra of the {found['stars']} Gaia FGK benchmark stars (version 3) come with no package: G is "
            f"{low} to {high}, in the median {middle}, and next to no star of the surveys at hand is so bright. "
            f"Gaia's archive has XP spectra of {found['with XP spectra in the archive']}."
        )
        return [words, "", *list_table(("Spectra at hand", "Number", "Benchmark stars among them"), rows)]


def setup(app):
    """Register the directive."""
    app.add_directive("comparison", Comparison)
