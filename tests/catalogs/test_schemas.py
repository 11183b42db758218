"""The declared catalogs: words, units and names that standards and papers prescribe."""

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable.ucd import parse_ucd

from stellarlabels import schema
from stellarlabels.catalogs import schemas
from stellarlabels.exceptions import InputError

#: Yang et al., Table 2, in its order.
UACSNET = [
    "source_id",
    "gl",
    "gb",
    "ra",
    "dec",
    "phot_bp_rp_excess_factor",
    "BP_RP0",
    "PHOT_G_MEAN_MAG",
    "M_G",
    "EBV",
    "rgeo",
    "FEH",
    "FEH_err",
]


@pytest.fixture(params=schemas.available())
def declared(request):
    return schemas.get(request.param)


def test_every_ucd_is_of_words_of_the_controlled_vocabulary(declared):
    for item in declared:
        parse_ucd(item.ucd, check_controlled_vocabulary=True, has_colon=False)


def test_every_unit_is_a_vounit_or_dex(declared):
    for item in declared:
        if item.unit not in ("", "dex"):
            assert u.Unit(item.unit, format="vounit", parse_strict="raise") == u.Unit(item.unit)


def test_every_column_is_described(declared):
    for item in declared:
        assert item.description.isascii() and item.ucd, item.name
        np.dtype("U" if item.is_text else item.dtype)
    assert declared.description and declared.reference.startswith("https://")


def test_exactly_one_column_is_the_main_identifier(declared):
    main = [item for item in declared if item.ucd == "meta.id;meta.main"]
    assert [item.dtype for item in main] == ["int64"]


def test_null_values_and_flags_are_of_columns_that_exist(declared):
    names = set(declared.names) | {"*"}
    assert set(declared.notes.get("null_values", {})) <= names
    assert set(declared.notes.get("flags", {})) <= names


def test_names_of_the_published_tables():
    assert schemas.get("uacsnet").names == UACSNET
    assert schemas.get("UACSNET") is schemas.get("uacsnet")


def test_dtypes_of_the_uacsnet_file():
    found = {item.name: item.dtype for item in schemas.get("uacsnet")}
    wide = {"gl", "gb", "ra", "dec", "FEH", "FEH_err"}  # ra and dec are float32 in the published file
    assert found == {name: "float64" if name in wide else "float32" for name in UACSNET} | {"source_id": "int64"}


@pytest.mark.parametrize(
    ("canonical", "published"),
    [
        ("feh", "FEH"),
        ("feh_err", "FEH_err"),
        ("ebv", "EBV"),
        ("l", "gl"),
        ("b", "gb"),
        ("m_g", "M_G"),
        ("bp_rp_0", "BP_RP0"),
        ("r_med_geo", "rgeo"),
        ("phot_g_mean_mag", "PHOT_G_MEAN_MAG"),
        ("ra", "ra"),
    ],
)
def test_canonical_names_and_units_map_to_published_ones(canonical, published):
    declared = schemas.get("uacsnet")
    assert declared[canonical].name == published
    own = schema.label_columns("feh")[1] if canonical == "feh_err" else schema.column(canonical)
    assert declared[published].unit == own.unit
    assert declared[published].ucd == own.ucd


def test_an_unknown_schema_is_an_error_that_lists_the_known_ones():
    with pytest.raises(InputError, match="sdss.*uacsnet"):
        schemas.get("sdss")


def test_a_schema_is_its_own_schema():
    own = schema.Schema("mine", [schema.Column("x")])
    assert schemas.get(own) is own
