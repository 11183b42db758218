"""Directives that write tables of the documentation from what is in the package.

``.. flag-tables::``
    One table for each flag set of the registry.
``.. vocabulary::``
    The columns that the library takes and gives.
``.. published-data::``
    The data files of published numbers, with their references.
``.. archive-services::``, ``.. archive-names::``, ``.. archive-queries::``, ``.. archive-errors::``
    The services with names, what they call the same things, the queries, and the errors of services.
``.. reference-catalogs::``
    What labels are compared with, and what is not confirmed of it.
``.. releases::``
    What is declared of each data release.
``.. extras::``
    The optional parts of the package, with the comments that stand above them in ``pyproject.toml``.
``.. color-sets::``
    The sets of colors that ship with the package.
``.. performance:: [FILES]``
    What was measured of the shipped weights, every ``weights/*.json``, or of other files, in the folder of data of the
    package and in the folder ``measured`` here, where measurements are that nothing but the documentation reads.

A JSON file of measurements holds the description of what was measured as plain entries, and under ``measured`` a
dictionary of dictionaries: model, group of stars, label, quantity.
"""

import json
import re
from importlib import resources
from pathlib import Path

from astropy.table import Table
from sphinx.util.docutils import SphinxDirective

DATA = Path(str(resources.files("stellarlabels"))) / "data"
MEASURED = Path(__file__).parents[1] / "measured"


def plain(text):
    """Text without meaning to reStructuredText."""
    return "".join(f"\\{letter}" if letter in r"\*`_|<>" else letter for letter in str(text))


def literal(text):
    """Text as a literal; nothing for nothing."""
    return f"``{text}``" if str(text) else ""


def list_table(header, rows, widths="auto"):
    """Lines of a list-table."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", "   :class: generated", ""]
    for row in (header, *rows):
        lines += [f"   {'* -' if index == 0 else '  -'} {cell}".rstrip() for index, cell in enumerate(row)]
    return [*lines, ""]


def heading(text, line="-"):
    """Lines of a section's title."""
    return [text, line * len(text), ""]


def column_table(schema):
    """Lines of a table of the columns of a schema."""
    rows = []
    for item in schema:
        shape = f"{item.dtype} ({', '.join(map(str, item.shape))})" if item.shape else item.dtype
        names = "; also " + ", ".join(map(literal, item.aliases)) if item.aliases else ""
        rows.append((literal(item.name), plain(item.unit), shape, literal(item.ucd), plain(item.description) + names))
    return list_table(("Name", "Unit", "Type", "UCD", "Description"), rows, "20 12 12 20 36")


