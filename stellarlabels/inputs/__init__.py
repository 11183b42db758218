"""From a table to network inputs: float arrays with errors and flags, nothing that a network cannot take."""

from stellarlabels.inputs.base import Features, FeatureSet, feature_set, register
from stellarlabels.inputs.readers import Reader, reader_of, register_reader

__all__ = ["FeatureSet", "Features", "Reader", "feature_set", "reader_of", "register", "register_reader"]
