"""Names under which scripts of users have things stay, wherever these are now."""

from importlib import import_module

import pytest

#: Older module: the one that has its names now.
OLDER = {
    "archive.readers": "archive.readers",
    "archive.sample": "inputs.examples",
    "features": "inputs",
    "features.colors": "inputs.colors",
    "features.xp": "inputs.xp",
    "schema": "columns",
}


@pytest.mark.parametrize("older", OLDER)
def test_an_older_name_hands_out_the_very_same_things(older):
    old, new = (import_module(f"stellarlabels.{name}") for name in (older, OLDER[older]))
    assert old.__all__ and all(getattr(old, name) is getattr(new, name) for name in old.__all__ if hasattr(new, name))
    assert [name for name in old.__all__ if not hasattr(old, name)] == []


@pytest.mark.parametrize(
    "path",
    [
        "archive.readers:read_xp",
        "archive.readers:read_lamost",
        "archive:TAP",
        "catalogs:read",
        "catalogs:write",
        "catalogs.schemas:get",
        "corrections.extinction:deredden_xp",
        "corrections.extinction:ebv",
        "corrections.parallax:correct_parallax",
        "corrections.parallax:zero_point",
        "distances:DistancePDF",
        "exceptions:StellarLabelsError",
        "features.photometry:synthetic_photometry",
        "features.xp:recover_coefficients",
        "features.xp:sample",
        "tables.crossmatch:crossmatch",
    ],
)
def test_a_fixed_name_is_where_it_is_promised(path):
    module, _, name = path.partition(":")
    assert callable(getattr(import_module(f"stellarlabels.{module}"), name))
