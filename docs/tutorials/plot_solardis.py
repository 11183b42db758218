"""
SolarDis: LAMOST low-resolution spectra
=======================================

`~stellarlabels.SolarDis` gives Teff, log g and [Fe/H] from LAMOST low-resolution spectra, and with the paper's network
M_G, (BP-RP)0 and distances as well. The spectra that the shipped weights were trained on may not be passed on, so
this page looks for them in the folder that the variable ``STELLARLABELS_DATA`` names, and says so where they are not
there.
"""

# %%
# The data
# --------
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from stellarlabels import SolarDis, flags
from stellarlabels.archive.readers import available, read_lamost
from stellarlabels.inputs.lamost import LINEAR_GRID, normalised

folder = Path(os.environ.get("STELLARLABELS_DATA", "../../../shared/data")) / "lamost_lrs"
files = sorted(str(path) for path in folder.glob("spec-*.fits*"))
print(f"{len(files)} files in {folder.name}" if files else "no LAMOST files here: only what needs none is shown")

# %%
# Every release is read by the same function, which recognizes the format by its content.
for name, description in available("lamost").items():
    print(f"{name}: {description}")

# %%
# A list of files becomes one table. A file that cannot be read keeps its row, flagged.
# `~stellarlabels.inputs.lamost.iter_lamost` gives the same in pieces, for more files than memory holds.
if files:
    spectra = read_lamost(files, progress=False)
    print(spectra["obsid", "release", "class", "subclass", "z", "snrg", "spectrum_flag"])

# %%
# From a file to what the network sees
# ------------------------------------
# The paper and the authors' code differ: the paper interpolates before it smooths, and sets pixels beyond the limits
# to 0; the code deletes masked pixels, smooths what is left, fits a polynomial to each arm in single precision, and
# sets pixels beyond the limits to 1. The default is the code's way. The shipped weights use a third one: a local
# continuum with the inverse variances as weights, which gives the better result on stars that were left out.
if files:
    one = spectra[[np.argmax(np.asarray(spectra["snrg"].filled(0)))]]
    fig, axes = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
    axes[0].plot(one["wavelength"][0].value, one["flux"][0], lw=0.6)
    axes[0].set_ylabel("flux")
    for variant in ("code", "paper"):
        axes[1].plot(LINEAR_GRID, normalised(one, variant=variant).flux[0], lw=0.6, label=variant)
    axes[1].set(xlabel="wavelength [Angstrom]", ylabel="normalised flux", ylim=(0, 1.3))
    axes[1].legend()
    plt.show()

# %%
# Labels
# ------
# Each label comes with an error and a flag. A galaxy and a quasar are among the files: they are unlike all training
# stars.
system = SolarDis.pretrained()
print(system)
if files:
    labels = system.predict(spectra)
    print(labels["obsid", "teff", "teff_err", "logg", "feh", "teff_flag"])
    for row in np.flatnonzero(np.isin(np.asarray(spectra["class"]), ["GALAXY", "QSO"])):
        print(spectra["class"][row], flags.decode(int(labels["teff_flag"][row]), "label"))

# %%
# How good they are
# -----------------
# The weights were measured on stars of other folds than those that they were trained on, five folds by star, against
# the labels of the LAMOST pipeline, next to ridge regression and a Gaussian process on principal components of the
# same spectra.
measured = SolarDis.metrics()["measured"]
for name in list(measured)[:3]:
    scatter = measured[name]["4000-7000 K"]
    print(f"{name:>45}: " + ", ".join(f"{label} {scatter[label]['scatter']:.3g}" for label in system.labels))

# %%
# The scatter falls with the signal-to-noise ratio, and the predicted errors with it.
bins = {name.split()[-1]: entry for name, entry in measured["SolarDis compact"].items() if "S/N" in name}
units = {"teff": "K", "logg": "dex", "feh": "dex"}
fig, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for axis, label in zip(axes, units, strict=True):
    axis.plot(list(bins), [entry[label]["scatter"] for entry in bins.values()], "o-", label="scatter")
    axis.plot(list(bins), [entry[label]["median_error"] for entry in bins.values()], "s--", label="predicted error")
    axis.set(ylim=(0, None), title=f"{label} [{units[label]}]", xlabel="S/N (g)")
    axis.tick_params("x", labelsize=7)
axes[0].legend()
plt.show()

# %%
# Which wavelengths matter
# ------------------------
# The importance of a pixel is the derivative of the label times the scatter of the pixel, or integrated gradients,
# or Shapley values of the package SHAP (Section 5.1 of the paper).
if files:
    from stellarlabels.analysis import importance

    found = importance(system, spectra[np.asarray(spectra["class"]) == "STAR"], method="integrated", samples=16)
    fig, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    for axis, label in zip(axes, units, strict=True):
        axis.plot(found["wavelength"], 1e3 * found[f"{label}_share"], lw=0.6)
        axis.set_ylabel(f"{label} [1/1000]")
    axes[-1].set_xlabel("wavelength [Angstrom]")
    plt.show()

# %%
# The paper's network, and distances
# ----------------------------------
# ``SolarDis()`` is the paper's network of 23,849,605 parameters, to be trained on one's own table with ``teff``,
# ``logg``, ``feh``, ``m_g`` and ``bp_rp_0``. ``SolarDis.import_published(folder, center=..., scale=...)`` takes the
# authors' weights (doi:10.5281/zenodo.13748129), of which only arrays are read. With M_G and (BP-RP)0 come
# distances: the extinction follows from the color, and the published distance is the mode of the distance PDF, 1.4 %
# below its median.
from astropy import units as u
from astropy.table import QTable

star = QTable({"obsid": [1], "phot_g_mean_mag": [13.5] * u.mag, "bp_rp": [0.95] * u.mag})
predicted = QTable({"obsid": [1], "m_g": [4.8] * u.mag, "m_g_err": [0.2546] * u.mag, "bp_rp_0": [0.82] * u.mag})
result = SolarDis().distances(star, predicted)
print(result["distance", "distance_lo", "distance_hi", "distance_mode"])
