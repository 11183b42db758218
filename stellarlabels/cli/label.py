"""``stellarlabels label``: label the stars of a file."""

from stellarlabels.cli._common import check_output, load_system

__all__ = ["add", "run"]

_INPUT = (
    "FITS, VOTable, ECSV, CSV or Parquet tables, Gaia XP files, LAMOST spectra, or @FILE with one such path to a line"
)

#: LAMOST files whose spectra are in memory at once.
_FILES = 2000


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("label", help="label the stars of a file")
    verb.add_argument("system", help="name of a system, see 'stellarlabels systems'")
    verb.add_argument("input", nargs="+", help=_INPUT)
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--catalog", action="store_true", help="write the published catalog's columns, not all labels")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from astropy.table import vstack

    from stellarlabels import catalogs

    check_output(options)
    system = load_system(options.system, options.weights)
    labels, results = [], []
    for table in _tables(_paths(options.input)):
        labels.append(system.predict(table))
        results.append(system.catalog(table, labels[-1]) if options.catalog else labels[-1])
    labels, result = (
        vstack(parts, metadata_conflicts="silent") if len(parts) > 1 else parts[0] for parts in (labels, results)
    )
    schema = (system.name,) if options.catalog else ()
    catalogs.write(result, options.output, *schema, overwrite=options.overwrite)
    good = sum(int((labels[f"{name}_flag"] == 0).sum()) for name in system.labels)
    total = len(labels) * len(system.labels)
    print(f"wrote {options.output}: {len(labels)} stars, {good} of {total} labels without a flag")


def _paths(arguments):
    """The arguments, with those that begin with @ replaced by the lines of the file that they name."""
    from pathlib import Path

    from stellarlabels.exceptions import ReadError

    out = []
    for argument in arguments:
        if not argument.startswith("@"):
            out.append(argument)
            continue
        try:
            lines = Path(argument[1:]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ReadError(f"input: {argument[1:]} cannot be read as a list of files; {error}") from error
        out += [line.strip() for line in lines if line.strip()]
    return out


def _tables(paths):
    """The stars of all files: LAMOST spectra in pieces, since there may be millions, all others in one table."""
    from stellarlabels.archive.readers import iter_lamost, read_table
    from stellarlabels.archive.readers.lamost_files import is_lamost

    if len(paths) <= _FILES or not any(is_lamost(path) for path in paths):
        return iter([read_table(paths)])
    return iter_lamost(paths, rows=_FILES)
