"""Damage that no library sees, found with ``tools/mutated_inputs.py``: each kind is an error that names the file."""

import h5py
import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import catalogs
from stellarlabels.exceptions import ReadError, RenamedColumnWarning

pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

IDS = [4295806720123456789, 5853498713190525697, 3]


def stars():
    return Table({"source_id": IDS, "ra": [1.5, 2.5, 3.5], "dec": [-1.5, -2.5, -3.5]})


@pytest.mark.parametrize("suffix", ["fits", "hdf5"])
@pytest.mark.parametrize("change", [-5, 7])
def test_bytes_that_are_lost_or_put_in_shift_all_that_follows(suffix, change, tmp_path):
    path = tmp_path / f"x.{suffix}"
    catalogs.write(stars(), path)
    data = path.read_bytes()
    place = data.index(np.array(IDS[0], ">i8" if suffix == "fits" else "<i8").tobytes())
    path.write_bytes(data[:place] + (b"\0" * change if change > 0 else b"") + data[place + max(-change, 0) :])
    with pytest.raises(ReadError, match=rf"x\.{suffix}: .*(long|length)"):
        catalogs.read(path)


def test_a_fits_file_without_the_rest_of_its_last_block_is_whole(tmp_path):
    Table(stars()).write(tmp_path / "x.fits")
    data = (tmp_path / "x.fits").read_bytes()
    end = data.index(b"XTENSION") + 2880 + 3 * 24
    assert not data[end:].strip(b"\0")
    (tmp_path / "x.fits").write_bytes(data[:end])
    assert catalogs.read(tmp_path / "x.fits")["source_id"].tolist() == IDS


def test_records_of_hdf5_that_overlap_are_not_read(tmp_path):
    """A float of another exponent is one of 16 bytes for h5py, which would write it over its neighbours."""
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["stars"] = stars().as_array()
    data = bytearray((tmp_path / "x.hdf5").read_bytes())
    bias = data.index(b"\x34\x0b\x00\x34\xff\x03\x00\x00")  # where mantissa and exponent are, and 1023
    data[bias + 5] = 44
    (tmp_path / "x.hdf5").write_bytes(data)
    with pytest.raises(ReadError, match=r"x\.hdf5: .*the fields of the records /stars overlap"):
        catalogs.read(tmp_path / "x.hdf5")


@pytest.mark.parametrize("serialization", ["tabledata", "binary", "binary2"])
def test_a_field_of_a_votable_that_is_none(serialization, tmp_path):
    stars().write(tmp_path / "x.vot", format="votable", tabledata_format=serialization)
    text = (tmp_path / "x.vot").read_bytes()
    (tmp_path / "x.vot").write_bytes(text.replace(b'<FIELD ID="ra"', b'<FIEOD ID="ra"'))
    with pytest.raises(ReadError, match=r"x\.vot: .*'FIEOD'"):
        catalogs.read(tmp_path / "x.vot")
    if serialization != "tabledata":
        (tmp_path / "x.vot").write_bytes(text.replace(b' datatype="double"', b"", 1))
        with pytest.raises(ReadError, match=r"x\.vot: .*without a datatype"):
            catalogs.read(tmp_path / "x.vot")


def test_rows_of_a_votable_are_as_many_as_it_says(tmp_path):
    catalogs.write(stars(), tmp_path / "x.vot")
    text = (tmp_path / "x.vot").read_bytes()
    assert b'nrows="3"' in text
    (tmp_path / "x.vot").write_bytes(text.replace(b'nrows="3"', b'nrows="4"'))
    with pytest.raises(ReadError, match="says that it has 4 rows, but it has 3"):
        catalogs.read(tmp_path / "x.vot")
    with pytest.raises(ReadError, match="says that it has 4 rows, but it has 3"):
        list(catalogs.scan(tmp_path / "x.vot", rows=2))


def test_pages_of_our_parquet_files_have_checksums(tmp_path):
    table = Table({"source_id": np.arange(3000) * 7919 + IDS[0]})
    catalogs.write(table, tmp_path / "x.parquet")
    data = bytearray((tmp_path / "x.parquet").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(ReadError, match=r"x\.parquet: damaged"):
        catalogs.read(tmp_path / "x.parquet")


def test_twins_in_a_table_of_fixed_width(tmp_path):
    table = stars()
    table["source_ix"] = IDS[::-1]
    catalogs.write(table, tmp_path / "x.mrt")
    text = (tmp_path / "x.mrt").read_bytes()
    (tmp_path / "x.mrt").write_bytes(text.replace(b"source_ix", b"source_id"))
    with pytest.warns(RenamedColumnWarning, match=r"x\.mrt: a second 'source_id' is called 'source_id_2'"):
        found = catalogs.read(tmp_path / "x.mrt")
    assert found["source_id"].tolist() == IDS and found["source_id_2"].tolist() == IDS[::-1]
