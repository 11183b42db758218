"""Is it right? Comparisons with references, and plots of them."""

from stellarlabels.validation.statistics import compare

__all__ = ["compare"]
