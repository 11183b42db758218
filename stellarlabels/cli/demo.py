"""``stellarlabels demo``: label real stars that ship with the package."""

__all__ = ["add", "run"]


def add(verb):
    """Declare the arguments."""
    verb.add_argument("-o", "--output", default="stellarlabels-demo", help="folder for the files (%(default)s)")
    verb.add_argument("--system", default="uacsnet", help="system (default: %(default)s)")
    verb.add_argument("--weights", help="shipped weights to use (default: the system's default)")


def run(options):
    """Carry the verb out."""
    from stellarlabels import demo

    summary, files = demo.run(options.output, system=options.system, weights=options.weights)
    print(f"{options.system} on {max(summary['stars'])} held-out stars, against APOGEE DR17:")
    print("\n".join(summary.pformat(max_lines=-1, max_width=-1)))
    for path in files.values():
        print(f"wrote {path}")
