"""UncertainNet on held-out stars: three terms of the errors, calibration, and the numbers that are quoted."""

import json

import numpy as np
import pytest
from astropy import units as u

from stellarlabels import UncertainNet, flags
from stellarlabels.archive.readers import read_xp
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.networks import held_out
from stellarlabels.validation import compare


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()


@pytest.fixture(scope="module")
def system():
    return UncertainNet.pretrained("apogee")


def plain(column):
    return np.asarray(column.filled(np.nan).value if hasattr(column, "filled") else column.value, float)


def test_precision_on_the_sample(system, stars):
    """The sample's scatter is that of all held-out stars (in the metrics file) within its sampling error."""
    assert held_out(np.asarray(stars["source_id"])).all()
    metrics = UncertainNet.metrics("apogee")["measured"]["UncertainNet apogee"]["all"]
    for row in compare(system.predict(stars), stars):
        assert row["scatter"] == pytest.approx(metrics[row["label"]]["robust_scatter"], rel=0.25)
        assert 0.85 < row["pull_width"] < 1.18
        assert 0.61 < row["coverage"] < 0.75


def test_terms_add_up(system, stars):
    """Eq. 11 of the paper; and the diagonal of the covariance is the total."""
    labels = system.predict(stars[:50])
    covariance = system.covariance(stars[:50])
    for index, label in enumerate(system.labels):
        terms = [plain(labels[f"{label}_err_{term}"]) for term in ("model", "input", "excess")]
        total = plain(labels[f"{label}_err"])
        np.testing.assert_allclose(np.sqrt(sum(term**2 for term in terms)), total, rtol=1e-5)
        np.testing.assert_allclose(np.sqrt(covariance[:, index, index]), total, rtol=1e-5)
    assert np.linalg.eigvalsh(covariance / system.ensemble.scale / system.ensemble.scale[:, None]).min() > 0


def test_noise_moves_into_the_input_term(system, stars):
    """Flux errors three times as large: the input term grows, by at most a factor of three."""
    table = stars[:100]
    noisy = stars[:100]
    noisy["flux_error"] = 3 * noisy["flux_error"]
    few, many = (plain(system.predict(part)["feh_err_input"]) for part in (table, noisy))
    ratio = np.nanmedian(many / few)
    assert 1.2 < ratio < 3.05


def test_without_infrared_photometry_and_parallax(system, stars):
    """Flagged, and still labelled: all of them, with errors that do not shrink in the median."""
    bare = stars[["source_id", "flux", "flux_error", "phot_g_mean_mag"]]
    labels, full = system.predict(bare), system.predict(stars)
    for name in ("MISSING_PHOTOMETRY", "MISSING_PARALLAX"):
        assert flags.LABEL.has(labels["logg_flag"], name).all()
    assert np.isfinite(plain(labels["logg"])).all()
    residual = plain(labels["logg"]) - stars["logg"].value
    assert np.nanmedian(abs(residual)) < 0.3
    assert np.isfinite(plain(full["logg"])).all()


def test_archive_coefficients(system, real_data):
    """XP coefficients as the archive sends them, with their full correlations."""
    table = read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW.fits")
    labels = system.predict(table)
    np.testing.assert_array_equal(labels["source_id"], table["source_id"])
    assert (plain(labels["teff_err_input"]) > 0).all()
    without = read_xp(real_data / "gaia_xp" / "XP_CONTINUOUS_RAW_with_missing_BP.fits")
    labels = system.predict(without)
    lacking = flags.LABEL.has(labels["teff_flag"], "MISSING_BAND")
    assert lacking.any()
    np.testing.assert_array_equal(np.isnan(plain(labels["teff"])), lacking)


@pytest.mark.slow
def test_recalibration_is_recorded(stars, agree, tmp_path):
    options = {"epochs": 2, "ensemble": 1, "network_options": {"width": 16, "blocks": 1, "components": 10}}
    system = UncertainNet("apogee", calibrate=False, **options)
    with pytest.raises(NotFittedError, match="fit"):
        system.calibrate(stars)
    system.fit(stars[:200], progress=False)
    before = system.predict(stars[200:210])
    assert "calibration" not in system.provenance_
    with pytest.raises(InputError, match=r"\(1, 600\)"):
        system.calibrate(stars, np.ones(3, bool))
    system.calibrate(stars[200:])
    assert system.provenance_["calibration"]["noise"] == [0, 1, 4, 9]
    after = system.predict(stars[200:210])
    agree(after, before, ["teff"])
    assert (plain(before["teff_err"]) != plain(after["teff_err"])).all()
    system.save(tmp_path / "x.stellarlabels")
    again = UncertainNet.load(tmp_path / "x.stellarlabels").predict(stars[200:210])
    np.testing.assert_allclose(plain(again["teff_err"]), plain(after["teff_err"]), rtol=1e-5)


