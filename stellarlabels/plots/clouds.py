"""Points for few stars, density for many; running medians; ranges that outliers do not stretch."""

import numpy as np

from stellarlabels.plots.style import CYCLE, VALUES, density_map

#: Number of stars from which on a cloud is drawn as a density.
MANY = 4000
#: Cells of a density in each direction.
CELLS = 120
#: Color of stars of which the quantity that colors is not known.
_UNKNOWN = "#a0a0a0"
#: Share of the stars that may fall outside the range of an axis at each end.
_TAIL = 0.0005
#: A few stars farther than so many interquartile ranges from the quartiles are wild; of how many stars one may be.
_WILD, _RARE = 10, 50


def axis_range(values, *, pad=0.04):
    """Lowest and highest end of an axis, never equal: without wild values, and of many without the outermost."""
    values = tame(values)
    if values.size == 0:
        return 0.0, 1.0
    if values.size > MANY:
        low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    else:
        low, high = values.min(), values.max()
    width = high - low
    if not width > 1e-9 * max(abs(low), abs(high)):
        width = max(abs(high), 1.0) * 0.1
        return float(low - width), float(high + width)
    return float(low - pad * width), float(high + pad * width)


def tame(values):
    """The finite values (K,), without a few that are far away from all others and would make them a line."""
    values = np.asarray(values, float).ravel()
    values = values[np.isfinite(values)]
    if values.size < 5:
        return values
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    reach = _WILD * max(high - low, 0.1 * abs(middle))
    inside = (values >= low - reach) & (values <= high + reach)
    return values[inside] if reach > 0 and (~inside).sum() <= max(1, values.size // _RARE) else values


def along(values):
    """Range of the axis along which something is plotted: as `axis_range`, without a tail longer than the rest."""
    values = tame(values)
    if values.size:
        low, high = np.quantile(values, [0.02, 0.98])
        inside = [
            values.min() if low - values.min() <= high - low else low,
            values.max() if values.max() - high <= high - low else high,
        ]
        values = np.clip(values, *inside)
    return axis_range(values)


def outside(x, y, xlim, ylim):
    """Number of the stars x, y (N,) outside the panel; limits in any order."""
    inside = (x >= min(xlim)) & (x <= max(xlim)) & (y >= min(ylim)) & (y <= max(ylim))
    return int((~inside).sum())


def cloud(ax, x, y, *, shade=None, shade_text="", xlim=None, ylim=None, bar=True):
    """Draw stars, up to 4,000 as points, more as the number in cells; returns how many, and how many outside."""
    # "shade" (N,) colors the points, or its mean the cells, grey where it is NaN, with "shade_text" at the color bar.
    # Stars with NaN in x or y are left out.
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    shade = None if shade is None else np.asarray(shade, float)[known]
    if shade is not None and not np.isfinite(shade).any():
        shade = None
    xlim, ylim = axis_range(x) if xlim is None else xlim, axis_range(y) if ylim is None else ylim
    drawn = _cells(ax, x, y, shade, xlim, ylim) if x.size > MANY else _points(ax, x, y, shade)
    ax.set(xlim=xlim, ylim=ylim)
    if bar and drawn is not None:
        drawn = ax.figure.colorbar(drawn, ax=ax, label=shade_text if shade is not None else "stars per cell")
        drawn.solids.set_rasterized(True)
    return int(x.size), outside(x, y, xlim, ylim)


def _points(ax, x, y, shade):
    """Points; returns what a color bar needs, if they are colored."""
    style = {
        "s": float(np.clip(4000 / max(x.size, 1), 4, 22)),
        "alpha": float(np.clip(900 / max(x.size, 1), 0.35, 0.85)),
        "linewidths": 0,
        "rasterized": x.size > 400,
        "zorder": 2,
    }
    if shade is None:
        ax.scatter(x, y, color=CYCLE[0], **style)
        return None
    known = np.isfinite(shade)
    ax.scatter(x[~known], y[~known], color=_UNKNOWN, **style)
    x, y, shade = x[known], y[known], shade[known]
    low, high = axis_range(shade, pad=0)
    return ax.scatter(x, y, c=shade, cmap=VALUES, vmin=low, vmax=high, **{**style, "alpha": 0.85})


def _cells(ax, x, y, shade, xlim, ylim):
    """Numbers of stars on a logarithmic scale, or means of a quantity."""
    from matplotlib.colors import ListedColormap, LogNorm

    edges = [np.linspace(min(ends), max(ends), CELLS + 1) for ends in (xlim, ylim)]
    count = np.histogram2d(x, y, bins=edges)[0]
    box = (edges[0][0], edges[0][-1], edges[1][0], edges[1][-1])
    style = {"origin": "lower", "extent": box, "aspect": "auto", "interpolation": "nearest", "zorder": 2}
    if shade is None:
        image = np.ma.masked_equal(count, 0)
        return ax.imshow(image.T, cmap=density_map(), norm=LogNorm(1, max(count.max(), 2)), **style)
    ax.imshow(np.ma.masked_equal(count, 0).T > 0, cmap=ListedColormap([_UNKNOWN]), **style)
    known = np.isfinite(shade)
    count = np.histogram2d(x[known], y[known], bins=edges)[0]
    total = np.histogram2d(x[known], y[known], bins=edges, weights=shade[known])[0]
    image = np.ma.masked_array(total / np.maximum(count, 1), mask=count == 0)
    low, high = axis_range(image.compressed(), pad=0)
    return ax.imshow(image.T, cmap=VALUES, vmin=low, vmax=high, **style)


def medians(x, y, *, bins=12, least=20):
    """Medians of x, and 50, 16 and 84 % quantiles of y, (K,) each, in bins of x with equal numbers of stars."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    count = min(bins, x.size // least)
    if count == 0:
        return tuple(np.empty((4, 0)))
    order = np.argsort(x, kind="stable")
    rows = [
        (np.median(x[part]), *np.quantile(y[part], [0.5, 0.158655, 0.841345])) for part in np.array_split(order, count)
    ]
    return tuple(np.array(rows).T)
