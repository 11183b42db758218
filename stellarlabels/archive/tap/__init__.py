"""A client for Table Access Protocol services, on pyvo."""

from stellarlabels.archive.tap.client import TAP
from stellarlabels.archive.tap.service import Retry

__all__ = ["TAP", "Retry"]
