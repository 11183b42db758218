"""Catalogs read some rows at a time."""

import gzip
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.columns import without_unit
from stellarlabels.exceptions import FileWarning, ImpossibleValueWarning, InputError, ReadError
from stellarlabels.files import count

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
    with pytest.warns(FileWarning, match="'b' is read as text, since 'word' is no number"):
        pieces = list(catalogs.scan(tmp_path / "x.csv", rows=1000))
    for piece in pieces:
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
    with pytest.raises(ReadError, match="no such file"):
        catalogs.scan(tmp_path / "x.fits")
    fits.PrimaryHDU().writeto(tmp_path / "x.fits")
    with pytest.raises(InputError, match="rows: expected a positive integer, got 0"):
        catalogs.scan(tmp_path / "x.fits", rows=0)
    with pytest.raises(InputError, match="sdss"):
        catalogs.scan(tmp_path / "x.fits", "sdss")
    with pytest.raises(ReadError, match="no binary table"):
        catalogs.scan(tmp_path / "x.fits")


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("first", [0, 7, 10, 25, 30])
def test_rows_at_the_beginning_can_be_passed_over(suffix, first, tmp_path):
    path = tmp_path / f"x{suffix}"
    write(published(25), path)
    whole = catalogs.read(path)
    pieces = list(catalogs.scan(path, rows=10, first=first))
    assert [len(piece) for piece in pieces[:-1]] == [10] * (len(pieces) - 1)
    found = [number for piece in pieces for number in piece["source_id"].tolist()]
    assert found == whole["source_id"].tolist()[first:]
    with pytest.raises(InputError, match="first: expected an integer of 0 or more"):
        catalogs.scan(path, first=-1)


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz", ".parquet"])
def test_headers_tell_the_number_of_rows(suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    write(published(25), path)
    assert count(path) == 25
    path.write_bytes(b"SIMPLE")
    with pytest.raises(ReadError, match=f"x{suffix}"):
        count(path)


def test_other_formats_do_not_tell_the_number_of_rows(tmp_path):
    path = tmp_path / "x.csv"
    write(published(25), path)
    assert count(path) is None


def test_pieces_of_parquet_have_as_many_rows_as_wanted_whatever_the_row_groups(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    path = tmp_path / "x.parquet"
    pa.parquet.write_table(pa.table({"a": np.arange(25)}), path, row_group_size=4)
    for first in (0, 3, 4, 5):
        pieces = list(catalogs.scan(path, rows=10, first=first))
        assert [len(piece) for piece in pieces] == [10, 10, 5 - first] if first < 5 else [10, 10]
        assert [number for piece in pieces for number in piece["a"]] == list(range(first, 25))


def test_lists_of_the_same_length_are_cells_of_an_array(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    path = tmp_path / "x.parquet"
    pa.parquet.write_table(pa.table({"flux": pa.array([[1.0, 2.0, None], None, [4.0, 5.0, 6.0]])}), path)
    found = without_unit(catalogs.read(path)["flux"])
    assert found.tolist() == [[1, 2, None], [None] * 3, [4, 5, 6]]
    pa.parquet.write_table(pa.table({"flux": pa.array([[1.0, 2.0], [4.0]])}), path)
    found = catalogs.read(path)["flux"]
    assert [cell.tolist() for cell in found] == [[1, 2], [4]]


def test_the_older_binary_of_votables_is_read_in_pieces(tmp_path):
    path = tmp_path / "x.vot"
    table = published(25)
    table["gl"][4] = np.nan
    table["n"] = np.arange(25, dtype=np.int32)
    table["cell"] = np.arange(50, dtype=np.float32).reshape(25, 2)
    table.write(path, format="votable", tabledata_format="binary")
    with pytest.warns(ImpossibleValueWarning, match="9 of 'FEH'"):
        found = list(catalogs.scan(path, rows=10))
    assert [len(piece) for piece in found] == [10, 10, 5]
    table["FEH"][table["FEH"] == -9999] = np.nan
    for name in table.colnames:
        joined = np.ma.concatenate([without_unit(piece[name]) for piece in found])
        want = np.ma.masked_invalid(table[name]) if table[name].dtype.kind == "f" else np.ma.asarray(table[name])
        assert joined.tolist() == want.tolist(), name
