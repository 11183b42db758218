"""A stand-in for Gaia DR4, made of real spectra of DR3, to try how labels are carried over before DR4 is there.

What is known of DR4's mean spectra is that BP has 51 coefficients in place of 55, and that its basis functions are
others. Here they are Hermite functions as in DR3, but fewer of them in BP, on another scale and around another center,
and rotated such that the first of them hold most of the flux, as Gaia's do. The 51 of BP are no subset of DR3's 55, and
what DR3 knows beyond them is lost. The flux changes smoothly with wavelength by 1 to 3 %.

The *new* release has the noise of the real spectra. Noise cannot be taken away from real spectra; so it is the *old*
release that gets more: its errors are those of the new one over `SHARPER`. Both share the noise of the real spectra, as
releases share the transits of the earlier one.

Identifiers are renumbered, and of `MIXED` of the stars half are two sources of the new release where the old one saw
their sum, and half are one source where the old one saw two.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.inputs.xp import SIZES, packed, recover_coefficients
from stellarlabels.inputs.xp.layout import columns as place
from stellarlabels.inputs.xp.recovery import OWN, prior
from stellarlabels.inputs.xp.sampling import _bases, design_matrix
from stellarlabels.releases import get

OLD, NEW = get("Gaia DR3"), get("Gaia DR4")

#: Errors of the new release over those of the old one; share of the stars that are split or merged.
SHARPER, MIXED = 0.7, 0.03

#: Scale and shift of the argument of the new Hermite functions; those of DR3 have 1 and 0.
AXES = {"bp": (1.03, 0.11), "rp": (0.98, -0.07)}

#: Hermite functions of which the new basis functions are made.
RICH = 64

#: Basis functions of the stand-in, which no release has.
BASIS_IDS = {"bp": 9056, "rp": 9057}

#: Stars at once.
BLOCK = 1000


@dataclass
class StandIn:
    """Stars of the old and of the new release, and which of them are the same (N, 2 identifiers)."""

    old: QTable
    new: QTable
    neighbours: QTable


def flux_change(wavelength):
    """New flux over old flux at wavelengths in nm."""
    x = (np.clip(wavelength, 330, 1050) - 330) / 720
    return 1 + 0.02 * np.cos(2 * np.pi * x) + 0.01 * np.sin(9 * x)


def hermite(x, count):
    """The first Hermite functions (count, M), orthonormal."""
    out = [np.pi**-0.25 * np.exp(-(x**2) / 2)]
    out.append(out[0] * np.sqrt(2.0) * x)
    for n in range(2, count):
        out.append(np.sqrt(2.0 / n) * x * out[-1] - np.sqrt((n - 1) / n) * out[-2])
    return np.array(out[:count])


@cache
def maps(band):
    """Maps (n4, n3) from old to new coefficients, and (n4, 55) from the new functions to DR3's Hermite functions."""
    from scipy.interpolate import splev, splrep

    bases = _bases()
    x = np.linspace(-15, 15, 6001)
    old = hermite(x, bases[f"{band}_inverse"].shape[1])
    scale, shift = AXES[band]
    new = np.sqrt(scale) * hermite(scale * x + shift, RICH)
    first, last, lower, upper = bases[f"{band}_ranges"]
    wavelength = np.linspace(320, 1100, 2000)
    dispersed = splev(wavelength, splrep(*bases[f"{band}_dispersion"], s=0))
    order = np.argsort(dispersed)
    seen = np.interp(first + (x - lower) * (last - first) / (upper - lower), dispersed[order], wavelength[order])
    step = x[1] - x[0]
    whole = (new * flux_change(seen)) @ old.T * step @ bases[f"{band}_transformation"].T
    kept, fit = _worth_keeping(whole, band, NEW.coefficients[band])
    return kept.T @ whole @ fit, kept.T @ (new @ old.T * step)


def _worth_keeping(whole, band, count):
    """Directions (RICH, n4) in which stars differ most beside their noise, and a fit (n3, n3) of them to spectra."""
    # The directions are rotated such that the first hold most of the flux, and then mixed with their neighbours; the
    # fit is weighted by the noise.
    own, noise = place(band), getattr(prior(), band)
    spread = np.column_stack([prior().mean[own], prior().factor[own]])
    seen = design_matrix()[OWN[band]][:, own] / np.exp(noise.log_flux_error)[:, None]
    values, vectors = np.linalg.eigh(seen.T @ seen)
    values = np.sqrt(np.maximum(values, 1e-9 * values[-1]))
    best = np.linalg.svd((vectors * values).T @ spread)[0][:, :count]
    functions = (vectors / values) @ best
    span = np.linalg.qr(whole @ functions)[0]
    fit = functions @ best.T @ (vectors * values).T
    return span @ np.linalg.svd(span.T @ whole @ fit @ spread)[0] @ _rotation(count), fit


def _rotation(count):
    """A rotation (n, n) that mixes each direction with its neighbours, so that none is like one of DR3."""
    out, rng = np.eye(count), np.random.default_rng(count)
    for step in (1, 2):
        for first in range(count - step):
            angle = rng.uniform(0.5, 1.0)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            out[:, [first, first + step]] = out[:, [first, first + step]] @ turn
    return out


