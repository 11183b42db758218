"""The report says what is true of catalogs whose faults are known, in words, tables and files."""

import re

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import catalogs, flags, report
from stellarlabels.cli import main
from stellarlabels.exceptions import InputError, ReadError, WriteError
from stellarlabels.validation import compare


def texts(folder):
    """The sentences of a report, from its file."""
    return [str(row["text"]) for row in QTable.read(folder / "findings.ecsv")]


def words(node):
    return " ".join(" ".join(node.itertext()).split())


def test_files(written):
    assert list(written) == [
        "index.html", "summary.ecsv", "flags.ecsv", "findings.ecsv",
        "comparison-apogee.ecsv", "calibration-apogee.ecsv", "bins-apogee.ecsv",
    ]  # fmt: skip
    assert all(path.is_file() for path in written.values())
    for name in list(written)[1:]:
        assert len(QTable.read(written[name], format="ascii.ecsv"))


def test_numbers_are_those_of_compare(written, tables):
    found = QTable.read(written["comparison-apogee.ecsv"])
    expected = compare(*tables)
    for row in expected:
        one = found[(found["label"] == row["label"]) & (found["group"] == "all")][0]
        assert one["median"] == pytest.approx(row["bias"]) and one["robust_sigma"] == pytest.approx(row["scatter"])
        assert one["stars"] == row["stars"] == 3000
    summary = QTable.read(written["summary.ecsv"])
    labels = tables[0]
    assert list(summary["label"]) == ["teff", "logg", "feh"]
    np.testing.assert_allclose(summary["median"], [np.median(labels[name].value) for name in summary["label"]])
    assert list(summary["good"]) == [len(labels)] * 3  # the flags are notes


def test_errors_that_are_20_percent_too_small_for_faint_stars_are_called_so(written):
    said = [text for text in texts(written["index.html"].parent) if text.startswith("Errors of [Fe/H]")]
    assert len(said) == 1
    share, limit = re.fullmatch(
        r"Errors of \[Fe/H\] are (\d+) % too small \(.*\) for G > ([\d.]+) mag\.", said[0]
    ).groups()
    assert abs(int(share) - 20) <= 4 and abs(float(limit) - 14) < 0.8


def test_right_errors_are_called_right_and_a_bias_is_told(written):
    said = texts(written["index.html"].parent)
    assert any(text.startswith("The errors of Teff are right to within 10 %") for text in said)
    assert any(re.match(r"log g is 0\.\d+ ± 0\.\d+ dex too high \(median residual\)\.", text) for text in said)
    assert not any(text.startswith("Teff is") for text in said)
    assert not any("of the stars have the flag" in text for text in said)  # a note is no reason for caution


@pytest.mark.parametrize(
    ("honesty", "said"), [(0.5, "50 % too small"), (1.5, "50 % too large"), (1.0, "right to within")]
)
def test_errors_of_all_stars(honesty, said):
    rng = np.random.default_rng(4)
    reference = QTable({"source_id": np.arange(1, 8001), "feh": rng.uniform(-1, 0, 8000) * u.dex})
    labels = QTable({"source_id": reference["source_id"], "feh": reference["feh"] + rng.normal(0, 0.1, 8000) * u.dex})
    labels["feh_err"] = np.full(8000, 0.1 * honesty) * u.dex
    labels["phot_g_mean_mag"] = rng.uniform(10, 15, 8000) * u.mag
    found = [text for text in report.validate(labels, ("APOGEE", reference)).meta["findings"] if "rrors of" in text]
    assert len(found) == 1 and " for " not in found[0]
    if honesty == 1:
        assert said in found[0]
    else:
        share = float(re.search(r"are (\d+) % too", found[0])[1])
        assert said.split()[-1] in found[0] and abs(share - 50) <= 5


