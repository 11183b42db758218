"""The extinction curve for Gaia XP spectra, and dereddened spectra.

The curve is the median curve of Zhang et al. (2024, arXiv:2407.12386), measured from Gaia XP and LAMOST spectra, from
290 to 5096 nm. It is normalised with E(44-55), the color excess between 440 and 550 nm.
"""

import numpy as np
from astropy import units as u

from stellarlabels import packaged
from stellarlabels.columns.wavelengths import DEFAULT
from stellarlabels.corrections.arguments import floats
from stellarlabels.corrections.extinction.coefficient_sets import SFD, convert_ebv
from stellarlabels.exceptions import InputError

#: Sampling of XP spectra in nm: 343 samples.
XP_SAMPLING = DEFAULT


def e4455(ebv, *, relation="linear", ebv_scale=SFD):
    """Color excess between 440 and 550 nm from E(B-V).

    Parameters
    ----------
    ebv : array_like or `~astropy.units.Quantity`
        E(B-V) in mag.
    relation : {"linear", "toolkit"}
        "linear": 0.961 E(B-V) + 0.0011 (Yang et al., the UA-CSNet paper, Eq. 1). "toolkit": the non-linear relation of
        XP_Extinction_Toolkit 1.0, in which an E(B-V) above 1.5 mag counts as 1.5 mag. It is negative, -0.024 mag, at
        E(B-V) = 0.
    ebv_scale : {"sfd", "true"}
        Scale of ``ebv``. Both relations are defined on the scale of the SFD map.

    Returns
    -------
    `~numpy.ndarray` of float64
        E(44-55) in mag, of the shape of ``ebv``; NaN where ``ebv`` is missing or not finite.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the relation or the scale is unknown.
    """
    table = packaged.table("extinction", "e4455")
    known = [str(name) for name in table["relation"]]
    if relation not in known:
        raise InputError(f"relation: expected one of {known}, got {relation!r}")
    row = table[known.index(relation)]
    excess = convert_ebv(ebv, from_scale=ebv_scale, to_scale=SFD)
    excess = np.where(np.isfinite(excess), excess, np.nan)
    if not np.ma.is_masked(row["ebv_max"]):
        excess = np.minimum(excess, row["ebv_max"])
    out = row["constant"] + row["linear"] * excess
    if row["softplus"]:
        out = out + row["softplus"] * np.logaddexp(0, excess)
    return out


def xp_curve(wavelength=None):
    """Extinction relative to that at 550 nm, A(lambda)/A(55).

    Parameters
    ----------
    wavelength : array_like or `~astropy.units.Quantity`, optional
        Wavelengths, in nm where there is no unit; by default the 343 samples of XP spectra, 336 to 1020 nm.

    Returns
    -------
    `~numpy.ndarray` of float64
        k / 2.730 + 1, where k = E(lambda-55)/E(44-55) of Zhang et al. (2024), interpolated linearly; NaN where the
        wavelength is.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If a wavelength is outside the curve (290 to 5096 nm); the curve is not extrapolated.
    """
    table = packaged.table("extinction", "xp_curve")
    position = XP_SAMPLING if wavelength is None else floats(wavelength, "wavelength", "nm")
    known = np.asarray(table["wavelength"])
    if np.any((position < known[0]) | (position > known[-1])):
        raise InputError(
            f"wavelength: expected {known[0]:.0f} to {known[-1]:.0f} nm, got {np.nanmin(position):g} to "
            f"{np.nanmax(position):g} nm"
        )
    return np.interp(position, known, np.asarray(table["k"])) / table.meta["r55"] + 1


def deredden_xp(flux, ebv, *, wavelength=None, flux_error=None, relation="linear", ebv_scale=SFD):
    """Spectra without the reddening and dimming by dust.

    Parameters
    ----------
    flux : array_like or `~astropy.units.Quantity`, shape (N, M) or (M,)
        Flux per wavelength, in any unit.
    ebv : array_like or `~astropy.units.Quantity`, shape (N,) or ()
        E(B-V) in mag. A value below 0 reddens.
    wavelength : array_like or `~astropy.units.Quantity`, shape (M,), optional
        Wavelengths, in nm where there is no unit; by default the 343 samples of XP spectra.
    flux_error : array_like or `~astropy.units.Quantity`, shape of ``flux``, optional
        Standard errors, which scale as the flux does. The error of E(B-V) is not added: it would move all samples
        together.
    relation : {"linear", "toolkit"}
        How E(44-55) follows from E(B-V); see `e4455`.
    ebv_scale : {"sfd", "true"}
        Scale of ``ebv``.

    Returns
    -------
    flux : `~numpy.ndarray` of float64 or `~astropy.units.Quantity`, shape of the input
        A new array: the flux times 10**(0.4 * 2.730 * E(44-55) * A(lambda)/A(55)). NaN in rows whose E(B-V) is missing;
        in plain arrays, also where a sample was masked.
    flux_error : the same
        Only if errors were given: the function returns the pair ``flux, flux_error`` then.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If the shapes do not fit each other or a wavelength is outside the curve.
    """
    curve = xp_curve(wavelength)
    excess = e4455(ebv, relation=relation, ebv_scale=ebv_scale)
    if curve.ndim != 1:
        raise InputError(f"wavelength: expected one dimension, got shape {curve.shape}")
    flux = _spectra(flux, "flux", curve.size, excess.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        r55 = packaged.table("extinction", "xp_curve").meta["r55"]
        factor = np.exp(np.multiply.outer(excess, curve * (0.4 * np.log(10) * r55)))
        if flux_error is None:
            return flux * factor
        flux_error = _spectra(flux_error, "flux_error", curve.size, excess.shape)
        return flux * factor, flux_error * factor


def _spectra(data, name, samples, ebv_shape):
    """Spectra as a Quantity, or as floats with NaN where masked; their shape has to fit the wavelengths and E(B-V)."""
    unit = getattr(data, "unit", None)
    if not isinstance(data, u.Quantity):
        plain = floats(data, name, unit or "")
        data = plain if unit is None else u.Quantity(plain, unit)
    fits = data.shape[-1:] == (samples,) and data.ndim <= 2
    if not fits or ebv_shape not in ((), data.shape[:-1]):
        raise InputError(f"{name}: expected shape {(*ebv_shape, samples)} as ebv and wavelength have, got {data.shape}")
    return data
