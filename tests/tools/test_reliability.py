"""The small form of ``tools/reliability.py``: a few kills, full disks, pairs of runs, hostile files."""

import json
import random
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    """The module of the tool."""
    folders = [str(ROOT / "tools"), str(ROOT / "tests" / "stand_ins")]
    sys.path[:0] = folders
    yield import_module("reliability")
    for folder in folders:
        sys.path.remove(folder)


@pytest.mark.parametrize("kind", ["write", "query", "label", "dask"])
def test_killed_runs(tool, kind, tmp_path):
    if kind == "dask":
        pytest.importorskip("lsdb", reason="the extra 'scale' is not installed")
    found = tool.killed_runs.measured([kind], tmp_path, random.Random(3), kills=3, times=1)[kind]
    killed = found["killed"]
    assert killed["kills"] == 3 and killed["half files"] == 0
    assert killed["same"] == killed["runs"] > 0
    if kind != "dask":
        assert found["full disk"] == {"limits": 1, "told": 1, "half files": 0, "same": 1}
        pair = found["two at once"]
        assert pair["same"] == 1
        assert pair["told"] == 1 or kind == "write"  # of two that write a file one may be told that it is there


def test_hostile_parameters(tool):
    found = tool.hostile_parameters()
    assert found["wrong"] == [] and found["refused"] == found["values"] > 1000


def test_hostile_models(tool, tmp_path):
    found = tool.hostile_models(tmp_path, ["solardis"])
    assert found["wrong"] == [] and found["refused"] == found["descriptions"] > 20
    assert found["more memory (MB)"] < 300


def test_bombs(tool, tmp_path, monkeypatch):
    from stellarlabels.files import opening

    monkeypatch.setattr(opening, "HARMLESS", 64 << 20)
    found = tool.bombs(tmp_path, size=256 << 20)
    assert found["wrong"] == [] and found["refused"] == found["files"] == 3
    assert found["more memory (MB)"] < 1000


def test_the_page_shows_what_was_measured():
    found = json.loads((ROOT / "docs" / "measured" / "reliability.json").read_text(encoding="utf-8"))
    assert set(found["runs"]) == {"label", "query", "write", "dask"}
    for run in found["runs"].values():
        assert (
            run["killed"]["kills"] >= 50
            and run["killed"]["half files"] == 0
            and run["killed"]["same"] == run["killed"]["runs"]
        )
        assert all(other["same"] == other[key] for name, key in (("full disk", "limits"), ("two at once", "pairs"))
                   if (other := run.get(name)))  # fmt: skip
    assert all(entry["wrong"] == [] for entry in found.values() if "wrong" in entry)
