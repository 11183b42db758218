"""Labels with errors and flags: the estimator that all systems share, its calibration and its domain."""

from stellarlabels.labels import modelfile
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.ensemble import Ensemble, Member, build_network, kind_of
from stellarlabels.labels.estimator import LabelEstimator
from stellarlabels.labels.prediction import CHUNK
from stellarlabels.labels.recipe import CostOptions, LabelOptions, MeansFirst, Recipe, TrainOptions
from stellarlabels.labels.targets import label_targets
from stellarlabels.labels.uncertainty import Calibration, CalibrationPlan, coverage, pulls, robust_scatter

__all__ = [
    "CHUNK",
    "Calibration",
    "CalibrationPlan",
    "CostOptions",
    "Domain",
    "Ensemble",
    "LabelEstimator",
    "LabelOptions",
    "MeansFirst",
    "Member",
    "Recipe",
    "TrainOptions",
    "build_network",
    "coverage",
    "kind_of",
    "label_targets",
    "modelfile",
    "pulls",
    "robust_scatter",
]
