"""From a table to network inputs: float arrays with errors and flags, nothing that a network cannot take."""

from stellarlabels.inputs.base import Features, FeatureSet

__all__ = ["Features", "FeatureSet"]
