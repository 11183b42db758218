"""
Globular clusters: are [Fe/H] and distance right?
=================================================

The stars of a globular cluster were born together: they have one [Fe/H], and one distance, which others have measured
in other ways. So they tell whether labels are right where the training labels end, among metal-poor giants, and whether
errors are right.

The table is of 384 members of 20 clusters, labelled by ``UACSNet.pretrained()`` from their Gaia XP spectra. Clusters'
[Fe/H] and distance moduli are those of the Local Volume Database (Pace 2024, CC0). It is made by
``tools/evaluate_clusters.py``; some of the stars have been trained with, ``held_out`` says which have not.
"""

# %%
from pathlib import Path

import numpy as np
from astropy.table import QTable

measured = next(
    folder / "measured" / "clusters" for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "measured").is_dir()
)
stars = QTable.read(measured / "globular.ecsv")
stars["source_id", "cluster", "feh", "feh_err", "feh_good", "distance", "distance_good"][:5]

# %%
# How many of the labels are good, and which flags took the others?

from stellarlabels.validation import cluster_summary, verdicts

verdicts(stars)

# %%
# Cluster by cluster
# ------------------
# ``cluster_summary`` gives the mean of each cluster, and the dispersion that is left when the errors of the stars are
# taken off: 0 if the errors are right and the cluster has one [Fe/H]. Two have more than one: NGC 5139 (omega Centauri)
# and NGC 6656.

good = stars[stars["feh_good"]]
summary = cluster_summary(good, good["source_id", "cluster"])
known = {str(row["cluster"]): row for row in good}
summary["literature"] = [float(known[name]["cluster_feh"]) for name in summary["cluster"]]
summary["cluster", "stars", "mean", "mean_err", "dispersion", "literature"]

# %%
enough = summary["stars"] >= 3
difference = summary["mean"].value[enough] - summary["literature"][enough]
scatter = 1.4826 * np.median(np.abs(difference - np.median(difference)))
print(f"{enough.sum()} clusters of 3 stars or more: median {np.median(difference):+.3f} dex, scatter {scatter:.3f} dex")

# %%
# Distances
# ---------
# The distances are from the spectra alone: these stars come without parallaxes.

near = stars[stars["distance_good"]]
modulus = 5 * np.log10(near["distance"].value) - 5 - near["cluster_distance_modulus"]
print(f"{len(near)} stars: median {np.median(modulus):+.2f} mag, {np.mean(np.abs(modulus) < 0.5):.0%} within 0.5 mag")

# %%
from matplotlib import pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
left.errorbar(summary["literature"], summary["mean"].value, summary["mean_err"].value, fmt="o", ms=4)
ends = [-2.5, 0.2]
left.plot(ends, ends, color="black", lw=1)
left.set(xlabel="[Fe/H] of the cluster, literature (dex)", ylabel="mean [Fe/H] of good stars (dex)")
right.plot(near["cluster_distance_modulus"], modulus, ".", alpha=0.5)
right.axhline(0, color="black", lw=1)
right.set(xlabel="distance modulus, literature (mag)", ylabel="spectroscopic minus literature (mag)", ylim=(-3, 3))
