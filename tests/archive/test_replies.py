"""Replies as GAVO DaCHS 2.7 gave them, recorded."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from stellarlabels import exceptions
from stellarlabels.archive.tap import replies

REPLIES = Path(__file__).parent / "replies"


def recorded(name):
    return (REPLIES / f"{name}.vot").read_bytes()


def test_a_result():
    out = replies.parse(recorded("ok"), "here")
    assert out["source_id"].dtype == np.int64 and out["source_id"].tolist() == (2**60 + np.arange(4)).tolist()
    assert out["ra"].tolist() == [1, 2.5, 359.99, 180] and out["ra"].unit == "deg"
    assert out["ra"].info.meta == {"ucd": "pos.eq.ra;meta.main"}
    assert out["parallax"].mask.tolist() == [False, True, False, False] and out["parallax"].dtype == np.float32
    assert out["name"].dtype.kind == "U" and out["name"][2] == "star B"
    assert out["ok"].tolist() == [True, False, True, True]
    assert out.meta["citation"].endswith("/tableinfo/field.stars#ti-citing") and "query" not in out.meta


def test_an_empty_result():
    full, empty = (replies.parse(recorded(name), "here") for name in ("ok", "empty"))
    assert len(empty) == 0 and empty.colnames == full.colnames
    assert [empty[name].unit for name in empty.colnames] == [full[name].unit for name in full.colnames]


def test_a_result_that_is_cut_off():
    with pytest.raises(exceptions.TruncatedResultError, match="here: .* after 2 rows"):
        replies.parse(recorded("overflow"), "here")


@pytest.mark.parametrize(
    ("name", "error"), [("syntax", exceptions.QuerySyntaxError), ("table", exceptions.UnknownTableError)]
)
def test_errors(name, error):
    with pytest.raises(error, match="^here: "):
        replies.parse(recorded(name), "here")


@pytest.mark.parametrize("name", ["ok", "empty", "overflow", "syntax"])
def test_no_part_of_a_reply_is_taken_for_all_of_it(name):
    """Cut off anywhere, it is damaged."""
    whole = recorded(name).rstrip()
    for length in range(0, len(whole) - 1, 37):
        with pytest.raises(exceptions.ReplyError):
            replies.parse(whole[:length], "here")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><body>503</body></html>", b'{"rows": []}', b"<VOTABLE></VOTABLE>", b"<VOTABLE", b"\x00" * 99],
)
def test_other_documents(content):
    with pytest.raises(exceptions.ReplyError, match="^here: the reply is"):
        replies.parse(content, "here")


def test_a_flipped_bit_is_no_silent_change():
    """Whatever happens to a single byte of the frame, the result is an error or what was sent."""
    whole, truth = recorded("ok"), replies.parse(recorded("ok"), "here")
    random = np.random.default_rng(1)
    stream = slice(whole.index(b"<STREAM"), whole.index(b"</STREAM>"))
    for place in random.integers(0, len(whole), 60).tolist():
        if stream.start <= place < stream.stop or whole[place : place + 1].isalnum():
            continue
        changed = whole[:place] + b"<" + whole[place + 1 :]
        try:
            out = replies.parse(changed, "here")
        except exceptions.StellarLabelsError:
            continue
        assert Table(out).pformat() == Table(truth).pformat()
