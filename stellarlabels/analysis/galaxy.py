"""Where in the Galaxy the stars are, and gradients of metallicity, as in Section 4.4 of the SolarDis paper."""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.exceptions import InputError, MissingColumnError
from stellarlabels.validation import derived_label, grouped_lines

#: Columns with a distance or a parallax, in the order in which they are tried, with those of the interval or the error.
SOURCES = {
    "distance": ("distance_lo", "distance_hi"),
    "r_med_photogeo": ("r_lo_photogeo", "r_hi_photogeo"),
    "r_med_geo": ("r_lo_geo", "r_hi_geo"),
    "parallax_corrected": ("parallax_error",),
    "parallax": ("parallax_error",),
}
_COORDINATES = ("x_gc", "y_gc", "z_gc", "r_gc", "phi_gc")
#: Number of coordinates that are sampled at a time.
_CHUNK = 2_000_000


def default_frame():
    """Astropy's frame of the parameter set "v4.0", whatever the defaults of the session are."""
    # The Sun is at 8.122 kpc from the center (GRAVITY Collaboration 2018), 20.8 pc above the plane (Bennett & Bovy
    # 2019).
    from astropy.coordinates import Galactocentric, galactocentric_frame_defaults

    with galactocentric_frame_defaults.set("v4.0"):
        return Galactocentric()


def galactocentric(table, *, distance="auto", parallax_over_error=5.0, frame=None, samples=0, seed=0):
    """Galactocentric coordinates of stars.

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars with ``ra``, ``dec`` and a distance or a parallax.
    distance : str or `~astropy.units.Quantity`, shape (N,)
        Distances, or the column to take: ``distance``, ``r_med_photogeo``, ``r_med_geo``, ``parallax_corrected`` or
        ``parallax`` (of which the reciprocal is taken); ``"auto"`` for the first of these that the table has with any
        value in it. Columns are not mixed.
    parallax_over_error : float
        Stars with a smaller ratio have no distance from their parallax, where there is an error.
    frame : `~astropy.coordinates.Galactocentric`, optional
        Position of the Sun; by default Astropy's parameter set "v4.0", whatever the defaults of the session are.
    samples : int
        Number of distances drawn for each star, from which the errors are; none for 0. The logarithm of a distance is
        drawn from a Gaussian with the half width of its interval (``distance_lo`` and ``distance_hi``, or
        ``distance_err``), a parallax from a Gaussian with its error. Errors of the position on the sky are left out.
    seed : int
        Of the draws.

    Returns
    -------
    `~astropy.table.QTable`
        The same rows: the identifier, ``distance`` (pc), ``x_gc``, ``y_gc``, ``z_gc``, ``r_gc`` (kpc) and ``phi_gc``
        (deg), and with samples their errors ``<name>_err``, half the distance between the 16 % and 84 % quantiles.
        Right-handed: the Sun is at negative x, y points in the direction of rotation. Masked where the distance is
        missing or not positive. ``meta`` holds the source of the distances and the parameters of the frame.

    Raises
    ------
    MissingColumnError
        If the position or the distance is not there.
    InputError
        If there is no such source.
    """
    frame = default_frame() if frame is None else frame
    source, value, width = _distances(table, distance, parallax_over_error)
    direction = _directions(table)
    matrix, offset = _affine(frame)
    along = direction @ matrix.T
    out = QTable()
    key = columns.identifier(table)
    if key is not None:
        out[key] = table[key]
    out["distance"] = columns.column("distance").dress(value * 1000)
    for name, column in zip(_COORDINATES, _coordinates(offset + value[:, None] * along), strict=True):
        out[name] = columns.column(name).dress(column)
    if samples:
        errors = _sampled(value, width, source, along, offset, samples, seed)
        for name, column in zip(_COORDINATES, errors, strict=True):
            out[f"{name}_err"] = columns.label_columns(name)[1].dress(column)
    out.meta.update(
        distance_source=source,
        galcen_distance=str(frame.galcen_distance.to(u.kpc)),
        z_sun=str(frame.z_sun.to(u.pc)),
    )
    return out


def positions(table, names=("r_gc", "z_gc"), **options):
    """Galactocentric coordinates (N,) by name, NaN where missing: from the table's columns, or by `galactocentric`."""
    there = table if all(columns.find(table, name) for name in names) else galactocentric(table, **options)
    return [columns.values(there, name) for name in names]


