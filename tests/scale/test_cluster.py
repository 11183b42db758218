"""HATS catalogs on a Dask cluster of two workers: the labels of one process, whatever happens to the workers."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from stellarlabels import catalogs, scale
from stellarlabels.cli import main
from stellarlabels.columns import values, without_unit
from stellarlabels.exceptions import InputError, PartsFailedError, WriteError
from stellarlabels.files.content import from_table
from stellarlabels.files.formats import parquet
from stellarlabels.scale import cluster, hats
from stellarlabels.scale.cluster import workers_of
from stellarlabels.scale.lsdb_catalogs import fingerprint_of

dask = pytest.importorskip("dask", reason="the extra 'scale' is not installed")
lsdb = pytest.importorskip("lsdb", reason="the extra 'scale' is not installed")

# LSDB uses what pandas 3 has given up, or is about to.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning")]

PHOTOMETRY = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")


def frame(table):
    """A table as a frame of Arrow columns, spectra as lists."""
    import pandas as pd
    import pyarrow as pa

    arrow_schema = parquet.arrow_schema(from_table(table))
    columns = {}
    for name in table.colnames:
        cells, kind = without_unit(table[name]), arrow_schema.field(name).type
        values, mask = cells.data.reshape(-1), np.ma.getmaskarray(cells).reshape(-1)
        array = pa.array(values, mask=mask if cells.ndim == 1 else None)
        if cells.ndim == 2:
            kind = pa.list_(kind.value_type)
            array = pa.ListArray.from_arrays(np.arange(0, values.size + 1, cells.shape[1], dtype=np.int32), array)
        columns[name] = pd.Series(array, dtype=pd.ArrowDtype(kind))
    return pd.DataFrame(columns)


def partitions(folder):
    """Number of partitions."""
    return len(hats.partition_files(folder))


def write_hats(table, folder, rows=120):
    """Write a table as others write HATS catalogs: without units."""
    made = lsdb.from_dataframe(
        frame(table), catalog_name=folder.name, lowest_order=0, partition_rows=rows, margin_threshold=None
    )
    made.write_catalog(str(folder), progress_bar=False)
    return folder


@pytest.fixture(scope="module")
def stars(mock):
    return mock(1200, seed=3)


@pytest.fixture(scope="module")
def hats_folder(stars, tmp_path_factory):
    return write_hats(stars, tmp_path_factory.mktemp("hats") / "mock")


@pytest.fixture(scope="module")
def single(system, hats_folder, tmp_path_factory):
    """What one process gives."""
    path = tmp_path_factory.mktemp("single") / "labels.parquet"
    scale.label_file(system, hats_folder, path, keep=("ra", "dec"), progress=False)
    return catalogs.read(path)


@pytest.fixture(scope="module")
def client():
    with workers_of(workers=2, memory_limit=0) as made:
        yield made


def test_one_process_reads_hats_without_lsdb_and_in_order(system, stars, hats_folder, single, agree):
    order = np.argsort(stars["source_id"])
    by_id = np.argsort(single["source_id"])
    labels = system.predict(stars)
    agree(single[by_id], labels[order], labels.colnames)
    agree(single[by_id], stars[order], ["ra", "dec"])
    whole = scale.to_table(hats_folder)
    np.testing.assert_array_equal(whole["source_id"], single["source_id"])
    assert str(whole["j_m"].unit) == "mag" and whole["flux"].shape == (1200, 343)


def test_two_workers_give_the_same_labels_and_a_valid_catalog(system, hats_folder, single, client, agree, tmp_path):
    from hats.io.validation import is_valid_catalog

    target = tmp_path / "labels"
    done = scale.label_catalog(system, hats_folder, target, client=client, progress=False)
    assert (done.stars, done.resumed, done.failures) == (1200, 0, ())
    assert done.parts == partitions(hats_folder) > 10
    assert done.good == sum(int(single[f"{name}_good"].sum()) for name in system.labels)
    assert [path.name for path in tmp_path.iterdir()] == ["labels"]
    assert is_valid_catalog(target, strict=True, verbose=False)
    found = scale.to_table(target)
    agree(found, single)
    assert found.meta["weights"] == f"sha256:{system.weights_}"
    assert found.meta["release_note"] == single.meta["release_note"]
    for name in single.colnames:
        assert found[name].info.description == single[name].info.description
        assert found[name].info.meta == single[name].info.meta
    opened = lsdb.open_catalog(target)
    assert len(opened) == 1200 and opened.hc_structure.catalog_info.catalog_name == "labels"
    assert b"Effective temperature" in opened.original_schema.metadata[b"IVOA.VOTable-Parquet.content"]
    selected = opened.query("teff_flag == 0 and teff < 4500")
    cool = (single["teff_flag"] == 0) & (values(single, "teff") < 4500)
    agree(scale.to_table(selected), single[cool])
    first = next((target / "dataset").rglob("Npix*.parquet"))
    assert str(catalogs.read(first)["teff"].unit) == "K"
    scale.label_file(system, hats_folder, tmp_path / "again.fits", keep=("ra", "dec"), progress=False)
    agree(catalogs.read(tmp_path / "again.fits"), found)
    with pytest.raises(WriteError, match="exists"):
        scale.label_catalog(system, hats_folder, target, client=client)


def test_a_killed_worker_loses_nothing(system, hats_folder, single, client, agree, tmp_path):
    target, folder = tmp_path / "labels", tmp_path / "labels.parts"
    result = []

    def label():
        result.append(scale.label_catalog(system, hats_folder, target, client=client, progress=False))

    thread = threading.Thread(target=label)
    before = set(client.run(os.getpid).values())
    thread.start()
    while not list(folder.rglob("Npix*.parquet")):
        assert thread.is_alive()
        time.sleep(0.005)
    os.kill(min(before), signal.SIGKILL)
    made = len(list(folder.rglob("Npix*.parquet")))
    thread.join(300)
    [done] = result
    assert made < done.parts and done.failures == ()
    assert min(before) not in set(client.run(os.getpid).values())
    agree(scale.to_table(target), single)


def test_a_partition_that_fails_is_reported_and_the_others_are_kept(
    system, hats_folder, single, client, agree, tmp_path
):
    victim = hats.partition_files(hats_folder)[3]
    content, state = victim.read_bytes(), victim.stat()
    target = tmp_path / "labels"

    def put(data):
        victim.write_bytes(data)
        os.utime(victim, ns=(state.st_atime_ns, state.st_mtime_ns))

    try:
        put(content[:-500] + bytes(500))
        with pytest.raises(
            PartsFailedError, match="1 of .* partitions could not be labelled.*only these again"
        ) as caught:
            scale.label_catalog(system, hats_folder, target, client=client, retries=1, progress=False)
    finally:
        put(content)
    assert len(caught.value.failures) == 1 and not target.exists()
    assert "partition" in caught.value.failures[0].where and caught.value.failures[0].error
    kept = len(list((tmp_path / "labels.parts").rglob("Npix*.parquet")))
    assert kept == partitions(hats_folder) - 1
    with pytest.raises(InputError, match="the input changed since"):
        scale.label_catalog(system, hats_folder, target, client=client)
    scale.label_catalog(system, hats_folder, target, client=client, restart=True, progress=False)
    agree(scale.to_table(target), single)


def test_an_interrupted_run_goes_on(system, hats_folder, single, client, monkeypatch, agree, tmp_path):
    target, folder = tmp_path / "labels", tmp_path / "labels.parts"

    def crash(*arguments, **options):
        raise RuntimeError("the lights went out")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="lights"):
        patch.setattr(cluster, "_finish", crash)
        scale.label_catalog(system, hats_folder, target, client=client, progress=False)
    made = sorted(folder.rglob("Npix*.parquet"))
    books = sorted((folder / "catalog" / "done").iterdir())
    assert len(books) == len(made)
    for path in books[:2]:  # as if a worker had been killed while it wrote these
        path.unlink()
        (path.parent.parent / "hists" / path.name.replace("done", "histogram.npz")).unlink()
    done = scale.label_catalog(system, hats_folder, target, client=client, progress=False)
    assert (done.resumed, done.parts) == (len(made) - 2, len(made))
    agree(scale.to_table(target), single)
    assert not folder.exists() and not (target / "done").exists()


def test_columns_of_another_catalog_are_joined(system, stars, single, client, agree, tmp_path):
    spectra = write_hats(stars["source_id", "ra", "dec", "flux", "flux_error"], tmp_path / "spectra", 200)
    photometry = write_hats(stars["ra", "dec", *PHOTOMETRY], tmp_path / "photometry", 300)
    with pytest.warns(RuntimeWarning, match="margin cache"):
        joined = scale.matched(spectra, photometry)
    assert "ra_match" in joined.columns and "j_m" in joined.columns
    with pytest.warns(RuntimeWarning, match="margin cache"):
        again, other = (scale.matched(spectra, photometry, radius=radius) for radius in (1.0, 2.0))
    assert fingerprint_of(again) == fingerprint_of(joined) != fingerprint_of(other)
    scale.label_catalog(system, joined, tmp_path / "labels", client=client, keep=("j_m",), progress=False)
    found = scale.to_table(tmp_path / "labels")
    assert str(found["j_m"].unit) == "mag"
    one, other = np.argsort(found["source_id"]), np.argsort(single["source_id"])
    agree(found[one], single[other], single.colnames)
    command = ["label", "uacsnet", str(spectra), "-o", str(tmp_path / "more"), "--engine", "dask"]
    command += ["--match", str(photometry), "--scheduler", client.scheduler.address]
    with pytest.warns(RuntimeWarning, match="margin cache"):
        assert main(command) == 0
    agree(scale.to_table(tmp_path / "more")[one], single[other], single.colnames)


def test_labels_are_computed_when_the_catalog_is(system, hats_folder, single, agree):
    lazy = system.map(hats_folder, keep=("j_m",))
    assert {"teff", "teff_err", "teff_flag", "j_m", "ra", "dec"} <= set(lazy.columns)
    with dask.config.set(scheduler="synchronous"):
        found = scale.to_table(lazy.partitions[:2])
    assert 0 < len(found) < 1200
    agree(found, single[: len(found)], single.colnames)
    assert found["teff"].info.description == "Effective temperature"


def test_what_is_wrong_is_said_before_anything_is_done(system, hats_folder, tmp_path):
    with pytest.raises(InputError, match="workers: give one of"):
        scale.label_catalog(system, hats_folder, tmp_path / "o", workers=1, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(InputError, match="no HATS catalog"):
        scale.label_catalog(system, tmp_path, tmp_path / "o", workers=1)
    with pytest.raises(InputError, match="radius"):
        scale.matched(hats_folder, hats_folder, radius=0)
    with pytest.raises(InputError, match="keep: the input has no column 'x'|no column x"):
        system.map(hats_folder, keep=("x",))
    assert main(["label", "uacsnet", "a", "b", "-o", str(tmp_path / "o"), "--engine", "dask"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_plan_counts_partitions(system, hats_folder):
    found = scale.plan(system, hats_folder, workers=2, sample=64)
    assert found.stars == 1200 and found.parts == partitions(hats_folder)
