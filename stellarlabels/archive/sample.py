"""Older name of `stellarlabels.inputs.examples`, under which scripts may have it."""

from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample

__all__ = ["mrs_synthetic_sample", "xp_apogee_sample"]
