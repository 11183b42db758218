"""Absolute and pseudo-absolute magnitudes against the definitions and each other."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Distance
from hypothesis import given, strategies as st

from stellarlabels import distances as room
from stellarlabels.distances.pdf import absolute_from_pseudo, pseudo_from_absolute
from stellarlabels.exceptions import InputError, MissingUnitWarning


def test_the_sun():
    assert room.absolute_magnitude(-26.74, 1 * u.au).to_value(u.mag) == pytest.approx(4.83, abs=0.005)
    assert room.distance_modulus(10 * u.pc) == 0 * u.mag


def test_modulus_equals_that_of_astropy():
    d = np.geomspace(0.1, 1e6, 20) * u.pc
    np.testing.assert_allclose(room.distance_modulus(d), Distance(d).distmod, atol=1e-12)
    np.testing.assert_allclose(room.distance_from_modulus(Distance(d).distmod), d, rtol=1e-12)
    assert np.isnan(room.distance_modulus([0, -1, np.nan] * u.pc)).all()


@given(absolute=st.floats(-10, 20), modulus=st.floats(-5, 25), extinction=st.floats(0, 10))
def test_pseudo_and_absolute_magnitude_are_the_same_for_exact_parallaxes(absolute, modulus, extinction):
    distance = room.distance_from_modulus(modulus)
    apparent = absolute + modulus + extinction
    pseudo, error = room.pseudo_absolute_magnitude(apparent, (1 / distance.value) * u.arcsec, extinction=extinction)
    assert absolute_from_pseudo(pseudo).value == pytest.approx(absolute, abs=1e-9)
    assert pseudo_from_absolute(absolute).value == pytest.approx(pseudo.value, rel=1e-9)
    assert room.absolute_magnitude(apparent, distance, extinction=extinction).value == pytest.approx(absolute, abs=1e-9)
    assert error == 0 * u.mas


def test_pseudo_absolute_magnitude_of_parallaxes_of_both_signs():
    # Equations 3 and A1 with G_RP = 15: 10^(0.2 x 15) = 1000.
    value, error = room.pseudo_absolute_magnitude(15, [0.2, -0.2, 0.0] * u.mas, 0.05 * u.mas)
    np.testing.assert_allclose(value.to_value(u.mas), [200, -200, 0], atol=1e-12)
    np.testing.assert_allclose(error.to_value(u.mas), 50)
    np.testing.assert_array_equal(np.isnan(absolute_from_pseudo(value)), [False, True, True])
    # A magnitude error moves the value by its derivative.
    shifted, _ = room.pseudo_absolute_magnitude(15.001, 0.2 * u.mas)
    _, error = room.pseudo_absolute_magnitude(15, 0.2 * u.mas, apparent_mag_err=0.001)
    assert error.value == pytest.approx((shifted - value[0]).value, rel=1e-3)


def test_wrong_arguments():
    with pytest.warns(MissingUnitWarning, match="distance has no unit"):
        assert room.absolute_magnitude(10.0, 100.0).value == pytest.approx(5)
    with pytest.raises(InputError, match="apparent_mag_err"):
        room.pseudo_absolute_magnitude(15, 1 * u.mas, apparent_mag_err=-1)
    with pytest.raises(InputError, match="distance: .*mag"):
        room.distance_modulus(3 * u.mag)
