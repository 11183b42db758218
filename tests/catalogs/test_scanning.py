"""Catalogs read some rows at a time."""

import gzip
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.exceptions import InputError, ReadError
from stellarlabels.schema import without_unit

#: Formats of published files.
SUFFIXES = [".fits", ".fits.gz", ".csv", ".csv.gz", ".parquet", ".vot", ".ecsv"]


def published(rows):
    """A table like the published UA-CSNet file."""
    generator = np.random.default_rng(3)
    table = Table({"source_id": 2**62 + np.arange(rows) * 3})
    for name in ("gl", "gb", "ra", "dec", "FEH", "FEH_err"):
        table[name] = generator.random(rows)
    for name in ("phot_bp_rp_excess_factor", "BP_RP0", "PHOT_G_MEAN_MAG_MG", "M_G", "EBV", "rgeo"):
        table[name] = generator.random(rows).astype(np.float32)
    table["FEH"][::3] = -9999
    table["extra"] = [f"star {number}" for number in range(rows)]
    return table


def write(table, path):
    """Write as others do."""
    if path.name.endswith(".csv.gz"):
        write(table, path.with_suffix(""))
        path.write_bytes(gzip.compress(path.with_suffix("").read_bytes()))
    elif path.suffix == ".csv":
        table.write(path, format="ascii.csv")
    elif path.suffix == ".vot":
        table.write(path, format="votable")
    else:
        table.write(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pieces_are_the_whole(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    write(published(25), path)
    whole = catalogs.read(path, "uacsnet")
    pieces = list(catalogs.scan(path, "uacsnet", rows=10))
    assert sum(map(len, pieces)) == 25 and max(map(len, pieces)) <= 10
    for piece in pieces:
        assert isinstance(piece, QTable) and piece.colnames == whole.colnames
        assert piece.meta["unknown_columns"] == ["extra"]
        assert piece.meta["renamed_columns"] == {"PHOT_G_MEAN_MAG_MG": "PHOT_G_MEAN_MAG"}
    for name in whole.colnames:
        parts = [without_unit(piece[name]) for piece in pieces]
        joined = np.ma.concatenate(parts)
        assert joined.tolist() == without_unit(whole[name]).tolist()
        assert len({part.dtype.kind for part in parts}) == 1


@pytest.mark.parametrize("suffix", [".fits", ".csv", ".parquet"])
def test_a_file_without_rows_gives_one_table_without_rows(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    write(published(0), path)
    [piece] = catalogs.scan(path, "uacsnet")
    assert len(piece) == 0 and piece.colnames == [*schemas.get("uacsnet").names, "extra"]


def test_types_of_text_files_hold_every_value_of_the_file(tmp_path):
    lines = ["1,1,,true,x"] * 5000 + ["2,2.5,7,false,y", "3,word,,true,2020-01-01"]
    (tmp_path / "x.csv").write_text("a,b,c,d,e\n" + "\n".join(lines) + "\n", encoding="utf-8")
    for piece in catalogs.scan(tmp_path / "x.csv", rows=1000):
        kinds = {name: without_unit(piece[name]).dtype.kind for name in piece.colnames}
        assert kinds == {"a": "i", "b": "U", "c": "i", "d": "b", "e": "U"}
    assert piece["b"].tolist()[-2:] == ["2.5", "word"] and piece["c"].tolist()[-2:] == [7, None]


def test_only_a_piece_is_in_memory(tmp_path):
    path = tmp_path / "x.fits"
    table = published(200_000)
    table.remove_column("extra")
    write(table, path)
    del table
    tracemalloc.start()
    total = sum(len(piece) for piece in catalogs.scan(path, "uacsnet", rows=5_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 200_000
    assert peak < path.stat().st_size / 3


@pytest.mark.filterwarnings("ignore:File may have been truncated")
def test_a_file_that_ends_too_early_gives_what_is_there_and_then_an_error(tmp_path):
    path = tmp_path / "x.fits"
    write(published(100), path)
    path.write_bytes(path.read_bytes()[: -2 * 2880])
    pieces = catalogs.scan(path, "uacsnet", rows=10)
    assert len(next(pieces)) == 10
    with pytest.raises(ReadError, match=r"ends after row \d+ of 100"):
        list(pieces)


def test_errors_come_before_the_first_piece(tmp_path):
    with pytest.raises(ReadError, match="no file"):
        catalogs.scan(tmp_path / "x.fits")
    fits.PrimaryHDU().writeto(tmp_path / "x.fits")
    with pytest.raises(InputError, match="rows: expected a positive integer, got 0"):
        catalogs.scan(tmp_path / "x.fits", rows=0)
    with pytest.raises(InputError, match="sdss"):
        catalogs.scan(tmp_path / "x.fits", "sdss")
    with pytest.raises(ReadError, match="no binary table"):
        next(catalogs.scan(tmp_path / "x.fits"))
