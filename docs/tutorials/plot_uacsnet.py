"""
Labels from Gaia XP spectra with UACSNet
========================================

From 600 real Gaia XP spectra to Teff, log g, [Fe/H] and [alpha/M] with errors and flags, to a comparison with APOGEE,
and to a catalog file. Nothing is downloaded: the spectra ship with the package, and none of these stars was used in
training.
"""

# %%
# The stars
# ---------
# The sample is a table like those that users bring: identifiers, spectra as cells of 343 samples, magnitudes, E(B-V).
# It also has APOGEE DR17 labels to compare with.

import numpy as np

from stellarlabels import UACSNet, flags
from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
stars["source_id", "phot_g_mean_mag", "ebv", "teff", "logg", "feh"][:5]

# %%
# One of the spectra:

from stellarlabels import plots

_ = plots.spectrum(stars, 0)

# %%
# Labels
# ------
# ``predict`` takes the table and returns a new one: the identifier, and for each label its value, its standard error,
# an integer of flag bits, and whether it is good. Every row comes back, in the same order.

system = UACSNet.pretrained()
labels = system.predict(stars)
labels[:5]

# %%
# How many labels are good, and which flags took the others? Each flag has a level: what the error accounts for is a
# *note*, and the label is good; *caution* and *bad* are not.

from stellarlabels.validation import verdicts

verdicts(labels)

# %%
# What do the flags say? The bits are in a registry, which also explains them.

print(flags.describe(labels["teff_flag"]))

# %%
# Are they right?
# ---------------
# Median residual (bias) and robust scatter against APOGEE; and whether the predicted errors are right: ``pull_width``
# should be 1, and ``coverage`` should be 0.68.

from stellarlabels.validation import compare

compare(labels, stars)

# %%
# The same for bright giants only, those with a good [Fe/H]:

giants = (stars["logg"].value < 3.5) & (stars["phot_g_mean_mag"].value < 13) & np.asarray(labels["feh_good"])
compare(labels, stars, rows=giants)

# %%
# Figures
# -------
# Every plot function takes an Axes or makes one.

import matplotlib.pyplot as plt

# sphinx_gallery_thumbnail_number = 2
figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
plots.kiel(labels, ax=ax)

# %%
figure = plt.figure(figsize=(10, 6.5), layout="constrained")
plots.residual_panels(labels, stars, figure=figure)

# %%
# A catalog
# ---------
# The catalog has the columns of the published one. What the table cannot give (distances, here) is masked. Written as
# VOTable or FITS it carries units, UCDs and descriptions, so that TOPCAT shows them.

import tempfile
from pathlib import Path

from stellarlabels import catalogs

catalog = system.catalog(stars, labels)
folder = Path(tempfile.mkdtemp())
catalog.write(folder / "uacsnet.vot")
catalogs.read(folder / "uacsnet.vot", "uacsnet")[:3]

# %%
# The paper's network
# -------------------
# The weights called "paper" have the architecture and the inputs of the paper: 60 dereddened pixels in, [Fe/H] of
# giants out. They need E(B-V), and flag dwarfs where a distance tells them apart.

paper = UACSNet.pretrained("paper")
metallicity = paper.predict(stars)
compare(metallicity, stars, rows=stars["logg"].value < 3.5)

# %%
# Training one's own
# ------------------
# ``UACSNet()`` is the recipe of the default weights, ``UACSNet("paper")`` that of the paper, and any hyper-parameter
# can be changed. This run is far too short; it shows the steps. ``validation`` keeps a share of the stars out of the
# training, to calibrate the errors.

mine = UACSNet("paper", epochs=20, seed=1)
mine.fit(stars, validation=0.2, progress=False)
mine.save(folder / "mine.stellarlabels")
again = UACSNet.load(folder / "mine.stellarlabels")
print(again)
