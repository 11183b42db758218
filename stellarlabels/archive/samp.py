"""Tables to and from TOPCAT, and any other program on this machine that speaks SAMP.

TOPCAT starts a hub of its own; without it, ``python -m pyvo.samp`` or any other hub will do. Nothing leaves this
machine: the messages name a file or an address on the loopback interface.

Examples
--------
>>> from stellarlabels.archive.samp import receive, send_to_topcat
>>> send_to_topcat(labels)                                                                      # doctest: +SKIP
['topcat']
>>> selected = receive()     # then, in TOPCAT: Interop > Send table to > stellarlabels         # doctest: +SKIP
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from stellarlabels import columns
from stellarlabels.exceptions import InputError, SampError, StellarLabelsError
from stellarlabels.files import dumps, loads

__all__ = ["receive", "send_to_topcat"]

_LOOPBACK = "127.0.0.1"
_LOAD = "table.load.votable"
_OK = "samp.ok"
_PROGRESS = "samp.msg.progress"
_SCHEMES = ("file", "http", "https")
#: How long the transfer of one table may stand still, s.
_STALLED = 60


def send_to_topcat(table, *, name=None, client="topcat", timeout=60.0):
    """Show a table in TOPCAT, or in any other program that takes tables.

    Parameters
    ----------
    table : `~astropy.table.Table` or data frame
        It is sent with all columns, units, UCDs, descriptions and masks.
    name : str, optional
        What the program calls the table; by default ``table.meta["name"]``, or else ``stellarlabels``.
    client : str or None
        Name of the program that gets the table, in any case of letters; None for all that take tables.
    timeout : float
        How long a program may take to load it, s.

    Returns
    -------
    list of str
        Names of the programs that have loaded it.

    Raises
    ------
    InputError
        If it is no table, or a column holds what no VOTable does; the message names it.
    SampError
        If no hub is running, no such program is connected to it, or a program cannot load the table; the message
        says which programs are there.
    """
    table = columns.as_table(table)
    title = str(name or table.meta.get("name") or "stellarlabels")
    document = dumps(table)
    with _connected("stellarlabels") as hub:
        programs = _programs(hub, client)
        _send(hub, programs, document, title, timeout)
    return list(programs.values())


def receive(*, timeout=300.0, name="stellarlabels"):
    """Wait until TOPCAT or another program sends a table.

    Parameters
    ----------
    timeout : float
        How long to wait, s.
    name : str
        Under which name the other programs list the receiver, which they do only while it waits.

    Returns
    -------
    `~astropy.table.QTable`
        With units, UCDs (``info.meta["ucd"]``), descriptions and masks. Its name is in ``meta["name"]``, the name of
        the program in ``meta["sender"]``.

    Raises
    ------
    SampError
        If no hub is running, nothing comes in time, or the table cannot be fetched.
    stellarlabels.exceptions.ReadError
        If what comes is no VOTable. The sender is told so.
    """
    inbox = Queue()
    with _connected(name) as hub:
        hub.bind_receive_message(_LOAD, lambda *message: inbox.put(message))
        try:
            _, sender, number, _, params, _ = inbox.get(timeout=timeout)
        except Empty:
            raise SampError(f"no table came within {timeout:g} s") from None
        try:
            table = loads(_fetch(params.get("url", "")), where=f"table from {_name(hub, sender)}")
        except (SampError, OSError) as error:
            _reply(hub, number, "samp.error", {"samp.errortxt": str(error)})
            raise
        table.meta.update(name=str(params.get("name") or params.get("table-id") or ""), sender=_name(hub, sender))
        _reply(hub, number, _OK)
    return table


def serve(handle, *, count=None, name="stellarlabels", timeout=600.0, started=None):
    """Answer every table that a program sends with what ``handle(table, tell)`` makes of it, sent to that program."""
    # To all programs that take tables, if that one does not. ``tell(text, percent)`` sends a notification of progress.
    # ``count``: after how many tables it ends; ``started`` is called when tables can come. An error becomes the answer.
    inbox, done = Queue(), 0
    with _connected(name) as hub:
        hub.bind_receive_message(_LOAD, lambda *message: inbox.put(message))
        if started is not None:
            started()
        while count is None or done < count:
            _, sender, number, _, params, _ = inbox.get()
            _answer(hub, sender, number, params, handle, timeout)
            done += 1


def _answer(hub, sender, number, params, handle, timeout):
    """Handle one table, send the result, and say how it went."""
    title = str(params.get("name") or params.get("table-id") or "stars")

    def tell(text, percent=0):
        said = {"msgid": str(number or ""), "txt": str(text), "percent": str(percent)}
        for public in hub.get_subscribed_clients(_PROGRESS):
            hub.notify(public, {"samp.mtype": _PROGRESS, "samp.params": said})

    try:
        table = loads(_fetch(params.get("url", "")), where=f"table from {_name(hub, sender)}")
        tell(f"{title}: {len(table)} rows came", 1)
        result = handle(table, tell)
        takers = {key: _name(hub, key) for key in hub.get_subscribed_clients(_LOAD)}
        takers = {sender: takers[sender]} if sender in takers else takers
        if not takers:
            raise SampError("no program takes the labelled table; start TOPCAT")
        _send(hub, takers, dumps(columns.portable(result)), f"{title}, labelled", timeout)
    except (StellarLabelsError, OSError) as error:
        tell(f"{title}: {error}", 100)
        _reply(hub, number, "samp.error", {"samp.errortxt": str(error)})
        return
    tell(f"{title}: {len(result)} rows labelled", 100)
    _reply(hub, number, _OK)


def _send(hub, programs, document, title, timeout):
    """Have programs (names by public identifiers) load a VOTable (bytes)."""
    with tempfile.TemporaryDirectory(prefix="stellarlabels-") as folder:
        file = Path(folder) / "table.vot"
        file.write_bytes(document)
        message = {
            "samp.mtype": _LOAD,
            "samp.params": {"url": file.as_uri(), "table-id": f"stellarlabels:{title}", "name": title},
        }
        for public, program in programs.items():
            _call(hub, public, program, message, timeout)


@contextmanager
def _connected(name):
    """A client of the running hub, under the name."""
    from pyvo.samp import SAMPHubError, SAMPIntegratedClient, conf

    with conf.set_temp("use_internet", False):  # else it looks for its own address on the network
        client = SAMPIntegratedClient(name=name, description="Tables of stellar labels", addr=_LOOPBACK)
        try:
            client.connect()
        except (SAMPHubError, KeyError, OSError) as error:
            raise SampError("no SAMP hub is running; start TOPCAT, or another hub, first") from error
        try:
            yield client
        finally:
            client.disconnect()


def _programs(hub, wanted):
    """Public identifiers and names of the programs that take VOTables and have the name."""
    there = {public: _name(hub, public) for public in hub.get_subscribed_clients(_LOAD)}
    chosen = {key: name for key, name in there.items() if wanted is None or name.lower() == str(wanted).lower()}
    if not chosen:
        raise SampError(
            f"client: no program called {wanted!r} takes tables; those that do: {sorted(there.values()) or 'none'}"
        )
    return chosen


def _name(hub, public):
    return str(hub.get_metadata(public).get("samp.name", public))


def _call(hub, public, program, message, timeout):
    """Send a message and wait until the program says that it has done what was asked."""
    from pyvo.samp import SAMPProxyError

    if not timeout > 0:
        raise InputError(f"timeout: expected a positive number of seconds, got {timeout!r}")
    try:
        reply = hub.call_and_wait(public, message, timeout=str(max(1, round(timeout))))
    except SAMPProxyError as error:
        raise SampError(f"{program} gave no answer within {timeout:g} s: {error}") from error
    if reply.get("samp.status") != _OK:
        reason = reply.get("samp.error", {}).get("samp.errortxt", "it gave no reason")
        raise SampError(f"{program} could not load the table: {reason}")


def _reply(hub, number, status, error=None):
    """Answer a call; a notification wants no answer."""
    if number is not None:
        hub.ereply(number, status, result={} if error is None else None, error=error)


def _fetch(url):
    """The bytes of a file that another program names."""
    if urlsplit(url).scheme not in _SCHEMES:
        raise SampError(f"expected an address of a file or on http, got {url[:80]!r}")
    try:
        with urlopen(url, timeout=_STALLED) as stream:
            return stream.read()
    except (URLError, OSError, ValueError) as error:
        raise SampError(f"{url} could not be fetched: {error}") from error
