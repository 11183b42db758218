"""A catalog with known faults, and its report."""

import html5lib
import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from stellarlabels import report

SCATTER = {"teff": 50.0, "logg": 0.1, "feh": 0.08}


def catalog(count=3000, seed=1):
    """Labels and reference. Errors of [Fe/H] are 20 % too small for G > 14; log g is 0.3 dex too high everywhere."""
    rng = np.random.default_rng(seed)
    g = rng.uniform(10, 16, count)
    truth = {
        "teff": rng.uniform(4000, 6800, count),
        "logg": rng.uniform(1, 4.8, count),
        "feh": rng.uniform(-2, 0.4, count),
    }
    labels = QTable({"source_id": np.arange(1, count + 1)}, meta={"system": "uacsnet", "weights": "sha256:abc"})
    labels["ra"], labels["dec"] = rng.uniform(0, 360, count) * u.deg, rng.uniform(-60, 60, count) * u.deg
    labels["phot_g_mean_mag"] = g * u.mag
    reference = labels[["source_id", "ra", "dec"]]
    reference.meta = {}
    for name, sigma in SCATTER.items():
        unit = u.K if name == "teff" else u.dex
        reference[name] = truth[name] * unit
        offset = 0.3 if name == "logg" else 0.0
        labels[name] = (truth[name] + rng.normal(offset, sigma, count)) * unit
        error = np.full(count, sigma)
        if name == "feh":
            error[g > 14] *= 0.8
        labels[f"{name}_err"] = error * unit
        labels[f"{name}_flag"] = np.where(rng.random(count) < 0.3, 8, 0).astype(np.int32)
    return labels, reference


@pytest.fixture(scope="session")
def tables():
    return catalog()


@pytest.fixture(scope="session")
def written(tables, tmp_path_factory):
    """Files of a report against one reference."""
    labels, reference = tables
    return report.write(labels, tmp_path_factory.mktemp("report"), against=[("APOGEE", reference)])


@pytest.fixture(scope="session")
def parse():
    """HTML to a tree; whatever a browser would have to guess is an error."""

    def parsed(text):
        return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)

    return parsed


@pytest.fixture(scope="session")
def page(written, parse):
    return parse(written["index.html"].read_text(encoding="utf-8"))
