"""The TAP client against a real server: DaCHS, with STILTS as an independent second client."""

import shutil
import subprocess
import threading

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from astropy.utils.masked import Masked

from stellarlabels import exceptions
from stellarlabels.archive import TAP
from stellarlabels.archive.tap import Retry
from stellarlabels.tables.crossmatch import crossmatch

pytestmark = pytest.mark.vo

STARS, UPLOADED = 200_000, 50_000
RADIUS = 1 * u.arcsec
CONE = "1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 56.75, 24.1, 0.2))"
QUERY = f"SELECT source_id, ra, dec, parallax, phot_g_mean_mag FROM field.stars WHERE {CONE}"
JOIN = (
    "SELECT u.upload_row, b.source_id, b.phot_g_mean_mag FROM field.stars AS b JOIN TAP_UPLOAD.stars AS u "
    "ON 1 = CONTAINS(POINT('ICRS', b.ra, b.dec), CIRCLE('ICRS', u.ra, u.dec, 0.000277))"
)


@pytest.fixture(scope="module")
def sky():
    """A field as dense as the Galactic plane, and stars near its stars: some with none, some with several."""
    random = np.random.default_rng(4)
    ra, dec = 56.75 + random.uniform(-0.5, 0.5, STARS), 24.1 + random.uniform(-0.5, 0.5, STARS)
    stars = QTable({"source_id": random.permutation(STARS).astype(np.int64) * 2**35 + 2**60 + 1})
    stars["ra"], stars["dec"] = ra * u.deg, dec * u.deg
    stars["parallax"] = random.normal(1, 2, STARS).astype(np.float32) * u.mas
    stars["phot_g_mean_mag"] = random.uniform(8, 20, STARS).astype(np.float32) * u.mag
    chosen = random.choice(STARS, UPLOADED, replace=False)
    away, angle = random.uniform(0, 2, UPLOADED) / 3600, random.uniform(0, 2 * np.pi, UPLOADED)
    uploaded = QTable({"name": np.arange(UPLOADED).astype(str)})
    uploaded["ra"] = (ra[chosen] + away * np.sin(angle) / np.cos(np.radians(dec[chosen]))) * u.deg
    uploaded["dec"] = (dec[chosen] + away * np.cos(angle)) * u.deg
    uploaded["ra"] = Masked(uploaded["ra"], mask=np.arange(UPLOADED) % 5000 == 17)
    return stars, uploaded


@pytest.fixture(scope="module")
def server(dachs, sky):
    """The server with the field as a table."""
    dachs.load(sky[0], "field.stars")
    return dachs


@pytest.fixture(scope="module")
def truth(sky):
    """Rows of the stars in the cone."""
    stars = sky[0]
    near = np.cos(stars["dec"]) * np.cos(24.1 * u.deg) * np.cos(stars["ra"] - 56.75 * u.deg)
    near = near + np.sin(stars["dec"]) * np.sin(24.1 * u.deg) > np.cos(0.2 * u.deg)
    return sorted_rows(stars[near], "source_id")


@pytest.fixture(scope="module")
def local(sky):
    """Pairs that the library's own crossmatch finds, with their separations."""
    stars, uploaded = sky
    pairs = crossmatch(uploaded, stars, RADIUS, find="all")
    pairs = pairs[~np.ma.getmaskarray(np.ma.asarray(pairs["match_row"]))]
    columns = pairs["name"].astype(int), pairs["source_id"], np.asarray(pairs["separation"].to_value(u.arcsec))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {(row, source): apart for row, source, apart in rows}


@pytest.fixture
def tap(server):
    return TAP(server.url, interval=0, retry=Retry(times=1, first=0.1), progress=False)


def sorted_rows(table, *by):
    """Rows as tuples of plain values, in an order that does not depend on the service."""
    table = Table(table)
    table.sort(list(by))
    return [tuple(row) for row in zip(*(table[name].tolist() for name in table.colnames), strict=True)]


