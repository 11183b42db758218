"""Comparisons join by identifier, take the best epoch, and count good labels only."""

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable

from stellarlabels import flags, validation
from stellarlabels.exceptions import InputError
from stellarlabels.validation import compare, match, residuals, summarize

STARS = 200
TEFF = np.random.default_rng(1).uniform(4000, 6000, STARS)
OFF = np.random.default_rng(2).normal(0, 30, STARS)


@pytest.fixture
def labels():
    return QTable(
        {
            "source_id": np.arange(STARS) + 10,
            "teff": TEFF * u.K,
            "teff_err": np.full(STARS, 30.0) * u.K,
            "teff_flag": np.zeros(STARS, "i4"),
        }
    )


@pytest.fixture
def reference():
    return QTable({"source_id": np.arange(STARS) + 10, "teff": (TEFF - OFF) * u.K})


def test_the_order_of_the_reference_does_not_matter(labels, reference):
    order = np.random.default_rng(3).permutation(STARS)
    expected = compare(labels, reference)
    assert expected["bias"][0] == pytest.approx(np.median(OFF))
    for function in (compare, summarize):
        one, other = (function(labels, table) for table in (reference, reference[order]))
        assert all((one[name] == other[name]).all() or np.isnan(one[name]).all() for name in one.colnames)
    np.testing.assert_allclose(residuals(labels, reference[order], "teff")[0], OFF, atol=1e-9)


def test_stars_that_are_not_in_both_do_not_count(labels, reference):
    part = reference[150:30:-1]
    found = residuals(labels, part, "teff")[0]
    np.testing.assert_allclose(found[31:151], OFF[31:151], atol=1e-9)
    assert np.isnan(found[:31]).all() and np.isnan(found[151:]).all() and compare(labels, part)["stars"][0] == 120
    rows = np.arange(STARS) < 50
    assert compare(labels, part, rows=rows)["stars"][0] == 19  # rows are those of the labels


def test_what_cannot_be_joined_is_an_error(labels, reference):
    reference["source_id"] += 1000
    with pytest.raises(InputError, match="none of its stars is in labels, joined by 'source_id'; give"):
        compare(labels, reference)
    del reference["source_id"]
    assert compare(labels, reference)["stars"][0] == STARS  # the same rows: nothing tells otherwise
    with pytest.raises(InputError, match="expected 200 rows as in labels, got 199; .* no identifier in common"):
        summarize(labels, reference[1:])


def test_missing_identifiers_are_no_match(labels, reference):
    reference["source_id"] = MaskedColumn(reference["source_id"], mask=np.arange(STARS) == 5)
    labels["source_id"] = MaskedColumn(labels["source_id"], mask=np.arange(STARS) == 7)
    found = residuals(labels, reference[::-1], "teff")[0]
    assert np.flatnonzero(np.isnan(found)).tolist() == [5, 7]


def test_only_what_is_good_on_both_sides_counts(labels, reference):
    labels["teff_flag"][:10] = flags.LABEL["LABEL_RANGE"]
    labels["teff_flag"][10:20] = flags.LABEL["MISSING_PHOTOMETRY"]  # a note
    reference["teff_good"] = np.arange(STARS) >= 30
    assert summarize(labels, reference)["stars"][0] == compare(labels, reference)["stars"][0] == 170
    del reference["teff_good"]
    assert compare(labels, reference)["stars"][0] == 190
    assert compare(labels, reference, good=False)["stars"][0] == STARS


def test_stars_that_the_weights_were_trained_with_are_told_of(labels, reference):
    assert compare(labels, reference)["in_training"][0] == 0 and summarize(labels, reference)["note"][0] == ""
    labels["teff_flag"][:40] |= flags.LABEL["IN_TRAINING"]
    assert compare(labels, reference)["in_training"][0] == 40 and compare(labels, reference)["stars"][0] == STARS
    assert "trained with 40 of the stars" in summarize(labels, reference)["note"][0]


def epochs():
    """The labels of one star in one survey, and of three of its spectra in another: dark, good, better."""
    one = QTable({"obsid": [1], "ra": [292.0587] * u.deg, "dec": [43.9253] * u.deg, "teff": [6450.0] * u.K})
    bad = flags.LABEL["NOISY_INPUT"]
    three = QTable({"obsid": [11, 12, 13], "ra": [292.0587] * 3 * u.deg, "dec": [43.9253] * 3 * u.deg})
    three["teff"] = [4200.0, 6400.0, 6500.0] * u.K
    three["teff_flag"] = np.array([bad, 0, 0], "i4")
    three["snr_b"] = [90.0, 20.0, 40.0]
    return one, three


def test_the_good_epoch_of_highest_signal_to_noise_is_taken():
    one, three = epochs()
    assert match(one, three, by="position")["match_row"].tolist() == [2]
    table = validation.compare_catalogs(one, {"MRS": three}, by="position")
    assert table["median"][0] == -50
    one["source_id"], three["source_id"] = [7], [7, 7, 7]
    assert match(one, three, by="source_id")["match_row"].tolist() == [2]
    assert compare(one, three, names=["teff"])["bias"][0] == -50
    del three["snr_b"]
    assert match(one, three, by="source_id")["match_row"].tolist() == [1]
