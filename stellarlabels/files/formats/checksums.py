"""Checksums of FITS: ones' complement sums of 32-bit words, and their text (FITS Standard 4.0, appendix J)."""

import numpy as np

_WORD = 2**32 - 1
#: Characters that the text avoids: those between the digits and the letters.
_PUNCTUATION = set(range(ord(":"), ord("@") + 1)) | set(range(ord("["), ord("`") + 1))


def added(value, data):
    """A sum with the bytes that follow, a multiple of four."""
    total = value + int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total > _WORD:
        total = (total & _WORD) + (total >> 32)
    return total


def encoded(value):
    """The 16 characters that make the sum of a header and its data minus zero if it is ``value`` without them."""
    complement = _WORD - value
    columns = np.zeros((4, 4), int)
    for index, byte in enumerate(complement.to_bytes(4, "big")):
        quotient, remainder = divmod(byte, 4)
        column = [quotient + ord("0")] * 4
        column[0] += remainder
        while _PUNCTUATION & set(column):
            for first in (0, 2):
                if _PUNCTUATION & {column[first], column[first + 1]}:
                    column[first] += 1
                    column[first + 1] -= 1
        columns[:, index] = column
    text = "".join(map(chr, columns.ravel()))
    return text[-1] + text[:-1]
