"""What this catalog reaches, what the paper states and what peers reach, side by side, and how their samples differ."""

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.exceptions import InputError
from stellarlabels.validation import papers
from stellarlabels.validation.bins import as_table
from stellarlabels.validation.matching import labels_of_pairs, match
from stellarlabels.validation.samples import Sample
from stellarlabels.validation.statistics import label_names, selected

#: What a sample is described by: column, how it is written, and its unit in words.
_DESCRIBED = (
    *(("phot_g_mean_mag", "G", 1, ""), ("teff", "Teff", 0, " K"), ("logg", "log g", 1, "")),
    *(("feh", "[Fe/H]", 1, ""), ("ebv", "E(B-V)", 2, "")),
)
#: Quantities of the published precisions.
_QUANTITIES = ("scatter", "rmse", "error")


def side_by_side(
    catalog, reference, *, system=None, peers=None, names=None, by="auto", radius=1 * u.arcsec, bootstrap=200, seed=0
):
    """Precision of a catalog beside what the paper of its system states and what peers reach on the same reference.

    Parameters
    ----------
    catalog : `~astropy.table.Table`
        Labels, as a system's ``predict`` gives them.
    reference : `~astropy.table.Table`
        What all are measured against; see `stellarlabels.validation.references`.
    system : str, optional
        Whose published precisions are put beside it (``papers.published("precisions")``), for instance ``"uacsnet"``.
    peers : dict of str to `~astropy.table.Table`, optional
        Other catalogs, by their names.
    names : sequence of str, optional
        Labels; by default those of the catalog that the reference has, too.
    by, radius
        As for `stellarlabels.validation.match`.
    bootstrap, seed
        As for `stellarlabels.validation.summarize`.

    Returns
    -------
    `~astropy.table.QTable`
        For each label and each quantity that the paper states (the scatter if it states none) a row for ``"ours"``, one
        for the paper and one for each peer: ``label``, ``unit``, ``quantity``, ``whose``; ``value`` and ``value_err``
        in that unit, NaN where not known; ``ours`` and ``theirs``, what this catalog and the other have on the stars
        that both label (NaN for the paper); ``bias``, the median of label minus reference; ``stars`` (int64, 0 for the
        paper); ``sample``, who they are, with middle 96 % of their magnitudes and labels; ``differs``, in what the
        sample is not that of this catalog; and ``source``. Quantities: ``"scatter"``, 1 sigma of a Gaussian fit to the
        residuals within 3 sigma; ``"rmse"``; ``"error"``, the median of the predicted errors. Only good labels count.

    Raises
    ------
    InputError
        If there is nothing to compare, or no such system.
    """
    stated = _stated(system)
    names = [name for name in label_names(catalog) if columns.find(reference, name)] if names is None else list(names)
    if not names:
        raise InputError("reference: it has none of the labels of the catalog; give one that does, or names=")
    title = _title(reference)
    ours, rows = _Matched(catalog, reference, names, by, radius), []
    others = {key: _Matched(table, reference, names, by, radius) for key, table in (peers or {}).items()}
    for name in names:
        printed = [row for row in stated if row["label"] == name]
        for quantity in dict.fromkeys(str(row["quantity"]) for row in printed) if printed else ("scatter",):
            first = {"label": name, "unit": columns.column(name).unit, "quantity": quantity}
            numbers = ours.numbers(name, quantity, bootstrap, seed)
            rows.append(first | {"whose": "ours", **numbers, "differs": "", "source": title})
            rows[-1] |= dict.fromkeys(("ours", "theirs"), numbers["value"])
            for row in (row for row in printed if row["quantity"] == quantity):
                rows.append(first | _printed(row, title))
            for key, other in others.items():
                beside = {"ours": ours.numbers(name, quantity, 0, seed, only=other.rows(name))["value"]}
                beside["theirs"] = other.numbers(name, quantity, 0, seed, only=ours.rows(name))["value"]
                beside["differs"] = other.differs(ours, name)
                rows.append(first | {"whose": key, **other.numbers(name, quantity, bootstrap, seed), **beside})
                rows[-1]["source"] = title
    order = ["label", "unit", "quantity", "whose", "value", "value_err", "ours", "theirs", "bias", "stars"]
    rows = [{key: row[key] for key in [*order, "sample", "differs", "source"]} for row in rows]
    return as_table(rows, reference=title, bootstrap=bootstrap, seed=seed)


