"""A client for any TAP service that survives what archives do."""

import logging
import warnings
from datetime import UTC, datetime

import numpy as np
from astropy import units as u

from stellarlabels import columns
from stellarlabels.archive.queries import BoundQuery
from stellarlabels.archive.queries.parameters import identifier
from stellarlabels.archive.tap import payload, replies
from stellarlabels.archive.tap.payload import ROW, Store, default_folder
from stellarlabels.archive.tap.service import Client, text_of
from stellarlabels.columns import Schema, column
from stellarlabels.exceptions import (
    ChunksFailedError,
    IncompleteResultWarning,
    InputError,
    QueryCancelledError,
)
from stellarlabels.runs import alone_in

__all__ = ["TAP", "crossmatch_adql", "separations"]


_NAME = "stars"
#: Names in the result of the coordinates of the service's stars.
PLACE = ("there_ra", "there_dec")


def crossmatch_adql(table, names, radius, *, ra="ra", dec="dec", q3c=False):
    """The query for all pairs; names map those in the result to the service's; ``q3c``: it has Q3C."""
    try:
        degrees = float(u.Quantity(radius).to_value(u.deg))
    except (TypeError, ValueError, u.UnitConversionError) as error:
        raise InputError(f"radius: expected an angle, got {radius!r}") from error
    if not 0 < degrees <= 1:
        raise InputError(f"radius: expected an angle of at most 1 degree, got {radius}")
    identifier(table, "table")
    here = {name: f"b.{identifier(column, 'columns')}" for name, column in names.items()}
    for name in here:
        identifier(name, "columns")
    ra, dec = (f"b.{identifier(name, 'columns')}" for name in (ra, dec))
    selected = "".join(f", {column} AS {name}" for name, column in here.items())
    if q3c:
        near = f"'t' = q3c_join(u.ra, u.dec, {ra}, {dec}, {degrees!r})"
    else:
        # The large table is the point: the service has an index on it.
        near = f"1 = CONTAINS(POINT('ICRS', {ra}, {dec}), CIRCLE('ICRS', u.ra, u.dec, {degrees!r}))"
    place = ", ".join(f"{column} AS {name}" for column, name in zip((ra, dec), PLACE, strict=True))
    return f"SELECT u.{ROW}{selected},\n  {place}\nFROM {table} AS b\nJOIN TAP_UPLOAD.{_NAME} AS u ON {near}"


def separations(out, left):
    """Replace the coordinates that the query of `crossmatch_adql` gave by the separations, in place."""
    # Services compute small separations with errors of a tenth of a milliarcsecond; this is exact.
    from astropy.coordinates import angular_separation

    there = [np.radians(_degrees(out[name])) for name in PLACE]
    here = [np.radians(_degrees(left[name])[np.asarray(out[ROW])]) for name in ("ra", "dec")]
    out.remove_columns(PLACE)
    out["separation"] = columns.column("separation").dress(angular_separation(*here, *there) * u.rad)
    return out


def _degrees(column):
    """Plain numbers."""
    return np.asarray(columns.without_unit(column).data, dtype=float)


_log = logging.getLogger(__name__)

#: Pieces in a row that fail before a run ends.
_GIVE_UP = 3
_MODES = ("sync", "async")


