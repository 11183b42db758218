"""From a catalog to a folder with its report."""

import datetime
import logging
from pathlib import Path

import numpy as np
from astropy.table import QTable
from tqdm import tqdm

from stellarlabels import files
from stellarlabels.exceptions import InputError, WriteError
from stellarlabels.plots import plain
from stellarlabels.report import figures, findings, numbers, page
from stellarlabels.report.page import Facts, Findings, Section, Text, count, slug
from stellarlabels.validation import tally

_log = logging.getLogger(__name__)

#: The page in the folder.
PAGE = "index.html"
_ORDER = ("problem", "caution", "note")


def validate(catalog, reference, *, schema=None):
    """The table of a catalog against a reference, as a report has it.

    Parameters
    ----------
    catalog : path-like or `~astropy.table.Table`
    reference : path-like, or tuple of a name and a `~astropy.table.Table`
        As one of ``against`` in `write`.
    schema : str, optional
        The published catalog that the file is.

    Returns
    -------
    `~astropy.table.QTable`
        As of `stellarlabels.validation.by_class`; ``meta["findings"]`` holds sentences on what to be careful
        about. Without rows if there is nothing to compare.

    Raises
    ------
    ReadError
        If a file cannot be read.
    """
    source, other = numbers.read_catalog(catalog, schema), numbers.read_reference(reference)
    found = numbers.compare(source, other, slug(other.title))
    table = QTable() if found.table is None else found.table
    table.meta["findings"] = [item.text for item in findings.of_comparison(found)]
    return table


def write(catalog, output, *, against=(), schema=None, title=None, overwrite=False, progress=None):
    """Write the report of a catalog.

    Parameters
    ----------
    catalog : path-like or `~astropy.table.Table`
        Any file that `stellarlabels.catalogs.read` or `astropy.table.Table.read` can read.
    output : path-like
        Folder, made if it does not exist.
    against : sequence of path-like, or of tuples of a name and a `~astropy.table.Table`
        References; a file may be given as ``NAME=FILE`` with a name of `stellarlabels.validation.references`.
    schema : str, optional
        The published catalog that the file is; see `stellarlabels.catalogs.read`.
    title : str, optional
        Title of the page.
    overwrite : bool
        Whether a report that is there is replaced.
    progress : bool, optional
        Whether to show a progress bar; by default for more than 100,000 rows.

    Returns
    -------
    dict of str to `~pathlib.Path`
        What was written: ``index.html``, a page that needs no other file; ``summary.ecsv`` (the labels of the catalog),
        ``flags.ecsv``, ``findings.ecsv``, and for each reference ``comparison-<key>.ecsv``, ``calibration-<key>.ecsv``
        and ``bins-<key>.ecsv``.

    Raises
    ------
    ReadError
        If a file cannot be read.
    InputError
        If the output is a file, or the package jinja2 is not installed.
    WriteError
        If there is a report already.

    Notes
    -----
    What cannot be compared - no star in common, a label that one side lacks, a column that is constant or missing in
    every row - becomes a sentence in the report.
    """
    folder = _folder(output, overwrite)
    source = numbers.read_catalog(catalog, schema)
    others = [numbers.read_reference(item) for item in against]
    show = len(source.table) > 100_000 if progress is None else progress
    with tqdm(total=_steps(source, others), desc="report", unit="step", disable=not show) as bar:
        report = _Report(source, others, bar)
    tables = report.tables()
    text = page.html(
        title or f"Report on {source.title}",
        f"{count(len(source.table), 'row')}, {count(len(source.labels), 'label')}"
        + (f", compared with {', '.join(other.title for other in others)}" if others else ""),
        report.sections(),
        f"Made with stellarlabels {numbers.software()['stellarlabels']}, {report.made}.",
    )
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, table in tables.items():
        with files.replacing(folder / name, overwrite=True) as stream:
            stream.write(_ecsv(table))
        written[name] = folder / name
    with files.replacing(folder / PAGE, overwrite=True) as stream:
        stream.write(text.encode("utf-8"))
    _log.info("wrote the report on %s to %s", source.title, folder)
    return {PAGE: folder / PAGE, **written}


