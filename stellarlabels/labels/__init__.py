"""Labels with errors and flags: the estimator that all systems share, its calibration and its domain."""

from stellarlabels.labels import modelfile as modelfile
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.ensemble import (
    Ensemble as Ensemble,
    Member as Member,
    build_network as build_network,
    kind_of as kind_of,
)
from stellarlabels.labels.estimator import LabelEstimator
from stellarlabels.labels.prediction import CHUNK as CHUNK
from stellarlabels.labels.recipe import CostOptions, LabelOptions, MeansFirst, Recipe, TrainOptions
from stellarlabels.labels.targets import label_targets as label_targets
from stellarlabels.labels.uncertainty import Calibration, CalibrationPlan, coverage, pulls, robust_scatter

__all__ = [
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
    "pulls",
    "robust_scatter",
]
