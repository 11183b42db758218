"""
From DR3 to DR4
===============

Networks that were trained on spectra of one data release do not understand those of the next. This page shows what
happens with such spectra, and how a system is carried over with stars that have spectra in both releases.

Gaia DR4's spectra are not there while this is written, so a stand-in takes their place. It is made of the 600 real
stars that ship with the package: 51 BP coefficients in place of 55, other basis functions, a flux that differs
smoothly by 1 to 3 %, errors 0.7 times as large, other identifiers, and some stars that one of the releases sees as
two. The script that makes it is ``tools/dr4_stand_in.py``. With the real release, read the two tables from files
instead.
"""

# %%
# Two releases of the same stars
# ------------------------------

import matplotlib.pyplot as plt
import numpy as np
from dr4_stand_in import make

from stellarlabels import UACSNet, releases
from stellarlabels.exceptions import ReleaseError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.validation import compare

stars = xp_apogee_sample()
learn, others = make(stars[:400]), make(stars[400:], seed=5)
for table in (learn.old, learn.new):
    print(releases.of(table), table["bp_coefficients"].shape)

# %%
# What is known of a release is data, with its source, and whether those who make the release have confirmed it:

dr4 = releases.get("DR4")
dr4.fact("coefficients")

# %%
# Networks of DR3 refuse the others
# ---------------------------------

system = UACSNet.pretrained().fewer(1)  # one network of four, to be quick
try:
    system.predict(others.new)
except ReleaseError as error:
    print(error)

# %%
# Carried over
# ------------
# A linear map from the new spectra to the old ones is learned, and covariances go through it. The archive's table of
# neighbours says which stars are the same; without one, positions do. The labels of the stars need not be known.

adapted = system.adapt(learn.new, same_as=learn.old, pairs=learn.neighbours, progress=False)
adapted.provenance_["adapted"]

# %%
# Labels of stars from which nothing was learned, next to those of the old spectra of the same stars:

before, after = system.predict(others.old), adapted.predict(others.new)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
for axis, (name, unit) in zip(axes, (("teff", "K"), ("logg", "dex"), ("feh", "dex")), strict=True):
    good = np.asarray(before[f"{name}_good"]) & np.asarray(after[f"{name}_good"])
    axis.plot(before[name][good], after[name][good], ".", markersize=4)
    axis.axline((np.median(np.asarray(before[name][good])),) * 2, slope=1, color="0.6", linewidth=1)
    axis.set(xlabel=f"{name} from the old spectra ({unit})", ylabel=f"from the new ones ({unit})")

# %%
# And next to APOGEE, which neither has seen of these stars. With 400 stars to learn from, the new labels are nearly as
# good as the old ones; with 5,000 they are: see :doc:`/user_guide/releases`, which has the numbers.

for title, labels, table in (("DR3", before, others.old), ("carried over", after, others.new)):
    print(title)
    print(compare(labels, table)["label", "stars", "bias", "scatter", "pull_width"])

# %%
# The new system knows its release, and refuses the old spectra:

print(adapted)
try:
    adapted.predict(others.old)
except ReleaseError as error:
    print(error)

# %%
# On the command line
# -------------------
#
# .. code-block:: console
#
#    $ stellarlabels adapt uacsnet new.fits --same-as old.fits --pairs neighbours.fits -o uacsnet-dr4.stellarlabels
#    $ stellarlabels label uacsnet more.fits --weights uacsnet-dr4.stellarlabels -o labels.vot
