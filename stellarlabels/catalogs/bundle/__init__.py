"""Publication bundles: a catalog in all formats, with everything that a data centre and a reader need beside it.

`export` writes a folder: data files, the ReadMe of the CDS, a resource descriptor with which GAVO DaCHS serves the
catalog through TAP and cone search, a record of where the numbers come from, references, and checksums.
"""

from stellarlabels.catalogs.bundle.export import export
from stellarlabels.catalogs.bundle.publication import Publication

__all__ = ["Publication", "export"]
