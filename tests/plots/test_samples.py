"""Histograms, what samples have in common, and values over any plane: counts are checked against NumPy and sets."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Column, QTable
from matplotlib.patches import Circle, Polygon

from stellarlabels import plots
from stellarlabels.exceptions import InputError, MissingColumnError


def heights(patch):
    """Heights of the bars of a histogram that is drawn as steps, and its edges."""
    x, y = patch.get_xy().T
    return y[1:-1:2], np.unique(x)


def test_distribution_of_two_samples(few, ax):
    labels, reference = few
    plots.distribution({"ours": labels, "APOGEE": reference}, "feh", bins=20, range=(-2, 0), ax=ax)
    steps = [patch for patch in ax.patches if isinstance(patch, Polygon)]
    for patch, table in zip(steps, (labels, reference), strict=True):
        wanted, edges = np.histogram(table["feh"].value, 20, (-2, 0))
        found = heights(patch)
        np.testing.assert_array_equal(found[0], wanted)
        np.testing.assert_allclose(found[1], edges)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ours (800)", "APOGEE (800)"]
    outside = sum(((table["feh"].value < -2) | (table["feh"].value > 0)).sum() for table in few)
    assert ax.artists[0].txt.get_text() == f"1,600 stars, {outside} outside"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("[Fe/H] (dex)", "stars")


def test_distribution_as_a_density_and_without_values(few, ax):
    labels = few[0].copy()
    labels["teff"][::2] = np.nan * u.K
    plots.distribution(labels, "teff", density=True, bins=30, ax=ax)
    found, edges = heights(ax.patches[0])
    assert (found * np.diff(edges)).sum() == pytest.approx(1)
    assert ax.artists[0].txt.get_text() == "400 stars" and ax.get_legend() is None
    ax.clear()
    labels["teff"] = np.nan * u.K
    plots.distribution(labels, "teff", density=True, ax=ax)
    assert ax.artists[0].txt.get_text() == "no star has a value"
    with pytest.raises(MissingColumnError):
        plots.distribution(labels, "parallax", ax=ax)


def numbers(ax):
    return {text.get_text(): text.get_position() for text in ax.texts}


def test_venn_of_two(ax):
    plots.venn({"a": np.arange(100), "b": np.arange(70, 75)}, ax=ax)
    found = numbers(ax)
    assert set(found) == {"a\n100", "b\n5", "95", "5", "0"}
    assert found["95"][0] < found["5"][0] < found["0"][0]


def test_venn_of_three_from_membership(ax):
    """Each number is inside the circles that it is of, and in no other."""
    member = (np.arange(2000)[:, None] >> np.arange(3) & 1).astype(bool)  # all parts, of different size
    member[:40], member[40:90] = [True, False, True], [False, True, False]
    samples = dict(zip(("no parallax", "poor parallax", "no GSP-Phot"), member.T, strict=True))
    plots.venn(samples, ax=ax)
    circles = [patch for patch in ax.patches if isinstance(patch, Circle) and patch.get_fill()]
    texts = [text for text in ax.texts if "\n" not in text.get_text()]
    assert len(circles) == 3 and len(texts) == 7
    for text in texts:
        at = np.array(text.get_position())
        inside = np.array([np.hypot(*(at - circle.center)) < circle.radius for circle in circles])
        assert text.get_text() == f"{(member == inside).all(axis=1).sum():,}"
    assert {text.get_text() for text in ax.texts} >= {f"{key}\n{one.sum():,}" for key, one in samples.items()}


def test_venn_of_four(ax):
    with pytest.raises(InputError, match="samples: expected two or three, got 4"):
        plots.venn({name: [1] for name in "abcd"}, ax=ax)


def test_values_over_the_plane_of_two_colors(ax):
    """Abundance is ten times the second color: so is its mean in each cell."""
    random = np.random.default_rng(1)
    blue, red = random.uniform(0, 1, 3000), random.uniform(0, 0.1, 3000)
    table = QTable({"mg_fe": 10 * red * u.dex})
    x, y = Column(blue, name="BP-RP", unit="mag"), Column(red, name="BP-J0515", unit="mag")
    options = {"bins": 5, "range": ((0, 1), (0, 0.1))}
    plots.value_map(table, x, y, "mg_fe", statistic="mean", ax=ax, **options)
    (mesh,) = (part for part in ax.collections if part.get_rasterized())
    image = np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan).reshape(5, 5)
    np.testing.assert_allclose(image, np.tile(np.arange(0.1, 1, 0.2)[:, None], 5), atol=0.03)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$G_{\rm BP} - G_{\rm RP}$ (mag)", "BP-J0515 (mag)")
    assert ax.figure.axes[-1].get_ylabel() == "mean [Mg/Fe] (dex)"


def test_counts_and_errors_over_magnitude_and_metallicity(few, ax):
    labels, _ = few
    plots.value_map(labels, "phot_g_mean_mag", "feh", bins=4, ax=ax)
    assert ax.figure.axes[-1].get_ylabel() == "stars per cell"
    ax.figure.clear()
    ax = ax.figure.add_subplot()
    plots.value_map(labels, "phot_g_mean_mag", "feh", "feh_err", bins=4, least=10_000, ax=ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$G$ (mag)", "[Fe/H] (dex)")
    assert ax.figure.axes[-1].get_ylabel() == "median error of [Fe/H] (dex)"
    (mesh,) = (part for part in ax.collections if part.get_rasterized())
    assert np.ma.getmaskarray(np.ma.asarray(mesh.get_array())).all()  # no cell has so many