class TAP(Client):
    """A TAP service.

    Nothing is contacted before a query is sent. Faults that pass by themselves (a dropped connection, HTTP 503, a
    reply that is cut off) are met with patience; all others, and a result that is not complete, are errors.

    Parameters
    ----------
    service : str
        A name of the list, ``stellarlabels.archive.services.available()``, or an address that ends in ``/tap`` or the
        like.
    token : str, optional
        Sent as a bearer token, encrypted, to this host and no other. It is neither logged nor shown.
    session : object, optional
        A `pyvo.auth.AuthSession` or `requests.Session` with the user's login, for services with another kind of it.
    timeout : float or tuple of float
        Seconds to wait for the connection, and for each part of a reply.
    retry : `Retry`, optional
        How often and after what time a request is repeated.
    interval : float, optional
        Least time between two requests, seconds; by default that of the list, or 0.2.
    progress : bool, optional
        Whether bars are shown; by default on a terminal.

    Raises
    ------
    InputError
        If an argument is not as described.

    Examples
    --------
    >>> from stellarlabels.archive import TAP
    >>> gaia = TAP("gaia")
    >>> print(gaia.dry_run("SELECT TOP 5 source_id FROM gaiadr3.gaia_source"))
    -- to gaia, https://gea.esac.esa.int/tap-server/tap
    SELECT TOP 5 source_id FROM gaiadr3.gaia_source
    """

    def dry_run(self, query, *, upload=None, maxrec=None, chunk_rows=None):
        """What would be sent. Nothing is contacted.

        Parameters
        ----------
        query, upload, maxrec, chunk_rows
            As for `run_sync` and `run_chunks`.

        Returns
        -------
        str
            The ADQL, after comments that tell the rest; any other client takes it as it is.
        """
        lines = [f"-- to {self.name}" + (f", {self.url}" if self._known else "")]
        if maxrec is not None:
            lines.append(f"-- at most {self._maxrec(maxrec)} rows (MAXREC)")
        if upload is not None:
            name, sent = payload.of_query(query, upload)
            sent = payload.numbered(sent)
            rows = len(sent) if chunk_rows is None else self._size(chunk_rows)
            lines.append(
                f"-- with TAP_UPLOAD.{name}: {', '.join(sent.colnames)}; {len(sent)} rows"
                + (f", {rows} at a time" if rows < len(sent) else "")
            )
        return "\n".join([*lines, text_of(query)])

    def run_sync(self, query, *, upload=None, maxrec=None):
        """Run a query that is answered at once. Services give it a minute or so.

        Parameters
        ----------
        query : BoundQuery or str
            A text is sent as it is.
        upload : `~astropy.table.Table` or dict, optional
            The table that the query reads from ``TAP_UPLOAD``: that which it declares, found by its names in the
            vocabulary; for a text, ``{name: table}``, with all its columns. It gets a further column, ``upload_row``
            (int64), with the number of the row.
        maxrec : int, optional
            Rows that the result may have; by default the most that the service gives.

        Returns
        -------
        `~astropy.table.QTable`
            With the service's units, descriptions, and UCDs (``column.info.meta["ucd"]``); missing values are masked.
            ``meta["tap"]`` tells where it is from.

        Raises
        ------
        TruncatedResultError
            If the result has more rows than the service gives.
        ServiceError
            If anything else fails; see `stellarlabels.exceptions`.
        InputError
            If an argument is not as described.
        """
        return self._run(query, upload, maxrec, "sync")

    def run_async(self, query, *, upload=None, maxrec=None, wait=None):
        """Run a query as a job, for which services allow more time and more rows.

        The job is removed when its result is here, and when the run is interrupted.

        Parameters
        ----------
        query, upload, maxrec
            As for `run_sync`.
        wait : float, optional
            Seconds after which the job is given up.

        Returns
        -------
        `~astropy.table.QTable`
            As from `run_sync`.

        Raises
        ------
        TruncatedResultError
            If the result has more rows than the service gives.
        ServiceTimeoutError
            If the job takes longer than ``wait``.
        ServiceError
            If anything else fails; see `stellarlabels.exceptions`.
        InputError
            If an argument is not as described.
        """
        return self._run(query, upload, maxrec, "async", wait)

    def run_chunks(
        self,
        query,
        table,
        *,
        chunk_rows=None,
        mode="sync",
        maxrec=None,
        wait=None,
        store=None,
        keep=False,
        on_failure="raise",
    ):
        """Run a query on a table of any length, piece by piece.

        A query that selects ``upload_row``, the number of a row of ``table``, gives a result that can be joined:
        ``table[result["upload_row"]]``. Replies are kept on disk as they come. The same call with the same data finds
        them there and asks only for what is missing. Pieces that are too large for the service, or whose results are,
        are cut in two.

        Parameters
        ----------
        query : BoundQuery or str
        table : `~astropy.table.Table` or dict
            As ``upload`` of `run_sync`.
        chunk_rows : int, optional
            Rows of a piece; by default those that suit the service.
        mode : {"sync", "async"}
            How each piece is asked for.
        maxrec : int, optional
            Rows that the result of a piece may have; by default the most that the service gives.
        wait : float, optional
            Seconds after which the job of a piece is given up.
        store : path-like, optional
            Folder for replies; by default one in the user's cache.
        keep : bool
            Whether replies stay on disk when the run is complete.
        on_failure : {"raise", "warn"}
            Whether pieces that fail for good make an error, which has the result of the others, or a warning. After
            three of them in a row the rest is not asked for.

        Returns
        -------
        `~astropy.table.QTable`
            As from `run_sync`, sorted by ``upload_row`` if that is selected. ``meta["tap"]["failed_rows"]`` has the
            first and the last row of each piece that failed.

        Raises
        ------
        ChunksFailedError
            If pieces failed. ``.failed`` tells their rows and why, ``.result`` has what the others gave.
        ServiceError
            If something fails that no piece would escape, such as an error in the ADQL.
        InputError
            If an argument is not as described.
        """
        if on_failure not in ("raise", "warn"):
            raise InputError(f"on_failure: expected 'raise' or 'warn', got {on_failure!r}")
        if mode not in _MODES:
            raise InputError(f"mode: expected one of {', '.join(_MODES)}, got {mode!r}")
        adql = text_of(query)
        name, sent = payload.of_query(query, table)
        if not len(sent):
            raise InputError("table: expected at least one row")
        self._cancelled.clear()
        size, maxrec, start = self._size(chunk_rows), self._maxrec(maxrec), datetime.now(UTC)
        limit = maxrec or self._largest()
        kept = Store(default_folder() if store is None else store, self.url, adql, maxrec)

        def ask(piece):
            return self._fetch(self._request(adql, limit, {name: piece}), mode, wait)

        def read(content):
            return replies.parse(content, self.name, limit, adql)

        with alone_in(kept.folder, "store"):
            try:
                with self._bar(total=len(sent), unit="row") as bar:
                    outcome = payload.run(sent, size, ask, read, kept, give_up=_GIVE_UP, advance=bar.update)
            except (KeyboardInterrupt, QueryCancelledError):
                _log.warning("%s: what came is kept in %s; the same call asks for the rest", self.name, kept.folder)
                raise
            result = None
            if outcome.done:
                about = {"mode": mode, "uploaded_rows": len(sent), **outcome.summary()}
                result = self._dress(payload.combine(outcome.done), query, start, about)
            if not (keep or outcome.failed):
                kept.remove()
        if not outcome.failed:
            return result
        rows = ", ".join(f"{chunk.start} to {chunk.stop - 1}" for chunk in outcome.failed)
        message = f"{self.name}: rows {rows} failed: {outcome.failed[-1].error}; what came is kept in {kept.folder}"
        if on_failure == "raise" or result is None:
            raise ChunksFailedError(message, outcome.failed, result) from outcome.failed[-1].error
        warnings.warn(message, IncompleteResultWarning, stacklevel=2)
        return result

    def crossmatch(self, table, catalog, radius=1 * u.arcsec, *, columns=None, ra=None, dec=None, **options):
        """Find all stars of a table of the service near the stars of a table of one's own.

        Positions are compared as they are, without proper motions; see
        `stellarlabels.tables.crossmatch.crossmatch` for a match that moves the stars.

        Parameters
        ----------
        table : `~astropy.table.Table`
            With ``ra`` and ``dec`` or another name of these in the vocabulary; of any length.
        catalog : str
            Of the service: a catalog of ``stellarlabels.archive.services``, such as ``"gaia"``, or the
            name of a table.
        radius : `~astropy.units.Quantity`
            Largest separation.
        columns : sequence of str, optional
            Of the service's table; for a catalog of the list, by their names in the vocabulary, and by default all
            that are listed.
        ra, dec : str, optional
            The service's names of the coordinates, ICRS; by default those of the list, or ``ra`` and ``dec``.
        **options
            As for `run_chunks`.

        Returns
        -------
        `~astropy.table.QTable`
            A row for each pair: ``upload_row`` (int64), the columns, and ``separation`` (arcsec). Sorted by the first
            and the last.

        Raises
        ------
        ServiceError
            See `run_chunks`.
        MissingColumnError
            If the table has no coordinates.
        InputError
            If an argument is not as described.
        """
        listed = self._known.catalogs.get(catalog) if self._known else None
        names = dict(listed.columns) if listed else {}
        wanted = tuple(names) if columns is None else tuple(columns)
        if not wanted:
            raise InputError("columns: expected at least one name")
        adql = crossmatch_adql(
            listed.table if listed else catalog,
            {name: names.get(name, name) for name in wanted},
            radius,
            ra=ra or names.get("ra", "ra"),
            dec=dec or names.get("dec", "dec"),
            q3c=self.name == "datalab",
        )
        place = Schema("upload", [column(name) for name in ("ra", "dec")])
        place = place.conform(table, missing="error")

        def finished(pairs):
            pairs = separations(pairs, place)
            pairs = pairs[pairs.argsort([payload.ROW, "separation"])]
            pairs.meta["crossmatch"] = {"find": "all", "radius": str(radius), "moved": False}
            return pairs

        try:
            return finished(self.run_chunks(adql, {"stars": place}, **options))
        except ChunksFailedError as error:
            error.result = None if error.result is None else finished(error.result)
            raise

    def _run(self, query, table, maxrec, mode, wait=None):
        self._cancelled.clear()
        adql, start = text_of(query), datetime.now(UTC)
        uploads = {}
        if table is not None:
            name, sent = payload.of_query(query, table)
            uploads[name] = payload.numbered(sent)
        elif isinstance(query, BoundQuery) and query.query.upload:
            wanted = ", ".join(query.query.upload.columns)
            raise InputError(f"upload: the query {query.query.name} needs a table with {wanted}")
        limit = self._maxrec(maxrec) or self._largest()
        request = self._request(adql, limit, uploads)
        with self._bar(bar_format="{desc} {elapsed}") as bar:
            _, out = self._fetch(request, mode, wait, bar.set_description_str)
        about = {"mode": mode}
        if uploads:
            about["uploaded_rows"] = len(sent)
        return self._dress(out, query, start, about)
