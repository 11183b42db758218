"""Tables between two programs on this machine, through a real hub; and to a real TOPCAT where there is one."""

import os
import shutil
import subprocess
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable

from stellarlabels import columns
from stellarlabels.archive.samp import receive, send_to_topcat
from stellarlabels.exceptions import InputError, ReadError, SampError

samp = pytest.importorskip("pyvo.samp")

BIG = 2**62 + 1


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of the test's own, on the loopback interface."""
    lockfile = tmp_path / "samp.lock"
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{lockfile.as_uri()}")
    monkeypatch.setenv("HOME", str(tmp_path))
    with samp.conf.set_temp("use_internet", False):
        server = samp.SAMPHubServer(web_profile=False, addr="127.0.0.1", lockfile=str(lockfile))
        server.start()
        yield server
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", samp.SAMPWarning)  # of clients that are gone already
            server.stop()


@pytest.fixture
def client(hub):
    """Another program."""
    client = samp.SAMPIntegratedClient(name="Other", addr="127.0.0.1")
    client.connect()
    yield client
    client.disconnect()


def stars():
    """Every kind of column."""
    out = QTable()
    out["source_id"] = columns.column("source_id").dress(np.ma.MaskedArray([BIG, 5, 7], mask=[False, False, True]))
    out["teff"] = columns.column("teff").dress(np.ma.MaskedArray([5000.1, 0, 1], mask=[False, True, False]))
    out["feh"] = columns.column("feh").dress(np.array([-1.1, 0.2, 1]))
    out["feh_flag"] = columns.label_columns("feh")[2].dress(np.array([0, 64, 3]))
    out["phot_g_mean_flux"] = columns.column("phot_g_mean_flux").dress(np.array([1.5, 2, 3]))
    out["flux"] = columns.column("flux").dress(np.linspace(0, 1e-16, 3 * 343).reshape(3, 343))
    out["small"] = MaskedColumn(np.array([1, 2, 3], dtype=np.int16), mask=[True, False, False])
    out["single"] = np.array([0.1, 0.2, 0.3], dtype=np.float32) * u.mag
    out["ok"] = MaskedColumn([True, False, True], mask=[False, False, True])
    out["name"] = MaskedColumn(["a < b & c", "HD é 1", ""], mask=[False, False, True])
    out.meta["name"] = "my stars"
    return out


def assert_same(got, expected):
    assert got.colnames == expected.colnames
    for name in expected.colnames:
        one, other = got[name], expected[name]
        assert one.unit == other.unit or str(one.unit) == str(other.unit), name
        assert one.info.description == other.info.description, name
        assert (one.info.meta or {}).get("ucd") == (other.info.meta or {}).get("ucd"), name
        one, other = columns.without_unit(one), columns.without_unit(other)
        assert one.dtype == other.dtype, name
        np.testing.assert_array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(other), name)
        np.testing.assert_array_equal(one.compressed(), other.compressed(), name)


def subscribers(count, client, stop):
    """Wait until so many other programs take tables."""
    while len(client.get_subscribed_clients("table.load.votable")) < count:
        assert not stop.wait(0.02), "the receiver did not come up"


@pytest.fixture
def receiver(hub, client):
    """A function that starts `receive` in a thread and returns its future when it is listening."""
    stop = threading.Event()
    timer = threading.Timer(120, stop.set)
    timer.start()
    with ThreadPoolExecutor(1) as pool:

        def start(**options):
            future = pool.submit(receive, **{"timeout": 20, **options})
            subscribers(1, client, stop)
            return future

        yield start
    timer.cancel()


class TestRoundTrip:
    """From one client of the hub to another."""

    def test_everything_is_kept(self, receiver):
        future = receiver(name="here")
        assert send_to_topcat(stars(), client="HERE") == ["here"]
        got = future.result(20)
        assert_same(got, stars())
        assert got["source_id"][0] == BIG and got["source_id"].dtype == np.int64
        assert got.meta["name"] == "my stars" and got.meta["sender"] == "stellarlabels"

    def test_to_all_programs(self, receiver):
        future = receiver(name="one")
        assert send_to_topcat(stars()[:1], client=None, name="given") == ["one"]
        assert future.result(20).meta["name"] == "given"

    def test_a_notification_is_taken_too(self, receiver, client, tmp_path):
        from stellarlabels.files import dumps

        (tmp_path / "stars.vot").write_bytes(dumps(stars()))
        future = receiver()
        url = (tmp_path / "stars.vot").as_uri()
        client.notify_all({"samp.mtype": "table.load.votable", "samp.params": {"url": url, "table-id": "t1"}})
        got = future.result(20)
        assert_same(got, stars())
        assert got.meta["name"] == "t1" and got.meta["sender"] == "Other"

    def test_the_table_is_not_changed(self, receiver):
        table = stars()
        future = receiver(name="here")
        send_to_topcat(table, client="here")
        future.result(20)
        assert_same(table, stars())


