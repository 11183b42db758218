"""Checksums of FITS: ones' complement sums of 32-bit words, and their text (FITS Standard 4.0, appendix J)."""

import numpy as np

_WORD = 2**32 - 1
#: Characters that the text avoids: those between the digits and the letters.
_PUNCTUATION = set(range(ord(":"), ord("@") + 1)) | set(range(ord("["), ord("`") + 1))


class Sum:
    """A sum that grows with the bytes that are added, in all a multiple of four; up to three wait for the next ones."""

    def __init__(self, value=0):
        self.value = value
        self._rest = b""

    def add(self, data):
        """Add bytes."""
        if self._rest:
            head = self._rest + bytes(data[: 4 - len(self._rest)])
            data = memoryview(data)[4 - len(self._rest) :]
            self._rest = b""
            if len(head) < 4:
                self._rest = head
                return
            self._fold(int.from_bytes(head, "big"))
        whole = len(data) // 4 * 4
        self._fold(int(np.frombuffer(data, ">u4", whole // 4).sum(dtype=np.uint64)))
        self._rest = bytes(data[whole:])

    def _fold(self, more):
        total = self.value + more
        while total > _WORD:
            total = (total & _WORD) + (total >> 32)
        self.value = total


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
