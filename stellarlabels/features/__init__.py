"""Older name of `stellarlabels.inputs`, under which scripts may have it."""

from stellarlabels.inputs import Features, FeatureSet

__all__ = ["FeatureSet", "Features"]
