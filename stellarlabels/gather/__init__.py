"""From a list of stars to their labels: what a table lacks and an archive has is fetched, and kept until all is done.

Stars are those of a region of the sky, of a list of identifiers, of a query, or of a table. A system declares in a
`Supply` where its inputs come from: queries of the archives (``stellarlabels.archive.queries``) and spectra. `labels`
gives labels, `gather` the files with the inputs, for as many stars as there are, `plan` says beforehand what it takes.
A run that was interrupted goes on where it was.
"""

from importlib import import_module

#: Names, and the module here that each is in: declaring a `Supply` imports nothing else.
_WHERE = {
    "Archives": "supply",
    "Choice": "choice",
    "Supply": "supply",
    "gather": "run",
    "identifiers_in": "choice",
    "kept_of": "run",
    "labelled": "run",
    "labels": "run",
    "lacks": "supply",
    "plan": "run",
}

__all__ = ["Archives", "Supply"]


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__():
    return sorted(_WHERE)
