"""Keras and TensorFlow without what no user of this package can use.

``TF_CPP_MIN_LOG_LEVEL`` decides: with a number below 3, as ``stellarlabels -v`` sets it, they say what they like.
"""

import logging
import os
import sys
from contextlib import contextmanager

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
