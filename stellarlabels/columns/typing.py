"""What texts mean: numbers, truth values or text, decided by all the texts of a column, so that none loses a digit."""

import re

import numpy as np

_WORDS = """#N/A #NA -1.#IND -1.#QNAN 1.#IND 1.#QNAN -NaN -nan NaN nan NAN N/A n/a NA na <NA> NaT NULL Null null
None none INDEF masked - -- --- ... ?"""
#: Words for nothing among numbers: of databases, pandas, R, IRAF, Astropy and the CDS.
NULLS = ("", "#N/A N/A", r"\N", *_WORDS.split())
_WHOLE = r"^[+-]?\d+(\.0*)?$"
_FLOAT = r"^[+-]?((\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?|inf|Inf|INF|infinity|Infinity)$"
_COMMA = r"^([+-]?\d*),(\d+([eEdD][+-]?\d+)?)$"
_NUMBER = re.compile(_FLOAT)
#: The first integer that floats do not hold for sure.
_EXACT = 2**53


def is_number(text, *, comma=False):
    """Whether a text is a number."""
    return bool(_NUMBER.match(re.sub(_COMMA, r"\1.\2", text) if comma else text))


def cleaned(texts):
    """Texts without blanks around them; words for nothing are null."""
    pa, pc = _arrow()
    texts = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(texts, pa.array(NULLS)), pa.scalar(None, pa.string()), texts)


def decide(texts, *, comma=False):
    """The type of all texts of a column, and the first text that is no number where most of them are."""
    # Integers stay integers as long as they fit into 64 bits, also beside -9999.0; integers that floats would round
    # beside fractions stay text. With "comma", a comma may stand for the point.
    _, pc = _arrow()
    texts = cleaned(texts).drop_null()
    if not len(texts):
        return "float64", None
    if pc.all(pc.match_substring_regex(texts, "^(true|false|True|False|TRUE|FALSE)$")).as_py():
        return "bool", None
    whole = pc.match_substring_regex(texts, _WHOLE)
    if pc.all(whole).as_py():
        return _integers(texts), None
    texts = _pointed(texts) if comma else texts
    numbers = pc.match_substring_regex(texts, _FLOAT)
    share = pc.mean(numbers).as_py()
    if share < 1:
        return "string", pc.filter(texts, pc.invert(numbers))[0].as_py() if share >= 0.5 else None
    large = np.abs(_floats(pc.filter(texts, whole))) >= _EXACT
    return ("string", None) if large.any() else ("float64", None)


def _integers(texts):
    """The type of texts of integers, some perhaps with a point."""
    pa, pc = _arrow()
    digits = _digits(texts)
    for kind in (pa.int64(), pa.uint64()):
        try:
            values = digits.cast(kind)
        except pa.ArrowInvalid:
            continue
        has_point = pc.any(pc.match_substring(texts, ".")).as_py()
        largest = max(abs(value) for value in pc.min_max(values).as_py().values())
        return "float64" if has_point and largest < _EXACT else str(kind)
    return "string"


def _digits(texts):
    return _arrow()[1].replace_substring_regex(texts, r"^\+|\.0*$", "")


def _pointed(texts):
    return _arrow()[1].replace_substring_regex(texts, _COMMA, r"\1.\2")


def _floats(texts):
    """Texts as floats, NaN where null; exponents may be Fortran's."""
    pa, pc = _arrow()
    texts = pc.replace_substring_regex(pc.replace_substring_regex(texts, r"^\+", ""), "[dD]", "e")
    return pc.fill_null(texts.cast(pa.float64()), np.nan).to_numpy()


def converted(texts, kind, *, comma=False):
    """The texts of a column, or a part of it, as values of the type that `decide` gave, and where they are missing."""
    _, pc = _arrow()
    if kind == "string":
        out = np.asarray(pc.fill_null(texts, "").to_numpy(zero_copy_only=False)).astype(np.str_)
        return out, None
    texts = cleaned(texts)
    if kind == "float64":
        return _floats(_pointed(texts) if comma else texts), None
    mask = np.asarray(pc.is_null(texts).to_numpy(zero_copy_only=False))
    if kind == "bool":
        return np.asarray(pc.fill_null(pc.utf8_lower(texts), "").to_numpy(zero_copy_only=False)) == "true", mask
    values = pc.fill_null(_digits(texts).cast(kind), 0).to_numpy(zero_copy_only=False)
    return np.array(values), mask


def typed(data):
    """An array of texts as what they mean: values, where they are missing, and a word among numbers, as of `decide`."""
    pa, _ = _arrow()
    texts = pa.array(np.ascontiguousarray(data).reshape(-1), pa.string())
    kind, odd = decide(texts)
    values, mask = converted(pa.chunked_array([texts]), kind)
    return values.reshape(data.shape), None if mask is None else mask.reshape(data.shape), odd


def _arrow():
    """Apache Arrow and its functions, imported on first use."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa, pc
