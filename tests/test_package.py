"""The shape of the house: which room imports which, what an import loads, and that public names are documented."""

import ast
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import stellarlabels
from stellarlabels import systems

PACKAGE = Path(stellarlabels.__file__).parent

#: Rooms in the order in which a table walks through them, between the modules that all may use and those that use all.
WALK = (
    ("exceptions", "flags", "packaged", "registry", "releases", "threads"),
    ("columns",),
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
    ("systems",),
    ("demo",),
    ("cli",),
    ("__main__",),
)
#: Names of the systems' classes, which the package itself hands out.
CLASSES = {systems.get(name).__name__ for name in systems.available()}
FLOOR = {room: floor for floor, rooms in enumerate(WALK) for room in rooms}

#: Libraries that take seconds to import. They are imported in the functions that need them.
HEAVY = (
    "astroquery",
    "dask",
    "dustmaps",
    "gaiaxpy",
    "h5py",
    "hats",
    "healpy",
    "keras",
    "lsdb",
    "matplotlib",
    "pandas",
    "pyvo",
    "scipy.stats",
    "tensorflow",
    "torch",
)

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(PACKAGE)], "stellarlabels.")
    if not module.name.endswith("__main__")
)


def room_of(module):
    """Second part of a dotted name, or an empty string for the package itself."""
    return (module.split(".") + [""])[1]


def imported_modules(source, module, is_package):
    """Dotted names of all modules of this package that a source text imports, wherever it does so."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            names = [value.value for value in node.args[:1] if isinstance(value, ast.Constant)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "stellarlabels")


def wrong_imports(source, module, is_package=False):
    """Imports of rooms that come after that of ``module``; systems count for the names that the package hands out."""
    here = FLOOR[room_of(module)]
    for name in imported_modules(source, module, is_package):
        room = room_of(name)
        room = "systems" if room in CLASSES else room
        if FLOOR.get(room, 0) > here:
            yield name


class TestWalk:
    """A room imports only rooms before it."""

    def test_every_room_has_its_place(self):
        found = {room_of(module) for module in MODULES}
        assert found <= set(FLOOR), "add the room to WALK, at its place in the walk"

    def test_every_folder_with_code_is_a_package(self):
        folders = {path.parent for path in PACKAGE.rglob("*.py")}
        assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []

    @pytest.mark.parametrize("module", MODULES)
    def test_imports_go_one_way(self, module):
        path = PACKAGE.parent.joinpath(*module.split("."))
        is_package = path.is_dir()
        path = path / "__init__.py" if is_package else path.with_suffix(".py")
        assert list(wrong_imports(path.read_text(encoding="utf-8"), module, is_package)) == []

    @pytest.mark.parametrize(
        "line",
        [
            "import stellarlabels.labels",
            "import numpy, stellarlabels.labels.domain as d",
            "from stellarlabels import labels",
            "from stellarlabels import flags, labels",
            "from stellarlabels.labels.domain import Domain",
            "from ..labels import domain",
            "from .. import labels",
            "from stellarlabels import UACSNet",
            "import_module('stellarlabels.labels')",
            "importlib.import_module('stellarlabels.labels')",
            "def function():\n    from stellarlabels import labels",
            "class Class:\n    def method(self):\n        if True:\n            import stellarlabels.labels",
        ],
    )
    def test_an_import_of_a_later_room_is_seen(self, line):
        assert len(list(wrong_imports(line, "stellarlabels.networks.layers"))) == 1

    @pytest.mark.parametrize(
        "line",
        [
            "import numpy",
            "from labels import x",
            "from stellarlabels import __version__, columns, flags",
            "from stellarlabels.inputs import xp",
            "from . import losses",
            "from .losses import pack",
            "import_module(name)",
        ],
    )
    def test_an_import_of_an_earlier_room_is_let_through(self, line):
        assert list(wrong_imports(line, "stellarlabels.networks.layers")) == []

    def test_relative_imports_in_a_package_start_from_it(self):
        assert list(imported_modules("from .x import y", "stellarlabels.networks", True)) == [
            "stellarlabels.networks.x.y"
        ]
        assert list(imported_modules("from . import y", "stellarlabels.networks.x", False)) == [
            "stellarlabels.networks.y"
        ]


def output_of(script):
    """What a new interpreter prints."""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def loaded_by(modules):
    """For each module, the heavy libraries that its import adds, in one new interpreter."""
    script = f"""
import importlib, json, sys
report, known = {{}}, set()
for name in {list(modules)!r}:
    importlib.import_module(name)
    now = {{heavy for heavy in {HEAVY!r} if heavy in sys.modules}}
    report[name], known = sorted(now - known), known | now
