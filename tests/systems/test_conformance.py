"""One suite that every system passes: table in, table out, nothing lost."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import catalogs, flags, schema, systems
from stellarlabels.archive.sample import xp_apogee_sample
from stellarlabels.exceptions import (
    ColumnUnitError,
    InputError,
    MissingColumnError,
    NotFittedError,
    WriteError,
)


@dataclass(frozen=True)
class Case:
    """What the suite has to know of a system.

    ``stars()`` gives at least 300 stars with inputs and labels (or skips); ``spectrum`` and ``error`` are the columns
    of cells that are spoiled on purpose, ``spoiled`` is a sample of them that may be missing; ``needed`` are those
    without which nothing can be computed; ``quick`` are changes that make the training of a recipe short.
    """

    stars: Callable
    spectrum: str = "flux"
    error: str = "flux_error"
    spoiled: int = 100
    quick: dict = field(default_factory=dict)
    needed: tuple = ("flux", "flux_error", "ebv")


CASES = {
    "uacsnet": Case(
        xp_apogee_sample,
        quick={"apogee": {"ensemble": 2, "network_options": {"width": 32, "blocks": 1, "components": 20}}},
    ),
}

EVERY_WEIGHTS = [(name, weights) for name in systems.available() for weights in systems.get(name).available()]
EVERY_RECIPE = [(name, recipe) for name in systems.available() for recipe in systems.get(name).recipes]


@pytest.fixture(scope="module", params=EVERY_WEIGHTS, ids="-".join)
def system(request):
    name, weights = request.param
    return systems.get(name).pretrained(weights)


@pytest.fixture
def case(system):
    return CASES[system.name]


@pytest.fixture
def stars(case):
    return case.stars()


def test_every_system_has_a_case():
    assert set(CASES) == set(systems.available())


def plain(column):
    """Values of a column, with NaN under the mask of floats."""
    values = np.ma.MaskedArray(getattr(column, "unmasked", column), getattr(column, "mask", False))
    return np.ma.filled(values, np.nan) if values.dtype.kind == "f" else np.ma.getdata(values)


def test_output_columns(system, stars):
    labels = system.predict(stars)
    assert isinstance(labels, QTable)
    assert labels.colnames[0] == "source_id"
    assert labels.colnames[1:] == [f"{x}{end}" for x in system.labels for end in ("", "_err", "_flag")]
    np.testing.assert_array_equal(labels["source_id"], stars["source_id"])
    assert labels["source_id"].dtype == np.int64
    for name in system.labels:
        item = schema.column(name)
        assert labels[name].unit == u.Unit(item.unit)
        assert labels[f"{name}_flag"].dtype == flags.DTYPE
        assert labels[name].info.meta["ucd"] == item.ucd
        good = labels[f"{name}_flag"] == 0
        assert good.mean() > 0.2
        assert (labels[f"{name}_err"][good] > 0 * u.Unit(item.unit)).all()


def test_input_is_not_changed(system, stars):
    table = QTable(stars, copy=True)
    system.predict(table)
    assert table.colnames == stars.colnames
    for name in table.colnames:
        np.testing.assert_array_equal(plain(table[name]), plain(stars[name]))


def test_order_and_chunks_do_not_matter(system, stars, monkeypatch):
    whole = system.predict(stars)
    order = np.random.default_rng(1).permutation(len(stars))
    monkeypatch.setattr("stellarlabels.labels.estimator.CHUNK", 101)
    shuffled = system.predict(stars[order], progress=False)
    for name in system.labels:
        np.testing.assert_allclose(plain(shuffled[name]), plain(whole[name])[order], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(shuffled[f"{name}_flag"], whole[f"{name}_flag"][order])


def test_bad_rows_are_kept_and_flagged(system, case, stars):
    table = stars[:6]
    for name in (case.spectrum, case.error):
        table[name] = np.array(table[name].value) * stars[name].unit
    want = system.predict(table)
    table[case.spectrum][1] = np.nan
    table[case.error][2] = -table[case.error][2]
    table[case.spectrum][3, case.spoiled] = np.nan
    labels = system.predict(table)
    np.testing.assert_array_equal(labels["source_id"], table["source_id"])
    for name in system.labels:
        flag = labels[f"{name}_flag"]
        np.testing.assert_array_equal(flags.LABEL.has(flag, "NO_INPUT"), [0, 1, 1, 0, 0, 0])
        np.testing.assert_array_equal(np.isnan(plain(labels[name])), [0, 1, 1, 0, 0, 0])
        assert flags.LABEL.has(flag, "BAD_SAMPLES")[3]
        same = [0, 4, 5]
        np.testing.assert_allclose(plain(labels[name])[same], plain(want[name])[same], rtol=1e-4)


def test_spectra_of_wrong_length(system, case, stars):
    table = Table(stars[:2])
    for name in (case.spectrum, case.error):
        cells = np.empty(2, dtype=object)
        cells[0], cells[1] = np.array(stars[name][0].value), np.ones(17)
        table[name] = cells
        table[name].unit = stars[name].unit
    labels = system.predict(table)
    for name in system.labels:
        np.testing.assert_array_equal(np.isnan(plain(labels[name])), [False, True])


def test_empty_table(system, stars):
    labels = system.predict(stars[:0])
    assert len(labels) == 0 and system.labels[0] in labels.colnames


def test_identifiers_survive_exactly(system, stars):
    table = stars[:2]
    table["source_id"] = np.array([2**63 - 1, 2**53 + 1])
    np.testing.assert_array_equal(system.predict(table)["source_id"], [2**63 - 1, 2**53 + 1])


def test_missing_columns_and_units_are_named(system, case, stars):
    with pytest.raises(MissingColumnError, match=case.error):
        system.predict(stars[["source_id", case.spectrum]])
    table = Table(stars[:2])
    table[case.error].unit = u.km
    with pytest.raises(ColumnUnitError, match=f"'{case.error}' has the unit 'km'"):
        system.predict(table)


def test_catalog_has_the_published_columns(system, stars, tmp_path):
    from stellarlabels.catalogs import schemas

    labels = system.predict(stars[:5])
    catalog = system.catalog(stars[:5], labels)
    assert catalog.colnames == schemas.get(system.name).names
    np.testing.assert_array_equal(catalog[catalog.colnames[0]], stars["source_id"][:5])
    catalog.write(tmp_path / "c.vot")
    back = catalogs.read(tmp_path / "c.vot", system.name)
    np.testing.assert_array_equal(back[back.colnames[0]], stars["source_id"][:5])
    catalog[:2].write(tmp_path / "c.fits")
    with pytest.raises(WriteError, match="overwrite=True"):
        catalog.write(tmp_path / "c.vot")
    catalog.write(tmp_path / "c.csv", format="ascii.csv")
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 6
    with pytest.raises(InputError, match="rows"):
        system.catalog(stars[:4], labels)
    with pytest.raises(InputError, match="differs"):
        system.catalog(stars[1:6], labels)


@pytest.mark.parametrize(("name", "recipe"), EVERY_RECIPE)
def test_train_save_load(name, recipe, tmp_path):
    """A few epochs learn something, the file gives the same predictions, and seeds repeat."""
    cls, case = systems.get(name), CASES[name]
    options = {"epochs": 3, "seed": 5, **case.quick.get(recipe, {})}
    table = case.stars()[:300]
    one = cls(recipe, **options).fit(table, validation=0.2, progress=False)
    assert all(np.isfinite(history["loss"]).all() for history in one.history_)
    assert one.history_[0]["loss"][-1] < one.history_[0]["loss"][0]
    path = tmp_path / "model.stellarlabels"
    one.save(path)
    two = cls.load(path)
    again = cls(recipe, **options).fit(table, validation=0.2, progress=False)
    for other in (two, again):
        for label in one.labels:
            for column in (label, f"{label}_err"):
                a, b = plain(one.predict(table)[column]), plain(other.predict(table)[column])
                np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)
    assert two.provenance_ == one.provenance_
    with pytest.raises(WriteError, match="overwrite"):
        one.save(path)


@pytest.mark.parametrize("name", systems.available())
def test_misuse(name):
    cls, case = systems.get(name), CASES[name]
    stars = case.stars()
    with pytest.raises(NotFittedError, match="train it"):
        cls().predict(stars)
    with pytest.raises(NotFittedError, match="nothing to save"):
        cls().save("x")
    with pytest.raises(InputError, match="epochz"):
        cls(epochz=3)
    with pytest.raises(InputError, match="epochs"):
        cls(epochs=0)
    with pytest.raises(InputError, match="recipe"):
        cls("no such recipe")
    with pytest.raises(InputError, match="ships with"):
        cls.pretrained("no such weights")
    with pytest.raises(InputError, match="at least 2 rows"):
        cls().fit(stars[:0])
    with pytest.raises(InputError, match=f"mask of {len(stars)} rows, got 3"):
        cls().fit(stars, validation=np.ones(3, bool))
    with pytest.raises(MissingColumnError, match=cls().labels[0]):
        cls().fit(stars[[schema.identifier(stars), *case.needed]])


def test_unknown_system():
    with pytest.raises(InputError, match="no system"):
        systems.get("csnett")
