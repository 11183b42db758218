"""Data releases: what is declared of them, and of which release a table is."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels import releases
from stellarlabels.exceptions import InputError, ReleaseError
from stellarlabels.releases.found import ANOTHER


def with_coefficients(bp, rp, count=2, **others):
    return Table(
        {
            "source_id": np.arange(count),
            "bp_coefficients": np.ones((count, bp)),
            "rp_coefficients": np.ones((count, rp)),
            **{name: np.full(count, value) for name, value in others.items()},
        }
    )


class TestDeclarations:
    def test_numbers_of_the_data_models(self):
        dr3, dr4 = releases.get("Gaia DR3"), releases.get("dr4")
        assert (dr3.reference_epoch, dr4.reference_epoch) == (2016.0, 2017.5)
        assert dr3.coefficients == {"bp": 55, "rp": 55}
        assert dr4.coefficients == {"bp": 51, "rp": 55}
        assert dr3.basis_ids == {"bp": [56], "rp": [57]}
        assert dr4.datalink["continuous"] == "MEAN_SPECTRUM_XP"

    def test_what_is_not_confirmed_says_so_and_every_fact_has_a_source(self):
        for name in releases.available():
            for fact in releases.get(name).facts.values():
                assert fact.confirmed in (True, False)
                assert len(fact.source) > 5
        assert not releases.get("Gaia DR4").fact("reference_epoch").confirmed

    def test_what_nobody_knows_yet_is_an_error(self):
        with pytest.raises(ReleaseError, match="Gaia DR4: no parallax zero point .* Gaia DR3, Gaia EDR3"):
            _ = releases.get("Gaia DR4").parallax_zero_point

    def test_the_same_sources_fit(self):
        assert releases.get("Gaia DR3").fits("Gaia EDR3")
        assert not releases.get("Gaia DR3").fits("Gaia DR2")
        assert not releases.get("Gaia DR4").fits("Gaia DR3")

    def test_unknown_names_are_refused_with_those_that_there_are(self):
        with pytest.raises(InputError, match="expected one of .*Gaia DR3.* got 'Gaia DR9'"):
            releases.get("Gaia DR9")

    def test_data_files_that_are_named_are_there(self):
        from stellarlabels import packaged

        dr3 = releases.get("Gaia DR3")
        assert len(packaged.table("photometry", dr3.flux_excess)) > 0
        assert len(packaged.table("photometry", dr3.band_zero_points)) > 0
        assert [len(packaged.table("parallax", name)) > 0 for name in dr3.parallax_zero_point] == [True, True]

    def test_product_names_are_those_of_the_archives_client(self):
        gaia = pytest.importorskip("astroquery.gaia")
        known = set(gaia.conf.VALID_DATALINK_RETRIEVAL_TYPES)
        for name in ("Gaia DR3", "Gaia DR4"):
            assert set(releases.get(name).datalink.values()) <= known


class TestFound:
    @pytest.mark.parametrize(
        ("table", "name"),
        [
            (with_coefficients(55, 55), "Gaia DR3"),
            (with_coefficients(51, 55), "Gaia DR4"),
            (with_coefficients(55, 55, bp_basis_function_id=56, rp_basis_function_id=57), "Gaia DR3"),
            (with_coefficients(55, 55, bp_basis_function_id=156, rp_basis_function_id=157), ANOTHER),
            (with_coefficients(51, 55, bp_basis_function_id=156, rp_basis_function_id=157), "Gaia DR4"),
            (with_coefficients(55, 55, rp_basis_function_id=157), ANOTHER),
            (Table({"designation": ["Gaia DR4 12", "Gaia DR4 13"]}), "Gaia DR4"),
            (Table({"DESIGNATION": [b"Gaia DR2 12", b"Gaia DR2 13"]}), "Gaia DR2"),
            (Table({"solution_id": np.full(2, 1636148068921376768)}), "Gaia DR3"),
            (Table({"release": ["gaia dr3", "Gaia_DR3"]}), "Gaia DR3"),
            (QTable({"source_id": [1, 2]}, meta={"release": "Gaia FPR"}), "Gaia FPR"),
            (Table({"source_id": [1, 2]}), ""),
            (Table({"release": ["LAMOST DR7", "DR3"]}), ""),
            (Table({"release": ["DR4", "gdr4"], "source_id": [1, 2]}), "Gaia DR4"),
            (Table({"release": ["DR4", "DR4"], "source_id": [1, 2], "obsid": [3, 4]}), ""),
            (Table({"source_id": [1, 2]}, meta={"release": "DR4"}), "Gaia DR4"),
            (Table({"source_id": [1, 2]}, meta={"release": "Gaia DR5"}), ANOTHER),
            (Table({"designation": ["Gaia DR1 12", "Gaia DR11 13"]}), ANOTHER),
            (Table({"source_id": [1, 2], "ref_epoch": [2017.5, 2017.5]}), "Gaia DR4"),
            (Table({"source_id": [1, 2], "REF_EPOCH": np.float32([2015.5, 2015.5])}), "Gaia DR2"),
            (QTable({"source_id": [1, 2], "ref_epoch": [2016.0, 2016.0] * u.yr}), "Gaia DR3"),
            (Table({"source_id": [1, 2], "ref_epoch": [2000.0, 1991.25]}), ""),
            (Table({"dr4_source_id": [1, 2]}), "Gaia DR4"),
            (Table({"gaiadr4": [1, 2]}), "Gaia DR4"),
            (Table({"dr2_source_id": [1, 2]}), ""),
            (Table({"dr3_source_id": [1, 2], "dr4_source_id": [1, 2]}), ""),
            (Table({"source_id": [1, 2], "dr2_source_id": [1, 2]}), ""),
        ],
    )
    def test_by_each_hint(self, table, name):
        found = releases.of(table)
        assert found.names.tolist() == [name] * len(table)
        assert found.unknown.all() == (name == "")

    def test_spectra_know_better_than_words(self):
        assert releases.of(with_coefficients(51, 55), "Gaia DR3").all == ["Gaia DR4"]
        table = with_coefficients(55, 55, bp_basis_function_id=156)
        assert releases.of(table, "Gaia DR3").all == [ANOTHER]
        assert releases.of(table, "Gaia DR4").all == [ANOTHER]  # DR4 has no spectra with 55 of BP

    def test_the_argument_knows_better_than_the_table(self):
        table = Table({"designation": ["Gaia DR3 1"]}, meta={"release": "Gaia DR2"})
        assert releases.of(table).all == ["Gaia DR2"]
        assert releases.of(table, "DR4").all == ["Gaia DR4"]

    def test_cells_of_any_kind(self):
        cells = np.empty(4, dtype=object)
        cells[:] = [np.ones(51), str(tuple(range(51))), None, np.ones(40)]
        table = Table({"bp_coefficients": cells, "rp_coefficients": np.ones((4, 55))})
        assert releases.of(table).names.tolist() == ["Gaia DR4", "Gaia DR4", "", ""]

    def test_a_missing_band_does_not_hide_the_other(self):
        bp = MaskedColumn([56, 0], mask=[True, False])
        table = Table({"bp_basis_function_id": bp, "rp_basis_function_id": [57, 57]})
        assert releases.of(table).names.tolist() == ["Gaia DR3", "Gaia DR3"]

    def test_no_rows(self):
        assert releases.of(with_coefficients(55, 55, 0)).names.shape == (0,)


class TestRequire:
    def test_a_mixture_is_told_by_rows(self):
        table = Table({"designation": ["Gaia DR3 1", "Gaia DR4 2", "Gaia DR4 3", ""]})
        with pytest.raises(ReleaseError, match=r"1 rows of Gaia DR3 .*2 rows of Gaia DR4.*first is row 1") as caught:
            releases.require(table, "Gaia DR3")
        assert "release='ignore'" in str(caught.value)
        found, other = releases.require(table, "Gaia DR3", "ignore")
        assert other.tolist() == [False, True, True, False]
        assert found.unknown.tolist() == [False, False, False, True]

    def test_the_metadata_may_say_ignore(self):
        table = with_coefficients(51, 55)
        table.meta["release"] = "ignore"
        assert releases.require(table, "Gaia DR3")[1].all()

    def test_the_message_says_what_was_found(self):
        with pytest.raises(ReleaseError, match="expected stars of Gaia DR3.*Gaia DR4.*51 of BP, 55 of RP"):
            releases.require(with_coefficients(51, 55), "Gaia DR3")
        with pytest.raises(ReleaseError, match="bp_basis_function_id is 156"):
            releases.require(with_coefficients(55, 55, bp_basis_function_id=156), "Gaia DR3")

    def test_unknown_and_fitting_releases_pass(self):
        for table in (Table({"source_id": [1]}), Table({"designation": ["Gaia EDR3 1"]})):
            assert not releases.require(table, "Gaia DR3")[1].any()
