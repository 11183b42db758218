"""Units as text in the dialects of file formats, and back.

Neither FITS nor VOUnits knows ``dex``, the unit of [Fe/H] and of every other logarithmic label. VOUnits has quotes for
such units, ``'dex'``; FITS gets the plain word; at the CDS it is ``[-]``. All other units are written as the standards
ask.
"""

import re
import warnings

from astropy import units as u

from stellarlabels.exceptions import ColumnUnitError

_SEPARATORS = {"vounit": (".", "**"), "fits": (" ", ""), "cds": (".", "")}
_DEX = {"vounit": "'dex'", "fits": "dex", "cds": "[-]"}
#: Not in VOUnits. Astropy forgets that once it has read the quoted form from any file.
_NOT_IN_VOUNITS = {"electron"}
#: Logarithms of a physical quantity: "log(cm.s**-2)" in the Gaia archive; "[cm/s2]" at the CDS, "[-]" for a
#: ratio, which Astropy calls "dex(---)".
_LOGARITHM = re.compile(r"log\((.+)\)|\[(.+)\]|dex\((-+)\)")


def spell(unit, dialect, name):
    """A unit as text in a dialect ("fits", "vounit", "cds"); what is no unit stays, what has no words is refused."""
    if not unit:
        return ""
    unit = u.Unit(unit, parse_strict="silent")
    if isinstance(unit, u.UnrecognizedUnit):
        return unit.to_string()
    if unit == u.dimensionless_unscaled:
        return ""
    if unit == u.dex:
        return _DEX[dialect]
    if isinstance(unit, u.function.FunctionUnitBase):
        raise ColumnUnitError(f"column {name!r} has the unit {unit}, which files cannot hold; convert it first")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)  # deprecated units are still the ones that were asked for
        try:
            if dialect != "vounit" or not _NOT_IN_VOUNITS.intersection(map(str, unit.bases)):
                return unit.to_string(dialect)
        except ValueError:
            pass
        return _spell_bases(unit, dialect, name)


def _spell_bases(unit, dialect, name):
    """A product of bases of which the dialect does not know all; VOUnits wants those in quotes."""
    if unit.scale != 1:
        raise ColumnUnitError(f"column {name!r} has the unit {unit}, which files cannot hold; convert it first")
    product, power_sign = _SEPARATORS[dialect]
    words = []
    for base, power in zip(unit.bases, unit.powers, strict=True):
        try:
            word = base.to_string(dialect)
        except ValueError:
            word = str(base)
        if dialect == "vounit" and (word in _NOT_IN_VOUNITS or not _is_vounit(word)):
            word = f"'{word}'"
        words.append(word if power == 1 else f"{word}{power_sign}{power}")
    return product.join(words)


def _is_vounit(word):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", u.UnitsWarning)
            u.Unit(word, format="vounit")
    except (ValueError, u.UnitsWarning):
        return False
    return True


def parse(text):
    """The unit that a file's text means, as `astropy.units.Unit` reads it; "" for none, the text itself for no unit."""
    text = (text or "").strip()
    if not text:
        return ""
    logarithm = _LOGARITHM.fullmatch(text)
    if logarithm:
        inner = parse("".join(filter(None, logarithm.groups())).strip("-"))
        return f"dex({inner})" if inner else "dex"
    with warnings.catch_warnings():
        warnings.simplefilter("error", u.UnitsWarning)
        for dialect in ("generic", "fits", "vounit", "cds"):
            try:
                return u.Unit(text.replace("'", ""), format=dialect).to_string()
            except (ValueError, TypeError, u.UnitsWarning):
                continue
    return text


def understood(unit):
    """The unit that is meant by one that astropy did not recognise; itself if nobody knows it, None for none."""
    if unit is None or str(unit).strip() == "":
        return None if not isinstance(unit, u.UnitBase) or isinstance(unit, u.UnrecognizedUnit) else unit
    if isinstance(unit, u.UnitBase | u.function.FunctionUnitBase) and not isinstance(unit, u.UnrecognizedUnit):
        return unit
    return u.Unit(parse(str(unit)), parse_strict="silent")
