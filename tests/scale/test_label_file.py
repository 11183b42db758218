"""Files of any size, part by part: the same labels as at once, also after an interruption, and in little memory."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import catalogs, flags
from stellarlabels.cli import main
from stellarlabels.exceptions import (
    InputError,
    MissingColumnError,
    PartsFailedError,
    ReadError,
    SkippedFileWarning,
    WriteError,
)
from stellarlabels.scale import label_file, plan


@pytest.fixture(scope="module")
def stars(mock):
    return mock(1000)


@pytest.fixture(scope="module")
def labels(system, stars):
    return system.predict(stars)


@pytest.fixture(scope="module")
def spectra(stars, tmp_path_factory):
    """Folder with the stars in each of the formats."""
    folder = tmp_path_factory.mktemp("spectra")
    for suffix in ("fits", "vot", "parquet"):
        catalogs.write(stars, folder / f"stars.{suffix}")
    plain = Table(stars)
    plain.write(folder / "binary.vot", format="votable", tabledata_format="binary")
    return folder


@pytest.fixture
def without(system, monkeypatch):
    """A context in which the system fails for a star."""

    @contextmanager
    def context(star):
        predict = type(system).predict

        def failing(self, table, progress=None):
            if star in table["source_id"]:
                raise ValueError("no label for this one")
            return predict(self, table, progress=progress)

        with monkeypatch.context() as patch:
            patch.setattr(type(system), "predict", failing)
            yield

    return context


@pytest.fixture
def interrupted(system, stars, without):
    """A function that makes a run whose second part fails; it gives the error."""

    def run(source, target):
        with without(stars["source_id"][700]), pytest.raises(PartsFailedError) as caught:
            label_file(system, source, target, rows=400)
        return caught.value

    return run


@pytest.mark.parametrize("name", ["stars.fits", "stars.vot", "stars.parquet", "binary.vot"])
def test_parts_give_the_same_labels_as_the_whole(system, labels, spectra, name, agree, tmp_path):
    target = tmp_path / "labels.vot"
    done = label_file(system, spectra / name, target, rows=300)
    agree(catalogs.read(target), labels)
    assert (done.stars, done.parts, done.resumed, done.failures) == (1000, 4, 0, ())
    assert done.good == sum(int(labels[f"{name}_good"].sum()) for name in system.labels)
    assert [path.name for path in tmp_path.iterdir()] == ["labels.vot"]


def test_one_part_gives_the_file_of_predict_and_write(system, labels, spectra, tmp_path):
    label_file(system, spectra / "stars.fits", tmp_path / "labels.vot")
    catalogs.write(labels, tmp_path / "whole.vot")
    assert (tmp_path / "labels.vot").read_bytes() == (tmp_path / "whole.vot").read_bytes()


def test_several_files_follow_each_other(system, stars, labels, agree, tmp_path):
    catalogs.write(stars[:350], tmp_path / "a.fits")
    catalogs.write(stars[350:], tmp_path / "b.parquet")
    label_file(system, [tmp_path / "a.fits", tmp_path / "b.parquet"], tmp_path / "o.fits", rows=200)
    agree(catalogs.read(tmp_path / "o.fits"), labels)


@pytest.mark.slow
def test_published_columns_distances_and_what_is_kept(system, stars, labels, spectra, agree, tmp_path):
    label_file(system, spectra / "stars.fits", tmp_path / "c.fits", rows=300, catalog=True)
    agree(catalogs.read(tmp_path / "c.fits"), system.catalog(stars, labels))
    label_file(system, spectra / "stars.fits", tmp_path / "d.fits", rows=300, distances=True, keep=["ra", "j_m"])
    found, distances = catalogs.read(tmp_path / "d.fits"), system.distances(stars, labels)
    assert found.colnames[:4] == ["source_id", "ra", "j_m", "teff"]
    agree(found, labels, labels.colnames)
    agree(found, distances, distances.colnames)
    agree(found, stars, ["ra"])


@pytest.mark.slow
def test_a_killed_run_goes_on_and_gives_the_same_file(system, spectra, tmp_path):
    source, target, folder = spectra / "stars.fits", tmp_path / "o.fits", tmp_path / "o.fits.parts"
    script = f"""
