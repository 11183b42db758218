"""
The stars and the Galaxy
========================

What a catalog of labels says of the stars: diagrams, abundances of dwarfs and giants, the Galaxy in radius and height.
All figures here show APOGEE's labels of the 600 stars that ship with the package; labels of any system go in the same
way.
"""

# %%
# Kiel diagram and color-magnitude diagram
# ----------------------------------------

import matplotlib.pyplot as plt

from stellarlabels import plots
from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), layout="constrained")
plots.kiel(stars, ax=axes[0])
plots.color_magnitude(stars, ax=axes[1])

# %%
# ``isochrones`` takes tables with ``teff`` and ``logg``; `stellarlabels.analysis.read_isochrones` reads the files of
# PARSEC and MIST.
#
# Abundances of dwarfs and giants
# -------------------------------

figure = plt.figure(figsize=(9.6, 4.2), layout="constrained")
plots.abundance_planes(stars, "alpha_m", figure=figure)

# %%
# More than 4,000 stars are drawn as their number, or the mean of the color, in small cells.
#
# The Galaxy
# ----------
# A third of the stars have a parallax, from which come Galactocentric coordinates.

from stellarlabels.analysis import galactocentric

places = galactocentric(stars)
places[:3]

# %%
figure, ax = plt.subplots(figsize=(6, 4.4), layout="constrained")
plots.galaxy_map(stars, "feh", least=1, bins=24, ax=ax)

# %%
# Radial gradients in bins of height: the columns are those of Table 3 of the SolarDis paper. With two hundred stars the
# errors are as large as the gradients.

from astropy import units as u

from stellarlabels.analysis import radial_gradients

gradients = radial_gradients(stars, edges=[0, 0.25, 0.5, 1, 2] * u.kpc, r_range=(6, 12) * u.kpc)
gradients

# %%
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
plots.gradients(gradients, ax=ax)

# %%
# All functions for figures are in `stellarlabels.plots`; the numbers behind them in `stellarlabels.analysis` and
# `stellarlabels.validation`.
