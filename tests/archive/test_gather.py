"""From a list of stars to labels: services on this machine give real spectra and magnitudes, or fail."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from datalink_server import Archive
from gaia_tables import answers, served

from stellarlabels import CSNet, UACSNet, catalogs, flags
from stellarlabels.archive import queries
from stellarlabels.archive.tap import Retry
from stellarlabels.cli import main
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import ChunksFailedError, InputError, MissingColumnError
from stellarlabels.gather import Archives, Choice, gather, run
from stellarlabels.gather.steps import Gathering, fill
from stellarlabels.inputs.examples import xp_apogee_sample

ALL = 60


@pytest.fixture(scope="module")
def system():
    return UACSNet.pretrained().fewer(1)


@pytest.fixture(scope="module")
def sample():
    """Real stars with all that archives have of them."""
    return xp_apogee_sample()[:ALL]


@pytest.fixture(scope="module")
def expected(system, sample):
    """Labels of the stars from a table that has everything."""
    return system.predict(sample)


@pytest.fixture
def tap(fake_tap, sample):
    """A TAP service that answers the queries of the steps."""
    return fake_tap(answers(served(sample)))


@pytest.fixture
def spectra(sample):
    """A DataLink service, which has no spectrum of the third star."""
    with_spectrum = np.arange(len(sample)) != 2
    names = ("source_id", "flux", "flux_error")
    table = Table({name: getattr(sample[name], "value", sample[name])[with_spectrum] for name in names})
    with Archive(table) as server:
        yield server


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Parts of 25 stars; folders of the user's cache in that of the test."""
    monkeypatch.setattr(run, "PART", 25)
    monkeypatch.setattr("stellarlabels.gather.run.PART", 25)
    for module in ("stellarlabels.gather.run", "stellarlabels.archive.tap.client"):
        monkeypatch.setattr(f"{module}.default_folder", lambda: tmp_path / "cache" / "tap")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def archives(tap, spectra):
    return Archives(service=tap.url, spectra=spectra.url, retry=Retry(times=2, first=0.0))


def check(labels, expected, agree, rows):
    """Labels of those rows are as from a complete table; the third star of all has none."""
    wanted = expected[rows]
    np.testing.assert_array_equal(labels[labels.colnames[0]], wanted["source_id"])
    there = np.flatnonzero(np.asarray(rows) != 2)
    agree(labels[there], wanted[there], [name for name in wanted.colnames if name != "source_id"])
    for row in np.flatnonzero(np.asarray(rows) == 2):
        assert labels["teff"].mask[row] and "NO_INPUT" in flags.decode(labels["teff_flag"][row], "label")


