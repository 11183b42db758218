"""Query files and their parameters; a value becomes part of a query as a literal, or not at all."""

import json
import math
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from hypothesis import given, strategies as st

from stellarlabels import columns, systems
from stellarlabels.archive import queries, services
from stellarlabels.archive.queries import Parameter
from stellarlabels.archive.queries.parameters import identifier, without_comments
from stellarlabels.exceptions import InputError, ReadError

HEADER = """-- title = "Test"
-- system = "csnet"
-- sample = "train"
-- services = ["gaia"]
-- reference = "2022A&A...659A.181Y"
-- unconfirmed = []
"""
PARAMETERS = """--
-- [parameters.limit]
-- type = "limit"
-- default = "all"
-- description = "rows"
-- [parameters.region]
-- type = "region"
-- columns = ["g.ra", "g.dec"]
-- maximum = 10
-- default = "all"
-- description = "cone"
-- [parameters.g_mag]
-- type = "range"
-- unit = "mag"
-- minimum = 0
-- maximum = 25
-- default = [3, 17.65]
-- description = "magnitude"
-- [parameters.shift]
-- type = "float"
-- unit = "mas"
-- default = 0
-- description = "of the parallax"
-- [parameters.order]
-- type = "int"
-- minimum = 0
-- default = 7
-- description = "number"
-- [parameters.survey]
-- type = "str"
-- choices = ["apogee", "galah"]
-- default = "apogee"
-- description = "name"
-- [parameters.field]
-- type = "str"
-- pattern = '[A-Z0-9+ -]{1,10}'
-- default = "M 67"
-- description = "field"
"""
BODY = """SELECT {limit} g.source_id -- {not a placeholder}
FROM t AS g -- it's a comment
WHERE g.mag BETWEEN {g_mag} AND g.parallax - {shift} > 0 AND g.n={order}
  AND g.survey = {survey} AND g.field = {field} AND "a{B}" = 'it''s -- {text'
  AND {region}
"""
HOSTILE = [
    *("'", "''", "' OR '1'='1", "x'; DROP TABLE t; --", '"', "a--b", "/* x */", "*/", ";", "\\", "`", "\x00", "\n"),
    *("apogee'", "apogee --", "1; SELECT 1", "1 OR 1=1", "1)--", "0x41", "1e999", "nan", "inf", "-inf", "1,2; --"),
    *("M 67'", "\u2019", "\uff07", "apogee\u200b", "{survey}", "all; --", "3, 4 AND 5", "3,4,5'", "(SELECT 1)"),
    "10,20,1)) OR (1=1",
]


@pytest.fixture(scope="module")
def query(tmp_path_factory):
    path = tmp_path_factory.mktemp("queries") / "mine.adql"
    path.write_text(HEADER + PARAMETERS + BODY)
    return queries.read(path)


