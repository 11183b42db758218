"""The publication bundle."""

import json
import logging
from pathlib import Path

from stellarlabels import files
from stellarlabels.catalogs import schemas
from stellarlabels.catalogs.bundle import citation, publication
from stellarlabels.catalogs.bundle.descriptor import descriptor
from stellarlabels.catalogs.bundle.provenance import record
from stellarlabels.catalogs.bundle.readme import readme
from stellarlabels.catalogs.scanning import scan
from stellarlabels.catalogs.stream import Writer
from stellarlabels.exceptions import InputError
from stellarlabels.files import FixedWidth

__all__ = ["export"]

_log = logging.getLogger(__name__)
#: The data files: suffix, format, and what the ReadMe says of them.
_DATA = {
    "fits": (".fits", "fits-plus", "The same table in FITS, with the header of a VOTable in its primary HDU"),
    "votable": (".vot", "votable", "The same table in VOTable (BINARY2); the service reads it"),
    "parquet": (".parquet", "parquet", "The same table in Parquet, with the header of a VOTable in its metadata"),
}
_OTHERS = {
    "q.rd": "Resource descriptor of GAVO DaCHS: TAP and cone search",
    "provenance.json": "Software, weights, queries, counts, and the meaning of flags",
    "references.bib": "References in BibTeX",
    "CITATION.txt": "What to cite",
    "SHA256SUMS": "Checksums of all files",
}


def export(catalog, folder, schema=None, *, name=None, title=None, authors=(), license="", overwrite=False):
    """Write everything that is needed to publish a catalog into a folder.

    Parameters
    ----------
    catalog : path-like or `~astropy.table.Table`
        A file in any format that `stellarlabels.catalogs.read` knows, which is read piece by piece; or a table.
    folder : path-like
        It appears when all files are complete.
    schema : str or `~stellarlabels.columns.Schema`, optional
        The published catalog that it is; see `stellarlabels.catalogs.write`. A table's own ``meta["schema"]`` counts
        if nothing is given.
    name : str, optional
        Short name of files and tables, by default that of the schema or of the system.
    title : str, optional
    authors : list of str
        ``"Family, Given"`` each.
    license : str
        Licence of the data, for instance ``"CC-BY-4.0"``.
    overwrite : bool
        Whether a folder that is there is replaced.

    Returns
    -------
    dict of str to str
        For each file in the folder, its SHA-256 checksum.

    Raises
    ------
    stellarlabels.exceptions.InputError
        If a column cannot be held in all formats; the message names it.
    stellarlabels.exceptions.ReadError
        If the catalog cannot be read.
    stellarlabels.exceptions.WriteError
        If the folder exists, or the system refuses to write.

    Notes
    -----
    The files are the data in FITS (fits-plus), VOTable (BINARY2), Parquet and fixed-width text; ``ReadMe``, in the form
    of the CDS, with the byte-by-byte description of that text; ``q.rd``, a resource descriptor for GAVO DaCHS;
    ``provenance.json``; ``references.bib``; ``CITATION.txt``; and ``SHA256SUMS``.
    """
    folder = Path(folder)
    tables, source, own = _tables(catalog, schema)
    schema = own if schema is None else schema
    declared = None if schema is None else schemas.get(schema)
    with files.replacing_folder(folder, overwrite=overwrite) as work:
        short = publication.identifier(name or (declared.name if declared else own or Path(source or "labels").stem))
        paths = [work / f"{short}{suffix}" for suffix, _, _ in _DATA.values()]
        with Writer(paths, declared, format=[item[1] for item in _DATA.values()]) as writer:
            for table in tables:
                writer.append(table)
            if writer.content is None:
                raise InputError("catalog: expected at least one table, got none")
            about = publication.describe(
                writer.content, declared, name=short, title=title, authors=authors, license=license
            )
            _write_texts(work, about, writer.content, source)
            writer.close()
        sums = {path.name: files.sha256(path) for path in sorted(work.iterdir())}
        (work / "SHA256SUMS").write_text("".join(f"{value}  {key}\n" for key, value in sums.items()), encoding="ascii")
    _log.info("wrote the bundle %s: %s", folder, ", ".join(sums))
    return sums


def _tables(catalog, schema):
    """The tables of a catalog, one after the other; the name of its file; and the schema that it names itself."""
    if hasattr(catalog, "colnames"):
        return [catalog], "", catalog.meta.get("schema")
    return scan(catalog, schema), Path(catalog).name, None


def _write_texts(work, about, content, source):
    """Write the table in fixed width and all that is not data."""
    fixed = FixedWidth(content)
    with open(work / f"{about.name}.dat", "wb") as stream:
        for lines in fixed.lines():
            stream.write(lines)
    others = {f"{about.name}{suffix}": text for suffix, _, text in _DATA.values()} | _OTHERS
    for name, text in (
        ("ReadMe", readme(about, fixed, others)),
        ("q.rd", descriptor(about, content, f"{about.name}.vot")),
        ("provenance.json", json.dumps(record(about, content, source), indent=1, ensure_ascii=False) + "\n"),
        ("references.bib", citation.bibtex(about)),
        ("CITATION.txt", citation.text(about)),
    ):
        (work / name).write_text(text, encoding="utf-8")
