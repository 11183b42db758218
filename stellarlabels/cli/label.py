"""``stellarlabels label``: label the stars of a file, or of a catalog that is spread over the sky."""

from pathlib import Path

from stellarlabels.cli.checks import (
    check_distances,
    check_format,
    check_inputs,
    check_networks,
    check_numbers,
    check_output,
    load_system,
    names_of_systems,
    paths_of,
    token_of,
)
from stellarlabels.exceptions import InputError

__all__ = ["add", "run", "show"]

_INPUT = (
    "FITS, VOTable, Parquet, ECSV or CSV tables, Gaia XP files, LAMOST spectra, a folder of these, that of a HATS "
    "catalog, a pattern in quotes, or @FILE with one such path to a line"
)


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_systems
    verb.add_argument("system", metavar="SYSTEM", help="name of a system")
    verb.add_argument("input", nargs="*", metavar="INPUT", help=_INPUT)
    _add_stars(verb)
    verb.add_argument(
        "-o", "--output", required=True, help="file to write; the suffix decides on the format (with Dask a folder)"
    )
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--networks", type=int, help="use only so many networks of an ensemble: faster, less precise")
    verb.add_argument(
        "--catalog",
        action="store_true",
        help="write the published catalog's columns first, then all other labels",
    )
    verb.add_argument(
        "--strict", action="store_true", help="with --catalog: leave out what the published catalog does not have"
    )
    verb.add_argument("--distances", action="store_true", help="add distances, for systems that have them")
    verb.add_argument("--no-zero-point", action="store_true", help="parallaxes are corrected for it already")
    verb.add_argument(
        "--release",
        help="Gaia release of the stars, where they do not tell it; 'ignore' labels those of another than the weights' "
        "all the same, with the flag OTHER_RELEASE",
    )
    verb.add_argument("--keep", nargs="+", default=[], metavar="COLUMN", help="columns of the input to take over")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output")
    verb.add_argument("--to-topcat", action="store_true", help="also show the result in a running TOPCAT")
    verb.add_argument("--plan", action="store_true", help="only say what it will take, measured on a few stars")
    long = verb.add_argument_group("long runs", "An interrupted run goes on when the same command is given again.")
    long.add_argument("--restart", action="store_true", help="throw away what an interrupted run has done")
    long.add_argument("--rows", type=int, help="stars of a part (default: about 30 MB of them)")
    long.add_argument(
        "--errors", choices=["raise", "mask"], default="raise", help="what to do about parts that cannot be labelled"
    )
    long.add_argument(
        "--readers", type=int, default=1, help="processes that read LAMOST spectra (default: %(default)s)"
    )
    dask = verb.add_argument_group("Dask", "The input is the folder of a HATS catalog, and so is the output.")
    dask.add_argument("--engine", choices=["local", "dask"], default="local", help="(default: %(default)s)")
    dask.add_argument("--workers", type=int, help="processes of a cluster on this machine (default: one for each core)")
    dask.add_argument("--scheduler", help="address of a running cluster, for instance tcp://10.0.0.1:8786")
    dask.add_argument("--memory", default="auto", help="memory of each process on this machine, for instance 4GB")
    dask.add_argument("--match", metavar="CATALOG", help="HATS catalog whose columns are joined to the input by LSDB")
    dask.add_argument("--radius", type=float, default=1.0, help="arcsec, for --match (default: %(default)s)")


