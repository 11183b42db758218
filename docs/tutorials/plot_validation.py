"""
Is it right? Figures and numbers of a comparison
================================================

Labels against reference labels of the same stars: bias and scatter, and whether the errors are right. Every figure is
a function that takes the tables, and an Axes if you have one.
"""

# %%
# Labels and a reference
# ----------------------
# UncertainNet on 600 stars that ship with the package, of which it has seen none; APOGEE's labels are the reference.

import matplotlib.pyplot as plt

from stellarlabels import UncertainNet, plots, validation
from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
labels = UncertainNet.pretrained().predict(stars)
labels["phot_g_mean_mag"] = stars["phot_g_mean_mag"]

# %%
# Numbers
# -------
# The papers quote the mean and sigma of a Gaussian fit with clipping. The robust scatter and the root mean square say
# how much lies outside of it.

table = validation.by_class(labels, stars, names=["teff", "feh"])
table["label", "group", "stars", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse", "pull_width", "coverage"]

# %%
# One to one
# ----------

figure, ax = plt.subplots(figsize=(5.4, 5.6), layout="constrained")
plots.one_to_one(labels, stars, "feh", ax=ax)

# %%
# Residuals along any column
# --------------------------

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plots.residual_along(labels, stars, "feh", "phot_g_mean_mag", ax=axes[0])
plots.residual_along(labels, stars, "feh", "teff", ax=axes[1])

# %%
# Are the errors right?
# ----------------------
# Pulls are residuals divided by the total error. With right errors they follow a unit Gaussian, the probability
# integral transform (PIT) is flat, and intervals hold the share of the stars that they promise.

figure, axes = plt.subplots(2, 2, figsize=(9.5, 8), layout="constrained")
plots.pull_histogram(labels, stars, "feh", ax=axes[0, 0])
plots.pit_histogram(labels, stars, "feh", ax=axes[0, 1])
plots.reliability_curve(labels, stars, "feh", ax=axes[1, 0])
plots.errors_along(labels, "feh", "phot_g_mean_mag", reference=stars, ax=axes[1, 1])

# %%
validation.calibration(labels, stars, names=["teff", "logg", "feh", "alpha_m"])

# %%
# Several catalogs
# ----------------
# Each against each, as in Figure 10 of the SolarDis paper. Stars are matched by their identifier.

from stellarlabels import UACSNet

others = UACSNet.pretrained().predict(stars)
figure = plt.figure(figsize=(7.5, 7.5), layout="constrained")
plots.pairwise_matrix({"UncertainNet": labels, "UACSNet": others, "APOGEE": stars}, "teff", figure=figure)

# %%
# Flags
# -----
# How often each flag is raised, for each label.

from stellarlabels.validation import tally

figure, ax = plt.subplots(figsize=(6.5, 2.6), layout="constrained")
plots.flag_tally(tally(labels), ax=ax)
