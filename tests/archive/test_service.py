"""The TAP client against a service that fails on demand."""

import logging
import threading
import time

import numpy as np
import pytest
import requests
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels import exceptions
from stellarlabels.archive import TAP, services
from stellarlabels.archive.tap import Retry

ROWS = 25
QUERY = "SELECT * FROM t"
DOUBLE = "SELECT u.upload_row, u.x * 2 AS y FROM TAP_UPLOAD.stars AS u"
TOKEN = "s3cret-t0ken"


def stars(rows=ROWS):
    """What the service has: one column of each kind, with gaps."""
    table = Table({"source_id": 2**62 + np.arange(rows), "ra": np.linspace(0, 359, rows) * u.deg})
    table["parallax"] = MaskedColumn(np.arange(rows) / 4, mask=np.arange(rows) % 3 == 0, unit="mas", dtype="f4")
    table["number"] = MaskedColumn(np.arange(rows), mask=np.arange(rows) % 4 == 0, dtype="i4")
    table["name"] = [f"star {n}" for n in range(rows)]
    table["time"] = MaskedColumn(2**53 + 1 + np.arange(rows), mask=np.arange(rows) == 2, unit="ns")
    return table


def double(adql, uploads):
    """The answer to `DOUBLE`, in an order of the service's own."""
    given = uploads["stars"]
    return Table({"upload_row": given["upload_row"], "y": given["x"] * 2})[::-1]


@pytest.fixture
def service(fake_tap):
    return fake_tap(lambda adql, uploads: stars())


@pytest.fixture
def doubler(fake_tap):
    return fake_tap(double)


def client(service, times=2, **options):
    return TAP(service.url, interval=0, retry=Retry(times=times, first=0.01), progress=False, **options)


class Impatient(requests.Session):
    """Gives up soon where the service is not going to answer a query, and late where it is."""

    def __init__(self, service):
        super().__init__()
        self.service = service

    def request(self, method, url, **options):
        stalls = url.endswith("/sync") and self.service.faults[:1] == [("sync", "stall")]
        return super().request(method, url, **options | {"timeout": 0.1 if stalls else 60})


def run(tap, mode, *arguments, **options):
    return getattr(tap, f"run_{mode}")(*arguments, **options)


both = pytest.mark.parametrize("mode", ["sync", "async"])


class TestResult:
    """What comes back."""

    @both
    def test_is_what_the_service_has(self, service, mode):
        out, truth = run(client(service), mode, QUERY), stars()
        assert isinstance(out, QTable) and out.colnames == truth.colnames
        assert out["source_id"].dtype == np.int64
        for name in truth.colnames:
            np.testing.assert_array_equal(
                np.ma.getmaskarray(np.ma.asarray(Table(out)[name])), np.ma.getmaskarray(truth[name])
            )
        np.testing.assert_array_equal(out["source_id"], truth["source_id"])
        np.testing.assert_array_equal(np.ma.asarray(Table(out)["parallax"]), np.ma.asarray(truth["parallax"]))
        assert out["ra"].unit == u.deg and list(out["name"]) == list(truth["name"])
        assert out["time"].dtype == np.int64 and out["time"].unmasked.value[0] == 2**53 + 1

    @both
    def test_tells_where_it_is_from(self, service, mode):
        meta = run(client(service), mode, QUERY, maxrec=100).meta["tap"]
        assert (meta["url"], meta["adql"], meta["mode"], meta["rows"]) == (service.url, QUERY, mode, ROWS)
        assert meta["start"] <= meta["end"] and meta["end"].endswith("+00:00")

    @both
    def test_may_be_empty(self, fake_tap, mode):
        out = run(client(fake_tap(lambda adql, uploads: stars()[:0])), mode, QUERY)
        assert len(out) == 0 and out.colnames == stars().colnames

    @both
    def test_that_is_cut_off_is_an_error(self, service, mode):
        with pytest.raises(exceptions.TruncatedResultError, match="10 rows"):
            run(client(service), mode, QUERY, maxrec=10)
        assert service.places().count(mode) == 1, "asked again for what cannot succeed"

    def test_the_services_own_limit_is_asked_for(self, fake_tap):
        service = fake_tap(lambda adql, uploads: stars(3000), hard=3000)
        with pytest.raises(exceptions.TruncatedResultError, match="3000 rows"):
            client(service).run_sync(QUERY)
        assert [r[1]["MAXREC"] for r in service.requests if r[0] == "sync"] == ["3000"]
        assert len(client(service).run_sync("SELECT TOP 3000 * FROM t")) == 3000

    def test_a_service_without_capabilities_is_asked_without_a_limit(self, service):
        for fault in (404, "html", "truncate"):
            service.faults = [("capabilities", fault)]
            del service.requests[:]
            assert len(client(service).run_sync(QUERY)) == ROWS
            assert "MAXREC" not in service.requests[-1][1]


