"""``stellarlabels label``: label the stars of a file."""

from stellarlabels.cli._common import check_output, load_system

__all__ = ["add", "run"]


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("label", help="label the stars of a file")
    verb.add_argument("system", help="name of a system, see 'stellarlabels systems'")
    verb.add_argument("input", nargs="+", help="FITS, VOTable, ECSV, CSV or Parquet tables, or Gaia XP files")
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--catalog", action="store_true", help="write the published catalog's columns, not all labels")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from stellarlabels import catalogs
    from stellarlabels.archive.readers import read_table

    check_output(options)
    system = load_system(options.system, options.weights)
    table = read_table(options.input)
    labels = system.predict(table)
    if options.catalog:
        catalogs.write(system.catalog(table, labels), options.output, system.name, overwrite=options.overwrite)
    else:
        catalogs.write(labels, options.output, overwrite=options.overwrite)
    good = sum(int((labels[f"{name}_flag"] == 0).sum()) for name in system.labels)
    total = len(labels) * len(system.labels)
    print(f"wrote {options.output}: {len(labels)} stars, {good} of {total} labels without a flag")