def on_the_sky(table):
    """Galactic longitude from -180 to 180 deg and latitude (N,), NaN where missing: from l and b, or ra and dec."""
    if columns.find(table, "l") is not None and columns.find(table, "b") is not None:
        longitude, latitude = columns.values(table, "l"), columns.values(table, "b")
    else:
        from astropy.coordinates import ICRS, Galactic, SkyCoord

        there = SkyCoord(*(columns.values(table, name) * u.deg for name in ("ra", "dec")), frame=ICRS)
        there = there.transform_to(Galactic)
        longitude, latitude = there.l.deg, there.b.deg
    return (longitude + 180) % 360 - 180, latitude


def _distances(table, distance, least):
    """Source, distances in kpc, and half widths of their logarithm (relative errors of a parallax)."""
    if not isinstance(distance, str):
        value = columns.column("distance").dress(distance)
        if value.shape != (len(table),):
            raise InputError(f"distance: expected {len(table)} values, got shape {value.shape}")
        value = columns.values(QTable({"distance": value}), "distance", unit="kpc")
        return "given", np.where(value > 0, value, np.nan), np.full(len(table), np.nan)
    if distance != "auto" and distance not in SOURCES:
        raise InputError(f"distance: expected auto, {', '.join(SOURCES)} or values, got {distance!r}")
    there = [name for name in SOURCES if columns.find(table, name) is not None and distance in ("auto", name)]
    if not there:
        wanted = ", ".join(SOURCES) if distance == "auto" else distance
        raise MissingColumnError(f"distance: the table has no column {wanted}")
    source = next((name for name in there if np.isfinite(columns.values(table, name)).any()), there[0])
    if source.startswith("parallax"):
        value, error = columns.values(table, source), columns.values(table, "parallax_error", required=False)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where((value > 0) & ~(value < least * error), 1 / value, np.nan)
        return source, value, error * value
    value = columns.values(table, source, unit="kpc")
    low, high = (columns.values(table, name, required=False, unit="kpc") for name in SOURCES[source])
    with np.errstate(invalid="ignore", divide="ignore"):
        width = 0.5 * np.log(high / low)
        if source == "distance":
            error = columns.column_values(table, columns.label_columns("distance")[1], required=False) / 1000
            width = np.where(np.isfinite(width), width, error / value)
    return source, np.where(value > 0, value, np.nan), width


def _directions(table):
    """Unit vectors, ICRS."""
    ra, dec = (np.radians(columns.values(table, name)) for name in ("ra", "dec"))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def _affine(frame):
    """Matrix and offset (kpc) that take ICRS positions to the frame; astropy's transformation is of that form."""
    from astropy.coordinates import ICRS, CartesianRepresentation

    points = np.vstack([np.zeros(3), np.eye(3)]).T * u.kpc
    seen = ICRS(CartesianRepresentation(points)).transform_to(frame).cartesian.xyz.to_value(u.kpc)
    return seen[:, 1:] - seen[:, :1], seen[:, 0]


def _coordinates(position):
    """x, y, z, R and azimuth of positions, shape (..., 3)."""
    x, y, z = np.moveaxis(position, -1, 0)
    return x, y, z, np.hypot(x, y), np.degrees(np.arctan2(y, -x))


