"""Labels with errors and flags: the estimator that all systems share, its calibration and its domain."""

from stellarlabels.labels.domain import Domain
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
    "LabelEstimator",
    "LabelOptions",
    "MeansFirst",
    "Recipe",
    "TrainOptions",
    "coverage",
    "label_targets",
    "pulls",
    "robust_scatter",
]
