"""A system that is declared in a test: a label that nobody has heard of, files, catalogs, and what is refused."""

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

import stellarlabels
from stellarlabels import catalogs, columns, scale, systems
from stellarlabels.exceptions import InputError, MissingColumnError, ModelFileError, NotFittedError
from stellarlabels.inputs.colors import ColorSet
from stellarlabels.labels import Recipe, modelfile
from stellarlabels.systems import System

pytestmark = pytest.mark.slow

COLORS = ColorSet.make("three", bands=["u", "g", "r"], colors=["u-g", "g-r"], color="g-r")


@pytest.fixture(scope="module")
def cls():
    class Clock(System):
        name = "clock"
        title = "Ages from two colors"
        declares = (columns.Column("age_test", unit="Gyr", ucd="time.age", description="Age of the star"),)
        recipes = {
            "colors": Recipe(
                labels=("age_test", "teff"),
                features="colors",
                feature_options={"colors": COLORS.to_dict()},
                network="color_mlp",
                network_options={"hidden": (8,), "l2": 0.0, "error_hidden": (4,)},
                loss="squared",
                separate=True,
                epochs=2,
                batch_size=64,
                excess_epochs=1,
            )
        }
        compared_in = "color"

    yield Clock
    systems.base.SYSTEMS.discard("clock")
    catalogs.schemas.forget("clock")


@pytest.fixture(scope="module")
def stars():
    random = np.random.default_rng(1)
    table = QTable({"source_id": np.arange(300) + 2**60})
    for band in "ugr":
        table[band] = random.normal(15, 1, 300) * u.mag
        table[f"{band}_err"] = np.full(300, 0.02) * u.mag
    table["age_test"] = (5e9 + 1e9 * random.normal(size=300)) * u.yr
    table["teff"] = random.normal(5500, 300, 300) * u.K
    return table


@pytest.fixture(scope="module")
def trained(cls, stars):
    return cls(seed=1).fit(stars, validation=0.2, progress=False)


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "clock.stellarlabels"
    trained.save(path)
    return path


def test_labels_of_its_own(trained, stars):
    labels = trained.predict(stars)
    assert labels["age_test"].unit == u.Gyr and labels["age_test_err"].unit == u.Gyr
    assert labels["age_test"].info.meta["ucd"] == "time.age"
    assert 2 < np.nanmedian(labels["age_test"].value) < 8  # years were converted


ENDS = ("", "_err", "_flag", "_good")


def test_catalog_without_a_published_schema(trained, stars, tmp_path):
    catalog = trained.catalog(stars)
    assert catalog.colnames == ["source_id", *(f"{x}{e}" for x in ("age_test", "teff") for e in ENDS)]
    catalog.write(tmp_path / "c.vot")
    back = catalogs.read(tmp_path / "c.vot", "clock")
    np.testing.assert_array_equal(back["source_id"], stars["source_id"])
    assert back["age_test"].unit == u.Gyr and back["age_test_flag"].info.meta["flags"] == "label"


def test_labels_are_written_by_the_suffix(trained, stars, tmp_path):
    labels = trained.predict(stars[:3])
    for suffix in ("vot", "fits", "parquet", "csv"):
        labels.write(tmp_path / f"l.{suffix}")
        back = catalogs.read(tmp_path / f"l.{suffix}")
        np.testing.assert_array_equal(back["source_id"], stars["source_id"][:3])
        np.testing.assert_allclose(columns.without_unit(back["teff"]), labels["teff"].value, rtol=1e-6)


def test_any_system_is_loaded_by_the_name_in_its_file(saved, trained, stars):
    system = stellarlabels.load(saved)
    assert type(system) is type(trained) and system.recipe.train == trained.recipe.train
    want, got = trained.predict(stars), system.predict(stars)
    np.testing.assert_allclose(got["age_test"].value, want["age_test"].value, rtol=1e-5)
    with pytest.raises(ModelFileError, match="of 'clock', not of 'uacsnet'"):
        stellarlabels.UACSNet.load(saved)


def test_files_of_systems_that_are_not_known(saved, tmp_path):
    description, arrays = modelfile.read(saved)
    path = tmp_path / "m"
    modelfile.write(path, {**description, "system": "sundial"}, arrays)
    with pytest.raises(ModelFileError, match="'sundial', which is not known here"):
        stellarlabels.load(path)


def test_data_frames_and_large_files(trained, stars, tmp_path):
    pytest.importorskip("pandas")
    inputs = stars[[name for name in stars.colnames if name not in ("age_test", "teff")]]
    want = trained.predict(inputs)
    frame = inputs.to_pandas()
    with pytest.warns(stellarlabels.exceptions.MissingUnitWarning):
        got = trained.predict(frame)
    np.testing.assert_allclose(got["teff"].value, want["teff"].value, rtol=1e-5)
    catalogs.write(inputs, tmp_path / "in.fits")
    scale.label_file(trained, [tmp_path / "in.fits"], tmp_path / "out.parquet")
    back = catalogs.read(tmp_path / "out.parquet")
    np.testing.assert_allclose(back["age_test"].value, want["age_test"].value, rtol=1e-5)


