"""Quality cuts of the five papers as named, documented flags, and the same machinery for one's own.

A `Cut` says of each star whether it passes and whether that could be judged at all; a `CutSet` holds those of a
paper. `apply` turns cuts into two flag columns, `waterfall` counts what each cut leaves. No row is ever dropped.

Examples
--------
>>> from astropy.table import QTable
>>> import astropy.units as u
>>> from stellarlabels.tables import quality
>>> stars = QTable({"ruwe": [1.0, 1.5], "phot_bp_rp_excess_factor": [1.2, 1.2]})
>>> cuts = quality.get("uncertain").only("flux_excess", "ruwe")
>>> quality.apply(stars, cuts)["quality_flag"].tolist()
[0, 2]
"""

from stellarlabels.tables.quality import bitmasks, conditions
from stellarlabels.tables.quality.conditions import quantity as quantity
from stellarlabels.tables.quality.cuts import Cut, CutSet
from stellarlabels.tables.quality.papers import (
    apply,
    get,
    names,
    passes,
    published as published,
    read,
    register,
    waterfall,
)

__all__ = [
    "Cut",
    "CutSet",
    "apply",
    "bitmasks",
    "conditions",
    "get",
    "names",
    "passes",
    "read",
    "register",
    "waterfall",
]