class _Report:
    """All that is known of a catalog, computed when it is made."""

    def __init__(self, source, others, bar):
        self.made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
        self.source, self.others = source, others
        self.contents = numbers.contents(source)
        self.tally = tally(source.table)
        bar.update()
        self.comparisons = []
        for other, key in zip(others, _keys(others), strict=True):
            self.comparisons.append(numbers.compare(source, other, key))
            bar.update()
        self.findings = findings.of_catalog(source, self.contents, self.tally)
        if not others:
            self.findings.append(_NO_REFERENCE)
        for comparison in self.comparisons:
            self.findings += findings.of_comparison(comparison)
        self.findings.sort(key=lambda item: _ORDER.index(item.kind))
        self.pictures = list(figures.of_catalog(source)) if source.labels and len(source.table) else []
        self.pictures_of_flags = [*figures.of_levels(self.contents), *figures.of_flags(self.tally)]
        bar.update()
        self.pictures_of = {}
        for comparison in self.comparisons:
            for name in comparison.names:
                self.pictures_of[comparison.key, name] = list(figures.of_label(comparison, name))
                bar.update()

    def tables(self):
        """The files with numbers, by name."""
        out = {"summary.ecsv": self.contents, "flags.ecsv": self.tally, "findings.ecsv": _as_table(self.findings)}
        for comparison in self.comparisons:
            for word in ("comparison", "calibration", "bins"):
                table = getattr(comparison, "table" if word == "comparison" else word)
                if table is not None and len(table.colnames):
                    out[f"{word}-{comparison.key}.ecsv"] = table
        return out

    def sections(self):
        """The sections of the page."""
        out = [Section("Findings", "findings", [self._findings()])]
        summary = Section("Summary", "summary", [Facts(self._facts())])
        if len(self.contents):
            summary.blocks.append(page.of_contents(self.contents, "summary.ecsv"))
        out.append(summary)
        flags = Section("Flags", "flags")
        if len(self.tally):
            flags.blocks += [*self.pictures_of_flags, page.of_tally(self.tally, "flags.ecsv")]
        else:
            flags.blocks.append(Text("The catalog has no columns of flags."))
        out.append(flags)
        if self.pictures:
            out.append(Section("The stars", "stars", list(self.pictures)))
        out += [self._against(comparison) for comparison in self.comparisons]
        out.append(self._provenance())
        return out

    def _findings(self):
        if self.findings:
            return Findings(self.findings)
        return Text("Nothing was found that calls for caution.")

    def _facts(self):
        return {
            "Rows": f"{len(self.source.table):,}",
            "Labels": ", ".join(plain(name) for name in self.source.labels) or "none",
            "References": ", ".join(other.title for other in self.others) or "none",
            "Stars in common": ", ".join(_common(comparison) for comparison in self.comparisons) or "none",
        }

    def _against(self, comparison):
        key = f"against-{comparison.key}"
        section = Section(f"Against {comparison.title}", key)
        if comparison.note:
            section.blocks.append(Text(comparison.note))
            return section
        told = f"{count(len(comparison.labels))} of the catalog are in {comparison.title}, matched by "
        section.blocks += [
            Text(f"{told}{comparison.labels.meta['matched_by']}. Stars with flags are among them."),
            page.of_comparison(comparison, f"comparison-{comparison.key}.ecsv"),
            page.of_calibration(comparison, f"calibration-{comparison.key}.ecsv"),
        ]
        bright = numbers.along(comparison.labels, comparison.truth)
        for name in comparison.names:
            inner = Section(f"{plain(name)} against {comparison.title}", f"{key}-{slug(name)}")
            about = [item for item in self.findings if (item.label, item.reference) == (name, comparison.title)]
            inner.blocks += [Findings(about)] if about else []
            inner.blocks += self.pictures_of[comparison.key, name]
            for quantity in filter(None, (bright, name)):
                view = page.of_bins(comparison, name, quantity, f"bins-{comparison.key}.ecsv")
                inner.blocks += [view] if view else []
            section.sections.append(inner)
        return section

    def _provenance(self):
        out = Section("Provenance", "provenance", [Facts(self.source.origin())])
        for number, other in enumerate(self.others):
            blocks = [Facts(other.origin())]
            out.sections.append(Section(f"Reference: {other.title}", f"provenance-reference-{number + 1}", blocks))
        facts = {"Date": self.made, **numbers.software()}
        out.sections.append(Section("Software", "provenance-software", [Facts(facts)]))
        return out


_NO_REFERENCE = findings.Finding(
    "note", "No reference was given, so that nothing is said of bias, scatter and whether the errors are right."
)


def _folder(output, overwrite):
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output: expected a folder, got the file {folder}")
    if (folder / PAGE).exists() and not overwrite:
        raise WriteError(f"output: {folder / PAGE} exists; give overwrite to replace it")
    return folder


def _steps(source, others):
    """Number of steps of the progress bar at most."""
    return 2 + len(others) * (1 + len(source.labels))


def _keys(others):
    """A name for files and anchors for each reference, all different."""
    out = []
    for other in others:
        key = slug(other.title)
        out.append(key if key not in out else f"{key}-{len(out) + 1}")
    return out


def _common(comparison):
    found = 0 if comparison.labels is None else len(comparison.labels)
    return f"{found:,} ({comparison.title})"


def _as_table(found):
    columns = ("kind", "label", "reference", "text")
    return QTable({key: np.array([getattr(item, key) for item in found], dtype=str) for key in columns})


def _ecsv(table):
    import io

    stream = io.StringIO()
    table.write(stream, format="ascii.ecsv")
    return stream.getvalue().encode("utf-8")
