"""The published systems: each a short declaration on the shared rooms."""

from stellarlabels.systems.base import available, get

__all__ = ["available", "get"]
