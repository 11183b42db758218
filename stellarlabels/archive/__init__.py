"""Where spectra and catalogs come from: clients of the archives' services.

`TAP` is a client for the archives' services, and `stellarlabels.archive.queries` has the selections of the papers to
send there. ``stellarlabels.archive.readers`` turns files of archives and surveys into tables with names and units of
the vocabulary; `stellarlabels.inputs.examples` has the real stars that ship with the package. Whatever touches the
network is in this part and in no other, and nothing does so on import.
"""

from stellarlabels.archive.tap import TAP
from stellarlabels.packaged import modules

__all__ = ["TAP"]

__getattr__ = modules(__name__, "datalink", "lamost", "queries", "readers", "sample", "samp", "services")
