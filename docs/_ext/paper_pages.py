"""``.. paper-items:: SYSTEM``: each thing that a paper does, where it is here, the tests, and what differs.

The rows are in ``docs/papers/<system>.ecsv``. Its ``here`` are dotted names and files of the project, its ``tests`` are
named as pytest names them; ``tests/test_paper_pages.py`` holds that all of them exist.
"""

from pathlib import Path

from astropy.table import Table
from generated import Generated, list_table, literal, plain

FOLDER = Path(__file__).parents[1] / "papers"
#: What the words for the state of a row mean.
STATES = {
    "same": "as in the paper",
    "differs": "otherwise",
    "part": "in part",
    "absent": "not here",
    "beyond": "not in the paper",
}


class PaperItems(Generated):
    """The items of a paper as a table, and how many are as in the paper."""

    required_arguments = 1

    def lines(self):
        """A sentence with the counts, and the table."""
        path = FOLDER / f"{self.arguments[0]}.ecsv"
        self.env.note_dependency(str(path))
        table = Table.read(path, format="ascii.ecsv")
        counts = [(word, int((table["state"] == key).sum())) for key, word in STATES.items()]
        total = ", ".join(f"{count} {word}" for word, count in counts if count)
        rows = []
        for row in table:
            places = [literal(name) for key in ("here", "tests") for name in str(row[key]).split()]
            notes = plain(row["note"]) or ("" if row["state"] == "same" else STATES[row["state"]])
            rows.append((plain(row["item"]), plain(row["section"]), STATES[row["state"]], " ".join(places), notes))
        header = ("What", "Where in the paper", "Here", "Places and tests", "Remarks")
        return [f"{len(table)} items: {total}.", "", *list_table(header, rows, "22 10 9 29 30")]


def setup(app):
    """Register the directive."""
    app.add_directive("paper-items", PaperItems)
