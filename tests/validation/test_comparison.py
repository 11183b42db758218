"""Catalogs against references: what matches, what is cut, and what comes out."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.validation import (
    cluster_summary,
    compare_catalogs,
    match,
    matched,
    pairwise,
    references,
    selected_by,
)
from stellarlabels.validation.matching import median_per_star

COUNT = 2000


@pytest.fixture
def catalog():
    random = np.random.default_rng(1)
    ids = np.arange(COUNT) + 2**61 + 1  # neighbors that floats cannot tell apart
    table = QTable({"source_id": ids})
    table["ra"], table["dec"] = random.uniform(0, 360, COUNT) * u.deg, random.uniform(-80, 80, COUNT) * u.deg
    table["teff"], table["logg"] = random.uniform(4000, 6500, COUNT) * u.K, random.uniform(1, 5, COUNT) * u.dex
    table["feh"], table["mg_h"] = random.normal(-0.4, 0.3, COUNT) * u.dex, random.normal(-0.3, 0.3, COUNT) * u.dex
    for name, error in (("teff", 60 * u.K), ("logg", 0.1 * u.dex), ("feh", 0.08 * u.dex), ("mg_h", 0.1 * u.dex)):
        table[f"{name}_err"] = np.full(COUNT, error.value) * error.unit
    table["flux"] = np.zeros((COUNT, 3))
    return table


@pytest.fixture
def reference(catalog):
    """The first 1500 stars in another order, with [X/Fe] in the place of [X/H], and a bias of 0.05 dex in [Fe/H]."""
    random = np.random.default_rng(2)
    rows = random.permutation(1500)
    table = catalog[["source_id", "ra", "dec", "teff", "logg"]][rows]
    table["Fe_H"] = catalog["feh"][rows] - 0.05 * u.dex + random.normal(0, 0.1, 1500) * u.dex
    table["mg_fe"] = catalog["mg_h"][rows] - catalog["feh"][rows] + 0.05 * u.dex
    table["starflag"] = (np.arange(1500) % 3 == 0).astype(np.int64)
    return table


def test_pairs_by_identifier_are_exact(catalog, reference):
    pairs = match(catalog, reference)
    assert pairs.meta["by"] == "source_id" and len(pairs) == 1500
    np.testing.assert_array_equal(catalog["source_id"][pairs["row"]], reference["source_id"][pairs["match_row"]])


def test_pairs_by_position(catalog, reference):
    reference["dec"] += 0.5 * u.arcsec
    del reference["source_id"]
    pairs = match(catalog, reference)
    assert pairs.meta["by"] == "position" and len(pairs) == 1500
    np.testing.assert_allclose(pairs["separation"].to_value(u.arcsec), 0.5, rtol=1e-3)
    assert len(match(catalog, reference, radius=0.2 * u.arcsec)) == 0
    with pytest.raises(InputError, match="looked for source_id"):
        match(catalog, reference[["Fe_H"]])


def test_positions_are_tried_where_identifiers_give_nothing(catalog, reference):
    reference["source_id"] += 10**9  # of another release, say
    pairs = match(catalog, reference)
    assert pairs.meta["by"] == "position" and len(pairs) == 1500
    assert len(match(catalog, reference, by="source_id")) == 0
    reference["dec"] += 1 * u.deg
    assert match(catalog, reference).meta["by"] == "source_id, then position"


def test_labels_side_by_side(catalog, reference):
    labels, truth = matched(catalog, reference)
    assert len(labels) == len(truth) == 1500
    assert "flux" not in labels.colnames and "Fe_H" not in truth.colnames and "starflag" in truth.colnames
    np.testing.assert_allclose(truth["mg_h"].value - labels["mg_h"].value, (truth["feh"] - labels["feh"]).value + 0.05)
    assert "feh_err" not in truth.colnames and (labels["match_flag"] == 0).all()


def test_a_catalog_against_references(catalog, reference):
    table = compare_catalogs(catalog, {"survey": reference, "nothing": reference[:0]}, bootstrap=50)
    assert table.colnames[:5] == ["reference", "label", "unit", "group", "stars"]
    rows = {(row["reference"], row["label"], row["group"]): row for row in table}
    iron = rows["survey", "feh", "all"]
    assert iron["stars"] == 1500 and iron["note"] == ""
    assert abs(iron["gauss_mean"] - 0.05) < 4 * iron["gauss_mean_err"]
    assert abs(iron["gauss_sigma"] - 0.1) < 4 * iron["gauss_sigma_err"]
    assert rows["survey", "teff", "all"]["note"] == "all residuals are equal: no scatter"
    assert iron["stars"] == rows["survey", "feh", "dwarfs"]["stars"] + rows["survey", "feh", "giants"]["stars"]
    empty = [row["note"] for row in table if row["reference"] == "nothing"]
    assert len(empty) == 12 and set(empty) == {
        "no star of the catalog is in the reference (matched by source_id, then position)"
    }
    assert table.meta["matched"]["survey"] == {"by": "source_id", "pairs": 1500}


def test_injected_biases_come_back_over_many_seeds(catalog):
    """100 references with their own noise: the pulls of bias and scatter have mean 0 and width 1."""
    pulls = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        reference = catalog[["source_id"]]
        reference["feh"] = catalog["feh"] + random.normal(-0.12, 0.15, COUNT) * u.dex
        row = compare_catalogs(
            catalog, {"a": reference}, names=["feh"], by_class=False, bootstrap=100, seed=seed
        )[0]  # fmt: skip
        pulls.append(
            [(row["gauss_mean"] - 0.12) / row["gauss_mean_err"], (row["gauss_sigma"] - 0.15) / row["gauss_sigma_err"]]
        )
    assert (np.abs(np.mean(pulls, axis=0)) < 0.4).all()
    np.testing.assert_allclose(np.std(pulls, axis=0), 1, atol=0.3)


def test_references_that_cannot_be_matched(catalog, reference):
    table = compare_catalogs(catalog, {"list": reference[["Fe_H"]]}, by_class=False)
    assert (table["stars"] == 0).all() and "looked for source_id" in table["note"][0]
    with pytest.raises(InputError, match="at least one reference"):
        compare_catalogs(catalog, {})
    with pytest.raises(InputError, match="no label"):
        compare_catalogs(catalog[["source_id"]], {"list": reference})


def test_cuts_on_either_side(catalog, reference):
    kept = compare_catalogs(catalog, {"a": reference}, reference_cuts=["starflag = 0"], by_class=False)
    assert kept["stars"].max() == 1000
    kept = compare_catalogs(catalog, {"a": reference}, catalog_cuts=["teff < 5000", "logg >= 3"], by_class=False)
    expected = ((catalog["teff"] < 5000 * u.K) & (catalog["logg"] >= 3 * u.dex))[:1500].sum()
    assert kept["stars"].max() == expected
    kept = compare_catalogs(catalog, {"a": reference}, reference_cuts={"b": "solardis"}, by_class=False)
    assert kept["stars"].max() == 1500
    kept = compare_catalogs(catalog, {"a": reference}, catalog_cuts="solardis solar_like", by_class=False)
    assert 0 < kept["stars"].max() < 1500


def test_the_cuts_of_a_paper_on_a_declared_reference(catalog, reference):
    """SolarDis asks of APOGEE stars STARFLAG = 0 and errors below 200 K, 0.2 dex, 0.2 dex (section 4.3)."""
    reference["teff_err"] = np.where(np.arange(1500) < 100, 250, 100) * u.K
    reference["logg_err"] = np.where(np.arange(1500) < 200, 0.2, 0.1) * u.dex
    reference["fe_h_err"] = np.where(np.arange(1500) < 300, np.nan, 0.1) * u.dex
    table = references.get("apogee_dr17").translate(reference)
    passed = selected_by(table, "solardis")
    np.testing.assert_array_equal(passed, (np.arange(1500) >= 300) & (reference["starflag"] == 0))
    assert compare_catalogs(catalog, {"APOGEE": table}, reference_cuts="solardis")["stars"].max() == passed.sum()


def test_bits_in_conditions(reference):
    cut = references.condition("starflag without VERY_BRIGHT_NEIGHBOR LOW_SNR")
    reference["starflag"] = np.arange(1500) % 32
    passed, defined = cut(reference)
    np.testing.assert_array_equal(passed, (reference["starflag"] & 0b11000) == 0)
    assert defined.all()
    assert not references.condition("anything = 0")(reference)[1].any()
    for text in ("teff <> 3", "teff <", "teff < warm", ""):
        with pytest.raises(InputError, match="column < number"):
            references.condition(text)


def test_pairs_of_catalogs_of_distances():
    """Distances 7 % too long against exact ones, and 10 % noise in a third catalog."""
    random = np.random.default_rng(1)
    exact = random.uniform(100, 4000, COUNT)
    tables = {
        "A": QTable({"source_id": np.arange(COUNT) + 1, "distance": 1.07 * exact * u.pc}),
        "B": QTable({"source_id": np.arange(COUNT) + 1, "distance": exact / 1000 * u.kpc}),
    }
    tables["C"] = tables["B"].copy()
    tables["C"]["distance"] *= 1 + 0.1 * random.normal(0, 1, COUNT)
    table = pairwise(tables)
    assert [(row["first"], row["second"]) for row in table] == [("A", "B"), ("A", "C"), ("B", "C")]
    first = table[0]
    assert first["mean"].to_value(u.pc) == pytest.approx(0.07 * exact.mean())
    assert first["std"].to_value(u.pc) == pytest.approx(0.07 * exact.std(ddof=1))
    assert first["fraction_mean"] == pytest.approx(0.07) and first["fraction_std"] == pytest.approx(0, abs=1e-6)
    last = table[2]
    inverse = 1 / (1 + 0.1 * random.normal(0, 1, 100_000)) - 1
    assert last["fraction_std"] == pytest.approx(inverse.std(), rel=0.1)
    assert abs(last["mean"]) < 4 * last["mean_err"]
    tables["C"]["distance"][:] = np.nan
    assert pairwise(tables)["note"].tolist() == ["", "no star has both values", "no star has both values"]
    tables["C"]["source_id"] += 10**6
    assert pairwise(tables)["note"][1] == "no star in common (matched by source_id)"
    del tables["C"]["distance"]
    tables["C"]["source_id"] -= 10**6
    assert pairwise(tables)["note"][2] == "C has no distance"
    with pytest.raises(InputError, match="two catalogs or more"):
        pairwise({"A": tables["A"]})


def test_pairs_of_catalogs_of_labels(catalog, reference):
    table = pairwise({"ours": catalog, "theirs": reference}, name="mg_fe")
    assert table["stars"][0] == 1500 and "fraction_mean" not in table.colnames
    assert table["median"][0].to_value(u.dex) == pytest.approx(-0.05, abs=1e-9)
    assert pairwise({"ours": catalog, "theirs": reference[["Fe_H"]]})["note"][0]


def test_several_rows_of_a_star():
    table = QTable({"source_id": np.array([5, 7, 5, 5]), "feh": [0.1, 0.3, 0.2, 0.6] * u.dex})
    table["feh_err"] = [0.1, 0.1, np.nan, 0.3] * u.dex
    table["name"] = ["a", "b", "c", "d"]
    one = median_per_star(table)
    assert one["source_id"].tolist() == [5, 7] and one["entries"].tolist() == [3, 1]
    np.testing.assert_allclose(one["feh"].value, [0.2, 0.3])
    np.testing.assert_allclose(one["feh_err"].value, [0.2, 0.1])
    assert one["name"].tolist() == ["a", "b"] and len(table) == 4 and table["feh"][0] == 0.1 * u.dex


class TestReferences:
    """Declarations of reference catalogs."""

    def test_each_is_complete(self):
        assert {"apogee_dr17", "galah_dr3", "rave_dr5", "pastel", "saga", "lamost_lrs"} <= set(
            references.names("labels")
        )
        distances = {"starhorse", "distmass", "astronn", "bailer_jones"}
        assert distances <= set(references.names("distances"))
        for name in references.names():
            entry = references.get(name)
            assert entry.title and entry.source and entry.kind in ("labels", "distances", "clusters")
            for cuts in entry.cuts:
                assert len(list(entry.cut_set(cuts))) == len(entry.cuts[cuts]["conditions"])
            first = {name: candidates[0] for name, candidates in entry.columns.items()}
            values = {"source_id": 1, "cluster": "M 67"}
            table = QTable({key: [values.get(name, 1.0)] for name, key in first.items()})
            assert set(entry.columns) <= set(entry.translate(table).colnames)
        with pytest.raises(InputError, match="there are"):
            references.get("hipparcos")
        with pytest.raises(InputError, match="has none"):
            references.get("pastel").cut_set("solardis")

    def test_names_units_and_missing_values(self):
        """StarHorse gives kpc, and -9999 where there is no distance."""
        raw = QTable({"EDR3_source_id": np.array([2**60 + 1, 7]), "dist50": [1.5, -9999.0], "DIST16": [1.4, 1.0]})
        table = references.get("starhorse").translate(raw)
        assert table["source_id"].tolist() == [2**60 + 1, 7]
        assert table["distance"].mask.tolist() == [False, True] and table["distance"].unit == u.pc
        assert table["distance"][0].unmasked.value == pytest.approx(1500)
        assert table["distance_lo"][0].value == pytest.approx(1400) and table.meta["reference"] == "starhorse"

    def test_lists_of_clusters(self, tmp_path):
        """Files of Vasiliev & Baumgardt are named after their clusters, those of others have a column."""
        head = "# source_id ra dec x y plx pmra pmdec plxe pmrae pmdece pmcorr g_mag bp_rp Sigma qflag memberprob\n"
        row = "{} 265.1 -53.6 0.1 0.2 0.4 3.2 -17.6 0.02 0.02 0.02 0.1 14.2 1.1 300 3 {}\n"
        for first, name in ((10, "NGC_6397"), (20, "NGC_104_47Tuc")):
            (tmp_path / f"{name}.txt").write_text(head + row.format(first, 0.99) + row.format(first + 1, 0.2))
        listed = references.get("baumgardt_vasiliev").read(sorted(tmp_path.glob("*.txt")))
        assert listed["cluster"].tolist() == ["NGC 104 47Tuc"] * 2 + ["NGC 6397"] * 2
        assert listed["parallax"].unit == u.mas and listed["phot_g_mean_mag"][0] == 14.2 * u.mag
        members = listed[selected_by(listed, "members")]
        assert members["source_id"].tolist() == [20, 10]
        catalog = QTable({"source_id": np.arange(30), "feh": np.linspace(-2, 0, 30) * u.dex})
        summary = cluster_summary(catalog, members)
        np.testing.assert_allclose(summary["gauss_mean"].value, catalog["feh"][[20, 10]].value)
        hunt = QTable({"Name": ["Melotte 22"], "GaiaDR3": [5], "Prob": [0.7]})
        hunt = references.get("hunt_reffert_2023").translate(hunt)
        assert (hunt["source_id"][0], hunt["cluster"][0], hunt["membership"][0]) == (5, "Melotte 22", 0.7)
        occam = QTable({"CLUSTER": ["NGC 188", "NGC 188"], "APOGEE_ID": ["2M1", "2M2"], "RV_PROB": [0.9, 0.0]})
        occam["FEH_PROB"], occam["PM_PROB"] = [0.5, 0.5], [0.8, 0.8]
        occam = references.get("occam_dr17").translate(occam)
        assert selected_by(occam, "members").tolist() == [True, False]

    def test_distances_of_value_added_catalogs(self):
        """DistMass: what the network says, not what the parallax adds; astroNN: the weighted mean, missing as -9999."""
        raw = QTable({"APOGEE_ID": ["a"], "DISTANCE": [800.0], "DISTANCE_ERR": [40.0], "WEIGHTED_DIST": [790.0]})
        table = references.get("distmass").translate(raw)
        assert (table["distance"][0], table["distance_err"][0]) == (800 * u.pc, 40 * u.pc)
        other = references.get("distmass").translate(raw, columns={"distance": "weighted_dist"})
        assert other["distance"][0] == 790 * u.pc
        raw = QTable({"source_id": [1, 2], "weighted_dist": [500.0, -9999.99], "dist": [510.0, 3.0]})
        raw["weighted_dist_error"] = [5.0, -9999.99]
        table = references.get("astronn").translate(raw)
        assert table["distance"].mask.tolist() == [False, True] and table["distance"][0].unmasked == 500 * u.pc

    def test_other_names(self):
        raw = QTable({"source_id": [1], "dist_pc": [100.0]})
        assert references.get("distmass").translate(raw, columns={"distance": "dist_pc"})["distance"][0] == 100 * u.pc
        with pytest.raises(MissingColumnError, match="'nothing'"):
            references.get("distmass").translate(raw, columns={"distance": "nothing"})
        with pytest.raises(InputError, match="neither in the vocabulary"):
            references.get("distmass").translate(raw, columns={"far": "dist_pc"})

    def test_files(self, tmp_path):
        raw = QTable({"RAdeg": [10.0], "DEdeg": [-5.0], "Teff_K": [5000.0], "logg_K": [4.4], "Algo_Conv_K": [0.0]})
        raw["Mg"], raw["Fe"] = [-0.1], [-9.99]
        raw.write(tmp_path / "rave.csv", format="ascii.csv")
        table = references.get("rave_dr5").read(tmp_path / "rave.csv")
        assert table["teff"][0] == 5000 * u.K and table["mg_h"][0] == -0.1 * u.dex and table["feh"].mask.all()
        assert selected_by(table, "spcanet").tolist() == [True]
        apogee = QTable({"APOGEE_ID": ["2M"], "ASPCAPFLAG": [0], "STARFLAG": [8], "TEFF": [4800.0], "FE_H": [-9999.0]})
        apogee["GAIAEDR3_SOURCE_ID"], apogee["EXTRATARG"] = [2**60 + 1], [0]
        apogee.write(tmp_path / "allStar.fits")
        table = references.get("apogee_dr17").read(tmp_path / "allStar.fits")
        assert table["source_id"][0] == 2**60 + 1 and table["feh"].mask.all() and table["ref_epoch"][0] == 2000 * u.yr
        assert selected_by(table, "uncertain").tolist() == [False]

    def test_pastel(self, real_data):
        """The stars of this file are in it once, as far as positions tell; doubled they become one again."""
        path = real_data / "tables" / "pastel_v1.2.fits"
        table = references.get("pastel").read(path)
        assert table["entries"].sum() == 17_922 and len(table) > 17_000
        twice = references.get("pastel").read([path, path])
        assert len(twice) == len(table) and (twice["entries"] == 2 * table["entries"]).all()
        np.testing.assert_array_equal(twice["feh"], table["feh"])

    def test_apogee_against_pastel(self, real_data):
        """Six stars of the sample that ships are in PASTEL: [Fe/H] agrees to a tenth of a dex, as in the literature."""
        from stellarlabels.inputs.examples import xp_apogee_sample

        pastel = references.get("pastel").read(real_data / "tables" / "pastel_v1.2.fits")
        table = compare_catalogs(xp_apogee_sample(), {"PASTEL": pastel}, names=["teff", "feh"], by_class=False)
        assert table.meta["matched"]["PASTEL"] == {"by": "position", "pairs": 6}
        assert abs(table["median"][1]) < 0.15 and table["rmse"][1] < 0.3 and abs(table["median"][0]) < 200
