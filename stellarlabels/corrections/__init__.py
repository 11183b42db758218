"""Corrections of what archives deliver: parallax zero-point, flux excess and magnitudes, extinction, XP systematics."""

from stellarlabels.corrections import extinction, parallax, photometry, systematics

__all__ = ["extinction", "parallax", "photometry", "systematics"]
