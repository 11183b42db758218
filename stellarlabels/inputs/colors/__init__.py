"""Photometric colors as network inputs, for any survey: a set of colors is data, not code.

The feature set ``colors`` takes a `ColorSet`: by name, for those that ship with the package (`available`), as a path of
an ECSV file of the same form, or as a dict of plain values (`ColorSet.to_dict`), which travels in a saved model.

>>> from stellarlabels.inputs.colors import ColorSet
>>> sdss = ColorSet.make("sdss", bands=["u", "g", "r", "i", "z"], colors=["u-g", "g-r", "r-i", "i-z"])
>>> sdss.matrix.astype(int).tolist()
[[1, -1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 0, 1, -1, 0], [0, 0, 0, 1, -1]]
"""

from stellarlabels.inputs.colors.definition import Band, ColorSet, available, color_set
from stellarlabels.inputs.colors.set import Colors, add_noise, intrinsic_color, jplus_error, photometric_error

__all__ = [
    "Band",
    "ColorSet",
    "Colors",
    "add_noise",
    "available",
    "color_set",
    "intrinsic_color",
    "jplus_error",
    "photometric_error",
]