def test_the_page_says_it_all(page, tables):
    text = words(page)
    assert "Report on uacsnet" in text and "3,000 rows, 3 labels, compared with APOGEE" in text
    assert "sha256:abc" in text
    headings = [words(node) for node in page.iter("h2")]
    assert headings == ["Findings", "Summary", "Flags", "The stars", "Against APOGEE", "Provenance"]
    rows = [[words(cell) for cell in row] for row in page.iter("tr")]
    feh = compare(*tables)["label"].tolist().index("feh")
    scatter = compare(*tables)["scatter"][feh]
    cells = next(row for row in rows if row[:2] == ["[Fe/H] (dex)", "all"])
    assert float(cells[6].split("±")[0]) == pytest.approx(scatter, abs=2e-4)


def test_a_published_catalog_is_read_with_its_flags(tmp_path, example):
    catalogs.write(example("csnet"), tmp_path / "csnet.fits", "csnet")
    written = report.write(tmp_path / "csnet.fits", tmp_path / "out", schema="csnet")
    flags = QTable.read(written["flags.ecsv"])
    assert {"Teff_flag"} < set(flags["column"]) and "COLOR_RANGE" in set(flags["flag"])
    assert {"teff", "feh", "mg_fe"} < set(QTable.read(written["summary.ecsv"])["label"])


def test_abundances_are_worked_out_for_dwarfs_and_giants(tables, tmp_path, parse):
    labels = part(tables[0], "source_id", "feh", "logg")
    labels["mg_h"] = labels["feh"] + 0.2 * u.dex
    labels["mg_h"][::7] += 0.1 * u.dex
    page = parse(report.write(labels, tmp_path / "out")["index.html"].read_text(encoding="utf-8"))
    captions = [words(node) for node in page.iter("figcaption")]
    assert {"[Mg/Fe] against [Fe/H] for dwarfs.", "[Mg/Fe] against [Fe/H] for giants."} <= set(captions)


def test_any_table_that_astropy_reads(tmp_path, tables):
    Table(tables[0]["source_id", "feh", "phot_g_mean_mag"]).write(tmp_path / "stars.rdb")
    assert report.write(tmp_path / "stars.rdb", tmp_path / "out")["index.html"].is_file()
    said = "feh, phot_g_mean_mag have no unit in the file and are taken to be in the unit of the vocabulary."
    assert said in texts(tmp_path / "out")


def test_known_surveys_are_read_by_their_names(tmp_path, tables):
    reference = QTable(tables[1])
    reference.rename_column("source_id", "GAIAEDR3_SOURCE_ID")
    reference.rename_column("feh", "FE_H")
    reference.meta = {}
    catalogs.write(reference[["GAIAEDR3_SOURCE_ID", "FE_H"]], tmp_path / "allStar.fits")
    table = report.validate(tables[0], f"apogee_dr17={tmp_path / 'allStar.fits'}")
    assert table[(table["label"] == "feh") & (table["group"] == "all")]["stars"][0] == 3000


# ---------------------------------------------------------------------- bad input


def sentences(labels, reference, tmp_path, parse):
    """The sentences of the report of a difficult catalog, which is complete and well-formed."""
    written = report.write(labels, tmp_path / "out", against=[] if reference is None else [("Reference", reference)])
    parse(written["index.html"].read_text(encoding="utf-8"))
    return texts(tmp_path / "out")


def part(table, *names, rows=slice(0, 300)):
    out = QTable(table[list(names)][rows])
    out.meta = {}
    return out


def test_no_star_in_common(tables, tmp_path, parse):
    reference = part(tables[1], "source_id", "feh")
    reference["source_id"] += 10**6
    said = sentences(part(tables[0], "source_id", "feh", "feh_err"), reference, tmp_path, parse)
    assert "Reference: No star of the catalog is in the reference (matched by source_id)." in said


def test_nothing_to_match_by(tables, tmp_path, parse):
    said = sentences(part(tables[0], "feh"), part(tables[1], "feh"), tmp_path, parse)
    assert any("cannot be matched" in text and "identifier" in text for text in said)


