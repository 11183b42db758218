"""A part, partition or file in which no star has a spectrum is flagged rows, however the rows are divided."""

import numpy as np
import pytest

from stellarlabels import catalogs, columns, flags, scale

pytestmark = [
    pytest.mark.filterwarnings("ignore:The inplace keyword in:DeprecationWarning"),  # LSDB and pandas 3
    pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.MissingUnitWarning"),
]


@pytest.fixture(scope="module")
def small(system):
    return system.fewer(1)


@pytest.fixture(scope="module")
def stars(mock):
    """The northern half, as whole runs of rows, has no spectra."""
    table = mock(120, seed=5)
    return table[np.argsort(-table["dec"])]


@pytest.fixture(scope="module")
def frame(stars):
    """As a left join of a catalog with one of spectra gives it: no cells where there is no partner."""
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    out = stars["source_id", "ra", "dec", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"].to_pandas()
    for name in ("j_m", "h_m", "ks_m"):
        out[name] = stars[name].value
    north = stars["dec"].value > 0
    for name in ("flux", "flux_error"):
        cells = [None if lost else row for lost, row in zip(north, stars[name].value, strict=True)]
        kind = pa.list_(pa.float64())
        out[name] = pd.Series(pa.array(cells, type=kind), dtype=pd.ArrowDtype(kind))
    return out


@pytest.fixture(scope="module")
def hats_folder(frame, tmp_path_factory):
    lsdb = pytest.importorskip("lsdb", reason="the extra 'scale' is not installed")
    path = tmp_path_factory.mktemp("north") / "stars"
    made = lsdb.from_dataframe(frame, catalog_name="stars", lowest_order=0, partition_rows=40, margin_threshold=None)
    made.write_catalog(str(path), progress_bar=False)
    return path


@pytest.fixture(scope="module")
def labels(small, stars):
    """What the stars' labels are when all are in one table, with NaN for spectra that are missing."""
    table = stars.copy()
    table["flux"][table["dec"].value > 0] = np.nan
    return small.predict(table)


def check(found, labels, stars):
    """The same labels within 2e-5 of their errors, and flags of the stars in the north."""
    one, other = np.argsort(found["source_id"]), np.argsort(stars["source_id"])
    found, labels, north = found[one], labels[other], (stars["dec"].value > 0)[other]
    np.testing.assert_array_equal(found["source_id"], labels["source_id"])
    assert 20 < north.sum() < 100
    for name in ("teff", "feh"):
        one, other = (np.ma.asarray(columns.without_unit(table[name])) for table in (found, labels))
        error = np.ma.asarray(columns.without_unit(labels[f"{name}_err"]))
        assert one.mask[north].all() and flags.LABEL.has(found[f"{name}_flag"], "NO_INPUT")[north].all()
        known = ~other.mask
        np.testing.assert_array_equal(one.mask, other.mask)
        assert np.all(np.abs(one - other)[known] <= 1e-5 * error[known])
        np.testing.assert_array_equal(found[f"{name}_flag"], labels[f"{name}_flag"])


@pytest.mark.parametrize("rows", [None, 7, 50])
def test_of_a_parquet_file(small, stars, frame, labels, rows, tmp_path):
    frame.to_parquet(tmp_path / "stars.parquet")
    scale.label_file(small, tmp_path / "stars.parquet", tmp_path / "o.fits", rows=rows, progress=False)
    check(catalogs.read(tmp_path / "o.fits"), labels, stars)


def test_of_no_star_at_all(small, stars, frame, tmp_path):
    north = frame[frame["dec"] > 0]
    north.to_parquet(tmp_path / "stars.parquet")
    done = scale.label_file(small, tmp_path / "stars.parquet", tmp_path / "o.fits", progress=False)
    found = catalogs.read(tmp_path / "o.fits")
    assert done.stars == len(north) and found["teff"].mask.all()
    assert flags.LABEL.has(found["teff_flag"], "NO_INPUT").all()


def test_of_partitions_in_one_process(small, stars, labels, hats_folder, tmp_path):
    scale.label_file(small, hats_folder, tmp_path / "o.fits", progress=False)
    check(catalogs.read(tmp_path / "o.fits"), labels, stars)


@pytest.mark.slow
def test_of_partitions_on_a_cluster(small, stars, labels, hats_folder, tmp_path):
    distributed = pytest.importorskip("distributed", reason="the extra 'scale' is not installed")
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.Client(**options) as client:
        done = scale.label_catalog(small, hats_folder, tmp_path / "labels", client=client, progress=False)
    assert done.stars == 120 and done.failures == ()
    check(scale.to_table(tmp_path / "labels"), labels, stars)
