"""Distances of a table of stars: from their labels, photometry and parallaxes to a table of distances with flags."""

from dataclasses import dataclass

import numpy as np
from astropy import units as u

from stellarlabels import __version__, columns, flags, releases
from stellarlabels.columns import StarTable
from stellarlabels.corrections.arguments import floats
from stellarlabels.corrections.extinction import extinction as extinction_in
from stellarlabels.corrections.parallax import correct_parallax
from stellarlabels.distances import priors
from stellarlabels.distances.pdf import DistancePDF
from stellarlabels.distances.posterior import LOWER, UPPER, DistanceSummary
from stellarlabels.exceptions import InputError, MissingColumnError, ReleaseError

#: A distance known to no better than this, as the error of ln d, is the prior's rather than the data's.
WEAK_ERROR = 0.5
#: Disagreement of magnitude and parallax, in standard errors, from which on it is flagged.
CONFLICT = 3.0

DISTANCE = flags.register(
    flags.FlagSet(
        "distance",
        "distance_flag: what the distance rests on, and what limits the trust in it",
        [
            ("NO_DISTANCE", "There is nothing to compute a distance from; it is masked.", "bad"),
            ("NO_MAGNITUDE", "The apparent or the absolute magnitude, or its error, is missing.", "note"),
            ("NO_EXTINCTION", "The extinction is missing, so the magnitudes were not used.", "note"),
            ("NO_PARALLAX", "The parallax or its error is missing.", "note"),
            ("BAD_ERROR", "An error is zero, negative or infinite; what it belongs to was not used."),
            ("MAGNITUDE_FLAGGED", "The absolute magnitude has a flag of level caution or bad itself."),
            ("PRIOR_DOMINATED", "The data fix the distance to no better than 50 %; it depends on the prior."),
            ("CONFLICT", "Magnitudes and parallax disagree by more than three standard errors."),
        ],
    )
)


@dataclass(frozen=True)
class _Band:
    """Columns of one photometric band."""

    apparent: str
    apparent_err: str | None
    absolute: str
    extinction: str | None


_BANDS = {
    "g": _Band("phot_g_mean_mag", None, "m_g", "ag"),
    "g_dimmed": _Band("phot_g_mean_mag", None, "m_g_dimmed", None),
    "ks": _Band("ks_m", "ks_msigcom", "m_ks", "aks"),
}


