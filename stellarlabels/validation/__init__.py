"""Are labels right, and their errors? Comparisons with references, pulls, the papers' tables, and star clusters."""

from stellarlabels.validation import papers, references
from stellarlabels.validation.bins import (
    Along as Along,
    grouped_median as grouped_median,
    quantity_along as quantity_along,
)
from stellarlabels.validation.clusters import CLUSTER as CLUSTER, cluster_members, cluster_summary
from stellarlabels.validation.comparison import compare_catalogs, pairwise, selected_by
from stellarlabels.validation.derived import classes, derived_label as derived_label, is_ratio as is_ratio
from stellarlabels.validation.error_checks import calibration, pit_histogram, pull_histogram, reliability
from stellarlabels.validation.flag_counts import NO_FLAG as NO_FLAG, flag_columns as flag_columns, tally
from stellarlabels.validation.joining import aligned as aligned
from stellarlabels.validation.lines import grouped_lines as grouped_lines
from stellarlabels.validation.matching import match, matched
from stellarlabels.validation.sides import side_by_side
from stellarlabels.validation.statistics import (
    by_bins,
    by_class,
    compare,
    label_names as label_names,
    residuals,
    summarize,
)
from stellarlabels.validation.verdicts import Verdicts as Verdicts, verdicts

__all__ = [
    "by_bins",
    "by_class",
    "calibration",
    "classes",
    "cluster_members",
    "cluster_summary",
    "compare",
    "compare_catalogs",
    "match",
    "matched",
    "pairwise",
    "papers",
    "pit_histogram",
    "pull_histogram",
    "references",
    "reliability",
    "residuals",
    "selected_by",
    "side_by_side",
    "summarize",
    "tally",
    "verdicts",
]
