"""``stellarlabels spectra``: get the spectra of stars from an archive."""

from stellarlabels.cli.checks import check_format, check_inputs, check_output, token_of
from stellarlabels.exceptions import InputError

__all__ = ["add", "run"]

_DESCRIPTION = (
    "Fetch the spectra of stars; the same command goes on where it was interrupted. From gaia: XP spectra, in requests "
    "of a few thousand whose replies are kept until all are there; the output has the columns of the table, and the "
    "spectra beside them, ready for 'stellarlabels label'. From lamost: the survey's files, each checked to be the "
    "spectrum that was asked for; the output is a folder, ready for 'stellarlabels label', too."
)


def add(verb):
    """Declare the arguments."""
    verb.description = _DESCRIPTION
    verb.add_argument("archive", choices=["gaia", "lamost"], help="where the spectra are")
    verb.add_argument(
        "stars",
        metavar="STARS",
        help="a table with source_id (LAMOST: obsid, or ra and dec), or a text file with one to a line",
    )
    verb.add_argument("-o", "--output", help="file to write, whose suffix decides on the format; for lamost a folder")
    verb.add_argument("--release", help="data release (default: Gaia DR3, LAMOST DR9 v2.0)")
    verb.add_argument("--plan", action="store_true", help="only say how many stars and requests it will be")
    verb.add_argument("--url", help="address of another server with the same service")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")
    gaia = verb.add_argument_group("gaia")
    gaia.add_argument("--continuous", action="store_true", help="coefficients with their errors, not samples")
    gaia.add_argument("--store", metavar="FOLDER", help="where replies are kept meanwhile (default: in the cache)")
    lamost = verb.add_argument_group("lamost")
    lamost.add_argument("--resolution", choices=["low", "medium"], default="low", help="(default: %(default)s)")
    lamost.add_argument("--token-file", metavar="FILE", help="file with the token of your login")
    lamost.add_argument("--workers", type=int, default=4, help="requests at the same time (default: %(default)s)")
    lamost.add_argument(
        "--interval", type=float, default=0.2, help="seconds between two requests, at least (default: %(default)s)"
    )


def run(options):
    """Carry the verb out."""
    check_inputs(options.stars)
    if not (options.plan or options.output):
        raise InputError("output: give a file with -o (for lamost a folder), or --plan")
    (_from_gaia if options.archive == "gaia" else _from_lamost)(options)


def _from_gaia(options):
    """Fetch XP spectra into a table."""
    if not options.plan:
        check_output(options)
        check_format(options.output)
    from stellarlabels.archive import datalink
    from stellarlabels.gather import identifiers_in

    kind, release = "continuous" if options.continuous else "sampled", options.release or "Gaia DR3"
    stars = identifiers_in(options.stars, "source_id")
    if options.plan:
        limit = datalink.product(kind, release).limit
        print(f"{len(stars):,} stars of {release} in {-(-len(stars) // limit):,} requests")
        return
    what = {"kind": kind, "release": release, "store": options.store, "url": options.url}
    spectra = datalink.xp_spectra(stars, sample=not options.continuous, **what)
    there = spectra.meta["datalink"]["spectra"]
    for name in stars.colnames:
        if name not in spectra.colnames:
            spectra[name] = stars[name]
    from stellarlabels import catalogs

    catalogs.write(spectra, options.output, overwrite=options.overwrite)
    print(f"wrote {options.output}: {len(spectra)} stars, {there} of them with a spectrum")


def _from_lamost(options):
    """Fetch files of spectra into a folder."""
    from stellarlabels.archive import lamost
    from stellarlabels.gather import identifiers_in

    stars = identifiers_in(options.stars, "obsid")
    if options.plan:
        least = len(stars) * options.interval / 60
        print(f"{len(stars):,} stars in as many requests, in {least:.0f} min at least")
        return
    names = ("resolution", "release", "url", "workers", "interval")
    how = {name: getattr(options, name) for name in names}
    _, paths = lamost.download(stars, options.output, token=token_of(options.token_file), progress=None, **how)
    there = sum(path is not None for path in paths)
    print(f"wrote {options.output}: {len(paths)} stars, {there} of them with a spectrum")