class TestFailures:
    """An error says what was missing; the other side is told."""

    def test_no_hub(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'none').as_uri()}")
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(SampError, match="no SAMP hub is running; start TOPCAT"):
            send_to_topcat(stars())
        with pytest.raises(SampError, match="no SAMP hub"):
            receive(timeout=0.1)

    def test_no_such_program(self, receiver):
        future = receiver(name="here")
        with pytest.raises(SampError, match=r"'topcat' takes tables; those that do: \['here'\]"):
            send_to_topcat(stars())
        send_to_topcat(stars(), client="here")
        future.result(20)

    def test_nothing_comes(self, hub):
        with pytest.raises(SampError, match=r"no table came within 0\.1 s"):
            receive(timeout=0.1)

    def test_a_program_that_refuses(self, client):
        def refuse(key, sender, number, mtype, params, extra):
            client.ereply(number, "samp.error", error={"samp.errortxt": "out of memory"})

        client.bind_receive_call("table.load.votable", refuse)
        with pytest.raises(SampError, match="Other could not load the table: out of memory"):
            send_to_topcat(stars(), client="Other")

    def test_a_program_that_does_not_answer(self, client):
        client.bind_receive_call("table.load.votable", lambda *message: None)
        with pytest.raises(SampError, match="Other gave no answer within 1 s"):
            send_to_topcat(stars(), client="Other", timeout=1)

    def test_wrong_timeout(self, client):
        client.bind_receive_call("table.load.votable", lambda *message: None)
        with pytest.raises(InputError, match="timeout"):
            send_to_topcat(stars(), client="Other", timeout=0)

    @pytest.mark.parametrize(
        ("url", "error", "reason"),
        [
            ("{folder}/bad.vot", ReadError, "table from Other: damaged"),
            ("{folder}/none.vot", SampError, "could not be fetched"),
            ("ftp://127.0.0.1/x", SampError, "expected an address"),
            ("", SampError, "expected an address"),
        ],
    )
    def test_what_cannot_be_read(self, receiver, client, tmp_path, url, error, reason):
        (tmp_path / "bad.vot").write_text("<VOTABLE><RESOURCE>")
        future = receiver(name="here")
        public = next(iter(client.get_subscribed_clients("table.load.votable")))
        params = {"url": url.format(folder=tmp_path.as_uri())}
        reply = client.call_and_wait(public, {"samp.mtype": "table.load.votable", "samp.params": params}, timeout="10")
        assert reply["samp.status"] == "samp.error" and reason in reply["samp.error"]["samp.errortxt"]
        with pytest.raises(error, match=reason):
            future.result(20)


@pytest.fixture
def topcat(hub, tmp_path):
    """A running TOPCAT without a screen."""
    for program in ("topcat", "Xvfb"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    display = f":{90 + os.getpid() % 900}"
    screen = subprocess.Popen(
        ["Xvfb", display, "-screen", "0", "800x600x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL
    )
    environment = dict(os.environ, DISPLAY=display, XDG_CONFIG_HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    with (tmp_path / "topcat.log").open("w") as log:
        command = ["topcat", "-Djsamp.localhost=127.0.0.1", "-Djsamp.server.port=0"]
        program = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        yield program
        program.terminate()
        program.wait(20)
    screen.terminate()
    screen.wait(10)


@pytest.mark.vo
def test_a_real_topcat(topcat, client, tmp_path):
    """TOPCAT loads the table; it knows it afterwards, and says so of no other."""
    names = []
    for _ in range(90):
        try:
            names = send_to_topcat(stars(), timeout=30)
            break
        except SampError as error:
            assert "takes tables" in str(error), error
            time.sleep(1)
    assert names == ["topcat"], (tmp_path / "topcat.log").read_text()
    ours = [key for key in client.get_registered_clients() if client.get_metadata(key).get("samp.name") == "topcat"]
    replies = {}
    for table in ("stellarlabels:none", "stellarlabels:my stars"):
        message = {"samp.mtype": "table.highlight.row", "samp.params": {"table-id": table, "row": "1"}}
        for _ in range(20):  # its window has the table a moment after it was loaded
            replies[table] = client.call_and_wait(ours[0], message, timeout="20")["samp.status"]
            if replies[table] == "samp.ok" or table.endswith("none"):
                break
            time.sleep(0.5)
    assert replies == {"stellarlabels:none": "samp.error", "stellarlabels:my stars": "samp.ok"}
