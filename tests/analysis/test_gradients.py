"""Gradients: the paper's lines and others that were put in come back within their errors."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.analysis import galactocentric, radial_gradients, vertical_gradients
from stellarlabels.exceptions import InputError
from stellarlabels.validation import papers


def disk(lines, *, stars=400, seed=1, scatter=0.25, vertical=False):
    """Stars on lines with the published gradients and intercepts, one line in each bin."""
    random = np.random.default_rng(seed)
    parts = []
    for row in lines:
        place = row["r" if vertical else "z"]
        low, high = (place - 0.5, place + 0.5) if vertical else (place - 0.1, place + 0.1)
        other = random.uniform(low, high, stars)
        along = random.uniform(0, 2, stars) if vertical else random.uniform(7, 14, stars)
        feh = row["intercept"] + row["gradient"] * along + random.normal(0, scatter, stars)
        sign = random.choice([-1, 1], stars)
        r, z = (other, sign * along) if vertical else (along, sign * other)
        parts.append((r, z, feh))
    r, z, feh = np.concatenate(parts, axis=1)
    return QTable({"r_gc": r * u.kpc, "z_gc": z * u.kpc, "feh": feh * u.dex})


@pytest.mark.parametrize("method", ["least_squares", "weighted", "robust"])
@pytest.mark.parametrize(("number", "function"), [(3, radial_gradients), (4, vertical_gradients)])
def test_the_lines_of_solardis_come_back(number, function, method):
    """Shen & Luo 2024, tables 3 and 4, in the same columns: over 100 seeds the pulls have mean 0 and width 1."""
    lines = papers.published(f"solardis_table{number}")
    pulls = {"gradient": [], "intercept": []}
    for seed in range(100):
        table = function(disk(lines, seed=seed, vertical=number == 4), method=method)
        for key, column in pulls.items():
            column.append((table[key].value - lines[key]) / table[f"{key}_err"].value)
    assert table.colnames[:6] == lines.colnames
    assert [table[key].unit for key in lines.colnames] == [lines[key].unit for key in lines.colnames]
    np.testing.assert_allclose(table[lines.colnames[0]].value, lines[lines.colnames[0]])
    assert (table["stars"] == 400).all() and not any(table["note"])
    np.testing.assert_allclose(table["scatter"].value, 0.25, atol=0.04)
    for key, column in pulls.items():
        column = np.array(column)
        assert abs(column.mean()) < 4 / np.sqrt(column.size), key
        assert column.std() == pytest.approx(1, abs=4 / np.sqrt(2 * column.size)), key


def test_the_published_tables_are_of_one_sample():
    """458,061 stars (section 4.4) in the bins of both tables."""
    assert sum(papers.published("solardis_table3")["stars"]) == 458_061
    assert sum(papers.published("solardis_table4")["stars"]) == 458_061


def test_published_errors_are_those_of_this_number_of_stars():
    """Least squares on as many stars as in the first bin of table 3, with a scatter of 0.25 dex: errors as printed."""
    lines = papers.published("solardis_table3")
    random = np.random.default_rng(1)
    row = lines[0]
    # The paper's stars crowd around the Sun; the width of R that its errors imply is about 0.7 kpc.
    r = np.clip(random.normal(8.5, 0.75, row["stars"]), 7, 14)
    feh = row["intercept"] + row["gradient"] * r + random.normal(0, 0.25, row["stars"])
    table = radial_gradients(QTable({"r_gc": r * u.kpc, "z_gc": np.full(len(r), 0.1) * u.kpc, "feh": feh * u.dex}))
    assert table["gradient_err"][0].value == pytest.approx(0.001, abs=0.0005)
    assert table["intercept_err"][0].value == pytest.approx(0.008, abs=0.004)
    assert table["stars"].tolist() == [row["stars"], *([0] * 9)]


def test_from_positions_on_the_sky():
    random = np.random.default_rng(3)
    stars = QTable({"ra": random.uniform(0, 360, 5000) * u.deg, "dec": random.uniform(-90, 90, 5000) * u.deg})
    stars["distance"] = random.uniform(100, 3000, 5000) * u.pc
    place = galactocentric(stars)
    stars["feh"] = (0.5 - 0.06 * place["r_gc"].value - 0.2 * np.abs(place["z_gc"].value)) * u.dex
    thin = radial_gradients(stars, edges=[0, 0.01] * u.kpc)
    assert thin["gradient"][0].to_value(u.dex / u.kpc) == pytest.approx(-0.06, abs=2e-3)
    narrow = vertical_gradients(stars, edges=[8.0, 8.01] * u.kpc)
    assert narrow["gradient"][0].to_value(u.dex / u.kpc) == pytest.approx(-0.2, abs=2e-3)


def test_bins_and_ranges():
    table = QTable({"r_gc": [7, 8, 9, 14, 14.1] * u.kpc, "z_gc": [0.2, -0.2, 0.19, 2.0, 0.3] * u.kpc})
    table["feh"] = np.arange(5.0) * u.dex
    assert radial_gradients(table)["stars"].tolist() == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert radial_gradients(table, rows=[True, False, True, True, True])["stars"].tolist()[:2] == [1, 1]


def test_what_is_missing_is_said():
    lines = papers.published("solardis_table3")
    table = disk(lines, stars=5)
    nobody = radial_gradients(table, edges=[5, 6, 7] * u.kpc)
    assert set(nobody["note"]) == {"no star in this bin"} and np.isnan(nobody["gradient"]).all()
    assert set(radial_gradients(table, name="teff")["note"]) == {"the table has no teff"}
    table["r_gc"][:] = 8 * u.kpc
    assert "the same place" in radial_gradients(table)["note"][0]
    table["feh"][:] = np.nan
    assert radial_gradients(table)["stars"].sum() == 0
    with pytest.raises(InputError, match="increase"):
        radial_gradients(table, edges=[1, 1] * u.kpc)
    with pytest.raises(InputError, match="smallest and a largest"):
        radial_gradients(table, r_range=[9, 7] * u.kpc)
