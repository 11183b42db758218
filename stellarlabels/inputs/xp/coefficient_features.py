"""XP coefficients with all their covariances, colors, and the pseudo-absolute magnitude, as network inputs.

The inputs of Fallows & Sanders, "Stellar Atmospheric Parameters From Gaia BP/RP Spectra using Uncertain Neural
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

from stellarlabels import flags, packaged, releases
from stellarlabels.columns import find, values
from stellarlabels.corrections.extinction import coefficients as extinction_coefficients
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.base import Features, register
from stellarlabels.inputs.colors import color_set
from stellarlabels.inputs.colors.set import magnitude, magnitude_error
from stellarlabels.inputs.xp import packed
from stellarlabels.inputs.xp.agreement import BINS, NORM_FROM, PER_BIN, PLACES, differ
from stellarlabels.inputs.xp.bridge import XPFeatureSet
from stellarlabels.inputs.xp.coefficients import cells, has_coefficients
from stellarlabels.inputs.xp.layout import BANDS, CELLS, REFERENCE, SIZES, TOTAL, columns
from stellarlabels.inputs.xp.recovery import PRECISION_KEY, recover_coefficients
from stellarlabels.inputs.xp.samples import spectra, without_spectra
from stellarlabels.inputs.xp.sampling import WAVELENGTH, design_matrix

#: The paper's colors.
COLORS = ("BP-RP", "W1-W2", "J-H", "H-W2")

#: Bands of which each pseudo-magnitude is made.
PSEUDO_BANDS = {"rjce": ("RP", "H", "W2"), "observed": ("RP",), None: ()}

#: Rows whose covariances are held in double precision at once: few enough for the cache of a processor.
BLOCK = 512


def normalise(coefficients, covariances):
    """Coefficients (N, 110) and packed covariances over the first coefficient of RP; where (N,) that is positive."""
    # Where not, over its error, as in the paper for coefficients that are zero, and here for negative ones, too.
    reference = coefficients[:, REFERENCE]
    with np.errstate(invalid="ignore", divide="ignore"):
        positive = reference > 0
        divisor = np.where(positive, reference, np.sqrt(covariances[1][:, 0]))
        divisor = np.where(divisor > 0, divisor, np.nan)[:, None]
        return coefficients / divisor, tuple(block * (1 / divisor**2) for block in covariances), positive


def propagate(rows, coefficients, covariances):
    """Covariances (N, L, L) of functions with derivatives (N, L, 110) with respect to coefficients of `normalise`."""
    rows = _shared(rows, coefficients)
    out = 0.0
    for band, block in zip(BANDS, covariances, strict=True):
        part = rows[..., columns(band)]
        out = out + (part @ packed.unpack(block)) @ np.swapaxes(part, 1, 2)
    return out


def _shared(rows, coefficients):
    """Derivatives with respect to the coefficients of the archive, times the divisor."""
    rows = rows.copy()
    rows[..., REFERENCE] -= (rows @ coefficients[:, :, None])[..., 0]
    return rows


def dense_covariance(coefficients, covariances):
    """The whole covariances (N, 110, 110) of coefficients of `normalise`, NaN in rows and columns of a missing band."""
    out = np.zeros((len(coefficients), TOTAL, TOTAL))
    blocks = [packed.unpack(block) for block in covariances]
    for band, block in zip(BANDS, blocks, strict=True):
        out[:, columns(band), columns(band)] = block
    shared = np.concatenate([np.zeros((len(out), SIZES["bp"])), blocks[1][:, 0]], axis=1)
    cross = coefficients[:, :, None] * shared[:, None, :]
    out -= cross + np.swapaxes(cross, 1, 2)
    out += coefficients[:, :, None] * coefficients[:, None, :] * blocks[1][:, :1, :1]
    return out


@lru_cache(maxsize=1)
def designs():
    """Samples (343, 110) of unit coefficients over the largest; their mean redward of 415 nm; some of them."""
    samples = design_matrix()
    samples = samples / np.abs(samples).max()
    return samples, samples[WAVELENGTH > NORM_FROM].mean(axis=0), samples[PLACES.ravel()]


def add_noise(features, amount, seed=0):
    """The same stars with noise of ``amount`` times the covariance added, which in the features grows by 1 + amount."""
    rng = np.random.default_rng(seed)
    arrays = dict(features.arrays)
    noise = []
    for band in BANDS:
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
    for band in BANDS:
        arrays[f"{band}_covariance"] = (arrays[f"{band}_covariance"] * (1 + amount) / divisor**2).astype(np.float32)
        arrays.pop(f"{band}_factor", None)
    return replace(features, arrays=arrays, snr=features.snr / np.sqrt(1 + amount))


@register
class XPCoefficients(XPFeatureSet):
    """Normalised XP coefficients, colors and a pseudo-absolute magnitude, and the full covariance of all of them.

    Arrays: ``coefficients`` (N, 110) as in `normalise`; ``bp_covariance`` and ``rp_covariance`` (N, 1540), packed, of
    the coefficients divided by the square of the divisor; ``others`` (N, C), colors and the pseudo-magnitude, NaN where
    one is missing; ``other_covariance`` (N, C, C), 0 where one is missing; ``flux`` (N, 48), the spectrum on a coarse
    grid, in units of its mean, in which stars are compared with the training stars; ``log_error`` (N, 12), mean natural
    logarithms of its errors in bins.

    The table has XP coefficients with errors and correlations, or sampled spectra: then coefficients and their
    covariance come from `stellarlabels.inputs.xp.recover_coefficients`. Sampled spectra also count beside coefficients
    that have no correlations; without either the covariance, which the paper uses, is unknown.

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
        known = color_set("gaia_2mass_wise")
        names = {band.name for band in known.bands}
        for color in self.colors:
            if len(color.split("-")) != 2 or not set(color.split("-")) <= names:
                raise InputError(f"colors: expected pairs of {sorted(names)} such as 'BP-RP', got {color!r}")
        if pseudo_magnitude not in PSEUDO_BANDS:
            raise InputError(f"pseudo_magnitude: expected 'rjce', 'observed' or None, got {pseudo_magnitude!r}")
        needed = {band for color in self.colors for band in color.split("-")} | set(PSEUDO_BANDS[pseudo_magnitude])
        self._known = {band.name: band for band in known.bands}
        self._bands = [name for name in self._known if name in needed]

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

    def shown(self, features, compared):
        samples, mean_flux, _ = designs()
        coefficients = features.arrays["coefficients"]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (coefficients @ samples.T) / (coefficients @ mean_flux)[:, None]

    def _compute(self, table):
        """Inputs of a table that fits into memory."""
        _, other = releases.require(table, self.release, what="these networks")
        coefficients, covariances, bad = _coefficients(table)
        coefficients, covariances, positive = normalise(coefficients, covariances)
        missing = np.stack([~np.isfinite(coefficients[:, columns(band)]).all(axis=1) for band in BANDS], axis=1)
        unknown = [~np.isfinite(block.sum(axis=1)) for block in covariances]
        usable = ~(missing.any(axis=1) | unknown[0] | unknown[1])
        others, other_covariance = self._others(table)
        _, mean_flux, coarse = designs()
        flux = np.where(usable[:, None], coefficients, 0) @ coarse.T
        blocks = [block if usable.all() else np.where(usable[:, None], block, 0) for block in covariances]
        variance = sum(
            block @ packed.quadratic_weights(coarse[:, columns(band)])
            for band, block in zip(BANDS, blocks, strict=True)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(variance)
            snr = np.where(usable, np.median(flux / error, axis=1), np.nan)
            mean = np.abs(coefficients @ mean_flux)[:, None]
            flux, log_error = flux / mean, np.log(error / mean).reshape(-1, BINS, PER_BIN).mean(axis=2)
            usable &= np.isfinite(flux).all(axis=1) & np.isfinite(log_error).all(axis=1)
            coarse = flux.reshape(-1, BINS, PER_BIN).mean(axis=2)
        mismatch = usable & differ(coarse, np.exp(log_error), others, self.colors)
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
                PHOTOMETRY_MISMATCH=mismatch,
                OTHER_RELEASE=other,
            ),
            usable=usable,
            color=self._magnitude(table, "BP") - self._magnitude(table, "RP"),
            magnitude=self._magnitude(table, "G"),
            snr=snr,
            ebv=np.full(len(table), np.nan),
        )

    def _magnitude(self, table, band):
        return magnitude(table, self._known[band], required=False)

    def other_features(self, table):
        """Colors and pseudo-magnitude.

        Returns
        -------
        `~numpy.ndarray` of float64, shape (N, C)
            NaN where one is missing.
        """
        return self._others(table)[0]

    def _others(self, table):
        """Colors and pseudo-magnitude (N, C) and their covariance (N, C, C)."""
        bands = self._bands
        observed = {band: self._magnitude(table, band) for band in bands}
        errors = [magnitude_error(table, self._known[band]) for band in bands]
        count = len(self.colors) + bool(self.pseudo_magnitude)
        found, slopes = np.empty((len(table), count)), np.zeros((len(table), count, len(bands) + 1))
        for index, color in enumerate(self.colors):
            blue, red = color.split("-")
            found[:, index] = observed[blue] - observed[red]
            slopes[:, index, bands.index(blue)], slopes[:, index, bands.index(red)] = 1, -1
        errors.append(np.zeros(len(table)))
        if self.pseudo_magnitude:
            found[:, -1], slopes[:, -1] = self._pseudo(table, observed)
            errors[-1] = values(table, "parallax_error", required=False)
            found[~(errors[-1] > 0), -1] = np.nan
        slopes[np.isnan(found)] = 0
        slopes *= np.nan_to_num(np.stack(errors, axis=1))[:, None, :]
        return found, slopes @ np.swapaxes(slopes, 1, 2)

    def _pseudo(self, table, observed):
        """Pseudo-magnitude (N,) and its derivatives with respect to the bands and the parallax (N, B + 1)."""
        bands = self._bands
        slopes = np.zeros((len(table), len(bands) + 1))
        dimming = np.zeros(len(table))
        slopes[:, bands.index("RP")] = 1
        if self.pseudo_magnitude == "rjce":
            numbers = packaged.table("extinction", "rjce")
            row = numbers[[str(name) for name in numbers["variant"]].index("wise")]
            ratio = float(row["coefficient"]) * extinction_coefficients("wang_chen_2019").relative("RP", "Ks")
            dimming = ratio * (observed["H"] - observed["W2"] - float(row["offset"]))
            reddened = dimming > 0
            slopes[reddened, bands.index("H")] = -ratio
            slopes[reddened, bands.index("W2")] = ratio
            dimming = np.maximum(dimming, 0)
        unit = 10 ** (0.2 * (observed["RP"] - dimming))
        found = values(table, "parallax", required=False) * unit
        slopes *= (0.2 * np.log(10) * found)[:, None]
        slopes[:, -1] = unit
        return found, np.nan_to_num(slopes)


