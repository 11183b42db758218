"""``stellarlabels validate``: the table of a catalog against a reference."""

from stellarlabels.cli.report import _REFERENCE

__all__ = ["add", "run"]

_SHOWN = ("label", "unit", "group", "stars", "median", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")
_HONESTY = ("error", "pull_width", "coverage")


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("validate", help="print bias, scatter and honesty of errors of a catalog")
    verb.add_argument("catalog", help="a catalog of labels: FITS, VOTable, Parquet, CSV, ECSV or MRT")
    verb.add_argument("--against", required=True, metavar="REF", help=_REFERENCE)
    verb.add_argument("--schema", help="the published catalog that it is: csnet, spcanet, uncertain, uacsnet, solardis")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from stellarlabels import report

    table = report.validate(options.catalog, options.against, schema=options.schema)
    if len(table):
        print("\n".join(table[[*_SHOWN, *_HONESTY]].pformat(max_lines=-1, max_width=-1, show_unit=False)))
    for text in table.meta["findings"]:
        print(text)
