"""LAMOST spectra of low and medium resolution: files, pre-processing, velocities, and network inputs."""

from stellarlabels.inputs.lamost.reader import iter_lamost, read_lamost

__all__ = ["iter_lamost", "read_lamost"]
