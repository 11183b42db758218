"""A HATS catalog of 1,000,000 mock sources, labelled through LSDB on a Dask cluster of two workers.

    python benchmarks/bench_scale.py [--rows 1000000] [--workers 2] [--system uacsnet] [--folder /tmp]

The sources are those of ``mock_stars.py``, evenly spread over the sky. They are labelled three times: by one process,
part by part (`label_file`); by the cluster (`label_catalog`); and by the cluster while one of its workers is killed
when a third of the partitions is done. It is an error if the labels of the three differ. Results go to
``benchmarks/scale.json``.
About fifteen minutes and 7 GB of disk for a million.
"""

import argparse
import json
import os
import resource
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from timing import THREADS, machine

OUTPUT = Path(__file__).with_name("scale.json")
#: HEALPix order of the partitions for so many stars in each of them.
PARTITION = 5000


def write_hats(folder, kind, rows, seed=2):
    """A HATS catalog as others make it: Parquet with lists, without units."""
    import cdshealpix.nested as nested
    import pyarrow as pa
    import pyarrow.parquet as pq
    from hats.catalog import PartitionInfo, TableProperties
    from hats.io import paths, write_parquet_metadata
    from hats.pixel_math import HealpixPixel
    from mock_stars import KINDS, observed, source_id

    from stellarlabels.scale import hats

    order = 0
    while 12 * 4**order * PARTITION < rows:
        order += 1
    stars, random = KINDS[kind](), np.random.default_rng(seed)
    counts = np.bincount(random.integers(0, 12 * 4**order, rows), minlength=12 * 4**order)
    numbers, pixels = np.cumsum(counts), []
    for pixel, count in enumerate(counts):
        if not count:
            continue
        place = np.sort((pixel << 2 * (29 - order)) + random.integers(0, 4 ** (29 - order), count))
        ra, dec = nested.healpix_to_lonlat(place.astype(np.uint64), 29)
        columns = {hats.INDEX: place, "source_id": source_id(place >> 34, numbers[pixel] - count + np.arange(count))}
        columns |= {"ra": ra.deg, "dec": dec.deg, **observed(stars, count, random)}
        arrays = {}
        for name, data in columns.items():
            arrays[name] = pa.array(data.reshape(-1))
            if data.ndim == 2:
                ends = np.arange(0, data.size + 1, data.shape[1], dtype=np.int32)
                arrays[name] = pa.ListArray.from_arrays(ends, arrays[name])
        pixels.append(HealpixPixel(order, pixel))
        path = Path(str(paths.pixel_catalog_file(folder, pixels[-1])))
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(arrays), path)
    about = {
        "catalog_name": "mock",
        "catalog_type": "object",
        "total_rows": rows,
        "ra_column": "ra",
        "dec_column": "dec",
    }
    PartitionInfo.from_healpix(pixels).write_to_file(folder / "partition_info.csv")
    write_parquet_metadata(folder)
    TableProperties(**about).to_properties_file(folder)


def peak():
    """Largest resident size of a process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def size(path):
    """Bytes of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def compare(labels, single, names):
    """An error if labels differ by more than 1e-5 of their errors, or identifiers, masks or flags at all."""
    from stellarlabels.columns import without_unit

    for name in labels.colnames:
        one, other = (without_unit(table[name]) for table in (labels, single))
        label = next((label for label in names if name in (label, f"{label}_err")), None)
        error = without_unit(single[f"{label}_err"]) if label else 0
        np.testing.assert_array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(other), name)
        if (np.abs(one - other) > 1e-5 * error).any():
            raise ValueError(f"{name} differs from the result of one process")


def kill_one(client, folder, partitions, killed):
    """Kill a worker when a third of the partitions is there."""
    victim = min(client.run(os.getpid).values())
    while len(list(folder.rglob("Npix=*.parquet"))) < partitions // 3:
        time.sleep(0.01)
    os.kill(victim, signal.SIGKILL)
    killed.append(len(list(folder.rglob("Npix=*.parquet"))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--system", default="uacsnet", choices=["uacsnet", "csnet"])
    parser.add_argument("--folder")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    args = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))
    from stellarlabels import catalogs, scale, systems
    from stellarlabels.scale import cluster, hats

    system = systems.get(args.system).pretrained()
    result = {
        "what": "one process, and a Dask cluster on the same machine",
        "machine": machine(),
        "system": args.system,
    }
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        place = Path(place)
        write_hats(place / "mock", args.system, args.rows)
        partitions = len(hats.partition_files(place / "mock"))
        result |= {"stars": args.rows, "partitions": partitions, "workers": args.workers}
        result["input_bytes"] = size(place / "mock")
        plan = scale.plan(system, place / "mock", keep=("ra", "dec"))
        result["planned_seconds_of_one_process"] = round(plan.seconds, 1)
        done = scale.label_file(system, place / "mock", place / "single.parquet", keep=("ra", "dec"))
        result["one_process"] = {"seconds": round(done.seconds, 1), "peak_bytes": peak()}
        single = catalogs.read(place / "single.parquet")
        print(result, flush=True)
        start = time.perf_counter()
        with cluster.workers_of(workers=args.workers, memory_limit=0) as client:
            done = scale.label_catalog(system, place / "mock", place / "labels", client=client)
            peaks = list(client.run(peak).values())
        result["cluster"] = {
            "seconds": round(done.seconds, 1),
            "seconds_with_start_and_end_of_the_cluster": round(time.perf_counter() - start, 1),
            "peak_bytes_of_a_worker": max(peaks),
            "output_bytes": size(place / "labels"),
        }
        compare(scale.to_table(place / "labels"), single, system.labels)
        print(result["cluster"], flush=True)
        killed = []
        with cluster.workers_of(workers=args.workers, memory_limit=0) as client:
            work = (client, place / "again.parts", partitions, killed)
            killer = threading.Thread(target=kill_one, args=work)
            killer.start()
            done = scale.label_catalog(system, place / "mock", place / "again", client=client)
            killer.join()
        result["cluster_with_a_killed_worker"] = {
            "seconds": round(done.seconds, 1),
            "partitions_done_when_it_was_killed": killed[0],
            "failed_partitions": len(done.failures),
        }
        compare(scale.to_table(place / "again"), single, system.labels)
        print(result["cluster_with_a_killed_worker"], flush=True)
    args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
