"""The bundle's resource descriptor, served by a real DaCHS: the served table is the file, and the validators agree."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import pyvo
from astropy import units as u
from astropy.table import QTable
from astropy.utils.masked import Masked

from stellarlabels import catalogs
from stellarlabels.catalogs import bundle, schemas
from stellarlabels.columns import without_unit

pytestmark = pytest.mark.vo

#: With arrays, with text as identifiers, with everything that a cone search needs. The others have nothing else.
NAMES = ["csnet", "spcanet", "uacsnet"]


@pytest.fixture(scope="module")
def dachs(new_dachs):
    """A server of its own: others here have tables called ``external``, a word of SQL, of which taplint complains."""
    with new_dachs() as server:
        yield server


@pytest.fixture(scope="module")
def served(dachs, tmp_path_factory, example):
    """The folders of bundles that the server has imported, by schema."""
    folders = {}
    for name in NAMES:
        folder = folders[name] = tmp_path_factory.mktemp("bundles") / name
        bundle.export(example(name), folder, authors=["Doe, J."], license="CC-BY-4.0")
        dachs.import_rd(folder / "q.rd", folder / f"{name}.vot")
    folder = folders["own"] = tmp_path_factory.mktemp("bundles") / "own"
    bundle.export(labels(), folder, name="own")
    dachs.import_rd(folder / "q.rd", folder / "own.vot")
    return folders


def labels():
    """Labels without a schema, under names that are words of ADQL or of Python, some of them missing."""
    mask = [False, True, False]
    table = QTable({"source_id": [2**62 + 1, 5, -(2**63)]})
    table["distance"] = Masked([100.0, 200.0, 1e10] * u.pc, mask=mask)
    table["size"] = np.ma.MaskedArray([1, -(2**31), 3], mask=mask, dtype=np.int32)
    table["class"] = ["K", "", "M dwarf"]
    table["[Fe/H]"] = np.array([0.1, np.nan, -2.5], np.float32) * u.dex
    table["good"] = np.ma.MaskedArray([True, False, True], mask=[False, False, True])
    return table


def test_names_that_are_reserved_words_are_served(served, dachs):
    columns = 'source_id, "distance", "size", "class", "[Fe/H]", good'
    query = f"SELECT {columns} FROM own.main WHERE source_id > 0 ORDER BY source_id"
    found = pyvo.dal.TAPService(dachs.url).run_sync(query).to_table()
    assert found["source_id"].tolist() == [5, 2**62 + 1]
    assert found["distance"].tolist() == [None, 100.0]
    assert found["size"].tolist() == [None, 1]
    assert np.ma.masked_invalid(found["[Fe/H]"]).tolist() == [None, np.float32(0.1)]
    assert [str(value) for value in found["good"]] == ["False", "True"]
    assert found["class"].tolist()[1] == "K"


@pytest.mark.parametrize("name", NAMES)
def test_the_served_table_is_the_file(name, served, dachs):
    expected = catalogs.read(served[name] / f"{name}.fits", name)
    found = pyvo.dal.TAPService(dachs.url).run_sync(f"SELECT * FROM {name}.main", maxrec=1000).to_table()
    key = next(item.name for item in schemas.get(name) if item.ucd == "meta.id;meta.main")
    names = {column.lower(): column for column in found.colnames}
    assert [column.lower() for column in expected.colnames] == list(names)
    order, other = np.argsort(np.asarray(expected[key])), np.argsort(np.asarray(found[names[key.lower()]]))
    for item in schemas.get(name):
        left = without_unit(expected[item.name])[order]
        right = found[names[item.name.lower()]][other]
        mask = np.ma.getmaskarray(left)
        if item.shape:
            right = np.ma.stack([np.ma.asarray(cell) for cell in right])
        values = np.ma.masked_invalid(right) if left.dtype.kind == "f" else np.ma.asarray(right)
        if item.is_text:
            values = np.ma.masked_equal(values.astype(str), "")
        assert (np.ma.getmaskarray(values) == mask).all(), item.name
        assert (values.data[~mask] == left.data[~mask]).all(), item.name


def test_units_ucds_and_descriptions_are_in_the_tap_schema(served, dachs):
    query = "SELECT column_name, unit, ucd, description FROM TAP_SCHEMA.columns WHERE table_name = 'uacsnet.main'"
    found = {row["column_name"]: row for row in pyvo.dal.TAPService(dachs.url).run_sync(query)}
    for item in schemas.get("uacsnet"):
        row = found[item.name.lower()]
        assert (row["unit"] or "").strip("'") == item.unit
        assert row["ucd"] == item.ucd
        assert row["description"].startswith(item.description)


def test_a_cone_search_finds_the_star(served, dachs):
    expected = catalogs.read(served["uacsnet"] / "uacsnet.vot", "uacsnet")[7]
    service = pyvo.dal.SCSService(dachs.url.removesuffix("/tap") + "/uacsnet/q/cone/scs.xml?")
    found = service.search((expected["ra"].value, expected["dec"].value), 1e-4)
    assert [int(row["source_id"]) for row in found] == [expected["source_id"]]  # cone searches give text


def test_taplint_finds_no_error(served, dachs):
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed")
    stages = "stages=TMV TMS TMC CPV CAP AVV MDQ QPO"
    done = subprocess.run(
        ["stilts", "taplint", f"tapurl={dachs.url}", stages, "maxtable=30", "report=ESF"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    total = re.search(r"Totals: Errors: (\d+)", done.stdout)
    assert total, done.stdout + done.stderr
    assert total[1] == "0", done.stdout
