"""Absolute magnitudes of given labels: drawn ones, and what parallaxes teach, on stars of a known relation."""

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="module")
def tool():
    """The module of the tool."""
    folder = str(Path(__file__).parents[2] / "tools")
    sys.path.insert(0, folder)
    yield import_module("absolute_magnitudes")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def labels():
    random = np.random.default_rng(0)
    return np.column_stack([random.uniform(4500, 6500, 800), random.uniform(2, 4.5, 800), random.uniform(-1, 0, 800)])


def test_draws_have_the_scatter_and_cancel(tool, labels):
    """Means of all are those of the relation, a tenth of what independent draws would be off; single ones scatter."""

    def of(labels):
        return np.tile([4.0, 0.8], (len(labels), 1)), np.tile([0.3, 0.02], (len(labels), 1))

    found = tool.drawn(SimpleNamespace(of=of), labels)
    np.testing.assert_allclose(found.mean(axis=0), [4.0, 0.8], atol=0.003)
    np.testing.assert_allclose(found.std(axis=0), [0.3, 0.02], rtol=0.1)


def test_reddening_is_found_from_colors(tool, labels):
    random = np.random.default_rng(1)
    reddening = random.uniform(0, 0.2, len(labels))
    color = 2.5 - labels[:, 0] / 3500 + 0.05 * labels[:, 2] + 1.3 * reddening + random.normal(0, 0.01, len(labels))
    assert abs(tool.reddening_unit(labels, color, reddening) - 1.3) < 0.02


def test_pulls_of_parallaxes(tool):
    """A star of M = 5 and 100 pc that is known to 0.1 mag, with parallaxes that are off by one and two errors."""
    error = np.hypot(1.0, 0.2 * np.log(10) * 0.1 * 10)
    parallax = 10 + np.array([0, 1, 2]) * error
    stars = SimpleNamespace(luminosity=(parallax * 10 ** (0.2 * 10), np.full(3, 10 ** (0.2 * 10.0))))
    np.testing.assert_allclose(tool.parallax_pulls(stars, np.full(3, 5.0), np.full(3, 0.1)), [0, 1, 2], atol=1e-12)
