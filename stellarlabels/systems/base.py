"""What a published system has beyond an estimator: weights that ship with the package, and a published catalog."""

from importlib import import_module, resources

from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.labels.estimator import LabelEstimator

__all__ = ["System", "available", "get"]

#: Systems by name, and where their class is.
_SYSTEMS = {
    "csnet": "stellarlabels.systems.csnet:CSNet",
    "spcanet": "stellarlabels.systems.spcanet:SPCANet",
    "solardis": "stellarlabels.systems.solardis:SolarDis",
    "uacsnet": "stellarlabels.systems.uacsnet:UACSNet",
    "uncertain": "stellarlabels.systems.uncertain:UncertainNet",
}


def available():
    """Names of the systems.

    Returns
    -------
    list of str
    """
    return list(_SYSTEMS)


def get(name):
    """The class of a system.

    Parameters
    ----------
    name : str
        In any case of letters.

    Raises
    ------
    InputError
        If there is no such system.
    """
    key = str(name).lower()
    if key not in _SYSTEMS:
        raise InputError(f"no system is called {name!r}; there are {available()}")
    module, _, attribute = _SYSTEMS[key].partition(":")
    return getattr(import_module(module), attribute)


class System(LabelEstimator):
    """A published system. Subclasses declare ``name``, ``title``, ``reference``, ``recipes`` and ``shipped``.

    All parameters, attributes and methods that are not described here are those of
    `stellarlabels.labels.estimator.LabelEstimator`.
    """

    #: One line that says what the system does.
    title = ""
    #: The paper, with its ADS or DOI link.
    reference = ""
    #: Weights in the package: name and one line of what they are. The first one is the default.
    shipped = {}

    @classmethod
    def available(cls):
        """Weights that ship with the package.

        Returns
        -------
        dict of str to str
            Name and description. The first is what ``pretrained()`` gives.
        """
        return dict(cls.shipped)

    @classmethod
    def pretrained(cls, name=None):
        """The system with weights that ship with the package, trained on real stars.

        Parameters
        ----------
        name : str, optional
            One of `available`; the first by default.

        Raises
        ------
        InputError
            If there are no weights of that name.
        """
        with resources.as_file(cls._shipped_file(name, "stellarlabels")) as path:
            return cls.load(path)

    @classmethod
    def metrics(cls, name=None):
        """What was measured of the shipped weights on the held-out stars.

        Parameters
        ----------
        name : str, optional
            As in `pretrained`.

        Returns
        -------
        dict
            The JSON file that the evaluation script wrote.
        """
        import json

        return json.loads(cls._shipped_file(name, "json").read_text(encoding="utf-8"))

    @classmethod
    def _shipped_file(cls, name, suffix):
        """A file that ships with the weights called ``name``, by default the first ones."""
        name = next(iter(cls.shipped), None) if name is None else name
        if name not in cls.shipped:
            raise InputError(f"name: {cls.name} ships with {list(cls.shipped)}, got {name!r}")
        return resources.files("stellarlabels") / "data" / "weights" / f"{cls.name}-{name}.{suffix}"

    def catalog(self, table, labels=None):
        """The catalog in the published schema.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input of `predict`, with the astrometry and photometry that the catalog repeats.
        labels : `~astropy.table.Table`, optional
            The output of `predict` for that table; computed if not given.

        Returns
        -------
        `~stellarlabels.catalogs.CatalogTable`
            Columns, names, units, UCDs of `stellarlabels.catalogs.schemas`; what the table does not have and cannot
            be computed from it is masked. Its ``write`` makes the published product.

        Raises
        ------
        InputError
            If the two tables differ in length or in their identifiers.
        """
        from astropy.table import QTable

        from stellarlabels import columns
        from stellarlabels.catalogs import CatalogTable, published, schemas

        labels = self.predict(table) if labels is None else labels
        columns.check_same_stars(table, labels)
        if columns.identifier(table) is None:
            raise MissingColumnError("table: a catalog needs the column 'source_id' or 'obsid'")
        merged = QTable(table, copy=False)
        for name in labels.colnames:
            if name not in merged.colnames:
                merged[name] = labels[name]
            elif name != columns.identifier(labels):
                merged.replace_column(name, labels[name])
        for name, data in self.derived_columns(table).items():
            merged[name] = data
        declared = schemas.get(self.name)
        catalog = CatalogTable(declared.conform(published.with_flags(merged, declared)), copy=False)
        catalog.meta = {**labels.meta, "schema": self.name, "reference": self.reference}
        return catalog

    def map(self, catalog, **options):
        """Label a catalog in the HATS format, partition by partition, with LSDB.

        Parameters
        ----------
        catalog : path-like or `lsdb.Catalog`
        **options
            For `stellarlabels.scale.map_catalog`: ``distances=True``, ``keep=["phot_g_mean_mag"]``.

        Returns
        -------
        `lsdb.Catalog`
            Labels, errors and flags, computed when it is. `stellarlabels.scale.label_catalog` writes a catalog instead.
        """
        from stellarlabels.scale import map_catalog

        return map_catalog(self, catalog, **options)

    def derived_columns(self, table):
        """Catalog columns that are computed from the table (dict of name to data); overridden by each system."""
        return {}
