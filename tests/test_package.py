"""The shape of the house: which room imports what of which, what an import loads, and that names are documented."""

import ast
import importlib.util
import inspect
import json
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

#: Names of the systems' classes, which the package itself hands out.
CLASSES = {systems.get(name).__name__ for name in systems.available()}

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

_spec = importlib.util.spec_from_file_location("house", PACKAGE.parent / "tools" / "house.py")
house = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(house)
MODULES, room_of = house.MODULES, house.room_of
FLOOR = {room: floor for floor, rooms in enumerate(house.WALK) for room in rooms}

#: Rooms that are not finished: what they take from the inside of others, and others from theirs, is let through.
UNFINISHED = {"archive", "cli", "features", "scale", "systems"}
#: Modules that are still to be split, or have functions that are.
TOO_LONG = {"scale"}
#: What is to move out of rooms that are finished but for it.
AWAITED = {
    "stellarlabels.corrections.arguments.floats",
    "stellarlabels.tables.columns.text",
    "stellarlabels.flags.DECLARED_IN",
}
#: Public names in the faces of all rooms, beside which are those of modules such as ``exceptions`` and ``flags``.
MOST_NAMES = 250


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
        assert found <= set(FLOOR), "add the room to WALK in tools/house.py, at its place in the walk"

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


ROOMS = sorted({room_of(module) for module in MODULES})
FINISHED = [room for room in ROOMS if room not in UNFINISHED]


def of_rooms(measure, *rooms):
    """What a measure of ``tools/house.py`` finds in all modules of some rooms."""
    return [item for module in MODULES if room_of(module) in rooms for item in measure(module)]


def with_text(monkeypatch, text):
    """Give two modules another text; what is remembered of all others stays true."""
    own, changed = house.source, ("stellarlabels.plots.style", "stellarlabels.tables.same_star")
    monkeypatch.setattr(house, "source", lambda module: ast.parse(text) if module in changed else own(module))


class TestFaces:
    """What a room shows is in its ``__init__``, and the others take nothing else of it."""

    @pytest.mark.parametrize("room", FINISHED)
    def test_rooms_take_only_what_faces_hand_out(self, room):
        found = [name for name in of_rooms(house.inner_imports, room) if room_of(name) not in UNFINISHED]
        assert set(found) <= AWAITED, "import it from the face of its room; hand it out there if it is not"

    @pytest.mark.parametrize("room", FINISHED)
    def test_nobody_reaches_into_objects_of_other_rooms(self, room):
        assert of_rooms(house.foreign_privates, room) == []
        assert of_rooms(house.overridden_privates, room) == []

    @pytest.mark.parametrize("room", FINISHED)
    def test_faces_alone_say_what_is_public(self, room):
        assert f"stellarlabels.{room}" in house.faces()
        modules = [name for name in MODULES if room_of(name) == room and hasattr(import_module(name), "__all__")]
        assert [name for name in modules if name not in house.faces()] == []

    def test_there_are_not_more_names_than_one_can_know(self):
        owners = [name.rpartition(".")[0] for name in house.handed_out().values()]
        assert len([owner for owner in owners if house.is_in_room(owner)]) <= MOST_NAMES

    @pytest.mark.parametrize(
        "line",
        [
            "from stellarlabels.tables.sky import Stars",
            "from stellarlabels.tables import sky",
            "import stellarlabels.tables.sky",
            "from stellarlabels import tables\ntables.sky",
            "from stellarlabels.tables import quality\nquality.papers.names()",
        ],
    )
    def test_a_look_inside_is_seen(self, line, monkeypatch):
        with_text(monkeypatch, line)
        assert len(list(house.inner_imports("stellarlabels.plots.style"))) == 1
        assert list(house.inner_imports("stellarlabels.tables.same_star")) == []

    @pytest.mark.parametrize(
        "line",
        [
            "from stellarlabels.tables import group_by_star, quality\nquality.get('csnet')",
            "from stellarlabels.tables.crossmatch import crossmatch",
            "from stellarlabels import __version__, flags, tables\ntables.read_labels",
            "from stellarlabels.exceptions import InputError",
        ],
    )
    def test_what_a_face_hands_out_is_let_through(self, line, monkeypatch):
        with_text(monkeypatch, line)
        assert list(house.inner_imports("stellarlabels.plots.style")) == []

    def test_a_private_attribute_is_seen(self, monkeypatch):
        with_text(monkeypatch, "system._no_such_name_here\npair._fields")
        found = list(house.foreign_privates("stellarlabels.plots.style"))
        assert found == ["stellarlabels.plots.style:1 ._no_such_name_here"]


