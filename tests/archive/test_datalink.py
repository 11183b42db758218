"""Spectra through DataLink: real requests over HTTP to a server on this machine, which gives the archive's replies."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from datalink_server import Archive

from stellarlabels import catalogs, flags
from stellarlabels.archive.datalink import Product, client, download, product, spectra as module, xp_spectra
from stellarlabels.archive.readers import read_xp
from stellarlabels.archive.tap import Retry
from stellarlabels.cli import main
from stellarlabels.exceptions import (
    ChunksFailedError,
    InputError,
    LoginError,
    MissingColumnError,
    ReleaseError,
    ReplyError,
    ServiceBusyError,
    ServiceConnectionError,
    ServiceError,
    ServiceTimeoutError,
)
from stellarlabels.inputs.examples import xp_apogee_sample

BRIEF = Retry(times=2, first=0.0)
NEVER = Retry(times=0)


@pytest.fixture(scope="module")
def spectra():
    """Real sampled spectra, in the archive's columns."""
    stars = xp_apogee_sample()[:50]
    return Table({name: stars[name].value if name != "source_id" else stars[name] for name in COLUMNS})


COLUMNS = ("source_id", "flux", "flux_error")


@pytest.fixture
def archive(spectra):
    with Archive(spectra) as server:
        yield server


@pytest.fixture(autouse=True)
def small_requests(monkeypatch, tmp_path):
    """Requests for at most 20 stars; the default store in the test's folder."""
    known = dict(client._products())
    small = {key: Product(**{**vars(value), "limit": 20}) for key, value in known.items()}
    monkeypatch.setattr(client, "_products", lambda: small)
    monkeypatch.setattr(module, "default_folder", lambda: tmp_path / "cache" / "tap")


def names_of(value):
    return set(flags.decode(value, "spectrum"))


class TestSpectra:
    """What the archive sends comes out, in the order in which it was asked for."""

    def test_values_and_order(self, archive, spectra):
        asked = spectra["source_id"][::-1]
        got = xp_spectra(asked, url=archive.url, retry=NEVER)
        assert isinstance(got, QTable) and got.colnames == ["source_id", "flux", "flux_error", "spectrum_flag"]
        np.testing.assert_array_equal(got["source_id"], asked)
        assert got["source_id"].dtype == np.int64
        np.testing.assert_array_equal(got["flux"].value, spectra["flux"][::-1])
        np.testing.assert_array_equal(got["flux_error"].value, spectra["flux_error"][::-1])
        assert got["flux"].unit == u.W / u.m**2 / u.nm
        np.testing.assert_array_equal(got.meta["wavelength"].value, np.arange(336, 1021, 2))
        assert archive.asked == [20, 20, 10]

    def test_what_is_asked_for(self, archive, spectra):
        xp_spectra(spectra["source_id"][:2], url=archive.url, retry=NEVER)
        (path, request), *others = archive.requests
        assert path == "/data-server/data" and not others
        assert request == {
            "ID": ",".join(map(str, sorted(spectra["source_id"][:2]))),
            "RELEASE": "Gaia DR3",
            "RETRIEVAL_TYPE": "XP_SAMPLED",
            "DATA_STRUCTURE": "RAW",
            "FORMAT": "fits",
            "VALID_DATA": "false",
            "USE_ZIP_ALWAYS": "true",
        }

    def test_a_star_without_a_spectrum_is_a_flagged_row(self, archive, spectra):
        asked = np.insert(np.array(spectra["source_id"][:30]), [0, 7], [123, 456])
        got = xp_spectra(asked, url=archive.url, retry=NEVER)
        np.testing.assert_array_equal(got["source_id"], asked)
        absent = np.isin(asked, [123, 456])
        np.testing.assert_array_equal(np.isnan(got["flux"]).all(axis=1), absent)
        assert [names_of(value) for value in got["spectrum_flag"][absent]] == [{"NO_SPECTRUM", "BAD_SAMPLES"}] * 2
        assert (got["spectrum_flag"][~absent] == 0).all()
        assert got.meta["datalink"]["stars"] == 32 and got.meta["datalink"]["spectra"] == 30

    def test_no_star_has_a_spectrum(self, archive):
        got = xp_spectra([1, 2, 3], url=archive.url, retry=NEVER)
        assert got["flux"].shape == (3, 343) and np.isnan(got["flux"].value).all()
        assert got["source_id"].tolist() == [1, 2, 3]
        assert {names_of(value) == {"NO_SPECTRUM", "BAD_SAMPLES"} for value in got["spectrum_flag"]} == {True}

    def test_no_stars_at_all(self, archive):
        got = xp_spectra([], url=archive.url)
        assert len(got) == 0 and got["flux"].shape == (0, 343) and archive.requests == []

    def test_a_table_with_masked_and_repeated_identifiers(self, archive, spectra):
        one, two = (int(name) for name in spectra["source_id"][:2])
        table = QTable(
            {"GaiaEDR3": MaskedColumn([one, 7, two, one], mask=[False, True, False, False]), "x": [1, 2, 3, 4]}
        )
        got = xp_spectra(table, url=archive.url, retry=NEVER)
        assert got["source_id"].tolist() == [one, None, two, one]
        assert [names_of(value) for value in got["spectrum_flag"]] == [
            {"DUPLICATE"},
            {"NO_SPECTRUM", "BAD_SAMPLES"},
            set(),
            {"DUPLICATE"},
        ]
        assert archive.asked == [2]
        np.testing.assert_array_equal(got["flux"][[0, 2, 3]].value, spectra["flux"][[0, 1, 0]])
        assert table.colnames == ["GaiaEDR3", "x"]

    def test_other_wavelengths(self, archive, spectra):
        got = xp_spectra([*spectra["source_id"][:2], 5], wavelength=[400, 500, 600] * u.nm, url=archive.url)
        assert got["flux"].shape == (3, 3)
        np.testing.assert_array_equal(got["flux"][:2].value, spectra["flux"][:2][:, [32, 82, 132]])

    def test_nothing_is_left_in_the_current_folder(self, archive, spectra, tmp_path, monkeypatch, capfd):
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        archive.faults = [503]
        xp_spectra(spectra["source_id"][:2], url=archive.url, retry=BRIEF, progress=False)
        assert list((tmp_path / "here").iterdir()) == []
        assert capfd.readouterr() == ("", "")