def _add_stars(verb):
    """Declare the arguments for stars of which archives have the inputs."""
    stars = verb.add_argument_group(
        "stars without spectra",
        "What they lack and an archive has is fetched: for stars of an INPUT with identifiers or positions only, and "
        "for those that are given here instead of it. The same command goes on where it was interrupted.",
    )
    stars.add_argument("--region", metavar="RA,DEC,R", help="stars in a cone, degrees; or 'all'")
    stars.add_argument("--ids", metavar="FILE", help="source_id (LAMOST: obsid), one to a line, or in a table")
    stars.add_argument("--query", metavar="FILE.adql", help="stars that a query of your own gives")
    stars.add_argument("--limit", type=int, metavar="N", help="at most so many stars of the region")
    stars.add_argument("--yes", action="store_true", help="stars of the whole sky, without a limit, are meant")
    stars.add_argument("--offline", action="store_true", help="fetch nothing: label with what is in the input")
    stars.add_argument("--fetch", action="store_true", help="fetch what is lacking also for stars that have spectra")
    stars.add_argument("--service", metavar="URL", help="address of another TAP service")
    stars.add_argument("--url", help="address of another server of spectra")
    stars.add_argument("--token-file", metavar="FILE", help="file with a token to log in with")


def run(options):
    """Carry the verb out."""
    paths = paths_of(options.input)
    choice = _choice(options, paths)
    dask = options.engine == "dask"
    if options.strict and not options.catalog:
        raise InputError("strict: it is about the columns of a published catalog; give --catalog, too, or leave it out")
    if dask and (len(paths) != 1 or options.catalog):
        raise InputError("engine: Dask takes one HATS catalog, and gives labels, not the columns of --catalog")
    if dask and not Path(paths[0]).is_dir():
        raise InputError(f"engine: Dask takes the folder of a HATS catalog; {paths[0]} is none, leave --engine out")
    if not options.plan:
        check_output(options)
        if not dask:
            check_format(options.output)
    _check_values(options, choice)
    seen = not (choice or dask) and (options.keep or not options.offline)
    first = _first_star(paths, options) if seen else None
    system = load_system(options.system, options.weights)
    if options.networks is not None:
        system = system.fewer(options.networks)
    what = {"distances": options.distances, "zero_point": not options.no_zero_point, "keep": options.keep}
    what |= {"release": options.release}
    choice = choice or _without_inputs(system, paths, first, options)
    if choice is not None:
        _on_archives(system, choice, options, what)
    elif options.plan:
        _plan(system, paths, options, what)
    else:
        what |= {"restart": options.restart, "overwrite": options.overwrite}
        show((_on_dask if dask else _on_files)(system, paths, options, what), options.output)
    if options.to_topcat and not options.plan:
        _show_in_topcat(options.output)


def _check_values(options, choice):
    """Refuse values of options that cannot be right, before anything heavy is loaded."""
    from stellarlabels import releases, systems

    check_numbers(options, "rows", "readers", "networks", "workers", "limit")
    _check_use(options)
    cls = systems.get(options.system)
    if options.distances:
        check_distances(cls.name)
    if options.release not in (None, "ignore"):
        releases.get(options.release)
    token_of(options.token_file)
    if options.networks is not None:
        check_networks(options.system, options.weights, options.networks)
    if choice is not None and cls.supply is not None:
        choice.bound(cls.supply, None)
        if not (options.yes or options.plan):
            choice.check_size(cls.supply, None)


def _check_use(options):
    """Refuse options that would do nothing with the others."""
    if options.limit is not None and options.region is None:
        raise InputError("limit: it is about the stars of a --region; leave it out")
    if options.catalog and options.keep:
        raise InputError("keep: the columns of --catalog are fixed; ask for one of the two")
    names = ("scheduler", "match") if options.plan else ("workers", "scheduler", "match")
    unused = [name for name in names if getattr(options, name) is not None and options.engine != "dask"]
    if unused:
        raise InputError(f"{unused[0]}: it is about Dask; give --engine dask, too, or leave it out")


def _show_in_topcat(output):
    """Send the result to TOPCAT."""
    from stellarlabels import catalogs, send_to_topcat

    send_to_topcat(catalogs.read(output), name=Path(output).name)
    print(f"TOPCAT shows {output}")


