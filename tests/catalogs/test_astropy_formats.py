"""The catalogs as formats of Astropy's tables."""

import subprocess
import sys

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from stellarlabels import catalogs
from stellarlabels.catalogs import CatalogTable, astropy_formats, schemas
from stellarlabels.exceptions import InputError, WriteError


@pytest.fixture(params=schemas.available())
def schema_name(request):
    return request.param


@pytest.fixture
def table(schema_name):
    return schemas.get(schema_name).empty(3)


@pytest.mark.parametrize("suffix", [".fits", ".vot", ".parquet", ".ecsv"])
def test_tables_are_read_and_written(schema_name, table, suffix, tmp_path):
    path = tmp_path / f"x{suffix}"
    table.write(path, format=f"stellarlabels.{schema_name}")
    found = QTable.read(path, format=f"stellarlabels.{schema_name}")
    assert isinstance(found, QTable) and found.colnames == schemas.get(schema_name).names
    for item in schemas.get(schema_name):
        assert found[item.name].info.description == item.description
        assert found[item.name].info.meta["ucd"] == item.ucd
    plain = Table.read(path, format=f"stellarlabels.{schema_name}")
    assert type(plain) is Table and plain.colnames == found.colnames


def test_the_overview_of_a_table_shows_descriptions(schema_name, table, tmp_path):
    table.write(tmp_path / "x.fits", format=f"stellarlabels.{schema_name}")
    found = QTable.read(tmp_path / "x.fits", format=f"stellarlabels.{schema_name}")
    overview = found.info("attributes", out=None)
    assert overview["name"].tolist() == schemas.get(schema_name).names
    assert overview["description"].tolist() == [item.description for item in schemas.get(schema_name)]


def test_published_nulls_and_units(tmp_path):
    (tmp_path / "x.csv").write_text("obsid,cnn_teff,lasp_teff\n7,5772,-9999\n", encoding="utf-8")
    found = QTable.read(tmp_path / "x.csv", format="stellarlabels.solardis")
    assert found["cnn_teff"][0] == 5772 * u.K and found["lasp_teff"].mask.tolist() == [True]


def test_a_file_format_that_the_suffix_does_not_tell(tmp_path):
    """A writer has to be told it; a reader sees it in the content."""
    table = schemas.get("uacsnet").empty(1)
    with pytest.raises(InputError, match="x.unknown"):
        table.write(tmp_path / "x.unknown", format="stellarlabels.uacsnet")
    table.write(tmp_path / "x.unknown", format="stellarlabels.uacsnet", file_format="votable")
    for options in ({"file_format": "votable"}, {}):
        assert len(QTable.read(tmp_path / "x.unknown", format="stellarlabels.uacsnet", **options)) == 1


def test_files_are_replaced_on_request_only(tmp_path):
    table = QTable({"source_id": [1]})
    table.write(tmp_path / "x.fits", format="stellarlabels.uacsnet")
    with pytest.raises(WriteError, match="exists"):
        table.write(tmp_path / "x.fits", format="stellarlabels.uacsnet")
    table["source_id"] = 2**63 - 1
    table.write(tmp_path / "x.fits", format="stellarlabels.uacsnet", overwrite=True)
    assert catalogs.read(tmp_path / "x.fits")["source_id"].tolist() == [2**63 - 1]


def test_a_catalog_table_takes_the_format_too(tmp_path):
    table = CatalogTable(schemas.get("uacsnet").empty(1))
    table.write(tmp_path / "x.fits", format="stellarlabels.uacsnet")
    assert catalogs.read(tmp_path / "x.fits").colnames == schemas.get("uacsnet").names


@pytest.mark.parametrize(
    "imports",
    [
        "import stellarlabels.catalogs; from astropy.table import QTable",
        "from astropy.table import QTable; import stellarlabels",
        "import stellarlabels; stellarlabels.catalogs; from astropy.table import QTable",
        "from stellarlabels import UACSNet; from astropy.table import QTable",
    ],
)
def test_the_formats_are_there_with_the_catalogs(imports):
    check = "assert 'stellarlabels.csnet' in QTable.read.__doc__; import sys; "
    check += "assert not [f for f in sys.meta_path if 'stellarlabels' in type(f).__module__]"
    done = subprocess.run([sys.executable, "-c", f"{imports}; {check}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", [Table, QTable])
def test_any_table_is_written_as_a_votable_by_its_suffix(kind, tmp_path):
    teff = MaskedColumn([5772.0, 0.0], mask=[False, True], unit="K")
    table = kind({"source_id": [2**62 + 1, 5], "teff": teff})
    table.write(tmp_path / "x.vot")
    with pytest.raises(WriteError, match="exists"):
        table.write(tmp_path / "x.vot")
    table.write(tmp_path / "x.vot", overwrite=True)
    found = QTable.read(tmp_path / "x.vot")
    assert found["source_id"].tolist() == [2**62 + 1, 5]
    assert found["teff"][0] == 5772 * u.K and found["teff"].mask.tolist() == [False, True]
    assert QTable.read(tmp_path / "x.vot", format="stellarlabels")["teff"].mask.tolist() == [False, True]


def test_the_package_does_not_import_astropy():
    script = "import stellarlabels, sys; assert not {'astropy', 'numpy'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_registering_twice_does_no_harm():
    astropy_formats.register()
    assert np.count_nonzero(["stellarlabels.csnet" in line for line in QTable.read.__doc__.splitlines()]) == 1