class TestBind:
    """Values become literals."""

    def test_defaults(self, query):
        assert str(query.bind()) == (
            "SELECT g.source_id\nFROM t AS g\n"
            "WHERE g.mag BETWEEN 3.0 AND 17.65 AND g.parallax - 0.0 > 0 AND g.n=7\n"
            "  AND g.survey = 'apogee' AND g.field = 'M 67' AND \"a{B}\" = 'it''s -- {text'\n  AND 1 = 1"
        )

    def test_values(self, query):
        bound = query.bind(
            limit=5,
            region=(56.75, -24.1, 30 * u.arcmin),
            g_mag=(1, 2 * u.mag),
            shift=-1e-7,
            order=2**62 + 1,
            survey="galah",
        )
        for part in (
            "SELECT TOP 5 g.source_id",
            "BETWEEN 1.0 AND 2.0 AND",
            "g.parallax - (-1e-07) > 0",
            f"g.n={2**62 + 1}",
            "= 'galah'",
            "1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', 56.75, (-24.1), 0.5))",
        ):
            assert part in bound.adql
        assert bound.values["region"] == (56.75, -24.1, 0.5) and bound.values["shift"] == -1e-7

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("limit", "5", 5),
            ("limit", "all", "all"),
            ("limit", np.int64(3), 3),
            ("region", "56.75, -24.1, 2", (56.75, -24.1, 2.0)),
            ("region", "56.75, -24.1, 30 arcmin", (56.75, -24.1, 0.5)),
            ("region", "15deg, 120 arcmin, 3arcmin", (15.0, 2.0, 0.05)),
            ("g_mag", "3, 4.5", (3.0, 4.5)),
            ("g_mag", "3 mag,4500 mmag", (3.0, 4.5)),
            ("shift", "1 arcsec", 1000.0),
            ("shift", np.float32(0.5), 0.5),
            ("shift", 2 * u.mas, 2.0),
            ("order", " 12 ", 12),
            ("field", "NGC 188", "NGC 188"),
        ],
    )
    def test_texts_and_quantities(self, query, name, text, value):
        assert query.bind(**{name: text}).values[name] == pytest.approx(value) if name != "limit" else value

    @pytest.mark.parametrize("value", HOSTILE)
    @pytest.mark.parametrize("name", ["limit", "region", "g_mag", "shift", "order", "survey", "field"])
    def test_hostile_values_are_refused(self, query, name, value):
        with pytest.raises(InputError, match=f"^{name}: expected"):
            query.bind(**{name: value})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("limit", 0),
            ("limit", 2.5),
            ("limit", True),
            ("region", (1, 2)),
            ("region", (400, 0, 1)),
            ("region", (0, 91, 1)),
            ("region", (0, 0, 11)),
            ("region", (0, 0, 0)),
            ("region", 5),
            ("g_mag", (5, 3)),
            ("g_mag", (-1, 3)),
            ("g_mag", (1 * u.deg, 2 * u.deg)),
            ("shift", np.nan),
            ("shift", [1, 2]),
            ("shift", 1 * u.mag),
            ("shift", True),
            ("order", 7.0),
            ("order", -1),
            ("order", 2**63),
            ("survey", "APOGEE"),
            ("survey", 5),
            ("field", "m 67"),
            ("field", "M 67 AND OTHERS"),
        ],
    )
    def test_other_wrong_values(self, query, name, value):
        with pytest.raises(InputError, match=f"^{name}: expected"):
            query.bind(**{name: value})

    @given(st.sampled_from(["limit", "region", "g_mag", "shift", "order", "survey", "field"]), st.text(max_size=30))
    def test_whatever_is_bound_leaves_the_structure_alone(self, query, name, value):
        """Any text either is refused, or changes nothing of the query but literals of its own kind."""
        try:
            text = query.bind(**{name: value}).adql
        except InputError:
            return
        number = r"\(?-?[\d.e+-]+\)?"
        point = r"POINT\('ICRS', g\.ra, g\.dec\)"
        literal = {
            "limit": r"(TOP [1-9]\d*|)",
            "region": rf"1 = (1|CONTAINS\({point}, CIRCLE\('ICRS', {number}, {number}, {number}\)\))",
            "g_mag": f"{number} AND {number}",
            "shift": number,
            "order": r"\d+",
            "survey": "'(apogee|galah)'",
            "field": "'[A-Z0-9+ -]{1,10}'",
        }[name]
        before, after = self.around(query, name)
        assert text.startswith(before) and text.endswith(after)
        middle = text[len(before) : len(text) - len(after)]
        assert re.fullmatch(literal, middle.strip(" "), re.ASCII) and "--" not in middle

    @staticmethod
    def around(query, name):
        """The bound text before and after a placeholder."""
        template = without_comments(query.template)
        others = {key: item.literal(item.value(item.default)) for key, item in query.parameters.items() if key != name}
        for key, literal in others.items():
            template = template.replace(f"{{{key}}} " if not literal else f"{{{key}}}", literal)
        before, after = template.split(f"{{{name}}}")
        return before, after.removeprefix(" ") if name == "limit" else after

    def test_names(self, query):
        with pytest.raises(InputError, match="magnitude: the query mine has no such parameter; it has: limit"):
            query.bind(magnitude=3)
        needs = Parameter(name="x", type="float", description="needed")
        made = queries.Query(
            "q", "t", "SELECT a FROM b WHERE c > {x}", "csnet", "train", ("gaia",), parameters={"x": needs}
        )
        with pytest.raises(InputError, match="x: the query q needs a value: a number"):
            made.bind()


