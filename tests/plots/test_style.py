"""The style: applied within our functions only, colors that are told apart, the same bytes for the same figure."""

import inspect

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb

from stellarlabels import plots
from stellarlabels.plots import clouds, labels, style


def test_settings_stay_as_they_are(few):
    before = dict(matplotlib.rcParams)
    plots.one_to_one(*few, "feh")
    plots.kiel(few[0])
    style.figure_bytes(pyplot.gcf())
    assert dict(matplotlib.rcParams) == before


def test_a_users_settings_do_not_leak_in(few, ax):
    with matplotlib.rc_context({"font.size": 30, "axes.labelsize": 30}):
        plots.kiel(few[0], ax=ax)
    assert ax.artists[0].txt._text.get_fontsize() == 9
    assert plots.kiel(few[0]).xaxis.label.get_fontsize() == 10.5


def test_without_axes_a_figure_is_made_that_notebooks_show(few):
    ax = plots.kiel(few[0])
    assert ax.figure.number in pyplot.get_fignums()


def test_every_function_takes_axes_or_a_figure():
    for name in plots.__all__:
        function = getattr(plots, name)
        if name not in ("axis_range", "context", "figure_bytes", "label_values", "plain", "unit"):
            assert {"ax", "figure"} & set(inspect.signature(function).parameters), name


def luminance(color):
    part = np.array(to_rgb(color))
    linear = np.where(part <= 0.03928, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def seen(color, kind):
    """A color as it is seen without long- or middle-wave cones (Vienot, Brettel & Mollon 1999)."""
    part = np.array(to_rgb(color)) ** 2.2
    lms = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    reduce = {
        "protan": [[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]],
        "deutan": [[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]],
    }[kind]
    return np.clip(np.linalg.inv(lms) @ np.array(reduce) @ lms @ part, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_colors_are_told_apart_without_red_or_green(kind):
    colors = [seen(color, kind) for color in style.CYCLE[:3]]
    distances = [np.abs(a - b).max() for i, a in enumerate(colors) for b in colors[:i]]
    assert min(distances) > 0.15


def test_lines_stand_out_from_the_paper():
    for color in style.CYCLE[:3]:
        assert 1.05 / (luminance(color) + 0.05) >= 3


def test_color_maps_are_even_in_lightness():
    for colors in (matplotlib.colormaps[style.VALUES], style.density_map()):
        light = [luminance(colors(at)) for at in np.linspace(0, 1, 32)]
        steps = np.diff(light)
        assert (steps > 0).all() or (steps < 0).all()


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_the_same_figure_gives_the_same_bytes(few, format):
    first, second = (style.figure_bytes(plots.kiel(few[0]).figure, format) for _ in range(2))
    assert first == second
    assert first[:5] == {"svg": b"<?xml", "png": b"\x89PNG\r", "pdf": b"%PDF-"}[format]


@pytest.mark.parametrize(
    ("name", "plain", "axis"),
    [
        ("teff", "Teff", r"$T_{\rm eff}$ (K)"),
        ("alpha_m", "[alpha/M]", r"[$\alpha$/M] (dex)"),
        ("mg_fe", "[Mg/Fe]", "[Mg/Fe] (dex)"),
        ("c_h", "[C/H]", "[C/H] (dex)"),
        ("m_h", "[M/H]", "[M/H] (dex)"),
        ("fe_h", "[Fe/H]", "[Fe/H] (dex)"),
        ("ruwe", "ruwe", "ruwe"),
        ("my_column", "my column", "my column"),
    ],
)
def test_names(name, plain, axis):
    assert (labels.plain(name), labels.axis(name)) == (plain, axis)


def test_ranges():
    assert clouds.axis_range([]) == (0, 1) and clouds.axis_range([np.nan]) == (0, 1)
    low, high = clouds.axis_range([3.0, 3.0])
    assert low < 3 < high
    values = np.r_[np.linspace(0, 1, 10_000), 1e6]
    assert clouds.axis_range(values)[1] < 2


def test_a_long_tail_does_not_stretch_an_axis():
    snr = np.r_[np.linspace(10, 200, 500), 1000.0]
    assert 180 < clouds.along(snr)[1] < 220 and clouds.along(snr)[0] < 10
    assert clouds.along(snr[:-1]) == clouds.axis_range(snr[:-1]) and clouds.along([]) == (0, 1)


def test_medians():
    x = np.linspace(0, 1, 1000)
    at, middle, low, high = clouds.medians(x, 2 * x, bins=10)
    np.testing.assert_allclose(middle, 2 * at)
    assert (low < middle).all() and (middle < high).all() and len(at) == 10
    assert all(part.size == 0 for part in clouds.medians([], []))


def test_few_stars_are_points_and_many_a_density(ax):
    x = np.random.default_rng(1).normal(size=clouds.MANY + 2)
    y = np.r_[x[:-1], np.nan]
    assert clouds.cloud(ax, x, y, xlim=(-9, 9), ylim=(-9, 9)) == (clouds.MANY + 1, 0)
    assert ax.images[0].get_array().sum() == clouds.MANY + 1 and not ax.collections
    assert ax.figure.axes[-1].get_ylabel() == "stars per cell"
    ax.clear()
    assert clouds.cloud(ax, x[1:], y[1:], xlim=(0, 9), ylim=(-9, 9)) == (clouds.MANY, (x[1:-1] < 0).sum())
    assert len(ax.collections[0].get_offsets()) == clouds.MANY and not ax.images