class TestCommand:
    """``stellarlabels spectra gaia``."""

    def test_a_list_of_identifiers(self, archive, spectra, tmp_path, capsys):
        (tmp_path / "ids.txt").write_text("\n".join(map(str, spectra["source_id"][:25])) + "\n7\n")
        command = ["spectra", "gaia", str(tmp_path / "ids.txt"), "--url", archive.url]
        assert main([*command, "--plan"]) == 0
        assert capsys.readouterr().out == "26 stars of Gaia DR3 in 2 requests\n" and archive.asked == []
        assert main([*command, "-o", str(tmp_path / "o.fits")]) == 0
        assert "26 stars, 25 of them with a spectrum" in capsys.readouterr().out
        found = catalogs.read(tmp_path / "o.fits")
        np.testing.assert_array_equal(found["source_id"], [*spectra["source_id"][:25], 7])
        np.testing.assert_array_equal(found["flux"][:25].value, spectra["flux"][:25])
        assert main(command) == 1 and main([*command, "-o", str(tmp_path / "o.fits")]) == 1
        shown = capsys.readouterr().err
        assert "output: give a file with -o" in shown and "exists" in shown

    @pytest.mark.filterwarnings("ignore:.*column has no unit")
    def test_a_table_keeps_its_columns(self, archive, spectra, tmp_path):
        stars = Table({"source_id": spectra["source_id"][:3], "phot_g_mean_mag": [12.0, 13.0, 14.0]})
        stars.write(tmp_path / "stars.csv")
        command = ["spectra", "gaia", str(tmp_path / "stars.csv"), "--url", archive.url, "-o", str(tmp_path / "o.vot")]
        assert main(command) == 0
        found = catalogs.read(tmp_path / "o.vot")
        assert found["flux"].shape == (3, 343) and found["phot_g_mean_mag"].value.tolist() == [12, 13, 14]

    def test_other_words_in_a_list(self, archive, tmp_path, capsys):
        (tmp_path / "ids.txt").write_text("4295806720\n1.5e17\n")
        command = ["spectra", "gaia", str(tmp_path / "ids.txt"), "--url", archive.url, "-o", str(tmp_path / "o.vot")]
        assert main(command) == 1
        assert "also '1.5e17'" in capsys.readouterr().err


