"""The command line: a file per verb, and every verb is one public function."""

import argparse
import logging
import sys
from importlib import import_module

from stellarlabels import __version__
from stellarlabels.exceptions import StellarLabelsError

__all__ = ["main"]

#: Verbs in the order of the help text; each is a module here with ``add(verbs)`` and ``run(options)``.
_VERBS = ("systems", "demo", "query", "label", "distance", "export", "validate", "report", "train")


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
    for name in _VERBS:
        import_module(f"stellarlabels.cli.{name}").add(verbs)
    return parser
