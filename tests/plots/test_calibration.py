"""Figures of the honesty of errors: right errors look right, wrong ones wrong."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from scipy import stats

from stellarlabels import plots
from stellarlabels.plots.style import CYCLE
from stellarlabels.tables import quality
from stellarlabels.validation.references import condition


def bars(ax):
    """Heights and edges of the histogram."""
    patch = next(patch for patch in ax.patches if type(patch).__name__ == "StepPatch")
    return patch.get_data()[:2]


def test_pulls_of_right_errors_follow_the_gaussian(many, ax, pixels, ink):
    plots.pull_histogram(*many, "feh", ax=ax)
    height, edges = bars(ax)
    middle = 0.5 * (edges[1:] + edges[:-1])
    np.testing.assert_allclose(height[1:-1], stats.norm.pdf(middle)[1:-1], atol=0.02)
    assert ax.get_xlabel() == "pull of [Fe/H] (residual / error)" and ax.get_ylabel() == "density"
    image = pixels(ax)
    width = image.shape[1]
    core, wings = image[:, int(0.45 * width) : int(0.55 * width)], image[:, : int(0.15 * width)]
    blue = tuple(0.8 * np.array([0, 0x72, 0xB2]) / 255 + 0.2)
    assert ink(core, blue) > 0.5 and ink(wings, blue) < 0.02


def test_pulls_of_errors_that_are_too_small_are_wide(make_stars, ax):
    plots.pull_histogram(*make_stars(5000, honesty=0.5), "feh", ax=ax)
    text = ax.artists[0].txt.get_text()
    assert float(text.split()[1].rstrip(",")) == pytest.approx(2, abs=0.1)
    height, edges = bars(ax)
    assert height[19:21].mean() == pytest.approx(stats.norm.pdf(0) / 2, rel=0.15)


@pytest.mark.parametrize(("honesty", "shape"), [(1.0, "flat"), (0.5, "ends"), (2.0, "middle")])
def test_pit(make_stars, ax, honesty, shape):
    plots.pit_histogram(*make_stars(8000, honesty=honesty), "teff", ax=ax)
    height, edges = bars(ax)
    assert (len(edges), height.mean()) == (21, pytest.approx(1))
    ends, middle = height[[0, -1]].mean(), height[8:12].mean()
    found = "flat" if abs(ends - middle) < 0.25 else "ends" if ends > middle else "middle"
    assert found == shape
    assert ax.get_xlabel() == r"PIT of $T_{\rm eff}$"


@pytest.mark.parametrize(("honesty", "sign"), [(1.0, 0), (0.5, -1), (2.0, 1)])
def test_reliability(make_stars, ax, honesty, sign):
    plots.reliability_curve(*make_stars(8000, honesty=honesty), "logg", ax=ax)
    line = next(line for line in ax.lines if line.get_label() == "stars")
    off = line.get_ydata() - line.get_xdata()
    assert np.sign(np.where(np.abs(off) < 0.03, 0, off)[9]) == sign
    expected = 2 * stats.norm.cdf(honesty * stats.norm.ppf(0.5 + line.get_xdata() / 2)) - 1
    np.testing.assert_allclose(line.get_ydata(), expected, atol=0.025)
    bold = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
    assert bold == {1: ["errors too large"], -1: ["errors too small"], 0: []}[sign]
    assert {text.get_text() for text in ax.texts} == {"errors too large", "errors too small"}


def test_errors_against_magnitude(make_stars, ax, pixels, ink):
    labels, reference = make_stars(3000, honesty=0.5)
    plots.errors_along(labels, "feh", reference=reference, ax=ax)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(lines["predicted, median"], 0.04)
    np.testing.assert_allclose(lines["observed scatter"], 0.08, rtol=0.3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$G$ (mag)", "error of [Fe/H] (dex)")
    image = pixels(ax)
    assert ink(image, CYCLE[1]) > 0.003 and ink(image, "black") > 0.003


def test_one_wild_error_does_not_stretch_the_axis(few, ax):
    labels = few[0][:33].copy()
    labels["feh_err"][5] = 16 * labels["feh_err"].unit
    plots.errors_along(labels, "feh", ax=ax)
    assert ax.get_ylim()[1] < 1
    assert ax.artists[0].txt.get_text() == "33 stars, 1 outside"


def test_without_errors_there_is_a_sentence(few, ax):
    labels, reference = few
    labels = labels[["source_id", "feh"]]
    for function in (plots.pull_histogram, plots.pit_histogram, plots.reliability_curve):
        ax.clear()
        function(labels, reference, "feh", ax=ax)
        assert any("no star" in child.txt.get_text() for child in ax.artists)


def test_terms_of_errors(make_stars, ax):
    """The term of the input grows with magnitude and passes that of the model at G = 13."""
    labels, _ = make_stars(3000)
    g = labels["phot_g_mean_mag"].value
    labels["feh_err_model"], labels["feh_err_input"] = np.full(3000, 0.03) * u.dex, (g - 10) * 0.01 * u.dex
    plots.errors_along(labels, "feh", terms=True, ax=ax)
    lines = {line.get_label(): line for line in ax.lines}
    assert set(lines) == {"predicted, median", "model term", "input term"}
    at, term = lines["input term"].get_data()
    np.testing.assert_allclose(term, (at - 10) * 0.01, atol=2e-3)
    np.testing.assert_allclose(lines["model term"].get_ydata(), 0.03)


def test_what_each_cut_costs(ax):
    """Of 10 stars one is too faint and the magnitude of two is not known; 2 of the other 7 are hot."""
    table = QTable({"teff": np.array([5000.0] * 5 + [8000.0] * 5) * u.K})
    table["phot_g_mean_mag"] = np.array([12.0] * 7 + [19.0] + [np.nan] * 2) * u.mag
    cuts = [condition("phot_g_mean_mag < 18"), condition("teff < 7000")]
    steps = quality.waterfall(table, quality.CutSet("made", cuts))
    plots.cut_waterfall(steps, ax=ax)
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == [10, 7, 5, 0, 1, 2, 0, 2, 0]  # left, taken, not to be judged
    assert [text.get_text() for text in ax.texts] == ["10", "7", "5"]
    assert [tick.get_text() for tick in ax.get_yticklabels()][0] == "all"
    assert ax.get_ylim()[0] > ax.get_ylim()[1] and ax.get_xlim()[1] == 10