class TestRealFiles:
    """Replies that the real archive has sent."""

    def test_package_of_one_star(self, real_data):
        path = real_data / "gaia_xp" / "gaia_dr3_source_id_5937083312263887616_dl_products_fits.zip"
        with Archive(None) as archive:
            archive.reply = path.read_bytes()
            got = xp_spectra([5937083312263887616, 6], url=archive.url, retry=NEVER)
        expected = read_xp(path)
        np.testing.assert_array_equal(got["flux"][0], expected["flux"][0])
        np.testing.assert_array_equal(got["bp_coefficients"][0], expected["bp_coefficients"][0])
        assert np.isnan(got["flux"][1]).all() and np.isnan(got["bp_coefficients"][1]).all()
        others = set(got.colnames) - {"source_id", "flux", "flux_error", "spectrum_flag"}
        others -= {name for name in others if "coefficient" in name or "standard_deviation" in name}
        assert others and all(got[name].mask.tolist() == [False, True] for name in others)

    @pytest.mark.parametrize("suffix", ["fits", "xml", "csv", "ecsv"])
    def test_coefficients_in_every_format(self, real_data, suffix):
        path = real_data / "gaia_xp" / f"XP_CONTINUOUS_RAW.{suffix}"
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(path.name, path.read_bytes())
        expected = read_xp(path, sample=False)
        with Archive(None) as archive:
            archive.reply = out.getvalue()
            asked = [8, *expected["source_id"].tolist()[::-1]]
            got = xp_spectra(asked, kind="continuous", sample=False, url=archive.url, retry=NEVER)
            assert archive.requests[0][1]["RETRIEVAL_TYPE"] == "XP_CONTINUOUS"
        assert got.colnames == expected.colnames and "flux" not in got.colnames
        for name in expected.colnames:
            if name not in ("source_id", "spectrum_flag"):
                np.testing.assert_array_equal(np.ma.getdata(got[name])[1:], np.ma.getdata(expected[name])[::-1], name)
        assert names_of(got["spectrum_flag"][0]) == {"NO_SPECTRUM"}
        assert np.isnan(got["rp_coefficient_correlations"][0]).all()

    def test_coefficients_are_sampled(self, real_data):
        path = real_data / "gaia_xp" / "XP_CONTINUOUS_RAW.fits"
        with Archive(Table.read(path), "XP_CONTINUOUS_RAW.fits") as archive:
            expected = read_xp(path)
            got = xp_spectra(expected["source_id"], kind="continuous", url=archive.url, retry=NEVER)
        for name in ("flux", "flux_error"):
            largest = np.nanmax(expected[name].value)
            np.testing.assert_allclose(got[name].value, expected[name].value, atol=1e-12 * largest)


class TestFaults:
    """Faults that pass are waited for; others have errors of their own; what is done stays done."""

    @pytest.mark.parametrize("fault", [503, 429, 500, "drop", "truncate", "html", "garbage"])
    def test_a_fault_that_passes(self, archive, spectra, fault):
        archive.faults = [fault, fault]
        got = xp_spectra(spectra["source_id"], url=archive.url, retry=BRIEF, progress=False)
        np.testing.assert_array_equal(got["flux"].value, spectra["flux"])
        assert archive.asked == [20, 20, 20, 20, 10]

    @pytest.mark.parametrize(
        ("fault", "error", "reason"),
        [
            (503, ServiceBusyError, "HTTP 503 .*not now"),
            (418, ServiceError, "HTTP 418"),
            ("drop", ServiceConnectionError, "127.0.0.1"),
            ("truncate", ReplyError, "truncated or damaged"),
            ("garbage", ReplyError, "damaged"),
            ("html", ReplyError, "expected a zip archive"),
        ],
    )
    def test_a_request_that_fails_for_good(self, archive, spectra, tmp_path, fault, error, reason):
        archive.faults = [None, fault]
        with pytest.raises(ChunksFailedError, match=f"rows 20 to 39: .*{reason}") as caught:
            xp_spectra(spectra["source_id"], url=archive.url, retry=NEVER, store=tmp_path / "store")
        (failed,) = caught.value.failed
        assert (failed.start, failed.stop) == (20, 40) and type(failed.error) is error
        result = caught.value.result
        np.testing.assert_array_equal(result["source_id"], spectra["source_id"])
        there = np.r_[0:20, 40:50]
        np.testing.assert_array_equal(result["flux"][there].value, spectra["flux"][there])
        assert flags.SPECTRUM.has(result["spectrum_flag"], "NO_SPECTRUM").nonzero()[0].tolist() == list(range(20, 40))
        archive.requests.clear()
        again = xp_spectra(spectra["source_id"], url=archive.url, retry=NEVER, store=tmp_path / "store")
        np.testing.assert_array_equal(again["flux"].value, spectra["flux"])
        assert archive.asked == [20], "only the failed request is made again"

    def test_silence_for_too_long(self, archive, spectra):
        archive.faults = ["stall"]
        with pytest.raises(ChunksFailedError, match="silent for 0.2 s") as caught:
            xp_spectra(spectra["source_id"][:2], url=archive.url, retry=NEVER, timeout=0.2)
        assert type(caught.value.failed[0].error) is ServiceTimeoutError

    def test_access_is_refused(self, archive, spectra):
        archive.faults = [403]
        with pytest.raises(LoginError, match="HTTP 403"):
            xp_spectra(spectra["source_id"], url=archive.url, retry=BRIEF)
        assert len(archive.requests) == 1

    def test_an_archive_that_is_down_is_not_asked_for_ever(self, archive, spectra, monkeypatch):
        small = {key: Product(**{**vars(value), "limit": 5}) for key, value in client._products().items()}
        monkeypatch.setattr(client, "_products", lambda: small)
        archive.faults = [503] * 10
        with pytest.raises(ChunksFailedError) as caught:
            xp_spectra(spectra["source_id"], url=archive.url, retry=NEVER, progress=False)
        assert len(archive.requests) == 3
        assert caught.value.failed[-1].stop == 50 and np.isnan(caught.value.result["flux"].value).all()

    def test_nobody_answers(self, spectra):
        with pytest.raises(ChunksFailedError) as caught:
            xp_spectra(spectra["source_id"][:2], url="http://127.0.0.1:9", retry=NEVER)
        assert isinstance(caught.value.failed[0].error, ServiceConnectionError)

    def test_a_reply_of_something_else(self, archive):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as zipped:
            zipped.writestr("readme.csv", "a,b\n1,2\n")
        archive.reply = out.getvalue()
        with pytest.raises(ChunksFailedError, match="does not hold XP spectra"):
            xp_spectra([1], url=archive.url, retry=NEVER)


