"""Saved models: one safetensors file of arrays, with a JSON description in its header.

The format holds arrays and text only. Loading one runs no code from it; the network is built by this package from the
description, and a file of a newer format or another system is refused.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stellarlabels.exceptions import ModelFileError
from stellarlabels.files import replacing

#: Raised when the layout of the description or the names of the arrays change; version 1 is read, too.
FORMAT_VERSION, READ = 2, (1, 2)
_KEY = "stellarlabels"


def write(path, description, arrays, *, overwrite=False):
    """Write a model file from a description that JSON can hold and arrays by name, to a temporary name first."""
    from safetensors.numpy import save

    text = json.dumps({"format_version": FORMAT_VERSION, **description})
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {_KEY: text})
    with replacing(path, overwrite=overwrite) as stream:
        stream.write(content)


def read(path):
    """Description (dict) and arrays (dict) of a model file; `ModelFileError` if it is none, damaged, or newer."""
    with _opened(path) as file:
        description = _description(path, file)
        return description, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def read_description(path):
    """What a model file says of itself (dict), without its arrays; errors as of `read`."""
    with _opened(path) as file:
        return _description(path, file)


@contextmanager
def _opened(path):
    """An open safetensors file; whatever is wrong with it is a `ModelFileError`."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such file")
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path}: not a stellarlabels model, or damaged ({error})") from error


def _description(path, file):
    """The description in the header of an open file."""
    try:
        description = json.loads((file.metadata() or {})[_KEY])
        version = description["format_version"]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ModelFileError(f"{path}: a safetensors file, but not one of a stellarlabels model") from error
    if version not in READ:
        raise ModelFileError(f"{path}: format version {version}, this release reads versions {READ}; update it")
    return description