def _without_correlations(table):
    """Whether a table has coefficients, but not the correlations of both bands, without which errors are unknown."""
    return any(find(table, CELLS[band][2]) is None for band in BANDS)


def _coefficients(table):
    """Coefficients (N, 110), their packed covariances by band, and where samples were bad (N,)."""
    if not has_coefficients(table) or (_without_correlations(table) and find(table, "flux") is not None):
        flux, error, flag = spectra(table)
        coefficients, covariance = recover_coefficients(flux, error, precision=table.meta.get(PRECISION_KEY))
        covariances = tuple(covariance.band(band) for band in BANDS)
        return coefficients, covariances, flags.SPECTRUM.has(flag, "BAD_SAMPLES")
    coefficients, covariances = [], []
    for band in BANDS:
        missing = [name for name in CELLS[band] if find(table, name) is None]
        if missing:
            raise MissingColumnError(f"column {missing[0]!r} is missing{without_spectra(table)}")
        found, error, correlations = (cells(table[find(table, name)], name) for name in CELLS[band])
        found, error = found.astype(float), error.astype(float)
        coefficients.append(found)
        covariances.append(packed.pack_correlations(np.where(error >= 0, error, np.nan), correlations))
    return np.concatenate(coefficients, axis=1), tuple(covariances), np.zeros(len(table), bool)
