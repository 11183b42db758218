"""Labels for files of any size, and for catalogs that are spread over the sky.

`label_file` reads FITS, VOTable, Parquet, HATS, lists of spectra and folders of these. What fits in memory is labelled
at once, the rest part by part, and an interrupted run goes on where it was. `label_catalog` does the same for a HATS
catalog on a Dask cluster, with LSDB, and writes one; `map_catalog` labels an LSDB catalog when it is computed. `plan`
says beforehand what it takes.
"""

from importlib import import_module

#: Names, and the module here that each is in; Dask and LSDB are imported when they are needed.
_WHERE = {
    "Failure": "job",
    "Plan": "labelling",
    "Summary": "job",
    "label_catalog": "cluster",
    "label_file": "labelling",
    "map_catalog": "lsdb_catalogs",
    "matched": "lsdb_catalogs",
    "open_lsdb": "lsdb_catalogs",
    "plan": "labelling",
    "to_table": "lsdb_catalogs",
}

__all__ = [name for name in _WHERE if name not in ("Failure", "Plan", "Summary")]


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__():
    return sorted(_WHERE)
