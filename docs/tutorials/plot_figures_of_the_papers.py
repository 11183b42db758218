"""
Figures of the papers
=====================

The kinds of figures in the five papers that no other tutorial shows: ratios of abundances, maps of the sky and of the
Galaxy from above, several catalogs against each other, histograms, what samples have in common, values in the plane of
two colors, terms of errors, carbon-enhanced stars, and what each cut costs.
Real stars are the 600 that ship with the package; where labels are shown that these do not have, stars are made up,
and it is said.
"""

# %%
# Ratios of abundances
# --------------------
# [C/N], [Mg/alpha] or [Ca/alpha] need no column of their own: ``c_n`` is worked out from ``c_fe`` and ``n_fe``, these
# if need be from ``c_h``, ``n_h`` and ``feh``; any abundance can be on the other axis. The stars of this section are
# made up: two sequences of disk stars, and giants that have mixed carbon into nitrogen.

import matplotlib.pyplot as plt
import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import plots

rng = np.random.default_rng(1)
count = 5000
thick, giant = rng.random(count) < 0.3, rng.random(count) < 0.5
feh = np.where(thick, rng.normal(-0.6, 0.25, count), rng.normal(-0.05, 0.2, count))
made_up = QTable({"feh": feh * u.dex, "logg": np.where(giant, 2.5, 4.4) * u.dex})
alpha = np.where(thick, 0.25 - 0.1 * (feh + 0.6), 0.03 - 0.1 * feh)
for name, value in (
    ("alpha_fe", alpha),
    ("mg_fe", 1.1 * alpha),
    ("ca_fe", 0.7 * alpha),
    ("c_fe", 0.5 * alpha - 0.15 * giant),
    ("n_fe", 0.2 * feh + 0.25 * giant),
):
    made_up[name] = (value + rng.normal(0, 0.03, count)) * u.dex
figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
plots.abundance_plane(made_up, "c_n", against="n_h", ax=axes[0, 0])
plots.abundance_plane(made_up, "c_alpha", against="c_h", ax=axes[0, 1])
plots.abundance_plane(made_up, "mg_alpha", against="mg_h", ax=axes[1, 0])
plots.abundance_plane(made_up, "ca_alpha", ax=axes[1, 1])

# %%
figure = plt.figure(figsize=(9.6, 4.2), layout="constrained")
plots.abundance_planes(made_up, "c_n", figure=figure)

# %%
# The sky, and the Galaxy from above
# ----------------------------------

from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.2), layout="constrained")
plots.galaxy_map(stars, plane="sky", bins=30, ax=left)
plots.galaxy_map(stars, "feh", plane="xy", least=1, bins=24, ax=right)

# %%
# Catalogs against each other
# ---------------------------
# UACSNet, UncertainNet and APOGEE, each against each. Many of these stars have been trained with.

from stellarlabels import UACSNet, UncertainNet

inputs = stars[[name for name in stars.colnames if name.removesuffix("_err") not in ("teff", "logg", "feh", "alpha_m")]]
uncertain = UncertainNet.pretrained().predict(inputs, progress=False)
catalogs = {"UACSNet": UACSNet.pretrained().predict(inputs, progress=False), "UncertainNet": uncertain, "APOGEE": stars}
figure = plt.figure(figsize=(7.5, 7.5), layout="constrained")
plots.pairwise_matrix(catalogs, "feh", figure=figure)

# %%
# As numbers, beside what the paper of UncertainNet states, and in what the samples differ:

from stellarlabels.validation import side_by_side

others = {"UACSNet": catalogs["UACSNet"]}
table = side_by_side(uncertain, stars, system="uncertain", peers=others, names=["teff", "feh"], bootstrap=50)
table["label", "quantity", "whose", "value", "ours", "differs"]

