"""How often each flag is raised."""

import numpy as np

from stellarlabels.plots.style import new_axes, note, styled
from stellarlabels.validation.tally import NONE

__all__ = ["flag_tally"]


@styled
def flag_tally(tally, *, ax=None):
    """Share of the stars with each flag, for each flag column.

    Parameters
    ----------
    tally : `~astropy.table.Table`
        Output of `stellarlabels.validation.tally.tally`.
    ax : `~matplotlib.axes.Axes`, optional

    Returns
    -------
    `~matplotlib.axes.Axes`
        A line for each flag that any star has, a column for each flag column, in each cell the share in per cent.
    """
    columns = list(dict.fromkeys(map(str, tally["column"])))
    raised = [str(row["flag"]) for row in tally if row["stars"] > 0 and row["flag"] != NONE]
    lines = list(dict.fromkeys(raised))
    ax = new_axes(ax, size=(max(4.0, 2.6 + 0.75 * len(columns)), 1.6 + 0.32 * max(len(lines), 2)))
    if not lines:
        note(ax, "no star has a flag")
        ax.set(xticks=[], yticks=[])
        return ax
    share = np.full((len(lines), len(columns)), np.nan)
    for row in tally:
        if str(row["flag"]) in lines:
            share[lines.index(str(row["flag"])), columns.index(str(row["column"]))] = 100 * row["share"]
    image = ax.imshow(np.ma.masked_invalid(share), cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for line, place in np.argwhere(np.isfinite(share)):
        value = share[line, place]
        text = (
            "0"
            if value == 0
            else "<0.1"
            if value < 0.05
            else f"{value:.1f}"
            if value < 99.95 or value == 100
            else ">99.9"
        )
        ax.text(place, line, text, ha="center", va="center", fontsize=9, color="white" if value > 55 else "black")
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(lines)), lines)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label="stars (%)")
    return ax
