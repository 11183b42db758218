"""What to be careful about, in sentences that the numbers of a report justify."""

import numpy as np

from stellarlabels.plots import plain, unit
from stellarlabels.report.numbers import along, repeated
from stellarlabels.report.page import Finding, count, number, percent, with_error, with_unit
from stellarlabels.validation import by_bins

#: Errors are called wrong from this on: share by which they are off, and standard errors of the pull width.
_OFF, _SURE = 0.1, 3.0
#: A bias is worth a sentence from this on: share of the scatter, and standard errors of the median.
_BIASED, _CERTAIN = 0.3, 2.5
#: Shares of stars with a flag, without a label, and beyond three sigma that are worth a sentence.
_FLAGGED, _MISSING, _FAR = 0.2, 0.2, 0.02
#: What a range is called that holds all stars.
ALL = "all stars"
#: With fewer stars than this nothing is said of errors, and nothing of those in a range.
_LEAST, _IN_RANGE = 30, 50


def of_catalog(source, contents, tally):
    """Sentences on the catalog, from what it holds of each label and the tally of its flags: list of `Finding`."""
    out = []
    if not len(source.table):
        return [Finding("problem", "The catalog has no rows.")]
    if not source.labels:
        out.append(Finding("problem", "The catalog has no column that is a label of the vocabulary."))
    name, number_of = repeated(source.table)
    if name is None:
        out.append(Finding("caution", "The catalog has no identifier; references are matched by position."))
    elif number_of:
        text = f"{count(number_of, 'row')} {'has' if number_of == 1 else 'have'} an identifier ({name}) that another"
        out.append(Finding("caution", f"{text} row has, too."))
    if source.without_unit:
        names = ", ".join(source.without_unit)
        verb, are = ("has", "is") if len(source.without_unit) == 1 else ("have", "are")
        text = f"{names} {verb} no unit in the file and {are} taken to be in the unit of the vocabulary."
        out.append(Finding("caution", text))
    for row in contents:
        out += _of_column(row, len(source.table))
    out += _of_flags(source, contents, tally)
    if source.labels and not any(key in source.table.meta for key in ("weights", "system", "schema")):
        out.append(Finding("note", "The file does not say with which system or weights the labels were made."))
    return out


def of_comparison(comparison):
    """Sentences on a catalog against one reference: list of `Finding`."""
    if comparison.note:
        return [Finding("problem", f"{comparison.title}: {comparison.note}", reference=comparison.title)]
    out = []
    for row in comparison.table:
        name = str(row["label"])
        if row["group"] != "all":
            continue
        if not row["stars"]:
            text = f"{plain(name)} is not compared with {comparison.title}: {row['note']}."
            out.append(_about(comparison, name, "note", text))
            continue
        if row["stars"] < _LEAST:
            text = f"Only {count(row['stars'])} can be compared in {plain(name)} with {comparison.title}; the numbers"
            out.append(_about(comparison, name, "caution", f"{text} are uncertain."))
            continue
        if row["note"] and not str(row["note"]).startswith("no predicted"):
            out.append(_about(comparison, name, "caution", f"{plain(name)}: {row['note']}."))
        out += _bias(comparison, name, row)
        out += _errors(comparison, name)
    return out + _wings(comparison)


def _wings(comparison):
    """One sentence on labels of which many residuals are far out."""
    everyone = comparison.table[np.asarray(comparison.table["group"]) == "all"]
    rows = [row for row in everyone if row["stars"] >= _LEAST and row["clipped"] > _FAR]
    if not rows:
        return []
    told = ", ".join(f"{percent(row['clipped'])} in {plain(str(row['label']))}" for row in rows)
    text = f"More residuals than the 0.3 % of a Gaussian are beyond 3 sigma of the fit to them: {told}."
    return [Finding("caution", text, reference=comparison.title)]


def _of_column(row, rows):
    """Sentences on one label of the catalog."""
    name = str(row["label"])
    text, stars = plain(name), row["stars"]
    if not stars:
        return [Finding("problem", f"{text} is missing for all stars.", name)]
    out = []
    if row["missing"] > _MISSING * rows:
        out.append(Finding("note", f"{text} is missing for {percent(row['missing'] / rows)} of the stars.", name))
    if stars > 1 and row["smallest"] == row["largest"]:
        same = with_unit(row["smallest"], name, 4)
        out.append(Finding("problem", f"{text} is the same for all stars: {same}.", name))
    if not np.isfinite(row["error"]):
        out.append(Finding("note", f"The catalog gives no errors of {text}.", name))
    if row["bad_errors"]:
        have = "has an error" if row["bad_errors"] == 1 else "have errors"
        have += f" of {text} that {'is' if row['bad_errors'] == 1 else 'are'} not positive."
        out.append(Finding("problem", f"{count(row['bad_errors'])} {have}", name))
    return out


def _of_flags(source, contents, tally):
    """Sentences on flags that many stars have; one for each flag, with all the labels that it concerns."""
    often = {}
    for row in tally:
        if row["level"] in ("caution", "bad") and row["share"] > _FLAGGED:
            often.setdefault((str(row["flag"]), str(row["meaning"])), []).append((str(row["column"]), row["share"]))
    out = []
    for (flag, meaning), columns in often.items():
        shares = [share for _, share in columns]
        low, high = percent(min(shares)), percent(max(shares))
        share = high if low == high else f"{low.removesuffix(' %')} to {high}"
        names = ", ".join(name for name, _ in columns)
        out.append(Finding("caution", f"{share} of the stars have the flag {flag} ({names}): {meaning}"))
    return out


