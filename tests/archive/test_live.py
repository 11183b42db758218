"""The shipped queries and the DataLink service against the true archives; needs the network (``-m remote_data``)."""

import re

import numpy as np
import pytest

from stellarlabels.archive import TAP, queries
from stellarlabels.archive.datalink import xp_spectra
from stellarlabels.archive.readers import read_xp

pytestmark = pytest.mark.remote_data

#: Values of parameters that have no default.
NEEDED = {
    "uncertain_apply_catwise": {"region": (56.75, 24.1, 0.1)},
    "uncertain_unwise": {"ra": (56.7, 56.8), "dec": (24.0, 24.1)},
}


def columns_of(query):
    """For each table in a query, the names of the columns that are read."""
    text = re.sub(r"'[^']*'", "", query.bind(**NEEDED.get(query.name, {})).adql)
    out = {}
    for table, alias in re.findall(r'(?:FROM|JOIN)\s+("[^"]+"|[\w.]+)\s+AS\s+(\w+)', text):
        if not table.startswith("TAP_UPLOAD"):
            names = re.findall(rf'\b{alias}\.("[^"]+"|\w+)', text)
            out.setdefault(table.strip('"'), set()).update(name.strip('"').lower() for name in names)
    return out


@pytest.mark.parametrize(
    ("name", "service"), [(name, service) for name in queries.available() for service in queries.get(name).services]
)
def test_tables_and_columns_are_in_tap_schema(name, service):
    tap = TAP(service)
    for table, names in columns_of(queries.get(name)).items():
        found = tap.run_sync(
            f"SELECT column_name FROM TAP_SCHEMA.columns WHERE LOWER(table_name) = '{table.lower()}'", maxrec=5000
        )
        there = {str(column).strip('"').lower() for column in found["column_name"]}
        assert there, f"{service} has no table {table}"
        assert names <= there, f"{service}: {table} has no column {sorted(names - there)}"


@pytest.mark.parametrize("name", [name for name in queries.available() if queries.get(name).upload is None])
def test_a_few_rows_come(name):
    query = queries.get(name)
    values = {"limit": 5, **NEEDED.get(name, {})}
    if "region" in query.parameters and "region" not in values:
        values["region"] = (180.5, 2.5, 0.5)
    result = TAP(query.services[0]).run_async(query.bind(**values))
    assert len(result) <= 5


@pytest.mark.parametrize("kind", ["sampled", "continuous"])
def test_spectra(real_data, kind):
    path = real_data / "gaia_xp" / "gaia_dr3_source_id_5937083312263887616_dl_products_fits.zip"
    expected = read_xp(path)
    got = xp_spectra([5937083312263887616, 1], kind=kind)
    assert np.isnan(got["flux"][1]).all()
    np.testing.assert_allclose(got["flux"][0].value, expected["flux"][0].value, rtol=1e-3)
