"""
Photometric metallicities from J-PLUS and S-PLUS
================================================

CSNet's weights for dereddened magnitudes of S-PLUS alone, whose filters are copies of those of J-PLUS: what a table
needs, what zero-points do, and how the labels compare with those of the network SPHINX and of XGBoost. The real tables
have no license and do not ship, so the magnitudes are synthesised from XP spectra of stars that do, and the comparison
is that of the evaluation file.
"""

# %%
# A table of dereddened magnitudes
# ---------------------------------------
# The weights look for magnitudes under names that say that they are dereddened. Here they come from XP spectra; only
# colors count, so that extinction relative to r is all that is needed, from the coefficients of the CSNet paper.

import matplotlib.pyplot as plt
import numpy as np
from astropy.table import QTable

from stellarlabels import CSNet, flags
from stellarlabels.corrections.extinction import coefficients
from stellarlabels.inputs.colors import color_set
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import synthetic_photometry

stars = xp_apogee_sample()
photometry = synthetic_photometry(stars, ["JPLUS"])
known, bp_rp = coefficients("yang_2022"), coefficients("yang_2022").ratio("BP-RP")


def extinction(band):
    """A(band)/E(B-V), less that of BP."""
    return -known.ratio(f"BP-{band}") if f"BP-{band}" in known else -bp_rp - known.ratio(f"RP-{band}")


table = QTable({"source_id": stars["source_id"]})
for band in (band.name for band in color_set("splus_dereddened").bands):
    given = f"{band}JPLUS" if len(band) == 1 else band
    relative = extinction(band) - extinction("r")
    table[f"{band}_0"] = photometry[f"Jplus_mag_{given}"] - relative * stars["ebv"]
    table[f"{band}_0_err"] = np.hypot(photometry[f"Jplus_mag_error_{given}"], 0.02 * stars["ebv"].unit)
table[:3]

# %%
# Labels
# ------
# The weights were trained on stars of 4500 to 7000 K fainter than r = 14 with little dust, most of them dwarfs with
# [Fe/H] of -2.6 to -0.3, and on magnitudes of the survey. Few of these stars are like that, and the flags say so. The
# table has no column FIELD, so that errors contain the scatter of the zero-points between fields, and no label is good.

system = CSNet.pretrained("splus_segue")
labels = system.predict(table)
alone = flags.LABEL.where(BAD_SAMPLES=np.array([True]))[0]
for label in system.labels:
    print(label, int(np.sum(labels[f"{label}_flag"] == alone)), "of", len(labels), "have no other flag")

# %%
from stellarlabels.validation import compare

good = np.asarray(labels["feh_flag"] == alone) & (np.asarray(stars["ebv"].value) < 0.1)
print(good.sum(), "stars with no other flag of [Fe/H] and little dust")
compare(labels["source_id", "teff", "teff_err", "feh", "feh_err"], stars, rows=good)

# %%
# What is missing, and zero-points
# ---------------------------------------
# A magnitude of 99 is missing, and so are the labels. A zero-point that is wrong by 0.05 mag in one blue filter,
# which is what surveys differ by, is not seen by any flag: it moves [Fe/H].

wrong = table.copy()
wrong["J0395_0"][:300] = 99 * wrong["J0395_0"].unit
wrong["J0395_0"][300:] += 0.05 * wrong["J0395_0"].unit
moved = system.predict(wrong)
print("without labels:", int(np.ma.getmaskarray(np.ma.asarray(moved["feh"]))[:300].sum()), "of the first 300")
shift = np.ma.filled(np.ma.asarray(moved["feh"] - labels["feh"], float), np.nan)[300:]
print(f"[Fe/H] of the others moves by {np.nanmedian(shift):.2f} dex in the median")

# %%
# Compared with SPHINX, on the same stars
# ---------------------------------------
# Left-out stars of S-PLUS in Stripe 82 that are brighter than r = 17, from the evaluation file that ships with the
# weights.

measured = CSNet.metrics("splus_segue")["measured"]
models = [name for name in measured if "stars with SPHINX" in name or name.startswith("SPHINX")]
group = "r < 17"
rows = [(name, *(measured[name][group]["feh"][key] for key in ("stars", "median_bias", "robust_scatter", "rmse")))
        for name in models]  # fmt: skip
for name, count, bias, scatter, rmse in rows:
    print(f"{name:65s} {count} stars: bias {bias:+.3f}, scatter {scatter:.3f}, rmse {rmse:.3f} dex")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained", sharey=True)
for axis, chosen in zip(axes, (group, "r < 17, [Fe/H] < -2"), strict=True):
    entries = [measured[name][chosen]["feh"] for name in models]
    places = np.arange(len(models))
    axis.barh(places - 0.2, [abs(entry["median_bias"]) for entry in entries], 0.4, label="median bias (absolute)")
    axis.barh(places + 0.2, [entry["rmse"] for entry in entries], 0.4, label="rmse")
    axis.set(title=chosen, xlabel="dex", yticks=places, yticklabels=[name.split(",")[0] for name in models])
_ = axes[0].legend()
