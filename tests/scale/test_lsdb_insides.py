"""What we use of the inside of LSDB and hats (see CONTRIBUTING) is still as it was."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import catalogs
from stellarlabels.scale import hats, lsdb_catalogs
from stellarlabels.scale.cluster import _done, _Partition, _write_partition

lsdb = pytest.importorskip("lsdb", reason="the extra 'scale' is not installed")

# LSDB uses what pandas 3 has given up, or is about to.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A catalog of 40 stars in 2 x 12 pixels, as others write them."""
    import pandas as pd

    random = np.random.default_rng(4)
    frame = pd.DataFrame({"ra": random.uniform(0, 360, 40), "dec": random.uniform(-60, 60, 40), "k": np.arange(40)})
    path = tmp_path_factory.mktemp("lsdb") / "plain"
    made = lsdb.from_dataframe(frame, catalog_name="plain", lowest_order=0, highest_order=1, margin_threshold=None)
    made.write_catalog(str(path), progress_bar=False)
    return path


def labels(frame):
    """Labels of a partition: a table as a system gives it."""
    out = QTable({hats.INDEX: np.asarray(frame.index, np.int64), "ra": frame["ra"].to_numpy() * u.deg})
    out["dec"], out["teff"] = frame["dec"].to_numpy() * u.deg, (5000 + frame["k"].to_numpy()) * u.K
    return out


def test_the_books_of_a_partition(folder, tmp_path):
    source = lsdb.open_catalog(folder)
    target = tmp_path / "made"
    target.mkdir()
    pixels = source.get_healpix_pixels()
    for number, pixel in enumerate(pixels):
        assert _done(target) == set(pixels[:number])
        frame = source.get_partition(pixel.order, pixel.pixel).compute(progress_bar=False)
        _write_partition(frame, pixel, task=labels, folder=str(target), map_order=8)
    assert len(hats.partitions(target)) == len(pixels) > 1
    first = catalogs.read(hats.partition_files_in(target)[0])
    assert str(first["teff"].unit) == "K" and hats.INDEX in first.colnames
    form = _Partition(labels(source.head(1))).to_pyarrow().schema
    made = lsdb_catalogs.mapped(source, labels, form)
    made.write_catalog(target, as_collection=False, resume=True, progress_bar=False)
    hats.describe(target)
    whole = lsdb_catalogs.to_table(target)
    assert len(whole) == 40 and not (target / "done").exists()
    assert sorted(whole["teff"].value) == list(range(5000, 5040))


def test_operations_tell_catalogs_from_each_other(folder):
    def of(catalog):
        return lsdb_catalogs.fingerprint_of(catalog)

    plain = of(lsdb.open_catalog(folder))
    assert plain == of(lsdb.open_catalog(folder)) and len(plain["files"]) == 1
    few = [of(lsdb.open_catalog(folder).query(f"k < {count}")) for count in (10, 11, 11)]
    assert few[1] == few[2] and len({plain["operations"], few[0]["operations"], few[1]["operations"]}) == 3
    few = [of(lsdb.open_catalog(folder).cone_search(10, 10, radius)) for radius in (7200, 7201)]
    assert few[0] != few[1]


def test_selections_keep_the_metadata_of_the_schema(folder):
    source = lsdb.open_catalog(folder)
    form = _Partition(labels(source.head(1))).to_pyarrow().schema
    made = lsdb_catalogs.mapped(source, labels, form)
    assert str(lsdb_catalogs.columns_of(made)["teff"].unit) == "K"
    selected = made.query("teff < 5010")
    found = lsdb_catalogs.to_table(selected)
    assert len(found) == 10 and str(found["teff"].unit) == "K"
