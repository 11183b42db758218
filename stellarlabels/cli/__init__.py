"""The command line: a file per verb, and every verb is one public function."""

import argparse
import logging
import os
import sys
import traceback
from contextlib import contextmanager, nullcontext
from importlib import import_module

from stellarlabels import __version__
from stellarlabels.exceptions import StellarLabelsError

__all__ = ["main"]

#: Verbs in the order of the help text, and what each does; each is a module here with ``add`` and ``run``.
_VERBS = {
    "systems": "list the systems and the weights that ship with the package",
    "inspect": "tell what a model gives, what it was trained on, and where it holds",
    "demo": "label real stars that ship with the package and compare with a survey; needs no network",
    "query": "get the stars to train a system on, or to apply it to, from an archive",
    "spectra": "get the spectra of stars from an archive, ready to be labelled",
    "label": "label the stars of a file of any size, or of a HATS catalog",
    "samp": "label the tables that TOPCAT sends, and send them back",
    "distance": "distances of the stars of a file, from their spectra and parallaxes",
    "export": "write everything that is needed to publish a catalog",
    "validate": "print bias, scatter and whether errors are right of a catalog",
    "report": "write a report of a catalog: one page, and the same numbers as files",
    "train": "train a system on a table with inputs and labels",
    "distil": "make a system with few networks that says what one with many says, many times faster",
    "adapt": "carry a system over to another data release, with stars that have spectra in both",
}

_VERBOSE = "log what is done, also by libraries; show tracebacks of errors"

#: What keeps libraries from telling what no user of this one can use, unless the user has set it, or asks with -v.
_QUIET = {"DASK_LOGGING__DISTRIBUTED": "error"}


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
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = _parser(next((word for word in arguments if not word.startswith("-")), None))
    if not arguments:
        parser.print_help()
        return 0
    options, rest = parser.parse_known_args(arguments)
    if rest:  # files after options: a list that may be empty is taken to end before them
        if not hasattr(options, "input") or any(word.startswith("-") for word in rest):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        options.input = [*options.input, *rest]
    if options.verbose:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
    try:
        with nullcontext() if options.verbose else _quiet(), _listening(options.verbose):
            options.run(options)
    except StellarLabelsError as error:
        if options.verbose:
            traceback.print_exception(error)
        print(f"stellarlabels: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stellarlabels: interrupted", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """A parser whose help ends with names of the registries, which are looked up when somebody asks for it."""

    names = staticmethod(lambda: "")

    def format_help(self):
        """The text of the help."""
        self.epilog = self.names()
        return super().format_help()


def _parser(chosen):
    """A parser of all verbs, of which the chosen one only knows its arguments."""
    parser = _Parser(
        prog="stellarlabels", description="Teff, log g, [Fe/H], abundances and distances for millions of stars."
    )
    parser.add_argument("--version", action="version", version=f"stellarlabels {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help=_VERBOSE)
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    for name, text in _VERBS.items():
        verb = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == chosen:
            module = import_module(f"stellarlabels.cli.{name}")
            module.add(verb)
            verb.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS, help=_VERBOSE)
            verb.set_defaults(run=module.run)
    return parser


@contextmanager
def _listening(verbose):
    """Show what this library logs."""
    ours, handler = logging.getLogger("stellarlabels"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    ours.addHandler(handler)
    ours.setLevel(logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        ours.removeHandler(handler)


@contextmanager
def _quiet():
    """Let libraries tell errors only: by their loggers, their environment, and what they write past Python's stderr."""
    from stellarlabels.networks import ours_only

    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("tensorflow", "distributed"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with ours_only():
        yield
