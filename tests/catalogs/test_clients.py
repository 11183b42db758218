"""What STILTS and TOPCAT, which know nothing of this library, see in our files."""

import os
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.columns import units, without_unit

pytestmark = pytest.mark.vo

#: Formats that Debian's STILTS and TOPCAT read.
FORMATS = {"fits": "fits", "fits-plus": "fits-plus", "votable": "votable", "votable.tabledata": "votable"}
NAMES = schemas.available()


#: STILTS, and the same commands run inside TOPCAT, without a screen.
PROGRAMS = {"stilts": ["stilts"], "topcat": ["topcat", "-stilts"]}


def stilts(*arguments, program="stilts"):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [*PROGRAMS[program], *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(example, tmp_path_factory):
    """A catalog in each format, written by us; and what STILTS makes of each: a VOTable and a description in ECSV."""
    made = {}
    for name in ("csnet", "uncertain"):
        folder = tmp_path_factory.mktemp(name)
        for ours in FORMATS:
            path = folder / f"{ours}.{'fits' if 'fits' in ours else 'vot'}"
            catalogs.write(example(name), path, name, format=ours)
            made[name, ours] = path
    return made


def meta(path, kind, program):
    """Name, unit, UCD and description of each column as a client shows them."""
    command = ("tpipe", f"in={path}", f"ifmt={kind}", "cmd=meta name units ucd description", "omode=out", "ofmt=csv")
    text = stilts(*command, program=program)
    rows = Table.read(text.splitlines(), format="ascii.csv", converters={"*": [str]})
    return [[("" if value is np.ma.masked else str(value)) for value in row] for row in rows]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("ours", FORMATS)
@pytest.mark.parametrize("name", ["csnet", "uncertain"])
def test_clients_see_the_same_values_and_nulls(name, ours, program, written, example, tmp_path):
    expected = example(name)
    out = tmp_path / "x.fits"
    command = ("tpipe", f"in={written[name, ours]}", f"ifmt={FORMATS[ours]}", f"out={out}", "ofmt=fits-basic")
    stilts(*command, program=program)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        found = Table.read(out)
    assert found.colnames == expected.colnames
    for column in expected.colnames:
        left, right = without_unit(expected[column]), np.ma.asarray(found[column])
        mask = np.ma.getmaskarray(left)
        if left.dtype.kind == "f":
            assert right.dtype.itemsize == left.dtype.itemsize
            right = np.ma.filled(right, np.nan).astype(left.dtype)
            assert left.filled(np.nan).tobytes() == right.tobytes(), column
            continue
        if left.dtype.kind == "U":
            right = np.ma.masked_equal(right.filled("").astype(str), "")
        if left.dtype.kind == "i" and left.ndim > 1:  # its arrays of integers have no nulls, but what stands for them
            assert (right.data == left.filled(np.iinfo(left.dtype).min)).all()
            continue
        assert (np.ma.getmaskarray(right) == mask).all(), column
        assert (right.data[~mask] == left.data[~mask]).all(), column


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("ours", FORMATS)
def test_clients_see_the_same_units_ucds_and_descriptions(ours, program, written):
    dialect = "fits" if ours == "fits" else "vounit"
    expected = [
        [item.name, units.spell(item.unit, dialect, item.name), item.ucd, item.description]
        for item in schemas.get("csnet")
    ]
    assert meta(written["csnet", ours], FORMATS[ours], program) == expected


@pytest.mark.parametrize("ours", ["fits", "fits-plus"])
def test_fits_is_valid_and_carries_no_serialization(ours, written, example):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(written["csnet", ours], checksum=True) as hdus:
            hdus.verify("exception")
            assert all(hdu.verify_checksum() == 1 and hdu.verify_datasum() == 1 for hdu in hdus)
            assert "SERIALIZED" not in hdus[1].header.tostring()
            integers = [
                column
                for column in example("csnet").itercols()
                if column.dtype.kind == "i" and np.ma.getmaskarray(without_unit(column)).any()
            ]
            assert len(hdus[1].header["TNULL*"]) == len(integers) > 0
            if ours == "fits-plus":
                header = hdus[0].data.tobytes().decode("utf-8")
                raw = written["csnet", ours].read_bytes()[:400].decode("ascii")
                cards = [raw[first : first + 8].strip() for first in range(0, 400, 80)]
                assert cards == ["SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "VOTMETA"]  # TOPCAT looks for this order
                assert header.count("<FIELD") == len(schemas.get("csnet"))


@pytest.mark.parametrize("name", NAMES)
def test_all_units_are_vounits(name):
    for item in schemas.get(name):
        text = units.spell(item.unit, "vounit", item.name)
        if text:
            u.Unit(text, format="vounit")


def test_votlint_finds_no_error_with_values(written):
    for ours in ("votable", "votable.tabledata"):
        for name in ("csnet", "uncertain"):
            assert "ERROR" not in stilts("votlint", written[name, ours])


def test_topcat_loads_the_files(written, tmp_path):
    """A TOPCAT without a screen takes each file over SAMP and confirms it."""
    missing = [program for program in ("topcat", "Xvfb", "unshare", "ip") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    lock = f"std-lockurl:file://{tmp_path}/samp.lock"
    home = tmp_path / "home"
    home.mkdir()
    paths = [str(written["csnet", ours]) for ours in FORMATS]
    folders = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(home))
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "sh", "-c", "ip link set lo up 2>/dev/null; exec \"$@\"", "sh",
         sys.executable, "-c", TOPCAT, *paths],
        env={**os.environ, **folders, "SAMP_HUB": lock},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    if "Operation not permitted" in done.stderr:
        pytest.skip("no network namespaces here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if "INFO" not in line] == ["samp.ok"] * len(paths)


TOPCAT = """
import os, subprocess, sys, time
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf
conf.use_internet = False
hub = SAMPHubServer(web_profile=False, addr="127.0.0.1", lockfile=os.environ["SAMP_HUB"].partition("file://")[2])
hub.start()
client = SAMPIntegratedClient(name="test", addr="127.0.0.1")
client.connect()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
display = f":{os.getpid() % 500 + 100}"
screen = subprocess.Popen(["Xvfb", display, "-screen", "0", "800x600x24", "-nolisten", "tcp"], **quiet)
time.sleep(1)
options = ["-Djsamp.localhost=127.0.0.1", "-Djsamp.server.port=0"]
topcat = subprocess.Popen(["topcat", *options], env={**os.environ, "DISPLAY": display}, **quiet)
try:
    found, end = None, time.time() + 120
    while found is None and time.time() < end:
        time.sleep(0.5)
        for other in client.get_registered_clients():
            try:
                if "table.load.fits" in client.get_subscriptions(other):
                    found = other
            except Exception:
                pass
    for path in sys.argv[1:]:
        kind = "table.load.fits" if path.endswith(".fits") else "table.load.votable"
        message = {"samp.mtype": kind, "samp.params": {"url": f"file://{path}", "table-id": path, "name": path}}
        answer = client.call_and_wait(found, message, timeout="60")
        print(answer["samp.status"], flush=True)
finally:
    topcat.terminate()
    client.disconnect()
    hub.stop()
    topcat.wait(20)
    screen.terminate()
    screen.wait(20)
"""
