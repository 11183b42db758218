"""Readers: files as archives and surveys deliver them -> one `~astropy.table.QTable` with known names, units and flags.

`read_xp` reads Gaia XP spectra, sampled or as coefficients, one star or many to a file, in FITS, VOTable, CSV, ECSV and
zip archives of these; `read_lamost` and `iter_lamost` read LAMOST spectra of low and medium resolution of every
release; `read_labels` reads catalogs of labels (LAMOST, APOGEE, PASTEL, machine-readable tables); `read_table` reads
any table of stars. What is in a file is recognized by its content, not by its name; `available` lists the formats.
"""

from stellarlabels.columns import products
from stellarlabels.inputs.lamost.reader import iter_lamost, read_lamost
from stellarlabels.inputs.xp import read_table, read_xp, sample as sample_coefficients
from stellarlabels.tables import read_labels

available = products.available

__all__ = ["available", "iter_lamost", "read_labels", "read_lamost", "read_table", "read_xp", "sample_coefficients"]
