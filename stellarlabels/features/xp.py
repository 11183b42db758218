"""Gaia XP spectra as network inputs.

Two feature sets work on sampled spectra:

``xp_pixels``
    The 60 pixels of the UA-CSNet paper (Yang et al., "Metallicities of 20 Million Giant Stars Based on Gaia XP
    spectra"): dereddened, resampled by medians, scaled to 1 at 550 nm, with RMS errors.
``xp_spectrum``
    All 343 samples, divided by their mean above ``norm_from``, with their errors, and colors of the catalog
    photometry. Not dereddened: the colors let the network see the reddening.
"""

import numpy as np

from stellarlabels import flags, schema
from stellarlabels.archive.grid import DEFAULT, quality
from stellarlabels.corrections.extinction import deredden_xp
from stellarlabels.corrections.systematics import correct_flux
from stellarlabels.exceptions import InputError
from stellarlabels.features.base import Features, FeatureSet, register

__all__ = [
    "WAVELENGTH",
    "PIXEL_EDGES",
    "XPPixels",
    "XPSpectrum",
    "design_matrix",
    "fill_gaps",
    "pixels",
    "sample",
    "spectra",
]

#: Sampling of externally calibrated XP spectra in nm: 343 samples (GaiaXPy's default).
WAVELENGTH = DEFAULT

#: Edges in nm of the 60 pixels. The paper gives their number only; equal widths of 11.4 nm cover all samples.
PIXEL_EDGES = np.linspace(335.0, 1021.0, 61)


def sample(table, wavelength=None, *, truncation=False):
    """Sampled flux of a table of XP coefficients.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``bp_coefficients``, ``bp_coefficient_errors``, ``bp_coefficient_correlations`` and the same for ``rp_``.
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        Wavelengths, in nm where there is no unit; 336 to 1020 nm in steps of 2 nm by default.
    truncation : bool
        Whether to use the relevant bases only.

    Returns
    -------
    flux, flux_error : `~astropy.units.Quantity`, shape (N, M), W / (m2 nm)
        NaN where a band is missing.
    """
    from stellarlabels.archive.readers import sample_coefficients

    return sample_coefficients(table, wavelength=wavelength, truncation=truncation)


