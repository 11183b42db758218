"""The precisions that the papers state, and declarations of the catalogs that they compare with."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, systems
from stellarlabels.validation import papers, references

#: Catalogs of the papers' comparisons that nobody else here declares, by the section.
COMPARED = {
    "gsp_phot": "uncertain 4.3",
    "andrae_2023": "uncertain table 3",
    "leung_bovy_2023": "uncertain table 3",
    "zhang_green_rix_2023": "uacsnet 4.2.6",
    "huang_2025": "uacsnet 4.2.2",
    "viswanathan_2024": "uacsnet 4.2.2",
    "hong_2024": "uacsnet 4.2.6",
}


def test_numbers_of_the_papers():
    """Some from the abstracts; labels and units are those of the vocabulary; no label of a paper is without."""
    table = papers.published("precisions")
    stated = {
        tuple(str(row[key]) for key in ("system", "label", "quantity", "against")): float(row["value"]) for row in table
    }
    assert (
        stated["csnet", "teff", "scatter", "LAMOST DR5"] == 55
        and stated["csnet", "feh", "scatter", "LAMOST DR5"] == 0.07
    )
    assert stated["spcanet", "teff", "scatter", "APOGEE-Payne"] == 118.7
    assert stated["spcanet", "cu_h", "scatter", "APOGEE-Payne"] == 0.191
    assert stated["solardis", "m_g", "scatter", "Gaia DR3"] == 0.25
    assert (stated["uacsnet", "feh", "scatter", "PASTEL"], stated["uacsnet", "feh", "scatter", "SAGA"]) == (0.09, 0.22)
    for row in table:
        assert str(row["unit"]) == columns.column(str(row["label"])).unit
    for name in systems.available():
        labels = systems.get(name).recipes["paper"].labels
        assert {str(row["label"]) for row in table[table["system"] == name]} == set(labels)


def test_numbers_that_are_in_two_tables_agree():
    """Table 1 of the uncertain network, read from the paper for another test."""
    table, printed = papers.published("precisions"), papers.published("uncertain_table1")
    for quantity, column in (("rmse", "rmse"), ("error", "error")):
        rows = table[(table["system"] == "uncertain") & (table["quantity"] == quantity)]
        ours = dict(zip(rows["label"].tolist(), rows["value"].tolist(), strict=True))
        assert ours == dict(zip(printed["label"].tolist(), printed[column].tolist(), strict=True))


@pytest.mark.parametrize("name", COMPARED)
def test_references_that_the_papers_compare_with(name):
    declared = references.get(name)
    assert declared.title and declared.source and declared.notes
    names = {key: candidates[0] for key, candidates in declared.columns.items()}
    table = QTable(
        {"source_id": np.arange(1, 4)} if "source_id" not in names else {names["source_id"]: np.arange(1, 4)}
    )
    for key, candidate in names.items():
        if key != "source_id":
            table[candidate] = np.array([1.0, 2.0, 3.0])
    out = declared.translate(table)
    assert columns.find(out, "source_id") is not None
    for key in names:
        if key.endswith("_err") or key == "source_id":
            continue
        np.testing.assert_allclose(
            columns.values(out, key) / (1000 if "1000" in declared.units.get(key, "") else 1), [1, 2, 3]
        )


def test_gsp_phot_of_the_query():
    """What the query uncertain_compare gives is a reference of Table 1: its [M/H] counts as [Fe/H]."""
    found = QTable({"upload_row": np.arange(4), "source_id": np.arange(4) + (1 << 60)})
    found["teff_gspphot"], found["logg_gspphot"] = np.full(4, 5000.0) * u.K, np.full(4, 2.5)
    found["mh_gspphot"], found["distance_gspphot"] = np.full(4, -0.5), np.full(4, 900.0) * u.pc
    found["azero_gspphot"] = found["ag_gspphot"] = found["ebpminrp_gspphot"] = np.full(4, 0.1)
    reference = references.get("gsp_phot").translate(found)
    labels = QTable(
        {"source_id": found["source_id"], "teff": np.full(4, 5040.0) * u.K, "feh": np.full(4, -0.3) * u.dex}
    )
    labels["logg"] = np.full(4, 2.4) * u.dex
    table = papers.uncertain_table1(labels, reference, names=["feh", "teff", "logg"])
    np.testing.assert_allclose(table["residual"], [0.2, 40.0, -0.1], rtol=1e-9)
    assert table["stars"].tolist() == [4, 4, 4] and not any(table["note"])
