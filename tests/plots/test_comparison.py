"""Labels against references: what is drawn, where, and what the axes say."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from matplotlib import pyplot
from matplotlib.figure import Figure

from stellarlabels import plots
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.plots.style import CYCLE, density_map
from stellarlabels.validation import compare


def words(ax):
    """All texts in the corners of a panel."""
    return " ".join(child.txt.get_text() for child in ax.artists if hasattr(child, "txt"))


def test_one_to_one(few, ax, pixels, ink):
    labels, reference = few
    assert plots.one_to_one(labels, reference, "feh", ax=ax) is ax
    below = ax.figure.axes[-1]
    assert ax.get_ylabel() == "this catalog: [Fe/H] (dex)"
    assert below.get_xlabel() == "reference: [Fe/H] (dex)" and below.get_ylabel() == "residual (dex)"
    offsets = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_allclose(offsets, np.c_[reference["feh"].value, labels["feh"].value])
    row = compare(labels, reference, names=["feh"])[0]
    assert f"median {row['bias']:+.3g} dex" in words(ax) and f"scatter {row['scatter']:.3g} dex" in words(ax)
    image = pixels(ax)
    height, width = image.shape[:2]
    shares = np.linspace(0.1, 0.9, 81)
    on = [image[int((1 - part) * (height - 1)), int(part * (width - 1))] for part in shares]
    assert np.mean(np.min(on, axis=1) < 0.5) > 0.8  # stars or the line, all along the diagonal
    assert ink(image[-height // 3 :, -width // 3 :], "white") == 1  # and nothing far from it


def test_stars_are_colored_by_what_may_spoil_a_label(few, ax):
    """[Fe/H] against the reference, colored by its [alpha/M]."""
    labels, reference = few
    plots.one_to_one(labels, reference, "feh", shade="alpha_m", ax=ax)
    points = next(item for item in ax.collections if item.get_array() is not None)
    np.testing.assert_allclose(np.sort(points.get_array()), np.sort(reference["alpha_m"].value))
    assert any("alpha" in other.get_ylabel() for other in ax.figure.axes)


def test_the_residual_of_an_offset_is_off_zero(make_stars, ax, pixels, ink):
    labels, reference = make_stars(800, offset=5)
    plots.residual_along(labels, reference, "teff", "phot_g_mean_mag", ax=ax)
    assert ax.get_xlabel() == "$G$ (mag)" and ax.get_ylabel() == r"residual of $T_{\rm eff}$ (K)"
    assert "median +25" in words(ax) or "median +24" in words(ax)
    assert ax.get_ylim()[0] < 0
    line = next(line for line in ax.lines if line.get_label() == "median")
    np.testing.assert_allclose(line.get_ydata(), 250, atol=25)
    image = pixels(ax)
    low, high = ax.get_ylim()
    zero = int((1 - (0 - low) / (high - low)) * image.shape[0])
    assert ink(image[zero + 8 :], CYCLE[0], 0.25) < ink(image[: zero - 8], CYCLE[0], 0.25) / 10


def test_any_column_can_be_the_axis(few, ax):
    labels, reference = few
    labels = labels.copy()
    labels["airmass"] = np.linspace(1, 2, len(labels))
    plots.residual_along(labels, reference, "feh", "airmass", ax=ax)
    assert ax.get_xlabel() == "airmass"
    with pytest.raises(MissingColumnError, match="no_such"):
        plots.residual_along(labels, reference, "feh", "no_such", ax=ax)
    reference = reference.copy()
    reference["source_id"] = np.arange(len(reference)) + 10**9
    labels["source_id"] = np.arange(len(labels))
    with pytest.raises(InputError, match="none of its stars is in labels"):
        plots.residual_along(labels, reference[:5], "feh", "airmass", ax=ax)


def test_many_stars_are_a_density(many, ax, pixels):
    labels, reference = many
    plots.residual_along(labels, reference, "feh", "phot_g_mean_mag", ax=ax)
    assert len(ax.images) == 1
    counts = np.ma.filled(ax.images[0].get_array(), 0)
    x, y = labels["phot_g_mean_mag"].value, (labels["feh"] - reference["feh"]).value
    inside = [(values >= ends[0]) & (values <= ends[1]) for values, ends in ((x, ax.get_xlim()), (y, ax.get_ylim()))]
    assert counts.sum() == np.logical_and(*inside).sum() > 19_900
    assert f"{20_000 - int(counts.sum())} outside" in words(ax)
    image, darkest = pixels(ax), density_map()(1.0)[:3]
    assert np.abs(image - darkest).max(axis=2).min() < 0.1  # the fullest cells have the darkest color


def test_outliers_do_not_stretch_the_panel(few, ax):
    labels, reference = few[0].copy(), few[1]
    labels["feh"][0] = 50 * labels["feh"].unit
    plots.residual_along(labels, reference, "feh", "phot_g_mean_mag", ax=ax)
    assert ax.get_ylim()[1] < 1.5 and "1 outside" in words(ax)


def test_panels(few):
    labels, reference = few
    figure = plots.residual_panels(labels, reference, figure=Figure(figsize=(9, 6), layout="constrained"))
    assert [ax.get_xlabel() for ax in figure.axes] == [
        r"reference: $T_{\rm eff}$ (K)", r"reference: $\log g$ (dex)", "reference: [Fe/H] (dex)",
        r"reference: [$\alpha$/M] (dex)",
    ]  # fmt: skip
    assert all("800 stars" in words(ax) for ax in figure.axes)


def test_no_star_in_both(few, ax):
    labels, reference = few[0].copy(), few[1]
    labels["feh"] = np.full(len(labels), np.nan) * labels["feh"].unit
    plots.one_to_one(labels, reference, "feh", ax=ax)
    assert words(ax) == "no star has both values"


def test_pairwise_matrix(few, make_stars):
    first, second = few[0], few[1][100:]
    third = make_stars(800, seed=2)[0]
    third["feh"] = np.full(800, -1.0) * first["feh"].unit
    figure = plots.pairwise_matrix(
        {"ours": first, "theirs": second, "other": third}, "feh", figure=Figure(figsize=(7, 7), layout="constrained")
    )
    axes = np.reshape(figure.axes, (3, 3))
    text = axes[0, 1].texts[0].get_text()
    residual = (first["feh"][100:] - second["feh"]).value
    assert text.startswith(f"{np.median(residual):+.3g}") and "700 stars" in text
    assert axes[2, 0].get_xlabel() == "ours\n[Fe/H] (dex)" and axes[2, 0].get_ylabel() == "other\n[Fe/H] (dex)"
    np.testing.assert_allclose(np.asarray(axes[2, 0].collections[0].get_offsets())[:, 1], -1)
    assert sum(patch.get_height() for patch in axes[1, 1].patches) == 700
    with pytest.raises(InputError, match="two tables or more, got QTable"):
        plots.pairwise_matrix({"ours": first}, "feh")


def test_a_matrix_of_labels_and_reference(few):
    labels, reference = few
    figure = plots.pairwise_matrix(labels, reference, figure=Figure(figsize=(5, 5), layout="constrained"))
    axes = np.reshape(figure.axes, (2, 2))
    assert axes[1, 0].get_xlabel().startswith("labels\n") and axes[1, 0].get_ylabel().startswith("reference\n")
    assert "800 stars" in axes[0, 1].texts[0].get_text()
    named = plots.pairwise_matrix(labels, reference, "feh", figure=Figure(figsize=(5, 5), layout="constrained"))
    assert np.reshape(named.axes, (2, 2))[1, 0].get_xlabel() == "labels\n[Fe/H] (dex)"


def test_a_matrix_of_one_table_is_refused_before_a_figure_is_made():
    table = QTable({"source_id": [1, 2], "teff": [5000.0, 6000.0] * u.K})
    before = pyplot.get_fignums()
    with pytest.raises(InputError, match="got QTable, NoneType; for instance pairwise_matrix"):
        plots.pairwise_matrix(table)
    with pytest.raises(InputError, match="the tables have none in common"):
        plots.pairwise_matrix(table, QTable({"source_id": [1, 2], "feh": [0.0, 1.0]}))
    assert pyplot.get_fignums() == before


def test_one_wild_star_does_not_stretch_the_axes(few, ax):
    labels, reference = (table[:200].copy() for table in few)
    labels["feh"][7] = 47 * labels["feh"].unit
    plots.one_to_one(labels, reference, "feh", ax=ax)
    assert ax.get_ylim()[1] < 2
    assert "1 outside" in words(ax)