class TestStore:
    """Finished requests are kept until all are finished."""

    def test_an_interrupted_run_goes_on(self, archive, spectra, tmp_path, monkeypatch):
        load = client.Client.load

        def load_once(self, request):
            if len(archive.requests) == 1:
                raise KeyboardInterrupt
            return load(self, request)

        monkeypatch.setattr(client.Client, "load", load_once)
        with pytest.raises(KeyboardInterrupt):
            xp_spectra(spectra["source_id"], url=archive.url, retry=NEVER, progress=False)
        monkeypatch.setattr(client.Client, "load", load)
        archive.requests.clear()
        got = xp_spectra(spectra["source_id"], url=archive.url, retry=NEVER, progress=False)
        np.testing.assert_array_equal(got["flux"].value, spectra["flux"])
        assert archive.asked == [20, 10]
        assert not list((tmp_path / "cache").rglob("*.zip")), "the replies are removed when all are there"

    def test_kept_replies_are_not_asked_for_again(self, archive, spectra, tmp_path):
        for _ in range(2):
            got = xp_spectra(spectra["source_id"], url=archive.url, store=tmp_path / "s", keep=True, progress=False)
            np.testing.assert_array_equal(got["flux"].value, spectra["flux"])
        assert archive.asked == [20, 20, 10]

    def test_other_stars_or_kinds_are_asked_for(self, archive, spectra, tmp_path):
        names = spectra["source_id"]
        for asked in (names[:3], names[1:3]):
            xp_spectra(asked, url=archive.url, store=tmp_path / "s", keep=True)
        xp_spectra(
            names[:3], release="Gaia DR3", kind="continuous", sample=False, url=archive.url, store=tmp_path / "s"
        )
        assert archive.asked == [3, 2, 3]

    def test_a_damaged_file_is_fetched_again(self, archive, spectra, tmp_path):
        paths = download(spectra["source_id"][:30], tmp_path / "s", url=archive.url, progress=False)
        paths[1].write_bytes(paths[1].read_bytes()[:-40])
        assert download(spectra["source_id"][:30], tmp_path / "s", url=archive.url, progress=False) == paths
        assert archive.asked == [20, 10, 10]
        got = read_xp(paths)
        np.testing.assert_array_equal(got["flux"].value, spectra["flux"][:30])

    def test_download_leaves_out_stars_without_spectra(self, archive, spectra, tmp_path):
        asked = [*range(1, 21), *spectra["source_id"][:3]]
        (path,) = download(asked, tmp_path / "s", url=archive.url, progress=False)
        assert len(read_xp(path)) == 3
        archive.faults = [503]
        with pytest.raises(ChunksFailedError) as caught:
            download([*asked, 5], tmp_path / "s", url=archive.url, retry=NEVER, progress=False)
        assert caught.value.result == []


