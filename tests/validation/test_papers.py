"""The papers' tables as functions: what is put in comes out, in the rows and columns that the papers print."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.validation import papers

COUNT = 20_000


@pytest.fixture
def stars():
    random = np.random.default_rng(1)
    table = QTable({"source_id": np.arange(COUNT) + 1})
    for name in columns.vocabulary().notes["labels"]:
        unit = columns.column(name).unit
        table[name] = (
            random.uniform(4000, 6000, COUNT) * u.K if unit == "K" else random.normal(0, 0.2, COUNT) * u.Unit(unit)
        )
    return table


def others(stars, bias, sigma, names, seed=2):
    """A catalog whose labels differ from those of the stars by Gaussians."""
    random = np.random.default_rng(seed)
    out = stars[["source_id"]]
    for name in names:
        unit = stars[name].unit
        out[name] = stars[name] - (bias[name] + sigma[name] * random.standard_normal(COUNT)) * unit
    return out


def test_every_published_table_can_be_read():
    for name in papers.published_names():
        table = papers.published(name)
        assert len(table) and table.meta["reference"]
        table[table.colnames[0]][0] = table[table.colnames[0]][0]  # a copy, not the shared one
    with pytest.raises(InputError, match="spcanet_table1"):
        papers.published("table 1")


def test_spcanet_table_1_with_the_papers_own_numbers(stars):
    """References that are off by the biases and scatters of Wang et al. 2020, table 1, give that table back."""
    expected = papers.published("spcanet_table1")
    against = {}
    for key in ("APOGEE", "GALAH", "RAVE"):
        known = np.isfinite(expected[f"{key}_bias"])
        names = expected["label"][known].tolist()
        bias = dict(zip(names, expected[f"{key}_bias"][known], strict=True))
        sigma = dict(zip(names, expected[f"{key}_sigma"][known], strict=True))
        against[key] = others(stars, bias, sigma, names, seed=len(against))
    table = papers.spcanet_table1(stars, against)
    assert table["label"].tolist() == expected["label"].tolist() and table["unit"].tolist() == expected["unit"].tolist()
    for key in against:
        sigma = expected[f"{key}_sigma"]
        np.testing.assert_allclose(table[f"{key}_bias"], expected[f"{key}_bias"], atol=4 * 255 / np.sqrt(COUNT))
        deviation = (table[f"{key}_bias"] - expected[f"{key}_bias"]) / (sigma / np.sqrt(COUNT))
        assert np.nanmax(np.abs(deviation)) < 4
        np.testing.assert_allclose(table[f"{key}_sigma"], sigma, rtol=0.03)
        assert (table[f"{key}_stars"] == np.where(np.isnan(sigma), 0, COUNT)).all()
    notes = dict(zip(table["label"], table["note"], strict=True))
    assert notes["teff"] == "" and notes["n_h"] == "GALAH: the reference has no n_h; RAVE: the reference has no n_h"


def test_uncertain_tables_1_and_2(stars):
    names = ["feh", "teff", "logg", "c_fe", "n_fe", "alpha_m"]
    sigma = {"feh": 0.05, "teff": 60, "logg": 0.1, "c_fe": 0.04, "n_fe": 0.06, "alpha_m": 0.02}
    bias = {name: 2 * width for name, width in sigma.items()}
    reference = others(stars, bias, sigma, names)
    for name in names:
        stars[f"{name}_err"] = np.full(COUNT, sigma[name]) * stars[name].unit
    table = papers.uncertain_table1(stars, reference)
    assert table.colnames[:6] == papers.published("uncertain_table1").colnames
    assert table["label"].tolist() == papers.published("uncertain_table1")["label"].tolist()
    for row in table:
        width = sigma[row["label"]]
        assert row["value"] == np.median(stars[row["label"]].value) and row["error"] == pytest.approx(width)
        assert row["residual"] == pytest.approx(2 * width, rel=0.02)
        assert row["rmse"] == pytest.approx(width * np.sqrt(5), rel=0.02) and row["stars"] == COUNT
    mrs = others(stars, bias, sigma, ["c_fe", "alpha_m"])
    mrs["feh"], mrs["n_h"] = stars["feh"], stars["n_fe"] + stars["feh"] - 0.12 * u.dex
    second = papers.uncertain_table2(stars, reference[["source_id", *names[:3]]], mrs)
    assert second["label"].tolist() == papers.published("uncertain_table2")["label"].tolist()
    assert second["reference"].tolist() == ["lrs"] * 3 + ["mrs"] * 3
    assert second["residual"][4] == pytest.approx(0.12) and second["rmse"][4] == pytest.approx(0.12)


def test_uncertain_table_3(stars):
    stars["feh_err"] = np.linspace(0.05, 0.15, COUNT) * u.dex
    table = papers.uncertain_table3({"ours": stars, "none": stars[["source_id"]]})
    assert table.colnames == papers.published("uncertain_table3").colnames
    assert table["feh_err"][0].to_value(u.dex) == pytest.approx(0.1) and np.isnan(table["feh_err"][1])
    assert table["teff_err"].unit == u.K


def test_uacsnet_comparisons_and_errors(stars):
    reference = others(stars, {"feh": 0.02}, {"feh": 0.1}, ["feh"])
    reference["feh"][:500] = -2.5 * u.dex
    stars["feh"][:500] = reference["feh"][:500] + np.random.default_rng(3).normal(0.1, 0.3, 500) * u.dex
    table = papers.uacsnet_section42(stars, {"PASTEL": reference, "none": reference[:0]})
    everyone, poor, poorest = table[:3]
    assert abs(everyone["bias"] - 0.02 * u.dex) < 5 * everyone["bias_err"] and everyone["stars"] == COUNT
    assert everyone["sigma"].value == pytest.approx(0.1, rel=0.03)
    assert poor["stars"] == poorest["stars"] == 500
    assert poorest["sigma"].value == pytest.approx(0.3, abs=4 * poorest["sigma_err"].value)
    assert set(table["note"][3:]) == {"no star in common (matched by source_id)"}
    assert "below -3" in papers.uacsnet_section42(stars, {"a": reference}, limits=[-3])["note"][1]
    stars["phot_g_mean_mag"] = np.linspace(10.5, 13.5, COUNT) * u.mag
    stars["feh_err"] = (stars["phot_g_mean_mag"].value - 10) * 0.1 * u.dex
    errors = papers.uacsnet_errors(stars, reference)
    np.testing.assert_allclose(errors["low"].to_value(u.mag), [10, 11, 12, 13])
    np.testing.assert_allclose(errors["error"].to_value(u.dex), [0.075, 0.15, 0.25, 0.325], rtol=1e-3)
    np.testing.assert_allclose(errors["sigma"].to_value(u.dex)[1:], 0.1, rtol=0.05)


def test_nothing_in_common(stars):
    far = stars[["source_id", "feh"]]
    far["source_id"] += 10**9
    note = "no star in common (matched by source_id)"
    assert set(papers.uncertain_table1(stars, far)["note"]) == {note}
    assert papers.spcanet_table1(stars, {"a": far})["note"][0] == f"a: {note}"
    table = papers.uacsnet_errors(stars, far)
    assert table["note"].tolist() == [note] and table["stars"].tolist() == [0]
    assert "identifier" in papers.uncertain_table1(stars, far[["feh"]])["note"][0]
    assert papers.uncertain_table1(stars[["source_id"]], stars)["note"][0] == "the catalog has no feh"


def test_csnet_section_422(stars):
    """Cool dwarfs too cool by 160 K, log g of cool giants too high by 0.25 dex: in the middle of what is printed."""
    giant = np.arange(COUNT) % 4 == 0
    del stars["distance"]  # which is not that of a star
    stars["bp_rp_0"], stars["m_g"] = np.full(COUNT, 1.2) * u.mag, np.where(giant, 0.0, 6.0) * u.mag
    random, teff = np.random.default_rng(5), stars["teff"].value
    reference = stars[["source_id"]]
    shift = np.where(~giant & (teff < 4800), -160.0, 0.0)
    reference["teff"] = (teff - shift + random.normal(0, 50, COUNT)) * u.K
    high = np.where(giant & (teff < 4300), 0.25, 0.0)
    reference["logg"] = stars["logg"] - (high + random.normal(0, 0.05, COUNT)) * u.dex
    table = papers.csnet_section422(stars, {"APOGEE-Payne": reference}, names=["teff", "logg", "feh"])
    assert len(table) == 3 * 4 and table["below"].unit == u.K
    found = {(row["label"], row["group"], row["below"].value): row for row in table}
    printed = papers.published("csnet_section422")
    for row in printed[printed["label"] != "feh"]:
        mine = found[row["label"], row["group"], row["below"]]
        assert row["bias_low"] < mine["bias"] < row["bias_high"]
    assert found["teff", "giants", 4300.0]["bias"] == pytest.approx(0, abs=10)
    assert found["teff", "giants", np.inf]["sigma"] == pytest.approx(50, rel=0.05)
    assert found["teff", "giants", np.inf]["stars"] == giant.sum()
    assert found["feh", "dwarfs", np.inf]["note"] == "the reference has no feh"
    assert papers.csnet_section422(stars, {"none": reference[:0]})["stars"].sum() == 0
