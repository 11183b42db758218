"""A write that is killed, or meets a full disk, leaves no half file and says what happened."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
import numpy as np
from astropy.table import QTable
from stellarlabels import catalogs
from stellarlabels.catalogs.bundle import export
from stellarlabels.exceptions import WriteError

rows, folder = 40_000, sys.argv[1]
table = QTable({"n": np.arange(rows), **{f"x{i}": np.random.default_rng(i).random(rows) for i in range(10)}})


def write(name):
    if name == "stream":
        with catalogs.stream(f"{folder}/x", format="fits", overwrite=True) as writer:
            for first in range(0, rows, 10_000):
                writer.append(table[first : first + 10_000])
    elif name == "bundle":
        export(table, f"{folder}/x", name="x")
    else:
        catalogs.write(table, f"{folder}/x", format=name, overwrite=True)
"""
FOR_EVER = """
print("ready", flush=True)
while True:
    write(sys.argv[2])
"""
#: Files of more than one megabyte cannot be written, as on a full disk.
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
for name in sys.argv[2:]:
    try:
        write(name)
    except WriteError as error:
        print(name, error)
"""


@pytest.mark.parametrize("name", ["fits", "stream"])
def test_a_killed_write_leaves_the_old_file(name, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + FOR_EVER, tmp_path, name], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    for _ in range(4000):  # until something is being written
        if any(item != path and item.stat().st_size for item in list(tmp_path.iterdir()) if item.exists()):
            break
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_bytes() == b"old" or path.stat().st_size > 40_000 * 88, "a half file has the final name"


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path):
    names = ["fits", "fits-plus", "votable", "votable.tabledata", "parquet", "mrt", "stream", "bundle"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + FULL, tmp_path, *names], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == names
    for line in lines:
        assert "path: " in line and str(tmp_path) in line and "File too large" in line
    assert not list(tmp_path.iterdir())
