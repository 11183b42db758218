"""Catalogs of real LAMOST spectra, some files of which are damaged: other programs read them, and nothing is lost."""

import shutil
import subprocess
import warnings

import numpy as np
import pytest
from astropy.io import votable

from stellarlabels import catalogs, flags, systems
from stellarlabels.archive.readers import read_lamost
from stellarlabels.catalogs import schemas
from stellarlabels.columns import without_unit

pytestmark = pytest.mark.slow

FOLDERS = {"solardis": "lamost_lrs", "spcanet": "lamost_mrs"}


@pytest.fixture(scope="module", params=FOLDERS)
def labelled(request, real_data, tmp_path_factory):
    """Name of the system, spectra of all real files and of three damaged ones, and their labels."""
    paths = sorted((real_data / FOLDERS[request.param]).glob("*.fits*"))
    folder = tmp_path_factory.mktemp("damaged")
    content = paths[0].read_bytes()
    damaged = {"cut.fits.gz": content[: len(content) // 2], "empty.fits": b"", "other.fits": b"not a FITS file " * 200}
    for name, data in damaged.items():
        (folder / name).write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = read_lamost([*paths, *(folder / name for name in damaged)])
    system = systems.get(request.param).pretrained()
    return request.param, table, system, system.predict(table), len(damaged)


def test_damaged_files_are_rows_without_labels(labelled):
    _, table, system, labels, damaged = labelled
    assert len(labels) == len(table) and len(table.meta["failures"]) == damaged
    for label in system.labels:
        unknown = np.ma.getmaskarray(without_unit(labels[label]))
        np.testing.assert_array_equal(unknown[-damaged:], True)
        assert flags.LABEL.has(labels[f"{label}_flag"], "NO_INPUT")[-damaged:].all()
        assert not unknown[:-damaged].any()


@pytest.mark.parametrize("suffix", [".vot", ".fits", ".parquet"])
def test_catalog_round_trip(labelled, suffix, tmp_path):
    name, table, system, labels, _ = labelled
    catalog = system.catalog(table, labels)
    assert catalog.colnames[: len(schemas.get(name))] == schemas.get(name).names
    catalogs.write(catalog, tmp_path / f"x{suffix}", name)
    back = catalogs.read(tmp_path / f"x{suffix}", name)
    for column in catalog.colnames:
        left, right = (np.ma.MaskedArray(without_unit(one[column])) for one in (back, catalog))
        if right.dtype.kind == "f":  # NaN and masked are both "unknown"
            right = np.ma.masked_invalid(right)
            left = np.ma.masked_invalid(left)
        assert left.tolist() == right.tolist(), column


@pytest.mark.vo
@pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed")
def test_votlint_has_nothing_to_say_of_real_catalogs(labelled, tmp_path):
    name, table, system, labels, _ = labelled
    catalogs.write(system.catalog(table, labels), tmp_path / "x.vot", name)
    done = subprocess.run(["stilts", "votlint", str(tmp_path / "x.vot")], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and (done.stdout + done.stderr).strip() == ""
    assert "found no violations" in votable.validate(tmp_path / "x.vot", output=None)
    catalogs.write(labels, tmp_path / "labels.vot")
    done = subprocess.run(
        ["stilts", "votlint", str(tmp_path / "labels.vot")], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and (done.stdout + done.stderr).strip() == ""