def test_a_label_that_one_side_lacks(tables, tmp_path, parse):
    labels = part(tables[0], "source_id", "feh", "feh_err", "teff")
    said = sentences(labels, part(tables[1], "source_id", "feh", "logg"), tmp_path, parse)
    assert "Teff is not compared with Reference: the reference has no teff." in said


def test_no_label_in_common(tables, tmp_path, parse):
    said = sentences(part(tables[0], "source_id", "feh"), part(tables[1], "source_id", "teff"), tmp_path, parse)
    assert "Reference: The catalog and the reference have no label in common." in said


@pytest.mark.parametrize("side", ["labels", "reference"])
def test_constant_columns(tables, tmp_path, parse, side):
    labels = part(tables[0], "source_id", "feh", "feh_err", "phot_g_mean_mag", "teff", "logg")
    reference = part(tables[1], "source_id", "feh", "teff", "logg")
    for name in ("feh", "teff", "logg"):
        (labels if side == "labels" else reference)[name][:] = 3 * labels[name].unit
    labels["phot_g_mean_mag"] = np.full(300, 12.0) * u.mag
    said = sentences(labels, reference, tmp_path, parse)
    assert ("[Fe/H] is the same for all stars: 3.000 dex." in said) == (side == "labels")


def test_equal_tables(tables, tmp_path, parse):
    labels = part(tables[0], "source_id", "feh", "feh_err", "phot_g_mean_mag")
    said = sentences(labels, part(labels, "source_id", "feh"), tmp_path, parse)
    assert any("all residuals are equal" in text for text in said)


@pytest.mark.parametrize("side", ["labels", "reference"])
def test_columns_that_are_masked_in_every_row(tables, tmp_path, parse, side):
    labels = part(tables[0], "source_id", "feh", "feh_err", "feh_flag", "phot_g_mean_mag", "teff", "logg")
    reference = part(tables[1], "source_id", "feh", "teff", "logg")
    for table in [labels] if side == "labels" else [reference]:
        for name in ("feh", "teff"):
            table[name] = np.full(300, np.nan) * table[name].unit
    if side == "labels":
        labels["feh_flag"] = np.ma.masked_all(300, int)
    said = sentences(labels, reference, tmp_path, parse)
    assert any("all values of feh in the" in text for text in said)
    assert ("[Fe/H] is missing for all stars." in said) == (side == "labels")


def test_no_rows(tables, tmp_path, parse):
    none = part(tables[0], "source_id", "feh", "feh_err", "feh_flag", rows=slice(0, 0))
    assert "The catalog has no rows." in sentences(none, part(tables[1], "source_id", "feh"), tmp_path, parse)


def test_no_labels(tables, tmp_path, parse):
    said = sentences(part(tables[0], "source_id", "ra"), part(tables[1], "source_id", "feh"), tmp_path, parse)
    assert any("no column that is a label" in text for text in said)


def test_one_star(tables, tmp_path, parse):
    one = part(tables[0], "source_id", "feh", "feh_err", "teff", "logg", "phot_g_mean_mag", rows=slice(0, 1))
    said = sentences(one, part(tables[1], "source_id", "feh", "teff"), tmp_path, parse)
    assert any(text.startswith("Only 1 star can be compared in [Fe/H]") for text in said)


def test_repeated_identifiers_and_bad_errors(tables, tmp_path, parse):
    labels = part(tables[0], "source_id", "feh", "feh_err")
    labels["source_id"][:3] = labels["source_id"][3]
    labels["feh_err"][:2] = 0 * u.dex
    said = sentences(labels, None, tmp_path, parse)
    assert "3 rows have an identifier (source_id) that another row has, too." in said
    assert "2 stars have errors of [Fe/H] that are not positive." in said
    assert any(text.startswith("No reference was given") for text in said)