class TestFaults:
    """Every fault has an error of its own; what may pass is tried again."""

    TRANSIENT = {
        503: exceptions.ServiceBusyError,
        429: exceptions.ServiceBusyError,
        500: exceptions.ServiceBusyError,
        "close": exceptions.ServiceConnectionError,
        "drop": exceptions.ServiceConnectionError,
        "truncate": exceptions.ReplyError,
        "html": exceptions.ReplyError,
        "stall": exceptions.ServiceTimeoutError,
    }
    LASTING = {
        401: exceptions.LoginError,
        403: exceptions.LoginError,
        404: exceptions.ServiceError,
        413: exceptions.UploadTooLargeError,
        "lie": exceptions.QueryError,
    }

    @pytest.mark.parametrize("fault", TRANSIENT)
    def test_passes(self, service, fault):
        service.faults = [("sync", fault), ("sync", fault)]
        assert len(client(service, session=Impatient(service)).run_sync(QUERY)) == ROWS
        assert service.places().count("sync") == 3

    @pytest.mark.parametrize("fault", TRANSIENT)
    def test_stays(self, service, fault):
        service.faults = [("sync", fault)] * 9
        with pytest.raises(self.TRANSIENT[fault]) as caught:
            client(service, session=Impatient(service)).run_sync(QUERY)
        assert type(caught.value) is self.TRANSIENT[fault] and service.url in str(caught.value)
        assert service.places().count("sync") == 3

    @pytest.mark.parametrize("fault", LASTING)
    def test_is_not_tried_again(self, service, fault):
        service.faults = [("sync", fault)]
        with pytest.raises(self.LASTING[fault]) as caught:
            client(service).run_sync(QUERY)
        assert type(caught.value) is self.LASTING[fault]
        assert service.places().count("sync") == 1

    @pytest.mark.parametrize("place", ["async", "phase", "run", "result"])
    @pytest.mark.parametrize("fault", [503, "close"])
    def test_of_a_job_passes_without_a_second_job(self, service, place, fault):
        service.faults = [(place, fault)]
        assert len(client(service).run_async(QUERY)) == ROWS
        made = service.places().count("async")
        assert made == (2 if place in ("async", "phase") else 1)
        assert service.places().count("result") == (2 if place == "result" else 1)

    @pytest.mark.parametrize("fault", ["drop", "truncate"])
    def test_a_result_of_a_job_is_fetched_again(self, service, fault):
        service.faults = [("result", fault)]
        assert len(client(service).run_async(QUERY)) == ROWS
        assert service.places().count("async") == 1 and service.places().count("result") == 2
        assert service.jobs == {}

    @both
    @pytest.mark.parametrize(
        ("said", "error"),
        [
            ('Could not parse your query: Expected "SELECT", found \'S\'', exceptions.QuerySyntaxError),
            ("Incorrect ADQL query: Encountered \"FORM\" at line 1, column 8.", exceptions.QuerySyntaxError),
            ('ERROR: syntax error at or near "FORM"', exceptions.QuerySyntaxError),
            ("1 unresolved identifiers: gaia_sauce [l.1 c.15 - l.1 c.25] !", exceptions.UnknownTableError),
            ('relation "gaiadr3.gaia_sauce" does not exist', exceptions.UnknownTableError),
            ("Field query: Could not locate table 'gaia_sauce'", exceptions.UnknownTableError),
            ("Unknown column \"sauce_id\" !", exceptions.UnknownTableError),
            ("canceling statement due to statement timeout", exceptions.QueryTimeoutError),
            ("Query timed out (took too long).", exceptions.QueryTimeoutError),
            ("The uploaded table has too many rows: limit 500000", exceptions.UploadTooLargeError),
            ("division by zero", exceptions.QueryError),
        ],
    )  # fmt: skip
    def test_in_the_services_words(self, fake_tap, mode, said, error):
        def answer(adql, uploads):
            raise ValueError(said)

        service = fake_tap(answer)
        with pytest.raises(error) as caught:
            run(client(service), mode, QUERY)
        assert type(caught.value) is error and said in str(caught.value)
        assert service.places().count(mode) == 1 and service.jobs == {}

    def test_of_no_service_at_all(self, service):
        service.close()
        with pytest.raises(exceptions.ServiceConnectionError):
            client(service).run_sync(QUERY)

    def test_the_service_says_how_long_to_wait(self):
        retry = Retry(times=3, first=1, longest=30)
        assert 1 <= retry.wait(0) <= 1.2 and 4 <= retry.wait(2) <= 4.8
        assert retry.wait(0, 20) == 20 and retry.wait(0, 900) == 30 and retry.wait(9) == 30

    def test_a_job_that_takes_too_long_is_removed(self, fake_tap):
        service = fake_tap(lambda adql, uploads: stars(), seconds=60)
        with pytest.raises(exceptions.ServiceTimeoutError, match="0.3 s"):
            client(service).run_async(QUERY, wait=0.3)
        assert service.jobs == {} and service.places()[-3:].count("remove") == 1

    @pytest.mark.parametrize(
        ("was", "odd"),
        [
            ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00+01:00"),
            ('<uws:quote xsi:nil="true"/>', "<uws:quote>soon</uws:quote>"),
            ("<uws:executionDuration>3600<", "<uws:executionDuration><"),
        ],
    )
    def test_an_odd_job_document_is_an_error_of_ours_or_does_no_harm(self, service, was, odd):
        service.edit_job = lambda text: text.replace(was, odd)
        try:
            assert len(client(service).run_async(QUERY)) == ROWS
        except exceptions.ServiceError as error:
            assert "a document of the service cannot be understood" in str(error)
            assert service.places().count("phase") < 4

    @pytest.mark.parametrize("phase", ["ARCHIVED", "HELD"])
    def test_a_job_that_is_put_away_is_not_waited_for(self, service, phase):
        service.edit_job = lambda text: text.replace(">EXECUTING<", f">{phase}<").replace(">COMPLETED<", f">{phase}<")
        with pytest.raises(exceptions.QueryError, match=f"put the job away .{phase}."):
            client(service).run_async(QUERY)
        assert service.jobs == {}

    def test_cancel(self, fake_tap):
        service = fake_tap(lambda adql, uploads: stars(), seconds=60)
        tap = client(service)
        threading.Timer(0.3, tap.cancel).start()
        with pytest.raises(exceptions.QueryCancelledError):
            tap.run_async(QUERY)
        assert service.jobs == {}
        service.seconds = 0
        assert len(tap.run_async(QUERY)) == ROWS, "the next run is a new one"

    def test_interruption_by_the_user_removes_the_job(self, fake_tap, monkeypatch):
        service = fake_tap(lambda adql, uploads: stars(), seconds=60)
        tap = client(service)

        def interrupt(_):
            raise KeyboardInterrupt

        monkeypatch.setattr(tap._cancelled, "wait", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tap.run_async(QUERY)
        assert service.jobs == {}

    def test_time_between_requests(self, service):
        tap = TAP(service.url, interval=0.15, progress=False)
        start = time.monotonic()
        tap.run_sync(QUERY)
        tap.run_sync(QUERY)
        assert time.monotonic() - start >= 0.3 and len(service.requests) == 3


class TestLogin:
    """Tokens go where they belong."""

    def test_a_token_is_sent_and_neither_shown_nor_logged(self, service, caplog, tmp_path):
        caplog.set_level(logging.DEBUG)
        tap = client(service, token=TOKEN)
        out = tap.run_async(QUERY)
        tap.run_chunks(DOUBLE, {"stars": Table({"x": [1.0]})}, store=tmp_path, keep=True)
        assert {r[2].get("Authorization") for r in service.requests} == {f"Bearer {TOKEN}"}
        shown = [repr(tap), repr(tap._session), str(out.meta), caplog.text, tap.dry_run(QUERY)]
        shown += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
        assert not [text for text in shown if TOKEN in text]

    def test_an_expired_token_has_its_error(self, service):
        service.faults = [("sync", 401)]
        with pytest.raises(exceptions.LoginError, match="expired") as caught:
            client(service, token=TOKEN).run_sync(QUERY)
        assert TOKEN not in str(caught.value)
        service.faults = [("sync", 401)]
        with pytest.raises(exceptions.LoginError, match="a login is needed"):
            client(service).run_sync(QUERY)

    def test_a_token_does_not_follow_to_another_host(self, service, fake_tap, monkeypatch):
        other = fake_tap(lambda adql, uploads: stars())
        handler = service._server.RequestHandlerClass
        monkeypatch.setattr(handler, "at_sync", lambda self, *_: self.send(307, Location=f"{other.url}/sync"))
        assert len(client(service, token=TOKEN).run_sync(QUERY)) == ROWS
        assert "Authorization" in service.requests[-1][2] and "Authorization" not in other.requests[-1][2]

    def test_a_session_of_the_user(self, service):
        session = requests.Session()
        session.headers["X-Login"] = "mine"
        client(service, session=session).run_sync(QUERY)
        assert {r[2].get("X-Login") for r in service.requests} == {"mine"}

    def test_a_session_of_pyvo(self, service):
        from pyvo.auth import AuthSession

        session = AuthSession()
        session.credentials.set_password("me", TOKEN)
        session.add_security_method_for_url(service.url, "ivo://ivoa.net/sso#BasicAA")
        assert len(client(service, session=session).run_sync(QUERY)) == ROWS
        assert service.requests[-1][2]["Authorization"].startswith("Basic ")

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"service": "http://example.org/tap", "token": TOKEN}, "https"),
            ({"service": "https://example.org/tap", "token": TOKEN, "session": object()}, "both"),
            ({"service": "https://example.org/tap", "token": "a\nb"}, "printable"),
            ({"service": f"https://me:{TOKEN}@example.org/tap"}, "password"),
        ],
    )
    def test_unsafe_logins_are_refused(self, arguments, word):
        with pytest.raises(exceptions.InputError, match=word) as caught:
            TAP(**arguments)
        assert TOKEN not in str(caught.value)


