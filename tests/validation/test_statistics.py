"""Comparison tables and plots."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels.exceptions import InputError
from stellarlabels.validation import compare, plots


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


def test_plots(tables, tmp_path):
    from matplotlib.figure import Figure

    labels, reference = tables
    figure = plots.residual_panels(labels, reference)
    assert "n = 5001" in figure.axes[0].get_title()
    labels["teff"], labels["logg"] = np.full(len(labels), 5000) * u.K, np.full(len(labels), 2.5) * u.dex
    ax = Figure().add_subplot()
    assert plots.kiel(labels, ax=ax) is ax
    assert ax.get_xlabel().endswith("(K)") and ax.xaxis_inverted() and ax.yaxis_inverted()
    offsets = ax.collections[0].get_offsets()
    np.testing.assert_allclose(offsets[0], [5000, 2.5])
    plots.kiel(labels, color="alpha_m").figure.savefig(tmp_path / "k.png")
