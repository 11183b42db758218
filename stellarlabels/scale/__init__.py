"""Labels for files that are larger than memory, and for catalogs that are spread over the sky.

`label_file` reads FITS, VOTable, Parquet, HATS and lists of spectra part by part, labels them in constant memory, and
goes on where it was interrupted. `label_catalog` does the same for a catalog in the HATS format on a Dask cluster, with
LSDB, and writes one; `map_catalog` labels an LSDB catalog when it is computed. `plan` says beforehand what it takes.
All ways give the same labels, to 1e-5 of their errors, however the rows are divided.
"""

from stellarlabels.scale.cluster import label_catalog, map_catalog, matched, open_lsdb, to_table
from stellarlabels.scale.labelling import label_file
from stellarlabels.scale.planning import Plan, plan

__all__ = ["Plan", "label_catalog", "label_file", "map_catalog", "matched", "open_lsdb", "plan", "to_table"]
