"""A student says what its teacher says, with errors that are as large as it is wrong, and knows where it comes from."""

import numpy as np
import pytest
from astropy.table import QTable

from stellarlabels import UACSNet, UncertainNet, load
from stellarlabels.cli import main
from stellarlabels.exceptions import InputError, NotFittedError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.labels import robust_scatter
from stellarlabels.labels.domain import TrainingStars

pytestmark = pytest.mark.slow

SMALL = {"epochs": 10, "batch_size": 64, "network_options": {"width": 64, "blocks": 1, "components": 30}}


@pytest.fixture(scope="module")
def stars():
    return QTable(xp_apogee_sample())


@pytest.fixture(scope="module")
def teacher():
    return UncertainNet.pretrained("apogee").fewer(1)


@pytest.fixture(scope="module")
def student(teacher, stars):
    return teacher.distil(stars[:500], copies=24, validation=0.2, progress=False, **SMALL)


def plain(column):
    return np.asarray(column.filled(np.nan).value if hasattr(column, "filled") else column.value, float)


def test_it_says_what_the_teacher_says(teacher, student, stars):
    """Of stars that it has seen no copies of, though it has learned from few stars and for seconds."""
    own, others = student.predict(stars[500:]), teacher.predict(stars[500:])
    for label, most in (("teff", 200), ("logg", 0.5), ("feh", 0.4)):
        assert robust_scatter(plain(own[label]) - plain(others[label])) < most


def test_its_errors_say_how_far_off_it_is(teacher, student, stars):
    """Against labels that differ from the teacher's by the teacher's errors, as far as so few stars can tell."""
    rng, own, others = np.random.default_rng(0), student.predict(stars[500:]), teacher.predict(stars[500:])
    for label in student.labels:
        error = plain(others[f"{label}_err"])
        pull = plain(own[label]) - plain(others[label]) - error * rng.normal(size=error.shape)
        assert 0.7 < robust_scatter(pull / plain(own[f"{label}_err"])) < 1.6


def test_three_terms(student, stars):
    labels = student.predict(stars[:20])
    for label in student.labels:
        terms = [plain(labels[f"{label}_err_{term}"]) for term in ("model", "input", "excess")]
        assert (np.min(terms) > 0) and np.isfinite(terms).all()
        np.testing.assert_allclose(np.sqrt(np.sum(np.square(terms), axis=0)), plain(labels[f"{label}_err"]), rtol=1e-5)


def test_it_goes_alone(teacher, student, stars, agree, tmp_path):
    """The file has no teacher in it, but names it; where labels hold travels along."""
    student.save(tmp_path / "student.stellarlabels", dtype="float16")
    again = load(tmp_path / "student.stellarlabels")
    assert again.recipe.ensemble == 1
    told = again.provenance_["student"]
    assert told["teacher"] == teacher.weights_
    assert told["left_out_of_each_network"] == [100]
    assert set(told["scatter_about_teacher_in_errors"]) == set(student.labels)
    assert again.domain.labels == teacher.domain.labels
    before, after = student.predict(stars[:50]), again.predict(stars[:50])
    for label in student.labels:
        moved = (plain(after[label]) - plain(before[label])) / plain(before[f"{label}_err"])
        assert np.nanmax(np.abs(moved)) < 0.05
    with pytest.raises(InputError, match="that of a student; use distil"):
        again.fit(stars[:50], progress=False)


def test_of_a_mixture(stars):
    """Networks with a mean and an error each: the student has the error of all of them together."""
    teacher = UACSNet.pretrained("apogee").fewer(2)
    student = teacher.distil(stars[:500], copies=16, networks=2, progress=False, **SMALL)
    assert student.recipe.ensemble == 2
    assert len(student.ensemble.members) == 2
    own, others = student.predict(stars[500:]), teacher.predict(stars[500:])
    assert robust_scatter(plain(own["teff"]) - plain(others["teff"])) < 150
    assert np.isfinite(plain(own["m_g_dimmed"])).mean() > 0.95


