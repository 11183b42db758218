"""What the package survives: kills at random moments, full disks, two runs in one folder, damaged and hostile files.

Usage: python tools/reliability.py [--kills 50] [--seed 1] [--only killed,mutated,...] [--output FILE]

Writes counts to ``docs/measured/reliability.json``, from which the page of the documentation is made; what is not
measured is taken over from the file as it is. A small form of it is in ``tests/tools/test_reliability.py``.
"""

import argparse
import bz2
import gzip
import io
import json
import platform
import random
import re
import resource
import sys
import tempfile
import warnings
import zipfile
import zlib
from importlib import resources
from pathlib import Path

import killed_runs
import mutated_inputs

from stellarlabels import catalogs, systems
from stellarlabels.archive import queries
from stellarlabels.exceptions import StellarLabelsError
from stellarlabels.labels import modelfile

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "measured" / "reliability.json"

#: Texts that end a literal, begin a comment or another query, or are numbers that none of a query's are.
HOSTILE = (
    *("'", "''", "' OR '1'='1", "x'; DROP TABLE t; --", '"', "a--b", "/* x */", ";", "\\", "\x00", "\n", "1; SELECT 1"),
    *("1 OR 1=1", "1)--", "0x41", "1e999", "nan", "inf", "-inf", "1,2; --", "all; --", "3, 4 AND 5", "(SELECT 1)"),
    *("\u2019", "\uff07", "apogee\u200b", "{survey}", "10,20,1)) OR (1=1", "1' UNION SELECT 1, 2 FROM t --", "%27"),
)


def hostile_parameters():
    """Hostile texts as values of all parameters of all queries: refused, or a literal that changes nothing else."""
    out = {"queries": 0, "values": 0, "refused": 0, "wrong": []}
    for name in queries.available():
        query = queries.get(name)
        out["queries"] += 1
        for parameter in query.parameters:
            for text in HOSTILE:
                out["values"] += 1
                try:
                    found = query.bind(**{parameter: text}).adql
                except StellarLabelsError:
                    out["refused"] += 1
                    continue
                out["wrong"].append(f"{name}, {parameter}={text!r}: {found}")
    return out


def _numbers(value, path=()):
    """Paths to all numbers in a description."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(item, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def _set(description, path, value):
    """A copy of a description with another value at a path."""
    out = json.loads(json.dumps(description))
    inside = out
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return out


def hostile_descriptions(description):
    """Descriptions that ask for what the arrays of the file do not have: what is changed, and the description."""
    sizes = [("shapes", *path) for path in _numbers(description["shapes"]) if path[-1] == 0]
    options = description["recipe"].get("network_options", {})
    sizes += [("recipe", "network_options", *path) for path in _numbers(options)]
    sizes += [path for path in (("recipe", "ensemble"), ("recipe", "train", "ensemble")) if _has(description, path)]
    for path in sizes:
        for value in (10**9, 10**6, 1e300):
            yield f"{'.'.join(map(str, path))} = {value:g}", _set(description, path, value)
    names = [path for path in (("recipe", "features"), ("recipe", "network"), ("system",)) if _has(description, path)]
    for path in names:
        yield f"{path[-1]} of an unknown name", _set(description, path, "tea_leaves")


def _has(description, path):
    for key in path:
        if not isinstance(description, dict) or key not in description:
            return False
        description = description[key]
    return True


def _memory():
    """Largest memory of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def hostile_models(folder, names=None):
    """Descriptions of shipped weights that ask for too much: refused, without memory of such a size."""
    out = {"files": 0, "descriptions": 0, "refused": 0, "wrong": []}
    path, memory = Path(folder) / "hostile.stellarlabels", 0
    for name in names or systems.available():
        cls = systems.get(name)
        with resources.as_file(cls.shipped_file()) as shipped:
            description, arrays = modelfile.read(shipped)
        cls.pretrained()  # that much memory is needed
        out["files"], before = out["files"] + 1, _memory()
        for what, changed in hostile_descriptions(description):
            changed.pop("format_version", None)
            modelfile.write(path, changed, arrays, overwrite=True)
            out["descriptions"] += 1
            try:
                cls.load(path)
            except StellarLabelsError:
                out["refused"] += 1
            except Exception as error:
                out["wrong"].append(f"{name}, {what}: {type(error).__name__}: {error}")
            else:
                out["wrong"].append(f"{name}, {what}: loaded")
        memory = max(memory, _memory() - before)
    return {**out, "more memory (MB)": round(memory / 1e6)}


