"""A small TAP service within the tests."""

import pytest
from tap_server import FakeTAP


@pytest.fixture
def fake_tap():
    """Makes services: ``fake_tap(answer, **settings)``."""
    made = []

    def make(answer, **settings):
        made.append(FakeTAP(answer, **settings))
        return made[-1]

    yield make
    for service in made:
        service.close()
