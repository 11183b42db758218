"""Flags of stars that are not like the training stars."""

import numpy as np
import pytest

from stellarlabels import flags
from stellarlabels.inputs.base import Features
from stellarlabels.labels.domain import Domain


def stars(spectra, color=1.0, magnitude=12.0, snr=50.0, ebv=0.1):
    count = len(spectra)
    return Features(
        {"flux": spectra.astype(np.float32)},
        flags.LABEL.empty(count),
        np.ones(count, bool),
        *(np.broadcast_to(np.asarray(x, float), (count,)) for x in (color, magnitude, snr, ebv)),
    )


@pytest.fixture(scope="module")
def training():
    rng = np.random.default_rng(1)
    return rng.normal(size=(4000, 3)) @ rng.normal(size=(3, 30)) + 0.01 * rng.normal(size=(4000, 30)) + 5


@pytest.fixture(scope="module")
def domain(training):
    count = len(training)
    features = stars(training, np.linspace(0.5, 1.5, count), np.linspace(8, 15, count), np.linspace(20, 300, count))
    labels = np.stack([np.linspace(-1, 1, count)], axis=1)
    return Domain.fit(features, features.arrays["flux"], ["feh"], labels)


def names(domain, spectra, **kwargs):
    features = stars(spectra, **kwargs)
    return [flags.decode(value) for value in domain.star_flags(features, features.arrays["flux"])]


def test_training_stars_are_at_home(domain, training):
    flagged = [("UNLIKE_TRAINING" in name) for name in names(domain, training)]
    assert np.mean(flagged) < 0.002


def test_strange_spectra_are_found(domain, training):
    rng = np.random.default_rng(2)
    strange = training[:50] + rng.normal(size=(50, 30)) * 3
    assert np.mean(["UNLIKE_TRAINING" in name for name in names(domain, strange)]) > 0.9


def test_ranges(domain, training):
    some = training[:1]
    assert names(domain, some) == [[]]
    assert names(domain, some, color=2.0) == [["COLOR_RANGE"]]
    assert names(domain, some, magnitude=16.0) == [["MAGNITUDE_RANGE"]]
    assert names(domain, some, snr=10.0) == [["NOISY_INPUT"]]
    assert names(domain, some, ebv=0.2) == [["EBV_RANGE"]]
    assert names(domain, some, color=np.nan, magnitude=np.nan) == [[]]


def test_label_flags(domain):
    values, errors = np.array([0.0, -3.0, 2.0, np.nan]), np.array([0.1, 0.1, 9.0, np.nan])
    flag = domain.label_flags("feh", {"feh": values, "feh_err": errors}, np.full(4, 1.0))
    assert [flags.decode(value) for value in flag] == [[], ["LABEL_RANGE"], ["LABEL_RANGE", "LARGE_ERROR"], []]


def test_declared_limits_replace_those_of_the_training_stars(training):
    domain = Domain(labels={"feh": (-1.0, 0.5, 0.3), "teff": (4000.0, 7000.0, 300.0)})
    domain.restrict({"feh": (-0.5, 0.2), "mg_fe": (0, 1)}, {"feh": (0.6, 1.2)})
    assert domain.labels == {"feh": (-0.5, 0.2, 0.3), "teff": (4000.0, 7000.0, 300.0)}
    colors = np.array([0.5, 0.6, 1.2, 1.3, np.nan])
    values = {"feh": np.array([0.0, -0.6, 0.2, 0.0, 0.0]), "teff": np.full(5, 5000.0)}
    values |= {f"{name}_err": np.zeros(5) for name in ("feh", "teff")}
    flag = domain.label_flags("feh", values, colors)
    assert [flags.decode(value) for value in flag] == [["COLOR_RANGE"], ["LABEL_RANGE"], [], ["COLOR_RANGE"], []]
    assert not domain.label_flags("teff", values, colors).any()


def test_a_few_odd_stars_do_not_set_a_range(training):
    """One star in 2,000 with a color of 7 mag, as in the real sample."""
    color = np.random.default_rng(3).normal(1, 0.2, 4000)
    color[:2] = 7.1
    features = stars(training[:1].repeat(4000, axis=0), color=color)
    values = np.column_stack([np.random.default_rng(4).normal(-0.5, 0.3, 4000), np.full(4000, 5000.0)])
    domain = Domain.fit(features, features.arrays["flux"], ("feh", "teff"), values)
    assert domain.ranges["color"][1] < 2


def test_a_label_holds_where_it_was_known():
    """[Fe/H] was known below 7000 K only: a prediction of 9000 K takes it away, whatever it is."""
    random = np.random.default_rng(5)
    teff, feh = random.uniform(3500, 20000, 5000), random.normal(-0.5, 0.3, 5000)
    feh[teff > 7000] = np.nan
    flux = random.normal(size=(5000, 6))
    domain = Domain.fit(stars(flux), flux, ("teff", "feh"), np.column_stack([teff, feh]))
    assert domain.within["feh"]["teff"][1] == pytest.approx(7000, abs=20)
    assert "teff" not in domain.within
    values = {"teff": np.array([6000.0, 9000.0, np.nan]), "feh": np.full(3, -0.5)}
    values |= {"teff_err": np.full(3, 50.0), "feh_err": np.full(3, 0.1)}
    names = [flags.decode(int(value)) for value in domain.label_flags("feh", values, np.full(3, np.nan))]
    assert names == [[], ["OTHER_KIND"], []]
