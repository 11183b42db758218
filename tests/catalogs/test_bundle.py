"""The publication bundle: every file that is promised, each of them true to the catalog."""

import hashlib
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import catalogs, cli
from stellarlabels.catalogs import bundle, schemas
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import InputError, ReadError, WriteError

TEXTS = {"ReadMe", "q.rd", "provenance.json", "references.bib", "CITATION.txt", "SHA256SUMS"}


@pytest.fixture(scope="module")
def folder(example, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundle") / "csnet"
    bundle.export(example("csnet"), out, authors=["Doe, Jane"], title="Labels of J-PLUS stars", license="CC-BY-4.0")
    return out


def test_every_file_is_there_and_has_its_checksum(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == TEXTS | {f"csnet{suffix}" for suffix in (".fits", ".vot", ".parquet", ".dat")}
    lines = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert set(lines) == names - {"SHA256SUMS"}
    for name, value in lines.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == value


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet"])
def test_the_data_are_the_catalog(suffix, folder, example):
    found, expected = catalogs.read(folder / f"csnet{suffix}", "csnet"), example("csnet")
    for name in expected.colnames:
        left, right = without_unit(expected[name]), without_unit(found[name])
        assert (np.ma.getmaskarray(left) == np.ma.getmaskarray(right)).all()
        assert (left == right).all()


def test_astropy_reads_the_text_with_the_readme(folder, example):
    found = Table.read(folder / "csnet.dat", readme=folder / "ReadMe", format="ascii.cds")
    expected = example("csnet")
    assert len(found) == len(expected)
    for name in ("Teff", "ra"):
        decimals = int(re.fullmatch(r"\.(\d)f", schemas.get("csnet")[name].format)[1])
        wanted = np.round(without_unit(expected[name]).filled(np.nan).astype(float), decimals)
        np.testing.assert_array_equal(np.ma.filled(found[name], np.nan), wanted)
    np.testing.assert_array_equal(found["MAG_APER6_12"].mask, expected["MAG_APER6"].mask[:, 11])
    assert found["Teff_flag"].description.startswith("Flag of Teff")
    lines = (folder / "ReadMe").read_text(encoding="ascii").splitlines()
    assert max(map(len, lines)) <= 80
    record = re.search(r"csnet\.dat +(\d+) +(\d+)", "\n".join(lines))
    data = (folder / "csnet.dat").read_text(encoding="ascii").splitlines()
    assert {len(line) for line in data} == {int(record[1])} and len(data) == int(record[2])


def test_the_provenance_counts_what_is_in_the_table(folder, example):
    found, table = json.loads((folder / "provenance.json").read_text()), example("csnet")
    assert found["counts"]["rows"] == len(table)
    for name, count in found["counts"]["missing"].items():
        assert count == np.ma.getmaskarray(without_unit(table[name])).sum()
    assert {"stellarlabels", "numpy", "astropy", "python"} <= set(found["software"])
    assert found["origin"]["weights"] == "example" and found["catalog"]["license"] == "CC-BY-4.0"
    values = found["flags"]["FLAGS"]["values"]
    flags = without_unit(table["FLAGS"])
    assert values[1]["name"] == "NEIGHBORS" and values[1]["count"] == ((flags & 1) != 0).sum()
    assert values[0]["count"] == (flags == 0).sum()


def test_references_and_citation(folder):
    text = (folder / "references.bib").read_text()
    assert re.findall(r"^@(\w+)\{(\w+),$", text, re.MULTILINE) == [
        ("misc", "csnet_catalog"),
        ("article", "csnet_paper"),
        ("software", "stellarlabels"),
    ]
    assert "Doe, Jane" in text and "adsurl = {https://ui.adsabs.harvard.edu/abs/2022A&A...659A.181Y}" in text
    assert text.count("{") == text.count("}")
    assert "Doe, Jane" in (folder / "CITATION.txt").read_text()


def test_the_descriptor_declares_every_column(folder):
    root = ElementTree.fromstring((folder / "q.rd").read_text())
    columns = root.findall("table/column")
    assert [column.get("name") for column in columns] == [item.name.lower() for item in schemas.get("csnet")]
    assert len(root.findall("data/make/rowmaker/map")) == len(columns)
    assert root.find("service").get("allowed") == "scs.xml,form"


def test_a_table_without_positions_or_schema_has_no_cone_search(labels, tmp_path):
    labels.meta["description"] = "A \\backslash & more"
    bundle.export(labels, tmp_path / "out", name="My labels!")
    root = ElementTree.fromstring((tmp_path / "out" / "q.rd").read_text())
    assert root.get("schema") == "my_labels" and root.find("service") is None
    assert root.find("table").get("primary") == "source_id"
    assert (tmp_path / "out" / "my_labels.fits").exists()
    assert "\\\\backslash" in root.find("meta[@name='description']").text


def test_an_identifier_that_occurs_twice_is_no_primary_key(example, tmp_path):
    table = example("uacsnet", rows=5)
    table["source_id"] = [1, 2, 2, 3, 4]
    bundle.export(table, tmp_path / "out")
    declared = ElementTree.fromstring((tmp_path / "out" / "q.rd").read_text()).find("table")
    assert declared.get("primary") is None and declared.find("index").get("columns") == "source_id"


def test_a_bundle_appears_whole_or_not_at_all(labels, tmp_path):
    labels["bad"] = ["Grünes Auge"] * 3
    with pytest.raises(InputError, match="'bad'"):
        bundle.export(labels, tmp_path / "out")
    assert not list(tmp_path.iterdir())
    del labels["bad"]
    bundle.export(labels, tmp_path / "out")
    (tmp_path / "out" / "more").touch()
    with pytest.raises(WriteError, match="overwrite=True"):
        bundle.export(labels, tmp_path / "out")
    bundle.export(labels, tmp_path / "out", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and not (tmp_path / "out" / "more").exists()


def test_the_same_catalog_gives_the_same_bundle(labels, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    first, second = (bundle.export(labels, tmp_path / name, name="x") for name in "ab")
    assert first == second
    assert json.loads((tmp_path / "a" / "provenance.json").read_text())["catalog"]["created"].startswith("2001-09-09")


def test_the_command_line(example, tmp_path, capsys):
    catalogs.write(example("uacsnet"), tmp_path / "x.parquet", "uacsnet")
    arguments = ["export", str(tmp_path / "x.parquet"), "--bundle", str(tmp_path / "out"), "--schema", "uacsnet"]
    assert cli.main([*arguments, "--author", "Doe, J.", "--author", "Roe, R."]) == 0
    assert "uacsnet.fits" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["catalog"]["source"] == "x.parquet"
    assert cli.main(arguments) == 1
    with pytest.raises(ReadError):
        bundle.export(tmp_path / "nowhere.fits", tmp_path / "other")
