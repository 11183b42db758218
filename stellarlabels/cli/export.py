"""``stellarlabels export``: write the publication bundle of a catalog."""

from stellarlabels.cli.checks import check_inputs, names_of_schemas

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_schemas
    verb.add_argument("catalog", help="a catalog: FITS, VOTable, Parquet, CSV, ECSV or MRT")
    verb.add_argument("--bundle", required=True, metavar="DIR", help="folder to write")
    verb.add_argument("--schema", help="the published catalog that it is")
    verb.add_argument("--name", help="short name of files and tables (default: that of the schema)")
    verb.add_argument("--title", help="title of the catalog")
    verb.add_argument("--author", action="append", default=[], metavar="'FAMILY, GIVEN'", help="can be repeated")
    verb.add_argument("--license", default="", help="licence of the data, for instance CC-BY-4.0")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing folder")


def run(options):
    """Carry the verb out."""
    check_inputs(options.catalog)
    from stellarlabels.catalogs.bundle import export

    sums = export(
        options.catalog,
        options.bundle,
        options.schema,
        name=options.name,
        title=options.title,
        authors=options.author,
        license=options.license,
        overwrite=options.overwrite,
    )
    print(f"wrote {options.bundle}: {', '.join(sums)}, SHA256SUMS")
