"""A table that knows which published catalog it is."""

import re

from stellarlabels import columns, files
from stellarlabels.exceptions import InputError, MissingColumnError

#: Ends of the columns of a label.
_OF_LABEL = re.compile("_(good|flag|err(_[a-z]+)?)$")


class CatalogTable(columns.StarTable):
    """
    A `~astropy.table.QTable` in the columns of a published catalog, which it writes as such.

    It is what ``system.catalog(table)`` and `stellarlabels.catalogs.read` return. Apart from `write` it is an ordinary
    table; the name of its schema is in ``meta["schema"]``. Columns in dex are plain ones, with the unit beside the
    numbers as in tables of TAP services, so that ``labels["feh"] < -1`` is what it looks like; those with other units
    are quantities. A label that the networks did not give is a `~stellarlabels.exceptions.MissingColumnError`, which is
    a `KeyError`, too.
    """

    def __getitem__(self, item):
        """As of any table; a label that is not there is an error that says who has it."""
        names = [item] if isinstance(item, str) else item if isinstance(item, list | tuple) else ()
        for name in names:
            if isinstance(name, str) and name not in self.columns and "system" in self.meta:
                self._explain(name)
        return super().__getitem__(item)

    def _explain(self, name):
        """Raise a `MissingColumnError` if the name is that of a label."""
        label = _OF_LABEL.sub("", name)
        if label not in columns.vocabulary().notes["labels"]:
            return
        given = [key.removesuffix("_good") for key in self.columns if key.endswith("_good")]
        how = "'stellarlabels systems' lists what weights that ship give, and what can be trained on your own labels"
        if label == "distance":
            how = "systems that predict absolute magnitudes have system.distances(table, labels)"
        raise MissingColumnError(
            f"{name}: the networks of {self.meta['system']!r} behind this table give {', '.join(given)}; {how}"
        )

    def write(self, path, *args, format=None, **kwargs):
        """Write the catalog to a file.

        Parameters
        ----------
        path : path-like
            The suffix decides about the format: FITS, VOTable, Parquet or ECSV; see
            `stellarlabels.catalogs.supported_formats`.
        *args, **kwargs
            ``overwrite=True`` replaces an existing file. For formats that only astropy knows, all that its writer
            takes.
        format : str, optional
            Name of the format if the suffix is not to decide.

        Raises
        ------
        stellarlabels.exceptions.WriteError
            If the file exists and is not to be replaced, or cannot be written.

        Notes
        -----
        For the formats of this package the file is that of `stellarlabels.catalogs.write`; all other formats are left
        to astropy.
        """
        from stellarlabels.catalogs import core

        try:
            files.find(path, format)
        except (InputError, TypeError):
            return super().write(path, *args, format=format, **kwargs)
        return core.write(self, path, self.meta.get("schema"), format=format, **kwargs)
