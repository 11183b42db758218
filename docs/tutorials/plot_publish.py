"""
Publish your own label catalog
==============================

From labels to a folder that a data centre can take as it is: the data in four formats, the ReadMe of the CDS, a service
for the Virtual Observatory, a record of where the numbers come from, references and checksums.
"""

# %%
# The catalog
# -----------
# Labels of the 600 real stars that ship with the package: first the columns of a published catalog, then all else that
# is known of the labels, flags among it (``strict=True`` leaves that out). Every column has its unit, UCD and
# description; what is not known is masked, and columns of which nothing is known are named with the reason.

import json
import tempfile
from pathlib import Path

from stellarlabels import UACSNet, catalogs
from stellarlabels.inputs.examples import xp_apogee_sample

system = UACSNet.pretrained()
stars = xp_apogee_sample()
catalog = system.catalog(stars, system.predict(stars))
print(catalog.meta["unfilled"])
catalog["source_id", "PHOT_G_MEAN_MAG", "EBV", "FEH", "FEH_err", "feh_flag", "feh_good"][:5]

# %%
# One file
# --------
# The suffix decides about the format. The file appears under its name when it is complete: a write that is interrupted,
# or meets a full disk, leaves nothing behind.

folder = Path(tempfile.mkdtemp())
catalogs.write(catalog, folder / "stars.fits", "uacsnet")
catalogs.write(catalog, folder / "stars.vot", "uacsnet")
for name, suffixes in catalogs.supported_formats().items():
    print(f"{name:18s} {', '.join(suffixes)}")

# %%
# Astropy, TOPCAT and STILTS read these files without this package. A missing integer is stored as one that no star has
# (``TNULL`` in FITS), identifiers keep their 64 bits, and nothing is left for a reader to decode.

from astropy.io import fits

header = fits.getheader(folder / "stars.fits", 1)
for keyword in ("TTYPE12", "TFORM12", "TUNIT12", "TDISP12", "TUCD12", "TCOMM12", "CHECKSUM"):
    print(f"{keyword:8s} {header[keyword]}")

# %%
# Read back, it is a catalog like any other:

from stellarlabels import plots

_ = plots.kiel(catalogs.read(folder / "stars.vot", "uacsnet"))

# %%
# More stars than fit in memory
# -----------------------------
# A stream takes them piece by piece, and can write several files at once.

with catalogs.stream([folder / "all.fits", folder / "all.parquet"], "uacsnet") as writer:
    for piece in catalogs.scan(folder / "stars.fits", "uacsnet", rows=200):
        writer.append(piece)

len(catalogs.read(folder / "all.parquet", "uacsnet"))

# %%
# The bundle
# ----------
# On the command line:
#
# .. code-block:: bash
#
#    stellarlabels export all.parquet --schema uacsnet --bundle giants --author "Doe, Jane"

from stellarlabels.catalogs.bundle import export

sums = export(
    folder / "all.parquet",
    folder / "giants",
    "uacsnet",
    name="giants",
    title="Metallicities of 600 stars",
    authors=["Doe, Jane"],
    license="CC-BY-4.0",
)
for name, value in sums.items():
    print(f"{value[:12]}...  {(folder / 'giants' / name).stat().st_size:8d}  {name}")

# %%
# The ReadMe describes the table byte by byte, as the CDS and the journals archive it:

readme = (folder / "giants" / "ReadMe").read_text().splitlines()
print("\n".join(readme[: readme.index("Acknowledgements:")]))

# %%
# The record says with which weights and which versions the labels were made, and counts what is missing:

record = json.loads((folder / "giants" / "provenance.json").read_text())
print(record["origin"])
print({name: count for name, count in record["counts"]["missing"].items() if count})

# %%
# A service
# ---------
# ``q.rd`` is a resource descriptor for `GAVO DaCHS <https://dachs-doc.readthedocs.io>`_, the server of many data
# centres.
# With DaCHS on your own machine, two commands make the catalog a TAP table and a cone search:
#
# .. code-block:: bash
#
#    cp -r giants /var/gavo/inputs/
#    dachs imp giants/q && dachs serve restart
#
# and everybody can ask for its stars in TOPCAT, or with PyVO:
#
# .. code-block:: python
#
#    service = pyvo.dal.TAPService("http://localhost:8080/tap")
#    service.run_sync("SELECT TOP 10 source_id, feh FROM giants.main WHERE feh < -2")

print("\n".join((folder / "giants" / "q.rd").read_text().splitlines()[:24]))