def design_matrix(wavelength=None):
    """Sampled flux of each basis function: the linear map from coefficients to samples.

    Parameters
    ----------
    wavelength : `~astropy.units.Quantity` or array_like, shape (M,), optional
        As in `sample`.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (M, 110)
        Flux for a unit coefficient: 55 columns of BP, then 55 of RP.
    """
    from astropy.table import Table

    size = 55
    unit, zero = np.eye(size), np.zeros((size, size))
    table = Table(
        {
            "source_id": np.arange(2 * size),
            "bp_coefficients": np.vstack([unit, zero]),
            "rp_coefficients": np.vstack([zero, unit]),
        }
    )
    for band in ("bp", "rp"):
        table[f"{band}_coefficient_errors"] = np.ones((2 * size, size))
        table[f"{band}_coefficient_correlations"] = np.zeros((2 * size, size * (size - 1) // 2))
        table[f"{band}_standard_deviation"] = np.ones(2 * size)
    return sample(table, wavelength)[0].value.T


def spectra(table):
    """Sampled spectra of a table as plain arrays, with what is wrong with them.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``flux`` and ``flux_error`` (cells of 343 samples), or with XP coefficients, which are then sampled.

    Returns
    -------
    flux, error : `~numpy.ndarray` of float64, shape (N, 343)
        W m-2 nm-1; NaN for samples that are missing, not finite, or whose error is not positive.
    flag : `~numpy.ndarray` of int32, shape (N,)
        Bits of `stellarlabels.flags.SPECTRUM`; the table's ``spectrum_flag`` is taken over.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there is neither a sampled spectrum nor a set of coefficients.
    """
    if schema.find(table, "flux") is None and schema.find(table, "bp_coefficients") is not None:
        flux, error = (quantity.value for quantity in sample(table))
    else:
        flux, error = _cells(table, "flux"), _cells(table, "flux_error")
    flag = flags.SPECTRUM.empty(len(table))
    if schema.find(table, "spectrum_flag") is not None:
        flag |= np.nan_to_num(schema.values(table, "spectrum_flag")).astype(flags.DTYPE)
    bad = ~(np.isfinite(flux) & np.isfinite(error) & (error > 0))
    flux, error = np.where(bad, np.nan, flux), np.where(bad, np.nan, error)
    flag |= flags.SPECTRUM.where(**quality(flux, error, WAVELENGTH))
    return flux, error, flag


def _cells(table, name):
    """A column of spectra as (N, 343) floats; a row of another length becomes NaN throughout."""
    size = WAVELENGTH.size
    key = schema.find(table, name)
    if key is None or getattr(table[key], "ndim", 1) == 2 and table[key].shape[1] == size:
        return schema.values(table, name)
    data = table[key]
    if data.ndim == 2:
        raise InputError(
            f"column {key!r}: expected spectra of {size} samples, got {data.shape[1]}; resample them first"
        )
    if data.dtype != object:
        raise InputError(f"column {key!r}: expected cells of {size} samples, got one number in each row")
    out = np.full((len(table), size), np.nan)
    mask = np.ma.getmaskarray(data)
    rows = [i for i, cell in enumerate(data) if not mask[i] and np.shape(cell) == (size,)]
    if rows:
        out[rows] = np.ma.filled(np.ma.masked_invalid(np.ma.stack([data[i] for i in rows]).astype(float)), np.nan)
    return out


def fill_gaps(values):
    """Interpolate linearly over NaN along each row; ends are continued with the nearest value.

    Parameters
    ----------
    values : `~numpy.ndarray`, shape (N, M)
        Equally spaced samples.

    Returns
    -------
    `~numpy.ndarray`, shape (N, M)
        A copy; rows that are NaN throughout stay so.
    """
    good = np.isfinite(values)
    if good.all():
        return values.copy()
    rows, columns = np.ogrid[: values.shape[0], : values.shape[1]]
    last = values.shape[1] - 1
    before = np.maximum.accumulate(np.where(good, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(good, columns, last + 1)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before < 0, np.minimum(after, last), before)
    right = np.where(after > last, np.maximum(before, 0), after)
    share = (columns - left) / np.maximum(right - left, 1)
    return np.where(good, values, values[rows, left] * (1 - share) + values[rows, right] * share)


def pixels(flux, error, *, edges=PIXEL_EDGES, norm_wavelength=550.0, norm_width=10.0):
    """Resample spectra to the pixels of the UA-CSNet paper (its Section 2.1).

    Parameters
    ----------
    flux, error : `~numpy.ndarray`, shape (N, 343)
        Flux and standard error at `WAVELENGTH`; NaN samples are left out.
    edges : array_like, shape (P + 1,)
        Pixel edges in nm.
    norm_wavelength, norm_width : float
        Center and full width in nm of the window whose mean flux becomes 1. The paper gives the wavelength, 550 nm;
        the width is a choice.

    Returns
    -------
    flux, error : `~numpy.ndarray`, shape (N, P)
        Median flux, and root mean square of the errors (not divided by the square root of their number, as in the
        paper), both divided by the mean flux of the window. NaN for pixels without samples, and for all pixels where
        the window's flux is not positive.
    """
    edges = np.asarray(edges, dtype=float)
    position = np.digitize(WAVELENGTH, edges) - 1
    binned_flux = np.full((len(flux), edges.size - 1), np.nan)
    binned_error = binned_flux.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for pixel in range(edges.size - 1):
            inside = position == pixel
            if inside.any():
                binned_flux[:, pixel] = _nanmedian(flux[:, inside])
                binned_error[:, pixel] = np.sqrt(_nanmean(error[:, inside] ** 2))
        window = np.abs(WAVELENGTH - norm_wavelength) <= norm_width / 2
        norm = _nanmean(flux[:, window])[:, None]
        norm[~(norm > 0)] = np.nan
        return binned_flux / norm, binned_error / norm


def _nanmean(values):
    """Mean along rows without NaN; NaN (and no warning) for empty rows."""
    good = np.isfinite(values)
    count = good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, values, 0).sum(axis=1) / count


def _nanmedian(values):
    """Median along rows without NaN; NaN (and no warning) for empty rows."""
    empty = np.isnan(values).all(axis=1)
    if not np.isnan(values).any():
        return np.median(values, axis=1)
    out = np.full(len(values), np.nan)
    out[~empty] = np.nanmedian(values[~empty], axis=1)
    return out


def _signal_to_noise(flux, error):
    """Median signal-to-noise ratio of the samples, NaN where there are none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _nanmedian(flux / error)


def _unit_of_scale(flux, error):
    """Scale spectra by powers of ten near their level, so that float32 products of fluxes cannot underflow."""
    level = _nanmedian(np.abs(flux))
    level = np.where(np.isfinite(level) & (level > 0), level, 1.0)[:, None]
    return flux / level, error / level


@register
class XPPixels(FeatureSet):
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
        as in the paper. See `stellarlabels.corrections.systematics`. The shipped weights were trained without.
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
            "systematics": self.systematics,
        }

    def compute(self, table):
        flux, error, spectrum_flag = spectra(table)
        if self.systematics is not None:
            magnitude = schema.values(table, "phot_g_mean_mag", required=False)
            flux, _ = correct_flux(flux, error, magnitude, self.systematics)
        snr = _signal_to_noise(flux, error)
        ebv = schema.values(table, "ebv", required=False)
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
            ),
            usable=usable,
            color=intrinsic_color(table, ebv),
            magnitude=schema.values(table, "phot_g_mean_mag", required=False),
            snr=snr,
            ebv=ebv,
        )


@register
class XPSpectrum(FeatureSet):
    """All 343 samples with their errors, and colors between Gaia and 2MASS.

    Arrays: ``flux`` and ``error`` (N, 343), divided by the mean flux redward of ``norm_from``; ``color`` (N, 5):
    G-J, J-H, H-Ks, BP-G, G-RP, NaN where a magnitude is missing.

    Parameters
    ----------
    norm_from : float
        Wavelength in nm above which the mean flux becomes 1.
    """

    name = "xp_spectrum"
    color_names = ("G-J", "J-H", "H-Ks", "BP-G", "G-RP")

    def __init__(self, norm_from=415.0):
        self.norm_from = norm_from

    @property
    def config(self):
        return {"norm_from": self.norm_from}

    def compute(self, table):
        flux, error, spectrum_flag = spectra(table)
        snr = _signal_to_noise(flux, error)
        with np.errstate(invalid="ignore", divide="ignore"):
            norm = _nanmean(flux[:, self.norm_from < WAVELENGTH])[:, None]
            norm[~(norm > 0)] = np.nan
            flux, error = fill_gaps(flux) / norm, fill_gaps(error) / norm
        usable = np.isfinite(flux).all(axis=1) & np.isfinite(error).all(axis=1)
        usable &= ~_missing_band(spectrum_flag)
        color = photometric_colors(table)
        bp_rp = color[:, 3] + color[:, 4]
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
            ),
            usable=usable,
            color=bp_rp,
            magnitude=schema.values(table, "phot_g_mean_mag", required=False),
            snr=snr,
            ebv=np.full(len(table), np.nan),
        )


def photometric_colors(table):
    """G-J, J-H, H-Ks, BP-G, G-RP in mag, shape (N, 5); NaN where a magnitude is missing."""
    names = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "j_m", "h_m", "ks_m")
    g, bp, rp, j, h, ks = (schema.values(table, name, required=False) for name in names)
    return np.stack([g - j, j - h, h - ks, bp - g, g - rp], axis=1)


def intrinsic_color(table, ebv):
    """(BP-RP)0 in mag: the table's own ``bp_rp_0`` where it has one, else BP-RP dereddened with ``ebv``."""
    from stellarlabels.corrections.extinction import reddening

    own = schema.values(table, "bp_rp_0", required=False)
    bp = schema.values(table, "phot_bp_mean_mag", required=False)
    rp = schema.values(table, "phot_rp_mean_mag", required=False)
    return np.where(np.isfinite(own), own, bp - rp - reddening("BP-RP", ebv))


def _missing_band(spectrum_flag):
    has = flags.SPECTRUM.has
    return has(spectrum_flag, "MISSING_BP") | has(spectrum_flag, "MISSING_RP")


def _ready(array, usable):
    """float32 copy with zeros in rows that are not usable."""
    return np.where(usable[:, None], array, 0).astype(np.float32)
