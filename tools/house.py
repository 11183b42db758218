"""Measures the house: its faces, what is inside, the imports between rooms, and lengths of files and functions.

A *face* is what others see: the ``__init__`` of a room or of a folder in it, a module beside the rooms, and a module
that a face hands out by name. What a face names in its ``__all__`` is public: documented in full, and in the reference.
Beyond that, what an ``__init__`` imports under its own name (``import x as x``, or by its ``_LAZY``) is lent to other
rooms. All the rest is inside. Run it for a table of all rooms, or
with names of rooms for what is to be done there; ``tests/test_package.py`` holds the house to the rules.
"""

import ast
import inspect
import pkgutil
import sys
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import stellarlabels

PACKAGE = Path(stellarlabels.__file__).parent
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "stellarlabels.")
    if not module.name.endswith("__main__")
)
#: Rooms in the order in which a table walks through them, between the modules that all may use and those that use all.
WALK = (
    ("exceptions", "flags", "flagset", "packaged", "registry", "releases", "runs", "threads"),
    ("columns",),
    ("schema",),
    ("files",),
    ("tables",),
    ("corrections",),
    ("inputs",),
    ("features",),
    ("archive",),
    ("networks",),
    ("labels",),
    ("distances",),
    ("catalogs",),
    ("validation",),
    ("analysis",),
    ("plots",),
    ("report",),
    ("scale",),
    ("gather",),
    ("systems",),
    ("demo",),
    ("cli",),
    ("__main__",),
)
#: Rooms whose names are older ones of others.
OLD_NAMES = ("archive.readers", "archive.sample", "features", "schema")
#: Private names that libraries make public: of named tuples.
NAMED_TUPLE = {"_asdict", "_fields", "_make", "_replace"}


def room_of(module):
    """Second part of a dotted name; empty for the package itself."""
    return (module.split(".") + [""])[1]