def test_labels_declared_in_the_training(cls, stars):
    table = QTable(stars)
    table["spin_test"] = np.linspace(1, 30, 300) * u.day
    table["spin_test"].info.description = "Rotation"
    short = {"labels": ("spin_test",), "epochs": 1, "calibrate": False}
    labels = cls(**short).fit(table, progress=False).predict(table[:2])
    assert labels["spin_test"].unit == u.day and labels["spin_test"].info.description == "Rotation"
    with pytest.raises(MissingColumnError, match="'twist_test': it is not in the vocabulary"):
        cls(**{**short, "labels": ("twist_test",)}).fit(table, progress=False)
    table["twist_test"] = np.linspace(0, 1, 300)
    item = columns.Column("twist_test", unit="deg", ucd="pos.posAng", description="Twist")
    with pytest.warns(stellarlabels.exceptions.MissingUnitWarning, match="twist_test"):
        system = cls(**{**short, "labels": ("twist_test",)}).fit(table, progress=False, declare=[item])
    assert system.predict(stars[:2])["twist_test"].info.meta["ucd"] == "pos.posAng"
    with pytest.raises(InputError):
        columns.declare(columns.Column("twist_test", unit="m"))


def changed(saved, path, change, arrays_too=None):
    """A copy of a model file with a changed description."""
    description, arrays = modelfile.read(saved)
    description = json.loads(json.dumps(description))
    change(description)
    if arrays_too is not None:
        arrays_too(arrays)
    modelfile.write(path, {name: value for name, value in description.items() if name != "format_version"}, arrays)
    return path


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("a size of 1000000000", lambda d: d["recipe"]["network_options"].update(hidden=[10**9])),
        ("a size of 1000000000", lambda d: d["shapes"].update(color=[10**9])),
        ("a size of 1e", lambda d: d["recipe"]["network_options"].update(hidden=[1e300])),
        ("a list of 100000 items", lambda d: d["recipe"]["network_options"].update(hidden=[8] * 100_000)),
        ("expected arrays of shapes", lambda d: d["recipe"]["network_options"].update(hidden=[9])),
        ("expected arrays of shapes", lambda d: d["shapes"].update(color=[3])),
        ("no network is called", lambda d: d["recipe"].update(network="transformer")),
        ("no feature set is called", lambda d: d["recipe"].update(features="tea_leaves")),
        ("no such hyper-parameter", lambda d: d["recipe"].update(surprise=1)),
        ("combination", lambda d: d["recipe"].update(combination="average")),
        ("expected 50000 networks for 2 groups", lambda d: d["recipe"].update(ensemble=50_000)),
        ("has no column", lambda d: d["recipe"].update(labels=["teff", "no_such_label"])),
        ("is in 'yr', but here in 'Gyr'", lambda d: d["columns"][0].update(unit="yr")),
        ("do not fit together", lambda d: d.update(calibration=["magnitude"])),
        ("do not fit together", lambda d: d.update(domain=[])),
        ("do not fit together", lambda d: d.update(shapes=None)),
    ],
)
def test_hostile_descriptions(saved, cls, tmp_path, message, change):
    """Nothing of the size is made, and every such file is a `ModelFileError`."""
    import time
    import tracemalloc

    path = changed(saved, tmp_path / "m", change)
    tracemalloc.start()
    start = time.monotonic()
    with pytest.raises(ModelFileError, match=message):
        cls.load(path)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 2**27 and time.monotonic() - start < 60


def test_hostile_arrays(saved, cls, tmp_path):
    for name, array, message in (
        ("center", np.zeros(3), r"center: expected an array of shape \(2,\), got \(3,\)"),
        ("scale", np.array([np.nan, 1.0]), "scale: expected finite numbers"),
        ("domain.center", np.zeros(5, "f4"), "domain.center: expected an array of shape"),
        ("network.0.0", np.zeros(1, "f4"), "network.0: expected arrays of shapes"),
    ):
        path = changed(saved, tmp_path / name, lambda d: None, lambda arrays, n=name, a=array: arrays.update({n: a}))
        with pytest.raises(ModelFileError, match=message):
            cls.load(path)


def test_a_training_is_continued(cls, trained, stars):
    """It starts with what the other system has learned, in the same units, and leaves that as it is."""
    before = trained.predict(stars)["age_test"].value
    more = cls(seed=1, epochs=1, learning_rate=1e-6)
    more.fit(stars, validation=0.2, progress=False, start_from=trained)
    np.testing.assert_allclose(more.predict(stars)["age_test"].value, before, rtol=1e-3)
    np.testing.assert_array_equal(trained.predict(stars)["age_test"].value, before)
    fresh = cls(seed=2, epochs=1, learning_rate=1e-6).fit(stars, validation=0.2, progress=False)
    assert np.nanmedian(np.abs(fresh.predict(stars)["age_test"].value - before)) > 0.05
    with pytest.raises(InputError, match="start_from.*2"):
        cls(ensemble=2).fit(stars, start_from=trained)
    with pytest.raises(NotFittedError, match="train it"):
        cls().fit(stars, start_from=cls())
