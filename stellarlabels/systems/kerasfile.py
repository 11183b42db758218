"""Weights from model files of Keras and TensorFlow that others have written: arrays only, nothing is run.

A Keras model file can hold code (Lambda layers, pickled objects). Here the network is built by this package, and of the
file only the arrays are read.
"""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np

from stellarlabels.exceptions import ModelFileError

__all__ = ["assign", "read_layers", "read_slope"]

#: Slope below 0 of activations that a model file names without a number: those of Keras.
_SLOPES = {"LeakyReLU": 0.3, "leaky_relu": 0.2, "relu": 0.0, "ReLU": 0.0}

#: Parts of names in model files that belong to optimisers, not to layers.
_OTHER = ("optimizer", "save_counter", "checkpointable", "keras_api/metrics")


def read_layers(path):
    """Kernel and bias (dict of arrays) of each layer with weights of a .keras, .h5 or TensorFlow checkpoint file."""
    path = Path(path)
    if path.is_dir():
        arrays = _checkpoint(path)
    elif not path.is_file():
        raise ModelFileError(f"{path}: there is no such file")
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                arrays = _hdf5(io.BytesIO(archive.read("model.weights.h5")), path)
        except (KeyError, zipfile.BadZipFile, OSError, RuntimeError) as error:
            raise ModelFileError(f"{path}: a zip archive, but not a Keras model ({error})") from error
    else:
        arrays = _hdf5(path, path)
    groups = {}
    for name, array in arrays.items():
        groups.setdefault(_layer_of(name), []).append(array)
    layers = []
    for name in sorted(groups, key=_natural):
        kernels = [array for array in groups[name] if array.ndim > 1]
        biases = [array for array in groups[name] if array.ndim == 1]
        if len(kernels) != 1 or len(biases) > 1:
            shapes = [array.shape for array in groups[name]]
            raise ModelFileError(f"{path}: layer {name!r}: expected a kernel and a bias, got arrays of shapes {shapes}")
        layers.append({"kernel": kernels[0], **({"bias": biases[0]} if biases else {})})
    if not layers:
        raise ModelFileError(f"{path}: no layer has weights")
    return layers


def read_slope(path):
    """Slope below 0 of the LeakyReLU activations that a model file describes; None for a file of weights alone."""
    path = Path(path)
    try:
        found = _graph_slopes(path) if path.is_dir() else _slopes(_described(path))
    except (KeyError, ValueError, OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise ModelFileError(f"{path}: what it says of its layers cannot be read ({error})") from error
    if len(found) > 1:
        raise ModelFileError(f"{path}: activations with slopes {sorted(found)}; the network has one for all layers")
    return found.pop() if found else None


def _described(path):
    """The layers of a .keras or .h5 file as nested dicts and lists; empty where it holds weights alone."""
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json")) if "config.json" in archive.namelist() else {}
    with h5py.File(path, "r") as file:
        return json.loads(file.attrs.get("model_config", "{}"))


def _slopes(value):
    """Slopes (set of float) that a description of layers has, or that are those of the activations it names."""
    if isinstance(value, list):
        return set().union(*map(_slopes, value))
    if not isinstance(value, dict):
        return set()
    kind, own = value.get("class_name"), value.get("config")
    if kind in ("LeakyReLU", "ReLU") and isinstance(own, dict):
        stated = (own.get("negative_slope"), own.get("alpha"))
        return {round(float(next((one for one in stated if one is not None), _SLOPES[kind])), 6)}
    named = {_SLOPES[text] for text in (value.get("activation"),) if isinstance(text, str) and text in _SLOPES}
    return named.union(*map(_slopes, value.values()))


def _graph_slopes(folder):
    """The same from the graph of a TensorFlow SavedModel, which is read and not run."""
    from tensorflow.core.protobuf import saved_model_pb2

    if not (folder / "saved_model.pb").is_file():
        return set()
    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    graphs = [meta.graph_def for meta in model.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for function in graph.library.function for node in function.node_def]
    leaky = [node.attr["alpha"].f if "alpha" in node.attr else 0.2 for node in nodes if node.op == "LeakyRelu"]
    return {round(float(slope), 6) for slope in leaky}


def assign(network, layers, path):
    """Set the weights of a network's layers by their shapes; `ModelFileError` if the file has others."""
    left = list(layers)
    for layer in network.layers:
        if not layer.weights:
            continue
        wanted = [tuple(weight.shape) for weight in layer.weights]
        found = next((item for item in left if [array.shape for array in item.values()] == wanted), None)
        if found is None:
            shapes = [item["kernel"].shape for item in left]
            raise ModelFileError(f"{path}: expected a layer of shapes {wanted} for {layer.name!r}, left are {shapes}")
        left = [item for item in left if item is not found]
        if not all(np.isfinite(array).all() for array in found.values()):
            raise ModelFileError(f"{path}: the weights for {layer.name!r} are not all finite")
        layer.set_weights(list(found.values()))
    if left:
        raise ModelFileError(
            f"{path}: {len(left)} more layers than expected, {[item['kernel'].shape for item in left]}"
        )


def _hdf5(source, path):
    """Arrays of an HDF5 file by name."""
    import h5py

    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not any(part in name for part in _OTHER):
            if item.dtype.kind != "f" or item.size > 10**9:
                raise ModelFileError(f"{path}: {name!r}: expected an array of floats, got {item.dtype} {item.shape}")
            found[name] = np.asarray(item[()], np.float32)

    try:
        with h5py.File(source, "r") as file:
            file.visititems(visit)
    except OSError as error:
        raise ModelFileError(f"{path}: not a Keras model file, or damaged ({error})") from error
    return found


def _checkpoint(folder):
    """Arrays of a TensorFlow checkpoint, or of the one in a SavedModel, by name."""
    import tensorflow as tf

    index = next(iter(sorted([*folder.glob("variables/variables.index"), *folder.glob("*.index")])), None)
    if index is None:
        raise ModelFileError(f"{folder}: expected a TensorFlow SavedModel with variables/variables.index")
    try:
        reader = tf.train.load_checkpoint(str(index.with_suffix("")))
        shapes = reader.get_variable_to_shape_map()
        names = [
            name for name in shapes if shapes[name] and "OPTIMIZER" not in name.upper() and "OBJECT_GRAPH" not in name
        ]
        return {name: np.asarray(reader.get_tensor(name), np.float32) for name in names if "keras_api" not in name}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{folder}: the checkpoint cannot be read ({error})") from error


def _layer_of(name):
    """Name of the layer of an array: without what names the array itself."""
    name = name.replace("/.ATTRIBUTES/VARIABLE_VALUE", "")
    return re.sub(r"/(vars/\d+|(kernel|bias)(:0)?|vars)$", "", name)


def _natural(name):
    """Key that sorts conv1d, conv1d_1, ..., conv1d_10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
