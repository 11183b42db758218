"""Files of LAMOST spectra of low resolution as the survey writes them, of the synthetic stars of the package."""

import numpy as np
from astropy.io import fits

from stellarlabels.inputs.examples import lrs_synthetic_sample


def write_spectra(folder, count):
    """Write so many spectra into a folder, and give the table of the stars."""
    stars = lrs_synthetic_sample()[:count]
    stars["ra"], stars["dec"] = np.linspace(56, 57, count), np.linspace(24, 25, count)
    folder.mkdir(parents=True, exist_ok=True)
    for row, star in enumerate(stars):
        cells = {
            name: np.ma.filled(getattr(star[name], "value", star[name]), 0) for name in ("flux", "ivar", "wavelength")
        }
        cells |= {name: np.zeros(len(cells["flux"])) for name in ("andmask", "ormask")}
        parts = [
            fits.Column(name.upper(), f"{len(values)}E", array=values[None].astype(np.float32))
            for name, values in cells.items()
        ]
        primary, unit = fits.PrimaryHDU(), fits.BinTableHDU.from_columns(parts, name="COADD")
        name = f"spec-56000-README_sp01-{row + 1:03d}.fits"
        cards = {"FILENAME": name, "OBSID": 101001 + row, "DATA_V": "LAMOST DR10", "TELESCOP": "LAMOST", "LMJD": 56000}
        cards |= {"PLANID": "README", "SPID": 1, "FIBERID": row + 1, "RA": star["ra"], "DEC": star["dec"]}
        cards |= {"SNRG": float(star["snrg"]), "Z": star["radial_velocity"].value / 299792.458, "CLASS": "STAR"}
        cards["DESIG"] = f"LAMOST J{row:06d}.00+240000.0"
        primary.header.update(cards)
        fits.HDUList([primary, unit]).writeto(folder / name)
    return stars
