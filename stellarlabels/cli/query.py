"""``stellarlabels query``: get a sample of stars from an archive."""

from stellarlabels.cli.checks import check_output, names_of_systems, token_of

__all__ = ["add", "run"]

_DESCRIPTION = (
    "Send one of the queries that ship with the package to a TAP service, and write its result. What would be sent, "
    "and which parameters can be set, is told by --print."
)


def add(verb):
    """Declare the arguments."""
    verb.description = _DESCRIPTION
    verb.names = names_of_systems
    verb.add_argument("system", metavar="QUERY", help="name of a system or query ('list' shows them), or a file *.adql")
    verb.add_argument("--sample", choices=["train", "apply"], default="apply", help="which stars (%(default)s)")
    verb.add_argument("--release", help="Gaia release whose tables are read (default: that of the query)")
    verb.add_argument("--service", help="name or address of the service (default: the first of the query's)")
    verb.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter; repeat it"
    )
    verb.add_argument("--upload", metavar="TABLE", help="table of stars, of any length, for a query that wants one")
    verb.add_argument("--print", action="store_true", help="show what would be sent, and the parameters; send nothing")
    verb.add_argument("--sync", action="store_true", help="ask for an answer at once instead of a job")
    verb.add_argument("--chunk-rows", type=int, metavar="N", help="rows to upload at once (default: the service's)")
    verb.add_argument("--store", metavar="FOLDER", help="where parts of a long run are kept (default: in the cache)")
    verb.add_argument("--maxrec", type=int, metavar="N", help="most rows of the result (default: the service's)")
    verb.add_argument("--token-file", metavar="FILE", help="file with a token to log in with")
    verb.add_argument("-o", "--output", help="file to write; the suffix decides on the format")
    verb.add_argument("--overwrite", action="store_true", help="replace an existing output file")


def run(options):
    """Carry the verb out."""
    from stellarlabels import catalogs
    from stellarlabels.archive import TAP, queries
    from stellarlabels.exceptions import InputError
    from stellarlabels.inputs.xp import read_table

    if options.system == "list":
        for name in queries.available():
            query = queries.get(name)
            of_gaia = f"; {query.release}" if query.release else ""
            print(f"{name}: {query.title}\n    {', '.join(query.services)}{of_gaia}")
        return
    query = _query(options, queries)
    if options.release:
        query = query.for_release(options.release)
    if options.print:
        print("\n".join(_describe(query)))
    bound = query.bind(**_values(options.set))
    tap = TAP(options.service or query.services[0], token=token_of(options.token_file))
    table = read_table(options.upload) if options.upload else None
    if options.print:
        print(tap.dry_run(bound, upload=table, maxrec=options.maxrec, chunk_rows=options.chunk_rows))
        return
    if not options.output:
        raise InputError("output: give a file with -o, or --print")
    check_output(options)
    mode = "sync" if options.sync else "async"
    if table is None:
        out = getattr(tap, f"run_{mode}")(bound, maxrec=options.maxrec)
    else:
        settings = {"mode": mode, "chunk_rows": options.chunk_rows, "store": options.store, "maxrec": options.maxrec}
        out = tap.run_chunks(bound, table, **settings)
    if query.release:
        out.meta["release"] = query.release
    catalogs.write(out, options.output, overwrite=options.overwrite)
    doubts = f"; not confirmed: {', '.join(query.unconfirmed)}" if options.release and query.unconfirmed else ""
    print(f"wrote {options.output}: {len(out)} rows from {tap.name}{doubts}")


def _query(options, queries):
    """The query that is meant."""
    if options.system.endswith(".adql"):
        return queries.read(options.system)
    if options.system in queries.available():
        return queries.get(options.system)
    return queries.find(options.system, options.sample, service=options.service)


def _values(texts):
    """Parameters from NAME=VALUE."""
    from stellarlabels.exceptions import InputError

    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"set: expected NAME=VALUE, got {text!r}")
        values[name.strip()] = value.strip()
    return values


def _describe(query):
    """Comments that tell what the query is and what can be set."""
    yield f"-- {query.name}: {query.title}"
    if query.reference:
        yield f"-- {query.reference}"
    for name, parameter in query.parameters.items():
        default = "" if parameter.default is None else f"; default: {parameter.default}"
        yield f"-- --set {name}=...: {parameter.description}; {parameter.expected()}{default}"
    for note in (*query.notes, *(f"not confirmed: {name}" for name in query.unconfirmed)):
        yield f"-- {note}"
