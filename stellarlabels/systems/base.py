"""What a system has beyond an estimator: a name under which it is found, weights that ship with it, and a catalog."""

import sys
from importlib import resources
from pathlib import Path

from stellarlabels import releases
from stellarlabels.columns import StarTable, declare
from stellarlabels.exceptions import InputError, MissingColumnError, ModelFileError
from stellarlabels.labels import LabelEstimator, kind_of, modelfile
from stellarlabels.registry import Registry

__all__ = ["SYSTEMS", "System", "available", "get", "load", "register"]

#: How labels are shown, by their units; files have all digits.
_FORMATS = {"K": ".1f", "dex": ".3f", "mag": ".3f", "pc": ".1f"}

#: Name of the recipe that a system has from its paper.
PAPER = "paper"

#: All systems: those of this folder, those of other packages, and those that a script or a notebook declares.
SYSTEMS = Registry("system", within="stellarlabels.systems")


def available():
    """Names of the systems, those of other packages, too.

    Returns
    -------
    list of str
    """
    return SYSTEMS.names()


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
    return SYSTEMS.get(name)


def register(system):
    """Make a system known under its name. Subclasses of `System` with a name of their own do so by themselves.

    Parameters
    ----------
    system : type
        A subclass of `System`; also as a decorator.

    Raises
    ------
    InputError
        If the name is that of another system.
    """
    return SYSTEMS.register(system)


def load(path):
    """Load a saved system, whichever it is: the file says so.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    System
        Ready to predict.

    Raises
    ------
    stellarlabels.exceptions.ModelFileError
        If the file is missing, damaged, of another version, or of a system that is not known here.
    """
    name = modelfile.read_description(path).get("system")
    if name not in SYSTEMS:
        raise ModelFileError(
            f"{path}: holds a model of the system {name!r}, which is not known here; there are {available()}. "
            "Import or install what declares it"
        )
    return SYSTEMS.get(name).load(path)


