"""Sampled spectra of a table as plain arrays on the archive's wavelengths, and what is made of them for networks."""

import numpy as np
from astropy import units as u

from stellarlabels import flags
from stellarlabels.columns import Ragged, alike, factor, find, values, without_unit
from stellarlabels.columns.wavelengths import quality, regrid, same
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.inputs.xp.coefficients import has_coefficients
from stellarlabels.inputs.xp.sampling import WAVELENGTH, sample_arrays

#: Edges in nm of the 60 pixels. The paper gives their number only; equal widths of 11.4 nm cover all samples.
PIXEL_EDGES = np.linspace(335.0, 1021.0, 61)


def spectra(table):
    """Sampled spectra of a table as plain arrays, with what is wrong with them.

    Parameters
    ----------
    table : `~astropy.table.Table`
        With ``flux`` and ``flux_error`` (cells of samples), or with XP coefficients, which are then sampled. Samples
        are at ``wavelength`` (a column of cells, or ``table.meta``), or, without, at 336, 338 ... 1020 nm; from other
        wavelengths they are interpolated.

    Returns
    -------
    flux, error : `~numpy.ndarray` of float64, shape (N, 343)
        W m-2 nm-1; NaN for samples that are missing, not finite, exactly 0, or whose error is not positive.
    flag : `~numpy.ndarray` of int32, shape (N,)
        Bits of `stellarlabels.flags.SPECTRUM`; the table's ``spectrum_flag`` is taken over.

    Raises
    ------
    stellarlabels.exceptions.MissingColumnError
        If there is neither a sampled spectrum nor a set of coefficients.
    stellarlabels.exceptions.ReleaseError
        If coefficients are of another release.
    InputError
        If a column does not hold spectra, or if spectra have another number of samples and no wavelengths.
    """
    other = np.zeros(len(table), bool)
    if find(table, "flux") is None and has_coefficients(table):
        flux, error = sample_arrays(table)
    else:
        flux, error, other = _sampled(table)
    flag = flags.SPECTRUM.where(OTHER_SAMPLING=other)
    if find(table, "spectrum_flag") is not None:
        flag |= np.nan_to_num(values(table, "spectrum_flag")).astype(flag.dtype)
    bad = ~(np.isfinite(flux) & np.isfinite(error) & (error > 0) & (flux != 0))
    flux, error = np.where(bad, np.nan, flux), np.where(bad, np.nan, error)
    flag |= flags.SPECTRUM.where(**quality(flux, error, WAVELENGTH))
    return flux, error, flag


def _sampled(table):
    """Flux and error (N, 343) of samples, and which spectra came on other wavelengths (N,)."""
    own = own_wavelengths(table)
    if isinstance(own, np.ndarray) and same(own, WAVELENGTH):
        own = None
    keys = [find(table, name) for name in ("flux", "flux_error")]
    if None in keys:
        name = "flux_error" if keys[0] else "flux"
        raise MissingColumnError(f"column {name!r} is missing{alike(table, name)}{without_spectra(table)}")
    if own is None and all(_shape(table[key])[1:] == WAVELENGTH.shape for key in keys):
        return values(table, "flux"), values(table, "flux_error"), np.zeros(len(table), bool)
    flux, error = (sample_cells(table, name) for name in ("flux", "flux_error"))
    if own is None:
        lengths = set(flux.lengths.tolist()) - {0}
        if len(_shape(table[keys[0]])) == 2 and lengths and WAVELENGTH.size not in lengths:
            raise InputError(
                f"column {keys[0]!r}: expected spectra of {WAVELENGTH.size} samples, got {lengths.pop()}; give their "
                "wavelengths, as a column or as table.meta['wavelength'], or resample them first"
            )
    return regrid(flux, error, own, WAVELENGTH)


def _shape(column):
    return getattr(column, "shape", ())


def sample_cells(table, name):
    """Cells of a column of samples in the unit of the vocabulary, of any length."""
    key = find(table, name)
    if key is None:
        raise MissingColumnError(f"column {name!r} is missing{without_spectra(table)}")
    try:
        cells = Ragged.from_column(table[key])
    except InputError as error:
        raise InputError(f"column {key!r}: expected cells of samples, got others; {error}") from error
    return Ragged(cells.values * factor(table[key], name), cells.lengths)


