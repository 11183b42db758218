"""Labels with errors and flags: the estimator that all systems share, its calibration and its domain."""

from stellarlabels.labels import modelfile as modelfile, uncertainty as uncertainty
from stellarlabels.labels.domain import Domain
from stellarlabels.labels.ensemble import (
    CHUNK as CHUNK,
    Ensemble as Ensemble,
    Member as Member,
    build_network as build_network,
    kind_of as kind_of,
)
from stellarlabels.labels.estimator import LabelEstimator
from stellarlabels.labels.recipe import CostOptions, LabelOptions, MeansFirst, Recipe, TrainOptions
from stellarlabels.labels.training import label_targets as label_targets
from stellarlabels.labels.uncertainty import (
    MAD_TO_SIGMA as MAD_TO_SIGMA,
    ONE_SIGMA as ONE_SIGMA,
    Calibration,
    CalibrationPlan,
    coverage,
    pulls,
    robust_scatter,
)

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