def _bias(comparison, name, row):
    """A sentence if the median residual is large, for all stars or at one end of the label."""
    out, text = [], plain(name)
    if abs(row["median"]) > max(_BIASED * row["robust_sigma"], _CERTAIN * np.nan_to_num(row["median_err"])):
        out.append(_about(comparison, name, "caution", f"{text} is {_amount(row['median'], row['median_err'], name)}."))
    found = _bins(comparison, name, name)
    if found is None:
        return out
    off = found["median"] - row["median"]
    large = np.abs(off) > np.maximum(_BIASED * row["robust_sigma"], _CERTAIN * np.nan_to_num(found["median_err"]))
    signs = np.where(large & (found["stars"] >= _LEAST) & (np.abs(found["median"]) > np.abs(off) / 2), np.sign(off), 0)
    for first, last in _runs(signs):
        if (first, last) == (0, len(found) - 1):
            continue
        inside = found[first : last + 1]
        weight = inside["stars"] / inside["stars"].sum()
        error = np.sqrt(np.sum((weight * np.nan_to_num(inside["median_err"])) ** 2))
        middle = float(np.sum(weight * inside["median"]))
        where = _range(found, first, last, f"a reference {text}", unit(name))
        out.append(_about(comparison, name, "caution", f"{text} is {_amount(middle, error, name)} for {where}."))
    return out


def _errors(comparison, name):
    """Sentences on errors that are too small or too large: for all stars, in a range of brightness, or of the label."""
    everyone = comparison.calibration[np.asarray(comparison.calibration["label"]) == name][0]
    if everyone["stars"] < _LEAST or not everyone["pull_width"] > 0:
        return []
    quantities = filter(None, (along(comparison.labels, comparison.truth), name))
    parts = [part for quantity in quantities for part in _wrong_parts(comparison, name, quantity)]
    if _verdict(everyone["pull_width"], everyone["pull_width_err"]) and (not parts or ALL in dict(parts)):
        return [_about(comparison, name, "caution", f"{_sized(name, everyone)}.")]
    said = [f"{_sized(name, row)} for {where}." for where, row in parts if where != ALL]
    if said:
        return [_about(comparison, name, "caution", text) for text in said]
    width = float(everyone["pull_width"])
    told = f"the pull width is {with_error(width, everyone['pull_width_err'])} from {count(everyone['stars'])}."
    if 1 - _OFF < 1 / width < 1 + _OFF:
        text = f"The errors of {plain(name)} are right to within {percent(_OFF)}: {told}"
    else:
        look = "small" if width > 1 else "large"
        text = f"The errors of {plain(name)} look too {look}, but there are too few stars to be sure: {told}"
    return [_about(comparison, name, "note", text)]


def _wrong_parts(comparison, name, quantity):
    """Ranges of a quantity in which errors are wrong: words for each, and its row of numbers."""
    found = _bins(comparison, name, quantity)
    if found is None:
        return
    for first, last in _runs([_verdict(width) for width in found["pull_width"]]):
        edges = [float(found["low"][first]), float(found["high"][last])]
        if not edges[0] < edges[1]:
            continue
        values = comparison.truth[name] if quantity == name else quantity
        row = by_bins(comparison.labels, comparison.truth, name, values, bins=edges, bootstrap=100)[0]
        if row["stars"] >= _IN_RANGE and _verdict(row["pull_width"], row["pull_width_err"]):
            text = f"a reference {plain(name)}" if quantity == name else plain(quantity)
            yield _range(found, first, last, text, unit(quantity)), row


def _verdict(width, error=0.0):
    """1 for errors that are too small, -1 for too large ones, 0 if they are right or nobody knows."""
    if not (np.isfinite(width) and np.isfinite(error)) or width <= 0 or abs(width - 1) < _SURE * error:
        return 0
    return 1 if 1 - 1 / width > _OFF else -1 if 1 / width - 1 > _OFF else 0


def _sized(name, row):
    """By how much errors are wrong: an error that should be 1.25 times as large is 20 % too small."""
    width = float(row["pull_width"])
    off, word = (1 - 1 / width, "small") if width > 1 else (1 / width - 1, "large")
    told = with_error(width, float(row["pull_width_err"]))
    return f"Errors of {plain(name)} are {percent(round(off, 2))} too {word} (pull width {told}, {count(row['stars'])})"


def _amount(value, error, name):
    """An offset in words."""
    told = with_error(abs(value), error)
    return f"{told} {unit(name)}".rstrip() + f" too {'high' if value > 0 else 'low'} (median residual)"


def _range(found, first, last, text, unit_text):
    """A range of bins in words; the outermost bins are open."""
    low, high = (
        f"{number(float(value), 3 if abs(value) < 1000 else 4)} {unit_text}".rstrip()
        for value in (found["low"][first], found["high"][last])
    )
    if first == 0 and last == len(found) - 1:
        return ALL
    if first == 0:
        return f"{text} < {high}"
    if last == len(found) - 1:
        return f"{text} > {low}"
    return f"{text} between {low} and {high}"


def _runs(signs):
    """First and last place of each run of equal signs that are not 0."""
    start = 0
    for place in range(1, len(signs) + 1):
        if place == len(signs) or signs[place] != signs[start]:
            if signs[start]:
                yield start, place - 1
            start = place


def _bins(comparison, name, quantity):
    """The bins of a label along a quantity, if there are at least two."""
    table = comparison.bins
    if table is None or not len(table):
        return None
    rows = (np.asarray(table["label"]) == name) & (np.asarray(table["along"]) == quantity)
    return table[rows] if rows.sum() > 1 else None


def _about(comparison, name, kind, text):
    return Finding(kind, text, name, comparison.title)
