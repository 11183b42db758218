"""How all tests are run: which of them, by how many processes, and how thoroughly hypothesis looks."""

import os

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does.
settings.register_profile("dev", deadline=None, max_examples=20)
# Examples are the same in all runs, so that a failure is one of the change that is tested.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)

#: Where the longest files are.
LONG = ("tests/systems", "tests/vo", "tests/labels", "tests/scale")


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="the slow tests, and those with servers and Java, too")


def pytest_configure(config):
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("ci" if os.environ.get("CI") else "dev")
    if config.option.full:
        config.option.markexpr = "not remote_data"


def pytest_xdist_auto_num_workers(config):
    """Files or tests that are named run in this process; the whole suite in one per core, each of one thread."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 8)


def pytest_collection_modifyitems(items):
    """Files with long tests come first, so that no core waits for another in the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
