"""Predictions in batches are those of Keras, whatever the network."""

import os
import subprocess
import sys

import numpy as np
import pytest

from stellarlabels import SolarDis, SPCANet, UACSNet, networks
from stellarlabels.labels.ensemble import build_network
from stellarlabels.networks import training
from stellarlabels.systems.csnet import CSNet

#: Differences between batches of other sizes, relative to the largest output. The components of SolarDis solve a system
#: of equations for each spectrum, in single precision.
TOLERANCE = {"solardis": 2e-4}


def csnet():
    options = CSNet("paper").recipe.network_options
    return networks.build("color_mlp", shapes={"color": 13, "error": 15}, outputs=1, seed=1, **options)


def cnn():
    options = {"filters": (4, 8), "kernel": 3, "pool": 3, "dense": (16,), "slope": 0.01}
    return networks.build("spectrum_cnn", shapes={"flux": 4875}, outputs=5, seed=1, **options)


NETWORKS = {
    "csnet": csnet,
    "csnet means": lambda: networks.means_of(csnet()),
    "cnn": cnn,
    "uacsnet": lambda: UACSNet.pretrained("paper").ensemble.members[0].network,
    "uacsnet, apogee": lambda: UACSNet.pretrained("apogee").ensemble.members[0].network,
    "solardis": lambda: SolarDis.pretrained().ensemble.members[0].network,
    "spcanet": lambda: SPCANet.pretrained().ensemble.members[0].network,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_as_keras(name):
    network = NETWORKS[name]()
    rng = np.random.default_rng(3)
    count = 300
    arrays = {
        key: rng.uniform(0.5, 1.1, (count, *tensor.shape[1:])).astype(np.float32)
        for key, tensor in network.input.items()
    }
    found = training.predict(network, {**arrays, "another": np.zeros(count)})
    expected = network.predict(arrays, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE.get(name, 1e-5) * np.abs(expected).max())
    assert found.dtype == np.float64


@pytest.mark.parametrize("name", NETWORKS)
def test_batches_have_a_reasonable_size(name):
    assert training.PREDICT_LEAST <= training.predict_batch(NETWORKS[name]()) <= training.PREDICT_BATCH


def test_large_layers_get_batches_that_are_worth_reading_their_kernels():
    network = build_network(SolarDis.recipes["paper"], {"flux": 4875}, 5)
    assert training.predict_batch(network) == training.PREDICT_LEAST


@pytest.mark.slow
@pytest.mark.parametrize(("level", "quiet"), [(None, True), ("0", False)])
def test_libraries_say_nothing_that_is_of_no_use(level, quiet):
    """In Python, too, with tables of several lengths; who wants to read them can."""
    script = """
import numpy as np
from stellarlabels import UACSNet
from stellarlabels.inputs.examples import xp_apogee_sample
stars = xp_apogee_sample()[:30]
for system in (UACSNet.pretrained(), UACSNet.pretrained()):
    for count in (30, 7):
        print(len(system.predict(stars[:count])))
"""
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    env = clean if level is None else {**clean, "TF_CPP_MIN_LOG_LEVEL": level}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, check=True)
    assert done.stdout.split() == ["30", "7"] * 2
    assert (done.stderr == "") is quiet
