"""The tables in which the five papers compare their labels with others, as functions of any catalog.

The numbers that the papers print are in ``data/validation/published``; `published` gives them in the same columns.
"""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError
from stellarlabels.validation.bins import as_table, inside
from stellarlabels.validation.derived import classes
from stellarlabels.validation.matching import matched
from stellarlabels.validation.samples import Sample
from stellarlabels.validation.statistics import selected

__all__ = [
    "csnet_section422",
    "published",
    "spcanet_table1",
    "uacsnet_errors",
    "uacsnet_section42",
    "uncertain_table1",
    "uncertain_table2",
    "uncertain_table3",
]

#: Labels of CSNet, in the order of its figures.
_CSNET = ("teff", "logg", "feh", "alpha_fe", "c_fe", "n_fe", "mg_fe", "ca_fe")
#: Labels of the tables of Fallows & Sanders (2024), in their order.
_UNCERTAIN = ("feh", "teff", "logg", "c_fe", "n_fe", "alpha_m")
_PUBLISHED = (
    *("csnet_section422", "precisions", "solardis_fig10", "solardis_table3", "solardis_table4", "spcanet_table1"),
    *("uacsnet_fig9", "uacsnet_section42", "uncertain_table1", "uncertain_table2", "uncertain_table3"),
)


def published_names():
    """Names of the papers' tables, in alphabetical order."""
    return list(_PUBLISHED)


def published(name):
    """A table of comparisons as a paper prints it.

    Parameters
    ----------
    name : str
        Paper and table: ``"csnet_section422"``, ``"solardis_fig10"``, ``"solardis_table3"``, ``"solardis_table4"``,
        ``"spcanet_table1"``, ``"uacsnet_fig9"``, ``"uacsnet_section42"`` or ``"uncertain_table1"`` to
        ``"uncertain_table3"``; and ``"precisions"``, those that the five papers state of their labels.

    Returns
    -------
    `~astropy.table.Table`
        The paper's numbers, in the columns that the function for one's own catalog gives as far as the paper has them;
        NaN where it prints none. ``meta`` has ``reference`` and ``notes``.

    Raises
    ------
    InputError
        If there is no such table.
    """
    if name not in _PUBLISHED:
        raise InputError(f"name: expected one of {', '.join(_PUBLISHED)}, got {name!r}")
    return packaged.table("validation", f"published/{name}").copy()


def csnet_section422(
    catalog, against, *, names=None, rule="csnet", limits=None, clip=3.0, bootstrap=200, seed=0, by="auto",
    radius=1 * u.arcsec,
):  # fmt: skip
    """Bias and 1-sigma of dwarfs and giants, all and cool ones: Figures 5 and 6, section 4.2.2 of Yang et al. (2022).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    against : dict of str to `~astropy.table.Table`
        References: the paper's are APOGEE-Payne, APOGEE DR15 and GALAH DR2.
    names : sequence of str, optional
        Labels; by default the paper's.
    rule : {"csnet", "logg"}
        What is a giant; see `stellarlabels.validation.classes`.
    limits : dict of str to float, optional
        Teff of the catalog (K) below which ``"dwarfs"`` and ``"giants"`` are also shown alone; the paper's 4800 and
        4300 K by default.
    clip, bootstrap, seed
        As for `stellarlabels.validation.summarize`.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each reference, label and group: ``reference``, ``label``, ``unit``, ``group`` (``"dwarfs"`` or
        ``"giants"``), ``below`` (K; infinite for all), ``stars`` (int64), ``bias`` and ``sigma`` of the Gaussian fit
        with ``_err``, and ``note``.
    """
    names, limits = names or _CSNET, {"dwarfs": 4800.0, "giants": 4300.0} | (limits or {})
    rows = []
    for key, reference in against.items():
        labels, truth, note = _match(catalog, reference, [*names, "teff"], by, radius)
        groups = classes(labels, truth, rule=rule) if len(labels) else dict.fromkeys(limits, np.zeros(0, bool))
        teff = columns.values(labels, "teff", required=False) if len(labels) else np.zeros(0)
        for name in names:
            residual, remark = _residual(labels, truth, name, note)
            for group, rows_of in groups.items():
                for limit in (np.inf, limits[group]):
                    here = residual if note or remark else residual[rows_of & (teff < limit)]
                    row = {"reference": key, "label": name, "unit": columns.column(name).unit, "group": group}
                    row |= {"below": limit} | _gaussian(here, clip, bootstrap, seed)
                    rows.append(row | {"note": remark or ("" if row["stars"] else f"no {group} below {limit:g} K")})
    return as_table(rows, units={"below": "K"}, reference="Yang et al. 2022, section 4.2.2")


