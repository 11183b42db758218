"""A small archive on this machine for the tutorials: the package's own sample of real stars behind real protocols.

It knows one table, the stars of the sample, and of ADQL only what the query of the tutorial says: TOP, BETWEEN and a
cone. Spectra come from its DataLink service.
"""

import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.parse import parse_qs

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from stellarlabels.files import dumps
from stellarlabels.inputs.examples import xp_apogee_sample

_NUMBER = r"\(?(-?[\d.e+-]+)\)?"


class LocalArchive:
    """A TAP and a DataLink service on the loopback interface."""

    def __init__(self):
        self.stars = xp_apogee_sample()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                request = {key.upper(): values[0] for key, values in parse_qs(body).items()}
                content = outer.query(request["QUERY"]) if "QUERY" in request else outer.spectra(request["ID"])
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        address = f"http://127.0.0.1:{self._server.server_port}"
        self.tap, self.datalink = f"{address}/tap", f"{address}/data-server"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def query(self, adql):
        """The reply to a query, a VOTable."""
        stars = self.stars.copy()
        stars["bp_rp"] = stars["phot_bp_mean_mag"] - stars["phot_rp_mean_mag"]
        keep = np.ones(len(stars), dtype=bool)
        for name, low, high in re.findall(rf"g\.(\w+) BETWEEN {_NUMBER} AND {_NUMBER}", adql):
            keep &= (stars[name].value >= float(low)) & (stars[name].value <= float(high))
        for ra, dec, radius in re.findall(rf"CIRCLE\('ICRS', {_NUMBER}, {_NUMBER}, {_NUMBER}\)", adql):
            center = SkyCoord(float(ra) * u.deg, float(dec) * u.deg)
            keep &= SkyCoord(stars["ra"], stars["dec"]).separation(center) <= float(radius) * u.deg
        asked = re.findall(r"\b[gm]\.(\w+)", adql.split("FROM")[0])
        top = re.search(r"SELECT TOP (\d+)", adql)
        found = stars[[name for name in asked if name in stars.colnames]][keep]
        return dumps(found[: int(top[1])] if top else found)

    def spectra(self, names):
        """The reply to a request for spectra, a zip archive with a FITS table."""
        rows = np.isin(np.asarray(self.stars["source_id"]), np.array(names.split(","), dtype=np.int64))
        chosen = self.stars[rows]
        table = Table({"source_id": chosen["source_id"], "flux": chosen["flux"], "flux_error": chosen["flux_error"]})
        out, content = BytesIO(), BytesIO()
        table.write(content, format="fits")
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("XP_SAMPLED_RAW.fits", content.getvalue())
        return out.getvalue()
