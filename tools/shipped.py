"""Where the weights are that ship with the package, and how they are written."""

from pathlib import Path

import stellarlabels

WEIGHTS = Path(stellarlabels.__file__).parent / "data" / "weights"


def write(system, folder, recipe, *about):
    """Save a trained system in a folder, in half precision, and print how large the file is and what it is about."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{system.name}-{recipe}.stellarlabels"
    system.save(path, overwrite=True, dtype="float16")
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB,", *(about or [system]))
