"""Star clusters: their members, and the intrinsic dispersion of their labels."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.exceptions import MissingColumnError
from stellarlabels.tables.columns import text
from stellarlabels.validation.bins import as_table
from stellarlabels.validation.derived import derived_label
from stellarlabels.validation.lines import weighted_line
from stellarlabels.validation.matching import match
from stellarlabels.validation.samples import Sample

#: Name of the column of a membership list that holds the cluster.
CLUSTER = "cluster"


def cluster_members(catalog, members, *, by="auto", radius=1 * u.arcsec):
    """The stars of a catalog that are in a membership list.

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    members : `~astropy.table.Table`
        With the column ``cluster`` (text) and an identifier that the catalog has, or ``ra`` and ``dec``.
    by, radius
        As for `stellarlabels.validation.match`.

    Returns
    -------
    `~astropy.table.QTable`
        The rows of the catalog that are members, with the column ``cluster``. A star in the lists of two clusters
        belongs to the one listed first.

    Raises
    ------
    MissingColumnError
        If the list has no column ``cluster``.
    """
    key = next((name for name in members.colnames if name.lower() == CLUSTER), None)
    if key is None:
        raise MissingColumnError(f"members: expected a column {CLUSTER!r}, got {', '.join(members.colnames) or 'none'}")
    pairs = match(catalog, members, by=by, radius=radius)
    out = QTable(catalog, copy=False)[pairs["row"]]
    out[CLUSTER] = text(members, key)[0][pairs["match_row"]]
    out.meta["matched_by"] = pairs.meta["by"]
    return out


def cluster_summary(
    catalog,
    members,
    *,
    name="feh",
    magnitude="phot_g_mean_mag",
    by="auto",
    radius=1 * u.arcsec,
    clip=3.0,
    bootstrap=200,
    seed=0,
):
    """Mean, dispersion and trend with magnitude of a label in star clusters, as in Figure 9 of Yang et al. (2025).

    Parameters
    ----------
    catalog : `~astropy.table.Table`
    members : `~astropy.table.Table`
        Membership list; see `cluster_members`.
    name : str
        Label.
    magnitude : str
        Column of the catalog that the trend is with.
    by, radius
        As for `stellarlabels.validation.match`.
    clip, bootstrap, seed
        As for `stellarlabels.validation.summarize`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each cluster of the list, in its order:

        - ``cluster``; ``members`` in the list, and ``stars`` of them in the catalog that have the label (int64);
        - ``gauss_mean`` and ``gauss_sigma`` with ``_err``: clipped Gaussian fit to all stars, as in the paper;
        - ``mean`` and ``dispersion``, mean and intrinsic dispersion of the stars within ``clip`` standard deviations
          of that fit, by maximum likelihood, with the errors of the stars taken off; ``mean_err``,
          ``dispersion_lo`` and ``dispersion_hi`` (68 % interval of the likelihood);
        - ``slope`` (per mag) and ``slope_err`` of the label with magnitude, a straight line through the same stars,
          weighted by their errors and the scatter around it;
        - ``note``, a sentence if something is missing.

    Raises
    ------
    MissingColumnError
        If the list has no column ``cluster``.
    """
    found = cluster_members(catalog, members, by=by, radius=radius)
    value, error, source = derived_label(found, name, required=False)
    mag = columns.values(found, magnitude, required=False)
    where = found[CLUSTER]
    listed = text(members, next(key for key in members.colnames if key.lower() == CLUSTER))[0]
    rows = []
    for cluster in dict.fromkeys(listed.tolist()):
        here = np.asarray(where == cluster) & np.isfinite(value)
        note = "" if source else f"the catalog has no {name}"
        if source and not here.any():
            note = f"no member with {name} is in the catalog (matched by {found.meta['matched_by']})"
        numbers = _one(value[here], error[here], mag[here], clip, bootstrap, seed, note)
        rows.append({"cluster": cluster, "members": int((listed == cluster).sum()), **numbers})
    unit = columns.column(name).unit
    units = {key: f"{unit} / mag" if key.startswith("slope") else unit for key in (rows[0] if rows else ())}
    meta = {"label": name, "magnitude": magnitude, "matched_by": found.meta["matched_by"], "clip": clip}
    return as_table(rows, units=units, **meta)


def _one(value, error, magnitude, clip, bootstrap, seed, note):
    """The numbers of one cluster."""
    sample = Sample(value)
    errors = sample.bootstrap(bootstrap, clip=clip, seed=seed)
    center, sigma, _ = sample.gaussian(clip)
    out = {"stars": len(sample), "gauss_mean": center, "gauss_mean_err": errors["gauss_mean"]}
    out |= {"gauss_sigma": sigma, "gauss_sigma_err": errors["gauss_sigma"]}
    inside = np.abs(value - center) <= clip * sigma if np.isfinite(sigma) else np.ones(len(value), bool)
    known = inside & np.isfinite(error)
    fit = intrinsic(value[known], error[known])
    out |= {key: fit[key] for key in ("mean", "mean_err", "dispersion", "dispersion_lo", "dispersion_hi")}
    rows = inside & np.isfinite(magnitude)
    spread = np.where(np.isfinite(error), error, 0.0)
    line = weighted_line(magnitude[rows], value[rows], spread[rows])
    out["slope"], out["slope_err"] = line["slope"], line["slope_err"]
    if not note:
        remarks = []
        if len(sample) < 3:
            remarks.append("fewer than three stars")
        elif not known.any():
            remarks.append("no errors: the dispersion is not known")
        if len(sample) >= 3 and not np.isfinite(line["slope"]):
            remarks.append("no trend: too few different magnitudes")
        note = "; ".join(remarks)
    return out | {"note": note}


#: Fall of the log likelihood at the ends of a 68.3 % interval.
_HALF = 0.5


def intrinsic(values, errors):
    """Mean and intrinsic dispersion of values (N,) with Gaussian errors (N,), by maximum likelihood: dict of float."""
    # "mean" and "mean_err" are weighted by the inverse of error squared plus dispersion squared. "dispersion" is 0 if
    # the errors explain the scatter; at "dispersion_lo" and "dispersion_hi" the likelihood, greatest over the mean, has
    # fallen by exp(-1/2). NaN for fewer than two values, the interval for fewer than three. Each value is drawn from a
    # Gaussian with the variance of its error plus that of the population (Pryor & Meylan 1993, ASP Conf. Ser. 50, 357).
    # The likelihood of the dispersion is integrated over the mean, which removes the bias of the maximum for few
    # values.
    from scipy.optimize import brentq, minimize_scalar

    out = dict.fromkeys(("mean", "mean_err", "dispersion", "dispersion_lo", "dispersion_hi"), np.nan)
    if values.size == 0:
        return out
    if values.size == 1:
        return out | {"mean": float(values[0]), "mean_err": float(errors[0]) or np.nan}
    spread = float(np.std(values, ddof=1))
    top = 10 * spread + float(errors.max())
    if top == 0:
        return out | {"mean": float(values[0]), "mean_err": 0.0, "dispersion": 0.0}
    floor = 1e-6 * top  # without errors the likelihood of no dispersion at all has no limit

    def fall(sigma):
        return -_log_likelihood(values, errors, max(sigma, floor))[0]

    grid = np.concatenate([[0.0], np.geomspace(1e-4, 1, 60) * top])
    heights = np.array([fall(item) for item in grid])
    place = int(heights.argmin())
    if place == 0:
        best = 0.0
    else:
        bounds = grid[place - 1], grid[min(place + 1, len(grid) - 1)]
        best = float(minimize_scalar(fall, bounds=bounds, method="bounded", options={"xatol": 1e-6 * top}).x)
        best = best if fall(best) < heights[0] else 0.0
    lowest = fall(best)
    _, mean, variance = _log_likelihood(values, errors, max(best, floor))
    out |= {"mean": float(mean), "mean_err": float(np.sqrt(variance)), "dispersion": best}
    if values.size < 3:
        return out

    def excess(sigma):
        return fall(sigma) - lowest - _HALF

    out["dispersion_lo"] = float(brentq(excess, 0.0, best)) if best > 0 and excess(0.0) > 0 else 0.0
    end = top
    while excess(end) < 0:
        end *= 4
    out["dispersion_hi"] = float(brentq(excess, best, end))
    return out


def _log_likelihood(values, errors, sigma):
    """Logarithm of the likelihood of a dispersion, with the best mean and its variance."""
    weight = 1 / (errors**2 + sigma**2)
    total = weight.sum()
    mean = (weight * values).sum() / total
    log = 0.5 * (np.log(weight).sum() - np.log(total) - (weight * (values - mean) ** 2).sum())
    return log, mean, 1 / total
