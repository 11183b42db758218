"""Labels with errors and flags: the estimator that all systems share, its calibration and its domain."""
