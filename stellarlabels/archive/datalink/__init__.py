"""Gaia XP spectra from the archive's DataLink service, for any number of stars.

Examples
--------
>>> from stellarlabels.archive.datalink import xp_spectra
>>> stars = xp_spectra([5937083312263887616, 2771993518866625])                      # doctest: +SKIP
"""

from stellarlabels.archive.datalink.client import Product as Product, product as product
from stellarlabels.archive.datalink.spectra import download as download, xp_spectra

__all__ = ["xp_spectra"]
