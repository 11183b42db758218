"""Is it right? Comparisons with references, calibration of errors, the papers' tables, star clusters, and plots."""

from stellarlabels.validation import papers, references
from stellarlabels.validation.clusters import cluster_members, cluster_summary
from stellarlabels.validation.comparison import compare_catalogs, pairwise, selected_by
from stellarlabels.validation.giants import classes
from stellarlabels.validation.honesty import calibration, pit_histogram, pull_histogram, reliability
from stellarlabels.validation.matching import match, matched, median_per_star
from stellarlabels.validation.samples import gaussian_fit
from stellarlabels.validation.statistics import by_bins, by_class, compare, label_names, residuals, summarize

__all__ = [
    "by_bins",
    "by_class",
    "calibration",
    "classes",
    "cluster_members",
    "cluster_summary",
    "compare",
    "compare_catalogs",
    "gaussian_fit",
    "label_names",
    "match",
    "matched",
    "median_per_star",
    "pairwise",
    "papers",
    "pit_histogram",
    "pull_histogram",
    "references",
    "reliability",
    "residuals",
    "selected_by",
    "summarize",
]
