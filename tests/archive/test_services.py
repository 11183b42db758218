"""The list of services, and what they call the same things."""

import pytest

from stellarlabels import columns
from stellarlabels.archive import TAP, queries, services
from stellarlabels.archive.queries.parameters import identifier
from stellarlabels.archive.tap.session import check_address
from stellarlabels.exceptions import InputError

CATALOGS = [(name, catalog) for name in services.available() for catalog in services.get(name).catalogs]


def test_all_that_are_needed_are_there():
    assert {"gaia", "ari", "aip", "gavo", "vizier", "jplus-dr1", "datalab"} <= set(services.available())
    assert {name for query in queries.available() for name in queries.get(query).services} <= set(services.available())


@pytest.mark.parametrize("name", services.available())
def test_addresses_and_limits(name):
    service = services.get(name)
    assert check_address(service.url) == service.url and service.url.startswith("https://")
    assert service.title and service.source and 1000 <= service.chunk_rows <= 100_000
    assert 0.2 <= service.interval <= 5, "polite"
    assert TAP(name).url == service.url


@pytest.mark.parametrize(("name", "catalog"), CATALOGS)
def test_names_can_stand_in_a_query(name, catalog):
    found = services.get(name).catalogs[catalog]
    for text in (found.table, *found.columns.values()):
        assert identifier(text, "name") == text
    assert set(found.unconfirmed) <= set(found.columns.values())


@pytest.mark.parametrize("name", ["gaia", "ari", "aip", "gavo", "vizier", "datalab"])
def test_gaia_has_its_names_in_the_vocabulary_everywhere(name):
    names = services.get(name).catalogs["gaia"].columns
    assert {"source_id", "ra", "dec", "parallax", "phot_g_mean_mag"} <= set(names)
    for column, theirs in names.items():
        if column in columns.vocabulary():
            assert columns.column(column).name == column
            if theirs in columns.vocabulary():
                assert columns.column(theirs).name == column, "the service's name is that of another column"


def test_an_unknown_service():
    with pytest.raises(InputError, match="service: expected one of gaia, .*, got 'gaja'"):
        services.get("gaja")


@pytest.mark.remote_data
@pytest.mark.parametrize(("name", "catalog"), CATALOGS)
def test_the_service_has_these_names(name, catalog):
    """What the service says of its own table."""
    found = services.get(name).catalogs[catalog]
    table = found.table.strip('"')
    adql = f"SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name IN ('{table}', '\"{table}\"')"
    theirs = {str(column).strip('"').lower() for column in TAP(name).run_sync(adql)["column_name"]}
    assert {column.strip('"').lower() for column in found.columns.values()} - theirs == set()


@pytest.mark.remote_data
@pytest.mark.parametrize("name", services.available())
def test_the_service_answers(name):
    table = next(iter(services.get(name).catalogs.values())).table
    assert len(TAP(name).run_sync(f"SELECT TOP 1 * FROM {table}")) == 1
