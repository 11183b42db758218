"""One suite that every system passes: table in, table out, nothing lost."""

import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, Table

from stellarlabels import catalogs, columns, flags, systems
from stellarlabels.exceptions import (
    ColumnUnitError,
    InputError,
    MissingColumnError,
    NotFittedError,
    WriteError,
)
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample
from stellarlabels.inputs.spectra import LIGHT


@dataclass(frozen=True)
class Spoil:
    """A value (or all values) of a cell made unusable, and the flag that is to follow."""

    column: str
    element: object
    value: float
    flag: str


@dataclass(frozen=True)
class Case:
    """What the suite has to know of a system.

    ``stars()`` gives at least 300 stars with inputs and labels (or skips); ``cells`` are the columns of arrays that
    have to be there, ``needed`` those without which nothing can be computed; ``spoils`` are what may be wrong with a
    star; ``quick`` are changes that make the training of a recipe short; ``with_unit`` is a column whose unit counts,
    by default the first of ``cells``.
    """

    stars: Callable
    cells: tuple
    needed: tuple
    spoils: tuple
    quick: dict = field(default_factory=dict)
    with_unit: str = ""


@cache
def _jplus_stars():
    """The sample with J-PLUS magnitudes synthesised from its spectra."""
    from stellarlabels.inputs.xp import synthetic_photometry

    stars = xp_apogee_sample()
    made = synthetic_photometry(stars, ["JPLUS"])
    bands = [name.removeprefix("Jplus_mag_") for name in made.colnames if re.fullmatch(r"Jplus_mag_[^_]+", name)]
    for name, infix in (("mag_aper_6_0", "mag"), ("mag_err_aper_6_0", "mag_error")):
        cells = np.stack([np.asarray(plain(made[f"Jplus_{infix}_{band}"])) for band in bands], axis=1)
        stars[name] = cells * u.mag
    stars["alpha_fe"], stars["alpha_fe_err"] = stars["alpha_m"], stars["alpha_m_err"]
    for name in ("c_fe", "n_fe", "mg_fe", "ca_fe"):
        stars[name] = np.full(len(stars), np.nan) * u.dex
    stars["snrg"] = np.full(len(stars), 100.0)
    return stars[np.isfinite(plain(stars["mag_aper_6_0"])).all(axis=1)]


@cache
def _mrs_stars():
    """The synthetic medium-resolution spectra ten times over, each time with more noise, and other abundances."""
    sample = mrs_synthetic_sample()
    random = np.random.default_rng(1)
    stars = QTable(sample[np.tile(np.arange(len(sample)), 10)])
    stars["source_id"] = np.arange(1, len(stars) + 1)
    for arm in ("b", "r"):
        noise = np.where(np.isfinite(plain(stars[f"flux_{arm}"])), 0.01 * random.standard_normal((len(stars), 1)), 0)
        stars[f"flux_{arm}"] = plain(stars[f"flux_{arm}"]) + noise
    for label in systems.get("spcanet").recipes["paper"].labels[3:]:
        stars[label] = stars["feh"]
    return stars


