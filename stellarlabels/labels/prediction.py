"""From a table to labels with errors and flags, with the networks of a trained system."""

import numpy as np
from astropy.table import QTable

from stellarlabels import __version__, columns, flags
from stellarlabels.labels.outside import inputs_of

#: Rows whose features are held in memory at once.
CHUNK = 20480


def label_arrays(system, table):
    """Labels (N, L), total errors, terms of the errors and flags of a table that fits into memory, by ends of names."""
    features = system.feature_set.compute(table)
    usable, size = features.usable, (len(table), len(system.labels))
    out = {f"{end}": np.full(size, np.nan) for end in ("", "_err", *(f"_err_{term}" for term in system.error_terms))}
    if usable.any():
        known = features if usable.all() else features[usable]
        for array, found in zip(out.values(), system.ensemble.predict(known), strict=True):
            array[usable] = found
        floors = [system.recipe.per_label.error_floor.get(label, 0.0) for label in system.labels]
        out["_err"][usable] = np.maximum(out["_err"][usable], floors)
    return {**out, "_flag": _flags(system, table, features, out)}


def _flags(system, table, features, arrays):
    """Flags (N, L): of the input, of the domain of the training stars, and the system's own."""
    domain = system.domain
    star = features.flag | domain.star_flags(features, features.arrays[system.compared_in])
    star |= flags.LABEL.where(NOT_APPLICABLE=system.not_applicable(table))
    star |= flags.LABEL.where(SYNTHETIC_TRAINING=np.full(len(table), bool(system.provenance_.get("synthetic"))))
    if system.training_stars is not None:
        star |= flags.LABEL.where(IN_TRAINING=system.training_stars.has(table))
    values = {
        f"{label}{end}": array[:, index] for end, array in arrays.items() for index, label in enumerate(system.labels)
    }
    own, out = system.own_flags(table, values), []
    outside = {} if domain.outside is None else domain.outside.flagged(inputs_of(system, features))
    for label in system.labels:
        found = domain.label_flags(label, values, features.color, outside.get(label, False))
        out.append(star | found | own.get(label, 0))
    return np.stack(out, axis=1)


def label_table(system, table, parts, release):
    """The output table of stars from the dicts of `label_arrays` of its parts, and what is said of their release."""
    arrays = [np.concatenate([part[end] for part in parts]) for end in parts[0]]
    out = QTable()
    key = columns.identifier(table)
    if key is not None:
        out[key] = table[key]
    for index, label in enumerate(system.labels):
        value, error, flag = columns.label_columns(label)
        terms = [columns.error_term(label, term) for term in system.error_terms]
        for declared, data in zip((value, error, *terms, flag), arrays, strict=True):
            out[declared.name] = declared.dress(data[:, index])
        out[columns.good_column(label).name] = columns.good_values(label, out[value.name], out[flag.name])
    out.meta = {
        "system": system.name,
        "recipe": system.recipe_name,
        "stellarlabels": __version__,
        "trained_on": system.provenance_.get("sample", f"{system.provenance_.get('stars')} stars"),
        **release,
    }
    if system.weights_:
        out.meta["weights"] = f"sha256:{system.weights_}"
    return out