class TestSizes:
    """What is too long to be read at once."""

    @pytest.mark.parametrize("room", [room for room in ROOMS if room not in TOO_LONG])
    def test_files_and_functions_are_short(self, room):
        assert [name for name in MODULES if room_of(name) == room and house.lines_of(name) > 400] == []
        assert of_rooms(house.long_functions, room) == []

    def test_a_long_function_is_seen(self, monkeypatch):
        text = "def function():\n" + '    """Say.\n\n    More.\n    """\n' + "    pass\n" * 60
        with_text(monkeypatch, text)
        assert list(house.long_functions("stellarlabels.plots.style")) == [
            "stellarlabels.plots.style:function has 61 lines"
        ]
        assert list(house.long_functions("stellarlabels.plots.style", 61)) == []


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


#: Catalogs, queries, corrections and distances of a star where neither Keras nor TensorFlow can be imported.
WITHOUT_NETWORKS = """
import sys, warnings
sys.modules["tensorflow"] = sys.modules["keras"] = None
import numpy as np
from astropy import units as u
from astropy.table import QTable
from stellarlabels import archive, catalogs, corrections, distances
from stellarlabels.archive import queries
from stellarlabels.corrections import extinction, parallax

path = sys.argv[1]
table = QTable({"source_id": [1], "phot_g_mean_mag": [12.0] * u.mag, "parallax": [2.0] * u.mas, "ebv": [0.1] * u.mag})
table["nu_eff_used_in_astrometry"], table["pseudocolour"] = [1.5] / u.um, [np.nan] / u.um
table["ecl_lat"], table["astrometric_params_solved"] = [40.0] * u.deg, np.array([31], np.int16)
catalogs.write(table, path)
assert np.isfinite(parallax.zero_point(catalogs.read(path))).all()
assert extinction.ebv(table)[0].value == 0.1
pdf = distances.DistancePDF(12.0 * u.mag, 2.0 * u.mag, 0.1 * u.mag)
assert 900 < np.ravel(pdf.median.to_value(u.pc))[0] < 1100
assert "TOP 5" in queries.get("uacsnet_apply").bind(limit=5).adql
"""


def test_what_has_no_networks_needs_no_library_of_networks(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT_NETWORKS, tmp_path / "x.fits"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def is_ours(item):
    return item.__module__.partition(".")[0] == "stellarlabels"


def public_objects():
    """Functions and classes that faces hand out, by name, with the public methods of classes."""
    for name in house.handed_out().values():
        face, _, public = name.rpartition(".")
        value = getattr(import_module(face), public)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        yield name, value
        foreign = {key for base in getattr(value, "__mro__", ()) for key in vars(base) if not is_ours(base)}
        for key, member in vars(value).items() if inspect.isclass(value) else ():
            if key in foreign:  # what Keras, say, asks of its layers is documented there
                continue
            if not key.startswith("_") and isinstance(member, (FunctionType, classmethod, staticmethod, property)):
                yield f"{name}.{key}", getattr(value, key)


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
    """Whatever is public is documented, and the documentation agrees with the code; what is inside takes one line."""

    @pytest.mark.parametrize("name", MODULES)
    def test_modules_say_what_they_are_and_what_is_public(self, name):
        module = import_module(name)
        assert module.__doc__
        assert [public for public in getattr(module, "__all__", []) if not hasattr(module, public)] == []

    @pytest.mark.parametrize("room", FINISHED)
    def test_what_is_inside_is_told_in_one_line(self, room):
        found = [name for name, _ in of_rooms(house.long_inner_docstrings, room)]
        assert set(found) <= AWAITED, "one line with shapes; a reference goes into a comment"

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
