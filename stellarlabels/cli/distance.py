"""``stellarlabels distance``: distances of the stars of a file."""

from stellarlabels.cli._common import check_output, load_system

__all__ = ["add", "run"]


def add(verbs):
    """Declare the verb and its arguments."""
    verb = verbs.add_parser("distance", help="distances of the stars of a file, from their XP spectra and parallaxes")
    verb.add_argument("input", nargs="+", help="tables with XP spectra, phot_g_mean_mag, and perhaps parallaxes")
    verb.add_argument("-o", "--output", required=True, help="file to write; the suffix decides on the format")
    verb.add_argument("--weights", default="apogee", help="shipped weights or a saved model (default: %(default)s)")
    verb.add_argument("--prior", choices=["modulus", "uniform", "density", "exponential"], help="prior of the distance")
    verb.add_argument("--no-parallax", action="store_true", help="do not use the parallaxes")
    verb.add_argument("--no-zero-point", action="store_true", help="the parallaxes are corrected for it already")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    verb.set_defaults(run=run)


def run(options):
    """Carry the verb out."""
    from stellarlabels import catalogs, columns
    from stellarlabels.corrections.parallax import correct_parallax
    from stellarlabels.inputs.xp import read_table

    check_output(options)
    system = load_system("uacsnet", options.weights)
    table = read_table(options.input)
    use_parallax = not options.no_parallax and columns.find(table, "parallax") is not None
    labels = system.predict(table)
    if use_parallax and not options.no_zero_point:
        corrected = correct_parallax(table)
        table[columns.find(table, "parallax")] = corrected["parallax_corrected"]
    out = system.distances(table, labels, prior=options.prior, use_parallax="auto" if use_parallax else False)
    catalogs.write(out, options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {len(out)} stars, {int((out['distance_flag'] == 0).sum())} without a flag")
