"""From spectra of another release to those of the package's own: a linear map that is learned from stars with both.

The spectra of two releases are made with other basis functions and other calibrations of wavelength and flux. To first
order each is a linear map of the other: ``y = M x`` for the coefficients x of a band in the new and y in the old
release, or for samples. Both are divided by the level of the star first, so that M does not depend on brightness.

M is the ridge estimate ``(X' W X + k)^-1 X' W Y``, in units of typical noise, with stars weighted by their errors, k by
cross-validation, and without the stars whose spectra differ by much more than others', such as blends that one of the
releases has split. Covariances become ``M C M'``. What else there is to the errors, such as what one of the releases
knows and the other does not, is left to the calibration of the labels' errors.
"""

from dataclasses import dataclass

import numpy as np

from stellarlabels import releases
from stellarlabels.columns import column, find
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.base import FeatureSet
from stellarlabels.inputs.xp import packed
from stellarlabels.inputs.xp.coefficients import cells, has_coefficients, require_coefficients
from stellarlabels.inputs.xp.damage import damaged
from stellarlabels.inputs.xp.layout import BANDS, CELLS, RELEASE, SIZES, lengths
from stellarlabels.inputs.xp.recovery import PRECISION_KEY as PRECISION, recover_coefficients
from stellarlabels.inputs.xp.samples import fill_gaps, spectra
from stellarlabels.inputs.xp.sampling import WAVELENGTH

#: Fewest stars of which a map is learned.
FEWEST = 200

#: Ridge penalties and numbers of components of samples that are tried, and in how many parts the stars are shared.
PENALTIES, COMPONENTS, FOLDS = 10.0 ** np.arange(-2, 5), (20, 40, 60, 70, 80, 90, 100, 120), 5

#: Standard deviation of a Gaussian over its median absolute deviation.
MAD_TO_SIGMA = 1.4826

#: Rounds of leaving out stars whose spectra do not fit, and how much larger than usual their residual is, in standard
#: deviations of its logarithm.
ROUNDS, UNUSUAL = 3, 4.0

#: Variance that is added to that of spectra, in units of the usual one, so that a few bright stars do not rule.
FLOOR = 0.03

#: Smallest eigenvalue of a matrix of correlations, in units of the largest, in which spectra are compared.
SMALLEST = 1e-12

#: Relative precision of the samples that the map makes. A map of samples knows their fainter components less well than
#: samples have digits. The labels of left-out stars of UncertainNet's training depend little on it from 1e-4 to 1e-3.
OF_SAMPLES = 3e-4

#: Square residual in units of the old variance up to which a map suffices: 1.5 if the new noise is 0.7 times the old.
WELL = 2.0

#: Stars whose covariances are held in memory at once.
BLOCK = 1000

#: Columns that tell the release of a spectrum, or come from it, and do not hold for the map's result.
OF_NEW = ("{}_basis_function_id", "{}_n_parameters", "{}_n_relevant_bases", "{}_relative_shrinking")