def spcanet_table1(catalog, against, *, names=None, by="auto", radius=1 * u.arcsec):
    """Bias and standard deviation of each label against each reference: Table 1 of Wang et al. (2020).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    against : dict of str to `~astropy.table.Table`
        References: the paper's are APOGEE, GALAH and RAVE.
    names : sequence of str, optional
        Labels; by default the paper's, as far as the catalog has them or they can be worked out.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``, ``unit``, and for each reference ``<reference>_bias`` (mean of catalog minus
        reference), ``<reference>_sigma`` (standard deviation) and ``<reference>_stars`` (int64), the rows of the
        catalog that count; ``note``.
    """
    names = published("spcanet_table1")["label"].tolist() if names is None else list(names)
    found = {key: _match(catalog, reference, names, by, radius) for key, reference in against.items()}
    rows = []
    for name in names:
        row, notes = {"label": name, "unit": columns.column(name).unit}, []
        for key, (labels, truth, note) in found.items():
            residual, remark = _residual(labels, truth, name, note)
            sample = Sample(residual)
            row |= {f"{key}_bias": sample.mean(), f"{key}_sigma": sample.std(), f"{key}_stars": len(sample)}
            notes += [f"{key}: {remark}"] if remark else []
        rows.append(row | {"note": "; ".join(notes)})
    return as_table(rows, reference="Wang et al. 2020, ApJ 891, 23, table 1")


def uncertain_table1(catalog, reference, *, names=None, by="auto", radius=1 * u.arcsec):
    """Median label, its error, median residual and RMSE: Table 1 of Fallows & Sanders (2024).

    Parameters
    ----------
    catalog, reference : `~astropy.table.Table`
        The paper's reference is APOGEE DR17.
    names : sequence of str, optional
        Labels; by default the paper's.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``, ``unit``, ``value`` (median label), ``error`` (median predicted error),
        ``residual`` (median of catalog minus reference), ``rmse``, ``stars`` (int64), ``note``.
    """
    names = names or _UNCERTAIN
    labels, truth, note = _match(catalog, reference, names, by, radius)
    rows = []
    for name in names:
        residual, remark = _residual(labels, truth, name, note)
        sample, known = Sample(residual), np.isfinite(residual)
        value, error = (
            np.zeros(0) if not len(sample) else columns.column_values(labels, item, required=False)[known]
            for item in columns.label_columns(name)[:2]
        )
        numbers = {"value": Sample(value).median(), "error": Sample(error).median()}
        numbers |= {"residual": sample.median(), "rmse": sample.rmse(), "stars": len(sample)}
        rows.append({"label": name, "unit": columns.column(name).unit, **numbers, "note": remark})
    return as_table(rows, reference="Fallows & Sanders 2024, table 1")


def uncertain_table2(catalog, lrs, mrs, *, by="auto", radius=1 * u.arcsec):
    """Median residual and RMSE against LAMOST: Table 2 of Fallows & Sanders (2024).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    lrs, mrs : `~astropy.table.Table`
        Low-resolution labels, for [Fe/H], Teff and log g, and medium-resolution ones, for [C/Fe], [N/Fe] and
        [alpha/M]; abundances are worked out from [X/H] where need be.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each label: ``label``, ``unit``, ``reference`` (``"lrs"`` or ``"mrs"``), ``residual``, ``rmse``,
        ``stars`` (int64), ``note``.
    """
    rows = []
    for key, reference, names in (("lrs", lrs, _UNCERTAIN[:3]), ("mrs", mrs, _UNCERTAIN[3:])):
        table = uncertain_table1(catalog, reference, names=names, by=by, radius=radius)
        for row in table:
            numbers = {name: row[name] for name in ("residual", "rmse", "stars", "note")}
            rows.append({"label": row["label"], "unit": row["unit"], "reference": key, **numbers})
    return as_table(rows, reference="Fallows & Sanders 2024, table 2")


def uncertain_table3(catalogs, *, names=("feh", "teff", "logg")):
    """Median predicted errors of catalogs beside each other: Table 3 of Fallows & Sanders (2024).

    Parameters
    ----------
    catalogs : dict of str to `~astropy.table.Table`
    names : sequence of str
        Labels.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each catalog: ``catalog``, and for each label ``<label>_err``, the median of its errors, in its
        unit; NaN where the catalog has none. The paper's table says mean; its numbers are the medians of the abstract.
    """
    items = [columns.label_columns(name)[1] for name in names]
    rows = [
        {"catalog": key}
        | {item.name: Sample(columns.column_values(table, item, required=False)).median() for item in items}
        for key, table in catalogs.items()
    ]
    units = {item.name: item.unit for item in items}
    return as_table(rows, units=units, reference="Fallows & Sanders 2024, table 3")


