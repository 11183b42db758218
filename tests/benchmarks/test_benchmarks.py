"""Benchmarks run, at small sizes, and their results become the page of the documentation."""

import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="an installed copy has no benchmarks")


def module(name, folder=FOLDER):
    """A module of a folder that is no package, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", folder / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == FOLDER:
            del sys.modules[name]


@pytest.fixture
def timing():
    return importlib.import_module("timing")


@pytest.fixture
def result(timing):
    out = timing.Result("A title", "Some text.")
    out.row("ours", 12345.678, size=1000, peer="theirs", theirs=100.0, target=15)
    out.row("alone", 0.5, unit="files/s")
    out.fact("difference", 1.5e-13, unit="mag", target="at most 1e-10")
    out.series = {"x": "stars", "y": "stars/s", "lines": {"one": [[10, 100.0], [100, 1000.0]]}}
    return out


def test_clocks(timing):
    assert 0 <= timing.median_time(lambda: None) < 0.1
    seconds, found = timing.best(lambda: 7)
    assert found == 7 and 0 <= seconds < 0.1
    calls = []
    rates = timing.race({"a": (10, lambda: calls.append("a")), "b": (20, lambda: calls.append("b"))}, 2, 0)
    assert calls == ["a", "b", "a", "b", "a", "b"] and set(rates) == {"a", "b"}
    calls.clear()
    timing.race({"slow": (1, lambda: time.sleep(0.03)), "fast": (1, lambda: calls.append("fast"))}, 2, 0.02)
    assert len(calls) == 1 + 2 * timing.MOST_CALLS
    assert timing.gemm_peak(size=64) > 1e6


def test_ratio_and_digits(result):
    first, second = result.rows
    assert first["rate"] == 12350 and first["ratio"] == 123.5 and first["target"] == 15
    assert second["ratio"] is None and second["peer"] is None


def test_page_from_results(timing, result, tmp_path):
    page = importlib.import_module("page")
    written = timing.write(result, "example", False, tmp_path / "results")
    content = json.loads(written.read_text())
    assert content["machine"]["cores"] and content["machine"]["versions"]["numpy"]
    text = page.make(tmp_path / "results", tmp_path).read_text()
    for part in ("A title\n-------", "Some text.", "- 12,350 stars/s", "- 1,000", "- theirs", "- 124", "1.5e-13 mag"):
        assert part in text
    assert "small sizes only" not in text
    assert (tmp_path / "images" / "speed-example.svg").read_text().count("stars/s") >= 1
    timing.write(result, "example", True, tmp_path / "results")
    assert "small sizes only" in page.make(tmp_path / "results", tmp_path).read_text()


def test_page_is_valid_text(timing, result, tmp_path):
    docutils = pytest.importorskip("docutils.core")
    page = importlib.import_module("page")
    timing.write(result, "example", False, tmp_path)
    text = page.render(page.load(tmp_path)).replace(":doc:", "").replace(".. code-block:: bash", "::")
    docutils.publish_doctree(text, settings_overrides={"halt_level": 2, "report_level": 2})


def test_committed_page_is_that_of_the_committed_results():
    page = importlib.import_module("page")
    results = page.load(FOLDER / "results")
    if not results:
        pytest.skip("nothing has been measured yet")
    assert (ROOT / "docs" / "reference" / "benchmarks.rst").read_text() == page.render(results)
    for name, found in results.items():
        assert not found["series"] or (ROOT / "docs" / "images" / f"speed-{name}.svg").is_file()


def test_every_benchmark_of_the_command_is_there(capsys):
    run = module("run")
    assert run.names() == list(importlib.import_module("page").ORDER)
    with pytest.raises(SystemExit):
        run.main(["nothing"])
    assert "no benchmark is called nothing" in capsys.readouterr().err


def test_no_benchmark_has_a_timer_of_its_own():
    for name in module("run").names():
        source = (FOLDER / f"bench_{name}.py").read_text()
        assert "import timing" in source and "statistics.median" not in source, name


def test_command(tmp_path, capsys):
    run = module("run")
    assert run.main(["parallax", "--quick", "--output", str(tmp_path)]) == 0
    content = json.loads((tmp_path / "parallax.json").read_text())
    assert content["quick"] and content["machine"]["threads"]["OMP_NUM_THREADS"] == "1"
    (row,) = content["rows"]
    assert row["ratio"] == pytest.approx(row["rate"] / row["peer_rate"], rel=1e-3)
    assert content["facts"][0]["value"] <= 1e-6
    assert "zero_point" in capsys.readouterr().out


def test_a_failure_is_told(tmp_path, capsys, monkeypatch):
    run = module("run")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(run.sys, "executable", "/bin/false")
    assert run.main(["parallax", "--quick"]) == 1
    assert "failed: parallax" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["intake", "distances", "crossmatch", "dust", "import"])
def test_small_sizes(name, recwarn):
    found = module(f"bench_{name}").run(quick=True)
    assert found.rows or found.facts
    assert all(row["rate"] > 0 for row in found.rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xp", "csv"])
def test_small_sizes_beside_gaiaxpy(name, real_data):
    found = module(f"bench_{name}").run(quick=True)
    assert all(row["rate"] > 0 for row in found.rows)
    for item in found.facts:
        if "difference" in item["what"]:
            assert item["value"] <= float(item["target"].split()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["imports", "tables", "spectra"])
def test_suite_over_commits(name):
    suite = module(name, FOLDER / "asv")
    chosen = [item for _, item in inspect.getmembers(suite) if getattr(item, "__module__", "") == suite.__name__]
    count = 0
    for item in chosen:
        if inspect.isclass(item):
            one = item()
            one.setup()
            for method in (getattr(one, key) for key in dir(one) if key.startswith(("time_", "peakmem_"))):
                method()
                count += 1
        elif item.__name__.startswith("timeraw_"):
            subprocess.run([sys.executable, "-c", item()], check=True)
            count += 1
    assert count >= 3
    assert json.loads((ROOT / "asv.conf.json").read_text())["benchmark_dir"] == "benchmarks/asv"
