"""
Tables, units and flags
=======================

How stellarlabels finds columns, converts units, keeps identifiers exact, and says what is wrong with a value. Every
other part of the library builds on these rules.
"""

# %%
# Columns are found by what they are
# ----------------------------------
# Archives call the same quantity by different names. Here is a table of three nearby stars with names as in VizieR, a
# parallax in other units, and one value missing.

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, flags

table = QTable()
table["GaiaEDR3"] = [4472832130942575872, 5853498713190525696, 3864972938605115520]
table["Plx"] = [0.5469759, 0.7680665, np.nan] * u.arcsec
table["Gmag"] = [8.194, 8.985, 11.038] * u.mag
table

# %%
# The vocabulary knows these names. ``find`` tells under which name a quantity is in a table, ``values`` takes it out:
# plain floats in the declared unit, with NaN for what is missing.

print(columns.find(table, "phot_g_mean_mag"))
print(columns.values(table, "parallax"), columns.column("parallax").unit)

# %%
# A column that is not there is an error that says what was looked for.

from stellarlabels.exceptions import StellarLabelsError

try:
    columns.values(table, "ebv")
except StellarLabelsError as error:
    print(error)

# %%
# A schema brings a whole table into order
# ----------------------------------------
# ``conform`` gives the canonical names, order, units and types. Whatever is absent is masked, and the metadata say so.

gaia = columns.Schema("gaia", [columns.column(name) for name in ("source_id", "parallax", "phot_g_mean_mag", "ruwe")])
stars = gaia.conform(table)
stars

# %%

print(stars.meta)
print("problems before:", gaia.validate(table))
print("problems after:", gaia.validate(stars))

# %%
# Identifiers have 19 digits, floats have 16. An identifier that has been a float is refused, because it may belong to
# another star.

try:
    gaia.conform(QTable({"source_id": [4472832130942575872.0]}))
except StellarLabelsError as error:
    print(error)

# %%
# Flags say what is wrong
# -----------------------
# A flag column is an integer whose bits have names. ``where`` makes flags from conditions, ``decode`` and ``describe``
# read them.

flag = flags.LABEL.where(MISSING_EBV=[True, True, False], COLOR_RANGE=[False, True, False])
print(flag)
print(flags.describe(flag[1]))

# %%
# ``has`` selects by one flag. Here: all stars with E(B-V), whatever else may be said of them.

print(~flags.LABEL.has(flag, "MISSING_EBV"))

# %%
# How common each flag is in a catalog is a one-liner. Let us draw it for a made-up one of a thousand stars, whose flags
# are set with the shares below.

import matplotlib.pyplot as plt

shares = {"NOISY_INPUT": 0.3, "COLOR_RANGE": 0.1, "UNLIKE_TRAINING": 0.05, "MISSING_BAND": 0.01}
rng = np.random.default_rng(1)
flag = flags.LABEL.where(**{name: rng.random(1000) < share for name, share in shares.items()})

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.barh(list(shares), [flags.LABEL.has(flag, name).sum() for name in shares])
_ = ax.set_xlabel(f"stars of {len(flag)}; {(flag == 0).sum()} have no flag")
