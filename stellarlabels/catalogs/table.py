"""A table that knows which published catalog it is."""

from astropy.table import QTable

from stellarlabels import files
from stellarlabels.catalogs import core
from stellarlabels.exceptions import InputError


class CatalogTable(QTable):
    """A `~astropy.table.QTable` in the columns of a published catalog, which it writes as such.

    It is what ``system.catalog(table)`` returns. Apart from `write` it is an ordinary table; the name of its schema
    is in ``meta["schema"]``.
    """

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
        try:
            files.find(path, format)
        except (InputError, TypeError):
            return super().write(path, *args, format=format, **kwargs)
        return core.write(self, path, self.meta.get("schema"), format=format, **kwargs)
