"""``stellarlabels samp``: label tables that TOPCAT, or any other program, sends, and send them back."""

from stellarlabels.cli.checks import load_system, names_of_systems

__all__ = ["add", "run"]

_DESCRIPTION = (
    "Register with the SAMP hub, as TOPCAT runs it, and wait: a table that is sent here (in TOPCAT: Interop > Send "
    "table to > stellarlabels) comes back with labels beside its columns. It needs no more than identifiers or "
    "positions: what stars lack and an archive has is fetched. Progress and errors are told to all programs that "
    "listen. Ctrl+C ends it."
)


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_systems
    verb.description = _DESCRIPTION
    verb.add_argument("system", nargs="?", default="uacsnet", metavar="SYSTEM", help="(default: %(default)s)")
    verb.add_argument("--weights", help="shipped weights, or the path of a saved model (default: the system's default)")
    verb.add_argument("--distances", action="store_true", help="add distances, for systems that have them")
    verb.add_argument("--offline", action="store_true", help="fetch nothing: label with what is in the tables")
    verb.add_argument("--service", metavar="URL", help="address of another TAP service")
    verb.add_argument("--url", help="address of another server of spectra")
    verb.add_argument("--name", default="stellarlabels", help="name in the menus of other programs (%(default)s)")
    verb.add_argument("--count", type=int, metavar="N", help="end after so many tables")


def run(options):
    """Carry the verb out."""
    from stellarlabels import gather
    from stellarlabels.archive import samp

    system = load_system(options.system, options.weights)
    archives = gather.Archives(service=options.service, spectra=options.url)

    def handle(table, tell):
        def told(text, percent=0):
            print(text, flush=True)
            tell(text, percent)

        kept = [name for name in table.colnames if table[name].ndim == 1]
        what = {"keep": kept, "distances": options.distances, "offline": options.offline}
        return system.label(table, archives=archives, tell=told, progress=False, **what)

    def started():
        print(f"{system.name} waits for tables as {options.name!r}; Ctrl+C ends it", flush=True)

    samp.serve(handle, count=options.count, name=options.name, started=started)
