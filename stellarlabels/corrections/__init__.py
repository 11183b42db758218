"""Corrections of what archives deliver: parallax zero-point, flux excess and magnitudes, extinction, XP systematics.

The modules are `stellarlabels.corrections.parallax`, `stellarlabels.corrections.photometry`,
`stellarlabels.corrections.extinction` and `stellarlabels.corrections.systematics`; each is loaded on first use.
"""

from importlib import import_module as _import_module

__all__ = ["extinction", "parallax", "photometry", "systematics"]


def __getattr__(name):
    if name in __all__:
        return _import_module(f"stellarlabels.corrections.{name}")
    raise AttributeError(f"module 'stellarlabels.corrections' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
