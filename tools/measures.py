"""How predictions are measured against reference labels: the same numbers for every system and its rivals."""

import numpy as np

from stellarlabels.columns import column_values, label_columns
from stellarlabels.labels.uncertainty import coverage, pulls, robust_scatter


def xgboost_predictions(train, test, labels, inputs):
    """Predictions of one XGBoost model (800 trees, depth 6, rate 0.05) for each label.

    Parameters
    ----------
    train, test : `~astropy.table.QTable`
    labels : sequence of str
    inputs : callable
        Turns a table into an array (N, F).
    """
    import xgboost

    options = {"max_depth": 6, "learning_rate": 0.05, "tree_method": "hist", "seed": 1}
    x_train, x_test = inputs(train), xgboost.DMatrix(inputs(test))
    out = {}
    for label in labels:
        y = np.asarray(
            train[label].value, dtype=float
        )  # FITS files have another order of bytes, which XGBoost misreads
        known = np.isfinite(y)
        model = xgboost.train(options, xgboost.DMatrix(x_train[known], y[known]), num_boost_round=800)
        out[label] = model.predict(x_test).astype(float)
    return out


def plain(labels, names):
    """Labels and errors (two dicts of arrays, NaN where masked) of an output table."""
    columns = {name: label_columns(name)[:2] for name in names}
    return tuple({name: column_values(labels, pair[index]) for name, pair in columns.items()} for index in range(2))


def groups(table):
    """Named selections of the held-out stars."""
    g, logg, feh = table["phot_g_mean_mag"].value, table["logg"].value, table["feh"].value
    giants = logg < 3.5
    edges = np.quantile(g, [0, 0.25, 0.5, 0.75, 1])
    out = {
        "all": np.ones(len(table), bool),
        "giants": giants,
        "giants G<13": giants & (g < 13),
        "dwarfs": ~giants,
        "[Fe/H]<-1.5": feh < -1.5,
    }
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        out[f"G {low:.2f}-{high:.2f}"] = (g >= low) & ((g < high) | (high == edges[-1]))
    return out


def measure(table, predicted, errors, labels):
    """Bias, scatter and honesty of the errors for each label and group."""
    out = {}
    for name, rows in groups(table).items():
        out[name] = {}
        for label in labels:
            error = None if errors is None else (errors[label], table[f"{label}_err"].value)
            entry = statistics(table[label].value, predicted[label], rows, error)
            if entry:
                out[name][label] = entry
    return out


def statistics(truth, predicted, rows, errors=None):
    """Bias and scatter of the known ones of these rows; with predicted and reference errors also their honesty."""
    known = rows & np.isfinite(truth) & np.isfinite(predicted)
    if not known.any():
        return {}
    residual = (predicted - truth)[known]
    entry = {
        "stars": int(known.sum()),
        "median_bias": float(np.median(residual)),
        "robust_scatter": robust_scatter(residual),
        "rmse": float(np.sqrt(np.mean(residual**2))),
    }
    if errors is not None:
        error, truth_error = (np.broadcast_to(array, truth.shape)[known] for array in errors)
        pull = pulls(predicted[known], error, truth[known], truth_error)
        entry |= {"pull_width": robust_scatter(pull), "coverage_68": coverage(pull)}
        entry["median_error"] = float(np.median(error))
    return {key: round(value, 5) for key, value in entry.items()}


def show(result):
    for model, by_group in result["measured"].items():
        print(f"\n{model}")
        for group, by_label in by_group.items():
            for label, entry in by_label.items():
                print(f"  {group:14s} {label:8s} " + " ".join(f"{key}={value}" for key, value in entry.items()))
