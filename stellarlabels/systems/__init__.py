"""The published systems: each a short declaration on what they share, which registers itself."""

from stellarlabels.systems.base import System, available, get, load, register

__all__ = ["System", "available", "get", "load", "register"]
