"""Networks: the only part that imports Keras. Builders and losses register themselves.

Everything here is imported on first use, since Keras takes seconds.
"""

from importlib import import_module

_LAZY = {
    "PASSES": "error_propagation",
    "Propagation": "error_propagation",
    "Terms": "error_propagation",
    "adapt": "kinds",
    "build": "kinds",
    "cross_entropy": "classifier",
    "cost_weights": "training",
    "described": "kinds",
    "freeze_means": "perceptrons",
    "has_learner": "kinds",
    "held_out": "training",
    "learner": "kinds",
    "losses": "losses",
    "means_of": "perceptrons",
    "ours_only": "kinds",
    "predict": "training",
    "register": "kinds",
    "split_groups": "training",
    "student_options": "kinds",
    "train": "training",
    "weight_shapes": "kinds",
    "with_noise": "perceptrons",
}

#: What needs no Keras.
_LIGHT = {"PASSES", "Propagation", "Terms", "cost_weights", "held_out", "ours_only", "register", "split_groups"}

__all__ = ["learner", "register"]


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _LIGHT:
        import_module(f"{__name__}.kinds").load_keras()
    module = import_module(f"{__name__}.{_LAZY[name]}")
    return module if name == _LAZY[name] else getattr(module, name)


def __dir__():
    return sorted({*globals(), *_LAZY})
