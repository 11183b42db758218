"""Corrections that hold for one release of Gaia are not applied to another."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import flags
from stellarlabels.corrections.parallax import correct_parallax, zero_point
from stellarlabels.corrections.photometry import correct_flux_excess, magnitudes
from stellarlabels.exceptions import ReleaseError


def stars(name=None, **more):
    """Two stars with astrometry and photometry, of the release of that name."""
    numbers = {
        "parallax": [2.0, -0.5] * u.mas,
        "parallax_error": [0.1, 0.2] * u.mas,
        "phot_g_mean_mag": [12.0, 15.0] * u.mag,
        "phot_bp_mean_mag": [12.5, 15.5] * u.mag,
        "phot_rp_mean_mag": [11.5, 14.5] * u.mag,
        "phot_bp_rp_excess_factor": [1.22, 1.23],
        "astrometric_params_solved": [31, 31],
        "nu_eff_used_in_astrometry": [1.5, 1.4] / u.um,
        "ecl_lat": [10.0, -30.0] * u.deg,
    }
    fluxes = {f"phot_{band}_mean_flux": [1000.0, 100.0] * u.electron / u.s for band in ("g", "bp", "rp")}
    named = {} if name is None else {"designation": [f"{name} 1", f"{name} 2"]}
    return QTable({**numbers, **fluxes, **named}, **more)


CORRECTIONS = {
    zero_point: "parallax zero point: not known for Gaia DR4, only for Gaia DR3, Gaia EDR3; leave the parallaxes",
    correct_parallax: "parallax zero point: not known for Gaia DR4, only for Gaia DR3, Gaia EDR3; give correct=False",
    correct_flux_excess: "flux excess: not known for Gaia DR4, only for Gaia DR3, Gaia EDR3; give correct=False",
    magnitudes: "band zero points: not known for Gaia DR4, only for Gaia DR3, Gaia EDR3; take the archive's own",
}


@pytest.mark.parametrize("correct", CORRECTIONS)
class TestRefused:
    def test_by_name_with_the_way_out(self, correct):
        with pytest.raises(ReleaseError, match=CORRECTIONS[correct]):
            correct(stars("Gaia DR4"))
        with pytest.raises(ReleaseError, match=r"Gaia DR4 \(as release says\)"):
            correct(stars(), release="DR4")
        with pytest.raises(ReleaseError, match="not known for Gaia DR2"):
            correct(stars(meta={"release": "Gaia DR2"}))

    def test_one_star_is_enough(self, correct):
        both = vstack([stars("Gaia DR3"), stars("Gaia DR4")])
        with pytest.raises(ReleaseError, match=r"2 rows of Gaia DR3 .*, 2 rows of Gaia DR4"):
            correct(both)

    def test_ignoring_is_no_way_out(self, correct):
        with pytest.raises(ReleaseError):
            correct(stars("Gaia DR4"), release="ignore")

    @pytest.mark.parametrize("name", [None, "Gaia DR3", "Gaia EDR3", "Gaia FPR"])
    def test_those_with_the_sources_of_dr3_are_corrected(self, correct, name):
        found, expected = correct(stars(name)), correct(stars(), release="Gaia DR3")
        if correct is zero_point:
            assert (found == expected).all() and (found < 0).all()
        else:
            for column in expected.colnames:
                np.testing.assert_array_equal(found[column], expected[column])


def test_parallaxes_as_they_are():
    found = correct_parallax(stars("Gaia DR4"), correct=False)
    np.testing.assert_array_equal(found["parallax_corrected"].to_value(u.mas), [2.0, -0.5])
    np.testing.assert_allclose(found["parallax_over_error_corrected"], [20, -2.5], rtol=1e-15)
    assert found["parallax_zero_point"].to_value(u.mas).tolist() == [0, 0]
    assert [flags.decode(value, "parallax") for value in found["parallax_flag"]] == [["NOT_CORRECTED"]] * 2


def test_no_flux_excess():
    found = correct_flux_excess(stars("Gaia DR4"), correct=False)
    assert found["phot_bp_rp_excess_factor_corrected"].mask.all()
    assert [flags.decode(value, "photometry") for value in found["photometry_flag"]] == [["NOT_CORRECTED"]] * 2
