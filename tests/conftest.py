"""Fixtures shared by all tests."""

import os
from pathlib import Path

import matplotlib
import pytest


@pytest.fixture(autouse=True)
def plot_settings():
    """Settings of Matplotlib as before: importing GaiaXPy directly asks for LaTeX."""
    with matplotlib.rc_context():
        yield


@pytest.fixture(scope="session")
def real_data():
    """Folder of real observations (``STELLARLABELS_DATA``); tests that need it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("STELLARLABELS_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder (set STELLARLABELS_DATA)")
    return folder