@dataclass(frozen=True)
class Bridge:
    """A learned map from spectra of ``release`` to those of Gaia DR3, for "coefficients" or "samples" (``kind``)."""

    # Arrays: of coefficients for each band a matrix (old, new); of samples "samples" (343, 343) and "gains" (343,), the
    # factors on errors. What is told of the learning are plain values; "misfit" is the typical square residual in units
    # of the variance of the old spectra.

    kind: str
    release: str
    arrays: dict
    told: dict

    @property
    def suffices(self):
        """Whether the map leaves no more than the noise of both releases."""
        return self.told["misfit"] < WELL

    def carry(self, table):
        """The table (N rows) with spectra of Gaia DR3 in place of those of the map's release; it may be changed."""
        found = _coefficients(table, self.release) if self.kind == "coefficients" else spectra(table)
        known = [name for band in BANDS for name in (*CELLS[band], *(text.format(band) for text in OF_NEW))]
        known += ["flux", "flux_error", "wavelength", *releases.STATED]
        out = table.copy(copy_data=False)
        out.remove_columns(sorted({key for key in map(lambda name: _key(out, name), known) if key is not None}))
        if self.kind == "samples":
            flux, error, flag = found
            out["flux"] = column("flux").dress(fill_gaps(flux) @ self.arrays["samples"].T)
            out["flux_error"] = column("flux_error").dress(fill_gaps(error) * self.arrays["gains"])
            out["spectrum_flag"] = column("spectrum_flag").dress(flag)
            out.meta = {**out.meta, PRECISION: OF_SAMPLES}
        else:
            for band, arrays in self._carried(*found).items():
                for name, array in zip(CELLS[band], arrays, strict=True):
                    out[name] = array
        out.meta = {**out.meta, releases.META: RELEASE.name}
        return out

    def _carried(self, values, covariances):
        """Values, errors (N, n3) and correlations by band, from values (N, n4) and packed covariances by band."""
        out = {}
        for band in BANDS:
            size, matrix, count = SIZES[band], self.arrays[band], len(values[band])
            errors, correlations = np.empty((count, size)), np.empty((count, size * (size - 1) // 2))
            for start in range(0, count, BLOCK):
                part = slice(start, start + BLOCK)
                found = matrix @ packed.unpack(covariances[band][part]) @ matrix.T
                errors[part] = np.sqrt(np.einsum("nii->ni", found))
                with np.errstate(invalid="ignore", divide="ignore"):
                    found /= errors[part, :, None] * errors[part, None, :]
                correlations[part] = packed.packed_correlations(found)
            out[band] = values[band] @ matrix.T, errors, correlations
        return out


class XPFeatureSet(FeatureSet):
    """A set of inputs that are made of XP spectra of Gaia DR3."""

    release = RELEASE.name

    def learn_bridge(self, table, same, release):
        return learn(table, same, release)

    def read_bridge(self, described, arrays):
        return restored(described, arrays)

    def damaged(self, table, seed=0):
        return damaged(table, seed=seed)[:2]


def _key(table, name):
    """The name of a column in a table, in any case of letters or as an alias; None if there is none."""
    try:
        return find(table, name)
    except InputError:
        return next((key for key in table.colnames if key.lower() == name), None)


def _coefficients(table, release):
    """Values (N, n) and packed covariances of a table by band, NaN where missing; errors without correlations count."""
    require_coefficients(table)
    known = lengths(release)
    values, covariances = {}, {}
    for band in BANDS:
        found = []
        for name in CELLS[band]:
            key, length = find(table, name), known[name]
            found.append(np.full((len(table), length), np.nan) if key is None else cells(table[key], name, length))
        value, error, correlations = (np.asarray(array, dtype=np.float64) for array in found)
        if np.isnan(correlations).all():
            correlations = np.zeros_like(correlations)
        values[band] = value
        covariances[band] = packed.pack_correlations(np.where(error >= 0, error, np.nan), correlations)
    return values, covariances


def _of_old(table):
    """The same of a table of Gaia DR3 with coefficients or samples."""
    if has_coefficients(table):
        return _coefficients(table, RELEASE)
    flux, error, _ = spectra(table)
    coefficients, covariance = recover_coefficients(flux, error)
    parts = np.split(coefficients, np.cumsum(list(SIZES.values()))[:-1], axis=1)
    return dict(zip(BANDS, parts, strict=True)), {band: covariance.band(band) for band in BANDS}


def _level(values):
    """Levels (N,) of spectra from their coefficients by band, or samples."""
    return np.sqrt(sum(np.nansum(array**2, axis=1) for array in values.values()))


def learn(table, same, release):
    """A `Bridge` from spectra of a release to those of Gaia DR3 of the same stars (N rows each)."""
    if not has_coefficients(table):
        return _learn_samples(table, same, releases.get(release).name)
    (new, new_covariances), (old, old_covariances) = _coefficients(table, release), _of_old(same)
    every = [*new.values(), *old.values(), *new_covariances.values(), *old_covariances.values()]
    level = _level(old)
    rows = _complete(every, level)
    kept, told = np.arange(rows.size), {}
    for _ in range(ROUNDS):
        matrices, misfit, near = {}, np.zeros(rows.size), rows[kept]
        for band in BANDS:
            x, y = (values[band][rows] / level[rows, None] for values in (new, old))
            into, out = (_root(found[band][near], level[near]) for found in (new_covariances, old_covariances))
            z, t = x @ into[1].T, y @ out[1].T
            weight = 1 / (FLOOR + _whitened(old_covariances[band][rows], level[rows], out[1]))
            found, told[band] = _ridge(z[kept], t[kept], weight[kept])
            matrices[band] = out[0] @ found.T @ into[1]
            misfit += np.mean((t - z @ found) ** 2 * weight, axis=1)
        kept = _usual(misfit, kept)
    told = _told(kept, misfit / len(BANDS), penalty=told)
    return Bridge("coefficients", releases.get(release).name, matrices, told)


def _learn_samples(table, same, release):
    """The `Bridge` between samples."""
    (new, new_error), (old, old_error) = (map(fill_gaps, spectra(stars)[:2]) for stars in (table, same))
    level = _level({"samples": old})
    rows = _complete([new, new_error, old, old_error], level)
    x, x_error, y, y_error = (array[rows] / level[rows, None] for array in (new, new_error, old, old_error))
    kept = np.arange(rows.size)
    for _ in range(ROUNDS):
        units = [np.median(errors[kept], axis=0) for errors in (x_error, y_error)]
        z, t = x / units[0], y / units[1]
        weight = 1 / (FLOOR + (y_error / units[1]) ** 2)
        found, count = _principal(z[kept], t[kept], weight[kept])
        misfit = np.mean((t - z @ found) ** 2 * weight, axis=1)
        kept = _usual(misfit, kept)
    with np.errstate(invalid="ignore", divide="ignore"):
        gains = np.nan_to_num(np.median(y[kept] / x[kept], axis=0), nan=1.0, posinf=1.0, neginf=1.0)
    matrix = units[1][:, None] * found.T / units[0]
    arrays = {"samples": matrix, "gains": np.abs(gains)}
    return Bridge("samples", release, arrays, _told(kept, misfit, components=count))


def _told(kept, misfit, **more):
    """What is told of the learning."""
    own = {"stars": int(kept.size), "left_out": int(misfit.size - kept.size)}
    return {**own, "misfit": round(float(np.median(misfit[kept])), 3), **more}


def _complete(arrays, level):
    """Rows without gaps; an error if there are too few."""
    rows = np.flatnonzero(np.logical_and.reduce([np.isfinite(array).all(axis=1) for array in arrays]) & (level > 0))
    if rows.size < FEWEST:
        raise InputError(
            f"table: expected at least {FEWEST} stars with spectra in both releases to learn from, got {rows.size}"
        )
    return rows


def restored(described, arrays):
    """The `Bridge` of a file, from a description and arrays; `ValueError` if they do not go together."""
    kind, release = described["kind"], releases.get(described["release"]).name
    size = WAVELENGTH.size
    wanted = {"samples": (size, size), "gains": (size,)}
    if kind == "coefficients":
        wanted = {band: (SIZES[band], lengths(release)[CELLS[band][0]]) for band in BANDS}
    found = {name: np.asarray(arrays[name], np.float64) for name in wanted}
    for name, shape in wanted.items():
        if found[name].shape != shape:
            raise ValueError(f"bridge.{name}: expected an array of shape {shape}, got {found[name].shape}")
    return Bridge(str(kind), release, found, {"misfit": 0.0, **described["told"]})


def _root(covariances, level):
    """Root (n, n) of the median covariance of spectra of level 1, and its inverse, from packed covariances (N, ...)."""
    # Some combinations of coefficients have a million times the noise of others: a map that is to be good for all of
    # them is found in units of the noise of each.
    return _of_matrix(packed.unpack(np.median(covariances / level[:, None] ** 2, axis=0)[None])[0])


def _of_matrix(covariance):
    """Root (n, n) of a covariance, and its inverse."""
    scale = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / (scale[:, None] * scale))
    values = np.sqrt(np.maximum(values, SMALLEST * values[-1]))
    return scale[:, None] * vectors * values, (vectors / values).T / scale


def _whitened(covariances, level, inverse):
    """Variances (N, n) of spectra of level 1 after the map ``inverse`` (n, n), from packed covariances (N, ...)."""
    weights = packed.quadratic_weights(inverse)
    return np.maximum(covariances @ weights, 0) / level[:, None] ** 2


def _usual(misfit, kept):
    """Rows whose misfit (N,) is not much larger than that of those that were kept before."""
    logs = np.log(misfit)
    center = np.median(logs[kept])
    spread = MAD_TO_SIGMA * np.median(np.abs(logs[kept] - center))
    return np.flatnonzero(logs < center + UNUSUAL * max(spread, 0.1))


def _products(z, t, weight):
    """For each target k and fold sums of ``w z z'`` (k, F, p, p) and ``w z t`` (k, F, p) of the stars in it."""
    fold, size = np.arange(len(z)) % FOLDS, z.shape[1]
    square, mixed = np.empty((t.shape[1], FOLDS, size, size)), np.empty((t.shape[1], FOLDS, size))
    for part in range(FOLDS):
        own = z[fold == part]
        for target, counts in enumerate(weight[fold == part].T):
            weighted = own * counts[:, None]
            square[target, part] = weighted.T @ own
            mixed[target, part] = weighted.T @ t[fold == part, target]
    return fold, square, mixed


def _best(candidates, z, t, weight, solve):
    """The candidate with which ``solve(square, mixed, candidate)`` predicts stars that it did not see best, and B."""
    fold, square, mixed = _products(z, t, weight)
    squares, products = square.sum(axis=1), mixed.sum(axis=1)
    scores = np.zeros(len(candidates))
    for part in range(FOLDS):
        rows = fold == part
        found = solve(squares - square[:, part], products - mixed[:, part], candidates)
        for place, one in enumerate(found):
            # The logarithm keeps single stars from ruling.
            scores[place] += np.log(np.mean((t[rows] - z[rows] @ one) ** 2 * weight[rows], axis=1)).sum()
    best = candidates[int(np.argmin(scores))]
    return solve(squares, products, [best])[0], best


def _ridge(z, t, weight):
    """The ridge estimate (p, q) of ``t = z B`` with weights (N, q), and its penalty by cross-validation."""

    def solve(square, mixed, penalties):
        values, vectors = np.linalg.eigh(square)
        inner = np.einsum("kij,ki->kj", vectors, mixed)
        return [np.einsum("kij,kj->ik", vectors, inner / (np.maximum(values, 0) + penalty)) for penalty in penalties]

    return _best([float(one) for one in PENALTIES], z, t, weight, solve)


def _principal(z, t, weight):
    """The estimate (p, q) of ``t = z B`` from as many principal components of z as predict other stars best."""

    def solve(square, mixed, counts):
        out = []
        for count in counts:
            found = np.zeros((square.shape[1], len(square)))
            found[:count] = np.linalg.solve(square[:, :count, :count], mixed[:, :count, None])[..., 0].T
            out.append(found)
        return out

    most = min(COMPONENTS[-1], *z.shape)
    axes = np.linalg.svd(z[: 10 * z.shape[1]], full_matrices=False)[2][:most].T
    counts = [count for count in COMPONENTS if count <= most]
    found, count = _best(counts, z @ axes, t, weight, solve)
    return axes @ found, count