class TestChunks:
    """Tables of any length."""

    table = Table({"x": np.arange(1000) / 8})

    def asked(self, service):
        """First row and number of rows of each request."""
        return [(int(u["stars"]["upload_row"][0]), len(u["stars"])) for u in service.seen]

    @pytest.fixture
    def service(self, fake_tap):
        def answer(adql, uploads):
            made.seen.append(uploads)
            for row, error in made.broken.items():
                if row in uploads["stars"]["upload_row"]:
                    raise error
            return double(adql, uploads)

        made = fake_tap(answer)
        made.seen, made.broken = [], {}
        return made

    def run(self, service, store, **options):
        arguments = {"chunk_rows": 300, "store": store, **options}
        return client(service).run_chunks(DOUBLE, {"stars": self.table}, **arguments)

    def check(self, out, rows=None):
        rows = np.arange(1000) if rows is None else np.asarray(rows)
        np.testing.assert_array_equal(out["upload_row"], rows)
        np.testing.assert_array_equal(out["y"], rows / 4)

    @both
    def test_all_rows_in_order(self, service, tmp_path, mode):
        out = self.run(service, tmp_path, mode=mode)
        self.check(out)
        assert self.asked(service) == [(0, 300), (300, 300), (600, 300), (900, 100)]
        meta = out.meta["tap"]
        assert (meta["uploaded_rows"], meta["chunks"], meta["chunks_kept"], meta["rows"]) == (1000, 4, 0, 1000)
        assert list(tmp_path.iterdir()) == [], "a complete run leaves nothing behind"

    def test_what_is_kept_is_not_asked_for(self, service, tmp_path):
        first = self.run(service, tmp_path, keep=True)
        again = self.run(service, tmp_path, keep=True)
        assert len(service.seen) == 4
        self.check(again)
        assert again.meta["tap"]["chunks_kept"] == 4 and "first_reply" not in first.meta["tap"]
        assert first.meta["tap"]["start"] <= again.meta["tap"]["first_reply"] <= again.meta["tap"]["end"]

    def test_other_data_and_other_queries_are(self, service, tmp_path):
        self.run(service, tmp_path, keep=True)
        changed = self.table.copy()
        changed["x"][450] += 1
        client(service).run_chunks(DOUBLE, {"stars": changed}, chunk_rows=300, store=tmp_path, keep=True)
        assert self.asked(service)[4:] == [(300, 300)]
        client(service).run_chunks(DOUBLE + " ", {"stars": self.table}, chunk_rows=300, store=tmp_path, keep=True)
        assert len(service.seen) == 5, "blanks at the end are no other query"
        client(service).run_chunks(DOUBLE + "\nWHERE 1=1", {"stars": self.table}, chunk_rows=300, store=tmp_path)
        assert len(service.seen) == 9

    def test_resumes_after_an_interruption(self, service, tmp_path, monkeypatch):
        tap, fetch, calls = client(service), TAP._fetch, []

        def interrupted(self, *arguments):
            calls.append(arguments)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return fetch(self, *arguments)

        monkeypatch.setattr(TAP, "_fetch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tap.run_chunks(DOUBLE, {"stars": self.table}, chunk_rows=300, store=tmp_path)
        out = tap.run_chunks(DOUBLE, {"stars": self.table}, chunk_rows=300, store=tmp_path)
        self.check(out)
        assert self.asked(service) == [(0, 300), (300, 300), (600, 300), (900, 100)]

    def test_cancel_keeps_what_is_done(self, service, tmp_path):
        tap = client(service)
        service.broken = {700: CancelError(tap)}
        with pytest.raises((exceptions.QueryCancelledError, exceptions.QueryError)):
            tap.run_chunks(DOUBLE, {"stars": self.table}, chunk_rows=300, store=tmp_path)
        assert len(list(tmp_path.glob("*/*.vot"))) == 2

    def test_a_chunk_that_fails_for_good_is_reported_and_the_others_are_kept(self, service, tmp_path):
        service.broken = {450: ValueError("division by zero")}
        with pytest.raises(exceptions.ChunksFailedError, match="rows 300 to 599 failed.*division by zero") as caught:
            self.run(service, tmp_path)
        (failed,) = caught.value.failed
        assert (failed.start, failed.stop) == (300, 600) and isinstance(failed.error, exceptions.QueryError)
        rows = [*range(300), *range(600, 1000)]
        self.check(caught.value.result, rows)
        assert len(service.seen) == 4
        with pytest.warns(exceptions.IncompleteResultWarning, match="300 to 599"):
            out = self.run(service, tmp_path, on_failure="warn")
        self.check(out, rows)
        assert out.meta["tap"]["failed_rows"] == [[300, 599]]
        service.broken = {}
        self.check(self.run(service, tmp_path))
        assert self.asked(service)[4:] == [(300, 300), (300, 300)], "only what failed is asked for again"

    def test_after_three_failures_in_a_row_the_rest_is_not_asked_for(self, service, tmp_path):
        service.faults = [("sync", 503)] * 99
        with pytest.raises(exceptions.ChunksFailedError) as caught:
            self.run(service, tmp_path, chunk_rows=100)
        assert [(item.start, item.stop) for item in caught.value.failed] == [(0, 100), (100, 200), (200, 1000)]
        assert caught.value.result is None and service.places().count("sync") == 9

    @pytest.mark.parametrize(
        ("said", "error"),
        [("syntax error", exceptions.QuerySyntaxError), ("unknown table x", exceptions.UnknownTableError)],
    )
    def test_an_error_of_the_query_ends_the_run(self, service, tmp_path, said, error):
        service.broken = {0: ValueError(said)}
        with pytest.raises(error):
            self.run(service, tmp_path)
        assert len(service.seen) == 1

    def test_pieces_that_are_too_large_are_cut(self, service, tmp_path):
        def answer(adql, uploads):
            service.seen.append(uploads)
            if len(uploads["stars"]) > 100:
                raise ValueError("the upload is too large")
            return double(adql, uploads)

        service.answer = answer
        self.check(self.run(service, tmp_path, keep=True))
        sizes = [size for _, size in self.asked(service)]
        assert sizes == [300, 150] + [75] * 13 + [25]
        self.check(self.run(service, tmp_path))
        assert len(service.seen) == len(sizes), "that they were too large is remembered"

    def test_pieces_whose_results_are_cut_off_are_cut(self, service, tmp_path):
        self.check(self.run(service, tmp_path, maxrec=200))
        assert [size for _, size in self.asked(service)][:2] == [300, 150]

    def test_a_damaged_reply_on_disk_is_asked_for_again(self, service, tmp_path):
        self.run(service, tmp_path, keep=True)
        path = sorted(tmp_path.glob("*/*.vot"))[0]
        path.write_bytes(path.read_bytes()[:200])
        self.check(self.run(service, tmp_path))
        assert len(service.seen) == 5

    @pytest.mark.parametrize("fault", ["drop", "truncate", "html", 503, "lie"])
    def test_no_fault_leaves_a_damaged_reply(self, service, tmp_path, fault):
        service.faults = [("sync", fault)] * 3
        with pytest.raises(exceptions.ChunksFailedError):
            self.run(service, tmp_path, chunk_rows=600 if fault != "lie" else 300)
        assert not [path for path in tmp_path.rglob("*") if path.suffix == ".part"]
        service.faults = []
        self.check(self.run(service, tmp_path, chunk_rows=600 if fault != "lie" else 300))

    def test_gaps_texts_and_identifiers_are_uploaded_as_they_are(self, fake_tap, tmp_path):
        service = fake_tap(lambda adql, uploads: uploads["stars"])
        table = stars()
        table["flag"] = np.arange(ROWS) % 2 == 0
        out = client(service).run_chunks(
            "SELECT * FROM TAP_UPLOAD.stars", {"stars": table}, chunk_rows=7, store=tmp_path
        )
        np.testing.assert_array_equal(out["upload_row"], np.arange(ROWS))
        for name in table.colnames:
            np.testing.assert_array_equal(np.ma.asarray(Table(out)[name]), np.ma.asarray(table[name]), err_msg=name)
            np.testing.assert_array_equal(
                np.ma.getmaskarray(np.ma.asarray(Table(out)[name])), np.ma.getmaskarray(np.ma.asarray(table[name]))
            )

    def test_progress(self, service, tmp_path, capsys):
        tap = TAP(service.url, interval=0, progress=True)
        tap.run_chunks(DOUBLE, {"stars": self.table}, chunk_rows=300, store=tmp_path)
        assert "1000/1000" in capsys.readouterr().err

    def test_the_default_folder_is_in_the_users_cache(self, service, monkeypatch, tmp_path):
        monkeypatch.setattr("stellarlabels.archive.tap.client.default_folder", lambda: tmp_path / "cache" / "tap")
        self.run(service, None, keep=True)
        assert len(list(tmp_path.glob("cache/tap/*/*.vot"))) == 4


class CancelError(ValueError):
    """An error of the service; to tell it is to cancel the run."""

    def __init__(self, tap):
        self.tap = tap

    def __str__(self):
        self.tap.cancel()
        return "server closed the connection"


class TestCrossmatch:
    """The query of a crossmatch."""

    def test_asks_in_the_services_names(self, fake_tap, tmp_path, monkeypatch):
        def answer(adql, uploads):
            given = uploads["stars"]
            there = {"there_ra": given["ra"], "there_dec": given["dec"] + 1 / 3600}
            return Table({"upload_row": given["upload_row"], "source_id": [7] * len(given), **there})

        service = fake_tap(answer)
        tap = client(service)
        tap._known = services.get("vizier")
        sky = QTable({"RA_ICRS": [1.0, 2.0] * u.deg, "DE_ICRS": [3.0, 4.0] * u.deg})
        out = tap.crossmatch(sky, "gaia", 2 * u.arcsec, columns=["source_id"], store=tmp_path)
        sent = service.requests[-1][1]["QUERY"]
        assert 'FROM "I/355/gaiadr3" AS b' in sent and "b.Source AS source_id" in sent
        assert "POINT('ICRS', b.RA_ICRS, b.DE_ICRS)" in sent and f"u.dec, {2 / 3600!r}" in sent
        np.testing.assert_allclose(out["separation"].to_value(u.arcsec), 1)
        assert out.meta["tap"]["service"] == service.url

    def test_wrong_arguments(self, service):
        tap, sky = client(service), QTable({"ra": [1.0] * u.deg, "dec": [3.0] * u.deg})
        for arguments in (
            ("t; DROP TABLE t", 1 * u.arcsec),
            ("t --", 1 * u.arcsec),
            ("t", 2 * u.deg),
            ("t", 1 * u.mag),
            ("t", 0 * u.deg),
        ):
            with pytest.raises(exceptions.InputError):
                tap.crossmatch(sky, *arguments, columns=["source_id"])
        with pytest.raises(exceptions.InputError, match="name of a table or column"):
            tap.crossmatch(sky, "t", columns=["a, (SELECT 1)"])
        with pytest.raises(exceptions.InputError, match="at least one name"):
            tap.crossmatch(sky, "t")
        with pytest.raises(exceptions.MissingColumnError):
            tap.crossmatch(Table({"x": [1]}), "t", columns=["source_id"])
        assert service.requests == []


class TestArguments:
    """Wrong arguments are told before anything is sent."""

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (("gaja",), "expected one of gaia"),
            (("ftp://x/tap",), "http address"),
            (("https://x/tap?query=1",), "http address"),
            ((None,), "expected one of"),
        ],
    )
    def test_of_the_service(self, arguments, word):
        with pytest.raises(exceptions.InputError, match=word):
            TAP(*arguments)

    @pytest.mark.parametrize(
        "options", [{"timeout": 0}, {"timeout": (1, 2, 3)}, {"interval": -1}, {"retry": 3}, {"token": ""}]
    )
    def test_of_the_client(self, options):
        with pytest.raises(exceptions.InputError, match=next(iter(options))):
            TAP("gaia", **options)

    def test_of_the_retry(self):
        with pytest.raises(exceptions.InputError, match="times"):
            Retry(times=-1)

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            ({"chunk_rows": 0}, "chunk_rows"),
            ({"mode": "later"}, "mode"),
            ({"maxrec": -1}, "maxrec"),
            ({"on_failure": "ignore"}, "on_failure"),
        ],
    )
    def test_of_a_run(self, service, options, word):
        with pytest.raises(exceptions.InputError, match=word):
            client(service).run_chunks(DOUBLE, {"stars": Table({"x": [1]})}, **options)
        assert service.requests == []

    def test_of_an_upload(self, service):
        tap = client(service)
        for table in (Table({"x": []}), [1], {"a b": Table({"x": [1]})}, {"a": 1}, {}, {"s": Table({"x y": [1]})}):
            with pytest.raises(exceptions.InputError):
                tap.run_chunks(DOUBLE, table)
        with pytest.raises(exceptions.InputError, match="query"):
            tap.run_sync("  ")
        assert service.requests == []


def test_dry_run():
    tap = TAP("gaia")
    text = tap.dry_run("SELECT 1", upload={"stars": Table({"x": [1, 2, 3]})}, maxrec=7, chunk_rows=2)
    assert text.splitlines() == [
        "-- to gaia, https://gea.esac.esa.int/tap-server/tap",
        "-- at most 7 rows (MAXREC)",
        "-- with TAP_UPLOAD.stars: upload_row, x; 3 rows, 2 at a time",
        "SELECT 1",
    ]
