"""A real TAP server for the tests here: GAVO DaCHS on a PostgreSQL of its own, started once, gone afterwards."""

import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

HERE = Path(__file__).parent
POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
SQL = {
    "i8": "bigint", "i4": "integer", "i2": "smallint", "f8": "double precision", "f4": "real", "b1": "boolean",
}  # fmt: skip
UCD = {"source_id": "meta.id;meta.main", "ra": "pos.eq.ra;meta.main", "dec": "pos.eq.dec;meta.main"}


class Dachs:
    """The server.

    Its tables are imported with `import_rd` (a resource descriptor) or `load` (an astropy table).
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/tap"
        self._owner = []
        if os.getuid() == 0:
            self._owner = ["setpriv", "--reuid=dachs", "--regid=dachs", "--clear-groups"]

    @property
    def environment(self):
        """Variables for the server's own programs."""
        return {
            "HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "D": str(self.folder), "PORT": str(self.port), "OWNER": str(os.getpid()),
            "GAVOSETTINGS": str(self.folder / "gavo.rc"), "GAVOCUSTOM": "/nonexistent",
        }  # fmt: skip

    def start(self):
        """Start the server, at the same address as before."""
        self._script("up.sh")

    def stop(self, how=signal.SIGKILL):
        """Kill DaCHS; PostgreSQL stays."""
        os.killpg(int((self.folder / "serve.pid").read_text()), how)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)):
                    return
            time.sleep(0.05)
        raise RuntimeError("DaCHS does not stop")

    def close(self):
        """Stop everything."""
        self._script("down.sh")

    def import_rd(self, path, *files, schema=None):
        """Import a resource descriptor with the files that it reads.

        Its schema, which is the name of its folder, is by default that which it declares.
        """
        path = Path(path)
        schema = schema or re.search(r"<resource[^>]*\bschema=\"([^\"]+)\"", path.read_text())[1]
        folder = self._inputs(schema)
        for file in (path, *map(Path, files)):
            shutil.copy(file, folder / file.name)
        self._own(folder)
        self._run("dachs", "imp", f"{schema}/{path.stem}")

    def load(self, table, name):
        """Make a table, ``schema.name``, of an astropy table."""
        table, (schema, name) = Table(table), name.split(".")
        fields = "\n".join(self._field(column) for column in table.itercols())
        index = ' mixin="//scs#q3cindex"' if {"ra", "dec"} <= set(table.colnames) else ""
        primary = ' primary="source_id"' if len(set(table["source_id"].tolist())) == len(table) else ""
        folder = self._inputs(schema)
        (folder / f"{name}.rd").write_text(f"""<resource schema="{schema}" resdir="{schema}">
  <meta name="title">{schema}.{name}</meta><meta name="creationDate">2024-01-01T00:00:00Z</meta>
  <meta name="description">Test table</meta><meta name="creator">Nobody, N.</meta><meta name="subject">stars</meta>
  <table id="{name}" onDisk="True" adql="True"{index}{primary}>
{fields}
  </table>
  <data id="import"><make table="{name}"/></data>
</resource>""")
        self._own(folder)
        self._run("dachs", "imp", f"{schema}/{name}")
        self.fill(table, f"{schema}.{name}")

    def fill(self, table, name):
        """Add the rows of an astropy table to a table that is there; masked values are NULL, arrays are arrays."""
        rows = io.StringIO()
        csv.writer(rows).writerows(zip(*map(_text, Table(table).itercols()), strict=True))
        columns = ",".join(f'"{column}"' for column in table.colnames)
        self._psql(f"COPY {name} ({columns}) FROM STDIN CSV NULL '\\N'", rows.getvalue())
        self._psql(f"ANALYZE {name}")

    def _field(self, column):
        kind = SQL.get(column.dtype.str[1:], "text")
        unit = f' unit="{column.unit.to_string("vounit")}"' if column.unit else ""
        required = ' required="True"' if kind in ("bigint", "integer", "smallint", "boolean") else ""
        ucd = f' ucd="{UCD[column.name]}"' if column.name in UCD else ""
        return f'    <column name="{column.name}" type="{kind}"{unit}{ucd}{required} description="{column.name}"/>'

    def _inputs(self, schema):
        folder = self.folder / "gavo" / "inputs" / schema
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _own(self, folder):
        if self._owner:
            subprocess.run(["chown", "-R", "dachs", folder], check=True)

    def _psql(self, command, rows=None):
        database = ("-h", str(self.folder / "run"), "-p", "5499", "-d", "gavo", "-v", "ON_ERROR_STOP=1")
        self._run("psql", "-q", *database, "-c", command, rows=rows)

    def _script(self, name):
        # Output goes to a file: the server would keep a pipe open.
        log = self.folder / f"{name}.log"
        with log.open("w") as stream:
            done = subprocess.run(
                ["bash", HERE / name], env=self.environment, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, timeout=300, check=False,
            )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{log.read_text()}")

    def _run(self, *command, rows=None):
        done = subprocess.run(
            [*self._owner, *command], env=self.environment, input=rows, capture_output=True, text=True,
            cwd=self.folder, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


def _text(column):
    """Values as they are in a file for COPY."""
    if column.ndim > 1:
        return ["{" + ",".join(map(str, cell)) + "}" for cell in column.tolist()]
    mask = np.ma.getmaskarray(np.ma.asarray(column))
    return [r"\N" if missing else str(value) for value, missing in zip(column.tolist(), mask.tolist(), strict=True)]


def missing():
    """Why the server cannot be had here; an empty text if it can."""
    if shutil.which("dachs", path="/usr/bin:/bin") is None or not (POSTGRESQL / "initdb").exists():
        return "no DaCHS or no PostgreSQL 15: run tests/vo/install.sh as root"
    if not Path("/usr/share/postgresql/15/extension/pg_sphere.control").exists():
        return "PostgreSQL has no pg_sphere: run tests/vo/install.sh as root"
    if os.getuid() == 0:
        user = subprocess.run(["id", "dachs"], capture_output=True, check=False).returncode
        if user or shutil.which("setpriv") is None:
            return "root needs setpriv and a user dachs: run tests/vo/install.sh"
    return ""


@contextmanager
def _running():
    reason = missing()
    if reason:
        pytest.skip(reason)
    folder = tempfile.mkdtemp(prefix="dachs-", dir="/tmp")
    os.chmod(folder, 0o755)
    server = Dachs(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_dachs():
    """A function that starts a server without tables but its own; leaving its context stops it."""
    return _running


@pytest.fixture(scope="session")
def dachs(new_dachs):
    """The server that all here share, each with tables of its own."""
    with new_dachs() as server:
        yield server