def bombs(folder, size=4 << 30):
    """Packed tables of so many bytes, of a few megabytes themselves: refused, without memory of such a size."""
    rows, folder = b"1,5000.0\n" * (1 << 20), Path(folder)
    times, before = size // len(rows), _memory()
    (folder / "bomb.csv.gz").write_bytes(gzip.compress(b"source_id,teff\n") + gzip.compress(rows) * times)
    (folder / "bomb.csv.bz2").write_bytes(bz2.compress(b"source_id,teff\n") + bz2.compress(rows) * times)
    _zip_bomb(folder / "bomb.zip", rows, times)
    out = {"files": 0, "bytes": size, "refused": 0, "wrong": []}
    for path in sorted(folder.glob("bomb.*")):
        out["files"] += 1
        try:
            catalogs.read(path)
            out["wrong"].append(f"{path.name} is read")
        except StellarLabelsError as error:
            out["refused"] += "unpacks to more than" in str(error)
        path.unlink()
    return {**out, "more memory (MB)": round((_memory() - before) / 1e6)}


def _zip_bomb(path, rows, times):
    """A zip archive whose member is the same compressed block again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", b"source_id,teff\n" + rows)
    content = stream.getvalue()
    start = 30 + len("bomb.csv")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        packed = archive.infolist()[0].compress_size
    directory = bytearray(content[start + packed :])
    data = block * times + packer.flush(zlib.Z_FINISH)
    for offset, value in ((20, len(data)), (24, min(len(rows) * times, 2**32 - 1))):
        directory[offset : offset + 4] = value.to_bytes(4, "little")
    end = directory.rindex(b"PK\x05\x06")
    directory[end + 16 : end + 20] = (start + len(data)).to_bytes(4, "little")
    path.write_bytes(content[:start] + data + directory)


def mutated(count, seed, folder):
    """Damaged and unusual files of all formats through all entrances; see ``mutated_inputs.py``."""
    found = mutated_inputs.run(count, seed, folder)
    counts = {what: sum(number for (kind, _), number in found.items() if kind == what) for what in ("read", "refused")}
    wrong = [f"{label}: {what}" for what, label in found if what not in counts]
    return {"files": count, "seed": seed, **counts, "wrong": wrong}


#: What is tried, by its name in the file.
KINDS = ("label", "query", "write", "dask")
PARTS = ("killed", "mutated", "parameters", "models", "bombs")


def measure(parts, kinds, folder, *, kills, times, count, seed):
    """What became of everything that is tried (dict)."""
    folder, out = Path(folder), {}
    if "killed" in parts:
        out["runs"] = killed_runs.measured(kinds, folder / "runs", random.Random(seed), kills=kills, times=times)
    makers = {
        "mutated": lambda: mutated(count, seed, folder),
        "parameters": hostile_parameters,
        "models": lambda: hostile_models(folder),
        "bombs": lambda: bombs(folder),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, make in makers.items():
            if name in parts:
                out[name] = make()
                print(json.dumps({name: out[name]})[:500], flush=True)
    return out


def machine():
    """The processor and the versions that matter."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return {"processor": found[1] if found else platform.machine(), "system": platform.system()}


def main():
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="kills of each kind of run")
    parser.add_argument("--times", type=int, default=20, help="full disks, and pairs of runs, of each kind")
    parser.add_argument("--count", type=int, default=10_000, help="mutated files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(PARTS), help="parts (%(default)s)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of runs (%(default)s)")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    before = json.loads(options.output.read_text(encoding="utf-8")) if options.output.is_file() else {}
    sys.path.append(str(ROOT / "tests" / "stand_ins"))
    with tempfile.TemporaryDirectory() as folder:
        numbers = {"kills": options.kills, "times": options.times, "count": options.count, "seed": options.seed}
        found = measure(options.only.split(","), options.kinds.split(","), folder, **numbers)
    found["runs"] = {**before.get("runs", {}), **found.get("runs", {})}
    text = json.dumps({**before, **found, "machine": machine()}, indent=1)
    options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
