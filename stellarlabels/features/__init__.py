"""From a table to network inputs: float arrays with errors and flags, nothing that a network cannot take."""

from stellarlabels.features.base import Features, FeatureSet

__all__ = ["Features", "FeatureSet"]
