"""What all benchmarks share: clocks, rates next to those of peers, the machine, and the files of results.

A benchmark is a module ``bench_<name>.py`` with a function ``run(quick)`` that returns a `Result`; ``run.py`` calls it
in a process of its own. Contestants take turns, so that what else the machine does falls on all of them alike; each
rate is the median over the turns.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np

__all__ = [
    "Result",
    "best",
    "gemm_peak",
    "main",
    "median_time",
    "memory",
    "race",
    "rate",
    "threads",
    "write",
]

#: Calls of a fast contestant in a turn.
MOST_CALLS = 10

RESULTS = Path(__file__).parent / "results"

#: Packages whose versions say what was measured.
PACKAGES = ("numpy", "scipy", "astropy", "pandas", "pyarrow", "keras", "tensorflow", "torch", "GaiaXPy", "dustmaps")

#: Variables that say how many threads the libraries use.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclass
class Result:
    """What a benchmark has measured.

    Parameters
    ----------
    title : str
        A noun phrase.
    text : str
        What was compared with what, in a few sentences of reStructuredText.
    rows : list of dict
        From `row`: rates next to those of a peer.
    facts : list of dict
        From `fact`: single numbers.
    series : dict
        Lines of a plot: ``x`` and ``y``, labels of the axes, and ``lines``, by name lists of pairs.
    """

    title: str
    text: str
    rows: list = field(default_factory=list)
    facts: list = field(default_factory=list)
    series: dict = field(default_factory=dict)

    def row(self, what, ours, *, unit="stars/s", size=None, peer=None, theirs=None, target=None):
        """Add a rate, and how many times that of a peer it is; ``target`` is the least such ratio."""
        ratio = None if theirs is None else ours / theirs
        self.rows.append(
            {
                "what": what,
                "size": size,
                "rate": _rounded(ours),
                "unit": unit,
                "peer": peer,
                "peer_rate": _rounded(theirs),
                "ratio": _rounded(ratio),
                "target": target,
            }
        )

    def fact(self, what, value, *, unit="", target=None):
        """Add a number; ``target`` says in words what it should be."""
        self.facts.append({"what": what, "value": _rounded(value), "unit": unit, "target": target})


def _rounded(value):
    """Four digits."""
    return None if value is None else float(f"{value:.4g}")


def rate(count, function, repeat=3):
    """Units per second: median over a few calls, after one that warms up."""
    return count / median_time(function, repeat)


def median_time(function, repeat=3):
    """Median of the wall-clock times of a few calls in seconds; the first call warms up and does not count."""
    function()
    return statistics.median(elapsed(function)[0] for _ in range(repeat))


def best(function, repeat=3, clock=time.perf_counter):
    """Shortest time of a few calls in seconds, after one that warms up, and the last result."""
    found, times = function(), []
    for _ in range(repeat):
        seconds, found = elapsed(function, clock)
        times.append(seconds)
    return min(times), found


def elapsed(function, clock=time.perf_counter):
    """Time of one call in seconds, and its result."""
    start = clock()
    found = function()
    return clock() - start, found


def race(contestants, repeat=3, least=0.5):
    """Rates of contestants that take turns.

    Parameters
    ----------
    contestants : dict of str to tuple
        By name, the number of units and the function that handles them.
    repeat : int
    least : float
        Seconds that a turn lasts at least: those that are faster are called more often, as in a loop over files. (The
        first call after a slower one pays for memory that the kernel has taken back in between.)

    Returns
    -------
    dict of str to float
        Units per second: the median over the calls. The first call of each warms up and does not count.
    """
    for _, function in contestants.values():
        function()
    times = {name: [] for name in contestants}
    for _ in range(repeat):
        for name, (_, function) in contestants.items():
            start = time.perf_counter()
            for _ in range(MOST_CALLS):
                times[name].append(elapsed(function)[0])
                if time.perf_counter() - start >= least:
                    break
    return {name: count / statistics.median(times[name]) for name, (count, _) in contestants.items()}


def gemm_peak(dtype=np.float32, size=2000, repeat=5):
    """Floating-point operations per second of a product of two square matrices, the fastest of a few."""
    matrix = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
    return 2 * size**3 / best(lambda: matrix @ matrix, repeat)[0]


def threads(count):
    """A context in which the libraries of linear algebra use so many threads; nothing without threadpoolctl."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        from contextlib import nullcontext

        return nullcontext()
    return threadpool_limits(count)


def memory():
    """Largest resident memory of the process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def machine():
    """The processor, the number of its cores, versions and threads."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ},
        "versions": versions,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _processor():
    """Model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(result, name, quick, folder=RESULTS):
    """Keep a result as ``<folder>/<name>.json``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = {**asdict(result), "quick": quick, "machine": machine()}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def show(result):
    """The result as lines of text."""
    lines = [result.title]
    for row in result.rows:
        line = f"  {row['what']:56s} {row['rate']:14,.6g} {row['unit']}"
        if row["ratio"] is not None:
            line += f"   {row['ratio']:.4g} times {row['peer']} ({row['peer_rate']:,.6g})"
        lines.append(line + (f"   [at least {row['target']}]" if row["target"] else ""))
    for item in result.facts:
        wanted = f"   [{item['target']}]" if item["target"] else ""
        lines.append(f"  {item['what']:56s} {item['value']:14,.6g} {item['unit']}{wanted}")
    return "\n".join(lines)


def main(run, file, doc, *, arguments=None):
    """The command line of a benchmark: ``--quick`` for small sizes, ``--output`` for the folder of the result."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--output", help="folder into which the result is written as JSON (default: none is written)")
    options = parser.parse_args(arguments)
    result = run(options.quick)
    sys.stdout.write(show(result) + "\n")
    if options.output:
        write(result, Path(file).stem.removeprefix("bench_"), options.quick, options.output)
    return result
