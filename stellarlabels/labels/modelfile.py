"""Saved models: one safetensors file of arrays, with a JSON description in its header.

The format holds arrays and text only. Loading one runs no code from it; the network is built by this package from the
description, and a file of a newer format or another system is refused.
"""

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stellarlabels import columns, files
from stellarlabels.columns import Column
from stellarlabels.exceptions import InputError, MissingColumnError, ModelFileError
from stellarlabels.files import replacing
from stellarlabels.labels import outside
from stellarlabels.labels.domain import Domain, TrainingStars
from stellarlabels.labels.ensemble import Member, build_network, floors, kind_of, parts
from stellarlabels.labels.recipe import Recipe
from stellarlabels.labels.uncertainty import Calibration

#: Raised when the layout of the description or the names of the arrays change; version 1 is read, too.
FORMAT_VERSION, READ = 2, (1, 2)
_KEY, _SUM = "stellarlabels", "sha256"


def write(path, description, arrays, *, overwrite=False):
    """Write a model file from a description that JSON can hold and arrays by name, to a temporary name first."""
    from safetensors.numpy import save

    description = {"format_version": FORMAT_VERSION, **description}
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    content = save(arrays, {_KEY: json.dumps({**description, _SUM: _checksum(description, arrays)})})
    with replacing(path, overwrite=overwrite) as stream:
        stream.write(content)


def read(path):
    """Description (dict) and arrays (dict) of a model file; `ModelFileError` if it is none, damaged, or newer."""
    with _opened(path) as file:
        description = _description(path, file)
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        told = description.pop(_SUM, None)  # files of earlier versions have none
        if told is not None and told != _checksum(description, arrays):
            raise ModelFileError(f"{path}: damaged, its checksum is another one; copy or save it again")
        return description, arrays


