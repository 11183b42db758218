"""Spectro-photometric distances: closed-form PDFs, their product with parallaxes and priors, absolute magnitudes."""

from importlib import import_module as _import_module

#: Public names, and the module that each is in.
_LAZY = {
    "DistancePDF": "pdf",
    "DistancePosterior": "posterior",
    "Prior": "priors",
    "UniformDistance": "priors",
    "UniformDensity": "priors",
    "ExponentialDensity": "priors",
    "distances": "table",
    "absolute_magnitude": "absolute",
    "distance_modulus": "absolute",
    "distance_from_modulus": "absolute",
    "pseudo_absolute_magnitude": "absolute",
    "absolute_from_pseudo": "absolute",
    "pseudo_from_absolute": "absolute",
}

__all__ = list(_LAZY)


def __getattr__(name):
    if name in _LAZY:
        value = getattr(_import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
