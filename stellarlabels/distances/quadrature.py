"""Distances from the product of densities: the likelihood of each star, and its integrals with a prior."""

from dataclasses import dataclass

import numpy as np

from stellarlabels.distances.priors import Prior

#: Parallax in mas at 1 pc.
MAS = 1000.0


@dataclass(frozen=True)
class StarLikelihood:
    """Means ``mu`` of ln(d / pc) of ``weight`` 1/variance, parallaxes (mas) of ``precision`` 1/error, and a prior."""

    # Weight and precision are 0 where nothing is known; the prior None is uniform in x = ln d.
    # Weight and precision are 0 where nothing is known; the prior None is uniform in x = ln d.

    mu: np.ndarray
    weight: np.ndarray
    parallax: np.ndarray
    precision: np.ndarray
    prior: Prior | None

    @classmethod
    def of(cls, mu, var, parallax, error, prior):
        """From variances and errors that may be infinite, with values that may then be NaN."""
        weight, precision = 1 / var, 1 / error
        return cls(np.where(weight == 0, 0.0, mu), weight, np.where(precision == 0, 0.0, parallax), precision, prior)

    @property
    def usable(self):
        """Stars with all numbers known and at least one measurement (bool, shape of the stars)."""
        finite = np.isfinite(self.mu) & np.isfinite(self.parallax)
        return finite & np.isfinite(self.weight) & np.isfinite(self.precision) & (self.weight + self.precision > 0)

    @property
    def support(self):
        """Least and greatest ln d that the prior allows."""
        return (-np.inf, np.inf) if self.prior is None else self.prior.support

    def rows(self, index):
        """Some of the stars, by their flat index; one axis."""
        arrays = (item.ravel()[index] for item in (self.mu, self.weight, self.parallax, self.precision))
        return StarLikelihood(*arrays, None if self.prior is None else self.prior.rows(index))

    def log_density(self, x):
        """Logarithm of the posterior density, not normalized, at x = ln d: G values for each star, (..., G)."""
        out = x - self.mu[..., None]
        out *= out
        out *= -0.5 * self.weight[..., None]
        inverse = np.exp(-x)
        residual = inverse * (MAS * self.precision)[..., None]
        residual -= (self.parallax * self.precision)[..., None]
        residual *= residual
        residual *= 0.5
        out -= residual
        if self.prior is not None:
            with np.errstate(divide="ignore"):
                out += self.prior.log_density(x, 1 / inverse)
            out += x
            low, high = self.support
            if low > -np.inf or high < np.inf:
                out[~((x >= low) & (x <= high))] = -np.inf
        return out

    def chi_squared(self, x):
        """Sum of the squared residuals of magnitude and parallax in units of their errors, x of the stars' shape."""
        return self.weight * (x - self.mu) ** 2 + (self.precision * (MAS * np.exp(-x) - self.parallax)) ** 2


#: Densities smaller than exp(-DEPTH) times the greatest are neglected (nine standard deviations of a Gaussian).
DEPTH = 40.0
#: Nodes of the grid, and of the finer one for the few stars with a narrow peak in a wide interval.
NODES, FINE_NODES = 192, 4096
#: Greatest step of the logarithm of the density between two nodes, above exp(-PEAK) of its maximum.
STEP, PEAK = 1.2, 12.0
#: Nodes of the meshes that look for the interval, and how often they look.
SEARCH_NODES, SEARCHES = 64, 24
#: Weights of five nodes in the derivative at the first of them.
ONE_SIDED = np.array([-25, 48, -36, 16, -3]) / 12
#: Distances from a measured value, in standard errors, at which the first mesh has nodes.
SIGMAS = np.linspace(-10, 10, 41)
#: Parallaxes smaller than this fraction of the error differ by nothing that can be measured.
SMALLEST_PARALLAX = 0.1


def integrate(stars, levels):
    """Quantiles at P levels, mode, mean (pc) and log of the integral, (P + 3, N); NaN if not to be normalized."""
    low, high, peak = _interval(stars)
    out = np.full((levels.size + 3, low.size), np.nan)
    found = np.flatnonzero(np.isfinite(low))
    if found.size:
        out[:, found] = _statistics(stars.rows(found), low[found], high[found], peak[found], levels, NODES)
    return out


