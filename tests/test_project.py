"""The files around the package agree with it and with each other. They are not there in an installed copy."""

import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table
from datalink_server import Archive
from gaia_tables import answers, served
from lamost_files import write_spectra
from tap_server import FakeTAP

import stellarlabels
from stellarlabels import UACSNet, catalogs
from stellarlabels.cli import main
from stellarlabels.inputs.examples import xp_apogee_sample

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(stellarlabels.__file__).parent
COMMAND = re.compile(r"^ +(python3 -m venv .*)$", re.MULTILINE)


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads(text_of("pyproject.toml"))["project"]


class TestReadme:
    """The two commands of the README."""

    def test_each_is_one_line_that_makes_its_own_environment(self):
        commands = COMMAND.findall(text_of("README.rst"))
        assert len(commands) == 2
        folders = [re.match(r"python3 -m venv (\S+) && \1/bin/pip install ", command)[1] for command in commands]
        assert len(set(folders)) == 2

    def test_the_first_runs_the_demo_and_the_second_the_tests(self):
        first, second = COMMAND.findall(text_of("README.rst"))
        assert first.endswith("/bin/stellarlabels demo")
        assert second.endswith('/bin/pip install -e ".[test]" && .venv-test/bin/python -m pytest')

    def test_ci_takes_the_command_from_the_readme(self):
        line = next(line for line in text_of(".ci/run").splitlines() if line.startswith("command=$("))
        command = line.removeprefix("command=$(").removesuffix(")")
        result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
        assert result.stdout == COMMAND.findall(text_of("README.rst"))[1] + "\n"

    def test_every_verb_in_it_exists(self):
        from stellarlabels.cli import main

        verbs = re.findall(r"^ +stellarlabels (\w+)", text_of("README.rst"), flags=re.MULTILINE)
        assert {"systems", "label", "train"} <= set(verbs)
        for verb in verbs:
            with pytest.raises(SystemExit, match="^0$"):
                main([verb, "--help"])