def test_it_begins_as_a_network_of_the_teacher(teacher, stars):
    """Before it has learned anything it says what that says, if it has the same layers."""
    few = {"copies": 1, "validation": 0.5, "epochs": 1, "learning_rate": 1e-9, "progress": False}
    features = teacher.feature_set.compute(stars[100:150])
    same = teacher.distil(stars[:60], **few)
    np.testing.assert_allclose(same.ensemble.said(features)[0], teacher.ensemble.said(features)[0], atol=1e-3)
    other = teacher.distil(stars[:60], **few, network_options={**same.recipe.network_options, "width": 32})
    assert np.abs(other.ensemble.said(features)[0] - teacher.ensemble.said(features)[0]).max() > 0.5


@pytest.mark.parametrize("known", [slice(60), slice(300, None)])
def test_new_stars_calibrate_with_their_labels(stars, known, monkeypatch):
    """Not those that the teacher has seen: these would make errors too small."""
    teacher, called = UncertainNet.pretrained("apogee").fewer(1), []
    teacher.training_stars = TrainingStars.of(stars[known], np.arange(len(stars[known])))
    monkeypatch.setattr(type(teacher.ensemble), "calibrate", lambda *given: called.append(callable(given[3])))
    small = {"epochs": 1, "network_options": {"width": 8, "blocks": 1, "components": 8}}
    teacher.distil(stars[:60], copies=1, validation=0.5, progress=False, **small)
    assert called == [known.start is None]


def test_mixtures_have_the_noise_of_both(teacher, stars):
    """Covariances of a sum of independent stars: shares squared."""
    features = teacher.feature_set.compute(stars[:40])
    first, second = features[:20], features[20:]
    mixed = first.mixed(second, 0.25)
    for name in ("bp_covariance", "other_covariance"):
        wanted = 0.75**2 * first.arrays[name].astype(float) + 0.25**2 * second.arrays[name]
        np.testing.assert_allclose(mixed.arrays[name], wanted, rtol=1e-5)
    wanted = 0.75 * first.arrays["coefficients"].astype(float) + 0.25 * second.arrays["coefficients"]
    np.testing.assert_allclose(mixed.arrays["coefficients"], wanted, rtol=1e-5, atol=1e-6)
    lacking = np.isnan(second.arrays["others"]) & np.isfinite(first.arrays["others"])
    assert lacking.any()
    np.testing.assert_array_equal(mixed.arrays["others"][lacking], first.arrays["others"][lacking])


def test_colors_that_are_left_out(teacher, stars):
    features = teacher.feature_set.compute(stars[:4])
    mask = np.zeros((4, 6), bool)
    mask[1, 5] = mask[2, 0] = True
    left = features.without(mask)
    np.testing.assert_array_equal(np.isnan(left.arrays["others"]), np.isnan(features.arrays["others"]) | mask)
    assert not left.arrays["other_covariance"][1, 5].any()
    assert not left.arrays["other_covariance"][2, :, 0].any()
    np.testing.assert_array_equal(left.arrays["other_covariance"][3], features.arrays["other_covariance"][3])


def test_what_it_needs(teacher, stars):
    with pytest.raises(NotFittedError, match="fit"):
        UncertainNet().distil(stars)
    with pytest.raises(InputError, match="at least 26 rows"):
        teacher.distil(stars[:10])
    with pytest.raises(InputError, match="copies: expected a whole number"):
        teacher.distil(stars[:60], copies=0)
    with pytest.raises(InputError, match="no such hyper-parameter: widths"):
        teacher.distil(stars[:60], widths=3)


def test_training_stars_are_those_of_both(stars):
    before = TrainingStars.of(stars, np.arange(100))
    both = TrainingStars.joined(before, stars, np.arange(80, 150))
    assert both.has(stars[:150]).all()
    assert both.stars == 150
    assert both.has(stars[150:]).mean() < 0.05
    assert TrainingStars.joined(before, stars, np.arange(50)) is before
    assert before.has(stars[100:]).mean() < 0.05


def test_the_verb(stars, tmp_path, capsys):
    stars[:80].write(tmp_path / "stars.ecsv")
    path = tmp_path / "student.stellarlabels"
    arguments = ["distil", "uncertain", str(tmp_path / "stars.ecsv"), "-o", str(path), "--copies", "1", "--epochs", "1"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "scatter about the labels of the" in said
    assert load(path).provenance_["student"]["copies"] == 1
