"""Reading ahead: the next part is read while this one is computed."""

import queue
import threading

__all__ = ["ahead"]

_END = object()


def ahead(items, depth=1):
    """The same items, made in a thread before they are asked for.

    Parameters
    ----------
    items : iterable
    depth : int
        Items that wait, at most. One more is being made and one is in use, so that memory holds ``depth + 2`` of them.

    Yields
    ------
    object
        The items, in order. An error of ``items`` is raised where the item would be.
    """
    waiting, stopped = queue.Queue(depth), threading.Event()

    def put(item):
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def make():
        try:
            for item in items:
                if not put((item, None)):
                    return
                item = None  # only the queue holds it
            put((_END, None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are used
            put((_END, error))

    thread = threading.Thread(target=make, name="reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
            item = None
    finally:
        stopped.set()
        thread.join()