#: What to do about a table without XP spectra.
_REMEDY = (
    ": the XP spectrum, cells of 343 samples 'flux' and 'flux_error'; cells of coefficients, 'bp_coefficients', "
    "'rp_coefficients' with '_errors' and '_correlations', will do, too. 'stellarlabels spectra gaia' or "
    "stellarlabels.xp_spectra gets them by source_id, stellarlabels.read_xp reads any file that has them, and "
    "system.label(table) or 'stellarlabels label' without --offline fetches what is lacking"
)


def without_spectra(table):
    """Words for a table without XP spectra: what they are and who gets them, or whose spectra these are."""
    there = {name.lower() for name in table.colnames}
    if there & {"flux_b", "flux_r"}:
        return (
            ": the XP spectrum of Gaia is needed; these are spectra of medium resolution of LAMOST; SPCANet labels them"
        )
    if {"flux", "ivar"} <= there:
        return (
            ": the XP spectrum of Gaia is needed; these are spectra of low resolution of LAMOST; SolarDis labels them"
        )
    return _REMEDY


def own_wavelengths(table):
    """Wavelengths in nm that a table brings for its samples: cells, one array (M,) for all stars, or None."""
    if find(table, "wavelength") is not None:
        cells = sample_cells(table, "wavelength")
        rows = cells.cells()
        if rows.ndim == 2 and len(rows) and (rows == rows[0]).all():
            return rows[0]
        return cells
    given = next((table.meta[key] for key in table.meta if str(key).lower() == "wavelength"), None)
    if given is None:
        return None
    try:
        given = _from_text(given) if isinstance(given, str) else given
        unit = getattr(given, "unit", None)
        given = given.to_value("nm") if unit is not None and hasattr(given, "to_value") else np.asarray(given, float)
    except (TypeError, ValueError) as error:
        raise InputError(f"table.meta['wavelength']: expected wavelengths in nm, got {str(given)[:60]}") from error
    return np.ravel(np.ma.filled(without_unit(given).astype(float), np.nan))


def fill_gaps(values):
    """Interpolate samples (N, M) linearly over NaN along each row; ends continue with the nearest value."""
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
    """Flux and error (N, P) in the pixels of the UA-CSNet paper (Section 2.1), over the mean flux of a window."""
    # Medians of the flux, root mean squares of the errors, not divided by the root of their number, as in the paper;
    # it gives the wavelength of the window (nm), whose width is a choice.
    edges = np.asarray(edges, dtype=float)
    position = np.digitize(WAVELENGTH, edges) - 1
    binned_flux = np.full((len(flux), edges.size - 1), np.nan)
    binned_error = binned_flux.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        for pixel in range(edges.size - 1):
            inside = position == pixel
            if inside.any():
                binned_flux[:, pixel] = nanmedian(flux[:, inside])
                binned_error[:, pixel] = np.sqrt(nanmean(error[:, inside] ** 2))
        window = np.abs(WAVELENGTH - norm_wavelength) <= norm_width / 2
        norm = nanmean(flux[:, window])[:, None]
        norm[~(norm > 0)] = np.nan
        return binned_flux / norm, binned_error / norm


def nanmean(values):
    """Mean along rows without NaN; NaN (and no warning) for empty rows."""
    good = np.isfinite(values)
    count = good.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, values, 0).sum(axis=1) / count


def nanmedian(values):
    """Median along rows without NaN; NaN (and no warning) for empty rows."""
    empty = np.isnan(values).all(axis=1)
    if not np.isnan(values).any():
        return np.median(values, axis=1)
    out = np.full(len(values), np.nan)
    out[~empty] = np.nanmedian(values[~empty], axis=1)
    return out


def _from_text(text):
    """Wavelengths (M,) from the text that files keep of them, ``[ 336. 338. ] nm``."""
    numbers, _, unit = text.partition("]")
    return u.Quantity(np.array(numbers.strip(" [").split(), float), unit.strip() or "nm")
