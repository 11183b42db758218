"""``stellarlabels demo``: label stars that ship with the package."""

import argparse

from stellarlabels.cli.checks import names_of_systems

__all__ = ["add", "run"]

_NEXT = """
Open {folder}/kiel.png, or load {folder}/labels.vot into TOPCAT. Then, with stars of your own:
    stellarlabels label {system} YOUR_FILE -o labels.vot       in Python: {cls}.pretrained().predict("YOUR_FILE")
    stellarlabels label {system} --ids IDS.txt -o labels.vot   of stars of which you have identifiers only
    stellarlabels inspect {system}                             what these labels are good for
    stellarlabels systems                                      all systems, what they need and what they give"""


def add(verb):
    """Declare the arguments."""
    verb.names = names_of_systems
    verb.add_argument("chosen", nargs="?", metavar="SYSTEM", help="name of a system (default: uacsnet)")
    verb.add_argument("-o", "--output", default="stellarlabels-demo", help="folder for the files (%(default)s)")
    verb.add_argument("--system", default="uacsnet", help=argparse.SUPPRESS)
    verb.add_argument("--weights", help="shipped weights to use (default: the system's default)")


def run(options):
    """Carry the verb out."""
    from stellarlabels import demo, systems

    cls = systems.get(options.chosen or options.system)
    summary, files = demo.run(options.output, system=cls.name, weights=options.weights)
    about = summary.meta
    print(f"{cls.name} on {about['stars']} {about['sample']}, against {about['against']}:")
    print("\n".join(summary.pformat(max_lines=-1, max_width=-1)))
    print(about["verdicts"])
    for path in files.values():
        print(f"wrote {path}")
    print(_NEXT.format(folder=options.output, system=cls.name, cls=cls.__name__))
