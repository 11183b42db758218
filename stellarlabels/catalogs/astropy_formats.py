"""The catalogs as formats of Astropy's tables: ``QTable.read(path, format="stellarlabels.csnet")``, and ``write``.

They are registered with Astropy's unified I/O when `stellarlabels.catalogs` is imported, and so by everything of this
package that reads or writes tables. ``import stellarlabels`` alone registers them only if `astropy.table` is there
already: importing Astropy takes longer than this package may.
"""

from functools import partial
from pathlib import Path

from astropy.io import registry
from astropy.table import Table

from stellarlabels.catalogs import core, schemas

#: Suffixes that Astropy leaves to others when it writes.
_OURS = (".vot", ".votable")


def register():
    """Register ``stellarlabels`` and, for each schema, ``stellarlabels.`` and its name; ``x.vot`` needs no format."""
    with registry.delay_doc_updates(Table):
        for schema in (None, *sorted(schemas.available())):
            name = "stellarlabels" if schema is None else f"stellarlabels.{schema}"
            registry.register_reader(name, Table, partial(_read, schema), force=True)
            registry.register_writer(name, Table, partial(_write, schema), force=True)
        registry.register_identifier("stellarlabels", Table, _is_ours, force=True)


def _is_ours(origin, path, fileobj, /, *arguments, **options):
    """Whether a table is to be written to a file with a suffix that Astropy itself does not know."""
    return origin == "write" and path is not None and Path(path).suffix.lower() in _OURS


def _read(schema, path, *, file_format=None):
    """Read a catalog with a schema; ``file_format`` if the suffix is not to decide."""
    return core.read(path, schema, format=file_format)


def _write(schema, table, path, *, overwrite=False, file_format=None):
    """Write a catalog in the columns of its schema; ``file_format`` if the suffix is not to decide."""
    core.write(table, path, schema, overwrite=overwrite, format=file_format)


register()
