"""LAMOST's archive of spectra within the tests: real HTTP on this machine, the survey's own files, faults on demand."""

import gzip
from urllib.parse import parse_qs, urlsplit

from local_server import LocalServer

from stellarlabels.inputs.lamost.files import obsid_of


class LamostArchive(LocalServer):
    """Serves files by obsid, of the resolution that the address names; a token is asked for if one is given.

    ``faults`` is used up one by one: an HTTP status, "drop", "truncate", "page", or "other" (another star's file).
    """

    def __init__(self, paths, token=None):
        super().__init__()
        self.files = {}
        for path in paths:
            kind = "medspectrum" if path.name.startswith("med-") else "spectrum"
            self.files.setdefault((kind, obsid_of(path)), path)
        self.token, self.faults, self.requests = token, [], []

    def answer(self, handler):
        address = urlsplit(handler.path)
        kind, _, obsid = address.path.strip("/").split("/")
        self.requests.append((kind, int(obsid)))
        fault = self.faults.pop(0) if self.faults else None
        if fault == "stall":
            self.over.wait()
            return
        if fault == "drop":
            handler.connection.close()
            return
        path = self.files.get((kind, int(obsid)))
        status, content = (200, path.read_bytes()) if path else (404, b"none")
        if self.token and parse_qs(address.query).get("token") != [self.token]:
            status, content = 200, b"<html><body>Please login</body></html>"
        if isinstance(fault, int):
            status = fault
        if fault == "truncate":
            content = gzip.compress(gzip.decompress(content)[:9000]) if path.suffix == ".gz" else content[:9000]
        if fault == "page":
            content = b"<html><body>maintenance</body></html>"
        if fault == "other":
            content = next(other for name, other in self.files.items() if name != (kind, int(obsid))).read_bytes()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
