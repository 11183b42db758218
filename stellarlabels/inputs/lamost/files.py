"""One LAMOST file -> its spectra, whatever the release and the resolution.

The formats differ in where the arrays are: rows of an image or columns of a table, one pixel to a row or all pixels in
one cell, wavelengths or their logarithms. What is read is checked and brought into one form, `Arm`.
"""

import gzip
import re
import warnings
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.utils.exceptions import AstropyWarning

from stellarlabels import packaged
from stellarlabels.columns import Schema, column, products
from stellarlabels.exceptions import ReadError
from stellarlabels.files import open_fits, read_bytes

#: Ends of the names of the columns of pixels: low resolution has one spectrum, medium resolution two arms.
ARMS = ("", "_b", "_r")

#: Columns that hold a number for each pixel.
PIXELS = ("wavelength", "flux", "ivar", "andmask", "ormask")


@lru_cache(maxsize=1)
def lamost_columns():
    """The columns of what headers say (`~stellarlabels.columns.Schema`); header cards are aliases."""
    with packaged.file("lamost", "columns.ecsv") as path:
        declared = Schema.read(path)
    columns = [item if item.description else column(item.name) for item in declared]
    return Schema(declared.name, columns, declared.description, declared.reference)


#: Wavelengths (Angstrom) that a LAMOST spectrum can have.
_RANGE = (3000.0, 11000.0)

#: Names of the extensions: co-added spectra (LRS, DR9 on; MRS with an arm) and single exposures of MRS.
_COADD = re.compile(r"COADD(_[BR])?$")
_EXPOSURE = re.compile(r"([BR])-(\d+)$")

#: Rows of an image whose header does not say what they are.
_ROWS = ("flux", "ivar", "wavelength", "andmask", "ormask")


@dataclass
class Arm:
    """Pixels (M,) of one spectrum: increasing vacuum wavelengths in Angstrom, NaN where there is no number."""

    # The inverse variance is 0 wherever flux, wavelength or inverse variance are not numbers. S/N: what the file says.

    wavelength: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    andmask: np.ndarray
    ormask: np.ndarray
    snr: float = np.nan


@dataclass
class Observation:
    """One observation: columns from the header, `Arm` by the end of their columns' names, minute of an exposure."""

    header: dict
    arms: dict = field(default_factory=dict)
    exposure: int | None = None


def read_file(path, *, exposures=False):
    """Observations in a file, the co-added one first, and what could not be read of it; else ReadError."""
    path = Path(path)
    data = read_bytes(path)
    if not data.startswith(b"SIMPLE  ="):
        raise ReadError(f"{path}: not a FITS file; it begins with {data[:10]!r}")
    try:
        with warnings.catch_warnings(action="ignore", category=AstropyWarning), open_fits(data) as units:
            _check_size(units, len(data))
            kind = next((item for item in products.registered("lamost") if item.accepts(units)), None)
            if kind is None:
                raise ReadError(f"no LAMOST spectrum; the extensions are {[unit.name for unit in units]}")
            _check_telescope(units)
            header = _header(units[0].header, path.name)
            found, problem = kind.read(units, exposures)
    except ReadError as error:
        raise ReadError(f"{path}: {error}") from error
    except Exception as error:  # damaged files make the FITS library raise errors of any kind
        raise ReadError(f"{path}: damaged or truncated FITS file; {type(error).__name__}: {error}") from error
    return [Observation(header, arms, exposure) for exposure, arms in found], problem and f"{path}: {problem}"


def is_lamost(path):
    """Whether a file says that it is a spectrum of LAMOST, by its first header; False also where it cannot be read."""
    return any(card.startswith((b"TELESCOP", b"ORIGIN")) and b"LAMOST" in card for card in _cards(path, blocks=1))


def obsid_of(path):
    """Identifier of the spectrum in a file by its first header; None where there is none or it cannot be read."""
    for card in _cards(path, blocks=20):
        if card.startswith(b"OBSID   ="):
            text = card[9:].partition(b"/")[0].strip(b" '")
            return int(text) if text.isdigit() else None
    return None


