"""Every function on the published catalogs, on columns of every make, and on tables in which something is wrong."""

import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

from stellarlabels import analysis
from stellarlabels.analysis import galactocentric
from stellarlabels.catalogs import schemas
from stellarlabels.exceptions import InputError
from stellarlabels.validation import (
    by_bins,
    by_class,
    calibration,
    cluster_summary,
    compare_catalogs,
    label_names,
    pairwise,
    papers,
    pit_histogram,
    pull_histogram,
    references,
    reliability,
    summarize,
)


def everything(catalog, reference):
    """What a report asks of a catalog; each answer is a table or a sentence in an `InputError`."""
    members = QTable({"cluster": np.full(len(reference), "M 1")})
    for key in ("source_id", "ra", "dec"):
        if key in reference.colnames:
            members[key] = reference[key]
    names = label_names(catalog) or ["feh"]
    calls = [
        lambda: compare_catalogs(catalog, {"other": reference}, bootstrap=20),
        lambda: by_class(catalog, reference, bootstrap=20),
        lambda: calibration(catalog, reference, bootstrap=20),
        lambda: pairwise({"a": catalog, "b": reference}, name=names[-1], bootstrap=20),
        lambda: pairwise({"a": catalog, "b": reference}, bootstrap=20),
        lambda: cluster_summary(catalog, members, bootstrap=20),
        lambda: papers.spcanet_table1(catalog, {"other": reference}),
        lambda: papers.uncertain_table1(catalog, reference),
        lambda: papers.uncertain_table2(catalog, reference, reference),
        lambda: papers.uncertain_table3({"a": catalog}),
        lambda: papers.uacsnet_section42(catalog, {"other": reference}, bootstrap=20),
        lambda: papers.uacsnet_errors(catalog, reference),
        lambda: galactocentric(catalog, samples=3),
        lambda: analysis.galaxy_map(catalog, names[0], bins=3),
        lambda: analysis.radial_gradients(catalog, method="weighted"),
        lambda: analysis.vertical_gradients(catalog, method="robust"),
        lambda: analysis.binned_map(catalog, "feh", "mg_fe", bins=3),
    ]
    for name in names[:2]:
        calls += [
            lambda name=name: by_bins(catalog, reference, name, name, bins=3, bootstrap=20),
            lambda name=name: reliability(catalog, reference, name),
            lambda name=name: pit_histogram(catalog, reference, name),
            lambda name=name: pull_histogram(catalog, reference, name),
        ]
    answers = []
    for call in calls:
        try:
            answers.append(call())
        except InputError as error:
            assert len(str(error)) > 20
            answers.append(None)
    return answers


@pytest.mark.parametrize("name", schemas.available())
def test_the_published_catalogs_against_themselves(example, name):
    catalog = example(name, rows=60)
    answers = everything(catalog, catalog)
    table = answers[0]
    assert {"teff", "feh"} & set(table["label"]) and table["stars"].max() > 10
    known = table[(table["group"] == "all") & (table["stars"] > 1)]
    np.testing.assert_allclose(known["rmse"], 0, atol=1e-9)
    other = "uacsnet" if name != "uacsnet" else "solardis"
    assert everything(catalog, example(other, rows=60, seed=2))[0] is not None
    assert references.get({"spcanet": "lamost_mrs"}.get(name, name)).reader == name


def stars(make=np.asarray, count=30, **changes):
    """A small catalog whose columns are made by a function; ``None`` leaves a column out."""
    random = np.random.default_rng(1)
    units = {"ra": u.deg, "dec": u.deg, "teff": u.K, "distance": u.pc, "phot_g_mean_mag": u.mag}
    values = {
        "ra": random.uniform(0, 360, count),
        "dec": random.uniform(-60, 60, count),
        "teff": random.uniform(4000, 6000, count),
        "teff_err": random.uniform(50, 80, count),
        "logg": random.uniform(1, 5, count),
        "feh": random.normal(-0.5, 0.3, count),
        "feh_err": random.uniform(0.05, 0.1, count),
        "mg_h": random.normal(-0.4, 0.3, count),
        "distance": random.uniform(100, 2000, count),
        "phot_g_mean_mag": random.uniform(9, 15, count),
    } | changes
    table = QTable({"source_id": np.arange(count) + 1})
    for name, column in values.items():
        if column is not None:
            table[name] = make(np.resize(column, count), units.get(name, u.K if name == "teff_err" else u.dex))
    return table


