"""Metallicities from four real SDSS colors with the networks of CSNet: what another survey takes, and what it gives.

    python tools/own_survey.py sdss_ugriz_segue_feh.csv

The file has the columns ug, gr, ri, iz (colors, mag) and feh ([Fe/H] of SEGUE spectra). Every fifth star is for the
test. The networks with the cost-sensitive weights of the CSNet paper, the same networks without them, and XGBoost are
trained on the others in the same run.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from astropy.table import Table
from measures import statistics, xgboost_predictions

from stellarlabels import CSNet, columns
from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.colors import ColorSet

OUTPUT = Path(__file__).parents[1] / "docs" / "measured" / "colors" / "sdss_segue.json"

COLORS = ("ug", "gr", "ri", "iz")
SURVEY = ColorSet.make("sdss_colors", COLORS, COLORS, color="gr")

#: Groups of test stars by [Fe/H].
GROUPS = {"all": (-9, 9), "[Fe/H]<-1.5": (-9, -1.5), "-1.5<[Fe/H]<-0.5": (-1.5, -0.5), "[Fe/H]>-0.5": (-0.5, 9)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    stars = Table.read(options.table, format="ascii.csv")
    for name in stars.colnames:
        stars[name].unit = "dex" if name == "feh" else "mag"
    test = np.arange(len(stars)) % 5 == 0
    train, stars = stars[~test], stars[test]
    stars = stars[survey().compute(stars).usable]
    train = train[survey().compute(train).usable]
    networks = {"CSNet": {}, "CSNet without cost-sensitive weights": {"cost_bins": None}}
    measured = {}
    for name, changes in networks.items():
        system = CSNet(
            "jplus_xp",
            labels=("feh",),
            feature_options={"colors": SURVEY.to_dict()},
            epochs=options.epochs,
            seed=1,
            **changes,
        )
        labels = system.fit(train, validation=0.1, progress=False).predict(stars)
        feh, error = (columns.column_values(labels, column) for column in columns.label_columns("feh")[:2])
        measured[name] = by_group(stars["feh"].data, feh, error)
    quantities = train.copy()
    quantities["feh"] = train["feh"].quantity
    feh = xgboost_predictions(quantities, stars, ["feh"], lambda table: survey().compute(table).arrays["color"])["feh"]
    measured["XGBoost"] = by_group(stars["feh"].data, feh)
    content = {
        "stars": f"{len(stars)} test stars with SEGUE [Fe/H]; {len(train)} others for training",
        "inputs": "colors u-g, g-r, r-i, i-z of SDSS, as they are in the file",
        "measured": measured,
    }
    options.output.write_text(json.dumps(content, indent=1) + "\n")
    print(json.dumps(content, indent=1))


def survey():
    """The feature set of the survey."""
    return feature_set("colors", colors=SURVEY.to_dict())


def by_group(truth, predicted, error=None):
    """Bias, scatter and honesty of the errors by group."""
    errors = None if error is None else (error, 0.0)
    return {
        name: {"feh": statistics(truth, predicted, (truth > low) & (truth <= high), errors)}
        for name, (low, high) in GROUPS.items()
    }


if __name__ == "__main__":
    main()
