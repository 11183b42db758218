"""``stellarlabels distance``: labels and distances of the stars of a file."""

from stellarlabels.cli.checks import (
    check_distances,
    check_format,
    check_output,
    load_system,
    names_of_systems,
    paths_of,
)
from stellarlabels.cli.label import show

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_systems
    verb.add_argument("input", nargs="+", metavar="INPUT", help="spectra with magnitudes and parallaxes")
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--system", default="uacsnet", help="system that has distances (default: %(default)s)")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--prior", choices=["modulus", "uniform", "density", "exponential"], help="prior of the distance")
    verb.add_argument("--no-parallax", action="store_true", help="do not use the parallaxes")
    verb.add_argument("--no-zero-point", action="store_true", help="the parallaxes are corrected for it already")
    verb.add_argument(
        "--release", help="Gaia release of the stars, where they do not tell it, or 'ignore'; see 'label'"
    )
    verb.add_argument("--keep", nargs="+", default=[], metavar="COLUMN", help="columns of the input to take over")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")


def run(options):
    """Carry the verb out."""
    paths = paths_of(options.input)
    check_output(options)
    check_format(options.output)
    check_distances(options.system)
    system = load_system(options.system, options.weights)
    how = {"prior": options.prior} if options.prior else {}
    if options.no_parallax:
        how["use_parallax"] = False
    from stellarlabels.scale.labelling import label_file

    zero_point = not (options.no_zero_point or options.no_parallax)
    what = {"distances": how or True, "zero_point": zero_point, "keep": options.keep, "release": options.release}
    show(label_file(system, paths, options.output, overwrite=options.overwrite, **what), options.output)
