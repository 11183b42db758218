"""Spectra as figures: those of the samples that ship with the package."""

import numpy as np
import pytest
from astropy import units as u

from stellarlabels import plots
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.examples import mrs_synthetic_sample, xp_apogee_sample


def told(ax):
    return ax.artists[0].txt.get_text()


def test_a_spectrum_of_gaia(ax):
    stars = xp_apogee_sample()[:3]
    plots.spectrum(stars, 2, ax=ax)
    [line] = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), np.arange(336, 1021, 2))
    np.testing.assert_allclose(line.get_ydata(), stars["flux"][2].to_value(u.W / u.m**2 / u.nm))
    assert told(ax) == f"source_id {stars['source_id'][2]}"
    assert ax.get_xlabel() == "wavelength (nm)" and "nm" in ax.get_ylabel()


def test_coefficients_are_sampled(ax):
    from stellarlabels.inputs.xp import recover_coefficients

    stars = xp_apogee_sample()[:1]
    coefficients, _ = recover_coefficients(stars["flux"], stars["flux_error"])
    table = stars["source_id",].copy()
    for band, part in (("bp", coefficients[:, :55]), ("rp", coefficients[:, 55:])):
        table[f"{band}_coefficients"] = part
        table[f"{band}_coefficient_errors"] = np.abs(part) + 1
    plots.spectrum(table, ax=ax)
    flux = stars["flux"][0].value
    np.testing.assert_allclose(ax.lines[0].get_ydata(), flux, atol=1e-3 * flux.max())


def test_both_arms(ax):
    stars = mrs_synthetic_sample()[:2]
    stars["ivar_r"][1, :100] = 0
    plots.spectrum(stars, 1, ax=ax)
    blue, red = ax.lines
    assert blue.get_xdata().max() < red.get_xdata().min()
    assert np.isnan(red.get_ydata()[:100]).all()
    count = int((~np.isfinite(np.concatenate([blue.get_ydata(), red.get_ydata()]))).sum())
    assert f"{count:,} pixels left out" in told(ax)


def test_spikes_do_not_stretch_the_axis_and_deep_lines_are_seen(ax):
    stars = xp_apogee_sample()[:1]
    top = stars["flux"].value.max()
    stars["flux"][0, 10], stars["flux"][0, 200] = 1e3 * top * stars["flux"].unit, 1e-3 * top * stars["flux"].unit
    plots.spectrum(stars, ax=ax)
    low, high = ax.get_ylim()
    assert low <= 1e-3 * top and high < 2 * top
    assert told(ax).endswith("1 outside")


def test_nothing_to_draw(ax):
    stars = xp_apogee_sample()[:1]
    stars["flux"][:] = np.nan
    plots.spectrum(stars, ax=ax)
    assert told(ax).endswith("no pixel of this spectrum counts")
    with pytest.raises(InputError, match="row: expected one of the 1 rows"):
        plots.spectrum(stars, 1)
    with pytest.raises(MissingColumnError, match="XP spectrum"):
        plots.spectrum(stars["source_id",])
