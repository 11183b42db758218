"""Directives of the page about long runs, made from what the benchmarks wrote.

``.. stream-measurements::``, ``.. stream-plot::``
    Time and memory of `label_file` over the number of stars: ``benchmarks/stream.json`` of ``bench_stream.py``.
``.. cluster-measurements::``
    One process and a cluster side by side: ``benchmarks/scale.json`` of ``bench_scale.py``.
``.. gaia-cost:: STARS``
    The cost of so many stars, from the longest runs in both files.
"""

import json
from pathlib import Path

from docutils import nodes
from generated import Generated, list_table, literal, plain

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MISSING = "This has not been measured yet: run ``python benchmarks/{}`` first."
MILLION = 1_000_000


class Measured(Generated):
    """Base of the directives: the file that a benchmark wrote."""

    file = script = ""

    def measured(self):
        """What is in the file; None without one."""
        path = BENCHMARKS / self.file
        self.env.note_dependency(str(path))
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


class StreamMeasurements(Measured):
    """A table of runs."""

    file, script = "stream.json", "bench_stream.py"

    def lines(self):
        """One row for each run."""
        found = self.measured()
        if found is None:
            return [MISSING.format(self.script)]
        rows = [
            (
                literal(run["system"]),
                f"{run['stars']:,}",
                f"{run['seconds']:.1f}",
                f"{run['processor_seconds']:.1f}",
                f"{run['stars'] / run['seconds']:,.0f}",
                f"{run['peak_bytes'] / 1e9:.2f}",
                run["parts"],
            )
            for run in found["runs"]
        ]
        header = ("System", "Stars", "Seconds", "of processor", "Stars/s", "Memory (GB)", "Parts")
        return [plain(machine(found)), "", *list_table(header, rows)]


class StreamPlot(Measured):
    """Seconds and memory over the number of stars."""

    file, script = "stream.json", "bench_stream.py"

    def run(self):
        """The plot, beside what Sphinx builds."""
        found = self.measured()
        if found is None:
            return self.parse_text_to_nodes(MISSING.format(self.script))
        name = "_build/stream.png"
        draw(found["runs"], Path(self.env.srcdir) / name)
        return [nodes.image(uri=f"/{name}", alt="Seconds and memory of runs over their number of stars")]


def draw(runs, path):
    """Write the plot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for kind in dict.fromkeys(run["system"] for run in runs):
        own = sorted((run for run in runs if run["system"] == kind), key=lambda run: run["stars"])
        stars = [run["stars"] for run in own]
        [line] = left.loglog(stars, [run["processor_seconds"] for run in own], "o-", label=kind)
        last = own[-1]["processor_seconds"] / stars[-1]
        left.loglog(stars, [last * count for count in stars], ":", color=line.get_color())
        right.semilogx(stars, [run["peak_bytes"] / 1e9 for run in own], "o-", label=kind)
    right.axhline(2, color="gray", lw=1)
    right.set_ylim(bottom=0)
    left.set_ylabel("seconds of processor")
    right.set_ylabel("largest memory (GB)")
    for axes in (left, right):
        axes.set_xlabel("stars")
        axes.legend(frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=130)


class ClusterMeasurements(Measured):
    """One process and a cluster."""

    file, script = "scale.json", "bench_scale.py"

    def lines(self):
        """One row for each of the three ways."""
        found = self.measured()
        if found is None:
            return [MISSING.format(self.script)]
        alone, cluster, killed = (found[key] for key in ("one_process", "cluster", "cluster_with_a_killed_worker"))
        workers = f"{found['workers']} workers"
        lost = f"{workers}, one killed after {killed['partitions_done_when_it_was_killed']} partitions"
        each = f"{gigabytes(cluster['peak_bytes_of_a_worker'])} each"
        rows = [
            ("one process", f"{alone['seconds']:.0f}", gigabytes(alone["peak_bytes"])),
            (workers, f"{cluster['seconds']:.0f}", each),
            (lost, f"{killed['seconds']:.0f}", ""),
        ]
        about = f"{found['stars']:,} stars in {found['partitions']:,} partitions, {literal(found['system'])}. "
        header = ("", "Seconds", "Memory")
        return [about + plain(machine(found)), "", *list_table(header, rows)]


class GaiaCost(Measured):
    """The cost of many stars, by extrapolation."""

    file, script = "stream.json", "bench_stream.py"
    required_arguments = 1

    def lines(self):
        """One table for each system."""
        stream = self.measured()
        path = BENCHMARKS / "scale.json"
        self.env.note_dependency(str(path))
        if stream is None or not path.is_file():
            return [MISSING.format("bench_stream.py and benchmarks/bench_scale.py")]
        scale, stars = json.loads(path.read_text(encoding="utf-8")), int(self.arguments[0].replace(",", ""))
        out = []
        for kind in dict.fromkeys(run["system"] for run in stream["runs"]):
            run = max((run for run in stream["runs"] if run["system"] == kind), key=lambda run: run["stars"])
            rows = list(costs(run, scale if scale["system"] == kind else None, stars))
            title = f"A run of {run['stars']:,} stars"
            out += [f".. rubric:: {kind}", "", *list_table(("", title, "A million", f"{stars:,}"), rows, "40 20 20 20")]
        return out


def costs(run, scale, stars):
    """Rows of the table of a system."""

    def row(what, value, of, text):
        return (what, text(value), text(value * MILLION / of), text(value * stars / of))

    yield row("One process", run["seconds"], run["stars"], duration)
    if scale:
        what = f"Cluster of {scale['workers']} workers"
        yield row(what, scale["cluster"]["seconds"], scale["stars"], duration)
    yield row("Input", run["input_bytes"], run["stars"], disk)
    yield row("Result (FITS)", run["output_bytes"], run["stars"], disk)
    memory = f"{gigabytes(run['peak_bytes'])}"
    yield ("Memory of a process", memory, memory, memory)


def machine(found):
    """What was measured, and with what."""
    what, used = found["what"], found["machine"]
    return f"{what[0].upper()}{what[1:]}; {used['processor']}, {used['cores']} cores."


def gigabytes(size):
    """Bytes in words."""
    return f"{size / 1e9:.2f} GB"


def disk(size):
    """Bytes on a disk in words."""
    for unit, name in ((1e12, "TB"), (1e9, "GB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}"
    return f"{size / 1e6:.0f} MB"


def duration(seconds):
    """Seconds in words."""
    if seconds < 200:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 12000 else f"{seconds / 3600:.1f} h"


def setup(app):
    """Register the directives."""
    app.add_directive("stream-measurements", StreamMeasurements)
    app.add_directive("stream-plot", StreamPlot)
    app.add_directive("cluster-measurements", ClusterMeasurements)
    app.add_directive("gaia-cost", GaiaCost)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
