"""Run benchmarks, each in a process of its own, keep their results, and make the page of the documentation from them.

    python benchmarks/run.py [NAME ...] [--quick] [--threads 1] [--output FOLDER] [--page]

Without names all of them run, which takes about twenty minutes; only ``catalogs``, which takes ten minutes more and has
tables of its own in the documentation, must be named. Results are kept in ``benchmarks/results``; with
``--quick`` small sizes are measured, and nothing is kept unless ``--output`` says where. ``--page`` makes the page.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import page  # noqa: E402
from timing import RESULTS, THREADS  # noqa: E402

#: Benchmarks with results and pages of their own, and their arguments for small sizes.
ALONE = {"catalogs": ["--rows", "2000", "--stream", "0", "--repeat", "1", "--output", ""]}

#: Benchmarks that set their threads themselves, up to the number of cores.
THREADED = ("solardis", "xp")


def names():
    """Benchmarks that return a result, by their file names."""
    return [name for name in page.ORDER if (FOLDER / f"bench_{name}.py").is_file()]


def call(name, options):
    """Run one benchmark; whether it succeeded."""
    command = [sys.executable, str(FOLDER / f"bench_{name}.py")]
    if name in ALONE:
        command += ALONE[name] if options.quick else []
    else:
        command += ["--quick"] if options.quick else []
        command += ["--output", str(options.output)] if options.output else []
    threads = dict.fromkeys(THREADS, str(os.cpu_count() if name in THREADED else options.threads))
    environment = {**os.environ, **threads, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    sys.stdout.write(f"=== {name} ({time.perf_counter() - start:.0f} s)\n{done.stdout}\n")
    if done.returncode:
        sys.stdout.write(f"{name} failed:\n{done.stderr[-2000:]}\n")
    sys.stdout.flush()
    return done.returncode == 0


def main(arguments=None):
    """Run what is asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join([*names(), *ALONE])}")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of them work")
    parser.add_argument("--threads", type=int, default=1, help="of the libraries of linear algebra (default: 1)")
    parser.add_argument("--output", type=Path, help="folder of the results")
    parser.add_argument("--page", action="store_true", help="make the page from the results that there are")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {*names(), *ALONE}
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    if options.output is None and not options.quick:
        options.output = RESULTS
    failed = []
    if not options.page:
        failed = [name for name in options.names or names() if not call(name, options)]
    if options.page or not options.quick:
        path = page.make(options.output or RESULTS)
        sys.stdout.write(f"{path}\n")
    if failed:
        sys.stdout.write(f"failed: {', '.join(failed)}\n")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
