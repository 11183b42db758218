"""Which wavelengths a network reads a label from: gradients, integrated gradients and Shapley values.

Section 5.1 of the SolarDis paper gives mean absolute Shapley values for each Angstrom. Shapley values are estimated
here with the package SHAP, whose expected gradients are integrated gradients averaged over a background of other stars.
"""

import numpy as np
from astropy import units as u
from astropy.table import QTable

from stellarlabels import columns
from stellarlabels.analysis.network_attention import spectral_lines
from stellarlabels.exceptions import InputError

#: Stars that are differentiated at once.
BLOCK = 64

METHODS = ("gradient", "derivative", "integrated", "shapley")


def importance(system, table, *, method="gradient", lines=False, background=None, samples=32, seed=0, arrays=None):
    """Mean importance of every input pixel for every label.

    Parameters
    ----------
    system : `stellarlabels.labels.LabelEstimator`
        Trained or loaded.
    table : `~astropy.table.Table`
        Stars whose predictions are looked into; some hundred are enough.
    method : {"gradient", "derivative", "integrated", "shapley"}
        "gradient": the derivative of the label, times the standard deviation of the pixel over the stars. "derivative":
        the mean derivative itself, with its sign, in the label's unit per unit of the input. "integrated":
        the integral of the derivative on the straight line from the mean spectrum, times the distance from it, so that
        the values of a star add up to the difference of its label from that of the mean spectrum (Sundararajan et al.
        2017). "shapley": expected gradients of the package SHAP (`shap.GradientExplainer`), which is to be installed.
    lines : bool
        Whether the pixels are added up: a row for each group of lines of cool stars that the spectra show, named after
        its element, and one for all other pixels. Needs wavelengths.
    background : `~astropy.table.Table`, optional
        Stars that "shapley" compares with and whose mean "integrated" starts from; by default ``table`` itself.
    samples : int
        Steps of the integral, or samples of a star.
    seed : int
        For the samples of "shapley".
    arrays : list of str, optional
        Inputs of the network to look at, for instance ``["flux"]``; by default all those that are spectra (more than 30
        numbers) and no errors.

    Returns
    -------
    `~astropy.table.QTable`
        A row for each pixel of each of these inputs: ``input`` (its name), ``pixel`` (from 0), ``wavelength`` where the
        feature set knows it, and for each label ``<label>``: the mean absolute importance, in the label's unit;
        ``<label>_share`` is the same divided by its sum over all pixels. With ``lines`` a row for each group instead:
        ``feature``, its name, or ``"other"``; ``pixels`` (int64), how many are in it; ``<label>`` and
        ``<label>_share``, sums over these.

    Raises
    ------
    InputError
        If the method is unknown, no star can be used, SHAP is not installed, or no wavelengths are known for
        ``lines``.
    NotFittedError
        If the system is not trained.
    """
    if method not in METHODS:
        raise InputError(f"method: expected one of {METHODS}, got {method!r}")
    features, rest, names = _inputs(system, table, arrays)
    base = features if background is None else _inputs(system, background, names)[0]
    values = {name: 0.0 for name in names}
    groups = system.ensemble.groups
    for members in groups:
        for member in members:
            found = _of_member(member.network, features.arrays, base.arrays, names, method, samples, seed, rest)
            scale = system.ensemble.scale[list(member.labels)]
            for name in names:
                padded = np.zeros((len(system.labels), features.arrays[name].shape[1]))
                each = found[name] if method == "derivative" else np.abs(found[name])
                padded[list(member.labels)] = each.mean(axis=0) * scale[:, None]
                values[name] = values[name] + padded / len(groups)
    out = _table(system, names, values)
    return _by_lines(out, system.labels) if lines else out


def _inputs(system, table, arrays):
    """Features of the usable stars, the inputs that are not looked at, and the names of those that are."""
    features = system.features(table)
    features = features[features.usable]
    if len(features) == 0:
        raise InputError("table: no star has usable input")
    known = list(system.ensemble.members[0].network.input)
    if arrays is None:
        arrays = [name for name in known if features.arrays[name].shape[1] > 30 and "error" not in name]
    unknown = [name for name in arrays if name not in known]
    if unknown or not arrays:
        raise InputError(f"arrays: expected some of {known}, got {list(arrays)}")
    return features, [name for name in known if name not in arrays], list(arrays)


