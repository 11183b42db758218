"""Blocks of work in threads."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from stellarlabels.threads import in_threads


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("count", [1, 2])
def test_every_block_once_with_one_thread_each(count):
    done, seen = [], []

    def work(start):
        done.append(start)
        seen.append((threading.get_ident(), max(blas_threads())))

    with threadpool_limits(count, user_api="blas"):
        before = blas_threads()
        in_threads(work, range(0, 700, 7))
        assert blas_threads() == before
    assert sorted(done) == list(range(0, 700, 7))
    assert {threads for _, threads in seen} == {1}
    if max(before) == 1:
        assert {thread for thread, _ in seen} == {threading.get_ident()}


def test_errors_come_through():
    def work(start):
        if start == 3:
            raise ValueError("three")

    before = blas_threads()
    with pytest.raises(ValueError, match="three"):
        in_threads(work, range(5))
    assert blas_threads() == before
