"""Tables of stars: matched on the sky or by identifier, grouped by star, and judged by the papers' quality cuts.

Every function takes a table and returns a new one; rows are flagged and masked, never dropped.
"""

from stellarlabels.tables import crossmatch, quality
from stellarlabels.tables.groups import group_by_star
from stellarlabels.tables.join import join_by_id

__all__ = ["crossmatch", "quality", "group_by_star", "join_by_id"]