def _cards(path, *, blocks):
    """Cards at the beginning of a FITS file, also with gzip; nothing where it is none or cannot be read."""
    try:
        with open(path, "rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as stream:
            data = stream.read(2880 * blocks)
    except (OSError, EOFError, zlib.error):
        return
    if not data.startswith(b"SIMPLE  ="):
        return
    for start in range(0, len(data) - 79, 80):
        if data[start : start + 8] == b"END     ":
            return
        yield data[start : start + 80]


def _check_telescope(units):
    """Refuse a file that is another survey's, by its header or by columns that SDSS has and LAMOST has not."""
    said = str(units[0].header.get("TELESCOP", "")).strip()
    foreign = [name for unit in units[1:] for name in getattr(getattr(unit, "columns", None), "names", ())]
    if (said and "LAMOST" not in said.upper()) or {"and_mask", "or_mask"} & {name.lower() for name in foreign}:
        raise ReadError(
            f"not a spectrum of LAMOST, but of {said or 'SDSS'!r}; read its pixels with astropy into a table with the "
            "columns wavelength, flux, ivar and mask, and give that to the system"
        )


def _check_size(units, size):
    """Refuse a file whose data end before they should."""
    for unit in units:
        end = unit.fileinfo()["datLoc"] + unit.size
        if end > size:
            raise ReadError(f"truncated; {unit.name or 'an extension'} ends at byte {end} of a file of {size}")


@products.register(
    "lamost_lrs_image",
    product="lamost",
    description="low resolution, DR1 to DR8: an image whose rows are flux, inverse variance, wavelength (in DR1 the "
    "subtracted continuum; the wavelengths are in the header) and two masks",
    accepts=lambda units: units[0].header.get("NAXIS") == 2 and units[0].header.get("NAXIS2", 0) >= 3,
)
def _read_image(units, exposures):
    header, image = units[0].header, np.asarray(units[0].data)
    words = re.findall(r"\w+", str(header.get("EXTEN0", "")).lower())
    names = ["ivar" if word == "inverse" else word for word in words] if len(words) == len(image) else _ROWS
    rows = dict(zip(names, image, strict=False))
    if "wavelength" not in rows and {"COEFF0", "COEFF1"} <= set(header):
        rows["loglam"] = float(header["COEFF0"]) + float(header["COEFF1"]) * np.arange(image.shape[1])
    return [(None, {"": _arm(rows)})], ""


@products.register(
    "lamost_lrs_table",
    product="lamost",
    description="low resolution, DR9 on: a table COADD with one row, each cell an array of all pixels",
    accepts=lambda units: any(unit.name == "COADD" and hasattr(unit, "columns") for unit in units),
)
def _read_table(units, exposures):
    return [(None, {"": _arm(_columns(units["COADD"]))})], ""


@products.register(
    "lamost_mrs",
    product="lamost",
    description="medium resolution: tables COADD_B and COADD_R, and B-<minute> and R-<minute> of single exposures, "
    "with one pixel to a row (DR6 to DR8) or all pixels in one row (DR9 on)",
    accepts=lambda units: any(_COADD.match(unit.name) or _EXPOSURE.match(unit.name) for unit in units[1:]),
)
def _read_arms(units, exposures):
    found, problems = {}, []
    for unit in units[1:]:
        coadd, single = _COADD.match(unit.name), _EXPOSURE.match(unit.name)
        if not (coadd or (single and exposures)):
            continue
        arm = unit.name[-2:].lower() if coadd else f"_{single[1].lower()}"
        try:
            pixels = _arm(_columns(unit), unit.header.get("SNR"))
        except ReadError as error:
            problems.append(f"{unit.name}: {error}")
            continue
        found.setdefault(None if coadd else int(single[2]), {})[arm] = pixels
    if not found:
        raise ReadError("; ".join(problems) or "no co-added spectrum; exposures=True reads the single exposures")
    return sorted(found.items(), key=lambda item: (item[0] is not None, item[0] or 0)), "; ".join(problems)


def _columns(unit):
    """Columns of a table by name in lower case, one number for each pixel."""
    if unit.data is None or len(unit.data) == 0:
        raise ReadError("the table has no rows")
    out = {}
    for name in unit.columns.names:
        array = np.asarray(unit.data[name])
        if array.ndim == 2 and len(array) > 1:
            raise ReadError(f"expected one spectrum, the table has {len(array)}")
        out[name.lower()] = array.ravel()
    return out


def _arm(columns, snr=None):
    """One spectrum from its arrays, checked."""
    lacking = [name for name in ("flux", "ivar") if name not in columns]
    if lacking or not {"wavelength", "loglam"} & set(columns):
        raise ReadError(f"expected flux, ivar and wavelength or loglam, got {', '.join(columns)}")
    wavelength = np.asarray(columns.get("wavelength", columns.get("loglam")), np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        wavelength = wavelength if "wavelength" in columns else 10**wavelength
        flux, ivar = (np.array(columns[name], np.float32) for name in ("flux", "ivar"))
    masks = [columns.get(name, columns.get("pixmask", np.zeros(len(flux)))) for name in ("andmask", "ormask")]
    known = np.isfinite(wavelength)
    real = wavelength[known]
    if real.size > 1 and real[0] > real[-1]:  # single exposures of the red arm
        wavelength, flux, ivar, known, real = (array[::-1] for array in (wavelength, flux, ivar, known, real))
        masks = [mask[::-1] for mask in masks]
    if real.size < 2:
        raise ReadError(f"{real.size} of {wavelength.size} wavelengths are numbers")
    if real.min() < _RANGE[0] or real.max() > _RANGE[1] or (np.diff(real) <= 0).any():
        raise ReadError(
            f"wavelengths: expected increasing ones of {_RANGE[0]:.0f} to {_RANGE[1]:.0f} Angstrom, "
            f"got {real[0]:.6g} to {real[-1]:.6g}"
        )
    good = known & np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    if not np.isfinite(flux[known]).any():
        raise ReadError("no flux is a number")
    return Arm(
        np.where(known, wavelength, np.nan),
        np.where(np.isfinite(flux), flux, np.nan),
        np.where(good, ivar, 0).astype(np.float32),
        *(_integers(mask) for mask in masks),
        snr=float(snr) if isinstance(snr, int | float) else np.nan,
    )


def _integers(mask):
    """Mask bits as integers; in images they are floats, and what is not a number counts as bad."""
    mask = np.asarray(mask)
    if mask.dtype.kind == "f":
        mask = np.where(np.isfinite(mask), np.clip(mask, 0, 2**31 - 1), 1)
    return mask.astype(np.int32)


def _header(cards, filename):
    """Columns of the table that come from the header."""
    out = {"spectrum": filename}
    for item in lamost_columns():
        value = next((cards[name] for name in item.names if name.upper() in cards), None)
        if value is None or item.name in out:
            continue
        value = _typed(value, item)
        if value is not None:
            out[item.name] = value
    return out


def _typed(value, item):
    """A header value in the type of its column; None for a missing one."""
    if item.is_text:
        text = str(value).strip()
        return text or None
    try:
        number = int(value) if item.dtype.startswith("int") else float(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if number == -9999 or not np.isfinite(float(number)) else number
