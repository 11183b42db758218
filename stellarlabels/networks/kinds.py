"""Kinds of networks: builders that register themselves, and what is done with every network alike.

A builder takes plain numbers only, so that a saved model can be built again from its description. Its network takes a
dict of named inputs and returns (N, 2 L) numbers, see ``stellarlabels.networks.losses``. Layers that are fixed before
the training have a method ``adapt_to(arrays, seed)``; layers that train in phases have ``phases(epochs)``, which
returns a Keras callback.
"""

import logging
import os
import sys
from contextlib import contextmanager

from stellarlabels.registry import Registry

NETWORKS = Registry("network", within="stellarlabels.networks")


def register(builder):
    """Put a builder of networks into the registry under its name; a decorator.

    Parameters
    ----------
    builder : callable
        ``builder(*, shapes, outputs, seed, **options)`` returns a `keras.Model` for inputs of these lengths (dict) and
        so many labels. If only a part of the network is trained, it has an attribute ``learner``, see `learner`; if
        there are noise or dropout in its training, ``student``, options (dict) that leave these out.
    """
    return NETWORKS.register(builder)


def build(kind, **config):
    """The network of a kind, from ``shapes``, ``outputs``, ``seed`` and the options of its builder."""
    return NETWORKS.get(kind)(**config)


def adapt(network, arrays, seed=0, like=None):
    """Set the fixed layers of a network from its training inputs and the constants of the feature set, by name."""
    # Those that say what `described` tells are those of a network ``like`` it, if there is one: what has learned from
    # the one can then judge what the other says.
    for layer in network.layers:
        if like is not None and hasattr(layer, "misfit"):
            layer.set_weights(like.get_layer(layer.name).get_weights())
        elif hasattr(layer, "adapt_to"):
            layer.adapt_to(arrays, seed)


def learner(kind, network, arrays, targets, checks, seed):
    """What is to be trained of a network, with which inputs and targets, and what it is checked with.

    Parameters
    ----------
    kind : str
    network : `keras.Model`
        After `adapt`.
    arrays, checks : dict of str to `~numpy.ndarray`
        Training and validation inputs.
    targets : `~numpy.ndarray`, shape (N, 3 L)
    seed : int

    Returns
    -------
    tuple of `keras.Model`, dict, `~numpy.ndarray`, dict
        The network itself and the arguments, unless its builder has a ``learner`` of its own.
    """
    own = getattr(NETWORKS.get(kind), "learner", None)
    return (network, arrays, targets, checks) if own is None else own(network, arrays, targets, checks, seed)


def described(kind, network, arrays):
    """What a network knows of its inputs beside labels (N, C), by what is in its builder's ``described``, or None."""
    own = getattr(NETWORKS.get(kind), "described", None)
    return None if own is None else own(network, arrays)


def has_learner(kind):
    """Whether only a part of the networks of a kind is trained, by what is in its builder's ``learner``."""
    return hasattr(NETWORKS.get(kind), "learner")


def student_options(kind, options):
    """Options of a kind of networks (dict) with which nothing is random in the training."""
    return {**options, **getattr(NETWORKS.get(kind), "student", {})}


def weight_shapes(make):
    """Shapes of the weights of what ``make`` would return, without random states; no memory is taken for them."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return [tuple(weight.shape) for weight in make().weights if "seed_generator" not in weight.path]


_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def load_keras():
    """Import Keras, and TensorFlow with it, in silence unless the environment asks for more."""
    if os.environ.setdefault(_LEVEL, "3") < "3":
        return
    logger = logging.getLogger("tensorflow")
    if _of_use not in logger.filters:
        logger.addFilter(_of_use)
    if "keras" not in sys.modules:
        with ours_only():
            import keras  # noqa: F401


@contextmanager
def ours_only():
    """Let nothing reach stderr that is written past Python, as libraries in C++ do."""
    try:
        past_python = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):  # somebody collects what is written
        past_python = False
    if not past_python:
        yield
        return
    sys.stderr.flush()
    ours, shown = os.dup(2), sys.stderr
    try:
        with open(os.devnull, "wb") as nowhere, open(ours, "w", encoding=shown.encoding, errors=shown.errors) as stream:
            stream.reconfigure(line_buffering=True)
            os.dup2(nowhere.fileno(), 2)
            sys.stderr = stream
            try:
                yield
            finally:
                stream.flush()
                os.dup2(ours, 2)
    finally:
        sys.stderr = shown


def _of_use(record):
    """Whether a record of TensorFlow tells something: not that several networks are several functions."""
    return "triggered tf.function retracing" not in record.getMessage()
