"""The command line: every verb is one public function."""

import argparse
import logging
import sys

from stellarlabels import __version__
from stellarlabels.exceptions import StellarLabelsError

__all__ = ["main"]


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 after an error that is reported in one line, 130 after an interruption.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.INFO if options.verbose else logging.WARNING)
    try:
        options.run(options)
    except StellarLabelsError as error:
        if options.verbose:
            logging.exception("the traceback of the error")
        print(f"stellarlabels: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stellarlabels: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="stellarlabels", description="Teff, log g, [Fe/H], abundances and distances for millions of stars."
    )
    parser.add_argument("--version", action="version", version=f"stellarlabels {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what is done; show tracebacks of errors")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    verb = verbs.add_parser("systems", help="list the systems and the weights that ship with the package")
    verb.set_defaults(run=_systems)

    verb = verbs.add_parser(
        "demo", help="label real stars from Gaia XP spectra and compare with APOGEE; needs no network"
    )
    verb.add_argument("-o", "--output", default="stellarlabels-demo", help="folder for the files (%(default)s)")
    verb.add_argument("--system", default="uacsnet", help="system (default: %(default)s)")
    verb.add_argument("--weights", help="shipped weights to use (default: the system's default)")
    verb.set_defaults(run=_demo)

    verb = verbs.add_parser("label", help="label the stars of a file")
    verb.add_argument("system", help="name of a system, see 'stellarlabels systems'")
    verb.add_argument("input", nargs="+", help="FITS, VOTable, ECSV, CSV or Parquet tables, or Gaia XP files")
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--catalog", action="store_true", help="write the published catalog's columns, not all labels")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    verb.set_defaults(run=_label)

    verb = verbs.add_parser("distance", help="distances of the stars of a file, from their XP spectra and parallaxes")
    verb.add_argument("input", nargs="+", help="tables with XP spectra, phot_g_mean_mag, and perhaps parallaxes")
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--weights", default="apogee", help="shipped weights or a saved model (default: %(default)s)")
    verb.add_argument("--prior", choices=["modulus", "uniform", "density", "exponential"], help="prior of the distance")
    verb.add_argument("--no-parallax", action="store_true", help="do not use the parallaxes")
    verb.add_argument("--no-zero-point", action="store_true", help="the parallaxes are corrected for it already")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    verb.set_defaults(run=_distance)

    verb = verbs.add_parser("train", help="train a system on a table with inputs and labels")
    verb.add_argument("system", help="name of a system, see 'stellarlabels systems'")
    verb.add_argument("table", help="training table")
    verb.add_argument("-o", "--output", required=True, help="model file to write, usually *.stellarlabels")
    verb.add_argument("--recipe", help="recipe (default: the paper's)")
    verb.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
    verb.add_argument("--seed", type=int, help="start of the random numbers (default: the recipe's)")
    verb.add_argument("--validation", type=float, default=0.1, help="share of the stars for validation (default: 0.1)")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing model file")
    verb.set_defaults(run=_train)
    return parser


def _systems(options):
    from stellarlabels import systems

    for name in systems.available():
        system = systems.get(name)
        print(f"{name}: {system.title}\n    {system.reference}")
        for weights, text in system.available().items():
            print(f"    {weights:10s} {text}")


def _demo(options):
    from stellarlabels import demo

    summary, files = demo.run(options.output, system=options.system, weights=options.weights)
    print(f"{options.system} on {max(summary['stars'])} held-out stars, against APOGEE DR17:")
    print("\n".join(summary.pformat(max_lines=-1, max_width=-1)))
    for path in files.values():
        print(f"wrote {path}")


def _label(options):
    from stellarlabels import catalogs
    from stellarlabels.archive.readers import read_table

    _check_output(options)
    system = _load_system(options.system, options.weights)
    table = read_table(options.input)
    labels = system.predict(table)
    if options.catalog:
        catalogs.write(system.catalog(table, labels), options.output, system.name, overwrite=options.overwrite)
    else:
        catalogs.write(labels, options.output, overwrite=options.overwrite)
    good = sum(int((labels[f"{name}_flag"] == 0).sum()) for name in system.labels)
    total = len(labels) * len(system.labels)
    print(f"wrote {options.output}: {len(labels)} stars, {good} of {total} labels without a flag")


def _distance(options):
    from stellarlabels import catalogs, schema
    from stellarlabels.archive.readers import read_table
    from stellarlabels.corrections.parallax import correct_parallax

    _check_output(options)
    system = _load_system("uacsnet", options.weights)
    table = read_table(options.input)
    use_parallax = not options.no_parallax and schema.find(table, "parallax") is not None
    labels = system.predict(table)
    if use_parallax and not options.no_zero_point:
        corrected = correct_parallax(table)
        table[schema.find(table, "parallax")] = corrected["parallax_corrected"]
    out = system.distances(table, labels, prior=options.prior, use_parallax="auto" if use_parallax else False)
    catalogs.write(out, options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {len(out)} stars, {int((out['distance_flag'] == 0).sum())} without a flag")


def _check_output(options):
    """Refuse to start work whose result could not be written."""
    from pathlib import Path

    from stellarlabels.exceptions import InputError

    output = Path(options.output)
    if output.exists() and not options.overwrite:
        raise InputError(f"output: {output} exists; give --overwrite to replace it")
    if not output.resolve().parent.is_dir():
        raise InputError(f"output: the folder {output.resolve().parent} does not exist")


def _load_system(name, weights):
    """A system with shipped weights or those of a file."""
    from pathlib import Path

    from stellarlabels import systems

    system = systems.get(name)
    if weights is not None and weights not in system.available() and Path(weights).exists():
        return system.load(weights)
    return system.pretrained(weights)


def _train(options):
    from stellarlabels import systems
    from stellarlabels.archive.readers import read_table

    _check_output(options)
    changes = {name: getattr(options, name) for name in ("epochs", "seed") if getattr(options, name) is not None}
    system = systems.get(options.system)(options.recipe, **changes)
    system.fit(read_table(options.table), validation=options.validation)
    system.save(options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {system}")
