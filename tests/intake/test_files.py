"""Files of other programs are taken in when they are read, whole or in parts; our own are read exactly."""

import re

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table, vstack

from stellarlabels import catalogs, columns
from stellarlabels.archive.readers import read_table
from stellarlabels.exceptions import ImpossibleValueWarning, InputError, MissingUnitWarning, ReadError

pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")

#: More digits than a float has.
IDS = [5853498713190525697, 299489676975171585, 1853702563498233601, 479359925517769601, 4295806720123456789]


def stars():
    """Five stars with a magnitude that 2MASS does not have, a parallax and a radial velocity that nobody measured."""
    out = Table({"source_id": IDS, "Jmag": [9.5, 99.999, 10.5, -9999.0, 11.5]})
    out["parallax"], out["rv"] = [0.5, 0.25, -9999.0, 2.0, 1e20], [10, -9999, -20, 30, 0]
    return out


WRITERS = {
    "fits": lambda table, path: table.write(path, format="fits"),
    "vot": lambda table, path: table.write(path, format="votable"),
    "ecsv": lambda table, path: table.write(path, format="ascii.ecsv"),
    "csv": lambda table, path: table.to_pandas().to_csv(path, index=False),
    "parquet": lambda table, path: table.to_pandas().to_parquet(path, index=False),
}


def right(found, magnitude="Jmag", velocity="rv"):
    assert found["source_id"].tolist() == IDS and found["source_id"].dtype == np.int64
    assert columns.without_unit(found[magnitude]).tolist() == [9.5, None, 10.5, None, 11.5]
    assert columns.without_unit(found["parallax"]).tolist() == [0.5, 0.25, None, 2.0, None]
    assert columns.without_unit(found[velocity]).tolist() == [10, None, -20, 30, 0]


@pytest.mark.parametrize("suffix", WRITERS)
def test_values_that_no_star_has_are_missing(suffix, tmp_path):
    path = tmp_path / f"stars.{suffix}"
    WRITERS[suffix](stars(), path)
    with pytest.warns(ImpossibleValueWarning, match=rf"{path}: .*2 of 'Jmag'.*2 of 'parallax'.*1 of 'rv'"):
        right(catalogs.read(path))
    with pytest.warns(ImpossibleValueWarning) as told:
        pieces = list(catalogs.scan(path, rows=2))
    assert [len(piece) for piece in pieces] == [2, 2, 1] and len(told) == 1
    right(vstack(pieces, metadata_conflicts="silent"))


@pytest.mark.parametrize("suffix", WRITERS)
def test_tables_of_stars_have_known_names_and_no_such_values(suffix, tmp_path):
    WRITERS[suffix](stars(), tmp_path / f"stars.{suffix}")
    taken = "2 of 'j_m'.*2 of 'parallax'.*1 of 'radial_velocity'"
    supplied = "'j_m' in mag, 'parallax' in mas, 'radial_velocity' in km / s"
    with pytest.warns(ImpossibleValueWarning, match=taken), pytest.warns(MissingUnitWarning, match=supplied):
        found = read_table(tmp_path / f"stars.{suffix}")
    right(found["source_id", "j_m", "parallax", "radial_velocity"], "j_m", "radial_velocity")
    assert found["parallax"].unit == u.mas


def test_unsigned_identifiers_are_signed_integers(tmp_path):
    table = stars()["source_id",]
    table["source_id"] = np.array(IDS, np.uint64)
    table.write(tmp_path / "stars.fits")
    for found in (catalogs.read(tmp_path / "stars.fits"), next(catalogs.scan(tmp_path / "stars.fits"))):
        assert found["source_id"].dtype == np.int64 and found["source_id"].tolist() == IDS


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv", "parquet"])
def test_our_own_files_are_read_exactly(suffix, tmp_path):
    catalogs.write(stars(), tmp_path / f"stars.{suffix}")
    found = catalogs.read(tmp_path / f"stars.{suffix}")
    assert columns.without_unit(found["Jmag"]).tolist() == stars()["Jmag"].tolist()
    assert columns.without_unit(found["rv"]).tolist() == stars()["rv"].tolist()


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv", "parquet"])
def test_rounded_identifiers_are_told_of_where_they_are_read(suffix, tmp_path):
    table = stars()["source_id", "parallax"][:2]
    table["source_id"] = table["source_id"].astype(float)
    WRITERS[suffix](table, tmp_path / f"stars.{suffix}")
    with pytest.warns(ImpossibleValueWarning, match=r"stars\..*: 2 of 'source_id' are no integers"):
        found = catalogs.read(tmp_path / f"stars.{suffix}")
    assert found["source_id"].dtype == float and "2 of 'source_id'" in found.meta["intake"]
    with pytest.warns(ImpossibleValueWarning, match="2 of 'source_id' are no integers"):
        list(catalogs.scan(tmp_path / f"stars.{suffix}", rows=1))
    with pytest.raises(InputError, match="'source_id'.*Int64"):
        columns.intake(found)
    with pytest.raises(ReadError, match=r"stars\..*'source_id'.*Int64"):
        read_table(tmp_path / f"stars.{suffix}")


def test_texts_in_the_place_of_identifiers_are_the_matter_of_who_needs_them(tmp_path):
    (tmp_path / "names.csv").write_text("source_id,b\na,1.5\nb,2.5\n")
    assert catalogs.read(tmp_path / "names.csv")["source_id"].tolist() == ["a", "b"]


def test_a_field_without_a_name_is_damage(tmp_path):
    path = tmp_path / "stars.vot"
    stars().write(path, format="votable", tabledata_format="binary2")
    text = re.sub(rb'<FIELD ID="rv"([^>]*) name="rv"', rb"<FIELD\1", path.read_bytes())
    assert text != path.read_bytes()
    path.write_bytes(text)
    with pytest.raises(ReadError, match=rf"^{path}: damaged or truncated"):
        catalogs.read(path)


def test_the_types_of_rdb_are_no_star(tmp_path):
    stars()["source_id", "rv"][:1].write(tmp_path / "stars.rdb")
    found = catalogs.read(tmp_path / "stars.rdb")
    assert found["source_id"].tolist() == IDS[:1] and found["rv"].tolist() == [10]
