"""Labels worked out from others, with their errors."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels.exceptions import MissingColumnError
from stellarlabels.validation.derived import derived_label, with_labels


def table(**columns):
    return QTable({name: np.atleast_1d(np.asarray(value, float)) * u.dex for name, value in columns.items()})


def test_a_label_that_is_there_is_taken_as_it_is():
    value, error, source = derived_label(table(Fe_H=[0.1, np.nan], e_Fe_H=[0.02, 0.03]), "feh")
    np.testing.assert_array_equal(value, [0.1, np.nan])
    np.testing.assert_array_equal(error, [0.02, 0.03])
    assert source == "Fe_H"


@pytest.mark.parametrize(("given", "wanted", "sign"), [("mg_h", "mg_fe", -1), ("mg_fe", "mg_h", 1)])
def test_from_hydrogen_to_iron_and_back(given, wanted, sign):
    stars = table(**{given: 0.3, f"{given}_err": 0.04, "feh": -0.5, "feh_err": 0.03})
    value, error, source = derived_label(stars, wanted)
    assert value[0] == pytest.approx(0.3 - sign * 0.5) and error[0] == pytest.approx(0.05)
    assert source == f"{given} {'+' if sign > 0 else '-'} feh"


def test_alpha_with_all_three():
    stars = table(alpha_m=0.2, alpha_m_err=0.02, m_h=-1.0, m_h_err=0.03, feh=-1.1, feh_err=0.06)
    value, error, _ = derived_label(stars, "alpha_fe")
    assert value[0] == pytest.approx(0.3) and error[0] == pytest.approx(0.07)
    stars["alpha_fe"] = value * u.dex
    stars.remove_column("alpha_m")
    assert derived_label(stars, "alpha_m")[0][0] == pytest.approx(0.2)


def test_metallicity_of_an_alpha_enhanced_mixture():
    """Salaris et al. 1993: [alpha/Fe] = 0.3 raises [M/H] by log10(0.638 * 10^0.3 + 0.362) = 0.214."""
    stars = table(feh=[-1.5, -1.5], feh_err=[0.1, 0.1], alpha_fe=[0.3, 0.0], alpha_fe_err=[0.05, 0.0])
    value, error, _ = derived_label(stars, "m_h")
    np.testing.assert_allclose(value, [-1.286, -1.5], atol=1e-3)
    step = 1e-6
    shift = [np.log10(0.638 * 10 ** (0.3 + change) + 0.362) for change in (-step, step)]
    assert error[0] == pytest.approx(np.hypot(0.1, 0.05 * (shift[1] - shift[0]) / (2 * step)), rel=1e-6)
    alpha_m, alpha_error, _ = derived_label(stars, "alpha_m")
    np.testing.assert_allclose(alpha_m, stars["alpha_fe"].value - (value + 1.5), atol=1e-12)
    assert alpha_error[0] < 0.05


def test_errors_of_propagation_against_draws():
    random = np.random.default_rng(1)
    drawn = table(feh=random.normal(-1, 0.08, 200_000), alpha_fe=random.normal(0.25, 0.1, 200_000))
    expected = np.std(derived_label(drawn, "m_h")[0])
    one = table(feh=-1, feh_err=0.08, alpha_fe=0.25, alpha_fe_err=0.1)
    assert derived_label(one, "m_h")[1][0] == pytest.approx(expected, rel=0.01)


def test_an_error_that_is_missing_stays_missing():
    value, error, _ = derived_label(table(mg_h=0.1, feh=0.0, feh_err=0.1), "mg_fe")
    assert value[0] == pytest.approx(0.1) and np.isnan(error[0])


@pytest.mark.parametrize("name", ["mg_fe", "m_h", "alpha_m", "teff", "feh", "ca_h"])
def test_labels_that_cannot_be_had(name):
    stars = table(si_h=0.1)
    with pytest.raises(MissingColumnError, match=name):
        derived_label(stars, name)
    value, error, source = derived_label(stars, name, required=False)
    assert np.isnan(value).all() and np.isnan(error).all() and source == ""


def test_iron_and_metals_are_never_taken_for_each_other():
    assert derived_label(table(m_h=0.1), "feh", required=False)[2] == ""
    assert derived_label(table(feh=0.1), "m_h", required=False)[2] == ""


def test_columns_of_several_labels():
    stars = table(mg_h=[0.1, 0.2], feh=[0.0, np.nan], feh_err=[0.1, 0.1])
    out = with_labels(stars, ["feh", "mg_fe", "ca_fe"])
    assert list(out) == ["feh", "feh_err", "mg_fe"]
    assert out["mg_fe"].mask.tolist() == [False, True] and out["mg_fe"].unit == u.dex
