"""Readers: files as archives and surveys deliver them -> one `~astropy.table.QTable` with known names, units and flags.

`read_xp` reads Gaia XP spectra, sampled or as coefficients, one star or many to a file, in FITS, VOTable, CSV, ECSV and
zip archives of these; `read_table` reads any table of stars. What is in a file is recognized by its content, not by its
name; `available` lists the formats.
"""

from stellarlabels.archive.readers.registry import available
from stellarlabels.archive.readers.xp import read_table, read_xp, sample_coefficients

__all__ = ["available", "read_table", "read_xp", "sample_coefficients"]
