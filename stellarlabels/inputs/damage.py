"""Kinds of damage to spectra: how they are registered, and which spectra are spoiled in which way and how badly."""

import numpy as np


class Damages(dict):
    """Functions that spoil spectra, by their names."""

    def kind(self, function):
        """Put a function into the dictionary; a decorator."""
        self[function.__name__] = function
        return function

    def drawn(self, count, names, severity, random):
        """For each kind its function and rows, how badly (N,), 0 to 1, and how (N,) so many spectra are spoiled."""
        names = list(self) if names is None else list(names)
        chosen = random.integers(len(names), size=count)
        severities = random.uniform(0.05, 1, count) if severity is None else np.full(count, float(severity))
        spoiled = ((self[name], np.flatnonzero(chosen == index)) for index, name in enumerate(names))
        return [(function, rows) for function, rows in spoiled if rows.size], severities, np.array(names)[chosen]
