"""The declared catalogs: words, units and names that standards and papers prescribe."""

import re

import numpy as np
import pytest
from astropy import units as u
from astropy.io.votable.ucd import parse_ucd
from astropy.table import Table

from stellarlabels import columns, flags
from stellarlabels.catalogs import schemas
from stellarlabels.columns import units
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


def test_every_unit_is_a_vounit(declared):
    for item in declared:
        text = units.spell(item.unit, "vounit", item.name)
        # VOUnits has quotes for units that it does not know; for Astropy that is another unit of the same name.
        assert str(u.Unit(text, format="vounit", parse_strict="raise")) == str(u.Unit(item.unit)), item.name


def test_every_column_is_described(declared):
    for item in declared:
        assert item.description.isascii() and item.ucd, item.name
        np.dtype("U" if item.is_text else item.dtype)
    assert declared.description and declared.reference.startswith("https://")


def test_exactly_one_column_is_the_main_identifier(declared):
    main = [item for item in declared if item.ucd == "meta.id;meta.main"]
    assert [item.dtype for item in main] == ["str" if declared.name in ("csnet", "spcanet") else "int64"]


def test_null_values_and_flags_are_understood(declared):
    for item in declared:
        assert item.is_text or np.isfinite([float(null) for null in item.nulls]).all()
        assert (item.ucd == "meta.code.qual") == bool(item.flags), item.name
        assert not item.flags or len(flags.get(item.flags)), item.name
    assert set(declared.notes.get("null_values", {})) <= {"*"}
    for name, rule in declared.notes.get("flag_rules", {}).items():
        assert declared[name].flags and {rule["clear"], rule["set"]} == {0, 1}
        assert flags.get(declared[name].flags).good == rule["clear"]
        assert all(flags.LABEL[bit] for bit in rule["bits"])


def test_every_column_says_where_it_is_described(declared):
    assert all(item.source for item in declared)
    assert declared.notes["corrections"] and declared.notes["comments"] and declared.notes["authors"]


def vocabulary_of(item):
    """What the vocabulary says of a column; None for a flag of a published catalog."""
    if not item.canonical:
        return None
    label, separator, part = item.canonical.rpartition("_err")
    if separator and part in ("", "_model", "_input", "_excess"):
        return columns.label_columns(label)[1]
    if item.canonical.endswith("_flag") and item.canonical not in columns.vocabulary():
        return columns.label_columns(item.canonical.removesuffix("_flag"))[2]
    return columns.column(item.canonical)


def test_every_column_has_a_name_in_the_vocabulary_and_its_unit(declared):
    for item in declared:
        own = vocabulary_of(item)
        if own is None:
            assert item.flags and item.name in declared.notes["flag_rules"], item.name
            continue
        assert (item.unit, item.shape) == (own.unit, own.shape), item.name
        words = item.ucd.split(";")
        if "meta.id" in words or "meta.id.cross" in words:
            assert own.ucd.startswith("meta.id"), item.name
        else:
            assert words[0] == own.ucd.split(";")[0], item.name


def test_the_library_finds_the_columns_of_a_published_catalog(declared):
    table = declared.empty()
    for item in declared:
        if item.canonical in columns.vocabulary() and not item.flags:
            assert columns.find(table, item.canonical) == item.name


def test_names_are_words_that_topcat_adql_and_fits_take(declared):
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in declared.names)
    assert len({name.lower() for name in declared.names}) == len(declared)


#: The tables of the papers: Yang et al. 2022, Table 3; Wang et al. 2020, Table 2; Shen & Luo 2024, Table D.1.
PRINTED = {
    "csnet": "specid gl gb ra dec MAG_APER6 ERR_APER6 FLAGS PHOT_BP_MEAN_MAG PHOT_RP_MEAN_MAG PHOT_G_MEAN_MAG E(B-V) "
    "Teff Teff_flag logg logg_flag [Fe/H] [Fe/H]_flag [alpha/Fe] [alpha/Fe]_flag [C/Fe] [C/Fe]_flag [N/Fe] [N/Fe]_flag "
    "[Mg/Fe] [Mg/Fe]_flag [Ca/Fe] [Ca/Fe]_flag",
    "spcanet": "starid Gaia_source_id medres_specid medid_blue medid_red RA Dec S/N_blue S/N_red RV_blue RV_red Teff "
    "logg [Fe/H] [C/H] [N/H] [O/H] [Mg/H] [Al/H] [Si/H] [S/H] [Ca/H] [Ti/H] [Cr/H] [Ni/H] [Cu/H] Flag",
    "solardis": "obsid ra dec snrg snrr flag cnn_teff cnn_logg cnn_feh cnn_mg cnn_bprp cnn_distance lasp_teff "
    "lasp_teff_err lasp_logg lasp_logg_err lasp_feh lasp_feh_err lasp_rv lasp_rv_err gaia_source_id parallax "
    "parallax_over_error parallax_zeropoint parallax_correction gaia_g_mean_mag gaia_bp_rp r_med_geo APOGEE_ID",
}


@pytest.mark.parametrize("name", PRINTED)
def test_columns_and_order_of_the_papers_tables(name):
    declared = schemas.get(name)
    assert [declared[word].name for word in PRINTED[name].split()] == [x.name for x in declared if not x.optional]


def test_an_optional_column_is_there_if_it_came():
    declared = schemas.get("csnet")
    assert [item.name for item in declared if item.optional] == ["source_id"]
    without = declared.conform(Table({"specid": ["a"]}))
    assert "source_id" not in without.colnames and "source_id" not in without.meta["missing_columns"]
    assert declared.conform(Table({"specid": ["a"], "SOURCE_ID": [5]}))["source_id"].tolist() == [5]
    assert not declared.validate(without)


def test_labels_of_the_uncertain_network_have_the_parts_of_their_errors():
    declared = schemas.get("uncertain")
    for label in ("teff", "logg", "feh", "c_fe", "n_fe", "alpha_m"):
        parts = [f"{label}_err{part}" for part in ("", "_model", "_input", "_excess")]
        assert [declared[name].name for name in parts] == parts
        assert all(declared[name].ucd == f"stat.error;{declared[label].ucd}" for name in parts)
        assert declared[f"{label}_flag"].flags == "uncertain"


def test_an_element_that_the_paper_misnames_is_named():
    declared = schemas.get("spcanet")
    assert declared["cr_h"].description.startswith("Chromium")
    assert any("chromium" in text for text in declared.notes["corrections"])


def test_both_names_of_a_column_of_the_published_file():
    item = schemas.get("uacsnet")["PHOT_G_MEAN_MAG"]
    assert (item.file_name, item.canonical) == ("PHOT_G_MEAN_MAG_MG", "phot_g_mean_mag")


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
    own = columns.label_columns("feh")[1] if canonical == "feh_err" else columns.column(canonical)
    assert declared[published].unit == own.unit
    assert declared[published].ucd == own.ucd


def test_an_unknown_schema_is_an_error_that_lists_the_known_ones():
    with pytest.raises(InputError, match="sdss.*uacsnet"):
        schemas.get("sdss")


def test_a_schema_is_its_own_schema():
    own = columns.Schema("mine", [columns.Column("x")])
    assert schemas.get(own) is own
