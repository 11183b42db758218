"""``stellarlabels validate``: the table of a catalog against a reference."""

from stellarlabels.cli.checks import check_inputs, names_of_schemas
from stellarlabels.cli.report import _REFERENCE

__all__ = ["add", "run"]

_SHOWN = ("label", "unit", "group", "stars", "median", "gauss_mean", "gauss_sigma", "robust_sigma", "rmse")
_HONESTY = ("error", "pull_width", "coverage")


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_schemas
    verb.add_argument("catalog", help="a catalog of labels: FITS, VOTable, Parquet, CSV, ECSV or MRT")
    verb.add_argument("--against", required=True, metavar="REF", help=_REFERENCE)
    verb.add_argument("--schema", help="the published catalog that it is")


def run(options):
    """Carry the verb out."""
    check_inputs(options.catalog, options.against.rpartition("=")[2])
    from stellarlabels import report

    table = report.validate(options.catalog, options.against, schema=options.schema)
    if len(table):
        print("\n".join(table[[*_SHOWN, *_HONESTY]].pformat(max_lines=-1, max_width=-1, show_unit=False)))
    for text in table.meta["findings"]:
        print(text)
