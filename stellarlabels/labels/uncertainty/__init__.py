"""Are the errors honest? Pulls, coverage, and a recorded recalibration of predicted errors."""

from stellarlabels.labels.uncertainty.calibration import Calibration, balance, combine, reduced
from stellarlabels.labels.uncertainty.plan import CalibrationPlan
from stellarlabels.labels.uncertainty.scores import (
    ONE_SIGMA,
    coverage,
    pit,
    pulls,
    reliability,
    robust_scatter,
)

__all__ = [
    "ONE_SIGMA",
    "Calibration",
    "CalibrationPlan",
    "balance",
    "combine",
    "coverage",
    "pit",
    "pulls",
    "reduced",
    "reliability",
    "robust_scatter",
]