import time
from stellarlabels import UACSNet, scale
predict = UACSNet.predict
UACSNet.predict = lambda *args, **options: time.sleep(0.3) or predict(*args, **options)
scale.label_file(UACSNet.pretrained(), {str(source)!r}, {str(target)!r}, rows=64, progress=False)
"""
    run = subprocess.Popen([sys.executable, "-c", script])
    try:
        limit = time.monotonic() + 300
        while len(list(folder.glob("0*.parquet"))) < 3:
            assert run.poll() is None and time.monotonic() < limit
            time.sleep(0.02)
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
    made = len(list(folder.glob("0*.parquet")))
    assert not target.exists() and 3 <= made < 16
    done = label_file(system, source, target, rows=64)
    assert (done.resumed, done.parts) == (made, 16)
    assert not folder.exists()
    label_file(system, source, tmp_path / "at_once.fits", rows=64)
    assert target.read_bytes() == (tmp_path / "at_once.fits").read_bytes()


def test_a_failed_part_does_not_take_the_others_with_it(system, labels, spectra, interrupted, agree, tmp_path):
    target, folder = tmp_path / "o.fits", tmp_path / "o.fits.parts"
    error = interrupted(spectra / "stars.fits", target)
    assert re.search("1 parts with 400 stars or more .*no label for this one", str(error))
    [failure] = error.failures
    assert failure.where.endswith("stars.fits, part 2") and failure.stars == 400
    assert not target.exists()
    names = [path.name for path in sorted(folder.glob("*.parquet"))]
    assert names == ["000000-000000.parquet", "000000-000002.parquet"]
    kept = (folder / names[1]).stat().st_mtime_ns
    assert interrupted(spectra / "stars.fits", target).failures == error.failures
    assert (folder / names[1]).stat().st_mtime_ns == kept
    done = label_file(system, spectra / "stars.fits", target, rows=400)
    assert (done.resumed, done.parts) == (2, 3)
    agree(catalogs.read(target), labels)


def test_stars_of_a_failed_part_can_be_masked_and_flagged(system, stars, labels, spectra, without, agree, tmp_path):
    target = tmp_path / "o.fits"
    with without(stars["source_id"][700]):
        what = {"errors": "mask", "keep": ["ra"], "distances": True}
        done = label_file(system, spectra / "stars.fits", target, rows=400, **what)
    assert done.stars == 1000 and len(done.failures) == 1
    found = catalogs.read(target)
    agree(found, stars, ["source_id", "ra"])
    lost = np.arange(1000) // 400 == 1
    for label in system.labels:
        assert found[label].mask[lost].all() and found[f"{label}_err"].mask[lost].all()
        assert flags.LABEL.has(found[f"{label}_flag"], "NO_INPUT")[lost].all()
    assert flags.get("distance").has(found["distance_flag"], "NO_DISTANCE")[lost].all()
    agree(found[~lost], labels[~lost], labels.colnames)


def test_a_truncated_file_keeps_what_could_be_read(system, spectra, tmp_path):
    path = tmp_path / "short.fits"
    whole = (spectra / "stars.fits").read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    for errors in ("raise", "mask"):
        with pytest.raises(PartsFailedError, match="ends after row") as caught:
            label_file(system, path, tmp_path / "o.fits", rows=200, errors=errors)
        assert [failure.where for failure in caught.value.failures] == [f"{path}, part 3"]
        assert len(list((tmp_path / "o.fits.parts").glob("*.parquet"))) == 2


def test_an_error_in_the_first_part_is_raised_as_it_is(system, spectra, tmp_path):
    table = catalogs.read(spectra / "stars.fits")
    table.remove_column("flux")
    catalogs.write(table, tmp_path / "x.fits")
    with pytest.raises(MissingColumnError, match="flux"):
        label_file(system, tmp_path / "x.fits", tmp_path / "o.fits", rows=100)
    assert [path.name for path in tmp_path.iterdir()] == ["x.fits"]


@pytest.mark.parametrize("change", ["input", "options", "rows", "weights"])
def test_parts_of_another_run_are_refused(system, spectra, interrupted, change, tmp_path):
    source, target = tmp_path / "x.fits", tmp_path / "o.fits"
    source.write_bytes((spectra / "stars.fits").read_bytes())
    interrupted(source, target)
    options, again = {"rows": 400}, system
    if change == "input":
        with open(source, "r+b") as stream:
            stream.seek(100_000)
            stream.write(b"changed")
    elif change == "weights":
        again = type(system).pretrained("paper")
    else:
        options |= {"options": {"keep": ["ra"]}, "rows": {"rows": 500}}[change]
    words = {"input": "the input", "options": "what is wanted", "rows": "the number of rows", "weights": "the system"}
    with pytest.raises(InputError, match=f"parts of another run: .*{words[change]}.*restart=True"):
        label_file(again, source, target, **options)
    if change == "rows":
        assert label_file(again, source, target, restart=True, **options).resumed == 0
        assert not (tmp_path / "o.fits.parts").exists()


def test_nothing_is_begun_that_could_not_be_finished(system, spectra, tmp_path):
    (tmp_path / "o.fits").write_text("here")
    with pytest.raises(WriteError, match="exists"):
        label_file(system, spectra / "stars.fits", tmp_path / "o.fits")
    with pytest.raises(InputError, match="ends in one of"):
        label_file(system, spectra / "stars.fits", tmp_path / "o.xyz")
    with pytest.raises(ReadError, match="no file"):
        label_file(system, tmp_path / "none.fits", tmp_path / "n.fits")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty is no HATS catalog.*no file in it ends as files of stars do"):
        label_file(system, tmp_path / "empty", tmp_path / "n.fits")
    (tmp_path / "empty").rmdir()
    for wrong in ({"rows": 0}, {"errors": "ignore"}, {"catalog": True, "distances": True}, {"keep": ["feh_err"]}):
        with pytest.raises(InputError, match=next(iter(wrong))[:5] if len(wrong) == 1 else "distances"):
            label_file(system, spectra / "stars.fits", tmp_path / "n.fits", **wrong)
    assert [path.name for path in tmp_path.iterdir()] == ["o.fits"]


def test_a_folder_of_parts_without_a_manifest_is_not_touched(system, spectra, tmp_path):
    (tmp_path / "o.fits.parts").mkdir()
    (tmp_path / "o.fits.parts" / "mine").write_text("x")
    with pytest.raises(ReadError, match="no manifest"):
        label_file(system, spectra / "stars.fits", tmp_path / "o.fits")
    assert (tmp_path / "o.fits.parts" / "mine").exists()


def test_no_stars_make_no_labels(system, stars, tmp_path):
    catalogs.write(stars[:0], tmp_path / "x.parquet")
    assert label_file(system, tmp_path / "x.parquet", tmp_path / "o.fits").stars == 0
    assert len(catalogs.read(tmp_path / "o.fits")) == 0


@pytest.mark.slow
def test_lamost_files_are_read_some_at_a_time(real_data, tmp_path, agree):
    from stellarlabels import SolarDis
    from stellarlabels.archive.readers import read_lamost

    paths = sorted((real_data / "lamost_lrs").glob("spec-*.fits*"))[:5]
    broken = tmp_path / "spec-broken.fits"
    broken.write_bytes(paths[0].read_bytes()[:3000])
    system, paths = SolarDis.pretrained(), [*paths[:2], broken, *paths[2:]]
    with pytest.warns(SkippedFileWarning):
        done = label_file(system, paths, tmp_path / "o.fits", rows=2)
    with pytest.warns(SkippedFileWarning):
        want = system.predict(read_lamost(paths))
    assert done.stars == 6 and done.parts == 3
    found = catalogs.read(tmp_path / "o.fits")
    agree(found, want, [name for name in want.colnames if name != "obsid"])
    assert flags.LABEL.has(found["teff_flag"], "NO_INPUT")[2]


def test_a_plan_says_what_is_to_come(system, spectra):
    found = plan(system, spectra / "stars.fits", rows=300, workers=2, sample=200)
    assert (found.stars, found.parts, found.sample, found.workers) == (1000, 4, 200, 2)
    assert found.input_bytes == (spectra / "stars.fits").stat().st_size
    assert found.seconds == pytest.approx(1000 / found.stars_per_second / 2)
    assert 50e3 < found.output_bytes < 200e3
    assert "1,000 stars in 4 parts" in str(found)


@pytest.mark.slow
def test_the_command_line(system, spectra, labels, agree, tmp_path, capsys):
    target = tmp_path / "o.fits"
    command = ["label", "uacsnet", str(spectra / "stars.fits"), "-o", str(target)]
    assert main([*command, "--plan"]) == 0
    assert "1,000 stars" in capsys.readouterr().out and not target.exists()
    assert main([*command, "--rows", "400", "--distances", "--keep", "ra", "dec"]) == 0
    assert "1000 stars" in capsys.readouterr().out
    agree(catalogs.read(target), labels, labels.colnames)


def test_files_are_known_by_their_content(tmp_path):
    from stellarlabels.scale.sources import fingerprint

    path = tmp_path / "x"
    path.write_bytes(os.urandom(300_000))
    first = fingerprint([path])
    assert fingerprint([path]) == first
    os.utime(path, ns=(1, 1))
    assert fingerprint([path]) != first


def test_reading_ahead_keeps_order_and_errors():
    from stellarlabels.scale.parts import ahead

    made = []

    def items(count):
        for number in range(count):
            made.append(number)
            yield number
        raise ReadError("the end")

    found = []
    with pytest.raises(ReadError, match="the end"):
        for number in ahead(items(20)):
            found.append(number)
    assert found == list(range(20))
    made.clear()
    stream = ahead(items(1000))
    assert next(stream) == 0
    time.sleep(0.3)
    assert len(made) <= 4
    stream.close()
    assert len(made) <= 4


@pytest.mark.slow
def test_a_folder_of_spectra_gives_rows_that_say_which_star_they_are(real_data, tmp_path):
    from stellarlabels import SolarDis

    (tmp_path / "lrs" / "deeper").mkdir(parents=True)
    (tmp_path / "lrs" / "README.md").write_text("not a spectrum")
    paths = sorted((real_data / "lamost_lrs").glob("spec-*.fits*"))[:3]
    for path, folder in zip(paths, ("lrs", "lrs", "lrs/deeper"), strict=True):
        (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    system = SolarDis.pretrained()
    for source in (tmp_path / "lrs", tmp_path / "lrs" / "**" / "spec-*"):
        done = label_file(system, source, tmp_path / "o.fits", overwrite=True)
        found = catalogs.read(tmp_path / "o.fits")
        assert done.stars == 3
        assert found.colnames[:7] == ["obsid", "spectrum", "designation", "ra", "dec", "lmjd", "snrg"]
        assert sorted(found["spectrum"]) == sorted(path.name for path in paths)
        assert found["ra"].unit == "deg" and found["lmjd"].unit == "d"
