"""The command line: exit states, files, and messages."""

import numpy as np
import pytest
from astropy.table import QTable, Table

from stellarlabels import catalogs
from stellarlabels.cli import main
from stellarlabels.inputs.examples import xp_apogee_sample


@pytest.fixture(scope="module")
def spectra_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "spectra.fits"
    table = Table(xp_apogee_sample()[:40])
    for name in table.colnames:
        if str(table[name].unit) == "dex":
            table[name].unit = None
    table.meta = {}
    table.write(path)
    return path


def test_systems(capsys):
    assert main(["systems"]) == 0
    assert "uacsnet" in capsys.readouterr().out


def test_demo(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    shown = capsys.readouterr().out
    assert "teff" in shown and "scatter" in shown
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
    assert "40 stars" in capsys.readouterr().out
    assert main([*command[:-3], "--overwrite"]) == 1
    assert "astrometric_params_solved" in capsys.readouterr().err


def test_train_and_use(spectra_file, tmp_path, capsys):
    model, output = tmp_path / "m.stellarlabels", tmp_path / "o.fits"
    train = ["train", "uacsnet", str(spectra_file), "-o", str(model), "--epochs", "1", "--seed", "2"]
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
