"""One catalog against others: matched, cut, and summarized label by label; distances also in fractions."""

from itertools import combinations

import numpy as np
from astropy import units as u
from astropy.table import QTable, vstack

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.tables import quality
from stellarlabels.validation import references
from stellarlabels.validation.bins import as_table
from stellarlabels.validation.derived import classes
from stellarlabels.validation.matching import matched
from stellarlabels.validation.samples import STATISTICS, Sample
from stellarlabels.validation.statistics import label_names, summarize


def compare_catalogs(
    catalog,
    against,
    *,
    names=None,
    catalog_cuts=None,
    reference_cuts=None,
    by="auto",
    radius=1 * u.arcsec,
    by_class=True,
    **options,
):
    """Bias, scatter and calibration of the labels of a catalog against reference catalogs.

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    against : dict of str to `~astropy.table.Table`
        The references, as `stellarlabels.validation.references.Reference.read` gives them, or any other tables with
        labels of the vocabulary; the names are for the result.
    names : sequence of str, optional
        Labels; by default those of the catalog.
    catalog_cuts : optional
        Cuts on the catalog; see `selected_by`.
    reference_cuts : dict of str to cuts, or one for all, optional
        Cuts on the references; see `selected_by`. The name of a paper picks its cuts on each reference.
    by, radius
        As for `stellarlabels.validation.match`.
    by_class : bool
        Whether there are rows for dwarfs and for giants, too.
    **options
        For `stellarlabels.validation.summarize`; ``unflagged`` is an older name of its ``good``.

    Returns
    -------
    `~astropy.table.QTable`
        The columns of `stellarlabels.validation.summarize`, after ``reference``. Where nothing can be
        compared there is a row without stars, and a sentence in ``note``. ``meta["matched"]`` holds how each
        reference was matched and the number of pairs.

    Raises
    ------
    InputError
        If the catalog has no label, or an argument is not as described.
    """
    names = label_names(catalog) if names is None else list(names)
    if not names:
        raise InputError("catalog: the table has no label of the vocabulary")
    kept = catalog if catalog_cuts is None else catalog[selected_by(catalog, catalog_cuts)]
    if "unflagged" in options:
        options["good"] = options.pop("unflagged")
    parts, ways = [], {}
    for key, reference in against.items():
        cuts = reference_cuts.get(key) if isinstance(reference_cuts, dict) else reference_cuts
        if cuts is not None:
            reference = reference[selected_by(reference, cuts)]
        part, ways[key] = _against(kept, reference, names, by, radius, by_class, options)
        part.add_column(np.full(len(part), key), name="reference", index=0)
        parts.append(part)
    if not parts:
        raise InputError("against: expected at least one reference")
    out = vstack(parts, metadata_conflicts="silent") if len(parts) > 1 else parts[0]
    out.meta["matched"] = ways
    return out


def selected_by(table, cuts):
    """Which rows of a table pass cuts.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A reference says in ``meta["reference"]`` which one it is.
    cuts : str, `~stellarlabels.tables.quality.CutSet`, or sequence of cuts
        The name of a paper whose cuts on this reference are declared in `stellarlabels.validation.references`, or of a
        set of `stellarlabels.tables.quality` (``"solardis comparison"`` for its selection); texts of a sequence are
        conditions: ``"column < number"``, also with <=, >, >=, =, or ``"column without BIT ..."`` of a mask.

    Returns
    -------
    `~numpy.ndarray` of bool, shape (N,)
        False also where a cut cannot be judged.

    Raises
    ------
    InputError
        If there are no such cuts.
    """
    if isinstance(cuts, str):
        name = table.meta.get("reference")
        declared = references.get(name) if name in references.names() else None
        if declared is not None and cuts in declared.cuts:
            return quality.passes(table, declared.cut_set(cuts))
        return quality.passes(table, quality.get(*cuts.split()))
    if isinstance(cuts, list | tuple):
        cuts = [references.condition(cut) if isinstance(cut, str) else cut for cut in cuts]
    return quality.passes(table, cuts)


