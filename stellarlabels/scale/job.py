"""What is computed of each table of stars, whoever divides the stars into tables."""

import hashlib
import tempfile
import time
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from stellarlabels import __version__, columns
from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.scale.sources import IDENTITY
from stellarlabels.validation import Verdicts

__all__ = ["Failure", "Job", "Order", "Summary", "restored", "saved", "told_once"]


@dataclass(frozen=True)
class Order:
    """The kind of the result: options of `label_file`."""

    catalog: bool = False
    distances: bool | dict = False
    zero_point: bool = True
    keep: tuple = ()
    release: str | None = None
    strict: bool = False

    def to_dict(self):
        """The order as plain values for a JSON file."""
        return {**asdict(self), "keep": list(self.keep)}


@dataclass(frozen=True)
class Failure:
    """A part that could not be labelled.

    Parameters
    ----------
    where : str
        The file and the part in it.
    stars : int
        Number of stars that are lost; 0 if it is not known, because the file could not be read.
    error : str
        The reason.
    """

    where: str
    stars: int
    error: str


@dataclass(frozen=True)
class Summary:
    """What a run has done.

    Parameters
    ----------
    stars : int
        Rows of the result.
    good : int or None
        Labels that are good; None for a catalog in nothing but the published columns, which has flags of its own.
    labels : int
        All labels, distances among them: stars times labels of a star.
    parts, resumed : int
        Number of parts, and how many of them an earlier run had made.
    failures : tuple of Failure
        Parts whose labels are masked because they could not be computed.
    seconds : float
    verdicts : ``stellarlabels.validation.Verdicts`` or None
        How many of each label are good, and which flags took the others; None as for ``good``.
    unfilled : dict of str to str
        Columns of a published catalog that are masked in all rows, and why.
    """

    stars: int
    good: int
    labels: int
    parts: int
    resumed: int
    failures: tuple
    seconds: float
    verdicts: Verdicts | None = None
    unfilled: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A trained system and what it is to give."""

    system: object
    order: Order = Order()

    def __post_init__(self):
        if not self.system.provenance_:
            raise NotFittedError(f"{self.system.name}: train it with fit(), or take it from pretrained() or load()")
        if self.order.distances and not hasattr(self.system, "distances"):
            raise InputError(f"distances: {self.system.name} has none")
        if self.order.catalog and self.order.distances:
            raise InputError("distances: the columns of a published catalog are fixed; ask for one of the two")
        labels = [*self.system.labels, *(["distance"] if self.order.distances else [])]
        own = {f"{label}{end}" for label in labels for end in ("", "_err", "_flag", "_good")}
        if taken := [name for name in self.order.keep if name in own]:
            raise InputError(f"keep: {', '.join(taken)} of the input would be taken for labels; rename it in the input")

    @property
    def schema(self):
        """Name of the schema of the result, as arguments of functions: none or one."""
        return (self.system.name,) if self.order.catalog else ()

    def summary(self, stars, verdicts, *, parts, begun, resumed=0, failures=(), unfilled=None):
        """The `Summary` of so many stars that were labelled since the time ``begun``."""
        labels, good = stars * len(verdicts.of or self.system.labels), verdicts.good if verdicts.of else None
        seconds = time.monotonic() - begun
        verdicts = verdicts if verdicts.of else None
        return Summary(stars, good, labels, parts, resumed, failures, seconds, verdicts, unfilled or {})

    def __call__(self, table):
        """The result for a table of stars, with as many rows in the same order."""
        release = {} if self.order.release is None else {"release": self.order.release}
        labels = self.system.predict(table, progress=False, **release)
        if self.order.catalog:
            return self.system.catalog(table, labels, strict=self.order.strict)
        out = StarTable(labels, copy=False)
        if self.order.distances:
            how = self.order.distances if isinstance(self.order.distances, dict) else {}
            found = self.system.distances(table, labels, zero_point=self.order.zero_point, **release, **how)
            for name in found.colnames:
                if name not in out.colnames:
                    out[name] = found[name]
        return _with_kept(out, table, self.order.keep)


def _with_kept(labels, table, keep):
    """Columns of the input behind the identifier and before the labels."""
    if not keep:
        return labels
    missing = [name for name in keep if name not in table.colnames and name not in IDENTITY]
    if missing:
        raise InputError(f"keep: the input has no column {', '.join(missing)}; it has {', '.join(table.colnames)}")
    key = columns.identifier(labels)
    first = [] if key is None else [key]
    kept = [name for name in keep if name in table.colnames and name not in labels.colnames]
    out = StarTable(meta=labels.meta)
    for name in first:
        out[name] = labels[name]
    for name in kept:
        out[name] = table[name]
    for name in labels.colnames:
        if name not in first:
            out[name] = labels[name]
    return out


def saved(system):
    """A system as bytes of its file, and the SHA-256 of class, weights and version, which tells it from others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "system"
        system.save(path)
        content = path.read_bytes()
    text = f"{type(system).__module__}.{type(system).__qualname__} {__version__} {system.weights_} "
    return content, hashlib.sha256(text.encode() + content).hexdigest()


@lru_cache(maxsize=4)
def restored(kind, path, weights, digest):
    """A system from the file of what `saved` gave, loaded once in each process; another digest is another system."""
    system = kind.load(path)
    system.weights_ = weights
    return system


@contextmanager
def told_once():
    """A context in which the same warning of several parts of a run is told once."""
    told = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_new(message, category, *where, **more):
            if (category, str(message)) not in told:
                told.add((category, str(message)))
                show(message, category, *where, **more)

        warnings.showwarning = show_new
        yield
