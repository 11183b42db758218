"""Pages of the API reference, one for each room, written before the documentation is read.

What a room's faces hand out is there, and nothing else: every name in their ``__all__``, once, in the order of the
faces that ``tools/house.py`` finds. New names, faces and rooms appear by themselves.
"""

import inspect
import sys
from importlib import import_module
from pathlib import Path

from sphinx.pycode import ModuleAnalyzer

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import house  # noqa: E402

from stellarlabels.flags import FlagSet  # noqa: E402

#: Libraries whose members are not repeated on the pages of classes that derive from theirs.
FOREIGN = {"keras", "tensorflow"}
#: Faces under old names, which hand out what others do.
OLD = tuple(f"stellarlabels.{name}" for name in house.OLD_NAMES)


def directive(name, value):
    """Lines that document one object."""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return [f".. autoexception:: {name}", ""]
    if inspect.isclass(value) and FOREIGN & {base.__module__.partition(".")[0] for base in value.__mro__}:
        return [f".. autoclass:: {name}", ""]
    if inspect.isclass(value):
        return [f".. autoclass:: {name}", "   :members:", "   :inherited-members: object, tuple, QTable, Table", ""]
    return [f".. autofunction:: {name}", ""]


def data(face, name, value):
    """Lines that document a constant by the comment on it where it is defined, or by what a flag set says of itself."""
    comments = []
    for module in house.MODULES:
        if house.room_of(module) == house.room_of(face) and getattr(import_module(module), name, None) is value:
            comments = comments or ModuleAnalyzer.for_module(module).find_attr_docs().get(("", name), ())
    if isinstance(value, FlagSet):
        comments = [f"{value.description}. The flags are listed in :doc:`/user_guide/flags`."]
    return [f".. py:data:: {name}", f"   :module: {face}", "", *(f"   {line}" for line in comments), ""]


def room_page(face):
    """The page on which a face is: that of its room, or of the package for modules beside the rooms."""
    room = house.room_of(face)
    is_room = room and house.path_of(f"stellarlabels.{room}").name == "__init__.py"
    return f"stellarlabels.{room}" if is_room else "stellarlabels"


def section(face, line):
    """Lines of one face: its docstring and what it hands out that no face before it does."""
    names = [name for name in house.faces().get(face, ()) if f"{face}.{name}" in house.handed_out().values()]
    lines = [face, line * len(face), "", f".. automodule:: {face}"]
    # A function of the same name, which the room hands out, takes precedence in the index.
    lines += ["   :no-index:", ""] if face in house.handed_out().values() else [""]
    for name in names:
        value = getattr(import_module(face), name)
        is_object = inspect.isclass(value) or inspect.isroutine(value)
        lines += directive(f"{face}.{name}", value) if is_object else data(face, name, value)
    return lines


def pages():
    """Names of pages, and their lines."""
    faces = {face: room_page(face) for face in house.faces() if not face.startswith(OLD)}
    rooms = sorted(set(faces.values()))
    out = {}
    for page in rooms:
        shown = [page, *sorted(face for face, where in faces.items() if where == page and face != page)]
        out[page] = [line for face in shown for line in section(face, "=" if face == page else "-")]
    toctree = [".. toctree::", "   :maxdepth: 1", "", *(f"   {page}" for page in rooms if page != "stellarlabels"), ""]
    head = out["stellarlabels"]
    out["stellarlabels"] = [*head, ".. rubric:: Parts", "", *toctree]
    return out


def write_pages(app):
    """Write all pages; those that have not changed are left alone, so that Sphinx does not read them again."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    found = pages()
    for name, lines in found.items():
        path, text = folder / f"{name}.rst", "\n".join(lines)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in found:
            path.unlink()


def home_of(name):
    """Where what is defined under a dotted name is documented, with a method or attribute of it; None if nowhere."""
    parts = name.split(".")
    for number in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:number])
        if module in house.MODULES:
            value = getattr(import_module(module), parts[number], None)
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                return None
            home = house.handed_out().get(f"{value.__module__}:{value.__qualname__}")
            return home and ".".join([home, *parts[number + 1 :]])
    return None


def resolve(app, env, node, content):
    """Lead references to where a name is defined, which Sphinx writes for base classes, to where it is documented."""
    home = home_of(node.get("reftarget", ""))
    if node.get("refdomain") != "py" or home is None or home == node["reftarget"]:
        return None
    return env.get_domain("py").resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, content)


def setup(app):
    """Write the pages when a build begins, and find out later where names are documented."""
    app.connect("builder-inited", write_pages)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