class System(LabelEstimator):
    """A system. Subclasses declare ``name``, ``recipes`` and, if there are any, ``title``, ``reference``, ``shipped``.

    A subclass with a ``name`` of its own registers itself: it is then known to `get`, on the command line, and in runs
    over large files. All parameters, attributes and methods that are not described here are those of
    `stellarlabels.labels.LabelEstimator`.
    """

    #: One line that says what the system does.
    title = ""
    #: The paper, with its ADS or DOI link.
    reference = ""
    #: The same as an entry of BibTeX.
    citation = ""
    #: Weights in the package: name, and one line of labels, data with release, and range. The first one is the default.
    shipped: dict = {}
    #: What archives have of the inputs (`stellarlabels.gather.Supply`), for `label`.
    supply = None
    #: What columns of the catalog are computed from where the table does not have them, by their names.
    computed_from: dict = {}
    #: Labels (`stellarlabels.columns.Column`) that the vocabulary does not have, with unit, UCD and description.
    declares = ()

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        for item in cls.__dict__.get("declares", ()):
            declare(item)
        if cls.__dict__.get("name"):
            from stellarlabels.catalogs import schemas

            register(cls)
            schemas.register(cls.default_schema, cls.name)

    @classmethod
    def available(cls):
        """Weights that ship with the system.

        Returns
        -------
        dict of str to str
            Name, and the labels that they give, what they were trained on with its data release, and for which range,
            divided by semicolons; at last what they do not give of the labels of the paper (`lacking`), if any, and how
            to get it. The first is what ``pretrained()`` gives.
        """
        out = dict(cls.shipped)
        for name in out:
            if absent := cls.lacking(name):
                out[name] += f"; not {', '.join(absent)}: train the recipe {PAPER!r} on your own labels"
        return out

    @classmethod
    def lacking(cls, name=None):
        """Labels of the paper's network that shipped weights do not give.

        Parameters
        ----------
        name : str, optional
            As in `pretrained`.

        Returns
        -------
        tuple of str
            Names of columns such as ``"c_fe"``. The recipe "paper" has them; it has to be trained with `fit`.
        """
        if PAPER not in cls.recipes:
            return ()
        with resources.as_file(cls.shipped_file(name)) as path:
            given = modelfile.read_description(path)["recipe"]["labels"]
        return tuple(label for label in cls.recipes[PAPER].labels if label not in given)

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
        with resources.as_file(cls.shipped_file(name)) as path:
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

        return json.loads(cls.shipped_file(name, "json").read_text(encoding="utf-8"))

    @classmethod
    def weights_folder(cls):
        """Folder of the weights: ``data/weights`` of the package that declares the system, or beside its module."""
        package = cls.__module__.partition(".")[0]
        if hasattr(sys.modules[package], "__path__"):
            return resources.files(package) / "data" / "weights"
        return Path(sys.modules[package].__file__).parent / "data" / "weights"

    @classmethod
    def shipped_file(cls, name=None, suffix="stellarlabels"):
        """File that ships with the weights of a name, by default the model file of the first ones."""
        name = next(iter(cls.shipped), None) if name is None else name
        if name not in cls.shipped:
            text = f"name: {cls.name} ships with {list(cls.shipped)}, got {name!r}"
            if name in cls.recipes:
                text += f"; {cls.__name__}({name!r}) is a recipe, to be trained with fit()"
            raise InputError(text)
        return cls.weights_folder() / f"{cls.name}-{name}.{suffix}"

    @classmethod
    def default_schema(cls):
        """The catalog of a system that has published none: identifiers, position, and all labels of its recipes.

        Returns
        -------
        `stellarlabels.columns.Schema`
            All its columns are optional.
        """
        from dataclasses import replace

        from stellarlabels import columns

        found = [item for item in columns.vocabulary() if "meta.id;meta.main" in item.ucd]
        found += [columns.column(name) for name in ("ra", "dec")]
        labels, terms = {}, {}
        for recipe in cls.recipes.values():
            labels |= dict.fromkeys(recipe.labels)
            terms |= dict.fromkeys(kind_of(recipe).error_terms)
        for label in labels:
            value, error, flag = columns.label_columns(label)
            own = (columns.error_term(label, term) for term in terms)
            found += [value, error, *own, flag, columns.good_column(label)]
        found = [replace(item, optional=True) for item in found]
        return columns.Schema(cls.name, found, cls.title or f"Labels of the system {cls.name}", cls.reference)

    def predict(self, table, *, progress=None, release=None):
        from stellarlabels.catalogs import CatalogTable

        out = CatalogTable(super().predict(table, progress=progress, release=release), copy=False)
        for data in out.itercols():
            data.info.format = data.info.format or _FORMATS.get(str(data.info.unit))
        return out

    def catalog(self, table, labels=None, *, release=None, strict=False):
        """The catalog in the published schema, and all that is known of the labels beside it.

        Parameters
        ----------
        table : `~astropy.table.Table`
            The input of `predict`, with the astrometry and photometry that the catalog repeats.
        labels : `~astropy.table.Table`, optional
            The output of `predict` for that table; computed if not given.
        release : str, optional
            As in `predict`, for labels that are computed.
        strict : bool
            Whether there are to be no columns but those of the published schema. This leaves out the labels that the
            paper does not have, and the flags with which it can be told which labels hold;
            ``meta["strict"]`` names what it left out.

        Returns
        -------
        `~stellarlabels.catalogs.CatalogTable`
            First the columns, names, units, UCDs of `stellarlabels.catalogs.schemas` (of systems without a published
            catalog those of `default_schema`). Then all labels of the weights, errors, flags and ``<label>_good`` that
            these do not have; where the schema has a flag column of that name, of another convention, the bits are in
            ``<label>_flag_bits``. What the table does not have and cannot be computed from it is masked;
            ``meta["unfilled"]`` names the columns that are masked in all rows, with the reason.

        Raises
        ------
        InputError
            If the two tables differ in length or in their identifiers, or the labels are those of another system.
        """
        from stellarlabels import columns
        from stellarlabels.catalogs import CatalogTable, published, schemas

        table = columns.intake(table)
        labels = columns.intake(self.predict(table, release=release) if labels is None else labels, argument="labels")
        if (other := labels.meta.get("system", self.name)) != self.name:
            raise InputError(
                f"labels: they are those of {other}, and this is the catalog of {self.name}; take {other}'s"
            )
        columns.check_same_stars(table, labels)
        if columns.identifier(table) is None:
            known = ", ".join(item.name for item in columns.vocabulary() if "meta.id;meta.main" in item.ucd)
            raise MissingColumnError(f"table: a catalog needs an identifier; looked for {known}")
        merged = StarTable(table, copy=False)
        for name in labels.colnames:
            if name not in merged.colnames:
                merged[name] = labels[name]
            elif name != columns.identifier(labels):
                merged.replace_column(name, labels[name])
        for name, data in self.derived_columns(table, labels).items():
            merged[name] = data
        declared = schemas.get(self.name, labels.meta.get(releases.META))
        catalog = CatalogTable(declared.conform(published.with_flags(merged, declared)), copy=False)
        catalog.meta = {**labels.meta, "schema": self.name, "reference": self.reference}
        unfilled = published.unfilled(catalog, declared, self)
        beside = published.beside(catalog, labels, declared)
        notes = {"unfilled": unfilled}
        if strict and beside:
            notes["strict"] = f"without {', '.join(beside)}, which the published catalog does not have"
        elif beside:
            notes[published.BESIDE] = list(beside)
            for name, data in beside.items():
                catalog[name] = data
        catalog.meta |= {key: note for key, note in notes.items() if note}
        return catalog

    def label(
        self, table=None, *, region=None, ids=None, query=None, limit=None, offline=False, archives=None, **options
    ):
        """Labels of stars of which nothing but identifier or position needs to be known.

        What the stars lack and an archive has is fetched: photometry and parallaxes of Gaia, 2MASS, AllWISE, distances,
        and spectra. Stars whose spectra are there already are labelled with what they have, as by `predict`. A run
        that was interrupted goes on where it was when the same call is made again.

        Parameters
        ----------
        table : `~astropy.table.Table`, data frame or array_like of int, optional
            With the identifier of the stars, or with ``ra`` and ``dec`` (the nearest source of Gaia within an arcsecond
            is taken, of positions at the epoch 2016.0). Identifiers alone are taken as ``ids``.
        region : str or sequence of float, optional
            Instead of it, the stars in a cone: right ascension, declination and radius in degrees; or "all".
        ids : array_like of int or path-like, optional
            Instead of it, identifiers: ``source_id``, or ``obsid`` for LAMOST; or a file with one to a line.
        query : path-like, optional
            Instead of it, a file with the ADQL that gives the stars.
        limit : int, optional
            Largest number of stars of a region.
        offline : bool
            Whether nothing is fetched.
        archives : `stellarlabels.gather.Archives`, optional
            Other servers, a token, and patience.
        **options
            For ``stellarlabels.gather.labels``: ``distances=True``, ``keep``, ``release``, ``store``, ``yes=True`` for
            all stars of the sky, ``progress``.

        Returns
        -------
        `~stellarlabels.catalogs.CatalogTable`
            As from `predict`, one row for each star, with position and magnitude where they are known. Labels of stars
            without a spectrum are masked, with the flag NO_INPUT.

        Raises
        ------
        InputError
            If no stars are given, or more than one of the ways to give them.
        stellarlabels.exceptions.MissingColumnError
            If what is needed is neither in the table nor in an archive, or ``offline``.
        stellarlabels.exceptions.ServiceError
            If an archive fails for good.

        Examples
        --------
        >>> from stellarlabels import UACSNet
        >>> labels = UACSNet.pretrained().label(region=(56.75, 24.1, 0.5))                      # doctest: +SKIP
        """
        from stellarlabels import columns, gather

        self.check_trained()
        if table is not None and not columns.is_table(table):
            table, ids = None, table if ids is None else ids
        choice = gather.Choice(region=region, ids=ids, query=query, table=table, limit=limit)
        if offline and table is None:
            raise InputError("offline: stars that are given by region, ids or query have to be fetched; give a table")
        if table is not None and (offline or not gather.lacks(self, columns.intake(table))):
            return gather.labelled(self, columns.intake(table), **options)
        return gather.labels(self, choice, archives=archives, **options)

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

    def derived_columns(self, table, labels):
        """Catalog columns that are computed from the table and its labels (dict of name to data)."""
        return {}