class TestFiles:
    """Reading query files."""

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            (HEADER + "SELECT {x} FROM t", r"not declared: \['x'\]"),
            (HEADER + PARAMETERS + "SELECT 1", "not used"),
            (HEADER.replace("-- title", "-- tittle") + "SELECT 1", r"missing \['title'\], unknown \['tittle'\]"),
            (HEADER.replace('"train"', '"test"') + "SELECT 1", "sample: expected one of train"),
            (HEADER.replace('"Test"', "Test") + "SELECT 1", "not TOML"),
            (HEADER + "SELECT 'a", "quote is not closed"),
            (HEADER + "SELECT a}", "brace"),
            (HEADER + "SELECT a FROM b WHERE c = '{x}'", "inside quotes"),
            (HEADER + "SELECT a FROM b WHERE c = -{x}", "stand alone"),
            (HEADER + "SELECT a FROM b WHERE c = {x}9", "stand alone"),
            (HEADER + '-- [upload]\n-- name = "s"\n-- columns = ["ra"]\nSELECT 1', "TAP_UPLOAD.s"),
            (HEADER + '-- [upload]\n-- name = "s"\n-- columns = ["raa"]\nSELECT 1 FROM TAP_UPLOAD.s', "raa"),
            (HEADER + '-- [parameters.x]\n-- type = "text"\n-- description = "d"\nSELECT {x}', "type: expected"),
            (HEADER + '-- [parameters.x]\n-- type = "int"\n-- description = ""\nSELECT {x}', "description"),
            (HEADER + '-- [parameters.x]\n-- type = "int"\n-- kind = "d"\nSELECT {x}', "kind"),
            (HEADER + '-- [parameters.x]\n-- type = "str"\n-- description = "d"\nSELECT {x}', "choices or a pattern"),
            (HEADER + '-- [parameters.x]\n-- type = "int"\n-- unit = "m"\n-- description = "d"\nSELECT {x}', "no unit"),
        ],
    )  # fmt: skip
    def test_wrong_files(self, tmp_path, text, word):
        path = tmp_path / "mine.adql"
        path.write_text(text)
        with pytest.raises(InputError, match=word):
            queries.read(path)

    def test_files_that_are_none(self, tmp_path):
        with pytest.raises(ReadError, match=r"none\.adql"):
            queries.read(tmp_path / "none.adql")
        (tmp_path / "binary.adql").write_bytes(b"\xff\xfe")
        with pytest.raises(ReadError):
            queries.read(tmp_path / "binary.adql")

    def test_macros_and_brackets_pass(self, tmp_path):
        body = 'SELECT m[jplus::rSDSS] AS r, "[Fe/H]" FROM t'
        (tmp_path / "mine.adql").write_text(HEADER + body)
        assert str(queries.read(tmp_path / "mine.adql").bind()) == body


@pytest.mark.parametrize("name", ["a", "a.b_1.c", '"I/355/gaiadr3"', 'x."[Fe/H]"', '"a-b"'])
def test_identifiers(name):
    assert identifier(name, "table") == name


@pytest.mark.parametrize(
    "name", ["", "a b", "a;b", "a--b", '"a"b"', '"a--b"', "a.", "1a", "a'b", '"a\'b"', None, "a\n", "a,b"]
)
def test_other_texts_are_no_identifiers(name):
    with pytest.raises(InputError, match="table: expected the name"):
        identifier(name, "table")


@pytest.mark.parametrize("name", queries.available())
class TestShipped:
    """Every query that ships."""

    def test_is_declared_completely(self, name):
        query = queries.get(name)
        assert query.title and query.reference and query.services
        assert query.system in {"csnet", "spcanet", "uncertain", "uacsnet", "solardis", "gaia", "lamost"}
        assert set(query.services) <= set(services.available())

    def test_binds(self, name):
        query = queries.get(name)
        given = {key: EXAMPLES[item.type] for key, item in query.parameters.items() if item.default is None}
        text = str(query.bind(**given))
        assert text.startswith("SELECT ") and "{" not in text and "--" not in text
        assert ";" not in text

    def test_uploads_what_the_vocabulary_has(self, name):
        upload = queries.get(name).upload
        for column in upload.columns if upload else ():
            assert columns.column(column).name == column


EXAMPLES = {"float": 1.0, "int": 1, "range": (1, 2), "region": (56.75, 24.1, 0.1), "limit": 10, "str": "x"}


@pytest.mark.parametrize("sample", ["train", "apply"])
@pytest.mark.parametrize("system", ["csnet", "spcanet", "uncertain", "uacsnet", "solardis"])
def test_every_system_has_its_samples(system, sample):
    query = queries.find(system, sample)
    assert (query.name, query.system, query.sample) == (f"{system}_{sample}", system, sample)
    assert queries.find(system, sample, service=query.services[0]).system == system


