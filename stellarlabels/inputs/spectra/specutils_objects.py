"""Spectra to and from the spectrum objects of `specutils <https://specutils.readthedocs.io>`_."""

import numpy as np
from astropy import units as u

from stellarlabels.columns import StarTable
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.spectra.table_pixels import PIXELS, masks_of, pixel_column


def to_specutils(table, *, arm=""):
    """Spectra of a table as objects of specutils.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N spectra as from `stellarlabels.read_lamost`.
    arm : {"", "_b", "_r"}
        Low resolution, or the blue or red arm of medium resolution.

    Returns
    -------
    list of `specutils.Spectrum`
        One for each row, without the pixels beyond its end: flux (dimensionless), spectral axis (Angstrom), uncertainty
        (inverse variance), mask (where the inverse variance is 0 or a mask bit is set), and in ``meta`` all columns
        that hold one value to a row, and the masks.

    Raises
    ------
    InputError
        If specutils is not installed, or the table has no such spectra.
    """
    spectrum = _spectrum_class()
    from astropy.nddata import InverseVariance

    names = {name: pixel_column(name, arm).name for name in PIXELS}
    bits = {name: key for name in masks_of(arm) if (key := pixel_column(name, arm).name) in table.colnames}
    lacking = [names[name] for name in ("flux", "ivar") if names[name] not in table.colnames]
    if lacking:
        raise InputError(f"table: expected spectra, the columns {', '.join(lacking)} are missing")
    scalars = [name for name in table.colnames if table[name].ndim == 1]
    out = []
    for row in range(len(table)):
        own = names["wavelength"] in table.colnames
        wavelength = u.Quantity(table[names["wavelength"]][row] if own else table.meta[names["wavelength"]], u.AA)
        there = np.isfinite(wavelength.value)
        flux, ivar = (np.asarray(table[names[name]][row])[there] for name in ("flux", "ivar"))
        masks = {name: np.asarray(table[key][row])[there] for name, key in bits.items()}
        out.append(
            spectrum(
                flux=flux * u.dimensionless_unscaled,
                spectral_axis=wavelength[there],
                uncertainty=InverseVariance(ivar),
                mask=np.any([ivar <= 0, *(mask != 0 for mask in masks.values())], axis=0),
                meta={**{name: table[name][row] for name in scalars}, **masks},
            )
        )
    return out


def from_specutils(spectra):
    """A table of objects of specutils, for `stellarlabels.SolarDis` and others.

    Parameters
    ----------
    spectra : `specutils.Spectrum` or list of `specutils.Spectrum`
        Each with one spectrum, a spectral axis that converts to wavelengths, and an uncertainty. A mask is taken
        over as ``ormask``.

    Returns
    -------
    `~astropy.table.QTable`
        Columns ``wavelength``, ``flux``, ``ivar``, ``andmask``, ``ormask`` as from
        `stellarlabels.read_lamost`, and one for each value of ``meta`` that all spectra have and
        that is a number or a text. A redshift or radial velocity of the object becomes ``z``.

    Raises
    ------
    InputError
        If specutils is not installed, there is no spectrum, or one has several rows or no uncertainty.
    """
    spectrum = _spectrum_class()
    spectra = [spectra] if isinstance(spectra, spectrum) else list(spectra)
    _check(spectra)
    size = max(item.flux.size for item in spectra)
    arrays = {name: np.full((len(spectra), size), np.nan) for name in ("wavelength", "flux")}
    arrays |= {"ivar": np.zeros((len(spectra), size))}
    arrays |= {name: np.zeros((len(spectra), size), np.int32) for name in ("andmask", "ormask")}
    for row, item in enumerate(spectra):
        for name, values in _pixels_of(item).items():
            arrays[name][row, : values.size] = values
    out = StarTable()
    for name in spectra[0].meta:
        values = [item.meta.get(name) for item in spectra]
        if name not in arrays and all(isinstance(value, int | float | str | np.number) for value in values):
            out[name] = values
    shifts = np.array([0.0 if item.redshift is None else float(item.redshift) for item in spectra])
    if "z" not in out.colnames and shifts.any():
        out["z"] = shifts
    for name in (*PIXELS, "andmask", "ormask"):
        item = pixel_column(name)
        out[name] = u.Quantity(arrays[name], item.unit) if item.unit else arrays[name].astype(item.dtype)
    return out


def _check(spectra):
    """Refuse what is no list of single spectra with uncertainties."""
    if not spectra:
        raise InputError("spectra: expected at least one, got none")
    for number, item in enumerate(spectra):
        if item.flux.ndim != 1 or item.uncertainty is None:
            raise InputError(
                f"spectra: number {number} has the shape {item.flux.shape} and {item.uncertainty!r}; "
                "expected one spectrum with an uncertainty"
            )


def _pixels_of(item):
    """Pixels of one object of specutils in the order of their wavelengths, arrays (M,) by the name of their column."""
    from astropy.nddata import InverseVariance

    order = np.argsort(item.wavelength)
    ivar = item.uncertainty.represent_as(InverseVariance).array[order]
    out = {"wavelength": item.wavelength.to_value(u.AA)[order], "flux": item.flux.value[order]}
    out["ivar"] = np.where(np.isfinite(ivar) & (ivar > 0), ivar, 0)
    for name in ("andmask", "ormask"):
        out[name] = np.asarray(item.meta.get(name, np.zeros(order.size)), np.int32)[order]
    if item.mask is not None:
        known = out["andmask"] | out["ormask"]
        out["ormask"] = out["ormask"] | np.where((known == 0) & np.asarray(item.mask)[order], 1, 0)
    return out


def _spectrum_class():
    """The class of one spectrum; its name changed with specutils 2."""
    try:
        import specutils
    except ImportError as error:
        raise InputError("specutils is not installed: pip install stellarlabels[spectra]") from error
    return getattr(specutils, "Spectrum", None) or specutils.Spectrum1D
