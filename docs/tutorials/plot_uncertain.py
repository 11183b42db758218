"""
Errors in three terms
=====================

UncertainNet predicts labels from Gaia XP coefficients and says where its errors come from: from the network, from the
errors of the spectrum, and from what the inputs do not tell.
"""

# %%
# The sample that ships with the package has sampled spectra; coefficients with errors are recovered from them. With
# coefficients of the archive in the table nothing else changes.

import matplotlib.pyplot as plt
import numpy as np

from stellarlabels import UncertainNet
from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
system = UncertainNet.pretrained()
labels = system.predict(stars)
labels["source_id", "feh", "feh_err", "feh_err_model", "feh_err_input", "feh_err_excess", "feh_flag"][:5]

# %%
# The flag says here that a parallax is missing, with which the network was trained, too. The total error is the sum in
# squares of the three terms. Toward faint stars the errors of the spectrum take over.

magnitude = stars["phot_g_mean_mag"].value
fig, ax = plt.subplots(layout="constrained")
edges = np.linspace(9, 14.5, 12)
middle = 0.5 * (edges[1:] + edges[:-1])
index = np.digitize(magnitude, edges)
for term in ("", "_model", "_input", "_excess"):
    error = labels[f"feh_err{term}"].value
    ax.plot(middle, [np.nanmedian(error[index == k]) for k in range(1, len(edges))], label=f"feh_err{term}")
ax.set_xlabel("G (mag)")
ax.set_ylabel("error of [Fe/H] (dex)")
ax.legend()

# %%
# What errors from the inputs are good for: spectra of twice the noise, with errors that say so. The errors of the
# labels follow.

rng = np.random.default_rng(1)
noisy = stars.copy()
noisy["flux_error"] = 2 * stars["flux_error"]
noisy["flux"] = stars["flux"] + np.sqrt(3) * rng.normal(size=stars["flux"].shape) * stars["flux_error"]
for name, table in (("as observed", stars), ("noisier", noisy)):
    found = system.predict(table)
    print(f"{name:12s} median error of [Fe/H]: {np.nanmedian(found['feh_err'].value):.3f} dex")

# %%
# What the network looks at: derivative of a label times input, as a scatter over all stars (the paper's Fig. 8).

from stellarlabels.analysis import attention, derivative_spectra, observed_differences
from stellarlabels.plots import attention_bars, derivative_panel

fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
attention_bars(attention(system, stars), "logg", ax=ax)

# %%
# Giants near the red clump: how the network expects the spectrum to change with [Fe/H], and the difference between
# observed stars of high and low [Fe/H] (the paper's Section 5).

clump = stars[(abs(stars["teff"].value - 4750) < 150) & (abs(stars["logg"].value - 2.5) < 0.5)]
fig, ax = plt.subplots(figsize=(8, 4), layout="constrained")
derivative_panel(derivative_spectra(system, clump), observed_differences(clump, ["feh"]), "feh", ax=ax)

# %%
# Both show the blanketing by Fe, CN and Ca II in the blue. They need not agree everywhere: the network uses a few of
# the many ways in which metals show, and stars of high and low [Fe/H] differ in other respects, too.
