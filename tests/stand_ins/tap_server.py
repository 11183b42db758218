"""A small TAP service within the tests: real HTTP on this machine, answers from a function, and faults on demand."""

import email.parser
import email.policy
import io
import re
import socket
import struct
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from astropy.io.votable import from_table, parse
from astropy.io.votable.tree import Info

CAPABILITIES = """<?xml version="1.0"?>
<cap:capabilities xmlns:cap="http://www.ivoa.net/xml/VOSICapabilities/v1.0"
 xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">
<interface role="std" version="1.1" xsi:type="vs:ParamHTTP"><accessURL use="base">{url}</accessURL></interface>
<language><name>ADQL</name><version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version></language>
<outputFormat ivo-id="ivo://ivoa.net/std/TAPRegExt#output-votable-td"><mime>application/x-votable+xml</mime></outputFormat>
<uploadMethod ivo-id="ivo://ivoa.net/std/TAPRegExt#upload-inline"/>
<outputLimit><default unit="row">{default}</default><hard unit="row">{hard}</hard></outputLimit></capability>
</cap:capabilities>"""
ERROR = """<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">{text}</INFO></RESOURCE></VOTABLE>"""
JOB = """<?xml version="1.0"?><uws:job version="1.1" xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<uws:jobId>{job}</uws:jobId><uws:ownerId xsi:nil="true"/><uws:phase>{phase}</uws:phase><uws:quote xsi:nil="true"/>
<uws:creationTime>2024-01-01T00:00:00Z</uws:creationTime><uws:startTime xsi:nil="true"/><uws:endTime xsi:nil="true"/>
<uws:executionDuration>3600</uws:executionDuration><uws:destruction>2099-01-01T00:00:00Z</uws:destruction>
<uws:parameters/>{end}</uws:job>"""
VOTABLE = "application/x-votable+xml"


