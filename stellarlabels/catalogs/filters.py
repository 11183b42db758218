"""Filter expressions for the catalogs: what to type into TOPCAT, or after WHERE in a query, to keep good rows.

They are made from what is declared: the flag columns of a schema and their sets of flags, and the cuts of the paper.
TOPCAT's expressions are those of all STILTS commands (``cmd='select "..."'``). The others are ADQL 2.0, which has
neither operators on bits nor arrays: a bit is found by integer division, and a cell of several values has no filter.
"""

from astropy.table import QTable

from stellarlabels import flags
from stellarlabels.catalogs import schemas
from stellarlabels.tables import quality

__all__ = ["of_flags", "of_samples"]

#: By language: and, equals, absolute value.
_WORDS = {"topcat": (" && ", "==", "abs"), "adql": (" AND ", "=", "ABS")}


def of_flags(schema):
    """Filters for the flag columns of a catalog.

    Parameters
    ----------
    schema : str or `~stellarlabels.columns.Schema`

    Returns
    -------
    `~astropy.table.QTable`
        For each flag column a row for the good ones, and a row for each flag that keeps what does not have it. Columns
        ``column``, ``keeps`` (``good`` or ``not`` and the name of the flag), ``meaning``, ``topcat``, and ``adql``,
        which is empty where ADQL has no way.
    """
    rows = []
    for column in schemas.get(schema):
        if not column.flags:
            continue
        found = flags.get(column.flags)
        rows.append((column.name, "good", found.describe(found.good), *_good(column, found)))
        if len(found) > 1:
            rows += [(column.name, f"not {flag.name}", flag.meaning, *_without(column, found, flag)) for flag in found]
    names = ["column", "keeps", "meaning", "topcat", "adql"]
    return QTable(rows=rows, names=names) if rows else QTable(names=names, dtype=["U1"] * len(names))


def of_samples(schema):
    """Filters for the samples that the paper of a catalog recommends.

    Parameters
    ----------
    schema : str or `~stellarlabels.columns.Schema`
        Its ``notes["samples"]`` name the selections of `stellarlabels.tables.quality`, and ``notes["expressions"]``
        say how quantities that are not in the catalog follow from those that are.

    Returns
    -------
    `~astropy.table.QTable`
        For each cut of a sample, columns ``sample``, ``keeps`` (what passes), ``source``, ``topcat`` and ``adql``. Cuts
        in quantities that the catalog does not have are left out.
    """
    declared = schemas.get(schema)
    lines = quality.published(declared.name) if declared.notes.get("samples") else []
    cuts = {name: [line for line in lines if line["cut"] == name] for name in dict.fromkeys(x["cut"] for x in lines)}
    rows = []
    for sample in declared.notes.get("samples", ()):
        for conditions in cuts.values():
            if sample not in conditions[0]["selections"].split():
                continue
            texts = [_joined(conditions, cuts, declared, language) for language in _WORDS]
            if texts[0]:
                own = conditions[0]
                rows.append((sample, own["description"], own["source"], *(text or "" for text in texts)))
    names = ["sample", "keeps", "source", "topcat", "adql"]
    return QTable(rows=rows, names=names) if rows else QTable(names=names, dtype=["U1"] * len(names))


def _good(column, found):
    """What keeps good rows, in both languages."""
    if column.shape:
        return f"minimum({column.name}) == {found.good} && maximum({column.name}) == {found.good}", ""
    return tuple(found.filter(column.name, language=language) for language in _WORDS)


def _without(column, found, flag):
    """What keeps rows without a flag, in both languages."""
    if column.shape:
        bits = " | ".join(f"{column.name}[{place}]" for place in range(column.shape[0]))
        return f"(({bits}) & {flag.value}) == 0", ""
    return tuple(found.filter(column.name, language=language, without=flag.name) for language in _WORDS)


def _joined(conditions, cuts, declared, language):
    """The conditions of a cut in a language; None if it has no words for one of them."""
    parts = [_condition(line, cuts, declared, language) for line in conditions]
    return None if None in parts else _WORDS[language][0].join(parts)


def _condition(line, cuts, declared, language):
    _, equals, absolute = _WORDS[language]
    if line["operator"] in ("passes", "fails"):
        inner = _joined(cuts[line["quantity"]], cuts, declared, language)
        negation = {"topcat": "!", "adql": "NOT "}[language] if line["operator"] == "fails" else ""
        return inner and f"{negation}({inner})"
    name, bars = line["quantity"].strip("|"), line["quantity"].startswith("|")
    value = _quantity(name, declared, language)
    limit = _limit(line, declared, language)
    if value is None or limit is None or line["operator"] not in ("<", "<=", ">", ">=", "="):
        return None
    operator = equals if line["operator"] == "=" else line["operator"]
    if name in declared and declared[name].shape:
        if language == "adql":
            return None
        extremes = ("minimum", "maximum") if operator == equals else ("maximum",) if "<" in operator else ("minimum",)
        return " && ".join(f"{extreme}({value}) {operator} {limit}" for extreme in extremes)
    return f"{f'{absolute}({value})' if bars else value} {operator} {limit}"


def _quantity(name, declared, language):
    """How a quantity of the vocabulary is written with the columns of the catalog."""
    if name in declared:
        return declared[name].name
    return declared.notes.get("expressions", {}).get(name, {}).get(language)


def _limit(line, declared, language):
    """A number, or a polynomial of another quantity."""
    numbers = line["limit"].split()
    if not line["of"]:
        return numbers[0] if len(numbers) == 1 else None
    of = _quantity(line["of"], declared, language)
    if of is None:
        return None
    terms = [" * ".join([number, *[of] * power]) for power, number in enumerate(numbers) if float(number)]
    return " + ".join(terms).replace("+ -", "- ")
