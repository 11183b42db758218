"""``.. reliability:: PART``: what was tried and survived, as ``tools/reliability.py`` wrote it.

Parts are "killed", "full disk", "two at once" (a row for each kind of run) and "files" (damaged and hostile ones).
"""

import json

from generated import MEASURED, Generated, list_table, plain

#: Kinds of runs in the file, and what the page calls them.
RUNS = {
    "label": "``label``: a file in parts",
    "query": "``query``: a table sent to an archive in pieces",
    "write": "``catalogs.write``: FITS, VOTable and Parquet over older files",
    "dask": "``label`` on a Dask cluster of two workers within the run",
}
#: By part: the entries of a kind of run, and their titles.
ENTRIES = {
    "killed": {
        "kills": "Kills",
        "runs": "Complete runs",
        "same": "with the same result",
        "half files": "Half files",
        "left behind": "Left behind",
    },
    "full disk": {"limits": "Full disks", "told": "told", "half files": "Half files", "same": "same result afterwards"},
    "two at once": {"pairs": "Pairs", "same": "with the same result", "told": "Runs that were told"},
}
#: Damaged and hostile files: what they are, and the entries for their number and for those that were read or refused.
FILES = {
    "mutated": ("Damaged and unusual files of all formats", "files"),
    "parameters": ("Hostile values of parameters of queries", "values"),
    "models": ("Model files that ask for what they do not hold", "descriptions"),
    "bombs": ("Packed files of a few megabytes that unpack to gigabytes", "files"),
}


class Reliability(Generated):
    """A table of one part."""

    required_arguments = 1
    final_argument_whitespace = True

    def lines(self):
        """What was counted."""
        path, part = MEASURED / "reliability.json", self.arguments[0]
        self.env.note_dependency(str(path))
        found = json.loads(path.read_text(encoding="utf-8"))
        if part == "files":
            rows = [row(found[key], title, number) for key, (title, number) in FILES.items() if key in found]
            header = ("Tried", "Number", "Read, complete", "Refused", "Wrong", "Largest memory beyond the usual (MB)")
            return list_table(header, rows, "40 12 12 12 8 16")
        entries = ENTRIES[part]
        kinds = [kind for kind in RUNS if part in found["runs"].get(kind, {})]
        rows = [(RUNS[kind], *(found["runs"][kind][part][key] for key in entries)) for kind in kinds]
        return list_table(("Run", *entries.values()), rows)


def row(entry, title, number):
    """Cells of one kind of files."""
    memory = entry.get("more memory (MB)", "")
    return (
        title,
        f"{entry[number]:,}",
        f"{entry.get('read', 0):,}",
        f"{entry['refused']:,}",
        len(entry["wrong"]),
        plain(memory),
    )


def setup(app):
    """Register the directive."""
    app.add_directive("reliability", Reliability)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