def test_texts_are_escaped(tables, tmp_path, parse):
    labels = part(tables[0], "source_id", "feh")
    labels.meta["system"] = "<script>alert('1')</script>"
    written = report.write(labels, tmp_path / "out", title="a & b < c")
    text = written["index.html"].read_text()
    assert "<script" not in text and "a &amp; b &lt; c" in text
    parse(text)


# ---------------------------------------------------------------------- files and the command line


def test_refusals(tables, tmp_path):
    (tmp_path / "file").touch()
    labels = part(tables[0], "source_id", "feh")
    with pytest.raises(InputError, match="expected a folder"):
        report.write(labels, tmp_path / "file")
    with pytest.raises(ReadError, match="not a file"):
        report.write(tmp_path / "nothing.fits", tmp_path / "out")
    with pytest.raises(ReadError, match="cannot be read"):
        report.write(tmp_path / "file", tmp_path / "out")
    report.write(labels, tmp_path / "out")
    with pytest.raises(WriteError, match="exists"):
        report.write(labels, tmp_path / "out")
    report.write(labels, tmp_path / "out", overwrite=True)


def test_without_jinja_there_is_one_sentence(tables, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(InputError, match=r"pip install stellarlabels\[report\]"):
        report.write(part(tables[0], "source_id", "feh"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def paths(tables, tmp_path):
    names = ("source_id", "feh", "feh_err", "feh_flag", "phot_g_mean_mag")
    catalogs.write(part(tables[0], *names), tmp_path / "labels.fits")
    catalogs.write(part(tables[1], "source_id", "feh"), tmp_path / "reference.vot")
    return tmp_path / "labels.fits", tmp_path / "reference.vot"


@pytest.mark.slow
def test_the_verb_report(paths, tmp_path, capsys):
    command = ["report", str(paths[0]), "--against", str(paths[1]), "-o", str(tmp_path / "out")]
    assert main(command) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"wrote {tmp_path / 'out' / 'index.html'}" and len(shown) == 7
    assert main(command) == 1 and "exists" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--title", "My stars"]) == 0
    assert "<h1>My stars</h1>" in (tmp_path / "out" / "index.html").read_text()


def test_the_verb_validate(paths, capsys):
    assert main(["validate", str(paths[0]), "--against", str(paths[1])]) == 0
    shown = capsys.readouterr().out
    head, first = shown.splitlines()[0].split(), shown.splitlines()[2].split()
    assert head[:4] == ["label", "unit", "group", "stars"] and first[:4] == ["feh", "dex", "all", "300"]
    assert "rrors of [Fe/H]" in shown


@pytest.mark.slow
def test_levels_of_flags_are_told(tables, tmp_path, parse):
    labels, reference = (table[:400].copy() for table in tables)
    values = np.zeros(400, dtype=np.int32)
    for start, stop, name in ((0, 80, "MISSING_PHOTOMETRY"), (80, 120, "LARGE_ERROR"), (120, 140, "NO_INPUT")):
        values[start:stop] = flags.LABEL[name]
    labels["feh_flag"] = values
    written = report.write(labels, tmp_path / "r", against=[("APOGEE", reference)])
    found = QTable.read(written["summary.ecsv"])
    row = found[found["label"] == "feh"][0]
    assert [int(row[key]) for key in ("good", "note", "caution", "bad")] == [340, 80, 40, 20]
    page = words(parse(written["index.html"].read_text()))
    assert "With a note Caution Bad" in page and "LARGE_ERROR caution" in page
    assert "[Fe/H] has the fewest good ones: 85 %" in written["index.html"].read_text()


@pytest.mark.slow
def test_few_pulls_are_no_figures(tables, tmp_path, parse):
    labels, reference = (table[:7].copy() for table in tables)
    page = report.write(labels, tmp_path / "r", against=[("APOGEE", reference)])["index.html"]
    assert "7 stars in common have an error: too few to say whether errors of [Fe/H] are right." in words(
        parse(page.read_text())
    )
    assert "Pulls of" not in page.read_text()
