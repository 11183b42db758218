"""Parameters of a query: a declared type and range; values become literals of ADQL, or an error, and nothing else."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from astropy import units as u

from stellarlabels.exceptions import InputError

__all__ = ["ALL", "Parameter", "TYPES", "identifier", "pieces", "placeholders", "without_comments"]


#: A quoted text or name, a comment, a placeholder, a brace that is none, or a quote that is never closed.
_TOKEN = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?P<comment>--[^\n]*)|\{(?P<placeholder>[a-z][a-z0-9_]*)\}|(?P<wrong>[{}'"])"""
)
_NAME = r'(?:[A-Za-z][A-Za-z0-9_]*|"[^"\';\\\x00-\x1f-]+(?:-[^"\';\\\x00-\x1f-]+)*-?")'
_IDENTIFIER = re.compile(rf"{_NAME}(?:\.{_NAME}){{0,3}}")


def pieces(template):
    """Kinds (plain, quoted, comment, placeholder) and texts of a template, in order; a placeholder's is its name."""
    end = 0
    for match in _TOKEN.finditer(template):
        if match.start() > end:
            yield "plain", template[end : match.start()]
        kind = match.lastgroup
        line = template.count("\n", 0, match.start()) + 1
        if kind == "wrong":
            raise InputError(f"query: line {line}: a quote is not closed, or a brace belongs to no placeholder")
        if kind == "quoted" and re.search(r"\{[a-z][a-z0-9_]*\}", match[0]):
            raise InputError(
                f"query: line {line}: a placeholder inside quotes, {match[0]}; it stands for a whole value"
            )
        if kind == "placeholder":
            before, after = template[: match.start()][-1:], template[match.end() :][:1]
            if (before and before not in " \t\n(,=<>") or (after and after not in " \t\n),;=<>"):
                raise InputError(f"query: line {line}: the placeholder {match[0]} has to stand alone")
        yield kind, match[kind]
        end = match.end()
    if end < len(template):
        yield "plain", template[end:]


def placeholders(template):
    """Names of the placeholders of a template, each once."""
    return list(dict.fromkeys(text for kind, text in pieces(template) if kind == "placeholder"))


def without_comments(template):
    """A template without its comments, blank lines, and blanks at the end of lines."""
    joined = "".join({"comment": "", "placeholder": f"{{{text}}}"}.get(kind, text) for kind, text in pieces(template))
    return "\n".join(line.rstrip() for line in joined.splitlines() if line.strip())


def identifier(name, argument):
    """The name of a table or column that becomes part of a query, after a check."""
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise InputError(f"{argument}: expected the name of a table or column, got {name!r}")
    return name


#: The value of a limit or a region that restricts nothing.
ALL = "all"

#: Keys of a declaration that each type knows, besides ``type``, ``description`` and ``default``.
TYPES = {
    "float": {"unit", "minimum", "maximum"},
    "int": {"minimum", "maximum"},
    "range": {"unit", "minimum", "maximum"},
    "limit": {"maximum"},
    "region": {"columns", "maximum"},
    "str": {"choices", "pattern"},
}

#: What no text may hold, whatever its pattern says: quotes, ends of statements, escapes, comments, and whatever is not
#: plain ASCII.
_HOSTILE = re.compile(r"""['"`;\\]|--|/\*|\*/|[^\x20-\x7e]""")
_ANGLE = "deg"