class TestPython:
    """``system.label``."""

    def test_region(self, system, sample, expected, archives, spectra, agree):
        ra, dec = sample["ra"][0].value, sample["dec"][0].value
        sky = SkyCoord(sample["ra"], sample["dec"])
        rows = np.flatnonzero(sky.separation(sky[0]) < 60 * u.deg)
        labels = system.label(region=(ra, dec, 60), archives=archives)
        check(labels, expected, agree, rows)
        assert labels.colnames[:4] == ["source_id", "phot_g_mean_mag", "ra", "dec"]
        assert labels["ra"].unit == u.deg and spectra.requests[0][1]["RETRIEVAL_TYPE"] == "XP_CONTINUOUS"

    def test_identifiers_in_their_order(self, system, sample, expected, archives, agree):
        rows = np.random.default_rng(1).permutation(ALL)
        labels = system.label(ids=sample["source_id"][rows], archives=archives)
        check(labels, expected, agree, rows)

    def test_a_table_with_identifiers(self, system, sample, expected, archives, agree):
        stars = QTable({"GaiaDR3": sample["source_id"][:30], "name": [f"star {row}" for row in range(30)]})
        labels = system.label(stars, archives=archives, keep=["name"])
        check(labels, expected, agree, np.arange(30))
        assert labels["name"].tolist() == stars["name"].tolist() and stars.colnames == ["GaiaDR3", "name"]

    @pytest.mark.slow
    def test_distances_tell_giants_from_dwarfs(self, sample, archives, tap):
        """The paper's network is for giants: which stars are none is known by M_G, from distances that are fetched."""
        system = UACSNet.pretrained("paper").fewer(1)
        labels = system.label(sample["source_id", "ebv"], archives=archives)
        without = system.predict(sample)
        whole = QTable(sample)
        whole["r_med_geo"] = np.full(ALL, 900.0) * u.pc
        flagged = [
            flags.LABEL.has(one["feh_flag"], "NOT_APPLICABLE") for one in (labels, system.predict(whole), without)
        ]
        there = np.arange(ALL) != 2
        np.testing.assert_array_equal(flagged[0][there], flagged[1][there])
        assert 0 < (flagged[0] & ~flagged[2]).sum() < ALL
        assert sum("gaiaedr3_distance" in parameters.get("QUERY", "") for _, parameters, _ in tap.requests) == 3

    def test_distances_of_another_release_are_not_asked_for(self, system, sample, archives, tap, tmp_path):
        """Those of Bailer-Jones et al. go by identifiers of DR3, which those of DR4 are not."""
        dr4 = Gathering(system, system.supply, archives, "Gaia DR4", tmp_path)
        stars = sample["source_id", "ra"]
        assert fill(stars, replace(dr4, supply=replace(system.supply, steps=("distances",)))).colnames == stars.colnames
        assert tap.requests == []

    def test_a_table_with_positions(self, system, sample, expected, archives, agree):
        stars = QTable({"ra": sample["ra"][:30] + 0.2 * u.arcsec, "dec": sample["dec"][:30]})
        labels = system.label(stars, archives=archives)
        check(labels, expected, agree, np.arange(30))

    def test_what_a_table_has_is_not_replaced(self, system, sample, archives, tap):
        stars = sample["source_id", "flux", "flux_error"]
        alone = system.label(stars, archives=archives)
        assert tap.requests == [] and (flags.LABEL.has(alone["teff_flag"], "MISSING_PHOTOMETRY")).all()

    def test_nothing_is_fetched_offline(self, system, sample, archives, tap):
        with pytest.raises(MissingColumnError, match="flux"):
            system.label(sample["source_id", "ra"], archives=archives, offline=True)
        with pytest.raises(InputError, match="offline: .* have to be fetched"):
            system.label(region=(1, 2, 3), offline=True)
        assert tap.requests == []

    @pytest.mark.slow
    def test_the_whole_sky_has_to_be_meant(self, system, archives, tap, sample, expected, agree, tmp_path):
        with pytest.raises(InputError, match="--yes"):
            system.label(region="all", archives=archives)
        (tmp_path / "all.adql").write_text("SELECT source_id FROM gaiadr3.gaia_source")
        with pytest.raises(InputError, match="whole sky"):
            system.label(query=tmp_path / "all.adql", archives=archives)
        assert tap.requests == []
        check(system.label(region="all", limit=30, archives=archives), expected, agree, np.arange(30))
        assert len(system.label(region="all", yes=True, archives=archives)) == ALL

    def test_stars_that_no_archive_knows(self, system, sample, archives):
        labels = system.label([7, int(sample["source_id"][0])], archives=archives)
        assert labels["teff"].mask.tolist() == [True, False] and labels["ra"].mask.tolist() == [True, False]

    @pytest.mark.slow
    def test_faults_that_pass(self, system, sample, expected, archives, spectra, tap, agree):
        spectra.faults, tap.faults = [500, "truncate"], [("sync", 500), ("sync", "truncate")]
        check(system.label(ids=sample["source_id"], archives=archives), expected, agree, np.arange(ALL))
        assert not list(Path("cache").glob("gather/*"))

    def test_a_fault_that_stays_and_what_was_done(self, system, sample, expected, archives, spectra, tap, agree):
        spectra.faults = [None, 500, 500, 500]
        with pytest.raises(ChunksFailedError, match="HTTP 500"):
            system.label(ids=sample["source_id"], archives=archives)
        done = len(spectra.requests)
        check(system.label(ids=sample["source_id"], archives=archives), expected, agree, np.arange(ALL))
        assert len(spectra.requests) - done == 2  # the second and the third part

    def test_another_order_in_the_same_folder(self, system, sample, archives, tmp_path):
        gather(system, tmp_path / "store", Choice(ids=sample["source_id"][:3]), archives=archives)
        with pytest.raises(InputError, match="another order; .*--restart"):
            gather(system, tmp_path / "store", Choice(ids=sample["source_id"][:4]), archives=archives)
        order = json.loads((tmp_path / "store" / "order.json").read_text())
        assert order["system"] == "uacsnet" and order["steps"][0] == "gaia_by_id"

    @pytest.mark.parametrize("given", [{}, {"region": (1, 2, 3), "ids": [1]}])
    def test_stars_are_given_in_one_way(self, system, given):
        with pytest.raises(InputError, match="expected one of region, ids, query and a table"):
            system.label(**given)

    def test_nothing_in_a_region(self, system, archives, sample):
        with pytest.raises(InputError, match="no such stars"):
            system.label(region=(float(sample["ra"][0].value), -89.9, 0.01), archives=archives)


