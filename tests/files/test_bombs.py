"""Packed files that unpack to more than any table does are refused before they fill the memory."""

import bz2
import gzip
import io
import zipfile

import pytest

from stellarlabels import catalogs
from stellarlabels.exceptions import ReadError
from stellarlabels.files import opening, read_bytes

HEAD, ROW = b"source_id,teff\n", b"1,5000.0\n"
#: Rows of more than the two megabytes that are allowed in these tests, and half as many.
BOMB, TABLE = HEAD + ROW * 300_000, HEAD + ROW * 100_000


@pytest.fixture(autouse=True)
def _limits(monkeypatch):
    monkeypatch.setattr(opening, "HARMLESS", 2 << 20)


def zipped(data):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stars.csv", data)
    return stream.getvalue()


PACK = {"csv.gz": gzip.compress, "csv.bz2": bz2.compress, "zip": zipped}


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_refused_and_says_what_to_do(suffix, tmp_path):
    path = tmp_path / f"stars.{suffix}"
    path.write_bytes(PACK[suffix](BOMB))
    for entrance in (catalogs.read, lambda path: list(catalogs.scan(path, rows=1000))):
        with pytest.raises(ReadError, match=r"stars.*unpacks to more than 2,097,152 bytes.*unpack it first"):
            entrance(path)


@pytest.mark.parametrize("suffix", PACK)
def test_tables_that_pack_well_are_read(suffix, tmp_path):
    path = tmp_path / f"stars.{suffix}"
    path.write_bytes(PACK[suffix](TABLE))
    assert len(catalogs.read(path)) == 100_000


@pytest.mark.parametrize("suffix", ["csv.gz", "csv.bz2"])
def test_bytes_of_a_bomb(suffix, tmp_path):
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(PACK[suffix](BOMB))
    with pytest.raises(ReadError, match="unpacks to more than"):
        read_bytes(path)
    path.write_bytes(PACK[suffix](TABLE))
    assert read_bytes(path) == TABLE
