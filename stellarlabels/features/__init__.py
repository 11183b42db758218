"""Older name of `stellarlabels.inputs`, under which scripts may have it."""

from stellarlabels.inputs import Features, FeatureSet
from stellarlabels.packaged import modules

__all__ = ["FeatureSet", "Features"]

__getattr__ = modules(__name__, "colors", "photometry", "xp")
