"""The look of all figures: applied while a function of `stellarlabels.plots` draws, and nowhere else."""

import functools
import io

#: Colors of Okabe & Ito that are told apart with any color vision, those with the strongest contrast to white first.
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
#: Color of lines that say what is expected.
INK = "#333333"
#: Color map of values: even in lightness, and told apart with any color vision.
VALUES = "viridis"

_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.usetex": False,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 10.5,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.8,
    "axes.edgecolor": INK,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "stellarlabels",
    "image.cmap": VALUES,
}


def context():
    """The style as a context, for figures that are put together from several functions.

    Returns
    -------
    context manager
        Settings of Matplotlib are as before when it ends.
    """
    import matplotlib
    from cycler import cycler

    return matplotlib.rc_context({**_SETTINGS, "axes.prop_cycle": cycler(color=CYCLE)})


def density_map():
    """Color map of numbers of stars: from light to dark blue, so that it is lightness that counts."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["Blues"](range(70, 256)), "density")


def styled(function):
    """Decorator: the function draws in this style."""

    @functools.wraps(function)
    def inner(*args, **kwargs):
        with context():
            return function(*args, **kwargs)

    return inner


def new_axes(ax=None, *, size=(5.4, 4.2)):
    """The given Axes, or those of a new figure of `matplotlib.pyplot`, ``size`` in inches, which notebooks show."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained").add_subplot()


def note(ax, text, *, corner="upper left"):
    """Write lines into a corner of the panel, such as "upper left"."""
    from matplotlib.offsetbox import AnchoredText

    box = AnchoredText(text, loc=corner, prop={"size": 9}, pad=0.25, borderpad=0.4)
    box.patch.set(facecolor="white", edgecolor="none", alpha=0.85)
    box.set_zorder(10)
    return ax.add_artist(box)


def figure_bytes(figure, format="svg", *, dpi=130):
    """A figure as the bytes of a file ("svg", "png", "pdf"), always the same; clouds of many points are pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if figure.canvas is None or type(figure.canvas).__name__ == "FigureCanvasBase":
        FigureCanvasAgg(figure)
    stream = io.BytesIO()
    date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[format]
    with context():
        figure.savefig(stream, format=format, dpi=dpi, metadata=date)
    return stream.getvalue()