MAKES = {
    "quantity": lambda values, unit: values * unit,
    "single precision": lambda values, unit: values.astype(np.float32) * unit,
    "other order of bytes": lambda values, unit: MaskedColumn(values.astype(">f4"), unit=unit),
    "masked quantity": lambda values, unit: Masked(values * unit, mask=np.arange(values.size) % 4 == 0),
    "masked column": lambda values, unit: MaskedColumn(values, unit=unit, mask=np.arange(values.size) % 4 == 0),
    "integers": lambda values, unit: MaskedColumn(np.round(values).astype(int), unit=unit),
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())
def test_columns_of_every_make(make):
    catalog, reference = stars(make), stars() if make is None else stars(lambda values, unit: (values + 0.1) * unit)
    answers = everything(catalog, reference)
    assert answers[0]["stars"].max() >= 20
    assert not any(answer is None for answer in answers)


TROUBLE = {
    "no rows": (stars(MAKES["quantity"], 0), stars(MAKES["quantity"])),
    "an empty reference": (stars(MAKES["quantity"]), stars(MAKES["quantity"], 0)),
    "one star": (stars(MAKES["quantity"], 1), stars(MAKES["quantity"], 1)),
    "two stars": (stars(MAKES["quantity"], 2), stars(MAKES["quantity"], 2)),
    "constant columns": (
        stars(MAKES["quantity"], teff=[5000.0], feh=[0.0], logg=[4.0], phot_g_mean_mag=[12.0], distance=[500.0]),
        stars(MAKES["quantity"], teff=[5000.0], feh=[0.0], logg=[4.0]),
    ),
    "all masked": (
        stars(lambda values, unit: Masked(values * unit, mask=np.ones(values.size, bool))),
        stars(MAKES["quantity"]),
    ),
    "all masked on the other side": (
        stars(MAKES["quantity"]),
        stars(lambda values, unit: Masked(values * unit, mask=np.ones(values.size, bool))),
    ),
    "labels on one side": (stars(MAKES["quantity"]), stars(MAKES["quantity"], teff=None, feh=None, mg_h=None)),
    "labels on the other side": (stars(MAKES["quantity"], teff=None, feh=None), stars(MAKES["quantity"])),
    "no label at all": (stars(MAKES["quantity"])[["source_id", "ra"]], stars(MAKES["quantity"])),
    "infinities": (stars(MAKES["quantity"], feh=[np.inf, -np.inf, 0.1]), stars(MAKES["quantity"])),
    "errors of zero": (
        stars(MAKES["quantity"], feh_err=[0.0], teff_err=[0.0]),
        stars(MAKES["quantity"], feh_err=[0.0], teff_err=None, feh=np.linspace(-1, 0, 30)),
    ),
    "huge numbers": (stars(MAKES["quantity"], feh=[3e38, -3e38, 0.0], teff=[1e30, 1.0]), stars(MAKES["quantity"])),
    "impossible positions": (stars(MAKES["quantity"], dec=[100.0], distance=[-5.0]), stars(MAKES["quantity"])),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
def test_trouble_is_a_sentence_and_no_warning(trouble):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = everything(*trouble)
    table = answers[0]
    if table is not None:
        assert all(row["stars"] > 1 or row["note"] for row in table)


def test_plain_tables_are_fine():
    catalog = stars(MAKES["quantity"])
    plain = Table(catalog)
    assert summarize(plain, plain, bootstrap=0)["stars"].tolist() == [30] * 5
