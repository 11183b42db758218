"""The folder of a publication: data files, ReadMe, record of provenance, checksums."""

import importlib.metadata
import json
import logging
import platform
import textwrap
from pathlib import Path

import numpy as np

from stellarlabels import __version__, files, flags
from stellarlabels.catalogs import schemas
from stellarlabels.catalogs.bundle.descriptor import descriptor
from stellarlabels.catalogs.bundle.publication import bibtex, citation_text, describe, identifier
from stellarlabels.catalogs.scanning import scan
from stellarlabels.catalogs.stream import Writer
from stellarlabels.exceptions import InputError
from stellarlabels.files import BLOCK, FixedWidth

#: Packages whose versions can change a label or a file.
_PACKAGES = ("numpy", "scipy", "astropy", "keras", "tensorflow", "gaiaxpy", "dustmaps", "pyvo", "pyarrow")


def record(publication, content, source=""):
    """What is to be known of a catalog's numbers, as a dict for JSON: software, origin, counts, columns, flags."""
    # "origin" is the metadata of the table: system, weights, training, queries. "counts" are rows and the missing
    # values of each column; "flags", for each flag column and value, name, meaning and number of rows.
    counts = {item.column.name: _missing(item) for item in content.fields}
    return {
        "catalog": {
            "name": publication.name,
            "title": publication.title,
            "authors": list(publication.authors),
            "reference": publication.reference,
            "license": publication.license,
            "created": publication.date,
            "source": source,
        },
        "software": {"stellarlabels": __version__, "python": platform.python_version(), **_versions()},
        "origin": content.meta,
        "counts": {"rows": len(content), "missing": counts},
        "columns": [
            {
                "name": item.column.name,
                "dtype": item.column.dtype,
                "shape": list(item.column.shape),
                "unit": item.column.unit,
                "ucd": item.column.ucd,
                "description": item.column.description,
            }
            for item in content.fields
        ],
        "flags": {item.column.name: _flag(item) for item in content.fields if item.column.flags},
    }


def _versions():
    out = {}
    for name in _PACKAGES:
        try:
            out[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return out


def _parts(item):
    for first in range(0, len(item.data), BLOCK):
        part = slice(first, first + BLOCK)
        yield item.data[part], item.mask[part]


def _missing(item):
    """Number of missing values."""
    return sum(int(np.count_nonzero(mask)) for _, mask in _parts(item)) if item.has_missing else 0


def _flag(item):
    """Name, meaning and number of each bit of a flag column."""
    known = flags.get(item.column.flags)
    counts = dict.fromkeys((0, *(flag.value for flag in known)), 0)
    for data, mask in _parts(item):
        values = data[~mask]
        for value in counts:
            counts[value] += int(np.count_nonzero(values & value if value else values == 0))
    return {
        "set": item.column.flags,
        "values": [
            {"value": 0, "count": counts[0]},
            *(
                {"value": flag.value, "name": flag.name, "meaning": flag.meaning, "count": counts[flag.value]}
                for flag in known
            ),
        ],
    }


_RULE = "-" * 80
_DOUBLE = "=" * 80


def readme(publication, table, others):
    """The text of the ReadMe of the CDS, ASCII; ``others`` says what each other file of the bundle is."""
    paper, data = publication.paper, f"{publication.name}.dat"
    names = "; ".join(publication.authors)
    first = publication.authors[0] if publication.authors else "stellarlabels"
    lines = [f"{publication.name[:40]:41s}{f'({first}, {publication.date[:4]})':>39s}", _DOUBLE]
    lines += _filled(publication.title, "")
    lines += _filled(names, "    ") if names else []
    lines += [f"   ={paper['bibcode']}"] if "bibcode" in paper else []
    lines += [_DOUBLE, "Description:", *_filled(publication.description, "    ")]
    of_paper = publication.remarks and not publication.made
    lines += ["", "Remarks on the paper and on the catalog that was published with it:" if of_paper else "Remarks:"]
    for remark in (*publication.remarks, f"Numbers in {data} are rounded; the other files have all digits."):
        lines += _filled(remark, "  - ", 4)
    lines += ["", "File Summary:", _RULE, " FileName" + " " * 12 + "Lrecl   Records   Explanations", _RULE]
    records = len(table.content)
    for name, width, count, text in (
        ("ReadMe", 80, ".", "This file"),
        (data, table.width, records, publication.title),
        *((name, ".", ".", text) for name, text in others.items()),
    ):
        lines += _filled(text, f"{name:20s} {width:>5} {count:>9}   ", 39)
    lines += [_RULE, "", table.description(data).rstrip("\n"), "", "Acknowledgements:"]
    for line in citation_text(publication).splitlines():
        lines += _filled(line, "    ") if line else []
    lines += [f"    License of the data: {publication.license}"] if publication.license else []
    lines += ["", _DOUBLE, f"(End){'stellarlabels':>58s}{publication.date[:10]:>17s}"]
    return "\n".join(line.rstrip() for line in lines).encode("ascii", "replace").decode("ascii") + "\n"


def _filled(text, head, indent=None):
    indent = len(head) if indent is None else indent
    lines = textwrap.wrap(text, 80, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False)
    return lines or [head]


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
    files.keep_inputs(folder, [catalog] if source else [])
    with files.replacing_folder(folder, overwrite=overwrite) as work:
        short = identifier(name or (declared.name if declared else own or Path(source or "labels").stem))
        paths = [work / f"{short}{suffix}" for suffix, _, _ in _DATA.values()]
        with Writer(paths, declared, format=[item[1] for item in _DATA.values()]) as writer:
            for table in tables:
                writer.append(table)
            if writer.content is None:
                raise InputError("catalog: expected at least one table, got none")
            about = describe(writer.content, declared, name=short, title=title, authors=authors, license=license)
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
    fixed = FixedWidth(content, rounded=True)
    with open(work / f"{about.name}.dat", "wb") as stream:
        for lines in fixed.lines():
            stream.write(lines)
    others = {f"{about.name}{suffix}": text for suffix, _, text in _DATA.values()} | _OTHERS
    for name, text in (
        ("ReadMe", readme(about, fixed, others)),
        ("q.rd", descriptor(about, content, f"{about.name}.vot")),
        ("provenance.json", json.dumps(record(about, content, source), indent=1, ensure_ascii=False) + "\n"),
        ("references.bib", bibtex(about)),
        ("CITATION.txt", citation_text(about)),
    ):
        (work / name).write_text(text, encoding="utf-8")
