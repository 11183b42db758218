"""Folders and patterns wherever files are taken."""

import pytest

from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.files import as_paths

NAMES = ("b.fits", "a.fits.gz", "notes.md", ".hidden.fits", "in/c.vot", "in/d.csv.bz2", "in/e.gz", ".git/f.fits")


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def names(paths, folder):
    return [path.removeprefix(f"{folder}/") for path in paths]


def test_a_folder_stands_for_the_files_of_stars_in_it(folder):
    assert names(as_paths(folder), folder) == ["a.fits.gz", "b.fits", "in/c.vot", "in/d.csv.bz2"]
    assert names(as_paths([folder / "in", folder / "b.fits"]), folder) == ["in/c.vot", "in/d.csv.bz2", "b.fits"]


def test_a_pattern_stands_for_what_it_matches(folder):
    assert names(as_paths(f"{folder}/*.fits*"), folder) == ["a.fits.gz", "b.fits"]
    assert names(as_paths(f"{folder}/**/*.vot"), folder) == ["in/c.vot"]
    with pytest.raises(ReadError, match="no file that matches"):
        as_paths(f"{folder}/*.h5")


def test_a_name_with_the_signs_of_a_pattern_is_a_name(folder):
    (folder / "x[1].fits").write_bytes(b"")
    assert names(as_paths(f"{folder}/x[1].fits"), folder) == ["x[1].fits"]


def test_the_folder_of_a_hats_catalog_is_one_thing(folder):
    (folder / "in" / "hats.properties").write_text("obs_collection=x")
    assert names(as_paths(folder / "in"), folder) == ["in"]


def test_a_folder_without_stars_is_an_error(tmp_path):
    (tmp_path / "x.md").write_text("")
    with pytest.raises(InputError, match=r"no HATS catalog .*no file in it ends as files of stars do: \.fits"):
        as_paths(tmp_path)
