"""Bit masks by name, against SDSS's and SExtractor's documentation."""

import numpy as np
import pytest

from stellarlabels.exceptions import InputError
from stellarlabels.tables.quality import bitmasks


def test_starflag_of_the_training_sample_is_decoded():
    # Fallows & Sanders 2024, section 2.3: bits 3, 4, 9, 12, 13 and 16.
    assert bitmasks.get("starflag").decode(0x13218) == [
        "VERY_BRIGHT_NEIGHBOR",
        "LOW_SNR",
        "PERSIST_HIGH",
        "PERSIST_JUMP_POS",
        "PERSIST_JUMP_NEG",
        "SUSPECT_RV_COMBINATION",
    ]
    assert bitmasks.get("starflag").decode(78360) == bitmasks.get("starflag").decode(np.int64(0x13218))


@pytest.mark.parametrize(
    ("mask", "value", "expected"),
    [
        ("aspcapflag", 0x800000, ["STAR_BAD"]),
        ("aspcapflag", 1 << 41 | 1, ["TEFF_WARN", "MULTIPLE_SUSPECT"]),
        ("aspcapflag", np.int32(-(2**31)), ["NO_ASPCAP_RESULT"]),
        ("extratarg", 0x10, ["DUPLICATE"]),
        ("extratarg", 0, []),
        ("starflag", 1 << 5 | 1 << 18, ["UNKNOWN_BIT_5", "BAD_RV_COMBINATION"]),
        ("flags", 7, ["NEIGHBORS", "BLENDED", "SATURATED"]),
    ],
)
def test_decode(mask, value, expected):
    assert bitmasks.get(mask).decode(value) == expected


def test_mask_and_any_are_the_inverse():
    mask = bitmasks.get("starflag")
    assert mask.mask(*mask.decode(0x13218)) == 0x13218
    assert mask.mask("LOW_SNR", "LOW_SNR") == 16
    np.testing.assert_array_equal(mask.any([0, 16, 17, 1], "LOW_SNR"), [False, True, True, False])
    for name in bitmasks.names():
        for key in bitmasks.get(name).bits:
            assert bitmasks.get(name).decode(bitmasks.get(name).mask(key)) == [key]
            assert bitmasks.get(name).meanings[key].endswith(".")


def test_wrong_names_and_values_are_named():
    with pytest.raises(InputError, match="'galahflag'"):
        bitmasks.get("galahflag")
    with pytest.raises(InputError, match="'BAD'"):
        bitmasks.get("starflag").mask("BAD")
    for value in (1.0, "1", True):
        with pytest.raises(InputError, match="integer"):
            bitmasks.get("starflag").decode(value)