def make(table, seed=4):
    """A `StandIn` of stars with sampled spectra of DR3; ``truth_row`` of both tables is the row of ``table``."""
    rng = np.random.default_rng(seed)
    flux, error = (columns.values(table, name) for name in ("flux", "flux_error"))
    coefficients, covariance = recover_coefficients(flux, error)
    good = np.flatnonzero(np.isfinite(coefficients).all(axis=1) & np.isfinite(covariance.errors).all(axis=1))
    count = good.size
    kind = rng.permutation(np.repeat(["one", "split", "merged"], _shares(count)))
    mixed = np.flatnonzero(kind != "one")
    other = np.roll(rng.permutation(mixed), 1)
    share = rng.uniform(0.1, 0.5, mixed.size)
    total = np.abs(coefficients[good]).sum(axis=1)
    added = coefficients[good][other] * (share * total[mixed] / total[other])[:, None]
    old_values = {band: coefficients[good][:, place(band)].copy() for band in SIZES}
    new_values = {band: values.copy() for band, values in old_values.items()}
    for rows, values in (("split", old_values), ("merged", new_values)):
        here = kind[mixed] == rows
        for band in SIZES:
            values[band][mixed[here]] += added[here][:, place(band)]
    blocks = {"old": [], "new": []}
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        chosen = covariance[good[part]]
        own = {band: packed.unpack(chosen.band(band)) for band in SIZES}
        blocks["new"].append({band: _renewed(new_values[band][part], own[band], band) for band in SIZES})
        blocks["old"].append({band: _noisier(old_values[band][part], own[band], rng) for band in SIZES})
    old_id = np.asarray(table["source_id"])[good].astype(np.int64)
    new_id = _renumbered(old_id, rng)
    old = _table(table, good, blocks["old"], old_id, OLD)
    new = _table(table, good, blocks["new"], new_id, NEW)
    for band, number in BASIS_IDS.items():
        new[f"{band}_basis_function_id"] = np.full(count, number, np.int16)
    return StandIn(old, new, _neighbours(old_id, new_id, kind, rng))


def _shares(count):
    """How many stars are one in both releases, split and merged."""
    mixed = int(round(MIXED * count / 2))
    return [count - 2 * mixed, mixed, mixed]


def _renewed(values, covariance, band):
    """New coefficients (N, n4) and their covariances (N, n4, n4)."""
    matrix = maps(band)[0]
    return values @ matrix.T, matrix @ covariance @ matrix.T


def _noisier(values, covariance, rng):
    """Old coefficients (N, n3) with noise added, and their larger covariances."""
    size, vectors = np.linalg.eigh(covariance)
    draw = np.sqrt(np.maximum(size, 0) * (1 / SHARPER**2 - 1)) * rng.normal(size=values.shape)
    noise = np.einsum("nij,nj->ni", vectors, draw)
    return values + noise, covariance / SHARPER**2


def _renumbered(source_id, rng):
    """Other identifiers in the same cells of the sky: new numbers in the lower 35 bits."""
    return (source_id >> 35 << 35) + rng.permutation(len(source_id)) * 128 + 7


def _table(table, rows, blocks, source_id, release):
    """A table as the archive gives it for these rows, with coefficients, errors and correlations."""
    out = QTable()
    out["source_id"] = source_id
    out["truth_row"] = rows
    for name in table.colnames:
        if name not in ("source_id", "flux", "flux_error"):
            out[name] = table[name][rows]
    out["ref_epoch"] = np.full(len(rows), release.reference_epoch) * u.yr
    for band in SIZES:
        values, covariance = (np.concatenate([block[band][part] for block in blocks]) for part in range(2))
        errors = np.sqrt(np.einsum("nii->ni", covariance))
        covariance /= errors[:, :, None] * errors[:, None, :]
        out[f"{band}_coefficients"] = values
        out[f"{band}_coefficient_errors"] = errors.astype(np.float32)
        out[f"{band}_coefficient_correlations"] = packed.packed_correlations(covariance).astype(np.float32)
    out.meta["release"] = release.name
    return out


def _neighbours(old_id, new_id, kind, rng):
    """Pairs of identifiers; a star that is split has two new ones, one that is merged two old ones."""
    pairs = [np.stack([old_id, new_id], axis=1)]
    for name, column in (("split", 1), ("merged", 0)):
        more = pairs[0][kind == name].copy()
        more[:, column] += 64  # another source beside it
        pairs.append(more)
    pairs = rng.permutation(np.concatenate(pairs))
    return QTable({"dr3_source_id": pairs[:, 0], "dr4_source_id": pairs[:, 1]})


def sampled(table):
    """The same stars with spectra that are sampled by the archive, in place of coefficients."""
    matrix = design_matrix()
    if table.meta["release"] == NEW.name:
        matrix = np.hstack([_new_samples(band) for band in SIZES])
    size = {band: np.asarray(table[f"{band}_coefficients"]).shape[1] for band in SIZES}
    flux, variance, start = 0, 0, 0
    for band, count in size.items():
        part = matrix[:, start : start + count]
        start += count
        names = [f"{band}_coefficients", f"{band}_coefficient_errors", f"{band}_coefficient_correlations"]
        values, errors, correlations = (np.asarray(table[name], float) for name in names)
        flux = flux + values @ part.T
        variance = variance + packed.QuadraticForms(part)(errors, correlations)
    out = table.copy()
    out.remove_columns([name for name in out.colnames if name[:3] in ("bp_", "rp_")])
    out["flux"] = (flux * u.Unit("W / (m2 nm)")).astype(np.float32)
    out["flux_error"] = (np.sqrt(variance) * u.Unit("W / (m2 nm)")).astype(np.float32)
    return out


def _new_samples(band):
    """Samples (343, n4) of the new functions, through the instrument of DR3."""
    # DR3's functions are combinations of Hermite functions, which tells what samples of these are.
    old = design_matrix()[:, place(band)]
    to_hermite = _bases()[f"{band}_transformation"]
    return old @ to_hermite @ maps(band)[1].T
