"""A cut, and a paper's set of cuts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from stellarlabels import flags
from stellarlabels.exceptions import InputError
from stellarlabels.tables.quality.conditions import both, negation


@dataclass(frozen=True)
class Cut:
    """One question to a star, with its source.

    Cuts combine with ``&``, ``|`` and ``~``. What is unknown stays unknown, unless the known part decides.

    Parameters
    ----------
    name : str
        Short name; in capitals, that of its flag.
    description : str
        What a star that passes is, in words.
    source : str
        Paper and section.
    function : callable
        Takes a table of N rows, returns two bool arrays of shape (N,): passed, and defined. Where not defined, the
        first is ignored. See `stellarlabels.tables.quality.conditions` for ready-made ones.
    release : str
        Data release that the cut was made for, if it makes sense with that one only.
    """

    name: str
    description: str
    source: str
    function: Callable = field(repr=False)
    release: str = ""

    def __call__(self, table):
        """Judge the stars of a table.

        Parameters
        ----------
        table : `~astropy.table.Table`

        Returns
        -------
        passed, defined : `~numpy.ndarray` of bool, shape (N,)
            A star that is not defined has not passed either.

        Raises
        ------
        InputError
            If the function does not return two bool arrays of the table's length.
        """
        passed, defined = (np.asarray(answer) for answer in self.function(table))
        for answer in (passed, defined):
            if answer.dtype != bool or answer.shape != (len(table),):
                raise InputError(
                    f"cut {self.name!r}: expected bool arrays of shape ({len(table)},), got {answer.dtype} of shape "
                    f"{answer.shape}"
                )
        return passed & defined, defined

    def __and__(self, other):
        return _combined(self, other, "and", lambda table: both(self(table), other(table)))

    def __or__(self, other):
        return _combined(self, other, "or", lambda table: negation(both(negation(self(table)), negation(other(table)))))

    def __invert__(self):
        return replace(
            self,
            name=f"not_{self.name}",
            description=f"not: {self.description}",
            function=lambda table: negation(self(table)),
        )


def _combined(one, other, word, function):
    """The cut of two cuts."""
    if not isinstance(other, Cut):
        raise InputError(f"cut {one.name!r} {word}: expected another Cut, got {type(other).__name__}")
    return Cut(
        name=f"{one.name}_{word}_{other.name}",
        description=f"({one.description}) {word} ({other.description})",
        source="; ".join(dict.fromkeys((one.source, other.source))),
        function=function,
        release="; ".join(dict.fromkeys(filter(None, (one.release, other.release)))),
    )


class CutSet:
    """The cuts of one paper, and a selection of them in the paper's order.

    The bit of each cut in the flag columns is its place among all cuts of the paper, whatever the selection.

    Parameters
    ----------
    name : str
    cuts : iterable of `Cut`
        At most 31.
    selections : dict of str to list of str
        Names of the cuts of each of the paper's samples; the first one is the default.
    description, reference : str
    notes : list of str
        What the paper leaves open, and what was assumed.
    chosen : str, optional
        Name of the selection.

    Raises
    ------
    InputError
        If a name is used twice, if there are too many cuts, or if there is no such selection.
    """

    def __init__(self, name, cuts, selections=None, *, description="", reference="", notes=(), chosen=None):
        self.name, cuts = name, list(cuts)
        self.cuts = {cut.name: cut for cut in cuts}
        self.selections = dict(selections or {"all": list(self.cuts)})
        self.description, self.reference, self.notes = description, reference, list(notes)
        self.flag_set = flags.FlagSet(
            f"quality_{name}",
            f"quality_flag and quality_undefined with the cuts {name!r}: {description or 'the cuts given'}",
            [(cut.name.upper(), f"Fails, or cannot be judged by: {cut.description}") for cut in cuts],
        )
        self.chosen = next(iter(self.selections)) if chosen is None else chosen
        if self.chosen not in self.selections:
            raise InputError(f"selection: {name!r} has {list(self.selections)}, got {self.chosen!r}")
        unknown = [item for item in self.selections[self.chosen] if item not in self.cuts]
        if unknown:
            raise InputError(f"selection {self.chosen!r} of {name!r}: there is no cut {unknown[0]!r}")

    def __iter__(self):
        """The cuts of the chosen selection, in order."""
        return (self.cuts[name] for name in self.selections[self.chosen])

    def __len__(self):
        return len(self.selections[self.chosen])

    def __getitem__(self, name):
        """Any cut of the paper by name."""
        try:
            return self.cuts[name]
        except KeyError:
            raise InputError(f"{self.name!r} has no cut {name!r}; it has {list(self.cuts)}") from None

    def __repr__(self):
        return f"<CutSet {self.name!r}, {self.chosen!r}: {', '.join(cut.name for cut in self)}>"

    def select(self, selection):
        """The same set with another of its selections."""
        return self._with(chosen=selection)

    def only(self, *names):
        """The same set with just these cuts, in this order; bits stay the same."""
        for name in names:
            self[name]
        return self._with(selections={**self.selections, "only": list(names)}, chosen="only")

    def replace(self, *cuts):
        """The same set with other cuts in the place of those of the same names (another limit, say)."""
        for cut in cuts:
            self[cut.name]
        return self._with(cuts=[{new.name: new for new in cuts}.get(name, cut) for name, cut in self.cuts.items()])

    def _with(self, **changes):
        settings = {
            "cuts": self.cuts.values(),
            "selections": self.selections,
            "description": self.description,
            "reference": self.reference,
            "notes": self.notes,
            "chosen": self.chosen,
        }
        return CutSet(self.name, **(settings | changes))
