"""Things by name that register themselves: systems, networks, losses, feature sets, readers, schemas, file formats.

There is one mechanism for all of them. What the package brings goes through the same door as what others add: a module
registers what it declares when it is imported. The modules of a room are imported when a name is asked for that is not
there yet, and so is what other packages announce in their entry points of the group ``stellarlabels.systems``:

.. code-block:: toml

    [project.entry-points."stellarlabels.systems"]
    skymapper = "my_package.skymapper"

Whatever the module ``my_package.skymapper`` registers is then known everywhere: in Python, on the command line, in
catalogs and in runs over large files.
"""

import logging
import pkgutil
from functools import cache
from importlib import import_module, metadata

from stellarlabels.exceptions import InputError

__all__ = ["ENTRY_POINTS", "Registry", "load_plugins"]

#: Group of entry points in which other packages announce modules that register something.
ENTRY_POINTS = "stellarlabels.systems"

_log = logging.getLogger(__name__)


class Registry:
    """Things of one kind, by name, in any case of letters.

    Parameters
    ----------
    kind : str
        What they are called in messages, for instance "system".
    within : str, optional
        Dotted name of the folder in which the package's own ones are declared. Its modules are imported when a name is
        asked for that is not there yet: the module of that name, or else all of them.

    Examples
    --------
    >>> from stellarlabels.registry import Registry
    >>> shapes = Registry("shape")
    >>> @shapes.register
    ... def square(size):
    ...     return size * size
    >>> shapes.get("Square")(3)
    9
    >>> shapes.get("circle")
    Traceback (most recent call last):
        ...
    stellarlabels.exceptions.InputError: no shape is called 'circle'; there are ['square']
    """

    def __init__(self, kind, within=None):
        self.kind, self._within, self._items = kind, within, {}

    def register(self, item, name=None):
        """Add something; as a decorator, too.

        Parameters
        ----------
        item : object
            A class, a function, or anything else.
        name : str, optional
            By default its ``name``, or else its ``__name__``.

        Returns
        -------
        object
            The item.

        Raises
        ------
        InputError
            If it has no name, or the name is that of another one. The same class or function, defined anew, takes the
            place of the old one.
        """
        name = name or getattr(item, "name", None) or getattr(item, "__name__", None)
        if not isinstance(name, str):
            raise InputError(f"{self.kind}: expected something with a name, got {item!r}")
        there = self._items.get(name.lower())
        if there is not None and _place(there) != _place(item):
            raise InputError(f"{self.kind} {name!r} is registered already, from {_place(there)}; choose another name")
        self._items[name.lower()] = item
        return item

    def get(self, name):
        """What is called ``name``.

        Raises
        ------
        InputError
            If there is none of that name; the message lists those there are.
        """
        key = str(name).lower()
        for load in (lambda: self._import_modules(key), self._import_modules, load_plugins):
            if key not in self._items:
                load()
        if key not in self._items:
            raise InputError(f"no {self.kind} is called {name!r}; there are {sorted(self._items)}{_failures()}")
        return self._items[key]

    def names(self):
        """All names, in alphabetical order (list of str)."""
        self._import_modules()
        load_plugins()
        return sorted(self._items)

    def values(self):
        """Whatever is registered, in the order of its names (list)."""
        return [self._items[name] for name in self.names()]

    def discard(self, name):
        """Forget what is called ``name``, if there is such a thing; for tests."""
        self._items.pop(str(name).lower(), None)

    def __contains__(self, name):
        try:
            self.get(name)
        except InputError:
            return False
        return True

    def _import_modules(self, only=None):
        """Import the package's own modules, or only the one of a name."""
        if self._within is None:
            return
        for module in pkgutil.walk_packages(import_module(self._within).__path__, f"{self._within}."):
            if only in (None, module.name.rpartition(".")[2]):
                import_module(module.name)


@cache
def load_plugins():
    """Import what other packages announce, once; what cannot be imported is logged and named in later errors.

    Returns
    -------
    dict of str to str
        Entry points that could not be imported, and why.
    """
    failed = {}
    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except Exception as error:  # somebody else's code may raise anything
            failed[f"{point.name} = {point.value}"] = f"{type(error).__name__}: {error}"
            _log.warning("the entry point %s cannot be imported: %s", point.name, error)
    return failed


def _failures():
    """What an error says of entry points that could not be imported."""
    return "".join(f"; {point} cannot be imported ({error})" for point, error in load_plugins().items())


def _place(item):
    """Where something was defined: the same for a class or a function that is defined anew."""
    name = getattr(item, "__qualname__", None)
    return f"{item.__module__}.{name}" if name else repr(item)
