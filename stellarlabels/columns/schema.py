"""A schema: an ordered list of columns with a name and a source."""

import numpy as np
from astropy.io.ascii import InconsistentTableError
from astropy.table import Table

from stellarlabels.columns.column import Column, absence, column_name, in_unit, without_unit
from stellarlabels.columns.star_table import StarTable
from stellarlabels.exceptions import ColumnUnitError, InputError, MissingColumnError, ReadError


class Schema:
    """An ordered list of columns with a name and a source.

    Parameters
    ----------
    name : str
    columns : iterable of `Column`
    description, reference : str
    notes : dict, optional
        Anything else worth keeping, such as corrections to a published table.

    Raises
    ------
    InputError
        If a name or alias is used twice.
    """

    def __init__(self, name, columns, description="", reference="", notes=None):
        self.name = name
        self.columns = ()
        self.description = description
        self.reference = reference
        self.notes = dict(notes or {})
        self._index = {}
        for item in columns:
            self.add(item)

    def add(self, item):
        """Append a column; one that is there already, exactly so, is left as it is.

        Parameters
        ----------
        item : `Column`

        Raises
        ------
        InputError
            If a name or alias is that of another column.
        """
        if item in self.columns:
            return
        taken = [key for key in item.names if key.lower() in self._index]
        if taken:
            raise InputError(f"schema {self.name!r}: the name {taken[0]!r} belongs to two columns")
        self.columns += (item,)
        self._index.update((key.lower(), item) for key in item.names)

    @classmethod
    def read(cls, path):
        """Read a schema from an ECSV file.

        Parameters
        ----------
        path : path-like
            The file has the columns name, unit, dtype, ucd, description and, where needed, aliases (blank-separated),
            shape (blank-separated integers), format, and those of a published catalog: canonical, paper_name,
            file_name, null (blank-separated), low, high, flag, source, optional ("yes"). Name, description and
            reference of the schema itself are in the file's metadata; whatever else is there becomes ``notes``.

        Raises
        ------
        ReadError
            If the file is missing or is not such a file.
        """
        try:
            table = Table.read(path, format="ascii.ecsv")
            meta = dict(table.meta)
            name, names = meta.pop("name"), list(table["name"])
        except (OSError, KeyError, ValueError, InconsistentTableError) as error:
            raise ReadError(f"{path}: expected an ECSV file of a schema; {type(error).__name__}: {error}") from error

        def text(row, key):
            if key not in table.colnames or np.ma.is_masked(row[key]):
                return ""
            return str(row[key]).strip()

        columns = [
            Column(
                name=str(key),
                unit=text(row, "unit"),
                dtype=text(row, "dtype") or "float64",
                ucd=text(row, "ucd"),
                description=text(row, "description"),
                aliases=tuple(text(row, "aliases").split()),
                shape=tuple(int(n) for n in text(row, "shape").split()),
                format=text(row, "format"),
                canonical=text(row, "canonical"),
                paper_name=text(row, "paper_name"),
                file_name=text(row, "file_name"),
                nulls=tuple(text(row, "null").split()),
                low=float(text(row, "low") or "-inf"),
                high=float(text(row, "high") or "inf"),
                flags=text(row, "flag"),
                source=text(row, "source"),
                optional=text(row, "optional") == "yes",
            )
            for key, row in zip(names, table, strict=True)
        ]
        return cls(name, columns, meta.pop("description", ""), meta.pop("reference", ""), notes=meta)

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return len(self.columns)

    def __contains__(self, name):
        return str(name).lower() in self._index

    def __getitem__(self, name):
        try:
            return self._index[str(name).lower()]
        except KeyError:
            raise MissingColumnError(f"schema {self.name!r} has no column {name!r}") from None

    def __repr__(self):
        return f"<Schema {self.name!r}: {len(self)} columns>"

    @property
    def names(self):
        """Canonical names, in order."""
        return [item.name for item in self.columns]

    def empty(self, length=0):
        """A `~astropy.table.QTable` of ``length`` rows with every column of the schema, all values masked."""
        out = StarTable(meta={"schema": self.name})
        for item in self.columns:
            shape = (length, *item.shape)
            dtype = "U1" if item.is_text else item.dtype
            out[item.name] = item.dress(np.ma.masked_all(shape, dtype=dtype))
        return out

    def validate(self, table):
        """What keeps a table from conforming to the schema.

        Parameters
        ----------
        table : `~astropy.table.Table`

        Returns
        -------
        list of str
            One sentence for each missing column, unit that cannot be converted, text where numbers are declared, and
            wrong cell shape; empty if the table conforms.
        """
        problems = []
        for item in self.columns:
            name = column_name(table, item)
            if name is None and item.optional:
                continue
            if name is None:
                problems.append(f"column {item.name!r} is missing (known names: {', '.join(item.names)})")
                continue
            data = table[name]
            if data.shape[1:] != item.shape:
                problems.append(f"column {name!r} has cells of shape {data.shape[1:]}, expected {item.shape}")
            if without_unit(data[:0]).dtype.kind in "SU" and not item.is_text:
                problems.append(f"column {name!r} holds text, expected numbers")
            try:
                in_unit(data[:0], item, name, warn=False)
            except ColumnUnitError as error:
                problems.append(str(error))
        return problems

    def conform(self, table, *, missing="mask", unknown="leave"):
        """The table in the schema's names, order, units and dtypes.

        Parameters
        ----------
        table : `~astropy.table.Table`
            Columns are found by canonical name or alias, in any case of letters.
        missing : {"mask", "error"}
            What to do about columns that are not there.
        unknown : {"leave", "keep"}
            Whether columns that the schema does not know are left out or follow the others as they are.

        Returns
        -------
        `~astropy.table.QTable`
            Same rows, same order. Optional columns that are not there are left out. Columns that the schema does not
            know are listed in ``meta["left_out"]`` or ``meta["unknown_columns"]``, others that are not there in
            ``meta["missing_columns"]``.

        Raises
        ------
        MissingColumnError
            With ``missing="error"``, naming the column.
        ColumnUnitError
            If a unit does not convert.
        InputError
            If a column holds something else than declared; see `Column.dress`.
        """
        for argument, value, choices in (
            ("missing", missing, ("mask", "error")),
            ("unknown", unknown, ("leave", "keep")),
        ):
            if value not in choices:
                raise InputError(f"{argument}: expected one of {choices}, got {value!r}")
        out = StarTable(meta={**table.meta, "schema": self.name})
        used, absent = set(), []
        for item in self.columns:
            name = column_name(table, item)
            if name is None and item.optional:
                continue
            if name is None:
                if missing == "error":
                    raise MissingColumnError(absence(item, table))
                absent.append(item.name)
                dtype = "U1" if item.is_text else item.dtype
                out[item.name] = item.dress(np.ma.masked_all((len(table), *item.shape), dtype=dtype))
                continue
            used.add(name)
            out[item.name] = item.dress(in_unit(table[name], item, name))
        others = [name for name in table.colnames if name not in used]
        if unknown == "keep":
            for name in others:
                out[name] = table[name]
        reports = {"unknown_columns" if unknown == "keep" else "left_out": others, "missing_columns": absent}
        out.meta.update({key: names for key, names in reports.items() if names})
        return out