def _of_member(network, inputs, base, names, method, samples, seed, rest):
    """Importance for one network: for each input an array (N, L, pixels) in units of the scaled labels."""
    if method == "derivative":
        return _gradients(network, inputs, names)
    if method == "gradient":
        found = _gradients(network, inputs, names)
        return {name: found[name] * inputs[name].std(axis=0) for name in names}
    if method == "integrated":
        start = {name: base[name].mean(axis=0, keepdims=True) for name in names}
        total = {name: 0.0 for name in names}
        for step in range(samples):  # midpoints
            share = (step + 0.5) / samples
            between = {name: start[name] + share * (inputs[name] - start[name]) for name in names}
            found = _gradients(network, {**inputs, **between}, names)
            total = {name: total[name] + found[name] / samples for name in names}
        return {name: total[name] * (inputs[name] - start[name])[:, None] for name in names}
    return _shapley(network, inputs, base, names, samples, seed, rest)


def _gradients(network, inputs, names):
    """Derivatives of the means with respect to some inputs: for each an array (N, L, pixels)."""
    import tensorflow as tf

    count, labels = len(inputs[names[0]]), network.output_shape[-1] // 2
    out = {name: np.zeros((count, labels, inputs[name].shape[1]), np.float32) for name in names}
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        tensors = {
            name: tf.constant(array[part], tf.float32) for name, array in inputs.items() if name in network.input
        }
        with tf.GradientTape(persistent=True) as tape:
            for name in names:
                tape.watch(tensors[name])
            output = network(tensors, training=False)
            columns = [tf.reduce_sum(output[:, label]) for label in range(labels)]
        for label, column in enumerate(columns):
            gradients = tape.gradient(column, {name: tensors[name] for name in names})
            for name in names:
                out[name][part, label] = gradients[name]
    return out


def _shapley(network, inputs, base, names, samples, seed, rest):
    """Expected gradients of SHAP; the inputs that are not looked at keep the background's values with it."""
    try:
        import shap
    except ImportError as error:
        raise InputError("method: 'shapley' needs the package SHAP: pip install stellarlabels[spectra]") from error
    import keras

    order = [*names, *rest]
    tensors = [keras.Input((inputs[name].shape[1],), name=f"of_{name}") for name in order]
    labels = network.output_shape[-1] // 2
    first = keras.layers.Lambda(lambda output: output[:, :labels], output_shape=(labels,))
    means = first(network(dict(zip(order, tensors, strict=True))))  # SHAP counts the outputs of the last layer
    model = keras.Model(tensors[0] if len(order) == 1 else tensors, means)
    data, stars = ([np.asarray(arrays[name], np.float32) for name in order] for arrays in (base, inputs))
    if len(order) == 1:
        data, stars = data[0], stars[0]
    explainer = shap.GradientExplainer(model, data, batch_size=BLOCK)
    values = explainer.shap_values(stars, nsamples=samples, rseed=seed)
    values = [values] if len(order) == 1 else values
    return {name: np.moveaxis(np.asarray(array), -1, 1) for name, array in zip(names, values, strict=False)}


def _table(system, names, values):
    """The result from arrays (L, pixels) of each input."""
    out = QTable(meta={"system": system.name, "recipe": system.recipe_name})
    out["input"] = np.concatenate([[name] * values[name].shape[1] for name in names])
    out["pixel"] = np.concatenate([np.arange(values[name].shape[1]) for name in names])
    grids = getattr(system.feature_set, "wavelengths", {})
    if all(name in grids for name in names):
        out["wavelength"] = np.concatenate([grids[name].value for name in names]) * grids[names[0]].unit
    for index, label in enumerate(system.labels):
        column = np.concatenate([values[name][index] for name in names])
        out[label] = column * u.Unit(columns.column(label).unit)
        total = np.abs(column).sum()
        out[f"{label}_share"] = column / total if total > 0 else column
    return out


def _by_lines(table, labels):
    """Sums over the pixels of each group of lines, the strongest groups of one element together."""
    if "wavelength" not in table.colnames:
        raise InputError("lines: the wavelengths of these inputs are not known")
    at = table["wavelength"].to_value("nm")
    of = np.full(len(at), "other", dtype="U8")
    for line in spectral_lines():
        of[(at >= line["low"].to_value("nm")) & (at <= line["high"].to_value("nm"))] = str(line["name"])
    names = [name for name in dict.fromkeys(map(str, spectral_lines()["name"])) if (of == name).any()] + ["other"]
    out = QTable({"feature": names, "pixels": [int((of == name).sum()) for name in names]}, meta=table.meta)
    for label in labels:
        for key in (label, f"{label}_share"):
            sums = [np.sum(np.asarray(table[key])[of == name]) for name in names]
            out[key] = sums * (table[key].unit or u.one) if key == label else sums
    return out