def _choice(options, paths):
    """The stars that are given instead of an input; None if there is an input."""
    given = {name: getattr(options, name) for name in ("region", "ids", "query") if getattr(options, name) is not None}
    if bool(paths) + len(given) != 1:
        raise InputError("input: give either files, or one of --region, --ids and --query")
    if not given:
        return None
    if options.offline or options.engine == "dask":
        raise InputError(f"{next(iter(given))}: these stars have to be fetched, which --offline and Dask do not do")
    check_inputs(*(given[name] for name in ("ids", "query") if name in given))
    from stellarlabels.gather import Choice

    return Choice(**given, limit=options.limit)


def _first_star(paths, options):
    """The first star of an input that may be completed; None of one that cannot be read, or of files of spectra."""
    from stellarlabels import columns
    from stellarlabels.scale.sources import open_source

    source = open_source(paths)
    _, first = next(iter(source.parts(1)))
    if isinstance(first, Exception):
        return None
    there = {*first.colnames, *source.identity, *(item.name for item in columns.vocabulary())}
    missing = [name for name in options.keep if name not in there]
    if missing:
        raise InputError(f"keep: the input has no column {', '.join(missing)}; it has {', '.join(first.colnames)}")
    return first if options.fetch or not source.identity else None


def _without_inputs(system, paths, first, options):
    """The stars of an input that lacks what the system needs, or is to be completed; None if it can be labelled."""
    if first is None or options.offline or system.supply is None:
        return None
    from stellarlabels import gather
    from stellarlabels.inputs.xp import read_table

    return gather.Choice(table=read_table(paths)) if options.fetch or gather.lacks(system, first) else None


def _on_archives(system, choice, options, what):
    """Fetch what stars lack, and label them."""
    import shutil

    from stellarlabels import gather
    from stellarlabels.scale.labelling import label_file

    token = token_of(options.token_file)
    tokens = {"token" if system.supply and system.supply.key == "source_id" else "spectra_token": token}
    archives = gather.Archives(service=options.service, spectra=options.url, **tokens)
    if options.plan:
        print(gather.plan(system, choice, archives=archives, distances=options.distances))
        return
    folder = f"{options.output}.fetched"
    how = {"archives": archives, "distances": options.distances, "yes": options.yes, "restart": options.restart}
    parts = gather.gather(system, folder, choice, **how)
    what["keep"] = [*gather.kept_of(parts[0]), *what["keep"]]
    own = {name: getattr(options, name) for name in ("catalog", "strict", "rows", "errors")}
    long = {"restart": options.restart, "overwrite": options.overwrite}
    show(label_file(system, [str(path) for path in parts], options.output, **own, **long, **what), options.output)
    shutil.rmtree(folder)


def _plan(system, paths, options, what):
    """Say what a run will take."""
    from stellarlabels.scale.labelling import plan

    print(plan(system, paths, catalog=options.catalog, rows=options.rows, workers=options.workers or 1, **what))


def _on_files(system, paths, options, what):
    """Label files in this process."""
    from stellarlabels.scale.labelling import label_file

    own = {
        "catalog": options.catalog,
        "strict": options.strict,
        "rows": options.rows,
        "errors": options.errors,
        "workers": options.readers,
    }
    return label_file(system, paths, options.output, **own, **what)


def _on_dask(system, paths, options, what):
    """Label a HATS catalog on a cluster."""
    from stellarlabels import scale

    source = scale.open_lsdb(paths[0])
    if options.match:
        source = scale.matched(source, options.match, radius=options.radius)
    cluster = {"workers": options.workers, "scheduler": options.scheduler, "memory_limit": options.memory}
    return scale.label_catalog(system, source, options.output, **cluster, **what)


def show(done, output):
    """Print what a run has done."""
    good = "" if done.good is None else f", {done.good} of {done.labels} labels are good"
    print(f"wrote {output}: {done.stars} stars{good}")
    if done.verdicts is not None and done.stars:
        print(done.verdicts)
    for name, reason in done.unfilled.items():
        print(f"{name} is empty: {reason}")
    for failure in done.failures:
        print(f"not labelled: {failure.where}, {failure.stars} stars: {failure.error}")
