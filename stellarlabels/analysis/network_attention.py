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
