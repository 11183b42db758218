"""The command line: exit states, files, and messages."""

import os
import re
import resource
import subprocess
import sys

import numpy as np
import pytest
from astropy.table import QTable, Table

from stellarlabels import catalogs, systems
from stellarlabels.cli import main
from stellarlabels.inputs.examples import xp_apogee_sample


@pytest.fixture(scope="module")
def spectra_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "spectra.fits"
    catalogs.write(xp_apogee_sample()[:40], path)
    return path


def test_systems(capsys):
    assert main(["systems"]) == 0
    assert "uacsnet" in capsys.readouterr().out


def test_demo(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    shown = capsys.readouterr().out
    assert "teff" in shown and "scatter" in shown and "600 held-out stars with Gaia XP spectra" in shown
    assert "stellarlabels label uacsnet YOUR_FILE -o labels.vot" in shown
    files = {path.name for path in (tmp_path / "demo").iterdir()}
    assert files == {
        "labels.vot", "labels.fits", "catalog.vot", "catalog.fits", "kiel.png", "residuals.png", "summary.ecsv",
    }  # fmt: skip
    summary = QTable.read(tmp_path / "demo" / "summary.ecsv")
    assert list(summary["label"]) == ["teff", "logg", "feh", "alpha_m"]
    labels = catalogs.read(tmp_path / "demo" / "labels.vot")
    assert len(labels) == 600 and labels["source_id"].dtype == np.int64


@pytest.mark.parametrize("suffix", ["fits", "vot"])
def test_label(spectra_file, tmp_path, suffix, capsys):
    output = tmp_path / f"out.{suffix}"
    command = ["label", "uacsnet", str(spectra_file), "-o", str(output)]
    assert main(command) == 0
    labels = catalogs.read(output)
    np.testing.assert_array_equal(labels["source_id"], xp_apogee_sample()["source_id"][:40])
    assert main(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--catalog"]) == 0
    assert "FEH" in catalogs.read(output, "uacsnet").colnames or "feh" in catalogs.read(output, "uacsnet").colnames


def test_files_after_options(spectra_file, tmp_path):
    output = tmp_path / "out.fits"
    assert main(["label", "uacsnet", "--networks", "1", str(spectra_file), "-o", str(output)]) == 0
    assert len(catalogs.read(output)) == 40
    with pytest.raises(SystemExit):
        main(["label", "uacsnet", "--nothing", str(spectra_file), "-o", str(output)])
    with pytest.raises(SystemExit):
        main(["systems", str(spectra_file)])


def test_label_with_fewer_networks(spectra_file, tmp_path, capsys):
    command = ["label", "uacsnet", str(spectra_file), "-o", str(tmp_path / "out.fits")]
    assert main([*command, "--networks", "5"]) == 1
    assert "networks: expected a whole number from 1 to 4, got 5" in capsys.readouterr().err
    assert main([*command, "--networks", "1"]) == 0
    assert catalogs.read(tmp_path / "out.fits").meta["weights"].endswith(", first 1 networks")


def test_distance(spectra_file, tmp_path, capsys):
    output = tmp_path / "distances.vot"
    command = ["distance", str(spectra_file), "-o", str(output), "--no-zero-point", "--prior", "exponential"]
    assert main(command) == 0
    distances = catalogs.read(output)
    assert len(distances) == 40 and str(distances["distance"].unit) == "pc"
    shown = re.search(r"40 stars, (\d+) of (\d+) labels are good", capsys.readouterr().out)
    assert int(shown[1]) <= int(shown[2]) == 40 * sum(name.endswith("_good") for name in distances.colnames)
    assert "source_id" in distances.colnames and np.isfinite(distances["distance"].value).all()
    assert main([*command[:-3], "--overwrite"]) == 1
    shown = capsys.readouterr().err
    assert "astrometric_params_solved" in shown and "--no-zero-point" in shown
    assert main(["distance", str(spectra_file), "-o", str(tmp_path / "x.vot"), "--system", "csnet"]) == 1
    assert "csnet has no distances; solardis, uacsnet have" in capsys.readouterr().err


@pytest.mark.slow
def test_train_and_use(spectra_file, tmp_path, capsys):
    model, output = tmp_path / "m.stellarlabels", tmp_path / "o.fits"
    train = [
        "train",
        "uacsnet",
        str(spectra_file),
        "-o",
        str(model),
        "--recipe",
        "paper",
        "--epochs",
        "1",
        "--seed",
        "2",
    ]
    assert main(train) == 0
    assert main(["label", "uacsnet", str(spectra_file), "-o", str(output), "--weights", str(model)]) == 0
    assert len(catalogs.read(output)) == 40


def test_errors_are_one_line(tmp_path, capsys):
    assert main(["label", "nosystem", __file__, "-o", str(tmp_path / "o.fits")]) == 1
    assert main(["label", "uacsnet", str(tmp_path / "none.fits"), "-o", str(tmp_path / "o.fits")]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 2 and "no system is called 'nosystem'" in shown[0] and "none.fits" in shown[1]
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        main(["labels"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stars"),
    [
        ("uacsnet", "600 held-out stars with Gaia XP spectra, against APOGEE DR17"),
        ("csnet", "600 held-out stars with J-PLUS magnitudes from Gaia XP spectra, against APOGEE DR17"),
        ("spcanet", "32 synthetic LAMOST spectra of medium resolution, against the labels that they were made from"),
        ("uncertain", "600 held-out stars with Gaia XP spectra, against APOGEE DR17"),
        ("solardis", "32 synthetic LAMOST spectra of low resolution, against the labels that they were made from"),
    ],
)
def test_the_demo_of_each_system_prints_no_line_of_other_libraries(name, stars, tmp_path):
    """As a user runs it: whatever is written to either stream, by Python or not, is one of our lines."""
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "stellarlabels", "demo", name, "-o", "demo"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path, env=clean, check=True
    )
    shown = done.stdout.splitlines()
    place = shown.index("")
    first, head, rule, *rows = shown[:place]
    assert first == f"{name} on {stars}:"
    assert head.split()[:4] == ["label", "unit", "stars", "bias"] and set(rule) == {"-", " "}
    labels = [*systems.get(name).pretrained().labels, "distance"]
    wrote = [row for row in rows if row.startswith("wrote demo/")]
    assert len(wrote) == 7 and all((tmp_path / row.removeprefix("wrote ")).stat().st_size > 0 for row in wrote)
    compared = [row for row in rows if row.split()[0] in labels]
    judged = [row for row in rows if re.match(rf"({'|'.join(labels)}): \d+ good \(\d+ with a note\), \d+ caution", row)]
    assert len(compared) >= 3 and len(judged) >= 3 and len(rows) == len(wrote) + len(compared) + len(judged)
    assert shown[place + 1].startswith("Open demo/kiel.png") and len(shown) == place + 6
    assert all(line.startswith("    stellarlabels ") for line in shown[place + 2 :])
    known = int(stars.split()[0])
    assert len(catalogs.read(tmp_path / "demo" / "labels.vot")) == known


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nofile.fits", "-o", "x.vot"], "there is no file nofile.fits"),
        (["@nolist.txt", "-o", "x.vot"], "nolist.txt cannot be read as a list"),
        ([__file__, "-o", "x.foo"], "ends in one of"),
        ([__file__, "-o", "nofolder/x.vot"], "nofolder does not exist"),
        ([__file__, "-o", "x.vot", "--weights", "none"], "expected apogee, paper of uacsnet"),
        ([__file__, "-o", "x.vot", "--rows", "0"], "rows: expected a positive whole number, got 0"),
        ([__file__, "-o", "x.vot", "--readers", "-1"], "readers: expected a positive whole number, got -1"),
        ([__file__, "-o", "x.vot", "--networks", "9"], "networks: expected a whole number from 1 to 4, got 9"),
        (["stars.fits", "-o", "x.vot", "--keep", "colour"], "keep: the input has no column colour; it has source_id"),
        ([__file__, "-o", "x.vot", "--release", "DR1"], "release: expected one of Gaia DR2, Gaia DR3"),
        ([__file__, "-o", "x.vot", "--token-file", "none"], "token-file: none cannot be read"),
        ([__file__, "-o", "x", "--engine", "dask"], "takes the folder of a HATS catalog"),
        (["--region", "1,2", "-o", "x.vot"], "region: expected right ascension, declination and radius"),
        (["--region", "all", "-o", "x.vot"], "the whole sky, hundreds of millions; give a region or a limit"),
        (["--region", "1,2,3", "--limit", "0", "-o", "x.vot"], "limit: expected a positive whole number, got 0"),
        (["--query", "none.adql", "-o", "x.vot"], "there is no file none.adql"),
        ([__file__, "-o", "x.vot", "--limit", "5"], "limit: it is about the stars of a --region"),
        ([__file__, "-o", "x.vot", "--workers", "2"], "workers: it is about Dask"),
        ([__file__, "-o", "x.vot", "--match", "x/"], "match: it is about Dask"),
        ([__file__, "-o", "x.vot", "--catalog", "--keep", "ra"], "keep: the columns of --catalog are fixed"),
    ],
)
def test_what_is_wrong_is_told_before_anything_heavy_is_loaded(arguments, word, tmp_path):
    Table({"source_id": [1], "ra": [2.0]}).write(tmp_path / "stars.fits")
    script = f"""
import sys, time
from stellarlabels.cli import main
assert main({["label", "uacsnet", *arguments]!r}) == 1
assert not {{"tensorflow", "keras", "pandas", "dask"}} & set(sys.modules), sorted(sys.modules)
print("seconds", time.process_time())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0 and word in done.stderr, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["label", "uacsnet", "stars.fits", "-o", "stars.fits"],
        ["label", "uacsnet", "@list.txt", "-o", "stars.fits", "--offline"],
        ["label", "uacsnet", "st*.fits", "-o", "stars.fits", "--offline"],
        ["label", "uacsnet", "other.fits", "--weights", "stars.fits", "-o", "stars.fits"],
        ["distance", "./stars.fits", "-o", "stars.fits"],
        ["spectra", "gaia", "stars.fits", "-o", "link.fits"],
        ["train", "uacsnet", "stars.fits", "-o", "stars.fits"],
        ["adapt", "uacsnet", "other.fits", "--same-as", "stars.fits", "-o", "stars.fits"],
        ["distil", "uacsnet", "stars.fits", "-o", "stars.fits"],
        ["export", "folder/stars.fits", "--bundle", "folder"],
    ],
)
def test_no_verb_replaces_what_it_reads(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    inputs = [tmp_path / name for name in ("stars.fits", "other.fits", "folder/stars.fits")]
    for path in inputs:
        catalogs.write(xp_apogee_sample()[:2], path)
    (tmp_path / "link.fits").symlink_to("stars.fits")
    (tmp_path / "list.txt").write_text("stars.fits\n")
    before = [path.read_bytes() for path in inputs]
    assert main([*command, "--overwrite"]) == 1
    assert "would be lost; give the result another name" in capsys.readouterr().err
    assert [path.read_bytes() for path in inputs] == before


def test_a_wrong_name_of_a_file_costs_less_than_a_second(tmp_path):
    command = [sys.executable, "-m", "stellarlabels", "label", "uacsnet", "nofile.fits", "-o", "x.vot"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 1 and done.stderr == "stellarlabels: error: input: there is no file nofile.fits\n"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_one_verb_is_imported_and_others_are_listed():
    script = "import sys; from stellarlabels.cli import main; main(['systems'])"
    script += "; print(*[name for name in sys.modules if name.startswith('stellarlabels.cli.')], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["stellarlabels.cli.systems"]


def test_help(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n    {verb} " in shown for verb in ("label", "query", "demo", "report", "distance"))
    with pytest.raises(SystemExit, match="^0$"):
        main(["label", "--help"])
    shown = capsys.readouterr().out
    assert "csnet, " in shown and "uncertain" in shown and "--distances" in shown
    with pytest.raises(SystemExit, match="^0$"):
        main(["export", "--help"])
    assert "spcanet" in capsys.readouterr().out


def test_only_our_own_lines_are_printed(spectra_file, tmp_path):
    command = [sys.executable, "-m", "stellarlabels", "label", "uacsnet", str(spectra_file), "-o", "o.vot"]
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("wrote o.vot: 40 stars, ") and lines[0].endswith("labels are good")
    assert [line.partition(": ")[0] for line in lines[1:]] == ["teff", "logg", "feh", "alpha_m", "m_g_dimmed"]
    assert [line for line in done.stderr.splitlines() if not line.startswith("WARNING: MissingUnitWarning")] == []


def test_a_model_is_described_without_loading_networks(tmp_path, capsys):
    script = "import sys; from stellarlabels.cli import main; main(['inspect', 'uacsnet'])"
    script += "; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("uacsnet apogee: ") and "trained on  32,897 stars" in done.stdout
    assert lines[-1] == "}" and "@misc{Yang_UACSNet," in lines and done.stdout.count("{") == done.stdout.count("}")
    [teff] = [line.split() for line in lines if line.startswith("    teff ")]
    assert teff == ["teff", "3300", "7000", "47.33", "K"] and "xp_spectrum of Gaia DR3" in done.stdout
    assert main(["inspect", "uacsnet", "--weights", "none"]) == 1
    assert "expected one of apogee, paper" in capsys.readouterr().err


def test_a_saved_model_is_described(tmp_path, capsys):
    from stellarlabels import UACSNet

    UACSNet.pretrained("paper").save(tmp_path / "m.stellarlabels")
    assert main(["inspect", str(tmp_path / "m.stellarlabels")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("uacsnet paper: ") and "\n    feh " in shown and "xp_pixels of Gaia DR3" in shown
