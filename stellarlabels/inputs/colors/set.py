"""The feature set of colors."""

import warnings

import numpy as np

from stellarlabels import columns, flags, packaged
from stellarlabels.columns import Column, StarTable
from stellarlabels.corrections.extinction import DEFAULT, ebv_of, reddening
from stellarlabels.exceptions import InputError, MissingColumnError, MissingUnitWarning
from stellarlabels.inputs.base import Features, FeatureSet, register
from stellarlabels.inputs.colors.definition import color_set

#: Magnitudes, errors and colors of this size stand for "not measured": SExtractor writes 99, others -9999.
SENTINEL = 90.0

#: Error of a magnitude for a small relative error of the flux.
POGSON = 2.5 / np.log(10)


@register
class Colors(FeatureSet):
    """Dereddened colors, and the errors of the magnitudes that they are made of.

    Arrays: ``color`` (N, C) in mag, and ``error`` (N, B), the independent standard errors of the B magnitudes in mag.
    The covariance of the colors follows with `error_matrix`, for instance by `ColorSet.covariance`.

    A star without one of the magnitudes has no input (flags NO_INPUT and MISSING_PHOTOMETRY), and so has one without
    E(B-V) (MISSING_EBV), where colors are dereddened. A magnitude without an error has the typical error of its band,
    or, where the set gives none, 0 and the flag BAD_SAMPLES, which is also for fields without zero-points in sets that
    have some. BAD_PHOTOMETRY: the survey's own flags are not 0.
    NOISY_INPUT and MAGNITUDE_RANGE: beyond the set's largest error or faintest magnitude.

    Parameters
    ----------
    colors : str or dict
        Name of a color set, path of one, or its definition; see `stellarlabels.inputs.colors.color_set`.
    """

    name = "colors"

    def __init__(self, colors="csnet"):
        self.colors = color_set(colors)
        self._given = colors if isinstance(colors, str) and not colors.endswith(".ecsv") else self.colors.to_dict()

    @property
    def config(self):
        return {"colors": self._given}

    @property
    def error_matrix(self):
        """Derivatives of the colors with respect to the magnitudes, shape (C, B)."""
        return self.colors.matrix

    @property
    def constants(self):
        return {"error_matrix": self.error_matrix}

    def compute(self, table):
        chosen, table = self.colors, _in_magnitudes(table, self.colors)
        magnitudes = np.stack([magnitude(table, band) for band in chosen.bands], axis=1)
        errors = np.stack([magnitude_error(table, band) for band in chosen.bands], axis=1)
        unknown = np.isnan(errors)
        errors = np.where(unknown, [band.typical_error or 0.0 for band in chosen.bands], errors)
        unknown &= np.isfinite(magnitudes) & np.array([band.typical_error is None for band in chosen.bands])
        ratios, scale = chosen.reddening()
        ebv = np.full(len(table), np.nan)
        offset, doubt = chosen.zero_point(table)
        errors, unknown = np.hypot(errors, doubt), unknown | (doubt > 0)
        observed = magnitudes @ chosen.matrix.T - offset
        color = observed
        if chosen.dereddens:
            ebv = columns.values(table, "ebv", required=False)
            color = observed - ebv_of(table, scale)[:, None] * ratios
        complete = np.isfinite(observed).all(axis=1)
        usable = np.isfinite(color).all(axis=1)
        brightness = _brightness(table, chosen, magnitudes)
        reference = color[:, chosen.colors.index(chosen.color)] if chosen.color else np.full(len(table), np.nan)
        with np.errstate(invalid="ignore"):
            flag = flags.LABEL.where(
                NO_INPUT=~usable,
                MISSING_PHOTOMETRY=~complete,
                MISSING_EBV=np.isnan(ebv) & chosen.dereddens,
                BAD_SAMPLES=unknown.any(axis=1),
                BAD_PHOTOMETRY=_flagged(table, chosen.flags),
                NOISY_INPUT=(errors > (chosen.largest_error or np.inf)).any(axis=1),
                MAGNITUDE_RANGE=brightness > (chosen.faintest or np.inf),
            )
        return Features(
            arrays={"color": _ready(color, usable), "error": _ready(errors, usable)},
            flag=flag,
            usable=usable,
            color=reference,
            magnitude=brightness,
            snr=np.full(len(table), np.nan),
            ebv=ebv,
        )

    def damaged(self, table, seed=0):

        return damaged(table, self.colors, seed)