print(json.dumps(report))
"""
    return json.loads(output_of(script))


class TestLightness:
    """An import loads no heavy library; using the models does."""

    @staticmethod
    @cache
    def report():
        return loaded_by(
            ["stellarlabels", *(name for name in MODULES if not name.startswith("stellarlabels.networks."))]
        )

    @pytest.mark.parametrize("room", ["stellarlabels", *sorted({f"stellarlabels.{room_of(name)}" for name in MODULES})])
    def test_importing_a_room_is_light(self, room):
        report = self.report()
        modules = [name for name in report if name == room or (name.startswith(f"{room}.") and room != "stellarlabels")]
        assert room in modules
        assert {name: report[name] for name in modules if report[name]} == {}

    def test_the_probe_sees_a_heavy_import(self):
        assert "pandas" in loaded_by(["pandas"])["pandas"]

    def test_importing_the_package_imports_no_room(self):
        script = "import stellarlabels, sys; print(*[name for name in sys.modules if name.startswith('stellarlabels')])"
        assert sorted(output_of(script).split()) == ["stellarlabels"]


def is_ours(item):
    return item.__module__.partition(".")[0] == "stellarlabels"


def public_objects():
    """What is in ``__all__`` of the module that defines it, with the public methods of classes."""
    for name in MODULES:
        module = import_module(name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or value.__module__ != name:
                continue
            yield f"{name}.{public}", value
            foreign = {key for base in getattr(value, "__mro__", ()) for key in vars(base) if not is_ours(base)}
            for key, member in vars(value).items() if inspect.isclass(value) else ():
                if key in foreign:  # what Keras, say, asks of its layers is documented there
                    continue
                if not key.startswith("_") and isinstance(member, (FunctionType, classmethod, staticmethod, property)):
                    yield f"{name}.{public}.{key}", getattr(value, key)


def described_parameters(docstring):
    """Names in the Parameters section of a numpydoc docstring; None if it has no such section."""
    parts = re.split(r"^(\w[\w ]*)\n-+$", inspect.cleandoc(docstring), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    if "Parameters" not in sections:
        return None
    heads = re.findall(r"^([*\w].*?)(?: : .*)?$", sections["Parameters"], flags=re.MULTILINE)
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def disagreement(value):
    """Parameters that the docstring has and the signature has not, and the other way round."""
    described = None if isinstance(value, property) else described_parameters(value.__doc__ or "")
    if described is None:
        return set()
    actual = {name: item.kind for name, item in inspect.signature(value).parameters.items() if name != "self"}
    silent = {name for name, kind in actual.items() if kind is inspect.Parameter.VAR_KEYWORD}
    return (set(actual) ^ set(described)) - silent | (set(described) - set(actual))


class TestDocumentation:
    """Whatever is public is documented, and the documentation agrees with the code."""

    @pytest.mark.parametrize("name", MODULES)
    def test_modules_say_what_they_are_and_what_is_public(self, name):
        module = import_module(name)
        assert module.__doc__
        assert [public for public in getattr(module, "__all__", []) if not hasattr(module, public)] == []
        assert hasattr(module, "__all__") or name == f"stellarlabels.{room_of(name)}"

    def test_public_names_have_docstrings(self):
        assert [name for name, value in public_objects() if not inspect.getdoc(value)] == []

    def test_docstrings_agree_with_signatures(self):
        found = {name: disagreement(value) for name, value in public_objects()}
        assert {name: names for name, names in found.items() if names} == {}

    def test_a_wrong_docstring_is_seen(self):
        def function(table, *, first=1, **rest):
            """Do something.

            Parameters
            ----------
            table : Table
                Stars.
            second, third : int
                Numbers.
            **rest
                The rest.

            Returns
            -------
            fourth : int
            """

        assert disagreement(function) == {"first", "second", "third"}

    def test_the_package_lists_its_names(self):
        assert set(stellarlabels.__all__) == set(dir(stellarlabels))
        assert {"scale", "archive", "load", "read_xp", "UACSNet"} <= set(dir(stellarlabels))
        for name in stellarlabels.__all__:
            assert getattr(stellarlabels, name) is not None
        with pytest.raises(AttributeError, match="no attribute 'CSnet'"):
            getattr(stellarlabels, "CSnet")  # noqa: B009


def test_flag_sets_are_found_without_importing_their_modules():
    from stellarlabels import flags

    for name in MODULES:
        import_module(name)
    script = "from stellarlabels import flags; print(*flags.names())"
    assert set(output_of(script).split()) == set(flags.names()), (
        "list the module that registers the set in flags.DECLARED_IN"
    )
