"""What an uncertain network looks at: attention to its inputs, and derivative spectra.

Fallows & Sanders, "Stellar Atmospheric Parameters From Gaia BP/RP Spectra using Uncertain Neural Networks", Sections
4.5 and 5. See `stellarlabels.UncertainNet`.
"""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns, packaged
from stellarlabels.exceptions import InputError

#: The paper's Table 5: red clump stars.
RED_CLUMP = {"feh": (0.0, 0.5), "teff": (4750.0, 50.0), "logg": (2.5, 0.5)}
#: The paper's Table 4, and steps of Teff and log g, which it does not simulate.
STEPS = {"feh": 0.5, "c_fe": 0.2, "n_fe": 0.2, "alpha_m": 0.2, "teff": 100.0, "logg": 0.5}


def attention(system, table):
    """Scatter over the stars of derivative times input (the paper's Eq. 13).

    Parameters
    ----------
    system : `stellarlabels.UncertainNet`
    table : `~astropy.table.Table`
        Stars, as for ``system.predict``.

    Returns
    -------
    `~astropy.table.QTable`
        One row for each input: ``feature``, "BP 0" to "BP 54", "RP 0" to "RP 54", colors, "pseudo-magnitude"; and for
        each label a column of its name, the standard deviation of ``G_ij = (dy_j / dx_i) x_i`` over the stars that have
        the input, in the unit of the label. NaN where fewer than two stars have it. 0 for "RP 0", which is 1 for all
        stars: the network has no weight on it.

    Raises
    ------
    InputError
        If no star of the table can be used.
    """
    features, coefficients, others = _derivatives(system, table)
    known = features.arrays["others"][features.usable]
    values = np.concatenate([features.arrays["coefficients"][features.usable], known], axis=1).astype(float)
    product = np.concatenate([coefficients, others], axis=2) * values[:, None, :]
    from stellarlabels.inputs.xp import SIZES

    # The derivative by the divisor is that of all other coefficients, which are in its units, and not that of an input.
    product[..., SIZES["bp"]] = 0
    missing = ~np.isfinite(product)
    count = np.maximum((~missing).sum(axis=0), 1)
    product[missing] = 0
    mean = product.sum(axis=0) / count
    spread = np.sqrt((np.where(missing, 0, product - mean) ** 2).sum(axis=0) / count)
    spread[count < 2] = np.nan
    names = [f"{band.upper()} {number}" for band, size in SIZES.items() for number in range(size)]
    names += list(system.feature_set.colors)
    names += ["pseudo-magnitude"] * bool(system.feature_set.pseudo_magnitude)
    out = QTable({"feature": names})
    for label, column in zip(system.labels, spread, strict=True):
        out[label] = column * u.Unit(columns.column(label).unit or 1)
    return out


def derivative_spectra(system, table, *, wavelength=None):
    """How the network expects a spectrum to change with each label (the paper's Eq. 14, Section 5.1).

    The derivatives of the labels with respect to the coefficients are inverted with a pseudo-inverse in which the
    coefficients are weighted with their scatter over the stars: ``dx/dy = P(dy/dx w^2)^T w^2``. The result is sampled
    with the basis functions of the XP spectra.

    Parameters
    ----------
    system : `stellarlabels.UncertainNet`
    table : `~astropy.table.Table`
        Similar stars, for instance of the red clump.
    wavelength : `~astropy.units.Quantity`, optional
        336 to 1020 nm in steps of 2 nm by default.

    Returns
    -------
    `~astropy.table.QTable`
        ``wavelength`` (nm) and for each label a column of its name: the median over the stars of the change of the
        flux, in units of the mean flux of the spectrum, per unit of the label, with all other labels kept.

    Raises
    ------
    InputError
        If fewer than two stars of the table can be used.

    Notes
    -----
    The inverse is not unique: the network uses few of the many ways in which a spectrum changes with a label. The paper
    calls the choice of weights an approximation.
    """
    features, jacobian, _ = _derivatives(system, table, least=2)
    coefficients = features.arrays["coefficients"][features.usable].astype(float)
    weight = coefficients.std(axis=0)
    scale = system.ensemble.scale[:, None]
    inverse = np.linalg.pinv(jacobian / scale * weight) * weight[:, None] / scale.T
    design, mean = _sampling(wavelength)
    return _spectra(
        system.labels, np.median(design @ inverse / (coefficients @ mean)[:, None, None], axis=0), wavelength
    )


def observed_differences(table, labels, *, wavelength=None):
    """How observed spectra differ between stars of high and low labels (the paper's Section 5.3).

    Parameters
    ----------
    table : `~astropy.table.Table`
        Similar stars with XP coefficients or sampled spectra, and the labels.
    labels : sequence of str
    wavelength : `~astropy.units.Quantity`, optional
        As for `derivative_spectra`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `derivative_spectra`: median spectrum of the stars above the median label minus that of those below, in
        units of the mean flux, divided by the difference of their median labels. Other labels that go along with this
        one change, too.

    Raises
    ------
    InputError
        If a label is known for fewer than four stars with a usable spectrum.
    """
    from stellarlabels.inputs import feature_set

    features = feature_set("xp_coefficients", colors=(), pseudo_magnitude=None).compute(table)
    coefficients = features.arrays["coefficients"].astype(float)
    design, mean = _sampling(wavelength)
    with np.errstate(invalid="ignore", divide="ignore"):
        flux = (coefficients @ design.T) / (coefficients @ mean)[:, None]
    slopes = []
    for label in labels:
        values = columns.values(table, label)
        known = features.usable & np.isfinite(values)
        if known.sum() < 4:
            raise InputError(f"table: expected at least 4 stars with {label!r} and a spectrum, got {known.sum()}")
        high = known & (values > np.median(values[known]))
        low = known & ~high
        step = np.median(values[high]) - np.median(values[low])
        slopes.append((np.median(flux[high], axis=0) - np.median(flux[low], axis=0)) / step)
    return _spectra(labels, np.stack(slopes, axis=1), wavelength)


