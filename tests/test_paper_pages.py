"""The pages "the papers and this package": every place and test that they name exists, and no row is without either."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from astropy.table import Table

from stellarlabels import systems

ROOT = Path(__file__).parents[1]
PAPERS = ROOT / "docs" / "papers"
STATES = {"same", "differs", "part", "absent", "beyond"}


@cache
def rows(system):
    """The rows of a paper's table as dicts of texts."""
    table = Table.read(PAPERS / f"{system}.ecsv", format="ascii.ecsv")
    return [{name: "" if str(row[name]) == "--" else str(row[name]) for name in table.colnames} for row in table]


def exists(place):
    """Whether a dotted name can be imported, or a file of the project is there."""
    if "/" in place:
        return (ROOT / place).is_file()
    words = place.split(".")
    for count in range(len(words), 0, -1):
        try:
            found = import_module(".".join(words[:count]))
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            if not hasattr(found, word):
                return False
            found = getattr(found, word)
        return True
    return False


@cache
def names_in(path):
    """Names of the functions and classes of a file of tests, those of classes with theirs."""
    out = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            out.add(node.name)
        if isinstance(node, ast.ClassDef):
            out |= {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return out


@pytest.mark.parametrize("system", systems.available())
class TestPages:
    def test_places_exist(self, system):
        assert [place for row in rows(system) for place in row["here"].split() if not exists(place)] == []

    def test_tests_exist(self, system):
        for row in rows(system):
            for test in row["tests"].split():
                path, _, name = test.partition("::")
                assert (ROOT / path).is_file() and name in names_in(path), test

    def test_no_row_without_a_place_or_a_reason(self, system):
        for row in rows(system):
            assert row["state"] in STATES and row["item"], row
            assert row["here"] or row["note"], row
            assert row["note"] or row["state"] in ("same", "beyond"), row
            assert row["section"] or row["state"] in ("beyond", "differs"), row

    def test_weights_that_ship_are_told_apart_from_the_papers(self, system):
        assert "that ship" in rows(system)[-1]["item"] and rows(system)[-1]["state"] == "differs"

    def test_the_page_has_the_table(self, system):
        assert f".. paper-items:: {system}" in (PAPERS / f"{system}.rst").read_text(encoding="utf-8")


def test_every_paper_of_a_system_has_a_page():
    assert {path.stem for path in PAPERS.glob("*.ecsv")} == set(systems.available())
    # the audits of the papers have so many rows; each of them is one here, or part of one
    wanted = {"csnet": 36, "spcanet": 26, "solardis": 30, "uncertain": 42, "uacsnet": 31}
    assert all(len(rows(system)) >= count for system, count in wanted.items())
