"""Pages of the API reference, one for each module, written before the documentation is read.

Every name in the ``__all__`` of a module is documented once. Functions and classes are under their shortest name: what
a room hands out from its modules is on the page of the room. Data are with the module that has the comment on them.
New modules appear by themselves.
"""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

from sphinx.pycode import ModuleAnalyzer

from stellarlabels.flags import FlagSet

#: Libraries whose members are not repeated on the pages of classes that derive from theirs.
FOREIGN = {"keras", "tensorflow"}


def public_modules(package):
    """The package and all modules in it that declare what is public, the shortest names first."""
    found = [package] + [
        module.name
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
        if not module.name.endswith("__main__")
    ]
    modules = {name: import_module(name) for name in sorted(found, key=lambda name: (name.count("."), name))}
    return {name: module for name, module in modules.items() if hasattr(module, "__all__") or is_package(module)}


def is_package(module):
    """Whether a module has modules of its own."""
    return hasattr(module, "__path__")


def directive(name, value):
    """Lines that document one object."""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return [f".. autoexception:: {name}", ""]
    if inspect.isclass(value) and FOREIGN & {base.__module__.partition(".")[0] for base in value.__mro__}:
        return [f".. autoclass:: {name}", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {name}", "   :members:", "   :inherited-members: object, tuple, QTable, Table", ""]
    return [f".. autofunction:: {name}", ""]


def data(module, name, value):
    """Lines that document a constant by the comment on it, or by what a flag set says of itself."""
    comments = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name), ())
    if isinstance(value, FlagSet):
        comments = [f"{value.description}. The flags are listed in :doc:`/flags`."]
    return [f".. py:data:: {name}", f"   :module: {module}", "", *(f"   {line}" for line in comments), ""]


def summary(module):
    """First line of a docstring."""
    return inspect.getdoc(module).partition("\n\n")[0].replace("\n", " ")


def page(name, module, modules, homes):
    """Lines of the page of one module. ``homes`` remembers where an object is documented."""
    inside = [other for other in modules if other.rpartition(".")[0] == name]
    lines = [name, "=" * len(name), "", f".. automodule:: {name}"]
    # A function of the same name, which the room hands out, takes precedence in the index.
    lines += ["   :no-index:", ""] if name in homes.values() else [""]
    elsewhere = []
    for public in getattr(module, "__all__", ()):
        value = getattr(module, public)
        if inspect.ismodule(value) or public.startswith("__"):
            continue
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            if not any(getattr(modules[other], public, None) is value for other in inside):
                lines += data(name, public, value)
            continue
        home = homes.setdefault(id(value), f"{name}.{public}")
        if home == f"{name}.{public}":
            lines += directive(home, value)
        else:
            elsewhere.append(f"`{home}`")
    if elsewhere:
        lines += [f"Documented with the room: {', '.join(elsewhere)}.", ""]
    if inside:
        lines += [".. rubric:: Modules", ""]
        lines += [f"- :doc:`{other} <{other}>`: {summary(modules[other])}" for other in inside]
        lines += ["", ".. toctree::", "   :hidden:", "", *(f"   {other}" for other in inside), ""]
    return lines


def write_pages(app):
    """Write all pages; those that have not changed are left alone, so that Sphinx does not read them again."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    modules, homes = public_modules("stellarlabels"), {}
    for name, module in modules.items():
        path, text = folder / f"{name}.rst", "\n".join(page(name, module, modules, homes))
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in modules:
            path.unlink()


def setup(app):
    """Write the pages when a build begins."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
