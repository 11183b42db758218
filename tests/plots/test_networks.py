"""What networks look at: bars and spectra, of tables that say exactly what must be seen."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import plots
from stellarlabels.plots.style import CYCLE


def test_attention_bars(ax, pixels, ink):
    names = [f"{band} {number}" for band in ("BP", "RP") for number in range(55)] + ["J-H", "pseudo-magnitude"]
    attention = np.zeros(112)
    attention[[0, 56, 110]] = 40, 20, 10
    attention[7] = 100  # beyond the coefficients that are shown
    plots.attention_bars(QTable({"feature": names, "teff": attention * u.K}), "teff", coefficients=3, ax=ax)
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["BP 0", "BP 1", "BP 2", "RP 0", "RP 1", "RP 2", "J-H", "pseudo-magnitude"]
    assert [bar.get_height() for bar in ax.patches] == [40, 0, 0, 0, 20, 0, 10, 0]
    assert ax.get_ylabel() == r"attention to $T_{\rm eff}$ (K)"
    image = pixels(ax)
    columns = np.array_split(image, 3, axis=1)  # the tall bar on the left, half of it in the middle, a quarter right
    heights = [ink(part, CYCLE[0]) for part in columns]
    assert heights[0] > heights[1] > heights[2] > 0
    assert ink(image[: image.shape[0] // 3, image.shape[1] // 3 :], CYCLE[0]) == 0


def test_derivative_panel(ax, pixels):
    wavelength = np.arange(400, 902, 2) * u.nm
    dips = {at: -np.exp(-0.5 * ((wavelength.value - at) / 10) ** 2) for at in (530, 750)}
    network, sky = (
        QTable({"wavelength": wavelength, "feh": scale * dip})
        for scale, dip in zip((3, 0.1), dips.values(), strict=True)
    )
    plots.derivative_panel(network, sky, "feh", ax=ax)
    assert ax.get_xlabel() == "wavelength (nm)" and "[Fe/H]" in ax.get_ylabel()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["network", "observed, high - low"]
    for line, dip in zip(ax.lines, dips.values(), strict=True):  # both scaled to the same size
        np.testing.assert_allclose(line.get_ydata(), dip / np.abs(dip).max(), rtol=1e-12)
    assert {"CN", "CaHK", "Fe", "Mg", "CaT"} == {text.get_text() for text in ax.texts}
    image = pixels(ax)
    low, high = ax.get_xlim()
    bottom = image[-image.shape[0] // 3 :]
    bluer = bottom[:, :, 2] - bottom[:, :, 0]  # lines are thin: their colors are mixed with the paper's
    for seen, at in zip((bluer > 0.2, bluer < -0.2), dips, strict=True):  # blue and orange, each where it should be
        column = int((at - low) / (high - low) * image.shape[1])
        assert seen[:, column - 15 : column + 15].any()
        assert not seen[:, : column - 30].any()  # on the right is the legend


def test_the_simulated_curve_is_black(ax):
    wavelength = np.arange(400, 902, 2) * u.nm
    tables = [QTable({"wavelength": wavelength, "feh": np.sin(wavelength.value / at)}) for at in (20, 30, 40)]
    plots.derivative_panel(tables[0], tables[1], "feh", simulated=tables[2], ax=ax)
    assert [line.get_label() for line in ax.lines] == ["network", "observed, high - low", "simulated"]
    np.testing.assert_allclose(ax.lines[2].get_ydata(), tables[2]["feh"] / np.abs(tables[2]["feh"]).max())
    assert ax.lines[2].get_color() == "black"


def test_shares_of_lines_of_two_kinds_of_stars(ax):
    names = ["CaHK", "Mg", "other"]
    hot, cool = (QTable({"feature": names, "feh": value * u.dex, "feh_share": value}) for value in
                 (np.array([0.2, 0.1, 0.7]), np.array([0.5, 0.2, 0.3])))  # fmt: skip
    plots.attention_bars({"hot": hot, "cool": cool}, "feh", ax=ax)
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], [20, 10, 70, 50, 20, 30])
    assert ax.get_ylabel() == "share in [Fe/H] (%)"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["hot", "cool"]
    lefts = [bar.get_x() for bar in ax.patches]
    assert all(second > first for first, second in zip(lefts[:3], lefts[3:], strict=True))


def test_importance_of_hot_and_cool_stars(ax):
    at = np.arange(380.0, 900.0) * u.nm
    tables = {}
    for name, peak in (("hot", 434), ("cool", 517)):
        share = np.exp(-0.5 * ((at.value - peak) / 3) ** 2)
        tables[name] = QTable({"input": ["flux"] * len(at), "wavelength": at, "feh_share": share / share.sum()})
    plots.importance_spectrum(tables, "feh", ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["hot", "cool"]
    assert [at.value[np.argmax(line.get_ydata())] for line in ax.lines[:2]] == [434, 517]
    assert "Mg" in {text.get_text() for text in ax.texts} and ax.get_xlabel() == "wavelength (nm)"
