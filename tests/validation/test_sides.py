"""Ours, the paper's and the peer's beside each other: numbers of tables of which the scatter is known."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.exceptions import InputError
from stellarlabels.validation import papers, side_by_side

COUNT = 4000


@pytest.fixture
def truth():
    random = np.random.default_rng(1)
    table = QTable({"source_id": np.arange(COUNT) + (1 << 60)})
    table["teff"], table["feh"] = random.uniform(4200, 6500, COUNT) * u.K, random.normal(-0.3, 0.4, COUNT) * u.dex
    table["phot_g_mean_mag"] = np.linspace(10, 14, COUNT) * u.mag
    table.meta["reference"] = "apogee_dr17"
    return table


def noisy(truth, scatter, seed, offset=0.0):
    """Labels that are off by Gaussians, with that error."""
    random = np.random.default_rng(seed)
    out = truth[["source_id"]]
    out["feh"] = truth["feh"] + (offset + scatter * random.standard_normal(len(truth))) * u.dex
    out["feh_err"] = np.full(len(truth), 1.1 * scatter) * u.dex
    return out


def test_each_has_its_own_numbers(truth):
    ours, peer = noisy(truth, 0.10, 2), noisy(truth, 0.20, 3, offset=0.05)
    table = side_by_side(ours, truth, system="uacsnet", peers={"XGBoost": peer})
    assert table["whose"].tolist() == ["ours", "the paper", "the paper", "XGBoost"]
    assert set(table["label"]) == {"feh"} and set(table["quantity"]) == {"scatter"} and table["unit"][0] == "dex"
    rows = dict(zip(table["whose"].tolist(), table, strict=True))
    for key, scatter, bias in (("ours", 0.1, 0.0), ("XGBoost", 0.2, 0.05)):
        assert rows[key]["value"] == pytest.approx(scatter, rel=0.03) and rows[key]["stars"] == COUNT
        assert rows[key]["value_err"] == pytest.approx(scatter / np.sqrt(2 * COUNT), rel=0.4)
        assert rows[key]["bias"] == pytest.approx(bias, abs=0.02) and rows[key]["source"] == "APOGEE DR17"
    assert rows["XGBoost"]["ours"] == rows["ours"]["value"] and rows["XGBoost"]["differs"] == "the same stars"
    printed = papers.published("precisions")
    printed = printed[printed["system"] == "uacsnet"]
    np.testing.assert_array_equal(table["value"][1:3], printed["value"])
    assert table["differs"][1] == "other stars, and PASTEL where here it is APOGEE DR17" and table["stars"][1] == 0
    assert table["sample"][1] == "training stars, against PASTEL"
    assert rows["ours"]["sample"].startswith("4,000 stars, G 10.1 to 13.9, Teff 42")


def test_a_peer_with_other_stars_is_compared_on_the_common_ones(truth):
    """Ours is three times as noisy for the second half, of which the peer has nothing."""
    ours = noisy(truth, 0.1, 2)
    ours["feh"][COUNT // 2 :] += np.random.default_rng(4).normal(0, 0.28, COUNT // 2) * u.dex
    table = side_by_side(ours, truth, peers={"bright": noisy(truth, 0.1, 5)[: COUNT // 2]})
    assert table["quantity"].tolist() == ["scatter", "scatter"]
    assert table["theirs"][1] == table["value"][1] and table["theirs"][0] == table["value"][0]
    again = side_by_side(ours[: COUNT // 4], truth, peers={"all": noisy(truth, 0.1, 5)})
    assert again["theirs"][1] != again["value"][1] and again["theirs"][1] == pytest.approx(0.1, rel=0.1)
    assert table["ours"][1] == pytest.approx(0.1, rel=0.05) and table["ours"][1] < 0.6 * table["value"][0]
    assert table["differs"][1] == "2,000 of its 2,000 stars are among the 4,000 of this catalog"
    assert "G 10.0 to 12.0" in table["sample"][1]


def test_quantities_are_those_of_the_paper(truth):
    """The paper of the uncertain network has median errors and the RMSE."""
    ours = noisy(truth, 0.1, 2, offset=0.1)
    table = side_by_side(ours, truth, system="uncertain", names=["feh"])
    value = {(row["whose"], row["quantity"]): row["value"] for row in table}
    assert value["ours", "rmse"] == pytest.approx(0.1 * np.sqrt(2), rel=0.03)
    assert value["ours", "error"] == pytest.approx(0.11)
    assert (value["the paper", "rmse"], value["the paper", "error"]) == (0.064, 0.068)


def test_flagged_labels_and_nothing_at_all(truth):
    ours, peer = noisy(truth, 0.1, 2), noisy(truth, 0.1, 3)
    peer["feh_good"] = np.zeros(COUNT, bool)
    table = side_by_side(ours, truth, peers={"none": peer})
    assert table["differs"][1] == "no star with a good label" and np.isnan(table["value"][1])
    with pytest.raises(InputError, match="uncertain"):
        side_by_side(ours, truth, system="payne")
    with pytest.raises(InputError, match="none of the labels"):
        side_by_side(ours, truth[["source_id", "teff"]])