class TestArguments:
    """What cannot be asked for is refused before anything is sent."""

    @pytest.mark.parametrize("stars", [[1.5e18], ["x"], [2**70], "5937083312263887616 OR 1"])
    def test_identifiers_that_are_no_integers(self, archive, stars):
        with pytest.raises(InputError):
            xp_spectra(stars, url=archive.url)
        assert archive.requests == []

    def test_a_table_without_identifiers(self, archive):
        with pytest.raises(MissingColumnError, match="'source_id' is missing; the columns are ra"):
            xp_spectra(Table({"ra": [1.0]}), url=archive.url)

    @pytest.mark.parametrize("option", [{"kind": "epoch"}, {"release": "Gaia DR2"}])
    def test_unknown_products(self, option):
        with pytest.raises(InputError, match="'sampled' of 'Gaia DR3'"):
            xp_spectra([1], **option)

    @pytest.mark.parametrize("option", [{"url": "gea.esac.esa.int"}, {"url": "file:///etc/passwd"}, {"timeout": 0}])
    def test_wrong_addresses_and_timeouts(self, option):
        with pytest.raises(InputError, match="url|timeout"):
            xp_spectra([1], **option)

    def test_the_product_of_the_archive(self, monkeypatch):
        monkeypatch.undo()
        assert product("continuous", "DR4").retrieval_type == "MEAN_SPECTRUM_XP"
        assert product("continuous").retrieval_type == "XP_CONTINUOUS"
        assert product().limit == 5000 and product().url.startswith("https://gea.esac.esa.int/")


class TestRelease4:
    """The products of Gaia DR4 under their new names, from a server that has what is known of them."""

    @pytest.fixture
    def coefficients(self):
        stars, rng = Table({"source_id": np.arange(1, 31)}), np.random.default_rng(4)
        for band, size in (("bp", 51), ("rp", 55)):
            stars[f"{band}_coefficients"] = rng.normal(size=(30, size))
            stars[f"{band}_coefficient_errors"] = rng.uniform(1, 2, size=(30, size))
            stars[f"{band}_coefficient_correlations"] = np.zeros((30, size * (size - 1) // 2))
        return stars

    def test_coefficients(self, coefficients):
        with Archive(coefficients, "MEAN_SPECTRUM_XP_RAW.fits") as server:
            asked = [30, 77, *range(1, 25)]
            got = xp_spectra(asked, kind="continuous", release="DR4", sample=False, url=server.url, retry=NEVER)
            request = server.requests[0][1]
        assert (request["RELEASE"], request["RETRIEVAL_TYPE"]) == ("Gaia DR4", "MEAN_SPECTRUM_XP")
        assert got["source_id"].tolist() == asked and got.meta["release"] == "Gaia DR4"
        there = np.array(asked) != 77
        np.testing.assert_array_equal(
            got["bp_coefficients"][there], coefficients["bp_coefficients"][np.array(asked)[there] - 1]
        )
        assert got["bp_coefficients"].shape == (26, 51) and np.isnan(got["bp_coefficients"][1]).all()
        assert "NO_SPECTRUM" in names_of(got["spectrum_flag"][1])

    def test_what_cannot_be_done_is_told_before_anybody_is_asked(self, archive):
        with pytest.raises(ReleaseError, match=r"no basis functions are known for Gaia DR4.*sample=False"):
            xp_spectra([1], kind="continuous", release="Gaia DR4", url=archive.url)
        with pytest.raises(InputError, match="'continuous' of 'Gaia DR4'.*got 'sampled' of 'Gaia DR4'"):
            xp_spectra([1], release="Gaia DR4", url=archive.url)
        assert archive.requests == []

    def test_samples_say_their_release(self, archive, spectra):
        assert xp_spectra(spectra["source_id"][:2], url=archive.url, retry=NEVER).meta["release"] == "Gaia DR3"


def test_import_contacts_nobody():
    script = """
import socket, sys
def refuse(*args, **kwargs):
    raise SystemExit("a connection was tried")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from stellarlabels.archive import datalink
from stellarlabels.archive.tap import Retry
print("astroquery" in sys.modules)
try:
    datalink.xp_spectra([1], url="http://127.0.0.1:9", retry=Retry(times=0))
except SystemExit as error:
    print(error, "astroquery.gaia" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.stdout.split("\n")[:2] == ["False", "a connection was tried False"], result.stderr
