"""``stellarlabels report``: a page with numbers, figures and cautions of a catalog."""

from stellarlabels.cli.checks import check_inputs, names_of_schemas

__all__ = ["add", "run"]

_REFERENCE = "a reference catalog: a file, or NAME=FILE for a survey whose columns are known, such as apogee_dr17"


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_schemas
    verb.add_argument("catalog", help="a catalog of labels: FITS, VOTable, Parquet, CSV, ECSV or MRT")
    verb.add_argument("--against", nargs="+", action="extend", default=[], metavar="REF", help=_REFERENCE)
    verb.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    verb.add_argument("--schema", help="the published catalog that it is")
    verb.add_argument("--title", help="title of the page")
    verb.add_argument("--overwrite", action="store_true", help="replace a report that is there")


def run(options):
    """Carry the verb out."""
    check_inputs(options.catalog, *(name.rpartition("=")[2] for name in options.against))
    from stellarlabels import report

    names = ("against", "schema", "title", "overwrite")
    written = report.write(options.catalog, options.output, **{name: getattr(options, name) for name in names})
    for path in written.values():
        print(f"wrote {path}")
