"""
Photometric labels with CSNet, and your own survey
==================================================

From magnitudes in a dozen filters to Teff, log g, [Fe/H] and [alpha/Fe] with errors and flags; what photometric noise
does to them; and the same networks for another survey, which is a list of colors and not new code. Nothing is
downloaded.
"""

# %%
# Photometry
# ----------
# The 600 stars that ship with the package have Gaia XP spectra. From these come magnitudes in any photometric system
# that GaiaXPy knows: here J-PLUS, the survey of the CSNet paper, and Gaia itself. Errors are those of the spectra; the
# blue filters of red giants are noisy.

import numpy as np

from stellarlabels import CSNet
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import available, synthetic_photometry

stars = xp_apogee_sample()
stars.rename_columns(["alpha_m", "alpha_m_err"], ["alpha_fe", "alpha_fe_err"])
print(available())
photometry = synthetic_photometry(stars, ["JPLUS", "Gaia_DR3_Vega"])
photometry["source_id", "Jplus_mag_uJAVA", "Jplus_mag_error_uJAVA", "Jplus_mag_J0515", "Jplus_mag_rJPLUS"][:5]

# %%
# Colors
# ------
# Systems do not look at magnitudes, but at the dereddened colors of a *color set*: a data file that says which colors,
# which columns hold the magnitudes and their errors, and how they are dereddened. That of the paper has 13 colors, and
# knows the columns of the J-PLUS archive, of the published catalog and of synthetic photometry.

from stellarlabels.inputs.base import feature_set
from stellarlabels.inputs.colors import available as color_sets, color_set

for name, description in color_sets().items():
    print(f"{name}: {description}")
print(color_set("csnet").colors)
colors = feature_set("colors", colors="csnet").compute(photometry)
print(colors.usable.sum(), "of", len(stars), "stars have all colors")

# %%
# Labels
# ------
# A star without one of the magnitudes, or without E(B-V), has no labels, and a flag that says so. Every row comes back.

system = CSNet.pretrained()
labels = system.predict(photometry)
labels[:5]

# %%
# None of these stars was used in training. Against APOGEE:

from stellarlabels import plots
from stellarlabels.validation import compare

compare(labels, stars)

# %%
# How many of each label are good, and which flags took the others:

from stellarlabels.validation import verdicts

verdicts(labels)

# %%
# The stars of which [Fe/H] is good:

compare(labels, stars, rows=np.asarray(labels["feh_good"]))

# %%
import matplotlib.pyplot as plt

figure = plt.figure(figsize=(10, 6.5), layout="constrained")
plots.residual_panels(labels, stars, figure=figure)

# %%
# Noise
# -----
# What if all these stars were fainter? ``add_noise`` adds the noise that J-PLUS and Gaia have at a given magnitude. It
# takes magnitudes in the columns of the survey. With every magnitude the labels lose precision; the predicted errors
# know.

from astropy import units as u
from astropy.table import QTable

from stellarlabels.inputs.colors import add_noise

bands = [name for name in photometry.colnames if name.startswith("Jplus_mag_") and "error" not in name]
survey = QTable(photometry["source_id", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "ebv"])
for column, infix in (("mag_aper_6_0", "mag_"), ("mag_err_aper_6_0", "mag_error_")):
    cells = [np.ma.filled(photometry[name.replace("mag_", infix)].value, np.nan) for name in bands]
    survey[column] = np.stack(cells, axis=1) * u.mag

scatter, predicted, magnitudes = [], [], [12, 14, 15, 16, 17, 18, 19]
good = colors.usable & (colors.arrays["error"].max(axis=1) < 0.1)
for g in magnitudes:
    noisy = system.predict(add_noise(survey, g=g)[good])
    residual = noisy["feh"].value - stars["feh"].value[good]
    scatter.append(1.4826 * np.nanmedian(np.abs(residual - np.nanmedian(residual))))
    predicted.append(np.nanmedian(noisy["feh_err"].value))

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.plot(magnitudes, scatter, "o-", label="robust scatter against APOGEE")
ax.plot(magnitudes, predicted, "s--", label="median predicted error")
ax.set(xlabel="G at which the stars are seen (mag)", ylabel="[Fe/H] (dex)", yscale="log")
_ = ax.legend()

# %%
# Your own survey
# ---------------
# Another survey is another color set, and a table with its magnitudes and some labels. A set is made in a line: the
# bands are the names of columns, with errors in columns that end in ``_err``. These are the broad bands of SDSS,
# synthesised; the ratios say how E(B-V) reddens each color.

from stellarlabels.inputs.colors import ColorSet

sdss = ColorSet.make(
    "my_survey",
    bands=["u", "g", "r", "i", "z"],
    colors=["u-g", "g-r", "r-i", "i-z"],
    ratios=(1.05, 1.05, 0.60, 0.50),
    color="g-r",
)
broad = synthetic_photometry(stars, ["SDSS"])
mine = QTable(stars["source_id", "ebv", "feh", "feh_err", "phot_g_mean_mag"])
for band in "ugriz":
    mine[band] = broad[f"Sdss_mag_{band}"]
    mine[f"{band}_err"] = broad[f"Sdss_mag_error_{band}"]

# %%
# Then the networks of CSNet are trained on it: every hyper-parameter is an argument, and the definition of the colors
# travels in the saved model. 600 stars and 60 epochs are too few for anything but showing the steps.

import tempfile
from pathlib import Path

options = {"labels": ("feh",), "feature_options": {"colors": sdss.to_dict()}, "excess_epochs": 20, "seed": 1}
own = CSNet("jplus_xp", **options, epochs=60)
own.fit(mine, validation=0.2, progress=False)
path = Path(tempfile.mkdtemp()) / "my_survey.stellarlabels"
own.save(path)
again = CSNet.load(path)
again.predict(mine)[:3]

# %%
# A survey that others use is an ECSV file of the same content, for ``color_set(path)``; those of S-PLUS, J-PAS and
# SkyMapper are there already. This one trains as ``CSNet(feature_options={"colors": "skymapper"})``:

print(color_set("skymapper").colors)

# %%
# Real photometry: 27,911 stars of SDSS
# -------------------------------------
# Tables of measured colors, without magnitudes, will do as well: a "band" that is a color itself. The file
# ``tables/sdss_ugriz_segue_feh.csv`` of the data folder (environment variable ``STELLARLABELS_DATA``) has four colors
# of SDSS and [Fe/H] from SEGUE spectra. It does not ship; without it this part is skipped. What longer training gives
# is on the page :doc:`/user_guide/photometry`.

import os

from astropy.table import Table

file = Path(os.environ.get("STELLARLABELS_DATA", "")) / "tables" / "sdss_ugriz_segue_feh.csv"
if file.is_file():
    segue = Table.read(file, format="ascii.csv")
    for name in segue.colnames:
        segue[name].unit = "dex" if name == "feh" else "mag"
    measured = ColorSet.make("sdss_colors", ["ug", "gr", "ri", "iz"], ["ug", "gr", "ri", "iz"], color="gr")
    options["feature_options"] = {"colors": measured.to_dict()}
    test = np.arange(len(segue)) % 5 == 0
    real = CSNet("jplus_xp", **options, epochs=30)
    real.fit(segue[~test], validation=0.1, progress=False)
    print(compare(real.predict(segue[test]), segue[test]))
else:
    print("The file is not there.")