def simulated_differences(model, labels, *, at=None, steps=None, wavelength=None):
    """How spectra of model atmospheres change with each label (the paper's Section 5.2).

    Parameters
    ----------
    model : callable
        ``model(labels)`` gives ``wavelength, flux`` of a synthetic spectrum, `~astropy.units.Quantity` (M,) in vacuum
        that reach from 330 to 1050 nm, and energy per wavelength in any unit; ``labels`` is a dict of numbers in the
        units of the vocabulary. No synthetic spectra are part of the package.
    labels : sequence of str
        Of ``feh``, ``c_fe``, ``n_fe``, ``alpha_m``, ``teff`` and ``logg``, or others with ``steps``.
    at : dict of str to float, optional
        Labels of the star; by default the paper's red clump, Teff 4750 K, log g 2.5, [Fe/H] 0, and 0 for all others.
    steps : dict of str to float, optional
        By how much each label is changed, half of it up and half down; the paper's Table 4 by default, and 100 K and
        0.5 dex for Teff and log g.
    wavelength : `~astropy.units.Quantity`, optional
        As for `derivative_spectra`.

    Returns
    -------
    `~astropy.table.QTable`
        As of `derivative_spectra`: the difference of the two spectra, in units of the mean flux of each, divided by
        the step.

    Raises
    ------
    InputError
        If a label has no step, or a spectrum does not cover the wavelengths.

    Notes
    -----
    A spectrum is brought to what XP spectra show by the combination of their basis functions that is nearest to it
    (least squares, samples in steps of 2 nm weighted alike). The paper uses the simulator of the mission, which has
    the noise-free response of the instrument, too.
    """
    at = {name: middle for name, (middle, _) in RED_CLUMP.items()} | (at or {})
    steps = STEPS | (steps or {})
    missing = [name for name in labels if name not in steps]
    if missing:
        raise InputError(f"steps: expected one for each label, got none for {', '.join(missing)}")
    design, mean = _sampling(None)
    sampled, out = design if wavelength is None else _sampling(wavelength)[0], []
    for name in labels:
        ends = []
        for sign in (-0.5, 0.5):
            flux = _on_samples(*model(at | {name: at.get(name, 0.0) + sign * steps[name]}))
            coefficients = np.linalg.lstsq(design, flux, rcond=1e-10)[0]
            ends.append(sampled @ coefficients / (coefficients @ mean))
        out.append((ends[1] - ends[0]) / steps[name])
    return _spectra(labels, np.stack(out, axis=1), wavelength)


def red_clump(table):
    """Stars (N,) of the red clump: [Fe/H], Teff and log g near those of `RED_CLUMP` (the paper's Table 5)."""
    with np.errstate(invalid="ignore"):
        inside = [abs(columns.values(table, name) - mid) <= width for name, (mid, width) in RED_CLUMP.items()]
    return np.logical_and.reduce(inside)


def spectral_lines():
    """Absorption features of cool stars: ``name``, ``low``, ``high`` (nm), ``description``, ``reference``."""
    return QTable(packaged.table("analysis", "lines"))


def _derivatives(system, table, least=1):
    """Features of all stars, and Jacobians of those that can be used."""
    features, coefficients, others = system.jacobian(table)
    if features.usable.sum() < least:
        raise InputError(f"table: expected at least {least} stars with usable input, got {features.usable.sum()}")
    return features, coefficients[features.usable].astype(float), others[features.usable].astype(float)


def _sampling(wavelength):
    """The map from coefficients to samples (M, 110), and to the mean flux (110,), in the same unit."""
    from stellarlabels.inputs.xp import design_matrix, designs

    samples, mean_flux, _ = designs()
    level = np.abs(design_matrix()).max()
    return samples if wavelength is None else design_matrix(wavelength) / level, mean_flux


def _spectra(labels, spectra, wavelength):
    from stellarlabels.inputs.xp import WAVELENGTH

    out = QTable({"wavelength": WAVELENGTH * u.nm if wavelength is None else u.Quantity(wavelength, u.nm)})
    for label, column in zip(labels, np.transpose(spectra), strict=True):
        out[label] = column / u.Unit(columns.column(label).unit or 1)
    return out


def _on_samples(wavelength, flux):
    """Mean flux of a synthetic spectrum in each of the 343 intervals of 2 nm, over its mean."""
    from stellarlabels.inputs.xp import WAVELENGTH

    at, flux = u.Quantity(wavelength).to_value("nm"), np.asarray(u.Quantity(flux).value, float)
    order = np.argsort(at)
    at, flux = at[order], flux[order]
    edges = np.append(WAVELENGTH - 1, WAVELENGTH[-1] + 1)
    if not (at.size > 1 and at[0] <= edges[0] and at[-1] >= edges[-1] and np.isfinite(flux).all()):
        raise InputError(f"model: expected spectra from {edges[0]:g} to {edges[-1]:g} nm without gaps")
    total = np.append(0, np.cumsum(0.5 * (flux[1:] + flux[:-1]) * np.diff(at)))
    samples = np.diff(np.interp(edges, at, total)) / np.diff(edges)
    return samples / samples.mean()
