"""Clusters: intrinsic dispersions, trends and means that were put in come back."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.validation import cluster_members, cluster_summary
from stellarlabels.validation.clusters import intrinsic


def mock(clusters, *, stars=40, dispersion=0.05, error=0.08, slope=0.0, seed=0):
    """A catalog and the membership list of clusters with a metallicity of -1, -0.9 and so on."""
    random = np.random.default_rng(seed)
    shape = (clusters, stars)
    mag = random.uniform(11, 16, shape)
    errors = error * random.uniform(0.5, 1.5, shape)
    mean = -1 + 0.1 * np.arange(clusters)[:, None]
    feh = mean + slope * (mag - 13.5) + np.hypot(dispersion, errors) * random.standard_normal(shape)
    ids = np.arange(clusters * stars) + 2**60 + 1
    catalog = QTable({"source_id": ids, "phot_g_mean_mag": mag.ravel() * u.mag, "feh": feh.ravel() * u.dex})
    catalog["feh_err"] = errors.ravel() * u.dex
    order = random.permutation(len(ids))
    members = QTable(
        {"source_id": ids[order], "Cluster": np.repeat([f"NGC {n}" for n in range(clusters)], stars)[order]}
    )
    return catalog[random.permutation(len(ids))], members


def test_the_likelihood_is_the_one_that_integrates_over_the_mean():
    random = np.random.default_rng(3)
    errors = random.uniform(0.05, 0.2, 12)
    values = 0.3 + np.hypot(0.1, errors) * random.standard_normal(12)
    means = np.linspace(-1, 2, 3001)

    def integral(sigma):
        return stats.norm(means, np.hypot(errors, sigma)[:, None]).pdf(values[:, None]).prod(axis=0).sum()

    grid = np.linspace(0, 0.5, 101)
    likelihood = np.array([integral(sigma) for sigma in grid])
    fit = intrinsic(values, errors)
    assert fit["dispersion"] == pytest.approx(grid[likelihood.argmax()], abs=0.006)
    fallen = likelihood.max() * np.exp(-0.5)
    assert integral(fit["dispersion_hi"]) == pytest.approx(fallen, rel=0.01)
    if fit["dispersion_lo"] > 0:
        assert integral(fit["dispersion_lo"]) == pytest.approx(fallen, rel=0.01)


def test_without_errors_the_dispersion_is_the_standard_deviation():
    values = np.random.default_rng(1).normal(2, 0.3, 50)
    fit = intrinsic(values, np.zeros(50))
    assert fit["dispersion"] == pytest.approx(np.std(values, ddof=1), rel=1e-3)
    assert fit["mean"] == pytest.approx(values.mean()) and fit["mean_err"] == pytest.approx(
        np.std(values, ddof=1) / np.sqrt(50), rel=1e-3
    )


def test_dispersions_of_few_values():
    assert np.isnan(intrinsic(np.zeros(0), np.zeros(0))["mean"])
    assert intrinsic(np.array([1.0]), np.array([0.1])) == pytest.approx(
        {"mean": 1.0, "mean_err": 0.1, "dispersion": np.nan, "dispersion_lo": np.nan, "dispersion_hi": np.nan},
        nan_ok=True,
    )
    assert intrinsic(np.ones(5), np.zeros(5))["dispersion"] == 0
    fit = intrinsic(np.array([1.0, 1.01, 0.99]), np.full(3, 0.5))
    assert fit["dispersion"] == 0 and fit["dispersion_lo"] == 0 and 0 < fit["dispersion_hi"] < 1


def test_injected_means_dispersions_and_trends_come_back_within_their_errors():
    """120 clusters, as many seeds: pulls of mean and slope, and how often the interval holds the dispersion."""
    clusters = 120
    catalog, members = mock(clusters, slope=-0.02)
    table = cluster_summary(catalog, members, bootstrap=0)
    number = np.array([int(name.split()[1]) for name in table["cluster"]])
    spread = np.hypot(0.02 * 5 / np.sqrt(12), 0.05)  # the trend adds to the dispersion
    pulls = {
        "mean": (table["mean"].value - (-1 + 0.1 * number)) / table["mean_err"].value,
        "slope": (table["slope"].value + 0.02) / table["slope_err"].value,
    }
    for key, pull in pulls.items():
        assert abs(pull.mean()) < 3.5 / np.sqrt(clusters), key
        assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * clusters)), key
    within = (table["dispersion_lo"].value <= spread) & (spread <= table["dispersion_hi"].value)
    assert within.mean() == pytest.approx(0.683, abs=0.15)
    assert np.median(table["dispersion"].value) == pytest.approx(spread, abs=0.01)
    assert table["slope"].unit == u.dex / u.mag


def test_the_papers_fit_is_the_gaussian_one():
    catalog, members = mock(1, stars=4000, dispersion=0.1, error=0.1)
    row = cluster_summary(catalog, members)[0]
    assert row["cluster"] == "NGC 0" and (row["members"], row["stars"]) == (4000, 4000)
    # errors between 0.05 and 0.15: their mean square is 0.1^2 (1 + 1/12)
    assert row["gauss_sigma"].value == pytest.approx(np.sqrt(0.01 + 0.01 * 13 / 12), abs=0.006)
    assert abs(row["gauss_mean"].value + 1) < 4 * row["gauss_mean_err"].value
    assert row["dispersion"].value == pytest.approx(0.1, abs=0.008)
    assert row["note"] == ""


def test_clusters_matched_by_position():
    catalog, members = mock(2, stars=5)
    place = {int(key): (10 + i, 20 - i) for i, key in enumerate(sorted(members["source_id"]))}
    for table in (catalog, members):
        table["ra"] = [place[int(key)][0] for key in table["source_id"]] * u.deg
        table["dec"] = [place[int(key)][1] for key in table["source_id"]] * u.deg
    del members["source_id"]
    found = cluster_members(catalog, members)
    assert len(found) == 10 and found.meta["matched_by"] == "position"
    assert (found["cluster"] == np.where(found["source_id"] < 2**60 + 6, "NGC 0", "NGC 1")).all()


def test_what_is_missing_is_said():
    catalog, members = mock(2, stars=5)
    other = members.copy()
    other["source_id"] += 1000
    table = cluster_summary(catalog, other)
    assert table["stars"].tolist() == [0, 0] and np.isnan(table["mean"]).all()
    assert all("matched by source_id" in note for note in table["note"])
    assert set(cluster_summary(catalog, members, name="teff")["note"]) == {"the catalog has no teff"}
    masked = catalog.copy()
    masked["feh"][:] = np.nan
    assert "no member with feh" in cluster_summary(masked, members)["note"][0]
    del catalog["feh_err"], catalog["phot_g_mean_mag"]
    row = cluster_summary(catalog, members)[0]
    assert "no errors" in row["note"] and "no trend" in row["note"] and np.isfinite(row["gauss_mean"])
    assert "fewer than three" in cluster_summary(catalog, members[:1])["note"][0]
    with pytest.raises(MissingColumnError, match="'cluster'"):
        cluster_summary(catalog, catalog)
    members.remove_column("source_id")
    with pytest.raises(InputError, match="identifier that the catalog has"):
        cluster_summary(catalog, members)