def _sampled(value, width, source, along, offset, samples, seed):
    """Half widths of the coordinates over drawn distances."""
    random = np.random.default_rng(seed)
    out = np.full((len(_COORDINATES), len(value)), np.nan)
    usable = np.flatnonzero(np.isfinite(value) & np.isfinite(width))
    step = max(_CHUNK // samples, 1)
    for start in range(0, len(usable), step):
        rows = usable[start : start + step]
        noise = random.standard_normal((samples, len(rows))) * width[rows]
        if source.startswith("parallax"):
            with np.errstate(divide="ignore"):
                drawn = np.where(noise > -1, value[rows] / (1 + noise), np.inf)
            drawn = np.minimum(drawn, 1e3)
        else:
            drawn = value[rows] * np.exp(noise)
        found = _coordinates(offset + drawn[..., None] * along[rows])
        middle = np.median(found[4], axis=0)
        found = (*found[:4], middle + (found[4] - middle + 180) % 360 - 180)
        for index, item in enumerate(found):
            low, high = np.quantile(item, [0.158655, 0.841345], axis=0)
            out[index, rows] = 0.5 * (high - low)
    return out


#: Bins and ranges of Shen & Luo (2024), Section 4.4.
_HEIGHTS = np.arange(11) * 0.2 * u.kpc
_RADII = np.arange(7, 15) * u.kpc


def radial_gradients(
    table,
    *,
    name="feh",
    edges=_HEIGHTS,
    r_range=(7, 14) * u.kpc,
    method="least_squares",
    rows=None,
    **options,
):
    """Change of a label with the Galactocentric radius in bins of height: Table 3 of Shen & Luo (2024).

    Parameters
    ----------
    table : `~astropy.table.Table`
        N stars, with ``r_gc`` and ``z_gc``, or with what `~stellarlabels.analysis.galactocentric` needs.
    name : str
        Label.
    edges : `~astropy.units.Quantity`
        Edges of the bins of the height, positive on both sides of the plane; a bin holds its lower edge.
    r_range : `~astropy.units.Quantity`, shape (2,)
        Smallest and largest R.
    method : {"least_squares", "weighted", "robust"}
        How the straight lines are fitted; see ``stellarlabels.validation.grouped_lines``. The paper's is
        ``"least_squares"``. Errors of R are not taken into account: they make gradients flatter.
    rows : array_like of bool, shape (N,), optional
        Stars that count; all by default.
    **options
        For `~stellarlabels.analysis.galactocentric`.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each bin, with the columns of the paper's table: ``z`` (kpc), middle of the bin; ``gradient`` and
        ``gradient_err`` (dex / kpc); ``intercept`` and ``intercept_err`` (dex), the label of the line at R = 0;
        ``stars`` (int64). Then ``low`` and ``high`` (kpc), ``scatter`` around the line (dex) and ``note``, a sentence
        where there is no line.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    radius, height = positions(table, **options)
    return _gradients(table, name, "z", np.abs(height), edges, radius, r_range, method, rows)


def vertical_gradients(
    table,
    *,
    name="feh",
    edges=_RADII,
    z_range=(0, 2) * u.kpc,
    method="least_squares",
    rows=None,
    **options,
):
    """Change of a label with the height over the plane in bins of radius: Table 4 of Shen & Luo (2024).

    Parameters
    ----------
    table : `~astropy.table.Table`
        As for `radial_gradients`.
    name : str
        Label.
    edges : `~astropy.units.Quantity`
        Edges of the bins of R.
    z_range : `~astropy.units.Quantity`, shape (2,)
        Smallest and largest height.
    method, rows, **options
        As for `radial_gradients`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `radial_gradients`, with ``r`` in the place of ``z``, and the gradient with the height.

    Raises
    ------
    InputError
        If an argument is not as described.
    """
    radius, height = positions(table, **options)
    return _gradients(table, name, "r", radius, edges, np.abs(height), z_range, method, rows)


def _gradients(table, name, key, place, edges, x, x_range, method, rows):
    """Lines of a label along x in bins of another coordinate, both in kpc."""
    edges, limits = (u.Quantity(item, u.kpc).value for item in (edges, x_range))
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"edges: expected at least two numbers that increase, got {edges}")
    if limits.shape != (2,) or not limits[0] < limits[1]:
        raise InputError(f"range: expected a smallest and a largest value, got {limits}")
    value, error, source = derived_label(table, name, required=False)
    group = np.searchsorted(edges, place, side="right") - 1
    group = np.where(place == edges[-1], len(edges) - 2, group)
    used = (x >= limits[0]) & (x <= limits[1])
    if rows is not None:
        used &= np.asarray(rows, bool)
    fit = grouped_lines(x, value, np.where(used, group, -1), len(edges) - 1, error=error, method=method)
    unit = u.Unit(columns.column(name).unit)
    out = QTable({key: 0.5 * (edges[:-1] + edges[1:]) * u.kpc})
    out["gradient"], out["gradient_err"] = fit["slope"] * unit / u.kpc, fit["slope_err"] * unit / u.kpc
    out["intercept"], out["intercept_err"] = fit["intercept"] * unit, fit["intercept_err"] * unit
    out["stars"] = fit["stars"]
    out["low"], out["high"] = edges[:-1] * u.kpc, edges[1:] * u.kpc
    out["scatter"] = fit["scatter"] * unit
    out["note"] = _notes(fit, f"the table has no {name}" if not source else "")
    for column in ("gradient", "gradient_err", "intercept", "intercept_err", "scatter"):
        out[column].info.format = ".4f"
    for column in (key, "low", "high"):
        out[column].info.format = ".3g"
    out.meta.update(label=name, method=method, range=f"{limits[0]:g} to {limits[1]:g} kpc")
    return out


def _notes(fit, missing):
    """Why bins have no line."""
    words = np.where(fit["stars"] == 0, "no star in this bin", "fewer than three stars, or all at the same place")
    return np.where(np.isfinite(fit["slope"]), "", missing or words).astype(str)