def stilts(folder, server, adql, *arguments):
    """The rows that STILTS gets for a query."""
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not on the PATH")
    out = folder / "stilts.fits"
    subprocess.run(
        ["stilts", "tapquery", f"tapurl={server.url}", f"adql={adql}", f"out={out}", "ofmt=fits", *arguments],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return Table.read(out)


class TestSameRows:
    """Every way to ask gives the rows that are there."""

    @pytest.mark.parametrize("mode", ["sync", "async"])
    def test_of_a_query(self, tap, truth, mode):
        out = getattr(tap, f"run_{mode}")(QUERY)
        assert len(truth) > 20_000
        assert sorted_rows(out, "source_id") == truth
        assert out["source_id"].dtype == np.int64 and str(out["parallax"].unit) == "mas"
        assert out["ra"].info.meta == {"ucd": "pos.eq.ra;meta.main"}
        assert out.meta["tap"]["rows"] == len(truth) and out.meta["tap"]["adql"] == QUERY

    @pytest.mark.parametrize("sync", ["true", "false"])
    def test_of_stilts(self, server, truth, tmp_path, sync):
        out = stilts(tmp_path, server, QUERY, f"sync={sync}", "maxrec=1000000")
        assert sorted_rows(out, "source_id") == truth

    def test_of_an_upload(self, tap, server, sky, tmp_path):
        table = Table({"upload_row": np.arange(2000), "ra": sky[1]["ra"][20:2020], "dec": sky[1]["dec"][20:2020]})
        table.write(tmp_path / "upload.vot", format="votable")
        upload = ("nupload=1", "upname1=stars", f"upload1={tmp_path / 'upload.vot'}", "ufmt1=votable")
        theirs = sorted_rows(stilts(tmp_path, server, JOIN, *upload, "maxrec=100000"), "upload_row", "source_id")
        assert len(theirs) > 1000
        once = tap.run_sync(JOIN, upload={"stars": table})
        assert sorted_rows(once, "upload_row", "source_id") == theirs
        chunked = tap.run_chunks(JOIN, {"stars": table}, chunk_rows=700, store=tmp_path)
        assert sorted_rows(chunked, "upload_row", "source_id") == theirs
        assert (np.diff(chunked["upload_row"]) >= 0).all()


class TestCrossmatch:
    """50,000 stars against 200,000, in pieces."""

    def check(self, out, local):
        remote = dict(
            zip(
                zip(out["upload_row"].tolist(), out["source_id"].tolist(), strict=True),
                out["separation"].to_value(u.arcsec).tolist(),
                strict=True,
            )
        )
        assert len(remote) == len(out), "a pair was given twice"
        assert len(local) > len({row for row, _ in local}) > UPLOADED / 2, "no star has several neighbors"
        assert remote.keys() == local.keys()
        apart = np.array([(remote[pair], local[pair]) for pair in local])
        np.testing.assert_allclose(*apart.T, rtol=0, atol=1e-8)

    def test_survives_the_death_of_the_server(self, server, sky, local, tmp_path, monkeypatch):
        """Killed in the middle and started again: the run resumes, and no finished piece is asked for twice."""
        tap = TAP(server.url, interval=0, retry=Retry(times=1, first=0.05), progress=False)
        arguments = (sky[1], "field.stars", RADIUS)
        options = {"columns": ["source_id"], "chunk_rows": 5000, "store": tmp_path}
        asked, kills = [], [threading.Timer(0.05, server.stop)]
        fetch = TAP._fetch

        def watched(self, request, *rest):
            upload = request.uploads["stars"]
            asked.append(upload)
            if len(asked) == 5 and kills:
                kills.pop().start()
            return fetch(self, request, *rest)

        monkeypatch.setattr(TAP, "_fetch", watched)
        with pytest.raises(exceptions.ChunksFailedError) as caught:
            tap.crossmatch(*arguments, **options)
        error = caught.value
        assert isinstance(error.failed[0].error, exceptions.ServiceConnectionError)
        finished = len(asked) - len(error.failed)
        assert 4 <= finished <= 5
        assert error.failed[0].start == finished * 5000 and error.failed[-1].stop == UPLOADED
        self.check_part(error.result, local, finished * 5000)
        assert str(error.result["separation"].unit) == "arcsec"
        assert len(list(tmp_path.glob("*/*.vot"))) == finished
        done = asked[:finished]

        server.start()
        del asked[:]
        out = tap.crossmatch(*arguments, **options)
        assert len(asked) == 10 - finished and not set(asked) & set(done)
        assert out.meta["tap"]["chunks_kept"] == finished
        self.check(out, local)
        assert not list(tmp_path.glob("*/*"))

    def test_in_jobs(self, tap, sky, local, tmp_path):
        out = tap.crossmatch(
            sky[1][:1000], "field.stars", RADIUS, columns=["source_id"], mode="async", chunk_rows=500,
            store=tmp_path,
        )  # fmt: skip
        self.check_part(out, local, 1000)

    def check_part(self, out, local, rows):
        pairs = set(zip(out["upload_row"].tolist(), out["source_id"].tolist(), strict=True))
        assert pairs == {pair for pair in local if pair[0] < rows} and len(out) == len(pairs)

    def test_pieces_that_are_too_large_are_cut(self, tap, sky, local, tmp_path):
        """The server takes two megabytes at once; the results of 3000 stars are three times 500 rows."""
        options = {"columns": ["source_id"], "store": tmp_path, "chunk_rows": 3000, "maxrec": 500}
        out = tap.crossmatch(sky[1][:3000], "field.stars", RADIUS, **options)
        self.check_part(out, local, 3000)
        assert out.meta["tap"]["chunks"] == 4


class TestFaults:
    """Each fault has its own error, also in the words of this server."""

    @pytest.mark.parametrize(
        ("mode", "adql", "error"),
        [
            ("sync", "SELEC source_id FROM field.stars", exceptions.QuerySyntaxError),
            ("sync", "SELECT source_id FROM field.sauce", exceptions.UnknownTableError),
            ("sync", "SELECT sauce_id FROM field.stars", exceptions.UnknownTableError),
            ("sync", "SELECT TOP 20 source_id FROM field.stars", exceptions.TruncatedResultError),
            ("async", "SELECT TOP 20 source_id FROM field.stars", exceptions.TruncatedResultError),
        ],
    )
    def test_of_the_query(self, tap, mode, adql, error):
        with pytest.raises(error) as caught:
            getattr(tap, f"run_{mode}")(adql, maxrec=10)
        assert type(caught.value) is error

    def test_of_the_address(self, server):
        with pytest.raises(exceptions.ServiceError, match="404"):
            TAP(server.url + "/nothing", interval=0, retry=Retry(times=0)).run_sync(
                "SELECT TOP 1 source_id FROM field.stars"
            )

    def test_jobs_are_removed(self, tap, server):
        from pyvo.dal import TAPService

        def jobs():
            return {job.jobid for job in TAPService(server.url).get_job_list()}

        before = jobs()
        # PostgreSQL goes on with a query that is given up, so it is one of half a minute, not of hours.
        some = "(SELECT TOP 20000 ra FROM field.stars)"
        slow = f"SELECT COUNT(*) AS n FROM {some} AS a, {some} AS b WHERE a.ra + b.ra > 9999"
        with pytest.raises(exceptions.ServiceTimeoutError, match="given up"):
            tap.run_async(slow, wait=1)
        threading.Timer(1.5, tap.cancel).start()
        with pytest.raises(exceptions.QueryCancelledError):
            tap.run_async(slow)
        assert jobs() <= before