def path_of(module):
    """The file of a module."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def is_in_room(module):
    """Whether a module is in a folder, and not one of those beside the rooms; so is the package itself."""
    return path_of(module).parent != PACKAGE or module == "stellarlabels"


@cache
def source(module):
    """Syntax tree of a module."""
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


@cache
def faces():
    """Names that each face hands out, without modules that are faces themselves: dict of str to list of str."""
    out = {}

    def add(name):
        module = import_module(name)
        if name in out or not hasattr(module, "__all__"):
            return
        out[name] = []
        for public in module.__all__:
            if f"{name}.{public}" in MODULES and inspect.ismodule(getattr(module, public)):
                add(f"{name}.{public}")
            elif not public.startswith("__"):
                out[name].append(public)

    for name in ["stellarlabels", *MODULES]:
        if path_of(name).name == "__init__.py" or name.count(".") == 1:
            add(name)
    return out


@cache
def handed_out():
    """Public objects by where they are defined, "module:qualified name"; constants by the face, "face:name"."""
    out = {}
    old = tuple(f"stellarlabels.{name}" for name in OLD_NAMES)
    for face, names in sorted(faces().items(), key=lambda item: item[0].startswith(old)):
        for name in names:
            value = getattr(import_module(face), name)
            is_ours = inspect.isclass(value) or inspect.isfunction(value)
            key = f"{value.__module__}:{value.__qualname__}" if is_ours else f"{face}:{name}"
            out.setdefault(key, f"{face}.{name}")
    return out


@cache
def lent(face):
    """Names that the ``__init__`` of a face hands to other rooms, and that are not public."""
    out = {name for where in ("_LAZY", "_WHERE") for name in getattr(import_module(face), where, ())}
    for node in source(face).body:
        if isinstance(node, ast.ImportFrom):
            out |= {alias.asname for alias in node.names if alias.asname}
    return out - set(faces().get(face, ()))


def imports(module):
    """What a module imports of the package: (dotted name of a module, name taken from it or None, name bound)."""
    for node in ast.walk(source(module)):
        if isinstance(node, ast.Import):
            found = [(alias.name, None, alias.asname) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = [(node.module, alias.name, alias.asname or alias.name) for alias in node.names]
        else:
            continue
        yield from (item for item in found if item[0].split(".")[0] == "stellarlabels")


def inner_imports(module):
    """Names that a module takes from the inside of other rooms."""
    here, bound = room_of(module), {}
    for base, name, alias in imports(module):
        full = base if name is None else f"{base}.{name}"
        if room_of(full) in (here, "") or base == "stellarlabels" and name in faces()["stellarlabels"]:
            continue
        if full in faces():
            bound[alias] = full
        elif (
            base in faces()
            and name not in {*import_module(base).__all__, *lent(base)}
            or base not in faces()
            and base.rpartition(".")[2] not in lent(base.rpartition(".")[0])
        ):
            yield full
    for node in ast.walk(source(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            face = bound[node.value.id]
            shown = {*import_module(face).__all__, *lent(face)}
            if node.attr not in shown and not node.attr.startswith("__"):
                yield f"{face}.{node.attr}"


@cache
def private_names(room):
    """All private names that the modules of a room define or assign: functions, classes, variables, attributes."""
    out = set()
    for module in MODULES:
        if room_of(module) != room:
            continue
        for node in ast.walk(source(module)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                out.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                out.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                out.add(node.id)
    return {name for name in out if name.startswith("_")}


def foreign_privates(module):
    """Private attributes that a module asks of objects, and that nothing in its room defines: (line, name)."""
    own = private_names(room_of(module)) | NAMED_TUPLE
    for node in ast.walk(source(module)):
        if not isinstance(node, ast.Attribute) or node.attr.startswith("__"):
            continue
        if node.attr.startswith("_") and node.attr not in own:
            yield f"{module}:{node.lineno} .{node.attr}"


def overridden_privates(module):
    """Private methods of classes of other rooms that the classes of a module override."""
    for value in vars(import_module(module)).values():
        if not inspect.isclass(value) or value.__module__ != module:
            continue
        for base in value.__mro__[1:]:
            if base.__module__.startswith("stellarlabels.") and room_of(base.__module__) != room_of(module):
                shared = {name for name in vars(value) if name.startswith("_") and not name.startswith("__")}
                shared &= {name for name, member in vars(base).items() if hasattr(member, "__get__")}
                yield from (f"{module}.{value.__name__}.{name}" for name in sorted(shared))


@cache
def bases_of_public_classes():
    """What public classes inherit their methods from, in this package: set of "module:name"."""
    found = set()
    for inner in handed_out():
        module, _, name = inner.partition(":")
        value = getattr(import_module(module), name, None)
        if isinstance(value, type):
            found |= {f"{base.__module__}:{base.__qualname__}" for base in value.__mro__[1:]}
    return {name for name in found if name.startswith("stellarlabels.")}


def definitions(module):
    """Functions and classes of a module: (qualified name, node, whether a face hands it or its class out)."""

    def walk(node, prefix, is_public):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                name = f"{prefix}{child.name}"
                is_shown = not child.name.startswith("_") or child.name.endswith("__")
                own = f"{module}:{name}" in {*handed_out(), *bases_of_public_classes()} or is_public and is_shown
                yield name, child, own
                yield from walk(child, f"{name}.", own and isinstance(child, ast.ClassDef))
            else:
                yield from walk(child, prefix, is_public)

    yield from walk(source(module), "", False)


def docstring_lines(node):
    """Lines that the docstring of a definition takes."""
    first = node.body[0]
    return first.end_lineno - first.lineno + 1 if ast.get_docstring(node, clean=False) is not None else 0


def long_functions(module, limit=60):
    """Functions of more than ``limit`` lines without the docstring."""
    for name, node, _ in definitions(module):
        lines = node.end_lineno - node.lineno + 1 - docstring_lines(node)
        if not isinstance(node, ast.ClassDef) and lines > limit:
            yield f"{module}:{name} has {lines} lines"


def long_inner_docstrings(module):
    """What is inside and has a docstring of more than one line: (qualified name, lines)."""
    return [
        (f"{module}:{name}", docstring_lines(node))
        for name, node, is_public in definitions(module)
        if not is_public and docstring_lines(node) > 1
    ]


def lines_of(module):
    """Number of lines of the file."""
    return len(path_of(module).read_text(encoding="utf-8").splitlines())


def report():
    """One line for each room, and the sums."""
    keys = ("files", "lines", "names", "inner imports", "long inner docs", "of lines", "privates", "files > 400")
    rows = {}
    for module in ["stellarlabels", *MODULES]:
        row = rows.setdefault(room_of(module) if path_of(module).parent != PACKAGE else "(beside)", Counter())
        inner = long_inner_docstrings(module)
        row.update({"files": 1, "lines": lines_of(module), "files > 400": lines_of(module) > 400})
        row.update({"inner imports": len(list(inner_imports(module)))})
        row.update({"privates": len(list(foreign_privates(module))) + len(list(overridden_privates(module)))})
        row.update({"long inner docs": len(inner), "of lines": sum(lines for _, lines in inner)})
    for face in set(handed_out().values()):
        owner = face.rpartition(".")[0]
        rows[room_of(owner) if path_of(owner).parent != PACKAGE else "(beside)"]["names"] += 1
    rows["all"] = sum(rows.values(), Counter())
    yield f"{'':12}" + "".join(f"{key:>16}" for key in keys)
    yield from (f"{room:12}" + "".join(f"{row[key]:16}" for key in keys) for room, row in rows.items())


def main():
    """The table of rooms; with the name of a room or module, all that is to be done there."""
    if not sys.argv[1:]:
        lines = report()
    else:
        wanted = [name for name in MODULES if name.removeprefix("stellarlabels.").startswith(tuple(sys.argv[1:]))]
        lines = [f"inner import: {name} <- {item}" for name in wanted for item in inner_imports(name)]
        lines += [item for name in wanted for item in [*foreign_privates(name), *overridden_privates(name)]]
        lines += [item for name in wanted for item in long_functions(name)]
        inner = [item for name in wanted for item in long_inner_docstrings(name)]
        lines += [f"{count} lines of docstring inside: {key}" for key, count in inner]
        lines += [f"{name} has {lines_of(name)} lines" for name in wanted if lines_of(name) > 400]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
