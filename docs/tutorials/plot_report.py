"""
A report of a catalog
=====================

One page that says what a catalog holds, whether it is right, and what to be careful about; and the same numbers as
files. On the command line:

.. code-block:: bash

   stellarlabels report labels.fits --against reference.fits -o report

`The whole page of an example <../example-report/index.html>`_.
"""

# %%
# The catalog
# -----------
# The labels can come from any file or table. Here they are those of UncertainNet for the 600 stars that ship with the
# package.

import tempfile
from pathlib import Path

from stellarlabels import UncertainNet, report
from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
labels = UncertainNet.pretrained().predict(stars)
labels["phot_g_mean_mag"] = stars["phot_g_mean_mag"]

# %%
# The report
# ----------
# To keep it short, one label only:

labels = labels[["source_id", "feh", "feh_err", "feh_flag", "phot_g_mean_mag"]]
folder = Path(tempfile.mkdtemp())
files = report.write(labels, folder, against=[("APOGEE DR17", stars[["source_id", "feh", "feh_err"]])])
for name, path in files.items():
    print(f"{path.stat().st_size:8d}  {name}")

# %%
# What to be careful about, in sentences that the numbers justify:

from astropy.table import QTable

for row in QTable.read(files["findings.ecsv"]):
    print(f"{row['kind']}: {row['text']}")

# %%
# One of the figures of the page: below the diagonal errors would be too small, above it too large.

from stellarlabels import plots

_ = plots.reliability_curve(labels, stars, "feh")

# %%
# The numbers as tables:

QTable.read(files["calibration-apogee-dr17.ecsv"])

# %%
# The comparison alone, without a page; on the command line ``stellarlabels validate labels.fits --against
# reference.fits``.

table = report.validate(labels, ("APOGEE DR17", stars))
table["label", "unit", "group", "stars", "median", "gauss_sigma", "robust_sigma", "rmse", "pull_width"]
