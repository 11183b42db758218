"""Files and what is in them: FITS, VOTable, CSV, ECSV, and zip archives or gzip files of these -> raw tables.

A container is recognized by its first bytes. The Gaia archive gives names that say little: its bulk ``.csv.gz`` files
are ECSV, its ``.xml`` files VOTables.
"""

import gzip
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from stellarlabels.exceptions import ReadError
from stellarlabels.files.text import read_text

__all__ = ["Raw", "read_bytes", "read_raw", "sidecar"]

#: Ends of names of the members of a zip archive that are looked at.
_TABLES = (".fits", ".fit", ".vot", ".votable", ".xml", ".csv", ".ecsv", ".txt", ".dat", ".gz")


@dataclass(frozen=True)
class Raw:
    """A table as it is in a file.

    Parameters
    ----------
    table : `~astropy.table.Table`
    where : str
        Path of the file, and the member of an archive after a colon.
    meta : dict
        Header cards, parameters, comments; names in lower case without blanks, hyphens and underscores.
    """

    table: Table
    where: str
    meta: dict = field(default_factory=dict)

    @property
    def name(self):
        """Name of the file, without its folder or archive."""
        return re.split(r"[/\\:]", self.where)[-1]


def read_raw(path):
    """All tables in a file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    tables : list of `Raw`
    failures : list of (str, ReadError)
        Members of an archive that cannot be read, with the reason.

    Raises
    ------
    ReadError
        If the file is missing, empty, damaged, or no table.
    """
    path = Path(path)
    data = _content(path)
    if data[:4] == b"PK\x03\x04" or data[:4] == b"PK\x05\x06":
        return _zip(data, str(path))
    return _tables(data, str(path), _sidecar(path)), []


def read_bytes(path):
    """Content of a file, unpacked if it is a gzip file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    bytes

    Raises
    ------
    ReadError
        If the file is missing, empty, or damaged.
    """
    return _unpacked(_content(Path(path)), str(path))


def _content(path):
    """Bytes of a file as they are."""
    if path.is_dir():
        raise ReadError(f"{path}: is a folder, expected a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ReadError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ReadError(f"{path}: cannot be read; {error.strerror or error}") from error


def _unpacked(data, where):
    """What is in a gzip file, or the bytes themselves; never nothing."""
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise ReadError(f"{where}: damaged or truncated gzip file; {error}") from error
    if not re.compile(rb"\S").search(data):
        raise ReadError(f"{where}: the file is empty")
    return data


def _zip(data, where):
    """Tables of all members of a zip archive."""
    tables, failures = [], []
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except zipfile.BadZipFile as error:
        raise ReadError(f"{where}: damaged or truncated zip archive; {error}") from error
    members = [name for name in archive.namelist() if name.lower().endswith(_TABLES) and "__MACOSX" not in name]
    if not members:
        raise ReadError(f"{where}: the archive has no tables; it holds {archive.namelist()[:5]}")
    for member in members:
        name = f"{where}:{member}"
        try:
            tables += _tables(archive.read(member), name)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            failures.append((name, ReadError(f"{name}: damaged or encrypted; {error}")))
        except ReadError as error:
            failures.append((name, error))
    return tables, failures


def _tables(data, where, meta=None):
    """Tables in the bytes of one file that is not an archive."""
    data = _unpacked(data, where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # units and headers in the dialects of archives
        if data.startswith(b"SIMPLE  ="):
            return _fits(data, where)
        if b"<VOTABLE" in data[:4096]:
            return _votable(data, where)
        head = data[:4096].lstrip()
        if head[:1] == b"<":
            raise ReadError(f"{where}: XML or HTML, but not a VOTable; it begins with {head[:40]!r}")
        if b"\nByte-by-byte Description of file" in data[:20000]:
            return [Raw(_machine_readable(data, where), where)]
        table, own = read_text(data, where)
    return [Raw(table, where, {**(meta or {}), **_keys(own)})]


def _machine_readable(data, where):
    """A machine-readable table of the AAS journals, or one of the CDS together with its description."""
    try:
        table = Table.read(data.decode("utf-8", "replace").splitlines(), format="ascii.mrt")
    except Exception as error:  # whatever astropy's parser says of a damaged table
        raise ReadError(f"{where}: damaged or truncated machine-readable table; {error}") from error
    if not table.colnames:
        raise ReadError(f"{where}: truncated machine-readable table; its description has no columns")
    return table


def _fits(data, where):
    """One table from each binary or text table of a FITS file."""
    from astropy.io import fits

    out = []
    try:
        with fits.open(BytesIO(data), memmap=False) as units:
            for unit in units:
                if not isinstance(unit, fits.BinTableHDU | fits.TableHDU):
                    continue
                end = unit.fileinfo()["datLoc"] + unit.size
                if end > len(data):
                    raise ReadError(f"{where}: truncated; a table of {end} bytes in a file of {len(data)}")
                out.append(Raw(Table.read(unit, format="fits"), where, _keys(unit.header)))
    except ReadError:
        raise
    except Exception as error:  # damaged files make the FITS library raise errors of any kind
        raise ReadError(f"{where}: damaged or truncated FITS file; {type(error).__name__}: {error}") from error
    if not out:
        raise ReadError(f"{where}: the FITS file has no table (truncated, or an image)")
    for raw in out:
        raw.table.meta.clear()
    return out


def _votable(data, where):
    """The tables of a VOTable file."""
    from astropy.io import votable

    out = []
    try:
        file = votable.parse(BytesIO(data), verify="ignore")
        for resource in _resources(file):
            shared = _votable_values(resource)
            for element in resource.tables:
                table = element.to_table(use_names_over_ids=True)
                out.append(Raw(table, where, {**shared, **_votable_values(element)}))
    except Exception as error:  # damaged files make the XML and VOTable parsers raise errors of any kind
        raise ReadError(f"{where}: damaged or truncated VOTable; {type(error).__name__}: {error}") from error
    if not out:
        raise ReadError(f"{where}: the VOTable has no table")
    return out


def _resources(parent):
    for resource in parent.resources:
        yield resource
        yield from _resources(resource)


def _votable_values(element):
    """Values of the parameters and infos of a resource or table."""
    groups = [entry for group in getattr(element, "groups", ()) for entry in group.entries if hasattr(entry, "value")]
    return _keys({item.name: item.value for item in (*element.infos, *element.params, *groups) if item.name})


def sidecar(path):
    """Path of the file into which GaiaXPy writes the sampling of a CSV file."""
    return path.with_name(f"{path.stem}_sampling{path.suffix}")


def _sidecar(path):
    """GaiaXPy writes the sampling of its CSV files into a second file, ``<name>_sampling.csv``."""
    other = sidecar(path)
    if not other.is_file():
        return {}
    try:
        table, _ = read_text(other.read_bytes(), str(other))
        return {"sampling": table["pos"][0]}
    except (OSError, KeyError, IndexError) as error:
        raise ReadError(f"{other}: expected the sampling of {path.name} in a column 'pos'; {error}") from error


def _keys(meta):
    """Metadata by names that do not depend on the container's spelling."""
    return {re.sub(r"[\s_-]", "", str(key)).lower(): value for key, value in meta.items()}
