"""Comparison tables against closed forms, and bad input."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.validation import by_bins, by_class, classes, compare, label_names, summarize


@pytest.fixture
def tables():
    count = 5001
    ideal = stats.norm().ppf((np.arange(count) + 0.5) / count)
    reference = QTable({"Fe_H": np.linspace(-2, 0, count) * u.dex, "fe_h_err": np.full(count, 0.3) * u.dex})
    labels = QTable({"source_id": np.arange(count), "feh": reference["Fe_H"] + (0.5 * ideal + 0.1) * u.dex})
    labels["feh_err"] = np.full(count, 0.4) * u.dex
    return labels, reference


def test_compare_against_a_gaussian(tables):
    """Residuals N(0.1, 0.5), errors 0.4 and 0.3: total 0.5, so the pulls are N(0.2, 1)."""
    row = compare(*tables)[0]
    assert (row["label"], row["unit"], row["stars"]) == ("feh", "dex", 5001)
    assert row["bias"] == pytest.approx(0.1, abs=1e-6)
    assert row["scatter"] == pytest.approx(0.5, rel=1e-3)
    assert row["rmse"] == pytest.approx(np.hypot(0.5, 0.1), rel=2e-3)
    assert row["error"] == pytest.approx(0.4)
    assert row["pull_width"] == pytest.approx(1, rel=1e-3)
    expected = stats.norm(0.2).cdf(1) - stats.norm(0.2).cdf(-1)
    assert row["coverage"] == pytest.approx(expected, abs=2e-3)


def test_compare_rows_and_missing(tables):
    labels, reference = tables
    rows = np.zeros(len(labels), bool)
    rows[:3] = True
    labels["feh"][0] = np.nan
    assert compare(labels, reference, rows=rows)["stars"][0] == 2
    nobody = compare(labels, reference, rows=~np.ones(len(labels), bool))
    assert nobody["stars"][0] == 0 and np.isnan(nobody["bias"][0])


def test_compare_refuses(tables):
    labels, reference = tables
    with pytest.raises(InputError, match="expected 5001 rows"):
        compare(labels, reference[:5])
    with pytest.raises(InputError, match="none of the labels"):
        compare(labels, reference[["fe_h_err"]])


def test_summary_against_a_gaussian(tables):
    row = summarize(*tables)[0]
    assert (row["label"], row["unit"], row["group"], row["stars"]) == ("feh", "dex", "all", 5001)
    for name in ("mean", "median", "gauss_mean"):
        assert row[name] == pytest.approx(0.1, abs=1e-6)
        assert row[f"{name}_err"] == pytest.approx(0.5 / np.sqrt(5001), rel=0.5)
    for name in ("std", "gauss_sigma", "robust_sigma"):
        assert row[name] == pytest.approx(0.5, rel=3e-3)
    assert row["clipped"] == pytest.approx(0.0027, abs=5e-4)
    brief = compare(*tables)[0]
    pairs = {"median": "bias", "robust_sigma": "scatter", "rmse": "rmse", "error": "error", "pull_width": "pull_width"}
    for ours, theirs in pairs.items():
        assert row[ours] == pytest.approx(brief[theirs], rel=1e-12)
    assert row["coverage_err"] == pytest.approx(np.sqrt(row["coverage"] * (1 - row["coverage"]) / 5001))


def test_groups_and_classes(tables):
    labels, reference = tables
    reference["logg"] = np.where(np.arange(5001) < 1000, 2.0, 4.5) * u.dex
    reference["logg"][5000] = np.nan
    labels["feh"][:1000] += 0.3 * u.dex
    table = by_class(labels, reference, names=["feh"])
    assert table["group"].tolist() == ["all", "dwarfs", "giants"]
    assert table["stars"].tolist() == [5001, 4000, 1000]
    inner = summarize(labels, reference, names=["feh"], rows=np.arange(5001) < 1000)[0]
    for name in ("mean", "gauss_sigma", "rmse", "rmse_err", "coverage"):
        assert table[name][2] == inner[name]


def test_rules_of_classes():
    logg = QTable({"logg": [3.4, 3.5, np.nan] * u.dex})
    found = classes(logg)
    assert found["giants"].tolist() == [True, False, False] and found["dwarfs"].tolist() == [False, True, False]
    assert classes(logg, limit=3.6)["giants"].tolist() == [True, True, False]
    # Yang et al. 2022: giants have BP-RP > 0.95 and M_G < 3.9
    diagram = QTable({"bp_rp_0": [1, 1, 0.9, np.nan] * u.mag, "m_g": [3, 4, 3, 3] * u.mag})
    found = classes(logg[[0, 0, 0, 0]], diagram, rule="csnet")
    assert found["giants"].tolist() == [True, False, False, False]
    assert found["dwarfs"].tolist() == [False, True, True, False]
    assert not any(mask.any() for mask in classes(diagram).values())
    with pytest.raises(InputError, match="logg, csnet"):
        classes(logg, rule="color")


def test_unflagged_stars(tables):
    labels, reference = tables
    labels["feh_flag"] = np.ma.masked_array((np.arange(5001) % 2).astype(np.int32), mask=np.arange(5001) == 0)
    assert summarize(labels, reference, good=False)["stars"][0] == 5001
    assert summarize(labels, reference, good=True)["stars"][0] == 2500
    labels.rename_column("feh_flag", "Fe_H_flag")
    assert summarize(labels, reference, good=True)["stars"][0] == 2500


def test_bins_of_a_column(tables):
    labels, reference = tables
    labels["phot_g_mean_mag"] = np.linspace(10, 14, 5001) * u.mag
    labels["feh"] = reference["Fe_H"] + (labels["phot_g_mean_mag"].value - 12) * 0.1 * u.dex
    table = by_bins(labels, reference, "feh", "phot_g_mean_mag", bins=4)
    np.testing.assert_allclose(table["low"].to_value(u.mag), [10, 11, 12, 13])
    np.testing.assert_allclose(table["median"].to_value(u.dex), [-0.15, -0.05, 0.05, 0.15], atol=1e-4)
    np.testing.assert_allclose(table["center"].to_value(u.mag), [10.5, 11.5, 12.5, 13.5], atol=1e-3)
    assert table["stars"].sum() == 5001 and table["gauss_sigma_err"].unit == u.dex
    np.testing.assert_allclose(table["std"].value, 0.1 / np.sqrt(12), rtol=1e-2)
    edges = by_bins(labels, reference, "feh", "phot_g_mean_mag", bins=[10, 12, 15, 20] * u.mag)
    assert edges["stars"].tolist() == [2500, 2501, 0] and edges["note"][2] == "no star has both values"
    by_reference = by_bins(labels, reference, "feh", "Fe_H", bins=2)
    assert by_reference.meta["along"] == "feh" and by_reference["low"].unit == u.dex
    by_array = by_bins(labels, reference, "feh", np.arange(5001) % 3, bins=[0, 1, 2])
    assert by_array["stars"].tolist() == [1667, 3334] and by_array["low"].unit is None


def test_bins_agree_with_scipy(tables):
    labels, reference = tables
    along = np.random.default_rng(1).normal(0, 1, 5001)
    edges = [-1, 0, 0.5, 2]
    table = by_bins(labels, reference, "feh", along, bins=edges)
    residual = labels["feh"].value - reference["Fe_H"].value
    for name, statistic in (("mean", "mean"), ("median", "median"), ("stars", "count")):
        expected = stats.binned_statistic(along, residual, statistic, bins=edges).statistic
        np.testing.assert_allclose(getattr(table[name], "value", table[name]), expected, atol=1e-12)


def test_bins_of_nothing_and_of_one_value(tables):
    labels, reference = tables
    constant = by_bins(labels, reference, "feh", np.full(5001, 3.0))
    assert constant["stars"].tolist() == [5001] and "the same for all stars" in constant["note"][0]
    labels["ebv"] = np.full(5001, np.nan) * u.mag
    nothing = by_bins(labels, reference, "feh", "ebv")
    assert nothing["stars"].tolist() == [0] and nothing["note"][0] == "no star has all values"
    missing = by_bins(labels, reference, "teff", "feh")
    assert missing["note"].tolist() == ["the catalog has no teff"]


@pytest.mark.parametrize(
    ("along", "bins", "match"),
    [
        ("colour", 3, "no table has a column 'colour'"),
        (np.zeros(4), 3, "expected 5001 numbers"),
        (np.array(["a"] * 5001), 3, "expected numbers"),
        ("feh", 0, "expected a positive number"),
        ("feh", [1, 1, 2], "edges that increase"),
        ("feh", [1], "edges that increase"),
    ],
)
def test_bins_that_are_refused(tables, along, bins, match):
    with pytest.raises(InputError, match=match):
        by_bins(*tables, "feh", along, bins=bins)


def test_what_is_missing_is_said(tables):
    labels, reference = tables
    labels["teff"], labels["logg"] = np.full(5001, 5000) * u.K, np.full(5001, np.nan) * u.dex
    reference["logg"] = np.full(5001, 4.0) * u.dex
    labels["c_fe"] = reference["c_fe"] = np.zeros(5001) * u.dex
    notes = {row["label"]: row["note"] for row in summarize(labels, reference)}
    assert notes["feh"] == ""
    assert notes["teff"] == "the reference has no teff"
    assert notes["logg"] == "all values of logg in the catalog are missing"
    assert notes["c_fe"] == "all residuals are equal: no scatter"
    nobody = np.zeros(5001, bool)
    assert summarize(labels, reference, rows=nobody, names=["feh"])["note"][0] == "no star has both values"
    nobody[3] = True
    assert summarize(labels, reference, rows=nobody, names=["feh"])["note"][0].startswith("only one star")
    labels.remove_column("feh_err")
    assert summarize(labels, reference, names=["feh"])["note"][0] == "no predicted errors"
    assert label_names(labels) == ["teff", "logg", "feh", "c_fe"]
    with pytest.raises(InputError, match="no label"):
        summarize(QTable({"a": [1]}), QTable({"a": [1]}))


def test_tables_without_rows(tables):
    labels, reference = (table[:0] for table in tables)
    assert summarize(labels, reference)["stars"].tolist() == [0]
    assert by_class(labels, reference)["note"].tolist() == ["no star has both values"] * 3
    assert by_bins(labels, reference, "feh", "feh")["stars"].tolist() == [0]