class FakeTAP:
    """The service.

    ``answer(adql, uploads)`` gives a table, or raises; its message is what the service says. ``faults`` is a list of
    (place, fault), and the first one whose place is asked for is used up. Places are sync, async (making a job),
    run, phase, result and capabilities; faults are an HTTP status, "close" (before an answer), "drop" (in the middle
    of it), "truncate" (half of it, but complete HTTP), "html", "lie" (a table of an ERROR state) and "stall" (nothing).
    ``requests`` has the place, the parameters and the headers of every request. ``edit_job`` changes job documents.
    """

    def __init__(self, answer, hard=1_000_000, seconds=0):
        self.answer, self.hard, self.seconds = answer, hard, seconds
        self.faults, self.requests, self.jobs, self._number = [], [], {}, count(1)
        self.edit_job = str
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"tap": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tap"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        """Stop."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def places(self):
        """Where requests went, in order."""
        return [place for place, *_ in self.requests]

    def run(self, parameters, uploads):
        """HTTP status and document for a query."""
        limit = min(int(parameters.get("MAXREC", 2000)), self.hard)
        try:
            table = self.answer(parameters["QUERY"], uploads)
        except Exception as error:
            return 400, ERROR.format(text=escape(str(error))).encode()
        return 200, document(table[:limit], len(table) > limit)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):  # noqa: N802
        """Any request."""
        place, job = self.place()
        parameters, uploads = self.parameters()
        self.tap.requests.append((place, parameters, dict(self.headers)))
        fault = next((item for item in self.tap.faults if item[0] == place), None)
        if fault:
            self.tap.faults.remove(fault)
        self.fault = fault[1] if fault else None
        if self.fault == "close":
            self.close_connection = True
            # A reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif isinstance(self.fault, int):
            self.send(self.fault, b"injected", "text/plain", **({"Retry-After": "0"} if self.fault == 503 else {}))
        elif self.fault == "html":
            self.send(
                200, b"<!DOCTYPE html><html><body>Please log in to the hotel's network</body></html>", "text/html"
            )
        elif self.fault == "stall":
            self.close_connection = True
            self.tap.over.wait()
        else:
            getattr(self, f"at_{place}")(parameters, uploads, job)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def place(self):
        """What is asked for, and of which job."""
        path = urlsplit(self.path).path
        if found := re.fullmatch(r"/tap/async/(\w+)(/.*)?", path):
            if found[1] not in self.tap.jobs:
                return "nowhere", None
            last = {None: "phase", "/phase": "run", "/results/result": "result"}.get(found[2], "nowhere")
            return ("remove" if self.command == "DELETE" else last), self.tap.jobs[found[1]]
        return {"/tap/sync": "sync", "/tap/async": "async", "/tap/capabilities": "capabilities"}.get(
            path, "nowhere"
        ), None

    def parameters(self):
        """Parameters in capitals, and uploaded tables."""
        found, files = {key.upper(): value for key, value in parse_qsl(urlsplit(self.path).query)}, {}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            head = b"Content-Type: " + kind.encode() + b"\r\n\r\n"
            for part in email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts():
                name, data = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
                if part.get_filename():
                    files[name] = data
                else:
                    found[name.upper()] = data.decode()
        else:
            found |= {key.upper(): value for key, value in parse_qsl(body.decode())}
        uploads = {}
        for item in filter(None, found.get("UPLOAD", "").split(";")):
            name, address = item.split(",", 1)
            data = io.BytesIO(files[address.removeprefix("param:")])
            uploads[name] = parse(data, verify="exception").get_first_table().to_table()
        return found, uploads

    def send(self, status, body=b"", kind="text/xml", **headers):
        """An answer, with the faults of its transport."""
        length = len(body)
        if self.fault == "truncate":
            body = body[: length // 2]
            length = len(body)
        if self.fault == "drop":
            body = body[: length // 2]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if self.fault == "drop":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def at_nowhere(self, *_):
        """No such thing."""
        self.send(404, b"not found", "text/plain")

    def at_capabilities(self, *_):
        """What the service can do."""
        self.send(200, CAPABILITIES.format(url=self.tap.url, default=2000, hard=self.tap.hard).encode())

    def at_sync(self, parameters, uploads, _):
        """A query, at once."""
        status, body = self.tap.run(parameters, uploads)
        if self.fault == "lie":
            body = body.replace(b'value="OK"', b'value="ERROR"')
        self.send(status, body, VOTABLE)

    def at_async(self, parameters, uploads, _):
        """A new job."""
        number = str(next(self.tap._number))
        job = {
            "number": number,
            "phase": "PENDING",
            "arguments": (parameters, uploads),
            "url": f"{self.tap.url}/async/{number}",
        }
        self.tap.jobs[number] = job
        self.send(303, Location=job["url"])

    def at_run(self, parameters, _, job):
        """Start or end of a job."""
        if parameters.get("PHASE") == "RUN":
            job["phase"], job["start"] = "EXECUTING", time.monotonic()
            job["status"], job["body"] = self.tap.run(*job["arguments"])
        elif parameters.get("PHASE") == "ABORT":
            job["phase"] = "ABORTED"
        self.send(303, Location=job["url"])

    def at_phase(self, _, __, job):
        """How far a job is."""
        if job["phase"] == "EXECUTING" and time.monotonic() - job["start"] >= self.tap.seconds:
            job["phase"] = "COMPLETED" if job["status"] == 200 else "ERROR"
        end = "<uws:results/>"
        if job["phase"] == "COMPLETED":
            link = f"{job['url']}/results/result"
            end = f'<uws:results><uws:result id="result" xlink:href="{link}"/></uws:results>'
        if job["phase"] == "ERROR":
            said = re.search(rb'value="ERROR">(.*?)</INFO>', job["body"])[1].decode()
            end = (
                f'<uws:errorSummary type="fatal" hasDetail="true"><uws:message>{said}</uws:message></uws:errorSummary>'
            )
        text = JOB.format(job=job["number"], phase=job["phase"], end=end)
        self.send(200, self.tap.edit_job(text).encode())

    def at_result(self, _, __, job):
        """The result of a job."""
        self.send(200, job["body"], VOTABLE)

    def at_remove(self, _, __, job):
        """End of a job."""
        del self.tap.jobs[job["number"]]
        self.send(303, Location=self.tap.url)


def document(table, overflow=False):
    """A table as a service gives it; that it is cut off stands at the end."""
    file = from_table(table)
    file.resources[0].type = "results"
    file.resources[0].infos.append(Info(name="QUERY_STATUS", value="OK"))
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # of units that a VOTable does not have, as archives send them
        file.to_xml(stream)
    head, end = stream.getvalue().rsplit(b"</RESOURCE>", 1)
    return head + (b'<INFO name="QUERY_STATUS" value="OVERFLOW"/>' if overflow else b"") + b"</RESOURCE>" + end
