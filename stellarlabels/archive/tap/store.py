"""Finished chunks of a long run, on disk: a folder for each query, a file for each piece of the input."""

import hashlib
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

from stellarlabels.exceptions import InputError
from stellarlabels.files import replacing

__all__ = ["Store", "default_folder"]

_log = logging.getLogger(__name__)


def default_folder():
    """Where chunks are kept if the user names no folder: in the user's cache of astropy.

    Returns
    -------
    `~pathlib.Path`
    """
    from astropy.config import get_cache_dir

    return Path(get_cache_dir("stellarlabels")) / "tap"


class Store:
    """The replies that a query has had so far.

    Parameters
    ----------
    folder : path-like
        Of all queries.
    url, adql : str
        Service and query.
    maxrec : int, optional

    Raises
    ------
    InputError
        If the folder cannot be made.
    """

    def __init__(self, folder, url, adql, maxrec=None):
        about = {"url": url, "maxrec": maxrec, "adql": adql}
        key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = Path(folder) / key
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"store: the folder {self.folder} cannot be made: {error.strerror or error}") from error
        with replacing(self.folder / "query.json", overwrite=True) as stream:
            stream.write(json.dumps(about, indent=1).encode())

    def get(self, key):
        """The reply for a piece of the input.

        Parameters
        ----------
        key : str

        Returns
        -------
        content : bytes or None
        time : str
            When it came, UTC.
        """
        path = self._path(key)
        try:
            return path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        except FileNotFoundError:
            return None, ""

    def put(self, key, content):
        """Keep a reply.

        Parameters
        ----------
        key : str
        content : bytes
        """
        with replacing(self._path(key), overwrite=True) as stream:
            stream.write(content)

    def split(self, key):
        """Remember that a piece was too large for one request.

        Parameters
        ----------
        key : str
        """
        self._path(key, ".split").touch()

    def is_split(self, key):
        """Whether a piece was too large for one request.

        Parameters
        ----------
        key : str

        Returns
        -------
        bool
        """
        return self._path(key, ".split").exists()

    def remove(self):
        """Remove all that is kept of this query."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key, suffix=".vot"):
        return self.folder / f"{key}{suffix}"
