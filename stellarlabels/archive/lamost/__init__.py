"""LAMOST spectra from the survey's archive, for any number of stars.

Examples
--------
>>> from stellarlabels.archive.lamost import lamost_spectra
>>> stars = lamost_spectra([740103002, 740103003], token="...")                                 # doctest: +SKIP
"""

from stellarlabels.archive.lamost.spectra import (
    available as available,
    download as download,
    lamost_spectra,
    with_obsids as with_obsids,
)

__all__ = ["lamost_spectra"]