@columns.entrance("table", "labels")
def distances(
    table,
    labels=None,
    *,
    band="g",
    prior=None,
    use_parallax="auto",
    extinction=None,
    extinction_err=0,
    absolute_mag_err=None,
    release=None,
    zero_point=False,
    progress=False,
):
    """Distances of stars from absolute magnitudes and, where there are any, parallaxes.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars, with the apparent magnitude (``phot_g_mean_mag``, or ``ks_m`` and ``ks_msigcom``), the extinction
        (``ag`` or ``aks``, else ``ebv``, from which it follows, unless given as an argument), and where wanted
        ``parallax`` and ``parallax_error``.
    labels : `~astropy.table.Table`, optional
        Table of the same stars with the absolute magnitude (``m_g`` or ``m_ks``), its error (``m_g_err``) and flag; by
        default these are columns of ``table``.
    band : {"g", "ks", "g_dimmed"}
        Gaia G or 2MASS Ks; "g_dimmed" for absolute magnitudes that contain the extinction (``m_g_dimmed``, M_G +
        A_G), with which no extinction is needed.
    prior : None, str, callable or `stellarlabels.distances.Prior`
        See `stellarlabels.distances.DistancePDF.with_parallax`. None: uniform in distance modulus, as
        the closed form implies.
    use_parallax : {"auto", True, False}
        Whether parallaxes are used where they are present; True makes the absence of the columns an error.
    extinction, extinction_err : Quantity, array_like or callable, optional
        Extinction in the band and its standard error in mag, for all stars or for each, or a function of ``table`` that
        returns it. It takes precedence over the column.
    absolute_mag_err : `~astropy.units.Quantity` or array_like, optional
        Standard error of the absolute magnitude in mag; takes precedence over the column.
    release : str, optional
        The Gaia release of the table, where it does not tell it; or "ignore", to use labels from another release.
    zero_point : bool
        Whether parallaxes that are used are corrected for their zero-point first, see
        `stellarlabels.corrections.parallax.correct_parallax`. False if they are already.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    `~astropy.table.QTable`
        The same rows in the same order: the table's identifier column; ``distance`` (median), ``distance_err`` (half
        of the interval from 16 to 84 %), ``distance_flag`` (int32, bits of the flag set ``"distance"``),
        ``distance_good`` (bool, whether there is a distance without a flag of level caution or bad),
        ``distance_lo`` and ``distance_hi`` (16 and 84 %), ``distance_mode``, all float64 in pc, masked where there is
        no distance. Where the table has distances of Bailer-Jones et al. (2021) they follow, with the ratios
        ``distance_ratio_geo`` and ``distance_ratio_photogeo`` of the distance to them.

    Raises
    ------
    InputError
        If ``band``, ``use_parallax`` or ``prior`` is unknown, ``labels`` are other stars, or an argument has another
        length.
    stellarlabels.exceptions.ReleaseError
        If the labels are of another release than the table.
    MissingColumnError
        If a magnitude, the extinction or (with ``use_parallax=True``) the parallax is neither a column nor an argument.
    stellarlabels.exceptions.ColumnUnitError
        If the unit of a column or an argument does not convert.

    Notes
    -----
    Stars without usable magnitudes get the distance that parallax and prior give, if the two suffice. Stars with
    magnitudes but without a parallax get the closed form, or with a prior its product with the prior.
    """
    if band not in _BANDS:
        raise InputError(f"band: expected one of {list(_BANDS)}, got {band!r}")
    if use_parallax not in ("auto", True, False):
        raise InputError(f"use_parallax: expected 'auto', True or False, got {use_parallax!r}")
    if zero_point and use_parallax is not False:
        table = _with_corrected_parallaxes(table, release)
    found = releases.of(table, release)
    if labels is not None:
        _check_release(table, labels, release)
    labels = table if labels is None else labels
    columns.check_same_stars(table, labels)
    prior = priors.get(prior)
    prior = None if prior is None else prior.for_stars((len(table),))
    measured, flag = _measurements(
        table, labels, _BANDS[band], use_parallax, extinction, extinction_err, absolute_mag_err
    )
    summary, tension = _solve(measured, prior, progress)
    flag |= DISTANCE.where(
        NO_DISTANCE=np.isnan(summary.median.value),
        PRIOR_DOMINATED=np.isfinite(summary.median.value) & (measured.error > WEAK_ERROR),
        CONFLICT=tension > CONFLICT,
    )
    out = StarTable()
    key = columns.identifier(table)
    if key is not None:
        out[key] = table[key]
    _fill(out, summary, flag)
    _join_published(out, table, summary.median)
    out.meta = {
        "band": band,
        "prior": "uniform in distance modulus" if prior is None else repr(prior),
        "stellarlabels": __version__,
        **releases.told(found),
    }
    return out


def _with_corrected_parallaxes(table, release):
    """The table with parallaxes corrected for their zero-point, if it has any."""
    name = columns.find(table, "parallax")
    if name is None:
        return table
    try:
        corrected = correct_parallax(table, release=release)["parallax_corrected"]
    except ReleaseError as error:
        raise ReleaseError(f"{error}: say zero_point=False (--no-zero-point)") from error
    except MissingColumnError as error:
        hint = "parallaxes are corrected for their zero-point with it; if they are already, say zero_point=False"
        raise MissingColumnError(f"{error}; {hint} (--no-zero-point)") from error
    out = StarTable(table, copy=False)
    out.replace_column(name, corrected)
    return out


