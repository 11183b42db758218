"""Array cells, under their old name; see `stellarlabels.columns`."""

from stellarlabels.columns import Ragged, exact_floats, holds_arrays, looks_like_array, parse, parse_column

__all__ = ["Ragged", "exact_floats", "holds_arrays", "looks_like_array", "parse", "parse_column"]
