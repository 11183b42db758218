"""The closed form: against numerical integration, the published estimator, and its own invariants."""

import numpy as np
import pytest
from astropy import units as u
from astropy.utils.masked import Masked
from hypothesis import given, strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from stellarlabels.distances import DistancePDF, published_value
from stellarlabels.exceptions import ColumnUnitError, InputError, MissingUnitWarning

STARS = [
    (10.2, 4.83, 0.05, 0.0, 0.0),
    (15.0, 0.4, 0.2546, 0.6, 0.1),
    (19.5, 4.1, 0.8, -0.2, 0.3),
    (3.0, 6.0, 0.02, 0, 0),
]


def gaussian(star):
    """The Gaussian of the distance modulus as a function of d, as the paper writes it: in M = h(d)."""
    m, absolute, absolute_err, extinction, extinction_err = star
    sigma = np.hypot(absolute_err, extinction_err)

    def density(d):
        h = m - 5 * np.log10(d) + 5 - extinction
        derivative = 5 / (d * np.log(10))
        return derivative * np.exp(-0.5 * ((h - absolute) / sigma) ** 2) / np.sqrt(2 * np.pi) / sigma

    return density


def integral(f, low, high):
    cuts = np.geomspace(low, high, 40)
    return sum(quad(f, a, b, epsrel=1e-11, epsabs=0)[0] for a, b in zip(cuts[:-1], cuts[1:], strict=True))


@pytest.mark.parametrize("star", STARS)
def test_closed_form_equals_numerical_integration(star):
    density, pdf = gaussian(star), DistancePDF(*star)
    median = 10 ** ((star[0] - star[1] - star[3]) / 5 + 1)
    low, high = median / 300, median * 300
    assert pdf.median.to_value(u.pc) == pytest.approx(median, rel=1e-12)
    assert integral(density, low, high) == pytest.approx(1, abs=1e-9)
    assert pdf.mean.to_value(u.pc) == pytest.approx(integral(lambda d: d * density(d), low, high), rel=1e-6)
    for p in (0.001, 0.16, 0.5, 0.84, 0.999):
        assert integral(density, low, pdf.quantile(p).value) == pytest.approx(p, abs=1e-6)
    d = np.geomspace(low, high, 50)
    np.testing.assert_allclose(pdf.pdf(d * u.pc).value, density(d), rtol=1e-10, atol=1e-300)
    best = minimize_scalar(
        lambda x: -density(x), bounds=(median / 5, median * 2), method="bounded", options={"xatol": 1e-7}
    )
    assert pdf.mode.value == pytest.approx(best.x, rel=1e-6)


def test_mode_of_the_solardis_paper_is_a_little_smaller_than_the_median():
    # The published code: argmax of p(d) in 0 to 10 kpc with sigma_M = 0.2546 for every star.
    pdf = DistancePDF([12.0, 14.0, 18.0, 22.0], [4.8, 4.0, 4.0, 4.0], published_value("solardis_m_g_err"))
    np.testing.assert_allclose(pdf.solardis_mode() / pdf.median, 0.9863, atol=1e-4)
    clipped = pdf.solardis_mode(clipped=True)
    for index, (m, absolute) in enumerate([(12.0, 4.8), (14.0, 4.0), (18.0, 4.0), (22.0, 4.0)]):
        density = gaussian((m, absolute, 0.2546, 0, 0))
        best = minimize_scalar(lambda d, f=density: -f(d), bounds=(0, 10000), method="bounded")
        assert clipped[index].value == pytest.approx(best.x, rel=2e-6)
    assert pdf.solardis_mode()[3] > 30 * u.kpc


@given(
    m=st.floats(-5, 30),
    absolute=st.floats(-10, 20),
    sigma=st.floats(1e-3, 3),
    extinction=st.floats(-1, 10),
    p=st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=5, unique=True),
)
def test_order_and_inversion(m, absolute, sigma, extinction, p):
    pdf = DistancePDF(m, absolute, sigma, extinction)
    assert pdf.mode < pdf.median < pdf.mean
    p = np.sort(p)
    q = pdf.quantile(p)
    assert (np.diff(q.value) >= 0).all()
    assert (q > 0 * u.pc).all()
    # One magnitude fainter is 10^0.2 farther.
    assert float(DistancePDF(m + 1, absolute, sigma, extinction).quantile(p[0]) / q[0]) == pytest.approx(
        10**0.2, rel=1e-9
    )


def test_shapes_units_and_missing_values():
    m = Masked([10.0, 11.0, 12.0] * u.mag, mask=[False, True, False])
    pdf = DistancePDF(m, [4.0, 4.0, np.nan] * u.mag, 200 * u.mmag, extinction=0.1)
    assert pdf.shape == (3,)
    assert pdf.median.unit == u.pc
    np.testing.assert_array_equal(np.isnan(pdf.median.value), [False, True, True])
    np.testing.assert_array_equal(np.isnan(pdf.pdf([100, 100, -1] * u.pc).value), [False, True, True])
    assert pdf.quantile([0.1, 0.9]).shape == (2, 3)
    assert pdf.pdf(np.array([[0.1], [0.2]]) * u.kpc).shape == (2, 3)
    star = DistancePDF(10, 5, 0.1)
    assert star.shape == () and star.median.to_value(u.pc) == pytest.approx(100)
    assert star.quantile([[0.1, 0.5], [0.2, 0.3]]).shape == (2, 2)
    np.testing.assert_array_equal(star.pdf([-5, 0, np.inf] * u.pc).value, 0)
    assert star.quantile(0) == 0 * u.pc and np.isinf(star.quantile(1))
    assert star.pdf(0.1 * u.kpc).to_value(1 / u.kpc) == pytest.approx(1e3 * star.pdf(100 * u.pc).value)


def test_all_errors_add_in_quadrature():
    one = DistancePDF(10, 5, 0.13)
    three = DistancePDF(10, 5, 0.03, 0, 0.04, apparent_mag_err=0.12)
    np.testing.assert_allclose(one.quantile([0.1, 0.9]), three.quantile([0.1, 0.9]), rtol=1e-12)


def test_wrong_arguments():
    with pytest.raises(InputError, match="absolute_mag_err"):
        DistancePDF(10, 5, -0.1)
    with pytest.raises(InputError, match="positive error"):
        DistancePDF([10, 11], 5, [0.1, 0.0])
    with pytest.raises(InputError, match="broadcast"):
        DistancePDF([10, 11], [5, 5, 5], 0.1)
    with pytest.raises(ColumnUnitError, match="apparent_mag"):
        DistancePDF(10 * u.pc, 5, 0.1)
    with pytest.raises(InputError, match="p: expected"):
        DistancePDF(10, 5, 0.1).quantile(1.1)
    with pytest.warns(MissingUnitWarning, match="pc"):
        DistancePDF(10, 5, 0.1).pdf(100.0)
    assert np.isnan(DistancePDF(10, 5, np.inf).median)
