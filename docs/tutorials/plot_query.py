"""
From an ADQL query to labels
============================

A sample of stars from an archive, their XP spectra, their reddening, and then labels: the whole way, with the queries
that ship with the package.

This page is built without a network connection. A small archive on the same machine stands in for that of ESA: it
speaks the same protocols, TAP and DataLink, but it has only the 600 real stars that ship with the package, and of ADQL
it understands no more than this query. With a connection, leave out the two addresses that are marked below.
"""

# %%
# The query
# ---------
# The samples of the five systems are files with ADQL and declared parameters. Which are there?

from stellarlabels.archive import TAP, queries

for name in queries.available():
    print(f"{name:24} {queries.get(name).title}")

# %%
# Parameters get their values by name, are checked, and become literals; texts are never pasted into the query. Here:
# stars within 60 degrees of the North Galactic Pole, between the 8th and the 15th magnitude.

query = queries.find("uacsnet", "apply")
bound = query.bind(region=(192.86, 27.13, 60), g_mag=(8, 15), bp_rp=(0.7, 3))
print(TAP("gaia").dry_run(bound))

# %%
# Nothing has been sent yet: ``dry_run`` shows what would be. A value that is no number is refused:

try:
    query.bind(g_mag="8, 15; DROP TABLE stars")
except ValueError as error:
    print(error)

# %%
# The stars
# ---------

from local_archive import LocalArchive  # the stand-in; not needed with a connection

archive = LocalArchive()

stars = TAP(archive.tap).run_sync(bound)  # with a connection: TAP("gaia").run_async(bound)
stars[:5]

# %%
# Every result says where it came from.

for key, value in stars.meta["tap"].items():
    print(f"{key}: {str(value)[:80]}")

# %%
# The spectra
# -----------
# DataLink serves XP spectra for any number of stars, in requests of 5,000; a run that was interrupted goes on where it
# was. A star without a spectrum is a row with a flag.

from stellarlabels.archive.datalink import xp_spectra

spectra = xp_spectra(stars, url=archive.datalink)  # with a connection: no url
archive.close()
print(spectra.meta["datalink"])
spectra[:3]

# %%
# The rows are those of the table that was asked with, in its order. Put them together:

from astropy.table import hstack

table = hstack([stars, spectra["flux", "flux_error", "spectrum_flag"]], metadata_conflicts="silent")

# %%
# The reddening
# -------------
# The networks want E(B-V) on the scale of the SFD map. The maps that dustmaps downloads are asked by name; the old one
# of Burstein & Heiles needs no download, and is good enough at these latitudes.

import warnings

from stellarlabels.corrections.extinction import add_ebv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # dustmaps wants a configuration file, which this map does not need
    from dustmaps.bh import BHQuery

table = add_ebv(table, dustmap=BHQuery())
print("E(B-V) from", table["ebv"].min(), "to", table["ebv"].max())

# %%
# The labels
# ----------

from stellarlabels import UACSNet, flags

system = UACSNet.pretrained()
labels = system.predict(table)
labels[:5]

# %%
# And what is to be said against them:

flagged = ~labels["teff_good"]
print(f"Teff of {flagged.sum()} of {len(labels)} stars is not good")
for bit in flags.LABEL:
    count = int(flags.LABEL.has(labels["teff_flag"], bit.name).sum())
    if count:
        print(f"{count:4}  {bit.name} ({bit.level}): {bit.meaning}")

# %%
# The good ones in a Kiel diagram:

from stellarlabels import plots

axes = plots.kiel(labels[~flagged])
axes.set_title("Labels of stars within 60 deg of the North Galactic Pole")