def _check_release(table, labels, release):
    """Refuse labels that are known to be of another release than the table."""
    known = releases.told(releases.of(labels)).get(releases.META)
    if known is not None:
        remedy = "give the table from which the labels are, or release='ignore'"
        releases.require(table, known, release, what="these labels", remedy=remedy)


@dataclass(frozen=True)
class _Measurements:
    """Plain arrays (N,) of what is used of each star; infinite errors stand for what is not used."""

    apparent: np.ndarray
    absolute: np.ndarray
    extinction: np.ndarray
    magnitude_err: np.ndarray
    parallax: np.ndarray
    parallax_err: np.ndarray

    @property
    def error(self):
        """Approximate standard error of ln d from the data alone."""
        photometric = self.magnitude_err * np.log(10) / 5
        astrometric = np.maximum(self.parallax / self.parallax_err, 0)
        with np.errstate(divide="ignore"):
            return 1 / np.sqrt(photometric**-2.0 + astrometric**2)


def _measurements(table, labels, band, use_parallax, extinction, extinction_err, absolute_mag_err):
    """What can be used of the table, and the flags of what cannot."""
    count = len(table)
    apparent = columns.values(table, band.apparent)
    absolute_column, error_column, flag_column = columns.label_columns(band.absolute)
    absolute = columns.column_values(labels, absolute_column)
    if absolute_mag_err is None:
        absolute_err = columns.column_values(labels, error_column)
    else:
        absolute_err = _argument(absolute_mag_err, "absolute_mag_err", count)
    flagged = columns.column_values(labels, flag_column, required=False)
    apparent_err = np.zeros(count)
    if band.apparent_err is not None:
        apparent_err = np.nan_to_num(columns.values(table, band.apparent_err, required=False), nan=0.0)
    extinct, extinct_err = _extinction(table, band, extinction, extinction_err)
    parallax, parallax_err = _parallax(table, use_parallax)

    magnitudes = np.isfinite(apparent) & np.isfinite(absolute) & ~np.isnan(absolute_err)
    extinctions = np.isfinite(extinct) & ~np.isnan(extinct_err)
    parallaxes = np.isfinite(parallax) & ~np.isnan(parallax_err)
    bad_magnitude = magnitudes & ~_positive(absolute_err)
    bad_magnitude |= ~_not_negative(apparent_err) | (extinctions & ~_not_negative(extinct_err))
    bad_parallax = parallaxes & ~_positive(parallax_err)
    flag = DISTANCE.where(
        NO_MAGNITUDE=~magnitudes,
        NO_EXTINCTION=~extinctions,
        NO_PARALLAX=~parallaxes & (use_parallax is not False),
        BAD_ERROR=bad_magnitude | bad_parallax,
        MAGNITUDE_FLAGGED=~flags.LABEL.is_good(np.nan_to_num(flagged).astype(np.int64)),
    )
    use_magnitudes = magnitudes & extinctions & ~bad_magnitude
    use_parallaxes = parallaxes & ~bad_parallax
    total = np.sqrt(absolute_err**2 + apparent_err**2 + extinct_err**2)
    measured = _Measurements(
        apparent,
        absolute,
        extinct,
        np.where(use_magnitudes, total, np.inf),
        np.where(use_parallaxes, parallax, 0.0),
        np.where(use_parallaxes, parallax_err, np.inf),
    )
    return measured, flag


def _extinction(table, band, extinction, extinction_err):
    """Extinctions and their errors, from the arguments or the column."""
    if extinction is None and band.extinction is None:
        value = np.zeros(len(table))
    elif extinction is None and columns.find(table, band.extinction) is not None:
        value = columns.values(table, band.extinction)
    elif extinction is None and columns.find(table, "ebv") is not None:
        value = extinction_in({"ag": "G", "aks": "Ks"}[band.extinction], columns.values(table, "ebv"))
    elif extinction is None:
        names = ", ".join((*columns.column(band.extinction).names, *columns.column("ebv").names))
        raise MissingColumnError(
            f"column {band.extinction!r} is missing (looked for {names}) and no extinction is given; "
            "pass extinction=0 for stars without any"
        )
    else:
        value = _argument(extinction(table) if callable(extinction) else extinction, "extinction", len(table))
    error = extinction_err(table) if callable(extinction_err) else extinction_err
    return value, _argument(error, "extinction_err", len(table))


