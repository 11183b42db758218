"""XP coefficients with all their covariances, colors, and the pseudo-absolute magnitude, as network inputs.

The 110 inputs of Fallows & Sanders, "Stellar Atmospheric Parameters From Gaia BP/RP Spectra using Uncertain Neural
Networks" (their Section 2.2), are the coefficients of BP and RP divided by the first one of RP, ``r``. With x = c / r
and the covariance S of the coefficients c, the covariance of x is that of ``dx = (dc - x dr) / r``::

    C_ij = (S_ij - x_i S_0j - x_j S_0i + x_i x_j S_00) / r**2

where 0 stands for the first coefficient of RP. This is the paper's Eq. 2, but for all coefficients: since all are
divided by r, all of them share its error, and BP and RP become correlated. (The paper takes ``S_ij / r**2`` for BP.)
The first coefficient of RP becomes 1, exactly, with no variance.

The blocks of S are kept packed, for S / r**2, and C is never made: for derivatives g with respect to x,
``g C g = h S h / r**2`` with h = g, except for ``h_0 = g_0 - g x``. See `propagate`.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from stellarlabels import columns, flags, packaged
from stellarlabels.corrections.extinction.sets import coefficients as extinction_coefficients
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.files.arrays import Ragged
from stellarlabels.inputs.base import Features, FeatureSet, register
from stellarlabels.inputs.blocks import product
from stellarlabels.inputs.xp import packed

__all__ = ["COLORS", "XPCoefficients", "add_noise", "dense_covariance", "designs", "normalise", "propagate"]

#: Coefficients of a band; position of the one that all are divided by.
BAND, REFERENCE = 55, 55

#: The paper's colors.
COLORS = ("BP-RP", "W1-W2", "J-H", "H-W2")

#: Wavelengths at which stars are compared with the training stars and at which noise is looked at: four in each of
#: twelve bins of the sampled spectrum. The mean flux redward of `NORM_FROM` (nm) is the unit of both.
BINS, PER_BIN, NORM_FROM = 12, 4, 415.0

#: Rows whose covariances are held in double precision at once.
BLOCK = 4096

#: Magnitude per relative flux error.
POGSON = 2.5 / np.log(10)

#: Columns of magnitude errors, and of fluxes with errors, by band.
_ERRORS = {"J": "j_msigcom", "H": "h_msigcom", "Ks": "ks_msigcom", "W1": "w1mpro_error", "W2": "w2mpro_error"}
_FLUXES = {"G": "phot_g_mean_flux", "BP": "phot_bp_mean_flux", "RP": "phot_rp_mean_flux"}


def normalise(coefficients, covariances):
    """Divide coefficients by the first one of RP.

    Parameters
    ----------
    coefficients : `~numpy.ndarray`, shape (N, 110)
        55 of BP, then 55 of RP; NaN where a band is missing.
    covariances : pair of `~numpy.ndarray`, shape (N, 1540)
        Of the coefficients of BP and of RP, packed as in `stellarlabels.inputs.xp.packed`.

    Returns
    -------
    normalised : `~numpy.ndarray` of float64, shape (N, 110)
    scaled : pair of `~numpy.ndarray` of float64, shape (N, 1540)
        Covariances of the coefficients, divided by the square of the divisor.
    positive : `~numpy.ndarray` of bool, shape (N,)
        Where not, the divisor is the error of the first coefficient of RP instead of the coefficient, as in the paper
        for coefficients that are zero, and here for negative ones, too.
    """
    reference = coefficients[:, REFERENCE]
    with np.errstate(invalid="ignore", divide="ignore"):
        positive = reference > 0
        divisor = np.where(positive, reference, np.sqrt(covariances[1][:, 0]))
        divisor = np.where(divisor > 0, divisor, np.nan)[:, None]
        return coefficients / divisor, tuple(block / divisor**2 for block in covariances), positive


def propagate(rows, coefficients, covariances):
    """Covariance of functions of normalised coefficients, to first order.

    Parameters
    ----------
    rows : `~numpy.ndarray`, shape (N, L, 110)
        Derivatives of L functions with respect to the normalised coefficients.
    coefficients, covariances
        Output of `normalise`.

    Returns
    -------
    `~numpy.ndarray`, shape (N, L, L)
    """
    rows = _shared(rows, coefficients)
    out = 0.0
    for band, block in zip((slice(0, BAND), slice(BAND, None)), covariances, strict=True):
        part = rows[..., band]
        out = out + (part @ packed.unpack(block)) @ np.swapaxes(part, 1, 2)
    return out


def _shared(rows, coefficients):
    """Derivatives with respect to the coefficients of the archive, times the divisor."""
    rows = rows.copy()
    rows[..., REFERENCE] -= (rows @ coefficients[:, :, None])[..., 0]
    return rows


def dense_covariance(coefficients, covariances):
    """The whole covariance of normalised coefficients.

    Parameters
    ----------
    coefficients, covariances
        Output of `normalise`.

    Returns
    -------
    `~numpy.ndarray`, shape (N, 110, 110)
        NaN in rows and columns of a missing band.
    """
    size = 2 * BAND
    out = np.zeros((len(coefficients), size, size))
    blocks = [packed.unpack(block) for block in covariances]
    out[:, :BAND, :BAND], out[:, BAND:, BAND:] = blocks
    shared = np.concatenate([np.zeros((len(out), BAND)), blocks[1][:, 0]], axis=1)
    cross = coefficients[:, :, None] * shared[:, None, :]
    out -= cross + np.swapaxes(cross, 1, 2)
    out += coefficients[:, :, None] * coefficients[:, None, :] * blocks[1][:, :1, :1]
    return out


@lru_cache(maxsize=1)
def designs():
    """The map from coefficients to sampled spectra, in units of its largest element.

    Returns
    -------
    samples : `~numpy.ndarray`, shape (343, 110)
    mean_flux : `~numpy.ndarray`, shape (110,)
        Mean of the samples redward of 415 nm.
    coarse : `~numpy.ndarray`, shape (48, 110)
        Some of the samples.
    """
    from stellarlabels.inputs.xp import WAVELENGTH, design_matrix

    samples = design_matrix()
    samples = samples / np.abs(samples).max()
    at = [
        part[((np.arange(PER_BIN) + 0.5) * len(part) / PER_BIN).astype(int)]
        for part in np.array_split(np.arange(WAVELENGTH.size), BINS)
    ]
    return samples, samples[WAVELENGTH > NORM_FROM].mean(axis=0), samples[np.concatenate(at)]


def add_noise(features, amount, seed=0):
    """The same stars with noisier spectra.

    Parameters
    ----------
    features : `stellarlabels.inputs.Features`
        Made by `XPCoefficients`.
    amount : float
        The noise that is added has the covariance of the coefficients times this. The covariance that the features
        state grows by ``1 + amount``.
    seed : int

    Returns
    -------
    `stellarlabels.inputs.Features`
    """
    rng = np.random.default_rng(seed)
    arrays = dict(features.arrays)
    noise = []
    for band in ("bp", "rp"):
        blocks = arrays.get(f"{band}_factor")
        blocks = packed.factor(arrays[f"{band}_covariance"]) if blocks is None else blocks
        normal = rng.normal(size=blocks.shape[:2]).astype(np.float32)
        noise.append(np.sqrt(amount) * np.einsum("nij,nj->ni", blocks, normal))
    coefficients = arrays["coefficients"] + np.concatenate(noise, axis=1)
    divisor = np.where(features.usable, 1 + noise[1][:, 0].astype(np.float64), 1)[:, None]
    coefficients /= divisor
    _, mean_flux, coarse = designs()
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = (coefficients @ coarse.T) / (coefficients @ mean_flux)[:, None]
    arrays["coefficients"] = coefficients.astype(np.float32)
    arrays["flux"] = np.where(features.usable[:, None], flux, 0).astype(np.float32)
    arrays["log_error"] = arrays["log_error"] + np.float32(0.5 * np.log1p(amount))
    for band in ("bp", "rp"):
        arrays[f"{band}_covariance"] = (arrays[f"{band}_covariance"] * (1 + amount) / divisor**2).astype(np.float32)
        arrays.pop(f"{band}_factor", None)
    return replace(features, arrays=arrays, snr=features.snr / np.sqrt(1 + amount))


@register
class XPCoefficients(FeatureSet):
    """Normalised XP coefficients, colors and a pseudo-absolute magnitude, and the full covariance of all of them.

    Arrays: ``coefficients`` (N, 110) as in `normalise`; ``bp_covariance`` and ``rp_covariance`` (N, 1540), packed, of
    the coefficients divided by the square of the divisor; ``others`` (N, C), colors and the pseudo-magnitude, NaN where
    one is missing; ``other_covariance`` (N, C, C), 0 where one is missing; ``flux`` (N, 48), the spectrum on a coarse
    grid, in units of its mean, in which stars are compared with the training stars; ``log_error`` (N, 12), mean natural
    logarithms of its errors in bins.

    The table has XP coefficients with errors and correlations, or sampled spectra: then coefficients and their
    covariance come from `stellarlabels.inputs.xp.recover_coefficients`.

    Magnitudes without an error count as exact. All bands are independent of each other and of the spectrum, but colors
    that share a band are correlated through it.

    Parameters
    ----------
    colors : sequence of str
        Pairs of bands, for instance "BP-RP"; the paper's by default.
    pseudo_magnitude : {"rjce", "observed", None}
        ``parallax 10**(0.2 RP)`` in mas, the last one of ``others``: of RP corrected for extinction by the
        Rayleigh-Jeans color excess, as in the paper's Appendix A (needs H and W2), or of RP as observed, or none.
        Parallaxes are to be corrected for their zero-point. Negative parallaxes are as good as others: the error is
        ``parallax_error 10**(0.2 RP)``, to which that of RP is added.
    """

    name = "xp_coefficients"

    def __init__(self, colors=COLORS, pseudo_magnitude="rjce"):
        self.colors = tuple(colors)
        self.pseudo_magnitude = pseudo_magnitude
        columns = packaged.table("extinction", "bands")
        self._columns = dict(zip(map(str, columns["band"]), map(str, columns["column"]), strict=True))
        pairs = [color.split("-") for color in self.colors]
        for color, pair in zip(self.colors, pairs, strict=True):
            if len(pair) != 2 or not set(pair) <= set(self._columns):
                raise InputError(f"colors: expected pairs of {sorted(self._columns)} such as 'BP-RP', got {color!r}")
        if pseudo_magnitude not in ("rjce", "observed", None):
            raise InputError(f"pseudo_magnitude: expected 'rjce', 'observed' or None, got {pseudo_magnitude!r}")
        needed = {band for pair in pairs for band in pair} | ({"RP"} if pseudo_magnitude else set())
        needed |= {"H", "W2"} if pseudo_magnitude == "rjce" else set()
        self._bands = sorted(needed)
        self._pairs = pairs

    @property
    def config(self):
        return {"colors": self.colors, "pseudo_magnitude": self.pseudo_magnitude}

    def compute(self, table):
        starts = range(0, max(len(table), 1), BLOCK)
        return Features.concatenate([self._compute(table[start : start + BLOCK]) for start in starts])

    def for_training(self, table):
        """With factors of the covariances, with which training draws noise."""
        features = self.compute(table)
        arrays = dict(features.arrays)
        for band in ("bp", "rp"):
            arrays[f"{band}_factor"] = packed.factor(arrays[f"{band}_covariance"])
        arrays["other_factor"] = packed.factor(packed.pack(arrays["other_covariance"]))
        return replace(features, arrays=arrays)

    def add_noise(self, features, amount, seed=0):
        return add_noise(features, amount, seed)

    def _compute(self, table):
        """Inputs of a table that fits into memory."""
        coefficients, covariances, bad = _coefficients(table)
        coefficients, covariances, positive = normalise(coefficients, covariances)
        missing = ~np.isfinite(coefficients).reshape(len(table), 2, BAND).all(axis=2)
        unknown = [~np.isfinite(block).all(axis=1) for block in covariances]
        usable = ~(missing.any(axis=1) | unknown[0] | unknown[1])
        others, other_covariance = self._others(table)
        _, mean_flux, coarse = designs()
        flux = product(np.where(usable[:, None], coefficients, 0), coarse.T)
        blocks = [np.where(usable[:, None], block, 0) for block in covariances]
        variance = sum(
            product(block, packed.quadratic_weights(part))
            for block, part in zip(blocks, (coarse[:, :BAND], coarse[:, BAND:]), strict=True)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(variance)
            snr = np.where(usable, np.median(flux / error, axis=1), np.nan)
            mean = np.abs(product(coefficients, mean_flux[:, None]))
            flux, log_error = flux / mean, np.log(error / mean).reshape(-1, BINS, PER_BIN).mean(axis=2)
            usable &= np.isfinite(flux).all(axis=1) & np.isfinite(log_error).all(axis=1)
        return Features(
            arrays={
                "coefficients": np.where(usable[:, None], coefficients, 0).astype(np.float32),
                "bp_covariance": blocks[0].astype(np.float32),
                "rp_covariance": blocks[1].astype(np.float32),
                "others": others.astype(np.float32),
                "other_covariance": other_covariance.astype(np.float32),
                "flux": np.where(usable[:, None], flux, 0).astype(np.float32),
                "log_error": np.where(usable[:, None], log_error, 0).astype(np.float32),
            },
            flag=flags.LABEL.where(
                NO_INPUT=~usable,
                BAD_SAMPLES=bad | (usable & ~positive),
                MISSING_BAND=missing.any(axis=1) & ~missing.all(axis=1),
                MISSING_PHOTOMETRY=np.isnan(others[:, : len(self.colors)]).any(axis=1),
                MISSING_PARALLAX=np.isnan(others[:, len(self.colors) :]).any(axis=1),
            ),
            usable=usable,
            color=self._magnitude(table, "BP") - self._magnitude(table, "RP"),
            magnitude=self._magnitude(table, "G"),
            snr=snr,
            ebv=np.full(len(table), np.nan),
        )

    def _magnitude(self, table, band):
        return columns.values(table, self._columns[band], required=False)

    def _error(self, table, band):
        """Error of a magnitude; 0 where unknown."""
        if band in _ERRORS:
            error = columns.values(table, _ERRORS[band], required=False)
        else:
            flux = columns.values(table, _FLUXES[band], required=False)
            with np.errstate(invalid="ignore", divide="ignore"):
                error = POGSON * columns.values(table, f"{_FLUXES[band]}_error", required=False) / flux
        return np.where(np.isfinite(error) & (error > 0), error, 0)

    def _others(self, table):
        """Colors and pseudo-magnitude (N, C) and their covariance (N, C, C)."""
        magnitudes = {band: self._magnitude(table, band) for band in self._bands}
        count = len(self.colors) + bool(self.pseudo_magnitude)
        values = np.empty((len(table), count))
        slopes = np.zeros((len(table), count, len(self._bands) + 1))
        for index, (blue, red) in enumerate(self._pairs):
            values[:, index] = magnitudes[blue] - magnitudes[red]
            slopes[:, index, self._bands.index(blue)] = 1
            slopes[:, index, self._bands.index(red)] = -1
        errors = [self._error(table, band) for band in self._bands]
        if self.pseudo_magnitude:
            values[:, -1], slopes[:, -1] = self._pseudo(table, magnitudes)
            parallax_error = columns.values(table, "parallax_error", required=False)
            values[~(parallax_error > 0), -1] = np.nan
            errors.append(np.nan_to_num(parallax_error))
        else:
            errors.append(np.zeros(len(table)))
        missing = np.isnan(values)
        slopes[missing] = 0
        slopes *= np.stack(errors, axis=1)[:, None, :]
        return values, slopes @ np.swapaxes(slopes, 1, 2)

    def _pseudo(self, table, magnitudes):
        """Pseudo-magnitude (N,) and its derivatives with respect to the bands and the parallax (N, B + 1)."""
        parallax = columns.values(table, "parallax", required=False)
        slopes = np.zeros((len(table), len(self._bands) + 1))
        dimming = np.zeros(len(table))
        slopes[:, self._bands.index("RP")] = 1
        if self.pseudo_magnitude == "rjce":
            numbers = packaged.table("extinction", "rjce")
            row = numbers[[str(name) for name in numbers["variant"]].index("wise")]
            ratio = float(row["coefficient"]) * extinction_coefficients("wang_chen_2019").relative("RP", "Ks")
            dimming = ratio * (magnitudes["H"] - magnitudes["W2"] - float(row["offset"]))
            reddened = dimming > 0
            slopes[reddened, self._bands.index("H")] = -ratio
            slopes[reddened, self._bands.index("W2")] = ratio
            dimming = np.maximum(dimming, 0)
        unit = 10 ** (0.2 * (magnitudes["RP"] - dimming))
        values = parallax * unit
        slopes *= (0.2 * np.log(10) * values)[:, None]
        slopes[:, -1] = unit
        return values, np.nan_to_num(slopes)


def _coefficients(table):
    """Coefficients (N, 110), their covariances (N, 1540) by band, and where samples were bad."""
    if columns.find(table, "bp_coefficients") is None and columns.find(table, "rp_coefficients") is None:
        return _recovered(table)
    coefficients, covariances = [], []
    for band in ("bp", "rp"):
        parts = []
        for name, length in (("", BAND), ("_errors", BAND), ("_correlations", BAND * (BAND - 1) // 2)):
            name = f"{band}_coefficient{name or 's'}"
            key = columns.find(table, name)
            if key is None:
                raise MissingColumnError(f"column {name!r} is missing")
            parts.append(Ragged.from_column(table[key]).matrix(length))
        parts[1][~(parts[1] >= 0)] = np.nan
        coefficients.append(parts[0])
        covariances.append(packed.pack_correlations(*parts[1:]))
    return np.concatenate(coefficients, axis=1), tuple(covariances), np.zeros(len(table), bool)


def _recovered(table):
    """The same from sampled spectra."""
    from stellarlabels.inputs.xp import recover_coefficients, spectra

    flux, error, flag = spectra(table)
    coefficients, covariance = recover_coefficients(flux, error)
    covariances = [covariance.band(band) for band in ("bp", "rp")]
    return coefficients, tuple(covariances), flags.SPECTRUM.has(flag, "BAD_SAMPLES")