@pytest.mark.slow
def test_six_labels(stars):
    """The paper's labels, with carbon and nitrogen, when a table has them."""
    table = stars[:120]
    for name in ("c_fe", "n_fe"):
        table[name] = stars["alpha_m"][:120].value * u.dex
    labels = UncertainNet("paper", epochs=2, batch_size=60).fit(table, progress=False).predict(table[:5])
    assert {"c_fe_err_input", "n_fe_err_model", "alpha_m_err_excess"} <= set(labels.colnames)


def test_the_weights_are_a_student(system):
    """One network that says what four said, to a quarter of an error; 50 passes are not needed for its model term."""
    told = system.provenance_["student"]
    assert (system.recipe.ensemble, told["networks"]) == (1, 4) and system.recipe.student
    assert len(told["teacher"]) == 64
    assert max(told["scatter_about_teacher_in_errors"].values()) < 0.25
    assert UncertainNet().recipe.ensemble == 4  # fit() trains an ensemble as the teacher is


def test_quoted_scatter():
    """Held-out stars: far better than XGBoost, and no worse than UACSNet within what so many stars can tell."""
    metrics = UncertainNet.metrics("apogee")
    ours, boosted = (metrics["measured"][name]["all"] for name in ("UncertainNet apogee", "XGBoost"))
    for label, entry in metrics["scatter beside UACSNet"].items():
        assert ours[label]["robust_scatter"] < 0.7 * boosted[label]["robust_scatter"]
        assert entry["relative"] < 2 * entry["standard_error"]


def test_quoted_scatter_is_the_teachers():
    """Within 2 % of 45.205 K, 0.13169, 0.07689 and 0.02749, which the four networks that it has learned from reach."""
    ours = UncertainNet.metrics("apogee")["measured"]["UncertainNet apogee"]["all"]
    for label, most in (("teff", 45.205), ("logg", 0.13169), ("feh", 0.07689), ("alpha_m", 0.02749)):
        assert ours[label]["robust_scatter"] < 1.02 * most, label


def test_quoted_stars_outside():
    """Of stars hotter than 8000 K few are good and wrong, and few have a good [Fe/H]."""
    path = UncertainNet.weights_folder() / "uncertain-apogee-domain.json"
    found = json.loads(path.read_text(encoding="utf-8"))["hotter than 8000 K"]
    assert found["good teff, off by more than 3 sigma"]["share"] < 0.06
    assert found["good feh"]["share"] < 0.035


def test_faint_stars_are_not_of_another_kind():
    """Of stars as faint as Gaia's spectra go most have a good Teff; at G = 17 most a good [Fe/H]."""
    path = UncertainNet.weights_folder() / "uncertain-apogee-domain.json"
    found = json.loads(path.read_text(encoding="utf-8"))["inside"]
    for state in ("G = 16.0", "G = 17.0", "G = 17.6"):
        assert found[state]["teff"]["good"]["share"] > 0.92
    assert found["G = 17.0"]["feh"]["good"]["share"] > 0.7


def test_quoted_calibration():
    """Honest in each quartile of the S/N of spectra with added noise, within a standard error; not so without the input
    term.
    """
    for label, kinds in UncertainNet.metrics("apogee")["after noise"].items():
        groups = {name: entry for name, entry in kinds["all terms"].items() if not name.startswith("noise")}
        assert len(groups) == 5
        for group, entry in groups.items():
            error = entry["standard_error"]
            assert 0.95 - error <= entry["pull_width"] <= 1.05 + error, (label, group)
            assert 0.66 - error / 2 <= entry["coverage_68"] <= 0.70 + error / 2, (label, group)
        assert all(kinds["without the input term"][group]["pull_width"] > 1.2 for group in groups)


def test_metrics_are_of_these_weights(system):
    assert UncertainNet.metrics("apogee")["provenance"] == json.loads(json.dumps(system.provenance_))
