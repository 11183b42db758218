"""``stellarlabels query``."""

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import catalogs
from stellarlabels.archive import TAP, queries
from stellarlabels.cli import main


def test_list(capsys):
    assert main(["query", "list"]) == 0
    shown = capsys.readouterr().out
    assert [name for name in queries.available() if f"{name}: {queries.get(name).title}" not in shown] == []


def test_the_list_tells_the_release(capsys):
    assert main(["query", "list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    below = {line.partition(":")[0]: shown[row + 1].strip() for row, line in enumerate(shown) if line[0] != " "}
    assert below["uacsnet_apply"] == "gaia; Gaia DR3" and below["csnet_gaia"] == "gaia; Gaia DR2"
    assert below["uacsnet_labels"] == "vizier"


def test_tables_of_another_release(capsys, tmp_path, sent):
    command = ["query", "uacsnet", "--release", "DR4", "--set", "limit=5"]
    assert main([*command, "--print"]) == 0
    shown = capsys.readouterr().out
    assert "FROM gaiadr4.gaia_source AS g" in shown and "gaiadr3." not in shown and "gaiadr1.tmass_original" in shown
    assert "not confirmed: gaiadr4.gaia_source (repositories that prepare for DR4" in shown
    assert "Names of columns are those of Gaia DR3." in shown and not sent
    assert main([*command, "-o", str(tmp_path / "out.fits")]) == 0
    assert "gaiadr4.gaia_source" in sent[0][1].adql and "not confirmed: gaiadr4" in capsys.readouterr().out
    assert catalogs.read(tmp_path / "out.fits").meta["release"] == "Gaia DR4"


def test_print_sends_nothing_and_tells_what_can_be_set(capsys, monkeypatch):
    monkeypatch.setattr(TAP, "_fetch", None)
    assert main(["query", "uacsnet", "--print", "--set", "limit=5"]) == 0
    shown = capsys.readouterr().out
    assert "-- uacsnet_apply: " in shown and "--set limit=" in shown and "-- to gaia, https://" in shown
    assert shown.rstrip().splitlines()[-1] in str(queries.get("uacsnet_apply").bind(limit=5)).splitlines()
    assert "SELECT TOP 5 " in shown


@pytest.mark.parametrize("system", ["csnet", "spcanet", "uncertain", "uacsnet", "solardis"])
@pytest.mark.parametrize("sample", ["train", "apply"])
def test_every_sample_can_be_printed(capsys, system, sample):
    assert main(["query", system, "--sample", sample, "--print"]) == 0
    assert f"-- {system}_{sample}: " in capsys.readouterr().out


@pytest.fixture
def sent(monkeypatch):
    """What would have been sent; the answer is two rows."""
    found = []

    def fetch(self, request, mode, wait, watch=None):
        found.append((self, request, mode))
        return b"", Table({"source_id": [2**62, 5], "ra": [1.0, 2.0], "upload_row": [0, 1]})

    monkeypatch.setattr(TAP, "_fetch", fetch)
    monkeypatch.setattr(TAP, "_largest", lambda self: None)
    return found


def test_result(tmp_path, capsys, sent):
    output, token = tmp_path / "out.fits", tmp_path / "token"
    token.write_text("abc\n")
    command = ["query", "uacsnet", "--service", "https://example.org/tap", "--set", "limit=5", "-o", str(output)]
    assert main([*command, "--token-file", str(token), "--maxrec", "7"]) == 0
    (tap, request, mode), out = sent[0], catalogs.read(output)
    assert (tap.url, request.maxrec, mode) == ("https://example.org/tap", 7, "async") and "TOP 5 " in request.adql
    assert tap._session.has_login
    np.testing.assert_array_equal(out["source_id"], [2**62, 5])
    assert "2 rows from https://example.org/tap" in capsys.readouterr().out
    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--sync"]) == 0
    assert sent[-1][2] == "sync"


def test_upload(tmp_path, sent):
    table, own = tmp_path / "stars.fits", tmp_path / "own.adql"
    Table({"RA_ICRS": [1.0, 2.0], "DE_ICRS": [3.0, 4.0]}, units=["deg", "deg"]).write(table)
    own.write_text(
        '-- title = "t"\n-- system = "uacsnet"\n-- sample = "apply"\n-- services = ["gaia"]\n-- reference = "r"\n'
        '-- unconfirmed = []\n-- [upload]\n-- name = "stars"\n-- columns = ["ra", "dec"]\n'
        "SELECT * FROM TAP_UPLOAD.stars\n"
    )
    command = ["query", str(own), "--upload", str(table), "-o", str(tmp_path / "o.vot"), "--store", str(tmp_path / "s")]
    assert main([*command, "--chunk-rows", "1"]) == 0
    assert [b"<TR>" in request.uploads["stars"] for _, request, _ in sent] == [True, True]
    assert all(b'name="ra"' in request.uploads["stars"] for _, request, _ in sent)
    assert len(catalogs.read(tmp_path / "o.vot")) == 4


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nosystem"], "nosystem"),
        (["uacsnet", "--set", "limit"], "NAME=VALUE"),
        (["uacsnet", "--set", "limit=1; DROP TABLE t"], "limit: expected"),
        (["uacsnet", "--set", "nothing=1"], "no such parameter"),
        (["solardis", "--release", "Gaia DR4"], "reads external.gaiaedr3_distance"),
        (["csnet", "--release", "Gaia DR4"], "reads no tables of a release of Gaia"),
        (["uacsnet", "--release", "Gaia DR9"], "release: expected one of"),
        (["uacsnet", "--service", "nothing"], "service: expected"),
        (["uacsnet", "--token-file", "/nonexistent/token"], "token-file"),
        (["uacsnet"], "output: give a file"),
    ],
)
def test_errors_are_one_line(capsys, sent, arguments, word):
    assert main(["query", *arguments]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1 and word in shown[0] and not sent
