"""DESI: Teff, log g and [Fe/H] of stars from coadded spectra, as the survey delivers them."""

from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table, vstack

from stellarlabels.columns import Column, declare
from stellarlabels.exceptions import ReadError
from stellarlabels.inputs import register_reader
from stellarlabels.labels import Recipe
from stellarlabels.systems import System

declare(Column("targetid", dtype="int64", ucd="meta.id;meta.main", description="DESI identifier of the target"))

#: Where the spectra of the three arms are cut, in the middle of their overlaps (Angstrom, vacuum).
ARMS = {"B": (3600.0, 5780.0), "R": (5780.0, 7570.0), "Z": (7570.0, 9824.0)}


def is_coadd(path):
    """Whether a file is a coadd file of DESI."""
    try:
        with fits.open(path, memmap=True) as units:
            return {"FIBERMAP", "B_WAVELENGTH", "R_FLUX", "Z_IVAR"} <= {unit.name for unit in units}
    except OSError:
        return False


@register_reader("desi", recognizes=is_coadd)
def read_coadds(paths, progress=None):
    """A row for each target: identifier, position, redshift of the Redrock file beside it, and one spectrum."""
    return vstack([_read(Path(path)) for path in paths], metadata_conflicts="silent")


def _read(path):
    """The targets of one file."""
    try:
        with fits.open(path) as units:
            targets = Table(units["FIBERMAP"].data)
            out = QTable({"TARGETID": targets["TARGETID"]})
            out["ra"], out["dec"] = targets["TARGET_RA"] * u.deg, targets["TARGET_DEC"] * u.deg
            parts = [_arm(units, arm, *limits) for arm, limits in ARMS.items()]
    except (OSError, KeyError, ValueError) as error:
        raise ReadError(f"{path}: expected a coadd file of DESI; {error}") from error
    wave, flux, ivar, mask = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    out["wavelength"] = np.tile(wave, (len(out), 1)) * u.AA
    out["flux"], out["ivar"], out["mask"] = flux, ivar, mask
    redrock = path.with_name(path.name.replace("coadd", "redrock"))
    if redrock != path and redrock.is_file():
        found = Table.read(redrock, hdu="REDSHIFTS")
        rows = {int(target): row for row, target in enumerate(found["TARGETID"])}
        out["z"] = [found["Z"][rows[target]] if target in rows else np.nan for target in out["TARGETID"].tolist()]
    return out


def _arm(units, arm, low, high):
    """Wavelength (M,), flux, inverse variance and mask (N, M) of one arm between two wavelengths."""
    wave = np.asarray(units[f"{arm}_WAVELENGTH"].data, float)
    inside = (wave >= low) & (wave < high)
    return wave[inside], *(np.asarray(units[f"{arm}_{name}"].data)[:, inside] for name in ("FLUX", "IVAR", "MASK"))


SPECTRUM = {"low": 3700, "high": 9700, "average": 2, "width": 61, "masks": ["mask"], "splits": [5780, 7570]}
NETWORK = {"components": 12, "floor": 0.004, "iterations": 3, "width": 32, "dropout": 0.0, "share": 0.5}
NETWORK |= {"centers": 150, "bends": (0.15,), "noise": 1.0, "copies": 2}


class DESINet(System):
    """Noise-weighted components of spectra at rest, and a kernel machine."""

    name = "desi"
    title = "Teff, log g and [Fe/H] from DESI spectra"
    recipes = {
        "compact": Recipe(
            labels=("teff", "logg", "feh"),
            features="spectrum",
            feature_options=SPECTRUM,
            network="kernel_mlp",
            network_options=NETWORK,
            loss="student_t",
            epochs=40,
            batch_size=32,
            learning_rate=3e-3,
            schedule="cosine",
        )
    }