def _in_magnitudes(table, colors):
    """The table with units of the magnitudes and errors of a set that have none; one warning names all of them."""
    items = [_declaration(names) for band in colors.bands for names in (band.columns, band.errors) if names]
    found = {columns.column_name(table, item): item for item in items}
    found = {key: item for key, item in found.items() if key and getattr(table[key], "unit", None) is None}
    if found:
        text = f"columns have no unit; they are taken to be in mag: {', '.join(map(repr, found))}"
        warnings.warn(text, MissingUnitWarning, stacklevel=5)
        table = StarTable(table, copy=False)
        for key, item in found.items():
            table[key] = item.dress(columns.without_unit(table[key]))
    return table


def _brightness(table, colors, magnitudes):
    """The magnitude (N,) of which applicability ranges speak, from those of the bands (N, B) or a column."""
    names = [band.name for band in colors.bands]
    if colors.magnitude in names:
        return magnitudes[:, names.index(colors.magnitude)]
    return columns.values(table, colors.magnitude, required=False)


def magnitude(table, band, *, required=True):
    """Magnitudes (N,) of a `Band`, NaN where there is none; without a column an error, or NaN if not ``required``."""
    found = _found(table, band.columns, band.array, band.element)
    if found is None and required:
        looked = [*band.columns, *([f"{band.array}[{band.element}]"] if band.array else [])]
        raise MissingColumnError(
            f"magnitude {band.name!r} is missing; looked for {', '.join(looked)}; system.label(table), or "
            "'stellarlabels label' without --offline, fetches what an archive has by source_id"
        )
    return np.full(len(table), np.nan) if found is None else found


def magnitude_error(table, band):
    """Standard errors (N,) of the magnitudes of a `Band`, NaN where they are not known, or negative."""
    found = _found(table, band.errors, band.array_error, band.element)
    if found is None:
        found = np.full(len(table), np.nan)
    if band.flux:
        flux, error = (columns.values(table, name, required=False) for name in (band.flux, band.flux_error))
        with np.errstate(invalid="ignore", divide="ignore"):
            derived = np.where(flux > 0, POGSON * error / flux, np.nan)
        found = np.where(np.isnan(found), derived, found)
    return np.where(found >= 0, found, np.nan)


def color_values(table, colors):
    """Colors (N, C) of a `ColorSet` as observed, NaN where a magnitude is missing or has no column."""
    found = np.stack([magnitude(table, band, required=False) for band in colors.bands], axis=1)
    used = colors.matrix != 0
    out = np.nan_to_num(found) @ colors.matrix.T
    out[(np.isnan(found)[:, None, :] & used).any(axis=2)] = np.nan
    return out


def intrinsic_color(table, ebv, coefficients=DEFAULT):
    """(BP-RP)0 (N,) in mag: the table's own ``bp_rp_0`` where it has one, else BP-RP dereddened with ``ebv`` (SFD)."""
    own = columns.values(table, "bp_rp_0", required=False)
    observed = color_values(table, color_set("gaia_2mass_wise").select(["BP-RP"]))[:, 0]
    return np.where(np.isfinite(own), own, observed - reddening("BP-RP", ebv, coefficients=coefficients))


def _found(table, names, array, element):
    """Values of the first column that there is, NaN where they are none; None without a column."""
    try:
        found = columns.column_values(table, _declaration(names)) if names else None
    except MissingColumnError:
        found = None
    if found is None and array and columns.find(table, array) is not None:
        found = _element(columns.values(table, array), array, element)
    return None if found is None else np.where(np.abs(found) < SENTINEL, found, np.nan)


def _declaration(names):
    """A column of any of these names, or of those under which the vocabulary has the first."""
    known = columns.vocabulary()
    others = known[names[0]].aliases if names[0] in known else ()
    return Column(names[0], "mag", aliases=(*names[1:], *others))


def _element(values, array, element):
    if values.ndim != 2 or values.shape[1] <= element:
        raise InputError(f"column {array!r}: expected cells of more than {element} values, got {values.shape[1:]}")
    return values[:, element]


def _flagged(table, name):
    """Stars against which the survey's own flags speak, in any band."""
    if not name or columns.find(table, name) is None:
        return np.zeros(len(table), dtype=bool)
    values = np.nan_to_num(columns.values(table, name))
    return (values != 0).reshape(len(table), -1).any(axis=1)


def _ready(array, usable):
    """float32 copy with zeros in rows that are not usable."""
    return np.where(usable[:, None], array, 0).astype(np.float32)


#: Largest error of a band, and of all bands from the bluest to the reddest (mag); scatter of wrong zero-points.
BAND, SLOPE, SCATTER = 1.5, 1.5, 0.6


