"""``stellarlabels samp``: a program sends identifiers over a real hub, and gets labels; so does a real TOPCAT."""

import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable, Table
from datalink_server import Archive
from gaia_tables import answers, served

from stellarlabels import UACSNet, catalogs, columns
from stellarlabels.files import loads
from stellarlabels.inputs.examples import xp_apogee_sample

samp = pytest.importorskip("pyvo.samp")
pytestmark = pytest.mark.vo

JAR = Path("/usr/share/java/starlink-topcat.jar")
LOAD = "table.load.votable"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of the test's own, on the loopback interface."""
    lockfile = tmp_path / "samp.lock"
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{lockfile.as_uri()}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with samp.conf.set_temp("use_internet", False):
        server = samp.SAMPHubServer(web_profile=False, addr="127.0.0.1", lockfile=str(lockfile))
        server.start()
        yield server
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", samp.SAMPWarning)
            server.stop()


@pytest.fixture
def program(hub):
    """Another program, which takes tables and notifications."""
    client = samp.SAMPIntegratedClient(name="Other", addr="127.0.0.1")
    client.connect()
    client.tables, client.told = [], []

    def load(key, sender, number, mtype, params, extra):
        client.tables.append(loads(Path(params["url"].removeprefix("file://")).read_bytes()))
        client.ereply(number, "samp.ok", result={})

    def progress(key, sender, number, mtype, params, extra):
        client.told.append(params["txt"])

    client.bind_receive_call(LOAD, load)
    client.bind_receive_notification("samp.msg.progress", progress)
    yield client
    client.disconnect()


@pytest.fixture
def service(hub, fake_tap):
    """Starts ``stellarlabels samp`` with servers on this machine; the third star has no spectrum."""
    sample = xp_apogee_sample()
    tap = fake_tap(answers(served(sample)))
    there = np.arange(len(sample)) != 2
    names = ("source_id", "flux", "flux_error")
    table = Table({name: getattr(sample[name], "value", sample[name])[there] for name in names})
    with Archive(table) as spectra:
        command = [sys.executable, "-m", "stellarlabels", "samp", "--service", tap.url, "--url", spectra.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert "waits for tables as 'stellarlabels'" in process.stdout.readline()
            yield process
            process.terminate()


def sent(client, path):
    """The answer of the service to a file."""
    public = next(key for key in client.get_subscribed_clients(LOAD)
                  if client.get_metadata(key)["samp.name"] == "stellarlabels")  # fmt: skip
    message = {"samp.mtype": LOAD, "samp.params": {"url": path.as_uri(), "name": "mine"}}
    return client.call_and_wait(public, message, timeout="300")


def test_identifiers_come_back_as_labels(service, program, tmp_path):
    sample = xp_apogee_sample()
    stars = QTable({"source_id": sample["source_id"], "note": [f"star {row}" for row in range(len(sample))]})
    catalogs.write(stars, tmp_path / "ids.vot")
    assert sent(program, tmp_path / "ids.vot")["samp.status"] == "samp.ok"
    (labels,) = program.tables
    expected = UACSNet.pretrained().predict(sample)
    np.testing.assert_array_equal(labels["source_id"], sample["source_id"])
    assert labels["note"].tolist() == stars["note"].tolist()
    assert np.ma.getmaskarray(columns.without_unit(labels["teff"])).nonzero()[0].tolist() == [2]
    there = np.arange(len(sample)) != 2
    assert np.abs(labels["teff"] - expected["teff"])[there].max() < 0.01 * expected["teff_err"].min()
    assert labels["teff"].unit == "K" and labels["teff"].info.meta["ucd"].startswith("phys.temperature")
    assert labels["teff_flag"].dtype.kind == "i"
    told = "\n".join(program.told)
    assert "mine: 600 rows came" in told and "fetching what stars 1 to 600 of 600 lack" in told
    assert program.told[-1] == "mine: 600 rows labelled"


def test_an_error_is_told_and_the_next_table_is_taken(service, program, tmp_path):
    Table({"x": [1.0]}).write(tmp_path / "none.vot", format="votable")
    answer = sent(program, tmp_path / "none.vot")
    assert answer["samp.status"] == "samp.error" and "source_id" in answer["samp.error"]["samp.errortxt"]
    for _ in range(50):  # a notification travels by itself
        if len(program.told) == 2:
            break
        time.sleep(0.1)
    assert "column 'source_id' is missing" in program.told[-1]
    catalogs.write(xp_apogee_sample()["source_id",][:3], tmp_path / "ids.vot")
    assert sent(program, tmp_path / "ids.vot")["samp.status"] == "samp.ok"
    assert len(program.tables[0]) == 3


def test_a_real_topcat(service, hub, tmp_path):
    """TOPCAT opens 600 identifiers, its menu sends them to stellarlabels, and then it has a table of labels."""
    for needed in ("Xvfb", "java", "javac"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    if not JAR.exists():
        pytest.skip("TOPCAT is not installed")
    catalogs.write(xp_apogee_sample()["source_id",], tmp_path / "stars.vot")
    display = f":{90 + os.getpid() % 900}"
    screen = subprocess.Popen(
        ["Xvfb", display, "-screen", "0", "860x560x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL
    )
    java = ["java", "-Djsamp.localhost=127.0.0.1", "-Djsamp.server.port=0", "-cp", str(JAR)]
    script = Path(__file__).parents[1] / "stand_ins" / "SendTable.java"
    environment = dict(os.environ, DISPLAY=display)
    client = samp.SAMPIntegratedClient(name="Watcher", addr="127.0.0.1")
    client.connect()
    with (tmp_path / "topcat.log").open("w") as log:
        command = [*java, str(script), str(tmp_path / "stars.vot"), "stellarlabels"]
        topcat = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            lines = []
            while not (lines and "stars are labelled" in lines[-1]):
                line = service.stdout.readline()
                assert line, ("".join(lines), (tmp_path / "topcat.log").read_text())
                lines.append(line)
            assert has_row(client, "stars.vot, labelled", 599), (tmp_path / "topcat.log").read_text()
            assert not has_row(client, "stars.vot, labelled", 600, tries=1)
        finally:
            client.disconnect()
            topcat.terminate()
            topcat.wait(20)
            screen.terminate()
            screen.wait(10)


def has_row(client, title, row, tries=60):
    """Whether TOPCAT has a table with such a row."""
    message = {
        "samp.mtype": "table.highlight.row",
        "samp.params": {"table-id": f"stellarlabels:{title}", "row": str(row)},
    }
    for _ in range(tries):
        for key in client.get_registered_clients():
            there = client.get_metadata(key).get("samp.name") == "topcat"
            if there and client.call_and_wait(key, message, timeout="20")["samp.status"] == "samp.ok":
                return True
        time.sleep(0.5)
    return False
