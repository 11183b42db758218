"""Time and memory of imports, each in a process of its own.

python benchmarks/bench_import.py [--quick] [--output FOLDER]
"""

import json
import subprocess
import sys

import timing

CODE = """
import json, resource, sys, time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(json.dumps([seconds, peak, len(sys.modules), "keras" in sys.modules]))
"""

STATEMENTS = {
    "an empty process": "pass",
    "import stellarlabels": "import stellarlabels",
    "import astropy.table": "import astropy.table",
    "stellarlabels.corrections.parallax": "import stellarlabels.corrections.parallax",
    "stellarlabels.distances": "import stellarlabels.distances",
    "stellarlabels.archive.readers": "import stellarlabels.archive.readers",
    "stellarlabels.CSNet, without its networks": "from stellarlabels import CSNet",
    "import keras": "import keras",
    "stellarlabels.CSNet.pretrained()": "from stellarlabels import CSNet; CSNet.pretrained()",
}


def measure(statement, repeat):
    """Shortest time in seconds, and memory in MB."""
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-c", CODE.format(statement=statement)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return min(item[0] for item in runs), min(item[1] for item in runs)


def run(quick=False):
    """Measure."""
    result = timing.Result(
        "Imports",
        "Wall-clock time of an import, and the largest resident memory of a process that does nothing else.",
    )
    chosen = list(STATEMENTS.items())[:3] if quick else STATEMENTS.items()
    for name, statement in chosen:
        seconds, peak = measure(statement, 1 if quick else 3)
        result.fact(f"{name}: time", seconds, unit="s")
        result.fact(f"{name}: memory", peak, unit="MB")
    return result


if __name__ == "__main__":
    timing.main(run, __file__, __doc__)