@dataclass(frozen=True)
class Parameter:
    """Declaration of a parameter.

    Parameters
    ----------
    name : str
    type : {"float", "int", "range", "limit", "region", "str"}
    description : str
    default : object, optional
        Value if none is given; without it, one has to be given.
    unit : str
        Unit of a float or a range.
    minimum, maximum : float, optional
        Limits, included; of a region, ``maximum`` is that of its radius in degrees.
    choices : sequence of str
        The texts that are allowed.
    pattern : str, optional
        Regular expression that a whole text has to match.
    columns : sequence of str
        For a region, the query's names of right ascension and declination.

    Raises
    ------
    InputError
        If the declaration is not as described, or the default does not agree with it.
    """

    name: str
    type: str
    description: str
    default: object = None
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence = ()
    pattern: str | None = None
    columns: Sequence = ()

    def __post_init__(self):
        where = f"parameter {self.name!r}"
        if self.type not in TYPES:
            raise InputError(f"{where}: type: expected one of {', '.join(TYPES)}, got {self.type!r}")
        if not self.description:
            raise InputError(f"{where}: a description is needed")
        given = {"unit", "minimum", "maximum", "choices", "pattern", "columns"} - {
            key for key in ("unit", "minimum", "maximum", "choices", "pattern", "columns")
            if getattr(self, key) in (None, "", (), [])
        }  # fmt: skip
        if given - TYPES[self.type]:
            raise InputError(f"{where}: a {self.type} has no {', '.join(sorted(given - TYPES[self.type]))}")
        if self.type == "str" and bool(self.choices) == bool(self.pattern):
            raise InputError(f"{where}: a str needs either choices or a pattern")
        if self.type == "region":
            if len(self.columns) != 2:
                raise InputError(f"{where}: columns: expected the names of right ascension and declination")
            for column in self.columns:
                identifier(column, f"{where}: columns")
        if self.unit:
            try:
                u.Unit(self.unit)
            except ValueError as error:
                raise InputError(f"{where}: unit: {self.unit!r} is no unit") from error
        if self.default is not None:
            self.value(self.default)

    def value(self, given):
        """A value in the declared unit, after a check."""
        if given is None or (isinstance(given, str) and _HOSTILE.search(given)):
            raise self._wrong(given)
        return getattr(self, f"_{self.type}")(given)

    def literal(self, value):
        """The text of a value that stands in the query."""
        if self.type == "str":
            return f"'{value}'"
        if self.type == "limit":
            return "" if value == ALL else f"TOP {value}"
        if self.type == "range":
            return " AND ".join(map(_number, value))
        if self.type == "region":
            if value == ALL:
                return "1 = 1"
            circle = ", ".join(map(_number, value))
            return f"1 = CONTAINS(POINT('ICRS', {', '.join(self.columns)}), CIRCLE('ICRS', {circle}))"
        return _number(value)

    def expected(self):
        """What a value has to be, in words."""
        unit = f" in {self.unit}" if self.unit else ""
        low = "" if self.minimum is None else f" from {self.minimum:g}"
        high = "" if self.maximum is None else f" up to {self.maximum:g}"
        if self.type == "str":
            return "one of " + ", ".join(self.choices) if self.choices else f"a text like {self.pattern}"
        if self.type == "region":
            radius = "" if self.maximum is None else f" of at most {self.maximum:g} deg"
            return f"right ascension, declination and radius{radius} (deg), or {ALL!r}"
        return {
            "float": f"a number{unit}",
            "int": "an integer",
            "range": f"two numbers{unit}, the smaller one first,",
            "limit": f"a positive integer or {ALL!r}",
        }[self.type] + (low + high)

    def _wrong(self, given):
        return InputError(f"{self.name}: expected {self.expected()}, got {given!r}")

    def _float(self, given, unit=None):
        number = self._plain(given, self.unit if unit is None else unit)
        return self._inside(number, given)

    def _int(self, given):
        if isinstance(given, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,19}\s*", given):
            given = int(given)
        if isinstance(given, bool | np.bool_) or not isinstance(given, Integral) or abs(int(given)) >= 2**63:
            raise self._wrong(given)
        return self._inside(int(given), given)

    def _range(self, given):
        low, high = (self._float(part) for part in self._parts(given, 2))
        if low > high:
            raise self._wrong(given)
        return low, high

    def _limit(self, given):
        if isinstance(given, str) and given.strip() == ALL:
            return ALL
        number = self._int(given)
        if number < 1:
            raise self._wrong(given)
        return number

    def _region(self, given):
        if isinstance(given, str) and given.strip() == ALL:
            return ALL
        ra, dec, radius = (self._plain(part, _ANGLE) for part in self._parts(given, 3))
        largest = 180 if self.maximum is None else self.maximum
        if not (0 <= ra <= 360 and -90 <= dec <= 90 and 0 < radius <= largest):
            raise self._wrong(given)
        return ra, dec, radius

    def _str(self, given):
        if not isinstance(given, str):
            raise self._wrong(given)
        allowed = given in self.choices if self.choices else re.fullmatch(self.pattern, given, re.ASCII)
        if not allowed:
            raise self._wrong(given)
        return given

    def _parts(self, given, count):
        """The members of a sequence, or of a text with commas or blanks."""
        parts = given.split("," if "," in given else None) if isinstance(given, str) else given
        try:
            parts = list(parts)
        except TypeError as error:
            raise self._wrong(given) from error
        if len(parts) != count:
            raise self._wrong(given)
        return parts

    def _plain(self, given, unit):
        """A finite float in a unit; a text may name a unit of its own."""
        number = given
        try:
            if isinstance(number, str):
                number = float(number) if _is_number(number) else u.Quantity(number)
            if isinstance(number, u.Quantity):
                number = number.to_value(unit)
        except (TypeError, ValueError) as error:
            raise self._wrong(given) from error
        if isinstance(number, np.ndarray) and number.shape == ():
            number = number[()]
        if isinstance(number, bool | np.bool_) or not isinstance(number, Real) or not math.isfinite(number):
            raise self._wrong(given)
        return float(number)

    def _inside(self, number, given):
        if (self.minimum is not None and number < self.minimum) or (self.maximum is not None and number > self.maximum):
            raise self._wrong(given)
        return number


def _number(value):
    """A number as an ADQL literal; a negative one in parentheses, so that no sign can make a comment of it."""
    return f"({value!r})" if value < 0 else repr(value)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