@pytest.mark.slow
class TestQuickstart:
    """What the README shows, line by line, on the shipped stars; only the training is shorter."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """A folder with the files of the README."""
        sample = xp_apogee_sample()[:60]
        sample["astrometric_params_solved"], sample["nu_eff_used_in_astrometry"] = np.int16(31), 1.5 / u.um
        sample["pseudocolour"], sample["ecl_lat"] = np.nan / u.um, 40.0 * u.deg
        catalogs.write(sample, tmp_path / "training.fits")
        sample.remove_columns([name for name in sample.colnames if sample[name].info.unit == "dex"])
        catalogs.write(sample, tmp_path / "stars.fits")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.fixture
    def blocks(self):
        text = text_of("README.rst").split("Quickstart\n", 1)[1].split("The systems\n", 1)[0]
        python, bash = re.findall(r"code-block:: (?:python|bash)\n\n((?:   .*\n|\n)+)", text)
        return textwrap.dedent(python), textwrap.dedent(bash).strip().splitlines()

    def test_python(self, folder, blocks):
        assert "epochs=300" in blocks[0]
        names = {}
        exec(blocks[0].replace("epochs=300", "epochs=1"), names)
        assert len(names["stars"]) == len(names["labels"]) == len(names["catalog"]) == 60
        assert 40 <= len(names["good"]) <= 60
        assert 0 < len(names["poor"]) < len(names["good"]) and names["poor"]["feh"].max() < -0.5
        assert 0 < len(names["cool"]) < len(names["good"]) and names["cool"]["teff"].max() < 5000 * u.K
        assert np.array_equal(catalogs.read("stars.vot", "uacsnet")["source_id"], names["stars"]["source_id"])
        assert UACSNet.load("mine.stellarlabels").predict(names["stars"][:3])["feh"].unit == "dex"

    @pytest.fixture
    def servers(self):
        """A TAP service and one of spectra, in place of those of the archive, with stars of the Pleiades."""
        sample = xp_apogee_sample()[:60]
        sample["ra"], sample["dec"] = (56.75 + 0.001 * np.arange(60)) * u.deg, np.full(60, 24.1) * u.deg
        tap = FakeTAP(answers(served(sample)))
        names = ("source_id", "flux", "flux_error")
        spectra = Table({name: getattr(sample[name], "value", sample[name]) for name in names})
        with Archive(spectra) as archive:
            yield {"label": ["--service", tap.url, "--url", archive.url], "query": ["--service", tap.url, "--sync"],
                   "spectra": ["--url", archive.url]}  # fmt: skip
        tap.close()

    def test_command_line(self, folder, blocks, servers, capsys):
        sample = xp_apogee_sample()[:60]
        (folder / "stars.fits").unlink()
        (folder / "source_ids.txt").write_text("\n".join(map(str, sample["source_id"])))
        stars = write_spectra(folder / "lamost_spectra", 4)
        left_out = []
        for line in blocks[1]:
            words = shlex.split(line)
            assert words.pop(0) == "stellarlabels"
            if "dask" in words:
                left_out.append(words)  # a test of its own
                continue
            more = {"train": ["--epochs", "1"], "label": [] if "--weights" in words else ["--networks", "1"]}
            more = [*more.get(words[0], []), *servers.get(words[0], [])]
            assert main([*words, *more]) == 0, (line, capsys.readouterr().err)
        assert len(left_out) == 1
        sun_like = catalogs.read("sun_like.vot")
        assert sun_like.colnames[:5] == ["obsid", "spectrum", "designation", "ra", "dec"]
        assert np.abs(sun_like["teff"].value - stars["teff"].value).max() < 150
        found = {name: catalogs.read(f"{name}.vot") for name in ("pleiades", "labels", "again", "mine", "distances")}
        assert {name: len(table) for name, table in found.items()} == dict.fromkeys(found, 60)
        np.testing.assert_array_equal(found["labels"]["source_id"], sample["source_id"])

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning")  # LSDB and pandas 3
    def test_on_a_cluster(self, folder, blocks):
        """The line with Dask, on a HATS catalog of the stars; of workers there are two."""
        lsdb = pytest.importorskip("lsdb", reason="the extra 'scale' is not installed")
        pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
        stars = catalogs.read("stars.fits")
        flat = [name for name in stars.colnames if stars[name].ndim == 1]
        frame = stars[flat].to_pandas()
        for name in ("flux", "flux_error"):
            cells = pa.array(list(stars[name].value), type=pa.list_(pa.float64()))
            frame[name] = pd.Series(cells, dtype=pd.ArrowDtype(pa.list_(pa.float64())))
        made = lsdb.from_dataframe(frame, catalog_name="gaia_xp", lowest_order=0, margin_threshold=None)
        made.write_catalog("gaia_xp", progress_bar=False)
        [line] = [line for line in blocks[1] if "--engine dask" in line]
        command = [sys.executable, "-m", *shlex.split(line.replace("--workers 8", "--workers 2"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        bars = [line for line in re.split(r"[\r\n]+", done.stderr) if line.strip()]
        assert all(line.startswith("uacsnet: ") for line in bars), done.stderr
        assert done.stdout.startswith("wrote labels/: 60 stars")


def test_versions_agree():
    version = re.search(r"^version: (.*)$", text_of("CITATION.cff"), flags=re.MULTILINE)[1]
    assert version == stellarlabels.__version__
    assert re.search(rf"^{re.escape(version)} \(", text_of("CHANGES.rst"), flags=re.MULTILINE)


def test_what_the_weights_lack_is_in_the_readme():
    """Each system of the table has, in its last column, what no weights give of the labels of the paper."""
    from stellarlabels import plots, systems

    lines = text_of("README.rst").split("The systems\n", 1)[1].split("\n\n", 2)[1].splitlines()
    ruler, body = lines[0], lines[3:-1]
    edges = [match.span() for match in re.finditer("=+", ruler)]
    cells, name = {}, ""
    for line in body:
        first, *_, last = (line[start:end].strip() for start, end in (*edges[:-1], (edges[-1][0], None)))
        name = first.strip("`") or name
        cells[name] = f"{cells.get(name, '')} {last}"
    assert {getattr(stellarlabels, name).name for name in cells} == set(systems.available())
    for name, said in cells.items():
        system = getattr(stellarlabels, name)
        absent = {label for weights in system.available() for label in system.lacking(weights)}
        said = re.sub(r"\(.*?\)", "", said).strip().removesuffix("nothing")
        words = {word.strip() for word in said.removeprefix("[X/H] of").split(",")} - {""}
        wanted = {plots.plain(label) for label in absent}
        if said.startswith("[X/H]"):
            wanted = {word.strip("[]").removesuffix("/H") for word in wanted}
        assert words == wanted, name


def test_extras_and_bounds(project):
    assert {"test", "docs", "training", "scale"} <= set(project["optional-dependencies"])
    assert [need for need in project["dependencies"] if not re.search(r">=\d", need)] == []


def test_the_inside_of_dependencies_is_watched():
    section = (
        text_of("CONTRIBUTING.rst").split("Dependencies whose inside we use\n", 1)[1].split("Rules for tests\n")[0]
    )
    entries = section.split("\n- ")[1:]
    assert len(entries) >= 6
    for entry in entries:
        [(path, name)] = re.findall(r"``(tests/\S+\.py)::(?:\w+::)?(\w+)``", entry)
        assert f"def {name}(" in text_of(path), entry
        for module in re.findall(r"``((?:\w+/)+\w+\.py)``", entry):
            assert module.startswith("tests/") or (PACKAGE / module).is_file(), entry


def test_nobody_names_a_package_index():
    names = [".ci/run", "pyproject.toml", "tox.ini", "README.rst", "CONTRIBUTING.rst"]
    found = [name for name in names if re.search(r"--(extra-)?index|find-links|pypi\.org|simple/", text_of(name))]
    assert found == []


class TestData:
    """Data files of the package."""

    @pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.ecsv")), ids=lambda path: path.stem)
    def test_tables_say_what_they_are(self, path):
        table = Table.read(path, format="ascii.ecsv")
        assert table.meta["description"]
        if path.is_relative_to(PACKAGE / "data") and any(column.dtype.kind == "f" for column in table.itercols()):
            assert table.meta.get("reference") or all(table["reference"])

    def test_everything_is_declared_as_package_data(self):
        declared = tomllib.loads(text_of("pyproject.toml"))["tool"]["setuptools"]["package-data"]
        shipped = {path for pattern in declared["stellarlabels"] for path in PACKAGE.glob(pattern)}
        shipped |= {path for pattern in declared["*"] for path in PACKAGE.rglob(pattern)}
        files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {path for path in files if path.suffix not in (".py", ".pyc")} <= shipped