def _first_mesh(stars):
    """Nodes of x at the scales of both measurements and between them, sorted, (N, M)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 1 / stars.precision[:, None]
        parallax = np.maximum(stars.parallax[:, None] + error * SIGMAS, SMALLEST_PARALLAX * error)
        from_parallax = np.log(MAS / parallax)
        from_magnitude = stars.mu[:, None] + SIGMAS / np.sqrt(stars.weight[:, None])
    from_parallax = np.where(stars.precision[:, None] > 0, from_parallax, from_magnitude)
    from_magnitude = np.where(stars.weight[:, None] > 0, from_magnitude, from_parallax)
    both = np.concatenate([from_parallax, from_magnitude], axis=1)
    between = _uniform(both.min(axis=1), both.max(axis=1), SEARCH_NODES // 2)
    mesh = np.concatenate([both, between], axis=1)
    mesh.sort(axis=1)
    return np.clip(mesh, *stars.support, out=mesh)


def _interval(stars):
    """Ends of the interval of x that matters (NaN where there is none), and the greatest log density that was seen."""
    count = stars.mu.size
    low, high, peak = np.full(count, np.nan), np.full(count, np.nan), np.full(count, -np.inf)
    rows, part, mesh = np.arange(count), stars, _first_mesh(stars)
    for _ in range(SEARCHES):
        left, right, best, tight = _bracket(part, mesh)
        peak[rows] = np.maximum(peak[rows], best)
        low[rows[tight]], high[rows[tight]] = left[tight], right[tight]
        again = ~tight & np.isfinite(left) & np.isfinite(right)
        if not again.any():
            break
        rows = rows[again]
        part, mesh = part.rows(np.flatnonzero(again)), _uniform(left[again], right[again], SEARCH_NODES)
    return low, high, peak


def _bracket(stars, mesh):
    """Nodes around the densities that matter, the greatest log density, and whether the bracket fits tightly."""
    with np.errstate(over="ignore"):
        density = stars.log_density(mesh)
    best = density.max(axis=1)
    matters = density > (best - DEPTH)[:, None]
    first = matters.argmax(axis=1)
    last = mesh.shape[1] - 1 - matters[:, ::-1].argmax(axis=1)
    inner_left, inner_right = _take(mesh, first), _take(mesh, last)
    left, right = _take(mesh, np.maximum(first - 1, 0)), _take(mesh, np.minimum(last + 1, mesh.shape[1] - 1))
    # Where the ends of the mesh still matter, look beyond them, but not beyond the prior's support.
    reach = np.maximum(mesh[:, -1] - mesh[:, 0], 0.1)
    low, high = stars.support
    open_left = (first == 0) & (inner_left > low)
    open_right = (last == mesh.shape[1] - 1) & (inner_right < high)
    left = np.where(open_left, np.maximum(left - reach, low), left)
    right = np.where(open_right, np.minimum(right + reach, high), right)
    tight = ~open_left & ~open_right & (right - left < 1.4 * (inner_right - inner_left))
    unseen = ~np.isfinite(best)
    left[unseen] = right[unseen] = np.nan
    return left, right, best, tight & ~unseen


def _statistics(stars, low, high, peak, levels, nodes):
    """As `integrate`, on a uniform grid over a known interval; by a finer one for stars that need it."""
    step = (high - low) / (nodes - 1)
    x = _uniform(low, high, nodes)
    log_density = stars.log_density(x)
    best = log_density.max(axis=1)
    density = np.exp(log_density - best[:, None])
    below = np.cumsum(density, axis=1)
    slopes = _end_slopes(density)
    total = _total(density, below[:, -1], slopes)
    weighted = density * np.exp(x)
    out = np.empty((levels.size + 3, low.size))
    out[: levels.size] = np.exp(low + step * _positions(density, below, slopes, total * levels[:, None]))
    out[-3] = np.exp(_mode(stars, x, log_density - x, step))
    out[-2] = _total(weighted, weighted.sum(axis=1), _end_slopes(weighted)) / total
    out[-1] = best + np.log(total * step)
    if nodes < FINE_NODES:
        coarse = np.flatnonzero(_too_coarse(log_density, best, peak))
        size = max(1, coarse.size * nodes // FINE_NODES)
        for start in range(0, coarse.size, size):
            rows = coarse[start : start + size]
            some = stars.rows(rows)
            out[:, rows] = _statistics(some, low[rows], high[rows], peak[rows], levels, FINE_NODES)
    return out


def _too_coarse(log_density, best, peak):
    """Where the grid misses a peak that the search has seen, or takes too great steps."""
    floored = np.maximum(log_density, (best - PEAK)[:, None])
    return (np.abs(np.diff(floored, axis=1)).max(axis=1) > STEP) | (peak > best + 1)


def _end_slopes(f):
    """Derivatives at the first and last node, in units of one over the step."""
    return f[:, :5] @ ONE_SIDED, -(f[:, :-6:-1] @ ONE_SIDED)


def _total(f, summed, slopes):
    """Integral in units of the step: the trapezoidal sum with the first Euler-Maclaurin correction."""
    return summed - (f[:, 0] + f[:, -1]) / 2 - (slopes[1] - slopes[0]) / 12


def _positions(f, below, slopes, targets):
    """Where the integral from the first node reaches the targets (P, N), in units of the step from the first node."""
    count, nodes = f.shape
    row = np.arange(count)
    # The trapezoidal sums of all stars as one rising sequence: star i's run from i to i + 1.
    rising = below - f / 2
    rising -= f[:, :1] / 2
    rising /= rising[:, -1:]
    rising += row[:, None]
    wanted = np.clip(targets / _last(below, f)[None], 0, 1) + row
    cell = np.searchsorted(rising.ravel(), wanted.ravel(), side="right").reshape(wanted.shape) - 1 - row * nodes
    cell = np.clip(cell, 0, nodes - 2)

    def value(index):
        return f[row, np.clip(index, 0, nodes - 1)]

    def integral(index):
        slope = (value(index + 1) - value(index - 1)) / 2
        slope = np.where(index == 0, slopes[0], np.where(index == nodes - 1, slopes[1], slope))
        return below[row, index] - value(index) / 2 - f[:, 0] / 2 - (slope - slopes[0]) / 12

    # The slopes in the integral can put a target that is close to a node into the next cell.
    cell = cell + (targets > integral(cell + 1)) - (targets < integral(cell))
    cell = np.clip(cell, 0, nodes - 2)
    base = integral(cell)
    return cell + _cubic_root(integral(cell + 1) - base, value(cell), value(cell + 1), targets - base)


def _last(below, f):
    """Trapezoidal sums over all nodes."""
    return below[:, -1] - (f[:, 0] + f[:, -1]) / 2


def _cubic_root(height, slope0, slope1, target):
    """Where a cubic on 0 to 1 that starts at 0, ends at ``height`` and has these slopes at its ends is ``target``."""
    a = slope0 + slope1 - 2 * height
    b = 3 * height - 2 * slope0 - slope1
    safe = np.where(height > 0, height, 1.0)
    root = np.clip(target / safe, 0, 1)
    for _ in range(4):
        slope = (3 * a * root + 2 * b) * root + slope0
        excess = ((a * root + b) * root + slope0) * root - target
        root = np.clip(root - excess / np.where(slope > 0, slope, safe), 0, 1)
    return root


def _mode(stars, x, log_density, step):
    """Place of the greatest value of a log density on a grid, refined by nine nodes and a parabola."""
    center = _take(x, log_density.argmax(axis=1))
    near = _uniform(np.maximum(center - step, x[:, 0]), np.minimum(center + step, x[:, -1]), 9)
    value = stars.log_density(near) - near
    best = np.clip(value.argmax(axis=1), 1, 7)
    before, here, after = (_take(value, best + shift) for shift in (-1, 0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = (before - after) / (2 * (before - 2 * here + after))
    shift = np.where(np.isfinite(shift), np.clip(shift, -1, 1), 0.0)
    return _take(near, best) + shift * (near[:, 1] - near[:, 0])


def _uniform(low, high, nodes):
    """Evenly spaced nodes from ``low`` to ``high`` for each star, (N, nodes), both ends exact."""
    out = low[:, None] + ((high - low) / (nodes - 1))[:, None] * np.arange(nodes)
    out[:, -1] = high
    return out


def _take(array, column):
    """One element of each row."""
    return np.take_along_axis(array, column[:, None], axis=1)[:, 0]
