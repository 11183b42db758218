"""Time and memory of reading published catalogs in pieces: ``stellarlabels.catalogs.scan``.

    python benchmarks/bench_catalog_scan.py [--rows 10000000] [--folder /tmp]

Makes files in the published layouts - the FITS file of UA-CSNet and the CSV file of SolarDis - and reads each in a new
process. Prints rows, size of the file, seconds, seconds of processor time, and the process' largest resident memory.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from astropy.io import fits

STEP = 200_000

READ = """
import resource, sys, time
from stellarlabels import catalogs
start, rows, missing = time.perf_counter(), 0, 0
for piece in catalogs.scan(sys.argv[1], sys.argv[2]):
    rows += len(piece)
    missing += int(getattr(piece[sys.argv[3]], "mask", False).sum()) if hasattr(piece[sys.argv[3]], "mask") else 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
times = f"{time.perf_counter() - start:.1f} s, {time.process_time():.1f} s of processor time"
print(f"{rows:,} rows, {missing:,} masked, {times}, {peak:.2f} GiB")
"""


def write_uacsnet(path, rows):
    """The published FITS layout."""
    forms = {"source_id": "K"} | dict.fromkeys(("gl", "gb"), "D") | dict.fromkeys(("ra", "dec"), "E")
    forms |= dict.fromkeys(("phot_bp_rp_excess_factor", "BP_RP0", "PHOT_G_MEAN_MAG_MG", "M_G", "EBV", "rgeo"), "E")
    forms |= {"FEH": "D", "FEH_err": "D"}
    record = np.dtype([(name, {"K": ">i8", "D": ">f8", "E": ">f4"}[form]) for name, form in forms.items()])
    header = fits.BinTableHDU.from_columns([fits.Column(*pair) for pair in forms.items()]).header
    header["NAXIS2"] = rows
    generator = np.random.default_rng(0)

    def piece(count, first):
        out = np.zeros(count, record)
        for name in record.names:
            out[name] = generator.random(count)
        out["source_id"] = np.arange(first, first + count) * 3
        out["FEH"][::10] = -9999
        return out

    with open(path, "wb") as stream:
        stream.write(fits.PrimaryHDU().header.tostring().encode() + header.tostring().encode())
        for first in range(0, rows, STEP):
            stream.write(piece(min(STEP, rows - first), first).tobytes())
        stream.write(b"\0" * (-stream.tell() % 2880))


def write_solardis(path, rows):
    """The published CSV layout."""
    import pyarrow as pa
    import pyarrow.csv

    from stellarlabels.catalogs import schemas

    generator = np.random.default_rng(0)

    def piece(count, first):
        out = {}
        for item in schemas.get("solardis"):
            if item.dtype == "int64":
                out[item.name] = np.arange(first, first + count) + 10**17 * (item.name != "obsid")
            elif item.is_text:
                out[item.name] = np.char.add("2M", np.arange(first, first + count).astype(str))
            else:
                out[item.name] = np.round(generator.random(count), 5).astype(item.dtype)
        out["lasp_teff"][::10] = -9999
        return pa.table(out)

    with pa.csv.CSVWriter(path, piece(1, 0).schema) as writer:
        for first in range(0, rows, STEP):
            writer.write_table(piece(min(STEP, rows - first), first))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for schema, suffix, write, column in (
            ("uacsnet", ".fits", write_uacsnet, "FEH"),
            ("solardis", ".csv", write_solardis, "lasp_teff"),
        ):
            path = Path(folder) / f"{schema}{suffix}"
            write(path, args.rows)
            command = [sys.executable, "-c", READ, str(path), schema, column]
            line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            print(f"{path.name}, {path.stat().st_size / 2**30:.2f} GiB: {line}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
