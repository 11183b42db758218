"""Directives for the pages of the published catalogs, made from the schemas, the flags and the cuts in the package.

``.. catalog-columns:: SCHEMA``
    The columns: name, unit, type, UCD, description, other names, nulls, source.
``.. catalog-flags:: SCHEMA [COLUMN]``
    For each set of flags, what it means and the filters. For a catalog without flags, those of a column of predictions.
``.. catalog-samples:: SCHEMA``
    The samples that the paper recommends, with filters.
``.. catalog-notes:: SCHEMA``
    What is wrong in the published description, and what else to know.
"""

from generated import Generated, list_table, literal, plain


class CatalogDirective(Generated):
    """Base of the directives; the first argument is the name of a schema."""

    required_arguments = 1
    optional_arguments = 1

    @property
    def schema(self):
        """The schema."""
        from stellarlabels.catalogs import schemas

        return schemas.get(self.arguments[0])


class Columns(CatalogDirective):
    """The columns of a catalog."""

    def lines(self):
        """One table."""
        rows = []
        for item in self.schema:
            shape = f"{item.dtype} ({', '.join(map(str, item.shape))})" if item.shape else item.dtype
            names = [
                f"{text} {literal(name)}"
                for text, name in (("paper", item.paper_name), ("file", item.file_name), ("here", item.canonical))
                if name and name != item.name
            ]
            missing = ", ".join(map(literal, item.nulls))
            rows.append(
                (
                    literal(item.name),
                    plain(item.unit),
                    shape,
                    literal(item.ucd),
                    plain(item.description),
                    "; ".join(names),
                    missing,
                    plain(item.source),
                )
            )
        header = ("Name", "Unit", "Type", "UCD", "Description", "Other names", "Nulls", "Source")
        return list_table(header, rows, "12 8 8 16 28 12 8 8")


class Flags(CatalogDirective):
    """The flags of a catalog."""

    def lines(self):
        """One table for each set of flags, in the first column that has it."""
        from stellarlabels import flags
        from stellarlabels.catalogs import filters
        from stellarlabels.columns import Column, Schema

        schema = self.schema
        if len(self.arguments) > 1:
            schema = Schema("predictions", [Column(self.arguments[1], flags=schema.name)])
        found, out = filters.of_flags(schema), []
        for kind in dict.fromkeys(item.flags for item in schema if item.flags):
            columns = [item.name for item in schema if item.flags == kind]
            out += [plain(flags.get(kind).description) + ".", ""]
            if len(columns) > 1:
                out += [f"In the same way: {', '.join(map(literal, columns[1:]))}.", ""]
            rows = [
                (plain(row["keeps"]), plain(row["meaning"]), literal(row["topcat"]), literal(row["adql"]) or "none")
                for row in found
                if row["column"] == columns[0]
            ]
            out += list_table(("Keeps", "Meaning", "TOPCAT", "ADQL"), rows, "16 34 28 22")
        return out


class Samples(CatalogDirective):
    """The samples of the paper."""

    def lines(self):
        """One table."""
        from stellarlabels.catalogs import filters

        rows = [
            (
                plain(row["sample"]),
                plain(row["keeps"]),
                literal(row["topcat"]),
                literal(row["adql"]) or "none",
                plain(row["source"]),
            )
            for row in filters.of_samples(self.schema)
        ]
        return list_table(("Sample", "Keeps", "TOPCAT", "ADQL", "Source"), rows, "10 24 28 26 12")


class Notes(CatalogDirective):
    """Corrections and comments."""

    def lines(self):
        """Two lists."""
        out = []
        for title, key in (("Good to know", "comments"), ("Corrections of the published description", "corrections")):
            out += [f".. rubric:: {title}", "", *(f"- {plain(text)}" for text in self.schema.notes.get(key, ())), ""]
        return out


def setup(app):
    """Register the directives."""
    app.add_directive("catalog-columns", Columns)
    app.add_directive("catalog-flags", Flags)
    app.add_directive("catalog-samples", Samples)
    app.add_directive("catalog-notes", Notes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
