"""LAMOST's files over real HTTP from a server on this machine, which serves real files, or fails."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table
from lamost_server import LamostArchive

import stellarlabels
from stellarlabels import SolarDis, SPCANet, catalogs, flags
from stellarlabels.archive.lamost import available, download, lamost_spectra
from stellarlabels.archive.lamost.spectra import address
from stellarlabels.archive.tap import Retry
from stellarlabels.cli import main
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import ChunksFailedError, InputError, LoginError, MissingColumnError
from stellarlabels.gather import Archives

BRIEF = Retry(times=2, first=0.0)
LOW = [740103002, 740103003, 740103005, 101001, 677503031]
MEDIUM = [666212076, 681001015]


@pytest.fixture(scope="module")
def files(real_data):
    paths = [*(real_data / "lamost_lrs").glob("spec-*.fits*"), *(real_data / "lamost_mrs").glob("med-*.fits*")]
    return [path for path in sorted(paths) if "_dr" not in path.name]


@pytest.fixture
def archive(files):
    with LamostArchive(files) as server:
        yield server


@pytest.fixture
def how(archive):
    return {"url": archive.url, "retry": BRIEF, "interval": 0.0}


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for module in ("stellarlabels.gather.run", "stellarlabels.archive.tap.client"):
        monkeypatch.setattr(f"{module}.default_folder", lambda: tmp_path / "cache" / "tap")


def test_addresses_are_declared():
    assert available()[0] == "DR9 v2.0"
    assert address("medium", "DR10 v2.0") == "https://www.lamost.org/dr10/v2.0/medspectrum/fits/{obsid}"
    with pytest.raises(InputError, match="medium resolution are known of DR9 .*'DR5 v3'"):
        address("medium", "DR5 v3")
    with pytest.raises(InputError, match="expected one of low, medium"):
        address("high")


class TestFiles:
    """The survey's files, with the survey's names."""

    def test_are_as_they_were(self, archive, files, how, tmp_path):
        names, paths = download(LOW, tmp_path / "s", **how)
        assert names.tolist() == LOW
        for path, name in zip(paths, LOW, strict=True):
            source = archive.files["spectrum", name]
            assert path.name == source.name and path.read_bytes() == source.read_bytes()
        assert sorted(archive.requests) == sorted(("spectrum", name) for name in LOW)
        download([*LOW, 740103008], tmp_path / "s", **how)
        assert archive.requests[len(LOW) :] == [("spectrum", 740103008)]

    def test_one_that_the_archive_does_not_have(self, archive, how, tmp_path):
        _, paths = download([LOW[0], 5], tmp_path / "s", **how)
        assert paths[0].is_file() and paths[1] is None
        archive.requests.clear()
        download([LOW[0], 5], tmp_path / "s", **how)
        assert archive.requests == []

    @pytest.mark.parametrize("fault", [500, 503, "drop", "truncate", "page", "other"])
    def test_a_fault_that_passes(self, archive, how, tmp_path, fault):
        archive.faults = [fault, fault]
        _, (path,) = download(LOW[:1], tmp_path / "s", workers=1, **how)
        assert path.read_bytes() == archive.files["spectrum", LOW[0]].read_bytes()
        assert len(archive.requests) == 3

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            ("truncate", "truncated|damaged"),
            ("page", "expected a FITS file"),
            ("other", "expected the spectrum 740103002"),
        ],
    )
    def test_a_wrong_file_is_not_kept(self, archive, how, tmp_path, fault, words):
        archive.faults = [fault] * 3
        with pytest.raises(ChunksFailedError, match=f"1 spectra failed, the first is 740103002: .*({words})"):
            download(LOW[:1], tmp_path / "s", **how)
        assert list((tmp_path / "s").iterdir()) == []

    def test_a_login(self, files, tmp_path):
        with LamostArchive(files, token="secret") as archive:
            with pytest.raises(LoginError, match="--token-file") as caught:
                download(LOW[:1], tmp_path / "s", url=archive.url, token="wrong", retry=BRIEF)
            assert "wrong" not in str(caught.value)
            _, (path,) = download(LOW[:1], tmp_path / "s", url=archive.url, token="secret", retry=BRIEF)
        assert path.is_file()

    def test_requests_are_not_made_at_once(self, archive, how, tmp_path):
        start = time.monotonic()
        download(LOW, tmp_path / "s", **{**how, "interval": 0.1})
        assert time.monotonic() - start >= 0.4


class TestSpectra:
    """Tables in the order of the stars."""

    def test_low_resolution(self, archive, files, how):
        got = stellarlabels.lamost_spectra([LOW[1], 5, LOW[0]], store="s", **how)
        expected = stellarlabels.read_lamost([archive.files["spectrum", LOW[1]], archive.files["spectrum", LOW[0]]])
        assert got["obsid"].tolist() == [LOW[1], 5, LOW[0]]
        np.testing.assert_array_equal(got["flux"][[0, 2]], expected["flux"])
        assert flags.SPECTRUM.has(got["spectrum_flag"], "NO_SPECTRUM").tolist() == [False, True, False]

    def test_no_spectrum_at_all(self, how):
        got = lamost_spectra([5, 6], store="s", **how)
        assert np.isnan(got["flux"]).all() and got["obsid"].tolist() == [5, 6]

    def test_by_position(self, archive, how, fake_tap, monkeypatch):
        rows = stellarlabels.read_lamost([archive.files["spectrum", name] for name in LOW[:3]])

        def answer(adql, uploads):
            assert "external.lamost_dr9_lrs" in adql
            out = Table(
                {"upload_row": [0, 0, 0, 2], "obsid": [9, LOW[1], LOW[0], LOW[2]], "snr": [90.0, 5.0, 50.0, 1.0]}
            )
            place = [0, 0, 0, 2]
            out["there_ra"] = without_unit(rows["ra"])[place]
            out["there_dec"] = without_unit(rows["dec"])[place] + np.array([2.0, 0.0, 0.1, 0.0]) / 3600
            return out

        service = fake_tap(answer)
        monkeypatch.setattr(
            "stellarlabels.archive.lamost.spectra.TAP", lambda name: stellarlabels.archive.TAP(service.url)
        )
        got = lamost_spectra(rows["ra", "dec"], store="s", **how)
        assert got["obsid"].tolist() == [LOW[0], None, LOW[2]]  # of the two of the nearest star the better one

    def test_neither_identifiers_nor_positions(self):
        with pytest.raises(MissingColumnError, match="expected obsid, or ra and dec"):
            lamost_spectra(QTable({"x": [1]}), store="s")


@pytest.mark.slow
class TestLabels:
    """From identifiers to labels."""

    @pytest.mark.parametrize(("cls", "names", "kind"), [(SolarDis, LOW, "spectrum"), (SPCANet, MEDIUM, "medspectrum")])
    def test_system(self, archive, cls, names, kind, agree):
        system = cls.pretrained().fewer(1)
        labels = system.label(ids=[*names, 5], archives=Archives(spectra=archive.url, retry=BRIEF))
        expected = system.predict(stellarlabels.read_lamost([archive.files[kind, name] for name in names]))
        assert labels["obsid"].tolist() == [*names, 5]
        agree(labels[: len(names)], expected, [name for name in expected.colnames if name != "obsid"])
        assert labels["teff"].mask[-1] and {"spectrum", "ra", "dec", "designation"} < set(labels.colnames)

    def test_one_command_for_identifiers_and_one_for_a_folder(self, archive, tmp_path, capsys, agree):
        Path("ids.txt").write_text("\n".join(map(str, LOW)))
        command = ["label", "solardis", "--networks", "1"]
        assert main([*command, "--ids", "ids.txt", "-o", "a.vot", "--url", archive.url]) == 0
        assert main(["spectra", "lamost", "ids.txt", "-o", "files", "--url", archive.url, "--interval", "0"]) == 0
        assert "wrote files: 5 stars, 5 of them with a spectrum" in capsys.readouterr().out
        assert main([*command, "files/", "-o", "b.vot"]) == 0
        one, other = catalogs.read("a.vot"), catalogs.read("b.vot")
        one.sort("obsid"), other.sort("obsid")
        assert sorted(LOW) == one["obsid"].tolist() == other["obsid"].tolist()
        agree(one, other, ["teff", "teff_err", "feh", "feh_flag", "ra", "spectrum"])

    def test_one_command_for_a_region(self, archive, fake_tap):
        rows = stellarlabels.read_lamost([archive.files["spectrum", name] for name in LOW])
        tap = fake_tap(lambda adql, uploads: Table({"obsid": LOW, "ra": without_unit(rows["ra"])}))
        command = ["label", "solardis", "--region", "158, 35, 2", "-o", "c.vot", "--networks", "1"]
        assert main([*command, "--service", tap.url, "--url", archive.url]) == 0
        assert catalogs.read("c.vot")["obsid"].tolist() == LOW
        (query,) = [given["QUERY"] for place, given, _ in tap.requests if place == "async"]
        assert "CIRCLE('ICRS', 158.0, 35.0, 2.0)" in query and "lamost_dr9_lrs" in query

    def test_distances_of_a_region_have_the_photometry_of_gaia(self, archive, fake_tap):
        """Each spectrum's nearest source within 3 arcsec; a star without any has no distance."""
        rows = stellarlabels.read_lamost([archive.files["spectrum", name] for name in LOW])
        alone, known = 1, [0, 2, 3, 4]

        def answer(adql, uploads):
            if "lamost_dr9_lrs" in adql:
                return Table({"obsid": LOW, "ra": without_unit(rows["ra"])})
            if "POINT" in adql:
                assert f"{3 / 3600}" in adql
                offset, star = np.repeat([2.0, 0.5], len(known)) / 3600, np.tile(known, 2)
                there = {
                    "there_ra": without_unit(rows["ra"])[star],
                    "there_dec": without_unit(rows["dec"])[star] + offset,
                }
                return Table({"upload_row": star, "source_id": 100 * np.repeat([1, 2], len(known)) + star, **there})
            bands = {"g": 14.0, "bp": 14.4, "rp": 13.5}
            magnitudes = {f"phot_{band}_mean_mag": np.full(len(known), bands[band]) for band in bands}
            [upload] = uploads.values()
            assert list(upload["source_id"]) == [200, 202, 203, 204]
            return Table({"upload_row": np.arange(len(known)), **magnitudes})

        tap = fake_tap(answer)
        command = ["label", "solardis", "--region", "158, 35, 2", "-o", "c.vot", "--networks", "1", "--distances"]
        assert main([*command, "--service", tap.url, "--url", archive.url]) == 0
        found = catalogs.read("c.vot")
        assert found["obsid"].tolist() == LOW
        assert np.isfinite(found["distance"].value).tolist() == [row != alone for row in range(len(LOW))]
        expected = SolarDis.pretrained().fewer(1).label(ids=LOW, archives=Archives(spectra=archive.url, retry=BRIEF))
        np.testing.assert_allclose(found["m_g"].value, expected["m_g"].value, rtol=1e-5)

    def test_killed_and_resumed(self, archive):
        Path("ids.txt").write_text("\n".join(map(str, LOW)))
        command = ["spectra", "lamost", "ids.txt", "-o", "files", "--url", archive.url, "--workers", "1"]
        archive.faults = [None, None, "stall"]
        with subprocess.Popen([sys.executable, "-m", "stellarlabels", *command], stderr=subprocess.PIPE) as process:
            while len(archive.requests) < 3 and process.poll() is None:
                time.sleep(0.05)
            process.kill()
            said = process.stderr.read()
        assert len(archive.requests) == 3, said
        assert len(list(Path("files").glob("spec-*"))) == 2
        assert main(command) == 0
        assert len(archive.requests) == 6 and len(list(Path("files").glob("spec-*"))) == 5

    def test_plan(self, archive, capsys):
        Path("ids.txt").write_text("\n".join(map(str, LOW)))
        assert main(["spectra", "lamost", "ids.txt", "--plan"]) == 0
        assert capsys.readouterr().out.startswith("5 stars in as many requests")


def test_units_are_those_of_the_reader(archive, how):
    assert lamost_spectra(LOW[:1], store="s", **how)["wavelength"].unit == u.AA