def uacsnet_section42(
    catalog,
    against,
    *,
    name="feh",
    limits=(-1.0, -2.0),
    clip=3.0,
    bootstrap=200,
    seed=0,
    by="auto",
    radius=1 * u.arcsec,
):
    """Bias and 1-sigma of [Fe/H] from Gaussian fits, for all and for metal-poor stars.

    The comparisons of Section 4.2 of Yang et al. (2025).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    against : dict of str to `~astropy.table.Table`
        References: the paper's are PASTEL, SAGA, SEGUE, LAMOST and other catalogs of metal-poor stars.
    name : str
        Label.
    limits : sequence of float
        Beside all stars, those of which the reference value is below each of these are taken.
    clip, bootstrap, seed
        As for `stellarlabels.validation.summarize`.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each reference and range: ``reference``, ``below`` (infinite for all stars), ``stars`` (int64),
        ``bias`` and ``sigma`` of the clipped Gaussian fit with ``_err``, in the label's unit, ``note``.
    """
    rows = []
    for key, reference in against.items():
        labels, truth, note = _match(catalog, reference, [name], by, radius)
        residual, remark = _residual(labels, truth, name, note)
        value = columns.values(truth, name, required=False) if len(labels) else np.zeros(0)
        for limit in (np.inf, *limits):
            numbers = _gaussian(residual[value < limit] if np.isfinite(limit) else residual, clip, bootstrap, seed)
            note_here = remark or ("" if numbers["stars"] else f"no star has a reference value below {limit:g}")
            rows.append({"reference": key, "below": limit, **numbers, "note": note_here})
    keys = ("below", "bias", "bias_err", "sigma", "sigma_err")
    return as_table(rows, units=dict.fromkeys(keys, columns.column(name).unit), reference="Yang et al. 2025, sect. 4.2")


def uacsnet_errors(
    catalog,
    reference,
    *,
    name="feh",
    along="phot_g_mean_mag",
    edges=None,
    clip=3.0,
    by="auto",
    radius=1 * u.arcsec,
):
    """Typical predicted error beside the scatter of the residuals in bins of magnitude: Figure 5 of Yang et al. (2025).

    Parameters
    ----------
    catalog, reference : `~astropy.table.Table`
    name : str
        Label.
    along : str
        Column of the catalog.
    edges : array_like, optional
        Of the bins, in its unit; by default whole units from the smallest value to the largest.
    clip : float
        Of the Gaussian fits.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        ``low``, ``high`` (in the unit of the column), ``stars`` (int64), ``error`` (median predicted error) and
        ``sigma`` (1-sigma of the residuals), in the label's unit; ``note``.
    """
    labels, truth, note = _match(catalog, reference, [name], by, radius)
    residual, remark = _residual(labels, truth, name, note)
    item = columns.column(along)
    empty = np.zeros(0)
    at = columns.values(labels, along, required=False) if len(labels) else empty
    error = columns.column_values(labels, columns.label_columns(name)[1], required=False) if len(labels) else empty
    known = np.isfinite(at) & np.isfinite(residual)
    if edges is None:
        ends = (at[known].min(), at[known].max()) if known.any() else (np.nan, np.nan)
        edges = np.arange(np.floor(ends[0]), np.floor(ends[1]) + 2) if known.any() else ends
    rows = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        here = known & inside(at, low, high, closed=high == edges[-1])
        sample = Sample(residual[here])
        numbers = {"error": Sample(error[here]).median(), "sigma": sample.gaussian(clip)[1]}
        note = remark or ("" if len(sample) else "no star in this bin")
        rows.append({"low": low, "high": high, "stars": len(sample), **numbers, "note": note})
    unit = columns.column(name).unit
    units = {"low": item.unit, "high": item.unit, "error": unit, "sigma": unit}
    return as_table(rows, units=units, reference="Yang et al. 2025, figure 5")


def _match(catalog, reference, names, by, radius):
    """Labels of the common stars, and a sentence if there are none."""
    try:
        labels, truth = matched(catalog, reference, names=list(names), by=by, radius=radius)
    except InputError as error:
        return QTable(), QTable(), str(error)
    note = "" if len(labels) else f"no star in common (matched by {labels.meta['matched_by']})"
    return labels, truth, note


def _gaussian(residual, clip, bootstrap, seed):
    """Number of stars, bias and 1-sigma of a clipped Gaussian fit, with standard errors."""
    sample = Sample(residual)
    errors = sample.bootstrap(bootstrap, clip=clip, seed=seed)
    mean, sigma, _ = sample.gaussian(clip)
    numbers = {"bias": mean, "bias_err": errors["gauss_mean"], "sigma": sigma, "sigma_err": errors["gauss_sigma"]}
    return {"stars": len(sample)} | numbers


def _residual(labels, truth, name, note):
    """Residuals of a label, and a sentence if there are none."""
    if note:
        return np.zeros(0), note
    residual, _, _, missing = selected(labels, truth, name)
    return residual, missing or ("" if np.isfinite(residual).any() else "no star has both values")