@pytest.mark.slow
class TestCommand:
    """``stellarlabels label``, from an empty folder to a VOTable."""

    @pytest.fixture
    def servers(self, tap, spectra):
        return ["--service", tap.url, "--url", spectra.url]

    def labels_of(self, servers, *arguments):
        assert main(["label", "uacsnet", *arguments, "-o", "labels.vot", "--networks", "1", *servers]) == 0
        assert not Path("labels.vot.fetched").exists() and not Path("labels.vot.parts").exists()
        return catalogs.read("labels.vot")

    def test_region(self, servers, sample, capsys):
        found = self.labels_of(servers, "--region", f"{sample['ra'][0].value}, {sample['dec'][0].value}, 60")
        assert found["source_id"][0] in sample["source_id"] and {"ra", "dec", "phot_g_mean_mag"} < set(found.colnames)
        assert capsys.readouterr().out.startswith(f"wrote labels.vot: {len(found)} stars")

    def test_identifiers(self, servers, sample):
        Path("ids.txt").write_text("\n".join(map(str, sample["source_id"])))
        found = self.labels_of(servers, "--ids", "ids.txt")
        np.testing.assert_array_equal(found["source_id"], sample["source_id"])
        assert np.ma.getmaskarray(without_unit(found["teff"])).nonzero()[0].tolist() == [2]

    def test_catalog(self, servers, sample):
        """M_G of the published catalog, from distances that were fetched; E(B-V) is the table's own."""
        catalogs.write(sample["source_id", "ebv"][:5], "stars.fits")
        found = self.labels_of(servers, "stars.fits", "--catalog")
        np.testing.assert_allclose(without_unit(found["rgeo"]), 900)
        known = sample["phot_g_mean_mag"][:5].value - 5 * np.log10(90) - 2.5 * sample["ebv"][:5].value
        assert np.abs(without_unit(found["M_G"]) - known).max() < 0.5

    def test_table_with_distances(self, servers, sample):
        Table({"source_id": sample["source_id"][:5]}).write("stars.csv")
        found = self.labels_of(servers, "stars.csv", "--distances", "--no-zero-point")
        assert np.isfinite(without_unit(found["distance"])[[0, 1, 3, 4]]).all()

    @pytest.mark.parametrize("head", ["", "-- my stars\n"])
    def test_query(self, servers, sample, head):
        Path("mine.adql").write_text(f"{head}SELECT TOP 7 source_id FROM gaiadr3.gaia_source;")
        found = self.labels_of(servers, "--query", "mine.adql")
        np.testing.assert_array_equal(found["source_id"], sample["source_id"][:7])

    def test_completing_a_table_that_has_spectra(self, servers, sample, spectra):
        catalogs.write(sample["source_id", "flux", "flux_error"][:4], "stars.fits")
        alone = self.labels_of([], "stars.fits")
        found = self.labels_of([*servers, "--overwrite"], "stars.fits", "--fetch")
        missing = [flags.LABEL.has(table["teff_flag"], "MISSING_PHOTOMETRY") for table in (alone, found)]
        assert missing[0].all() and not missing[1].any() and spectra.requests == []

    def test_plan(self, servers, sample, spectra, capsys):
        region = f"{sample['ra'][0].value}, {sample['dec'][0].value}, 180"
        assert main(["label", "uacsnet", "--region", region, "-o", "l.vot", "--plan", *servers]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(
            f"{ALL} stars\nrequests: 1 of the list of stars; 3 of gaia_by_id; 3 of distances; 3 of xp samples\n"
        )
        assert "about 0.9 MB" in shown and spectra.requests == [] and list(Path().iterdir()) == []

    def test_what_is_wrong(self, capsys):
        for arguments, word in (
            ([], "give either files, or one of --region"),
            (["--ids", "none.txt"], "there is no file none.txt"),
            (["--region", "1,2,3", "--offline"], "have to be fetched"),
            (["--region", "1,2", "--service", "http://127.0.0.1:9/tap"], "right ascension, declination and radius"),
        ):
            assert main(["label", "uacsnet", *arguments, "-o", "x.vot"]) == 1
            assert word in capsys.readouterr().err

    def test_killed_and_resumed(self, tap, spectra, sample, servers):
        Path("ids.txt").write_text("\n".join(map(str, sample["source_id"])))
        command = ["label", "uacsnet", "--ids", "ids.txt", "-o", "labels.vot", *servers]
        script = (
            f"from stellarlabels.gather import run; from stellarlabels import cli; run.PART = 25; cli.main({command!r})"
        )
        spectra.faults = [None, "stall"]
        with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
            while len(spectra.requests) < 2 and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            said = process.stderr.read()
        assert len(spectra.requests) == 2 and not Path("labels.vot").exists(), said
        assert Path("labels.vot.fetched/part-000000.parquet").exists()
        found = self.labels_of(servers, "--ids", "ids.txt")
        np.testing.assert_array_equal(found["source_id"], sample["source_id"])
        assert len(spectra.requests) == 4  # the part that was there is not asked for again
        uploads = [parameters for place, parameters, _ in tap.requests if "UPLOAD" in parameters]
        assert len(uploads) in (6, 7, 8)  # two queries for each of three parts; what was cut short may be asked again


@pytest.mark.slow
def test_systems_that_need_photometry_only(fake_tap, sample, caplog, tmp_path, monkeypatch):
    """CSNet: magnitudes of J-PLUS and Gaia by identifiers, 99 for what was not detected."""
    filters = [name for name in queries.get("jplus_by_id").gives if name.startswith(("mag_", "flags_"))]

    def answer(adql, uploads):
        stars = uploads["stars"]
        out = Table({"upload_row": stars["upload_row"]})
        if "jplus" in adql:
            for name in filters:
                if name.startswith("flags_"):
                    out[name] = np.zeros(len(stars), int)
                    continue
                typical = 15.0 if name.startswith("mag_aper") else 0.02
                out[name] = np.where(np.arange(len(stars)) == 1, 99.0, typical)
        elif "gaiaedr3_distance" in adql:
            out["r_med_geo"] = [100.0, 100.0, 5000.0]
        else:
            for name in ("ra", "dec", "phot_g_mean_mag", "phot_rp_mean_mag"):
                out[name] = [14.0] * len(stars)
            out["phot_bp_mean_mag"] = [15.4] * len(stars)
        return out

    monkeypatch.setenv("DUSTMAPS_CONFIG_FNAME", str(tmp_path / "dustmaps.json"))
    tap = fake_tap(answer)
    system = CSNet.pretrained()
    stars = QTable({"source_id": sample["source_id"][:3], "ebv": [0.1, 0.1, 0.1] * u.mag})
    labels = system.label(stars, archives=Archives(service=tap.url))
    assert labels["teff"].mask.tolist() == [False, True, False] and len(filters) == 36
    [part] = gather(system, tmp_path / "store", Choice(table=stars), archives=Archives(service=tap.url))
    kinds = {kind: system.recommended(run.read_part(part), selection=kind).tolist() for kind in ("giants", "dwarfs")}
    assert kinds == {"giants": [False, False, True], "dwarfs": [True, True, False]}
    with caplog.at_level("WARNING"):
        assert system.label(stars["source_id"], archives=Archives(service=tap.url))["teff"].mask.all()
    assert "without E(B-V): " in caplog.text and "dustmaps" in caplog.text
