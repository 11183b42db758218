"""Blocks of work in threads, in each of which NumPy's library of matrix products has one thread."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

__all__ = ["count", "in_threads"]


def count():
    """Number of threads of NumPy's library of matrix products, which ``OMP_NUM_THREADS`` sets."""
    return max((pool["num_threads"] for pool in _pools().info() if pool["user_api"] == "blas"), default=1)


def in_threads(function, starts):
    """Call a function for each block of rows, as many at a time as NumPy's library of matrix products has threads.

    In each call that library works in one thread: threads of blocks take less time than threads within products.

    Parameters
    ----------
    function : callable
        Called with each of ``starts``; it keeps its results itself.
    starts : sequence
    """
    threads = count()
    with _pools().limit(limits=1, user_api="blas"):
        if min(threads, len(starts)) < 2:
            for start in starts:
                function(start)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(function, starts):
                pass


@cache
def _pools():
    """What sets the number of threads of NumPy's library."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