def pairwise(
    tables,
    *,
    name="distance",
    by="auto",
    radius=1 * u.arcsec,
    clip=3.0,
    bootstrap=200,
    seed=0,
):
    """Bias and scatter of each pair of catalogs, as in Figure 10 of the SolarDis paper (Shen & Luo 2024).

    Parameters
    ----------
    tables : dict of str to `~astropy.table.Table`
        Two catalogs or more.
    name : str
        Label, in every catalog or worked out from its others.
    by, radius
        As for `stellarlabels.validation.match`.
    clip, bootstrap, seed
        As for `stellarlabels.validation.summarize`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each pair: ``first``, ``second``, ``stars`` in common (int64); of the differences, first minus
        second, the statistics of `stellarlabels.validation.summarize` with standard errors, in the label's
        unit (``mean`` and ``std`` are the paper's bias and scatter); and for distances ``fraction_mean``,
        ``fraction_median`` and ``fraction_std`` of (first - second) / second, with standard errors; ``note``.

    Raises
    ------
    InputError
        If there are fewer than two catalogs.
    """
    if len(tables) < 2:
        raise InputError(f"tables: expected two catalogs or more, got {len(tables)}")
    rows = []
    for first, second in combinations(tables, 2):
        row = {"first": first, "second": second}
        values, note = _common(tables[first], tables[second], (first, second), name, by, radius)
        rows.append(row | _differences(*values, name, clip, bootstrap, seed) | {"note": note})
    units = dict.fromkeys((f"{item}{end}" for item in STATISTICS for end in ("", "_err")), columns.column(name).unit)
    return as_table(rows, units=units, label=name, clip=clip, bootstrap=bootstrap, seed=seed)


def _against(catalog, reference, names, by, radius, by_class, options):
    """The rows for one reference, and how it was matched."""
    try:
        labels, truth = matched(catalog, reference, names=names, by=by, radius=radius)
        way = labels.meta["matched_by"]
        note = "" if len(labels) else f"no star of the catalog is in the reference (matched by {way})"
    except InputError as error:
        labels, way, note = (), "", str(error)
    if note:
        labels = truth = QTable({name: columns.column(name).dress(np.zeros(0)) for name in names})
    groups = classes(truth, labels) if by_class else None
    table = summarize(labels, truth, names=names, groups=groups, **options)
    if note:
        table["note"] = np.full(len(table), note)
    return table, {"by": way, "pairs": len(labels)}


def _common(first, second, keys, name, by, radius):
    """Values of a label of the common stars, and what is missing."""
    try:
        labels, truth = matched(first, second, names=[name], by=by, radius=radius)
    except InputError as error:
        return (np.zeros(0), np.zeros(0)), str(error)
    for table, key in ((labels, keys[0]), (truth, keys[1])):
        if name not in table.colnames:
            return (np.zeros(0), np.zeros(0)), f"{key} has no {name}"
    values = columns.values(labels, name), columns.values(truth, name)
    known = np.isfinite(values[0]) & np.isfinite(values[1])
    if not len(labels):
        return values, f"no star in common (matched by {labels.meta['matched_by']})"
    return values, "" if known.any() else "no star has both values"


def _differences(first, second, name, clip, bootstrap, seed):
    """Statistics of the differences, and of the fractions if the label is a distance."""
    difference = first - second
    sample = Sample(difference)
    out, errors = {"stars": len(sample)}, sample.bootstrap(bootstrap, clip=clip, seed=seed)
    for key, number in sample.statistics(clip).items():
        out[key], out[f"{key}_err"] = number, errors[key]
    if name == "distance":
        with np.errstate(invalid="ignore", divide="ignore"):
            share = Sample(np.where(second > 0, difference / second, np.nan))
        numbers, errors = share.statistics(clip), share.bootstrap(bootstrap, clip=clip, seed=seed)
        for key in ("mean", "median", "std"):
            out[f"fraction_{key}"], out[f"fraction_{key}_err"] = numbers[key], errors[key]
    return out