def _parallax(table, use_parallax):
    """Parallaxes and their errors in mas; NaN where they are missing or not wanted."""
    if use_parallax is False:
        return np.full(len(table), np.nan), np.full(len(table), np.nan)
    return tuple(columns.values(table, name, required=use_parallax is True) for name in ("parallax", "parallax_error"))


def _argument(data, name, count):
    """An argument in mag, for all stars or for each, as an array (N,)."""
    array = floats(data, name, "mag")
    if array.shape not in ((), (count,)):
        raise InputError(f"{name}: expected one value or {count}, got the shape {array.shape}")
    return np.broadcast_to(array, (count,))


def _positive(error):
    return (error > 0) & np.isfinite(error)


def _not_negative(error):
    return (error >= 0) & np.isfinite(error)


def _solve(measured, prior, progress):
    """Summary and tension of all stars; the closed form where it applies."""
    count = measured.apparent.size
    values = np.full((len(DistanceSummary._fields), count), np.nan)
    tension = np.zeros(count)
    has_magnitude, has_parallax = np.isfinite(measured.magnitude_err), np.isfinite(measured.parallax_err)
    closed = has_magnitude & ~has_parallax & (prior is None)
    if closed.any():
        pdf = _pdf(measured, closed)
        lower, upper = pdf.quantile([LOWER, UPPER])
        values[:, closed] = [item.value for item in DistanceSummary(pdf.median, lower, upper, pdf.mode, pdf.mean)]
    rest = (has_magnitude | has_parallax) & ~closed
    if rest.any():
        own = None if prior is None else prior.rows(np.flatnonzero(rest))
        parallax, error = measured.parallax[rest] * u.mas, measured.parallax_err[rest] * u.mas
        posterior = _pdf(measured, rest).with_parallax(parallax, error, own)
        values[:, rest] = [item.value for item in posterior.summary(progress=progress)]
        tension[rest] = np.nan_to_num(posterior.tension)
    return DistanceSummary(*(u.Quantity(row, u.pc) for row in values)), tension


def _pdf(measured, rows):
    return DistancePDF(
        measured.apparent[rows], measured.absolute[rows], measured.magnitude_err[rows], measured.extinction[rows]
    )


def _fill(out, summary, flag):
    """The columns of the distance."""
    value, error, flag_column = columns.label_columns("distance")
    out[value.name] = value.dress(summary.median)
    out[error.name] = error.dress((summary.upper - summary.lower) / 2)
    out[flag_column.name] = flag_column.dress(flag)
    good = columns.good_values(value.name, out[value.name], out[flag_column.name])
    out[columns.good_column(value.name).name] = good
    for name, data in (("distance_lo", summary.lower), ("distance_hi", summary.upper), ("distance_mode", summary.mode)):
        out[name] = columns.column(name).dress(data)


def _join_published(out, table, median):
    """Bailer-Jones distances that the table has, and the ratios of the distance to their medians."""
    for kind in ("geo", "photogeo"):
        names = [f"r_{part}_{kind}" for part in ("med", "lo", "hi")]
        present = [name for name in names if columns.find(table, name) is not None]
        for name in present:
            out[name] = columns.column(name).dress(columns.values(table, name))
        if f"r_med_{kind}" in present:
            published = columns.values(table, f"r_med_{kind}")
            ratio = median.value / np.where(published > 0, published, np.nan)
            out[f"distance_ratio_{kind}"] = columns.column(f"distance_ratio_{kind}").dress(ratio)
