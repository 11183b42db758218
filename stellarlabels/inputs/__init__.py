"""From a table to network inputs: float arrays with errors and flags, nothing that a network cannot take."""

from stellarlabels.inputs import examples
from stellarlabels.inputs.base import Bridged as Bridged, Features, FeatureSet, feature_set, register
from stellarlabels.inputs.readers import Reader as Reader, reader_of as reader_of, register_reader
from stellarlabels.packaged import modules

__all__ = ["FeatureSet", "Features", "examples", "feature_set", "register", "register_reader"]

__getattr__ = modules(__name__, "colors", "lamost", "spectra", "xp")
