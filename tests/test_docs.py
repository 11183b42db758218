"""What the pages of the documentation show does what they say; the tutorials run when the documentation is built."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table

from stellarlabels import SolarDis, UACSNet, catalogs, cli
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample

DOCS = Path(__file__).parents[1] / "docs"
#: Pages that are for whoever changes the package, or are made from what users do not read first.
NOT_FOR_USERS = {"development", "papers", "api", "gallery", "_build"}
PAGES = sorted(path for path in DOCS.rglob("*.rst") if path.relative_to(DOCS).parts[0] not in NOT_FOR_USERS)


def text_of(page):
    return (DOCS / f"{page}.rst").read_text(encoding="utf-8")


def blocks_of(page, directive="code-block:: python"):
    """Contents of the blocks of a page."""
    found = re.findall(rf"^\.\. {directive}.*\n\n((?:   .*\n|\n)+)", text_of(page), flags=re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestFirstLines:
    """The first page."""

    @pytest.fixture
    def code(self):
        [block] = blocks_of("index", "drawn::")
        return block

    def test_there_are_six(self, code):
        assert len(ast.parse(code).body) == 6

    def test_they_draw_and_write(self, code, folder):
        from matplotlib import pyplot

        names = {}
        exec(code, names)
        assert "dex" in pyplot.gcf().axes[-1].get_ylabel()  # the color bar is [Fe/H]
        pyplot.close("all")
        written = catalogs.read("labels.vot")
        assert len(written) == len(xp_apogee_sample()) == 600
        np.testing.assert_array_equal(written["source_id"], xp_apogee_sample()["source_id"])


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.MissingUnitWarning")
def test_the_first_ten_minutes(folder):
    names = {}
    for block in blocks_of("getting_started/quickstart"):
        exec(block, names)
    assert 0 < len(names["metal_poor"]) < len(names["good"]) < 600
    assert names["labels"]["source_id"].dtype == np.int64
    np.testing.assert_array_equal(names["labels"]["source_id"], catalogs.read("labels.vot")["source_id"])


@pytest.mark.parametrize("system", ["uacsnet", "uncertain", "csnet", "solardis", "spcanet"])
def test_examples_of_systems(system, folder):
    names = {}
    exec(next(block for block in blocks_of(f"user_guide/systems/{system}") if "predict(" in block), names)
    assert len(names.get("good", names["labels"])) >= 25


SECTIONS = ["What it takes", "What it gives", "Weights", "Where they hold", "Example", "Differences from the paper"]


@pytest.mark.parametrize("system", ["uacsnet", "uncertain", "csnet", "spcanet", "solardis"])
def test_pages_of_systems_are_alike(system):
    titles = re.findall(r"^(.+)\n-+$", text_of(f"user_guide/systems/{system}"), flags=re.MULTILINE)
    assert titles[: len(SECTIONS)] == SECTIONS


class TestTroubleshooting:
    """The messages of the page are those that come."""

    @staticmethod
    def stars():
        return xp_apogee_sample()[:12]

    def no_spectra(self):
        UACSNet.pretrained().predict(self.stars()["source_id", "phot_g_mean_mag"])

    def rounded(self):
        stars = Table(self.stars()["source_id", "flux", "flux_error"])
        stars["source_id"] = np.asarray(stars["source_id"], dtype=float)
        UACSNet.pretrained().predict(stars)

    def array(self):
        UACSNet.pretrained().predict(np.zeros((3, 343)))

    def temperature(self):
        labels = UACSNet.pretrained().predict(self.stars())
        assert np.all((labels["teff"] > 5000 * u.K) == (labels["teff"].value > 5000))
        labels["teff"] > 5000  # noqa: B015

    def written_twice(self):
        for _ in range(2):
            catalogs.write(self.stars()["source_id", "ra"], "stars.fits")

    def medium_resolution(self):
        SolarDis.pretrained().predict(mrs_synthetic_sample()[:2])

    def zero_point(self):
        UACSNet.pretrained().distances(self.stars())

    def nothing_to_learn(self):
        UACSNet("paper", epochs=1).fit(self.stars()["source_id", "flux", "flux_error", "feh"])

    #: What brings each message, in the order of the page.
    CAUSES = (
        "no_spectra",
        "rounded",
        "array",
        "temperature",
        "written_twice",
        "medium_resolution",
        "zero_point",
        "nothing_to_learn",
    )

    @pytest.mark.parametrize(("number", "cause"), list(enumerate(CAUSES)))
    def test_message(self, number, cause, folder):
        messages = re.findall(r"^   \* - ``(.+)``$", text_of("user_guide/troubleshooting"), flags=re.MULTILINE)
        assert len(messages) == len(self.CAUSES)
        with pytest.raises(Exception, match=re.escape(messages[number])):
            getattr(self, cause)()


class TestBatch:
    """The scripts for batch systems."""

    @pytest.fixture
    def scripts(self):
        return blocks_of("user_guide/batch", "code-block:: bash")

    @pytest.mark.slow
    def test_a_task_labels_its_file(self, scripts, folder):
        sample = xp_apogee_sample()
        (folder / "spectra").mkdir()
        for number in range(2):
            part = sample[20 * number : 20 * number + 20]["source_id", "flux", "flux_error"]
            catalogs.write(part, folder / "spectra" / f"part{number}.fits")
        (folder / "bin").mkdir()
        program = folder / "bin" / "stellarlabels"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stellarlabels "$@"\n')
        program.chmod(0o755)
        environment = os.environ | {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(DOCS.parent),
            "SLURM_ARRAY_TASK_ID": "1",
            "SLURM_CPUS_PER_TASK": "1",
        }
        subprocess.run(["bash", "-euc", scripts[0]], env=environment, check=True, capture_output=True)
        assert [path.name for path in (folder / "labels").iterdir()] == ["part1.parquet"]
        labels = catalogs.read(folder / "labels" / "part1.parquet")
        np.testing.assert_array_equal(labels["source_id"], sample["source_id"][20:40])

    def test_all_are_valid(self, scripts):
        assert len(scripts) == 3
        for script in scripts:
            subprocess.run([shutil.which("bash"), "-n", "-c", script], check=True)
            for words in re.findall(r"^stellarlabels (.+)$", script, flags=re.MULTILINE):
                words = shlex.split(words)
                cli._parser(words[0]).parse_args(["8" if word.startswith("$") else word for word in words])


def test_all_verbs_on_the_command_line_exist():
    for page in PAGES:
        for verb in re.findall(r"^ +(?:\$ )?stellarlabels ([a-z]+) ", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert verb in cli._VERBS, (page.name, verb)


def test_pages_are_in_plain_words():
    private = r"\b(rooms?|walks?|dress(ed)?|honest(y|ly)?)\b"
    found = {page.name: re.findall(private, page.read_text(encoding="utf-8")) for page in PAGES}
    assert {name: words for name, words in found.items() if words} == {}


def test_old_addresses_lead_to_pages():
    names = {"__file__": str(DOCS / "conf.py")}
    text = (DOCS / "conf.py").read_text(encoding="utf-8")
    exec(text[text.index("redirects = {") :], names)
    assert len(names["redirects"]) >= 20
    for old, new in names["redirects"].items():
        assert not (DOCS / f"{old}.rst").exists()
        assert (DOCS / new).with_suffix(".rst").is_file(), (old, new)
