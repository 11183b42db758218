"""Two runs in one folder, and what killed ones leave."""

import subprocess
import sys
import time

import pytest

from stellarlabels.exceptions import InputError
from stellarlabels.files import replacing
from stellarlabels.runs import RUNNING, alone_in, empty

#: Is at work in a folder, and writes a file, until it is killed.
HOLD = """
import sys, time
from pathlib import Path
from stellarlabels.files import replacing
from stellarlabels.runs import alone_in

folder, path = map(Path, sys.argv[1:])
with alone_in(folder), replacing(path) as stream:
    stream.write(b"half")
    stream.flush()
    (folder / "ready").touch()
    time.sleep(300)
"""


def test_a_second_run_is_told_and_a_killed_one_leaves_nothing(tmp_path):
    folder, path = tmp_path / "x.parts", tmp_path / "x"
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder, path])
    try:
        while not (folder / "ready").exists():
            assert process.poll() is None
            time.sleep(0.02)
        told = pytest.raises(InputError, match=r"store: another run is at work in .*x\.parts; wait for it")
        with told, alone_in(folder, "store"):
            pass
        with replacing(tmp_path / "x.more") as stream:  # removes nothing of another name
            stream.write(b"more")
        assert len(list(tmp_path.glob(".x.*.part"))) == 1 and not path.exists()
    finally:
        process.kill()
        process.wait()
    with alone_in(folder):
        assert (folder / "ready").exists()
        empty(folder)
        assert [item.name for item in folder.iterdir()] == [RUNNING]
    assert not folder.exists()
    with replacing(path) as stream:
        stream.write(b"whole")
    assert path.read_bytes() == b"whole" and not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="target: the folder .* cannot be made"), alone_in(tmp_path / "file" / "x"):
        pass
