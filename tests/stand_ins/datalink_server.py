"""A DataLink service within the tests: real HTTP on this machine, the archive's replies, and faults on demand."""

import io
import zipfile
from urllib.parse import parse_qs

import numpy as np
from local_server import LocalServer


class Archive(LocalServer):
    """A DataLink service with a table of spectra, which can be told to fail."""

    def __init__(self, table, name="XP_SAMPLED_RAW.fits"):
        super().__init__()
        self.url += "/data-server"
        self.table, self.name = table, name
        self.requests, self.faults, self.reply = [], [], None

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        request = {key: values[0] for key, values in parse_qs(body).items()}
        self.requests.append((handler.path, request))
        fault = self.faults.pop(0) if self.faults else None
        content = self.reply or self.zipped(request["ID"].split(","))
        status, length = 200, None
        if fault == "drop":
            handler.connection.close()
            return
        if fault == "stall":  # no answer while anybody waits for it
            self.over.wait()
            return
        if isinstance(fault, int):
            status, content = fault, b"<html><body>not  now</body></html>"
        if fault == "truncate":
            content, length = content[: len(content) // 2], len(content)
        if fault == "html":
            content = b"<html>maintenance</html>"
        if fault == "garbage":
            content = content[:60] + bytes(200) + content[260:]
        handler.send_response(status)
        handler.send_header("Content-Length", str(length or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def zipped(self, names):
        rows = np.isin(self.table["source_id"], np.array(names, dtype=np.int64))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            if rows.any():
                table = io.BytesIO()
                self.table[rows].write(table, format="fits")
                archive.writestr(self.name, table.getvalue())
        return out.getvalue()

    @property
    def asked(self):
        """How many stars each request was for."""
        return [len(request["ID"].split(",")) for _, request in self.requests]
