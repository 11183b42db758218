"""Are the errors honest? Pulls, coverage, and a recorded recalibration of predicted errors."""

from stellarlabels.labels.uncertainty.calibration import (
    Calibration,
    balance as balance,
    combine as combine,
    reduced as reduced,
)
from stellarlabels.labels.uncertainty.plan import CalibrationPlan
from stellarlabels.labels.uncertainty.scores import (
    MAD_TO_SIGMA as MAD_TO_SIGMA,
    ONE_SIGMA as ONE_SIGMA,
    coverage,
    pit as pit,
    pulls,
    reliability as reliability,
    robust_scatter,
)

__all__ = ["Calibration", "CalibrationPlan", "coverage", "pulls", "robust_scatter"]
