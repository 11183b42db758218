"""``stellarlabels report``: a page with numbers, figures and cautions of a catalog."""

__all__ = ["add", "run"]

_REFERENCE = "a reference catalog: a file, or NAME=FILE for a survey whose columns are known, such as apogee_dr17"


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("report", help="write a report of a catalog: one page, and the same numbers as files")
    verb.add_argument("catalog", help="a catalog of labels: FITS, VOTable, Parquet, CSV, ECSV or MRT")
    verb.add_argument("--against", nargs="+", action="extend", default=[], metavar="REF", help=_REFERENCE)
    verb.add_argument("-o", "--output", required=True, metavar="DIR", help="folder to write")
    verb.add_argument("--schema", help="the published catalog that it is: csnet, spcanet, uncertain, uacsnet, solardis")
    verb.add_argument("--title", help="title of the page")
    verb.add_argument("--overwrite", action="store_true", help="replace a report that is there")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from stellarlabels import report

    names = ("against", "schema", "title", "overwrite")
    written = report.write(options.catalog, options.output, **{name: getattr(options, name) for name in names})
    for path in written.values():
        print(f"wrote {path}")
