"""The archive room: where spectra and catalogs come from.

`stellarlabels.archive.readers` turns files of archives and surveys into tables with the names and units of the
vocabulary; `stellarlabels.archive.sample` has the real stars that ship with the package. Whatever touches the network
is in this room and in no other.
"""

__all__ = []