def _checksum(description, arrays):
    """SHA-256 of a description and of all arrays."""
    digest = hashlib.sha256(json.dumps(description).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


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


#: What a model file says of each label.
_DECLARED = ("name", "unit", "dtype", "ucd", "description", "format")

#: Sizes in a description up to this cost little memory, whatever the arrays of the file are.
HARMLESS = 4096


def described(system, dtype):
    """Description (dict) and arrays (dict) of a trained system; trained weights as ``dtype``, all else as they are."""
    ensemble, domain = system.ensemble, system.domain
    calibration = ensemble.calibration
    arrays = {"center": ensemble.center, "scale": ensemble.scale}
    arrays |= {f"domain.{name}": array for name, array in domain.arrays.items()}
    if calibration.rest is not None:
        arrays["calibration.rest"] = calibration.rest
    for axis, (knots, factors) in calibration.curves.items():
        arrays |= {f"calibration.{axis}.knots": knots, f"calibration.{axis}.factors": factors}
    seen = system.training_stars
    if seen is not None:
        arrays["training.stars"] = seen.bits
    for number, member in enumerate(ensemble.members):
        for index, weight in enumerate(_stored_weights(member.network)):
            kept = dtype if weight.trainable else "float32"
            arrays[f"network.{number}.{index}"] = np.asarray(weight).astype(kept)
    own, bridge = ("ranges", "labels", "colors", "threshold", "within"), system.bridge
    if bridge is not None:
        arrays |= {f"bridge.{name}": array for name, array in bridge.arrays.items()}
    if domain.outside is not None:
        for index, weight in enumerate(_stored_weights(domain.outside.network)):
            kept = dtype if weight.trainable else "float32"
            arrays[f"outside.{index}"] = np.asarray(weight).astype(kept)
    description = {
        "system": system.name,
        "recipe_name": system.recipe_name,
        "recipe": {**system.recipe.to_dict(), "feature_options": system.feature_set.config},
        "shapes": {name: list(tensor.shape[1:]) for name, tensor in ensemble.members[0].network.input.items()},
        "calibration": list(calibration.curves),
        "calibration_product": calibration.product,
        "domain": {name: getattr(domain, name) for name in own},
        "outside": None if domain.outside is None else _described_outside(domain.outside),
        "columns": [{name: getattr(columns.column(label), name) for name in _DECLARED} for label in system.labels],
        "release": system.release,
        "provenance": system.provenance_,
    }
    if seen is not None:
        description["training_stars"] = {name: getattr(seen, name) for name in ("identifier", "hashes", "stars")}
    if bridge is not None:
        description["bridge"] = {name: getattr(bridge, name) for name in ("kind", "release", "told")}
    return description, arrays


def _described_outside(found):
    """What tells kinds of objects apart, without its arrays."""
    lengths = {name: int(tensor.shape[1]) for name, tensor in found.network.input.items()}
    own = {name: getattr(found, name) for name in ("kinds", "spared", "thresholds", "edges", "counts", "built")}
    return {**own, "shapes": lengths}


def restored(cls, path):
    """The system of a class that a model file holds; `ModelFileError` if it holds no such."""
    description, arrays = read(path)
    if description.get("system") != cls.name:
        raise ModelFileError(
            f"{path}: holds a model of {description.get('system')!r}, not of {cls.name!r}; "
            "stellarlabels.load() takes those of all systems"
        )
    problems = (InputError, MissingColumnError, KeyError, TypeError, ValueError, IndexError, AttributeError)
    try:
        out = _restored(cls, description, arrays)
    except (*problems, OverflowError, MemoryError, RecursionError) as error:
        raise ModelFileError(f"{path}: the description and the arrays do not fit together ({error})") from error
    out.weights_ = files.sha256(path)
    return out


def _restored(cls, description, arrays):
    out = cls()
    for item in description.get("columns", ()):
        _declare(Column(**{name: str(item[name]) for name in _DECLARED}))
    out.recipe_name = description["recipe_name"]
    out.recipe = recipe = Recipe.from_dict(description["recipe"], like=cls.recipes.get(out.recipe_name))
    out.provenance_ = dict(description["provenance"])
    for label in recipe.labels:
        columns.column(label)
    _check_arrays(recipe, description, arrays)
    shapes = {name: shape[0] for name, shape in description["shapes"].items()}
    groups, members = parts(recipe), []
    _check_networks(recipe, shapes, arrays)
    for number in range(recipe.ensemble * len(groups)):
        part = groups[number % len(groups)]
        network = build_network(recipe, shapes, len(part), floor=floors(recipe, part, arrays["scale"]))
        for index, weight in enumerate(_stored_weights(network)):
            weight.assign(arrays[f"network.{number}.{index}"].astype(np.float32))
        members.append(Member(network, part))
    calibration = Calibration(
        {
            axis: (arrays[f"calibration.{axis}.knots"], arrays[f"calibration.{axis}.factors"])
            for axis in description["calibration"]
        },
        description.get("calibration_product", recipe.calibration.product),
        arrays.get("calibration.rest"),
    )
    out.ensemble = kind_of(recipe)(recipe, arrays["center"], arrays["scale"], members, calibration)
    domain = description["domain"]
    kept = _named(arrays, "domain.")
    out.domain = Domain(
        domain["ranges"],
        domain["labels"],
        kept,
        domain["threshold"],
        domain.get("colors", {}),
        domain.get("within", {}),
        _restored_outside(description.get("outside"), arrays, out.labels),
    )
    if "training_stars" in description:  # files of older versions do not have them
        out.training_stars = TrainingStars(bits=arrays["training.stars"], **description["training_stars"])
    if "bridge" in description:
        out.bridge = out.feature_set.read_bridge(description["bridge"], _named(arrays, "bridge."))
    if description.get("release", out.release) != out.release:  # files of format 1 do not say it
        raise ValueError(f"networks for {description['release']}, inputs {recipe.features!r} of {out.release}")
    return out


def _named(arrays, start):
    """Those arrays whose names begin like this, by the rest of their names."""
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _restored_outside(told, arrays, labels):
    """What tells kinds of objects apart, of a file that has it; sizes are those of its arrays."""
    from stellarlabels import networks

    if told is None:
        return None
    own = {name: array for name, array in arrays.items() if name.startswith("outside.")}
    kinds, inputs = tuple(told["kinds"]), ("flux", "star", *{"fit"} & set(told["shapes"]))
    shapes = {name: told["shapes"][name] for name in inputs}
    largest = max(HARMLESS, *(array.size for array in own.values()))
    built = {**outside.FIRST_NETWORK, **told.get("built", {})}
    sizes = [*shapes.values(), built["components"], *built["hidden"]]
    if len(kinds) > HARMLESS or len(sizes) > len(own) or not all(0 < size <= largest for size in sizes):
        raise ValueError(f"outside: {len(kinds)} kinds and layers of the sizes {sizes}, expected at most {largest}")
    wanted = networks.weight_shapes(lambda: outside.build(shapes, len(kinds), built))
    found = [own[f"outside.{index}"].shape for index in range(len(wanted))]
    if found != wanted or len(own) != len(wanted):
        raise ValueError(f"outside: expected arrays of shapes {wanted}, got {found}")
    network = outside.build(shapes, len(kinds), built)
    for index, weight in enumerate(_stored_weights(network)):
        weight.assign(own[f"outside.{index}"].astype(np.float32))
    spared = {name: tuple(spared) for name, spared in told["spared"].items()}
    edges = tuple(np.array(told.get("edges", ()), float).tolist())
    thresholds = {label: np.array(told["thresholds"][label], float) for label in labels}
    if any(found.shape not in ((), (3 * (len(edges) + 1),)) for found in thresholds.values()):
        raise ValueError(f"outside: expected thresholds for {len(edges)} edges, got {told['thresholds']}")
    thresholds = {label: found.tolist() for label, found in thresholds.items()}
    return outside.Outside(network, kinds, spared, thresholds, edges, told["counts"], built)


def _declare(label):
    """Make a label of a file known, unless it is; `ValueError` if it is known with another unit."""
    if label.name not in columns.vocabulary():
        columns.declare(label)
    known = columns.column(label.name)
    if (known.unit, known.dtype) != (label.unit, label.dtype):
        raise ValueError(f"label {label.name!r} is in {label.unit!r}, but here in {known.unit!r}")


def _check_arrays(recipe, description, arrays):
    """Refuse arrays of labels, calibration and domain whose shapes do not go together, or that are not numbers."""
    count = len(recipe.labels)
    size, components = arrays["domain.matrix"].shape
    wanted = {"center": (count,), "scale": (count,), "calibration.rest": (count,), "domain.center": (size,)}
    wanted["domain.references"] = (len(arrays["domain.references"]), components)
    for axis in description["calibration"]:
        knots = len(arrays[f"calibration.{axis}.knots"])
        wanted |= {f"calibration.{axis}.knots": (knots,), f"calibration.{axis}.factors": (knots, count)}
    for name, shape in wanted.items():
        if name in arrays and arrays[name].shape != shape:
            raise ValueError(f"{name}: expected an array of shape {shape}, got {arrays[name].shape}")
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ValueError(f"{name}: expected finite numbers")


def _check_networks(recipe, shapes, arrays):
    """Refuse a network whose weights are not those of the arrays, before anything of its size is made."""
    from stellarlabels.networks import weight_shapes

    own = {name: array for name, array in arrays.items() if name.startswith("network.")}
    networks = {name.rpartition(".")[0] for name in own}
    groups = parts(recipe)
    if len(networks) != recipe.ensemble * len(groups):
        raise ValueError(f"expected {recipe.ensemble} networks for {len(groups)} groups of labels, got {len(networks)}")
    largest = max(HARMLESS, *(array.size for array in own.values()))
    for value in _numbers([shapes, recipe.network_options], len(own)):
        if not abs(value) <= largest:
            raise ValueError(f"a size of {value} in the description, expected at most {largest}")
    if recipe.network_options.get("blocks", 0) > len(own):
        raise ValueError(f"{recipe.network_options['blocks']} blocks in the description, {len(own)} arrays")
    wanted = weight_shapes(lambda: build_network(recipe, shapes, len(groups[0])))
    for name in networks:
        found = [own[f"{name}.{index}"].shape for index in range(len(wanted))]
        if found != wanted:
            raise ValueError(f"{name}: expected arrays of shapes {wanted}, got {found}")


def _numbers(value, longest):
    """All numbers of nested lists and dicts, none of which is longer than ``longest``."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        if len(value) > max(longest, 100):
            raise ValueError(f"a list of {len(value)} items in the description")
        for item in value:
            yield from _numbers(item, longest)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def _stored_weights(network):
    """The network's weights without the states of its random generators."""
    return [weight for weight in network.weights if "seed_generator" not in weight.path]
