"""
From Gaia rows to distances
===========================

Corrected parallaxes, extinction, absolute magnitudes and distances of real stars, and how far the distances can be
trusted.
"""

# %%
# Parallax zero-point
# -------------------
# Gaia DR3 parallaxes are too small by some 0.04 mas, depending on magnitude, color and ecliptic latitude (Lindegren et
# al. 2021). ``zero_point`` takes a table with the archive's columns. Here is a made-up star of every magnitude, with a
# five-parameter solution and the color of a K giant:

import matplotlib.pyplot as plt
import numpy as np
from astropy import units as u
from astropy.table import QTable
from matplotlib.ticker import FixedLocator, NullFormatter, ScalarFormatter

from stellarlabels.corrections import parallax

magnitude = np.linspace(6.1, 20.9, 300)
grid = QTable(
    {
        "phot_g_mean_mag": magnitude * u.mag,
        "nu_eff_used_in_astrometry": np.full(300, 1.4) / u.um,
        "pseudocolour": np.full(300, np.nan) / u.um,
        "ecl_lat": np.zeros(300) * u.deg,
        "astrometric_params_solved": np.full(300, 31),
    }
)
figure, ax = plt.subplots(layout="constrained")
ax.plot(magnitude, parallax.zero_point(grid).to_value(u.uas))
ax.set(xlabel="G (mag)", ylabel="zero-point (microarcsec)")

# %%
# Real stars
# ----------
# The sample that ships with the package has Gaia XP spectra and, for a third of the stars, parallaxes. They are of Gaia
# DR2, with that release's own zero-point already removed, so that ``correct_parallax`` must not be used on them. With
# rows of Gaia DR3 the call is ``stars = parallax.correct_parallax(stars)``.

from stellarlabels.inputs.examples import xp_apogee_sample

stars = xp_apogee_sample()
known = ~stars["parallax"].mask
stars = stars[known]
print(len(stars), "stars with parallaxes")

# %%
# Extinction
# ----------
# The sample has an ``ebv`` column. For other tables, ``extinction.add_ebv(table)`` asks a map of dust. Each set of
# coefficients knows on which scale of E(B-V) it is defined.

from stellarlabels.corrections import extinction

a_g = extinction.extinction("G", stars["ebv"])
print(f"median extinction in G: {np.nanmedian(a_g):.2f} mag")
print(extinction.coefficients("zhang_yuan_2023"))

# %%
# Absolute magnitudes from spectra
# --------------------------------
# The network gives M_G + A_G, the absolute magnitude as dimmed by dust: what it takes for a distance is the apparent
# magnitude, and no map of dust.

from stellarlabels import UACSNet

system = UACSNet.pretrained("apogee")
labels = system.predict(stars)
labels["source_id", "m_g_dimmed", "m_g_dimmed_err", "m_g_dimmed_flag"][:5]

# %%
# Distances
# ---------
# First from the spectra alone, then together with the parallaxes.

photometric = system.distances(stars, labels, use_parallax=False)
# The parallaxes of the sample have been corrected for their zero-point already.
both = system.distances(stars, labels, prior="exponential", zero_point=False)
both[:5]

# %%
# Distance against distance: inverted parallaxes, for stars for which that is allowed (10 sigma and more), and distances
# from the spectra.

precise = (stars["parallax"] > 10 * stars["parallax_error"]).filled(False)
inverted = (1 / stars["parallax"][precise].unmasked.value) * u.kpc
spectral = photometric["distance"][precise].to(u.kpc)
figure, ax = plt.subplots(figsize=(6, 6), layout="constrained")
ax.errorbar(
    inverted.value,
    getattr(spectral, "unmasked", spectral).value,
    getattr(photometric["distance_err"], "unmasked", photometric["distance_err"])[precise].to_value(u.kpc),
    fmt=".",
)
limits = [0.1, 4]
ax.plot(limits, limits, "k-", lw=1)
ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
for axis in (ax.xaxis, ax.yaxis):
    axis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 4]))
    axis.set_major_formatter(ScalarFormatter())
    axis.set_minor_formatter(NullFormatter())
ax.set(xlabel="1 / parallax (kpc)", ylabel="distance from the spectrum (kpc)")

# %%
# Parallax and spectrum of one star, and what they say together:

from stellarlabels.distances import DistancePDF

star = int(np.argmin(np.abs(stars["parallax"].unmasked.value / stars["parallax_error"].unmasked.value - 8)))
pdf = DistancePDF(
    stars["phot_g_mean_mag"][star],
    labels["m_g_dimmed"][star],
    labels["m_g_dimmed_err"][star],
)
posterior = pdf.with_parallax(stars["parallax"][star], stars["parallax_error"][star], prior="exponential")
distance = np.linspace(0.6, 1.6, 400) * pdf.median
figure, ax = plt.subplots(layout="constrained")
ax.plot(distance.to_value(u.pc), pdf.pdf(distance).to_value(1 / u.pc), label="spectrum")
ax.plot(distance.to_value(u.pc), posterior.pdf(distance).to_value(1 / u.pc), label="spectrum and parallax")
ax.set(xlabel="distance (pc)", ylabel="probability density (1/pc)")
ax.legend()