def test_systems_of_the_package_have_queries():
    assert set(systems.available()) <= {queries.get(name).system for name in queries.available()}


def sky_database(tables):
    """SQLite with ADQL's circles on a flat sky, and with tables of dicts by "schema.name"."""
    database = sqlite3.connect(":memory:")
    for schema in sorted({name.partition(".")[0] for name in tables}):
        database.execute(f"ATTACH ':memory:' AS {schema}")

    def known(function):
        return lambda *values: None if None in values else function(*values)

    def apart(point, circle):
        (a, b), (x, y, radius) = json.loads(point), json.loads(circle)
        return int(math.hypot((a - x) * math.cos(math.radians(b)), b - y) <= radius)

    own = {"SQRT": math.sqrt, "COS": math.cos, "RADIANS": math.radians, "POWER": pow, "CONTAINS": apart}
    own |= {"POINT": lambda _, a, b: json.dumps([a, b]), "CIRCLE": lambda _, a, b, r: json.dumps([a, b, r])}
    for name, function in own.items():
        database.create_function(name, -1, known(function))
    for name, rows in tables.items():
        names = sorted({key for row in rows for key in row})
        database.execute(f"CREATE TABLE {name} ({', '.join(names)})")
        values = [[row.get(key) for key in names] for row in rows]
        database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(names))})", values)
    return database


def test_a_neighbour_does_not_make_a_star_one_without_a_distance():
    """Of all sources of Gaia within 3 arcsec the nearest one counts: a good star is not chosen for a faint neighbour.

    Spectrum 1 is of a star with a good parallax, 2 of one with a poor one, both with a faint source 2.5 arcsec away;
    3 is of a good star alone.
    """
    text = queries.get("solardis_apply").bind().adql
    aliases = {"l": "external.lamost_dr9_lrs", "g": "gaiadr3.gaia_source", "d": "external.gaiaedr3_distance"}
    asked = {name: dict.fromkeys(re.findall(rf"\b{alias}\.(\w+)", text)) for alias, name in aliases.items()}
    tables, arcsec = {aliases["d"]: [asked[aliases["d"]]]}, 1 / 3600
    spectra = [(1, 10.0), (2, 20.0), (3, 30.0)]
    tables[aliases["l"]] = [
        asked[aliases["l"]] | {"obsid": obsid, "ra": ra, "dec": 0.0, "snrg": 50, "class": "STAR"}
        for obsid, ra in spectra
    ]
    good, faint = {"parallax_over_error": 250.0, "distance_gspphot": 200.0}, {"phot_g_mean_mag": 19.8}
    sources = [(11, 10.0, 0.05, good), (12, 10.0, 2.5, faint), (31, 30.0, 0.05, good)]
    sources += [(21, 20.0, 0.05, {"parallax_over_error": 2.0, "distance_gspphot": 900.0}), (22, 20.0, 2.5, faint)]
    tables[aliases["g"]] = [
        asked[aliases["g"]] | {"source_id": source, "ra": ra, "dec": dec * arcsec} | more
        for source, ra, dec, more in sources
    ]
    cursor = sky_database(tables).execute(text)
    names = [column[0] for column in cursor.description]
    (row,) = [dict(zip(names, values, strict=True)) for values in cursor]
    assert (row["obsid"], row["source_id"]) == (2, 21) and row["separation"] == pytest.approx(0.05)


def test_finding_what_is_not_there():
    with pytest.raises(InputError, match="no query is called 'nothing'"):
        queries.get("nothing")
    with pytest.raises(InputError, match="system: there is no query for 'nothing'"):
        queries.find("nothing")
    with pytest.raises(InputError, match="service: expected one of .*gaia"):
        queries.find("uacsnet", "apply", service="jplus-dr1")


def test_the_example_of_the_documentation(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "user_guide" / "archive.rst"
    (block,) = re.findall(r"code-block:: text\n\n((?:   .*\n)+)", page.read_text(encoding="utf-8"))
    (tmp_path / "mine.adql").write_text(re.sub("^   ", "", block, flags=re.MULTILINE))
    text = str(queries.read(tmp_path / "mine.adql").bind(region="56.75, 24.1, 2"))
    assert text.endswith(
        "BETWEEN 3.0 AND 17.65 AND 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', 56.75, 24.1, 2.0))"
    )
