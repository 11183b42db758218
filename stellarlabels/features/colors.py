"""Older name of `stellarlabels.inputs.colors`, under which scripts may have it."""

from stellarlabels.inputs.colors import Band, Colors, ColorSet, available, color_set

__all__ = ["Band", "ColorSet", "Colors", "available", "color_set"]
