"""Files that are parsed once only."""

import logging
import os
import shutil

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.inputs.xp import cache as caching

TEXT = b"""# made by hand
source_id,solution_id,bp_n_relevant_bases,flux,flux_error,note,phot_g_mean_mag
5853498713190525696,1,3,"(1.0, 2.5, -3e-17)","(0.5, 0.5, 0.5)",a,15.1
5853498713190525697,2,,"(4.0, 5.0, 6.0)","(0.5, 0.5, 0.5)",,
"""
GRID = [400.0, 500.0, 600.0]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "spectra.csv"
    path.write_bytes(TEXT)
    (tmp_path / "spectra_sampling.csv").write_text('pos\n"(400.0, 500.0, 600.0)"\n')
    return path


@pytest.fixture
def parsed(monkeypatch):
    """How often a file was parsed."""
    calls = []
    original = caching.read_raw
    monkeypatch.setattr(caching, "read_raw", lambda path: calls.append(path) or original(path))
    return calls


def read(path, folder):
    return read_xp(path, wavelength=GRID, cache=folder)


def same(one, other):
    assert one.colnames == other.colnames and one.meta.keys() == other.meta.keys()
    for name in one.colnames:
        left, right = one[name], other[name]
        assert left.dtype == right.dtype and left.info.unit == right.info.unit, name
        assert type(left) is type(right)
        np.testing.assert_array_equal(np.ma.getmaskarray(left), np.ma.getmaskarray(right))
        np.testing.assert_array_equal(np.ma.filled(left, 0), np.ma.filled(right, 0))


def entry(folder):
    (path,) = folder.glob("*.npz")
    return path


def test_second_reading_parses_nothing(file, tmp_path, parsed):
    first = read(file, tmp_path / "cache")
    second = read(file, tmp_path / "cache")
    assert len(parsed) == 1
    same(first, second)
    same(first, read_xp(file, wavelength=GRID))


@pytest.mark.parametrize("suffix", ["csv", "ecsv", "xml"])
def test_real_files(real_data, tmp_path, parsed, suffix):
    path = real_data / "gaia_xp" / f"XP_CONTINUOUS_RAW.{suffix}"
    first = read_xp(path, sample=False, cache=tmp_path)
    same(first, read_xp(path, sample=False, cache=tmp_path))
    assert len(parsed) == 1


def test_missing_band(real_data, tmp_path, parsed):
    path = real_data / "gaia_xp" / "XP_CONTINUOUS_RAW_with_missing_BP.csv"
    first = read_xp(path, cache=tmp_path)
    same(first, read_xp(path, cache=tmp_path))
    assert len(parsed) == 1


def test_changed_file(file, tmp_path, parsed):
    read(file, tmp_path / "cache")
    file.write_bytes(TEXT.replace(b"4.0, 5.0", b"4.5, 5.0"))
    os.utime(file, ns=(1, 1))
    found = read(file, tmp_path / "cache")
    assert found["flux"][1, 0].value == 4.5 and len(parsed) == 2


def test_changed_sidecar(file, tmp_path, parsed):
    read(file, tmp_path / "cache")
    other = file.with_name("spectra_sampling.csv")
    other.write_text('pos\n"(400.0, 500.0, 650.0)"\n')
    os.utime(other, ns=(1, 1))
    found = read(file, tmp_path / "cache")
    assert len(parsed) == 2
    assert found["spectrum_flag"][0] > 0


def test_another_time_alone_is_no_change(file, tmp_path, parsed):
    first = read(file, tmp_path / "cache")
    os.utime(file, ns=(1, 1))
    same(first, read(file, tmp_path / "cache"))
    assert len(parsed) == 1


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "empty", "other"])
def test_damaged_entry(file, tmp_path, parsed, damage, caplog):
    first = read(file, tmp_path / "cache")
    path = entry(tmp_path / "cache")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "bit":
        place = content.index(np.float64(2.5).tobytes())
        content[place + 3] ^= 8
    elif damage == "text":
        content = b"not an archive"
    elif damage == "empty":
        content = b""
    else:
        np.savez(path, about=np.array('{"format": 1}'))
        content = path.read_bytes()
    path.write_bytes(bytes(content))
    with caplog.at_level(logging.WARNING):
        same(first, read(file, tmp_path / "cache"))
    assert len(parsed) == 2 and "damaged" in caplog.text
    same(first, read(file, tmp_path / "cache"))
    assert len(parsed) == 2


def test_another_version(file, tmp_path, parsed, monkeypatch):
    read(file, tmp_path / "cache")
    monkeypatch.setattr(caching, "FORMAT", 2)
    read(file, tmp_path / "cache")
    assert len(parsed) == 2


def test_files_of_one_name(file, tmp_path, parsed):
    other = tmp_path / "other"
    other.mkdir()
    for path in tmp_path.glob("*.csv"):
        shutil.copy(path, other)
    (other / "spectra.csv").write_bytes(TEXT.replace(b"2.5", b"2.7"))
    found = read([file, other / "spectra.csv"], tmp_path / "cache")
    same(found, read([file, other / "spectra.csv"], tmp_path / "cache"))
    assert len(parsed) == 2 and list(found["flux"][[0, 2], 1].value) == [2.5, 2.7]


def test_fits_needs_no_cache(tmp_path, real_data):
    read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW.fits", cache=tmp_path / "cache", sample=False)
    assert not (tmp_path / "cache").exists()


def test_broken_files_are_not_kept(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text('source_id,flux,flux_error\n1,"(1.0, 2')
    for _ in range(2):
        with pytest.raises(ReadError):
            read_xp(path, cache=tmp_path / "cache")


def test_folder_that_is_a_file(file, tmp_path):
    Table({"a": [1]}).write(tmp_path / "x.csv")
    with pytest.raises(InputError, match="cache: expected a folder"):
        read(file, tmp_path / "x.csv")


def test_folder_that_cannot_be_written(file, tmp_path, monkeypatch, caplog):
    def refuse(*args, **options):
        raise OSError("full")

    monkeypatch.setattr(caching.files, "replacing", refuse)
    assert len(read(file, tmp_path / "cache")) == 2
    assert "cannot be written" in caplog.text
