"""Things that register themselves: names, errors, and what other packages announce."""

import subprocess
import sys
from pathlib import Path

import pytest

import stellarlabels
from stellarlabels.exceptions import InputError
from stellarlabels.registry import Registry

DECLARED = """
from stellarlabels.labels.recipe import Recipe
from stellarlabels.systems import System


class Prism(System):
    name = "prism"
    title = "Teff from three colors"
    recipes = {
        "three": Recipe(
            labels=("teff", "feh"),
            features="colors",
            network="color_mlp",
            network_options={"hidden": (8,), "l2": 0.0, "error_hidden": (4,)},
            loss="squared",
        )
    }
"""


def test_names_in_any_case_and_unknown_ones():
    registry = Registry("planet")
    registry.register(4, "Mars")
    assert (registry.get("mars"), registry.get("MARS"), registry.names()) == (4, 4, ["mars"])
    assert "mars" in registry and "pluto" not in registry
    with pytest.raises(InputError, match=r"no planet is called 'pluto'; there are \['mars'\]"):
        registry.get("pluto")
    registry.discard("mars")
    assert registry.names() == []
    with pytest.raises(InputError, match="expected something with a name, got 4"):
        registry.register(4)


def test_a_name_belongs_to_one_but_may_be_defined_anew():
    registry = Registry("shape")

    def make(size):
        def square():
            return size

        return square

    registry.register(make(1))
    registry.register(make(2))
    assert registry.get("square")() == 2
    with pytest.raises(InputError, match="shape 'square' is registered already"):
        registry.register(len, "square")


def test_modules_of_a_folder_are_imported_when_a_name_is_asked_for(tmp_path, monkeypatch):
    folder = tmp_path / "shapes_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from stellarlabels.registry import Registry\nSHAPES = Registry('shape', within=__name__)\n"
    )
    for name in ("circle", "square"):
        (folder / f"{name}.py").write_text(
            f"from shapes_of_a_test import SHAPES\n@SHAPES.register\ndef {name}():\n    return '{name}'\n"
        )
    monkeypatch.syspath_prepend(tmp_path)
    from shapes_of_a_test import SHAPES

    assert SHAPES.get("circle")() == "circle"
    assert "shapes_of_a_test.square" not in sys.modules  # the module of that name was enough
    assert SHAPES.names() == ["circle", "square"]


@pytest.fixture
def other_package(tmp_path):
    """A function that runs a script beside an installed package that announces entry points."""
    (tmp_path / "prisms.py").write_text(DECLARED)
    info = tmp_path / "prisms-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: prisms\nVersion: 1.0\n")
    points = info / "entry_points.txt"
    points.write_text("[stellarlabels.systems]\nprism = prisms\nbroken = no_such_module_anywhere\n")

    def run(script):
        path = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(Path(stellarlabels.__file__).parents[1])!r}]\n"
        done = subprocess.run([sys.executable, "-c", path + script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\n")

    return run


def test_a_system_of_another_package_is_known_everywhere(other_package):
    out = other_package(
        """
import stellarlabels
from stellarlabels import catalogs, cli, systems
print(systems.available())
print(stellarlabels.Prism is systems.get("PRISM"), "Prism" in stellarlabels.__all__, stellarlabels.Prism.available())
print(catalogs.schemas.get("prism").names[-8:])
cli.main(["systems"])
try:
    systems.get("prims")
except stellarlabels.exceptions.InputError as error:
    print(error)
"""
    )
    assert out[0] == "['csnet', 'prism', 'solardis', 'spcanet', 'uacsnet', 'uncertain']"
    assert out[1] == "True True {}"
    assert out[2] == "['teff', 'teff_err', 'teff_flag', 'teff_good', 'feh', 'feh_err', 'feh_flag', 'feh_good']"
    assert "prism: Teff from three colors" in out
    assert "no system is called 'prims'" in out[-2] and "broken = no_such_module_anywhere cannot be imported" in out[-2]
