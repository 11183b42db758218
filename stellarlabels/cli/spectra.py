"""``stellarlabels spectra``: get the spectra of stars from an archive."""

from stellarlabels.cli.checks import check_format, check_inputs, check_output
from stellarlabels.exceptions import InputError

__all__ = ["add", "run"]

_DESCRIPTION = (
    "Fetch the Gaia XP spectra of stars, in requests of a few thousand whose replies are kept until all are there: the "
    "same command goes on where it was interrupted. The output has the columns of the table, and the spectra beside "
    "them, ready for 'stellarlabels label'."
)


def add(verb):
    """Declare the arguments."""
    verb.description = _DESCRIPTION
    verb.add_argument("archive", choices=["gaia"], help="where the spectra are")
    verb.add_argument("stars", metavar="STARS", help="a table with source_id, or a text file with one to a line")
    verb.add_argument("-o", "--output", help="file to write; the suffix decides on the format")
    verb.add_argument("--continuous", action="store_true", help="coefficients with their errors, not samples")
    verb.add_argument("--release", default="Gaia DR3", help="data release (default: %(default)s)")
    verb.add_argument("--plan", action="store_true", help="only say how many stars and requests it will be")
    verb.add_argument("--store", metavar="FOLDER", help="where replies are kept meanwhile (default: in the cache)")
    verb.add_argument("--url", help="address of another server with the same service")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")


def run(options):
    """Carry the verb out."""
    check_inputs(options.stars)
    if not options.plan:
        if not options.output:
            raise InputError("output: give a file with -o, or --plan")
        check_output(options)
        check_format(options.output)
    from stellarlabels.archive import datalink
    from stellarlabels.gather import identifiers_in

    kind = "continuous" if options.continuous else "sampled"
    stars = identifiers_in(options.stars, "source_id")
    if options.plan:
        limit = datalink.product(kind, options.release).limit
        print(f"{len(stars):,} stars of {options.release} in {-(-len(stars) // limit):,} requests")
        return
    what = {"kind": kind, "release": options.release, "store": options.store, "url": options.url}
    spectra = datalink.xp_spectra(stars, sample=not options.continuous, **what)
    there = spectra.meta["datalink"]["spectra"]
    for name in stars.colnames:
        if name not in spectra.colnames:
            spectra[name] = stars[name]
    from stellarlabels import catalogs

    catalogs.write(spectra, options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {len(spectra)} stars, {there} of them with a spectrum")