@cache
def _lrs_stars():
    """Real LAMOST spectra with LASP labels, where they are there, and something for a magnitude and a color."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get("STELLARLABELS_DATA", default)) / "lamost_lrs" / "lamost_lrs_labelled.npz"
    if not path.is_file():
        pytest.skip(f"no real data: {path} is not there (set STELLARLABELS_DATA)")
    with np.load(path, allow_pickle=False) as data:
        cool = np.flatnonzero((data["teff"] > 4200) & (data["teff"] < 7500))[:320]
        arrays = {name: data[name][cool] for name in data.files if name not in ("wave", "subclass")}
        wave = data["wave"]
    stars = QTable({"source_id": np.arange(len(cool)) + 2**60})
    stars["wavelength"] = np.tile(wave, (len(cool), 1)) * u.AA
    for name in ("flux", "ivar", "andmask", "ormask"):
        stars[name] = arrays[name]
    for name in ("ra", "dec", "snrg", "teff", "logg", "feh"):
        stars[name] = columns.column(name).dress(arrays[name])
    stars["radial_velocity"] = arrays["z"] * LIGHT * u.km / u.s
    stars["m_g"] = columns.column("m_g").dress(arrays["logg"])
    stars["bp_rp_0"] = columns.column("bp_rp_0").dress(5040 / arrays["teff"])
    return stars


@cache
def _stars_without_carbon():
    """The sample, which knows neither carbon nor nitrogen."""
    stars = xp_apogee_sample()
    for name in ("c_fe", "n_fe"):
        stars[name] = np.full(len(stars), np.nan) * u.dex
    return stars


EVERYTHING = slice(None)
CASES = {
    "csnet": Case(
        _jplus_stars,
        cells=("mag_aper_6_0", "mag_err_aper_6_0"),
        needed=("mag_aper_6_0", "mag_err_aper_6_0", "ebv", "phot_bp_mean_mag", "phot_rp_mean_mag"),
        spoils=(
            Spoil("mag_aper_6_0", EVERYTHING, np.nan, "NO_INPUT"),
            Spoil("mag_aper_6_0", 3, 99.0, "NO_INPUT"),
            Spoil("mag_err_aper_6_0", 2, -1.0, "BAD_SAMPLES"),
        ),
        quick={
            "paper": {"labels": ("logg", "alpha_fe"), "epochs": 5, "excess_epochs": 3},
            "jplus_xp": {"labels": ("teff", "feh"), "ensemble": 1, "epochs": 5, "excess_epochs": 3},
        },
    ),
    "solardis": Case(
        _lrs_stars,
        cells=("wavelength", "flux", "ivar"),
        needed=("wavelength", "flux", "ivar"),
        spoils=(
            Spoil("flux", EVERYTHING, np.nan, "NO_INPUT"),
            Spoil("ivar", EVERYTHING, 0.0, "NO_INPUT"),
            Spoil("ivar", slice(2050, None), 0.0, "MISSING_BAND"),
            Spoil("flux", 1500, 1e9, "BAD_SAMPLES"),
        ),
        with_unit="radial_velocity",
        quick={
            "paper": {
                "ensemble": 1,
                "learning_rate": 1e-3,
                "network_options": {"filters": (4, 4, 4), "dense": (16, 8)},
            },
            "compact": {"ensemble": 1, "network_options": {"components": 8, "iterations": 1, "copies": 2}},
        },
    ),
    "spcanet": Case(
        _mrs_stars,
        cells=tuple(f"{name}_{arm}" for arm in "br" for name in ("flux", "ivar", "wavelength")),
        needed=tuple(f"{name}_{arm}" for arm in "br" for name in ("flux", "ivar", "wavelength")),
        spoils=(
            Spoil("flux_b", EVERYTHING, np.nan, "MISSING_BAND"),
            Spoil("ivar_r", EVERYTHING, 0.0, "MISSING_BAND"),
            Spoil("flux_b", slice(1000, 1100), np.nan, "BAD_SAMPLES"),
        ),
        with_unit="radial_velocity",
        quick={
            "paper": {
                "labels": ("teff", "mg_h"),
                "ensemble": 1,
                "network_options": {"strides": (10, 5, 2), "dense": (16, 8)},
            },
            "compact": {"labels": ("feh",), "ensemble": 1},
        },
    ),
    "uncertain": Case(
        _stars_without_carbon,
        cells=("flux", "flux_error"),
        needed=("flux", "flux_error"),
        spoils=(
            Spoil("flux", EVERYTHING, np.nan, "NO_INPUT"),
            Spoil("flux_error", EVERYTHING, -1.0, "NO_INPUT"),
            Spoil("flux", 100, np.nan, "BAD_SAMPLES"),
        ),
        quick={
            "paper": {"labels": ("teff", "logg", "feh", "alpha_m"), "epochs": 20, "batch_size": 100},
            "apogee": {"ensemble": 2, "network_options": {"width": 32, "blocks": 1, "components": 20}},
        },
    ),
    "uacsnet": Case(
        xp_apogee_sample,
        cells=("flux", "flux_error"),
        needed=("flux", "flux_error", "ebv"),
        spoils=(
            Spoil("flux", EVERYTHING, np.nan, "NO_INPUT"),
            Spoil("flux_error", EVERYTHING, -1.0, "NO_INPUT"),
            Spoil("flux", 100, np.nan, "BAD_SAMPLES"),
        ),
        quick={"apogee": {"ensemble": 2, "network_options": {"width": 32, "blocks": 1, "components": 20}}},
    ),
}

#: Recipes and weights whose inputs are magnitudes of a survey's own table, with tests of their own in test_surveys.py.
OF_SURVEYS = {("csnet", "splus_segue"), ("csnet", "jplus_segue")}

EVERY_WEIGHTS = [
    (name, weights)
    for name in systems.available()
    for weights in systems.get(name).available()
    if (name, weights) not in OF_SURVEYS
]
EVERY_RECIPE = [
    (name, recipe)
    for name in systems.available()
    for recipe in systems.get(name).recipes
    if (name, recipe) not in OF_SURVEYS
]


#: Four networks with their Jacobians take longer than others.
SLOW_WEIGHTS = {("uncertain", "apogee")}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(pair, marks=[pytest.mark.slow] if pair in SLOW_WEIGHTS else [], id="-".join(pair))
        for pair in EVERY_WEIGHTS
    ],
)
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
    ends = ("", "_err", *(f"_err_{term}" for term in system.error_terms), "_flag", "_good")
    assert labels.colnames[1:] == [f"{x}{end}" for x in system.labels for end in ends]
    np.testing.assert_array_equal(labels["source_id"], stars["source_id"])
    assert labels["source_id"].dtype == np.int64
    for name in system.labels:
        item = columns.column(name)
        assert labels[name].unit == u.Unit(item.unit)
        assert labels[f"{name}_flag"].dtype == flags.DTYPE
        assert labels[name].info.meta["ucd"] == item.ucd
        good = labels[f"{name}_good"]
        assert good.dtype == bool and not np.ma.is_masked(good) and good.info.meta["ucd"] == "meta.code.qual"
        levels = flags.LABEL.level(labels[f"{name}_flag"])
        np.testing.assert_array_equal(good, np.isfinite(plain(labels[name])) & np.isin(levels, ("none", "note")))
        assert good.mean() > 0.1  # weights that are for giants without dust hold for a fifth of the sample
        assert (labels[f"{name}_err"][good] > 0 * u.Unit(item.unit)).all()


def test_input_is_not_changed(system, stars):
    table = stars.copy()
    system.predict(table)
    assert table.colnames == stars.colnames
    for name in table.colnames:
        np.testing.assert_array_equal(plain(table[name]), plain(stars[name]))


@pytest.mark.slow
def test_order_chunks_and_other_stars_do_not_matter(system, stars, agree, monkeypatch):
    whole = system.predict(stars)
    order = np.random.default_rng(1).permutation(len(stars))
    monkeypatch.setattr("stellarlabels.labels.estimator.CHUNK", 101)
    agree(system.predict(stars[order], progress=False), whole[order])
    agree(system.predict(stars[:7]), whole[:7])


def test_bad_rows_are_kept_and_flagged(system, case, stars):
    table = stars[: len(case.spoils) + 2]
    for name in case.cells:
        table[name] = np.array(plain(table[name])) * (stars[name].unit or 1)
    want = system.predict(table)
    for row, spoil in enumerate(case.spoils):
        table[spoil.column][row, spoil.element] = spoil.value * (stars[spoil.column].unit or 1)
    labels = system.predict(table)
    np.testing.assert_array_equal(plain(labels[labels.colnames[0]]), plain(table[labels.colnames[0]]))
    lost = np.array([spoil.flag == "NO_INPUT" for spoil in case.spoils] + [False, False])
    for name in system.labels:
        flag = labels[f"{name}_flag"]
        np.testing.assert_array_equal(flags.LABEL.has(flag, "NO_INPUT"), lost)
        np.testing.assert_array_equal(np.isnan(plain(labels[name])), lost)
        for row, spoil in enumerate(case.spoils):
            assert flags.LABEL.has(flag, spoil.flag)[row]
        np.testing.assert_allclose(plain(labels[name])[-2:], plain(want[name])[-2:], rtol=1e-4)


def test_cells_of_wrong_length(system, case, stars):
    table = Table(stars[:2])
    for name in case.cells:
        cells = np.empty(2, dtype=object)
        cells[0], cells[1] = np.array(plain(stars[name])[0]), np.ones(17)
        table[name] = cells
        table[name].unit = stars[name].unit
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        labels = system.predict(table)
    for name in system.labels:
        np.testing.assert_array_equal(np.isnan(plain(labels[name])), [False, True])
    if columns.column(case.cells[0]).shape and "wavelength" not in case.needed:
        assert any(f"'{case.cells[0]}' left out, since they are no arrays" in str(warning.message) for warning in told)


def test_one_network_of_the_ensemble(system, stars):
    few, count = system.fewer(1), system.recipe.ensemble
    assert (few.recipe.ensemble, system.recipe.ensemble) == (1, count)
    assert few.predict(stars[:5]).colnames == system.predict(stars[:5]).colnames
    for wrong in (0, count + 1, 1.5, "1"):
        with pytest.raises(InputError, match=f"networks: expected a whole number from 1 to {count}"):
            system.fewer(wrong)


@pytest.mark.slow
def test_recalibration(system, stars, agree):
    """New errors, the same labels, and a record of it; the system that it is a copy of keeps its errors."""
    new = system.fewer(system.recipe.ensemble).calibrate(stars)
    assert new.provenance_["calibration"]["stars"][0] > 0.5 * len(stars)
    assert new.weights_ == "" and "networks" not in system.provenance_
    before, after = (item.predict(stars[:20]) for item in (system, new))
    agree(after, before, system.labels)
    changed = [not np.array_equal(plain(before[f"{x}_err"]), plain(after[f"{x}_err"]), True) for x in system.labels]
    assert all(changed)
    with pytest.raises(InputError, match="unseen: expected a mask of shape"):
        new.calibrate(stars, np.ones(3, bool))


def test_empty_table(system, stars):
    labels = system.predict(stars[:0])
    assert len(labels) == 0 and system.labels[0] in labels.colnames


def test_identifiers_survive_exactly(system, stars):
    table = stars[:2]
    table["source_id"] = np.array([2**63 - 1, 2**53 + 1])
    np.testing.assert_array_equal(system.predict(table)["source_id"], [2**63 - 1, 2**53 + 1])


def test_missing_columns_and_units_are_named(system, case, stars):
    first = case.with_unit or case.cells[0]
    with pytest.raises(MissingColumnError):
        system.predict(stars[[name for name in stars.colnames if name not in case.cells]])
    table = Table(stars[:2])
    table[first].unit = u.km
    with pytest.raises(ColumnUnitError, match=f"'{first}' has the unit 'km'"):
        system.predict(table)


def test_catalog_has_the_published_columns(system, stars, tmp_path):
    from stellarlabels.catalogs import schemas

    labels = system.predict(stars[:5])
    catalog = system.catalog(stars[:5], labels)
    published = schemas.get(system.name).names
    assert catalog.colnames[: len(published)] == published
    strict = system.catalog(stars[:5], labels, strict=True)
    assert strict.colnames == published and strict.meta["strict"].endswith("the published catalog does not have")
    for name in system.labels:  # nothing of what is known of a label is lost
        np.testing.assert_array_equal(catalog[f"{name}_good"], labels[f"{name}_good"])
        [bits] = [key for key in (f"{name}_flag_bits", f"{name}_flag") if key in catalog.colnames][:1]
        np.testing.assert_array_equal(catalog[bits], labels[f"{name}_flag"])
        assert tuple(flags.get(flags.set_of(catalog[bits]))) == tuple(flags.LABEL)
        for item in columns.label_columns(name)[:2]:
            found, own = (columns.column_values(table, item) for table in (catalog, labels))
            left_out = np.isnan(found) & (system.name == "spcanet")  # its paper has no abundances of hot stars
            np.testing.assert_allclose(found, np.where(left_out, np.nan, own), 1e-6)
    empty = [key for key in published if np.ma.getmaskarray(columns.without_unit(catalog[key])).all()]
    assert sorted(catalog.meta.get("unfilled", {})) == sorted(empty)
    key = columns.identifier(catalog)
    np.testing.assert_array_equal(catalog[key], stars["source_id"][:5])
    catalog.write(tmp_path / "c.vot")
    back = catalogs.read(tmp_path / "c.vot", system.name)
    np.testing.assert_array_equal(back[key], stars["source_id"][:5])
    assert back.colnames == catalog.colnames
    np.testing.assert_array_equal(back[f"{system.labels[0]}_good"], labels[f"{system.labels[0]}_good"])
    catalog[:2].write(tmp_path / "c.fits")
    with pytest.raises(WriteError, match="overwrite=True"):
        catalog.write(tmp_path / "c.vot")
    catalog.write(tmp_path / "c.dat", format="ascii.ecsv")
    assert len(QTable.read(tmp_path / "c.dat", format="ascii.ecsv")) == 5
    with pytest.raises(InputError, match="rows"):
        system.catalog(stars[:4], labels)
    with pytest.raises(InputError, match="differs"):
        system.catalog(stars[1:6], labels)


@pytest.mark.slow
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
    expected = one.predict(table)
    for other in (two, again):
        found = other.predict(table)
        for label in one.labels:
            for column in (label, f"{label}_err"):
                np.testing.assert_allclose(plain(found[column]), plain(expected[column]), rtol=2e-4, atol=2e-4)
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
        cls().fit(stars[[columns.identifier(stars), *case.needed]])


def test_unknown_system():
    with pytest.raises(InputError, match="no system"):
        systems.get("csnett")
