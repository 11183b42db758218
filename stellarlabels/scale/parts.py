"""What a long run has done so far: a folder of finished parts and a manifest of what they were made from."""

import json
import shutil
from pathlib import Path

from stellarlabels import __version__, files
from stellarlabels.exceptions import InputError, ReadError

__all__ = ["Parts"]

_MANIFEST = "manifest.json"
#: Names of the entries of a manifest, and how a message speaks of them.
_WORDS = {
    "input": "the input",
    "system": "the system",
    "options": "what is wanted of it",
    "rows": "the number of rows of a part",
    "stellarlabels": "the version of the library",
}


class Parts:
    """A folder beside the result, in which the parts of a run wait until all are there.

    Parameters
    ----------
    target : path-like
        Of the result; the folder has this name with ``.parts`` at the end.
    made_from : dict
        Entries "input", "system", "options" and "rows", of what JSON can hold.
    restart : bool
        Whether parts that are there are thrown away.

    Raises
    ------
    InputError
        If there are parts that were made from something else; the message says what differs.
    ReadError
        If there is such a folder, but no manifest in it.
    """

    def __init__(self, target, made_from, *, restart=False):
        target = Path(target)
        self.folder = target.with_name(f"{target.name}.parts")
        self.manifest = json.loads(json.dumps({**made_from, "stellarlabels": __version__}))
        if restart:
            self.remove()
        if self.folder.is_dir() and any(self.folder.iterdir()):
            self._check()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with files.replacing(self.folder / _MANIFEST) as stream:
            stream.write((json.dumps(self.manifest, indent=1) + "\n").encode())

    def _check(self):
        """Refuse parts of another run."""
        again = "remove it, or begin again with restart=True (--restart)"
        try:
            found = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReadError(f"target: {self.folder} is there but has no manifest ({error}); {again}") from error
        differing = [_WORDS[key] for key in _WORDS if found.get(key) != self.manifest.get(key)]
        if differing:
            raise InputError(
                f"target: {self.folder} holds parts of another run: {', '.join(differing)} changed since; {again}"
            )

    def path(self, key, *, failed=False):
        """Where a part is, or will be.

        Parameters
        ----------
        key : tuple of int
            Number of the file and of the part in it.
        failed : bool
            Whether its labels could not be computed, so that another run is to try again.
        """
        return self.folder / f"{'failed-' if failed else ''}{key[0]:06d}-{key[1]:06d}.parquet"

    def done(self, *, failed=False):
        """The parts that are there.

        Parameters
        ----------
        failed : bool
            Whether those whose labels could not be computed are among them.

        Returns
        -------
        dict of tuple of int to `~pathlib.Path`
            In the order of the rows.
        """
        patterns = ["failed-[0-9]*-[0-9]*.parquet"] * failed + ["[0-9]*-[0-9]*.parquet"]
        found = [path for pattern in patterns for path in self.folder.glob(pattern)]
        parts = {tuple(int(word) for word in path.stem.split("-")[-2:]): path for path in found}
        return dict(sorted(parts.items()))

    def remove(self):
        """Throw everything away."""
        shutil.rmtree(self.folder, ignore_errors=True)