# %%
# Histograms, and what samples have in common
# -------------------------------------------
# [Fe/H] in each catalog; and how many of the stars are giants, poor in metals, behind dust, or several of these.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
plots.distribution(catalogs, "feh", bins=30, ax=left)
kinds = {
    "giants": stars["logg"].value < 3.5,
    "[Fe/H] < -0.5": stars["feh"].value < -0.5,
    "E(B-V) > 0.3": stars["ebv"].value > 0.3,
}
plots.venn({kind: np.ma.filled(np.ma.asarray(member), False) for kind, member in kinds.items()}, ax=right)

# %%
# The plane of two colors, and that of magnitude and metallicity
# --------------------------------------------------------------
# Appendix A of the CSNet paper shows [Mg/Fe], [C/Fe] and [N/Fe] in the planes of two colors; here it is APOGEE's
# [alpha/M], as the sample has no such magnitudes. Errors over G and [Fe/H] are Figure 11 of the UACSNet paper.

from astropy.table import Column

bp_rp = stars["phot_bp_mean_mag"] - stars["phot_rp_mean_mag"]
colors = (
    Column(bp_rp.value, name="bp_rp", unit="mag"),
    Column((stars["j_m"] - stars["ks_m"]).value, name="J - Ks", unit="mag"),
)
uncertain["phot_g_mean_mag"] = stars["phot_g_mean_mag"]
figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.4), layout="constrained")
plots.value_map(stars, *colors, "alpha_m", bins=25, least=1, ax=left)
plots.value_map(uncertain, "phot_g_mean_mag", "feh", "feh_err", bins=20, least=1, ax=right)

# %%
# Terms of errors
# ---------------
# Along magnitude, and along the label itself.

figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
plots.errors_along(uncertain, "feh", "phot_g_mean_mag", terms=True, ax=left)
plots.errors_along(uncertain, "feh", "feh", terms=True, ax=right)

# %%
# Are metallicities spoiled by carbon?
# ------------------------------------
# The paper of UACSNet compares [Fe/H] of very metal-poor stars with the literature, colored by [C/Fe], and finds no
# trend. The sample has no carbon: these stars are made up, and of each dex of [C/Fe] above 0.5 half goes into [Fe/H],
# so that one sees what a trend looks like.

poor = QTable({"source_id": np.arange(1, 401), "feh": rng.uniform(-4, -2, 400) * u.dex})
poor["c_fe"] = np.clip(rng.normal(0.3, 0.8, 400) - 0.3 * (poor["feh"].value + 2), -0.5, 3) * u.dex
found = poor[["source_id"]]
spoiled = 0.5 * np.maximum(poor["c_fe"].value - 0.5, 0)
found["feh"] = poor["feh"] + (spoiled + rng.normal(0, 0.15, 400)) * u.dex
figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.8), layout="constrained")
plots.one_to_one(found, poor, "feh", shade="c_fe", ax=axes[0])
plots.residual_along(found, poor, "feh", "c_fe", ax=axes[1])

# %%
# What each cut costs
# -------------------
# Cuts of the paper of UACSNet on the 600 stars, those for which the table has what they need, and one for which it has
# not: the height above the plane. Stars of which a cut cannot be judged do not pass; they are paler.

from stellarlabels.corrections.extinction import deredden
from stellarlabels.tables import quality

intrinsic = deredden(stars)
color = intrinsic["phot_bp_mean_mag_0"] - intrinsic["phot_rp_mean_mag_0"]
cuts = quality.get("uacsnet").only("color", "latitude", "reddening", "faint_enough", "height")
steps = quality.waterfall(intrinsic, cuts, supply={"bp_rp_0": color})
figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
plots.cut_waterfall(steps, ax=ax)
steps["cut", "left", "removed", "undefined", "alone"]

# %%
# Where the other figures are
# ---------------------------
# Residuals, panels of them, errors and pulls: :doc:`plot_validation`. Kiel and color-magnitude diagrams, planes, R-Z
# maps and gradients: :doc:`plot_stars`. Attention, derivative spectra and Shapley values: :doc:`plot_uncertain`,
# :doc:`plot_what_networks_read`. Clusters: :doc:`plot_clusters`. Each paper's figures, one by one, are on the pages of
# :doc:`the papers </papers/index>`.