class _Matched:
    """A catalog's stars in the reference, and their residuals label by label."""

    def __init__(self, catalog, reference, names, by, radius):
        pairs = match(catalog, reference, by=by, radius=radius)
        self.labels, self.truth = labels_of_pairs(catalog, reference, pairs, names)
        self.row = np.asarray(pairs["match_row"])
        self._of = {name: selected(self.labels, self.truth, name)[0] for name in names}

    def rows(self, name):
        """Rows of the reference for which the label is known."""
        return self.row[np.isfinite(self._of[name])]

    def numbers(self, name, quantity, bootstrap, seed, only=None):
        """Value with its error, bias, number of stars, and a description; of some rows of the reference alone."""
        known = np.isfinite(self._of[name]) & (True if only is None else np.isin(self.row, only))
        residual = self._of[name][known]
        if quantity == "error":
            item = columns.label_columns(name)[1]
            found = columns.column_values(self.labels, item, required=False)[known]
            sample, key = Sample(found), "median"
        else:
            sample, key = Sample(residual), {"scatter": "gauss_sigma", "rmse": "rmse"}[quantity]
        value = sample.statistics()[key] if len(sample) else np.nan
        error = sample.bootstrap(bootstrap, seed=seed)[f"{key}"] if bootstrap else np.nan
        out = {"value": value, "value_err": error, "bias": Sample(residual).median(), "stars": int(known.sum())}
        return out | {"sample": _described(self.labels, self.truth, known)}

    def differs(self, ours, name):
        """In what the stars are not those of this catalog."""
        here, there = self.rows(name), ours.rows(name)
        if not here.size:
            return "no star with a good label"
        common = np.intersect1d(here, there).size
        if common == here.size == there.size:
            return "the same stars"
        return f"{common:,} of its {here.size:,} stars are among the {there.size:,} of this catalog"


def _stated(system):
    """Rows of the published precisions of a system."""
    table = papers.published("precisions")
    if system is None:
        return []
    if system not in table["system"]:
        raise InputError(f"system: expected one of {', '.join(sorted(set(table['system'])))}, got {system!r}")
    return list(table[table["system"] == system])


def _printed(row, title):
    """The columns of a row for what the paper states."""
    against = "" if np.ma.is_masked(row["against"]) else str(row["against"])
    differs = "other stars" + (f", and {against} where here it is {title}" if against not in ("", title) else "")
    numbers = dict.fromkeys(("value_err", "ours", "theirs", "bias"), np.nan)
    numbers |= {"value": float(row["value"]), "stars": 0}
    words = {"sample": f"{row['stars']}, against {against}" if against else str(row["stars"]), "differs": differs}
    return {"whose": "the paper", **numbers, **words, "source": str(row["source"])}


def _title(reference):
    from stellarlabels.validation import references

    name = reference.meta.get("reference", "")
    return references.get(name).title if name in references.names() else str(name or "the reference given")


def _described(labels, truth, known):
    """Numbers of stars and ranges of what is known of them, in words."""
    parts = [f"{known.sum():,} stars"]
    for name, word, digits, unit in _DESCRIBED:
        table = next((item for item in (truth, labels) if columns.find(item, name) is not None), None)
        values = columns.values(table, name)[known] if table is not None else np.zeros(0)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = (f"{end:.{digits}f}" for end in np.quantile(values, (0.02, 0.98)))
            parts.append(f"{word} {low} to {high}{unit}")
    return ", ".join(parts)
