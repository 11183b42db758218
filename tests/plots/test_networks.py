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