class Generated(SphinxDirective):
    """Base of the directives: reStructuredText from the package, parsed in place."""

    has_content = False

    def lines(self):
        """Lines of reStructuredText."""
        raise NotImplementedError

    def run(self):
        """Parse the lines; sections are allowed."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)


class FlagTables(Generated):
    """The registry of flags."""

    def lines(self):
        """One section for each flag set."""
        from stellarlabels import flags

        out = []
        for name in flags.names():
            flag_set = flags.get(name)
            rows = [(flag.bit, flag.value, literal(flag.name), flag.level, plain(flag.meaning)) for flag in flag_set]
            out += [*heading(name), plain(flag_set.description), ""]
            out += list_table(("Bit", "Value", "Name", "Level", "Meaning"), rows, "7 11 28 10 44")
        return out


class Vocabulary(Generated):
    """The columns that the library takes and gives."""

    def lines(self):
        """One table."""
        from stellarlabels.columns import vocabulary

        self.env.note_dependency(str(DATA / "vocabulary.ecsv"))
        return column_table(vocabulary())


class PublishedData(Generated):
    """Data files with published numbers."""

    def lines(self):
        """One table of files."""
        rows = []
        for path in sorted(DATA.rglob("*.ecsv")):
            table = Table.read(path, format="ascii.ecsv")
            meta = table.meta
            references = references_of(table)
            if not references:
                continue
            self.env.note_dependency(str(path))
            reference = plain("; ".join(references))
            if meta.get("bibcode"):
                reference += f" (`{meta['bibcode']} <https://ui.adsabs.harvard.edu/abs/{meta['bibcode']}>`__)"
            rows.append((literal(path.relative_to(DATA)), plain(meta.get("description", "")), reference))
        return list_table(("File", "Content", "Reference"), rows, "25 40 35")


class ColorSets(Generated):
    """Sets of colors."""

    def lines(self):
        """One table."""
        from stellarlabels.inputs.colors import available, color_set

        rows = []
        for name, description in available().items():
            chosen = color_set(name)
            self.env.note_dependency(str(DATA / "colors" / f"{name}.ecsv"))
            rows.append((literal(name), plain(description), plain(", ".join(chosen.colors)), plain(chosen.reference)))
        return list_table(("Name", "Content", "Colors", "Reference"), rows, "12 28 35 25")


class Extras(Generated):
    """The optional parts of the package."""

    def lines(self):
        """One table."""
        path = MEASURED.parents[1] / "pyproject.toml"
        self.env.note_dependency(str(path))
        text = path.read_text(encoding="utf-8").split("[project.optional-dependencies]\n", 1)[1].split("\n[", 1)[0]
        found = re.findall(r"^((?:# .*\n)+)(\w+) = \[\n(.*?)^\]", text, flags=re.MULTILINE | re.DOTALL)
        rows = []
        for comment, name, needs in found:
            packages = re.findall(r'"([\w.-]+)', needs)
            purpose = " ".join(re.sub("^# ", "", comment, flags=re.MULTILINE).split())
            rows.append((literal(name), plain(purpose), ", ".join(packages)))
        return list_table(("Part", "For", "Brings"), rows, "15 45 40")


class Releases(Generated):
    """Data releases and what is known of each."""

    def lines(self):
        """A section with a table for each release."""
        from stellarlabels import releases

        out = []
        for name in releases.available():
            self.env.note_dependency(str(DATA / "releases" / f"{name.lower().replace(' ', '_')}.toml"))
            rows = [
                (literal(key), plain(fact.value), "yes" if fact.confirmed else "no", plain(fact.source))
                for key, fact in releases.get(name).facts.items()
            ]
            out += [
                f".. rubric:: {name}",
                "",
                *list_table(("Fact", "Value", "Confirmed", "Source"), rows, "18 37 10 35"),
            ]
        return out


class Performance(Generated):
    """Measurements of the shipped weights, or other files of the same form."""

    optional_arguments = 1

    def lines(self):
        """One section for each JSON file: how it was measured, and a table for each model in it, the first one open."""
        pattern = self.arguments[0] if self.arguments else "weights/*.json"
        files = sorted([*DATA.glob(pattern), *MEASURED.glob(pattern)], key=lambda path: path.stem)
        files = [path for path in files if not path.stem.endswith("-domain")]  # see where_labels_hold
        out = []
        for path in files:
            self.env.note_dependency(str(path))
            content = json.loads(path.read_text(encoding="utf-8"))
            measured = content.pop("measured", {}) | self.comparisons(content)
            out += heading(path.stem.partition("-")[2] or path.stem.replace("_", " ")) if len(files) > 1 else []
            out += dropdown("How it was measured", [f":{plain(key)}: {plain(text)}" for key, text in flatten(content)])
            for number, (model, groups) in enumerate(measured.items()):
                out += dropdown(model, self.table(groups), is_open=number == 0)
        return out

    @staticmethod
    def comparisons(content):
        """What else was measured by label, taken out of the content; of noisy spectra, those of all noise together."""
        out = {}
        for title in [key for key in content if key.startswith("scatter beside")]:
            out[title.replace("beside", "compared with")] = {"all": content.pop(title)}
        for label, kinds in content.pop("after noise", {}).items():
            for kind, groups in kinds.items():
                for group, entry in groups.items():
                    if not group.startswith("noise"):
                        entry = entry if isinstance(entry, dict) else {"share": entry}
                        out.setdefault(f"after noise, {kind}", {}).setdefault(group, {})[label] = entry
        return out

    @staticmethod
    def table(groups):
        """Lines of the table of one model: a row for each group and label."""
        entries = [(group, label, entry) for group, labels in groups.items() for label, entry in labels.items()]
        quantities = list(dict.fromkeys(key for *_, entry in entries for key in entry))
        rows = [
            (plain(group), plain(with_unit(label)), *(measure(entry.get(key, ""), key, label) for key in quantities))
            for group, label, entry in entries
        ]
        return list_table(("Stars", "Label", *(key.replace("_", " ") for key in quantities)), rows)


#: Quantities that are in the unit of the label.
IN_UNITS = {"median_bias", "bias", "robust_scatter", "scatter", "rmse", "median_error", "value", "error", "difference"}


def with_unit(label):
    """A label with its unit, such as "Teff (K)"; names of other things as they are."""
    from stellarlabels.plots import plain as named, unit

    return f"{named(label)} ({unit(label)})" if unit(label) else str(label)


def measure(value, key, label):
    """A measured number with the digits that matter: whole kelvins, three decimals of other labels, counts in full."""
    if not isinstance(value, int | float):
        return plain(value)
    if float(value).is_integer() and abs(value) >= 1 or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if key in IN_UNITS and "(K)" in with_unit(label) else f"{value:.3f}"


def dropdown(title, lines, *, is_open=False):
    """Lines that can be folded away."""
    return [f".. dropdown:: {plain(title)}", *(["   :open:"] if is_open else []), "", *(f"   {x}" for x in lines), ""]


class ArchiveServices(Generated):
    """The services that have names."""

    def lines(self):
        """One table."""
        from stellarlabels.archive import services

        self.env.note_dependency(str(DATA / "archive" / "services.ecsv"))
        found = map(services.get, services.available())
        rows = [(literal(item.name), plain(item.title), literal(item.url), plain(item.notes)) for item in found]
        return list_table(("Name", "Service", "Address", "Note"), rows, "12 22 36 30")


class ArchiveNames(Generated):
    """What the services call the same tables and columns."""

    def lines(self):
        """One table."""
        from stellarlabels.archive import services

        self.env.note_dependency(str(DATA / "archive" / "names.ecsv"))
        rows = []
        for service in map(services.get, services.available()):
            for catalog in service.catalogs.values():
                columns = (
                    f"*{plain(column)}*" if column in catalog.unconfirmed else literal(column)
                    for column in catalog.columns.values()
                )
                rows.append((literal(catalog.name), literal(service.name), literal(catalog.table), ", ".join(columns)))
        return list_table(("Catalog", "Service", "Table", "Columns"), sorted(rows), "12 12 26 50")


class ReferenceCatalogs(Generated):
    """The catalogs that labels are compared with, and what is not confirmed of them."""

    def lines(self):
        """One table."""
        from stellarlabels.validation import references

        self.env.note_dependency(str(DATA / "validation" / "references.toml"))
        found = map(references.get, references.names())
        rows = [(literal(one.name), plain(one.title), plain(one.source), plain(" ".join(one.notes))) for one in found]
        return list_table(("Name", "Catalog", "Source", "What to know"), rows, "15 25 25 35")


class ArchiveQueries(Generated):
    """The queries that ship with the package."""

    def lines(self):
        """One table."""
        from stellarlabels.archive import queries

        rows = []
        for query in map(queries.get, queries.available()):
            places = ", ".join(map(literal, query.services))
            values = ", ".join(map(literal, query.parameters))
            rows.append((literal(query.name), plain(query.title), places, values))
        return list_table(("Query", "Stars", "Services", "Parameters"), rows, "24 36 12 28")


class ArchiveErrors(Generated):
    """The errors of services."""

    def lines(self):
        """One table, from the classes themselves."""
        from stellarlabels import exceptions
        from stellarlabels.archive.tap.service import TRANSIENT

        kinds = [getattr(exceptions, name) for name in exceptions.__all__]
        kinds = [kind for kind in kinds if issubclass(kind, exceptions.ServiceError)]
        rows = []
        for kind in kinds:
            meaning = plain(" ".join(kind.__doc__.partition("\n\n")[0].split()))
            again = "yes" if issubclass(kind, TRANSIENT) else ""
            rows.append((f"`~stellarlabels.exceptions.{kind.__name__}`", meaning, again))
        return list_table(("Error", "Meaning", "Tried again"), rows, "30 58 12")


def references_of(table):
    """References of a data file: one for the file, one for each of its parts, or one for each row."""
    found = table.meta.get("reference", table.columns.get("reference", ()))
    if isinstance(found, dict):
        return [f"{part}: {reference}" for part, reference in found.items()]
    return [found] if isinstance(found, str) else list(dict.fromkeys(found))


def flatten(content, prefix=""):
    """Key and value of each plain entry of nested dictionaries; lists become text."""
    for key, value in content.items():
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from flatten(value, f"{name}, ")
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else value


def setup(app):
    """Register the directives."""
    app.add_directive("flag-tables", FlagTables)
    app.add_directive("vocabulary", Vocabulary)
    app.add_directive("published-data", PublishedData)
    app.add_directive("extras", Extras)
    app.add_directive("color-sets", ColorSets)
    app.add_directive("releases", Releases)
    app.add_directive("performance", Performance)
    app.add_directive("archive-services", ArchiveServices)
    app.add_directive("archive-names", ArchiveNames)
    app.add_directive("archive-queries", ArchiveQueries)
    app.add_directive("reference-catalogs", ReferenceCatalogs)
    app.add_directive("archive-errors", ArchiveErrors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