def damaged(table, colors, seed=0):
    """Copies (N rows) of stars with wrong magnitudes, and how wrong (N,), 0 to 1: one band, a slope, or all bands."""
    random, bands = np.random.default_rng(seed), colors.bands
    shape = len(table), len(bands)
    severity, sign = random.uniform(0.05, 1, (shape[0], 1)), random.choice([-1, 1], (shape[0], 1))
    one = np.arange(shape[1]) == random.integers(shape[1], size=(shape[0], 1))
    kinds = BAND * sign * one, SLOPE / 2 * sign * np.linspace(1, -1, shape[1]), SCATTER * random.normal(size=shape)
    offset = severity * np.choose(random.integers(len(kinds), size=(shape[0], 1)), kinds)
    out = StarTable(table, copy=False)
    for index, band in enumerate(bands):
        found = magnitude(table, band) + offset[:, index]
        out[band.columns[0]] = Column(band.columns[0], "mag").dress(found)
    return out, severity[:, 0]


def photometric_error(magnitude, limit, *, signal_to_noise=5.0, gamma=0.039, floor=0.0):
    """Standard error of magnitudes in a survey of a given depth.

    Parameters
    ----------
    magnitude : array_like
        In mag.
    limit : array_like
        Magnitude at which the signal-to-noise ratio is ``signal_to_noise``; it broadcasts with ``magnitude``.
    signal_to_noise : float
    gamma : float
        Share of the photons of the sky and of the read-out noise in the error at the limit; 0.04 is nothing but sky.
    floor : float
        Systematic error in mag that is added in quadrature.

    Returns
    -------
    `~numpy.ndarray` of float64
        In mag; NaN where the magnitude is missing.

    Notes
    -----
    Ivezic et al. (2019, ApJ 873, 111), Eqs. 4 and 5, with the depth of 5 sigma that belongs to ``limit``.
    """
    five_sigma = np.asarray(limit, dtype=float) - 2.5 * np.log10(5.0 / signal_to_noise)
    x = 10 ** (0.4 * (np.asarray(magnitude, dtype=float) - five_sigma))
    return np.sqrt((0.04 - gamma) * x + gamma * x**2 + floor**2)


def jplus_error(magnitudes):
    """Standard errors of J-PLUS magnitudes.

    Parameters
    ----------
    magnitudes : array_like, shape (N, 12)
        In mag (AB), in order of wavelength.

    Returns
    -------
    `~numpy.ndarray` of float64, shape (N, 12)
    """
    depth = packaged.table("photometry", "jplus_depth")
    settings = {name: depth.meta[name] for name in ("signal_to_noise", "gamma", "floor")}
    return photometric_error(magnitudes, np.asarray(depth["limit"]), **settings)


def _gaia_error(g, band):
    """Standard errors of BP or RP of stars of magnitude G."""
    table = packaged.table("photometry", "gaia_dr3_errors")
    return np.exp(np.interp(g, table["g"], np.log(table[band])))


def add_noise(table, *, g=None, seed=0):
    """J-PLUS and Gaia magnitudes with the noise that the surveys have.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``mag_aper_6_0`` (12 magnitudes in order of wavelength), ``phot_g_mean_mag``, ``phot_bp_mean_mag`` and
        ``phot_rp_mean_mag``, and, where there are, ``mag_err_aper_6_0`` and errors of BP and RP.
    g : float, optional
        G magnitude at which all stars are to be seen. The noise is that of stars so faint; the magnitudes themselves
        are not shifted, so that nothing but the precision changes. By default each star's own.
    seed : int
        Of the random numbers. With the same seed, noise at another ``g`` is the same noise on another scale.

    Returns
    -------
    `~astropy.table.QTable`
        All columns of the input, with noise in the J-PLUS magnitudes, BP and RP, and errors that contain it:
        ``mag_err_aper_6_0``, ``phot_bp_mean_mag_error``, ``phot_rp_mean_mag_error`` in mag.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If a magnitude is missing.
    """
    rng = np.random.default_rng(seed)
    magnitudes = columns.values(table, "mag_aper_6_0")
    own = columns.values(table, "phot_g_mean_mag")
    seen = own if g is None else np.full(len(table), float(g))
    out = StarTable(table)
    noise = jplus_error(magnitudes + (seen - own)[:, None])
    _add(out, "mag_aper_6_0", "mag_err_aper_6_0", noise, rng)
    for band in ("phot_bp_mean_mag", "phot_rp_mean_mag"):
        _add(out, band, f"{band}_error", _gaia_error(seen, band), rng)
    return out


def _add(table, name, error_name, noise, rng):
    """Noise in one column, and in its errors in quadrature."""
    column, key = columns.column(name), columns.find(table, name)
    values = columns.values(table, name)
    error_column = columns.column(error_name)
    error = np.nan_to_num(columns.values(table, error_name, required=False))
    table[key] = column.dress(values + noise * rng.standard_normal(values.shape))
    table[columns.find(table, error_name) or error_name] = error_column.dress(np.hypot(error, noise))
