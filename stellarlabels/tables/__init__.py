"""Tables of stars: matched on the sky or by identifier, grouped by star, and judged by the papers' quality cuts.

Every function takes a table and returns a new one; rows are flagged and masked, never dropped. `read_labels` reads the
catalogs of surveys. The quality cuts are in `stellarlabels.tables.quality`.
"""

from stellarlabels.tables import crossmatch, quality
from stellarlabels.tables.crossmatch import same_stars as same_stars
from stellarlabels.tables.label_catalogs import read_labels
from stellarlabels.tables.same_star import group_by_star, join_by_id

__all__ = ["crossmatch", "group_by_star", "join_by_id", "quality", "read_labels"]
