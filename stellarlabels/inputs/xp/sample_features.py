"""The feature sets of sampled spectra."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from stellarlabels import flags, releases
from stellarlabels.columns import values
from stellarlabels.corrections.extinction import deredden_xp, ebv_of
from stellarlabels.corrections.systematics import correct_flux
from stellarlabels.inputs.base import Features, register
from stellarlabels.inputs.colors import color_set, intrinsic_color
from stellarlabels.inputs.colors.set import color_values
from stellarlabels.inputs.xp import agreement
from stellarlabels.inputs.xp.bridge import XPFeatureSet
from stellarlabels.inputs.xp.samples import fill_gaps, nanmean, nanmedian, pixels, spectra
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix
from stellarlabels.tables import quality


@register
class XPPixels(XPFeatureSet):
    """The 60 dereddened pixels of the UA-CSNet paper, and their errors.

    Arrays: ``flux`` (N, 60) and ``error`` (N, 60).

    Parameters
    ----------
    norm_wavelength, norm_width : float
        See `pixels`.
    relation : {"linear", "toolkit"}
        How E(44-55) follows from E(B-V); see `stellarlabels.corrections.extinction.deredden_xp`.
    systematics : str, optional
        Folder with the tables of Huang et al. (2024); with it the spectra are corrected before they are dereddened,
        as in the paper. See `stellarlabels.corrections.systematics`. Spectra that the correction does not hold for have
        the flag CAUTION, and are not trained. A model file keeps the last part of the folder's name only: where it is
        loaded, the environment variable STELLARLABELS_XP_CORRECTION says where the tables are. The shipped weights
        were trained without.
    """

    name = "xp_pixels"

    def __init__(self, norm_wavelength=550.0, norm_width=10.0, relation="linear", systematics=None):
        self.norm_wavelength = norm_wavelength
        self.norm_width = norm_width
        self.relation = relation
        self.systematics = systematics

    @property
    def config(self):
        return {
            "norm_wavelength": self.norm_wavelength,
            "norm_width": self.norm_width,
            "relation": self.relation,
            "systematics": None if self.systematics is None else Path(self.systematics).name,
        }

    def for_training(self, table):
        """Without the spectra that ought to have been corrected and could not be."""
        features = self.compute(table)
        unfit = flags.LABEL.has(features.flag, "CAUTION")
        return replace(features, usable=features.usable & ~unfit)

    def compute(self, table):
        _, other = releases.require(table, self.release, what="these networks")
        flux, error, spectrum_flag = spectra(table)
        unfit = np.zeros(len(table), bool)
        if self.systematics is not None:
            magnitude = values(table, "phot_g_mean_mag", required=False)
            flux, found = correct_flux(flux, error, magnitude, self.systematics)
            unfit = ~flags.get("systematics").is_good(found)
            for passed, defined in (cut(table) for cut in quality.get("uacsnet", "xp_correction")):
                unfit |= defined & ~passed
        snr = _signal_to_noise(flux, error)
        ebv = ebv_of(table)
        flux, error = _unit_of_scale(flux, error)
        flux, error = deredden_xp(flux, ebv, flux_error=error, relation=self.relation)
        window = {"norm_wavelength": self.norm_wavelength, "norm_width": self.norm_width}
        flux, error = pixels(fill_gaps(flux), fill_gaps(error), **window)
        usable = np.isfinite(flux).all(axis=1) & np.isfinite(error).all(axis=1)
        usable &= ~_missing_band(spectrum_flag)
        return Features(
            arrays={"flux": _ready(flux, usable), "error": _ready(error, usable)},
            flag=flags.LABEL.where(
                NO_INPUT=~usable,
                BAD_SAMPLES=flags.SPECTRUM.has(spectrum_flag, "BAD_SAMPLES"),
                MISSING_BAND=_missing_band(spectrum_flag),
                MISSING_EBV=np.isnan(ebv),
                CAUTION=unfit & usable,
                OTHER_RELEASE=other,
            ),
            usable=usable,
            color=intrinsic_color(table, ebv),
            magnitude=values(table, "phot_g_mean_mag", required=False),
            snr=snr,
            ebv=ebv,
        )


@register
class XPSpectrum(XPFeatureSet):
    """All 343 samples with their errors, and colors between Gaia and 2MASS.

    Arrays: ``flux`` and ``error`` (N, 343), divided by the mean flux redward of ``norm_from``; ``color`` (N, 5):
    G-J, J-H, H-Ks, BP-G, G-RP, NaN where a magnitude is missing.

    Parameters
    ----------
    norm_from : float
        Wavelength in nm above which the mean flux becomes 1.
    """

    name = "xp_spectrum"

    def __init__(self, norm_from=415.0):
        self.norm_from = norm_from

    @property
    def config(self):
        return {"norm_from": self.norm_from}

    @property
    def constants(self):
        return {"noise_basis": design_matrix()}

    def add_noise(self, features, amount, seed=0):
        """With noise that is correlated as that of spectra made from coefficients; magnitudes stay as they are."""
        basis = design_matrix()
        basis = basis / np.linalg.norm(basis, axis=1, keepdims=True)
        drawn = np.random.default_rng(seed).normal(size=(len(features), basis.shape[1])) @ basis.T
        flux, error = (features.arrays[name].astype(np.float64) for name in ("flux", "error"))
        flux = flux + np.sqrt(amount) * error * drawn
        mean = nanmean(flux[:, self.norm_from < WAVELENGTH])[:, None]
        usable = features.usable & (mean[:, 0] > 0)
        mean[~usable] = 1
        found = {"flux": flux / mean, "error": error * np.sqrt(1 + amount) / mean}
        ready = {name: _ready(array, usable) for name, array in found.items()}
        snr = features.snr / np.sqrt(1 + amount)
        return replace(features, arrays={**features.arrays, **ready}, usable=usable, snr=snr)

    def compute(self, table):
        _, other = releases.require(table, self.release, what="these networks")
        flux, error, spectrum_flag = spectra(table)
        snr = _signal_to_noise(flux, error)
        with np.errstate(invalid="ignore", divide="ignore"):
            norm = nanmean(flux[:, self.norm_from < WAVELENGTH])[:, None]
            norm[~(norm > 0)] = np.nan
            flux, error = fill_gaps(flux) / norm, fill_gaps(error) / norm
        usable = np.isfinite(flux).all(axis=1) & np.isfinite(error).all(axis=1)
        usable &= ~_missing_band(spectrum_flag)
        colors = color_set("gaia_2mass_wise")
        color = color_values(table, colors)
        mismatch = usable & agreement.differ(*agreement.bins(flux, error), color, colors.colors)
        return Features(
            arrays={
                "flux": _ready(flux, usable),
                "error": _ready(error, usable),
                "color": color.astype(np.float32),
            },
            flag=flags.LABEL.where(
                NO_INPUT=~usable,
                BAD_SAMPLES=flags.SPECTRUM.has(spectrum_flag, "BAD_SAMPLES"),
                MISSING_BAND=_missing_band(spectrum_flag),
                MISSING_PHOTOMETRY=np.isnan(color).any(axis=1),
                PHOTOMETRY_MISMATCH=mismatch,
                OTHER_RELEASE=other,
            ),
            usable=usable,
            color=color_values(table, color_set("gaia_2mass_wise").select(["BP-RP"]))[:, 0],
            magnitude=values(table, "phot_g_mean_mag", required=False),
            snr=snr,
            ebv=np.full(len(table), np.nan),
        )


def _missing_band(spectrum_flag):
    has = flags.SPECTRUM.has
    return has(spectrum_flag, "MISSING_BP") | has(spectrum_flag, "MISSING_RP")


def _ready(array, usable):
    """float32 copy with zeros in rows that are not usable."""
    return np.where(usable[:, None], array, 0).astype(np.float32)


def _signal_to_noise(flux, error):
    """Median signal-to-noise ratio of the samples, NaN where there are none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return nanmedian(flux / error)


def _unit_of_scale(flux, error):
    """Scale spectra by powers of ten near their level, so that float32 products of fluxes cannot underflow."""
    level = nanmedian(np.abs(flux))
    level = np.where(np.isfinite(level) & (level > 0), level, 1.0)[:, None]
    return flux / level, error / level
