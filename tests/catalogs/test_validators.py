"""Files of the five catalogs, with values and nulls in every column, as STILTS and Astropy's validator see them."""

import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import votable

from stellarlabels import catalogs
from stellarlabels.catalogs import schemas
from stellarlabels.columns import without_unit

pytestmark = [
    pytest.mark.vo,
    pytest.mark.skipif(shutil.which("stilts") is None, reason="stilts is not installed"),
]


@pytest.fixture(params=schemas.available())
def name(request):
    return request.param


@pytest.fixture
def table(name, filled):
    """Ten rows; the third has nothing but the flags of filters, for which other programs have no nulls."""
    out = filled(name, 10)
    for item in schemas.get(name):
        masked = without_unit(out[item.name])
        if not (item.shape and masked.dtype.kind == "i"):
            masked[2] = np.ma.masked
        out[item.name] = item.dress(masked)
    return out


def stilts(*arguments):
    done = subprocess.run(["stilts", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("format_name", ["votable", "votable.tabledata"])
def test_votlint_has_nothing_to_say(name, table, format_name, tmp_path):
    catalogs.write(table, tmp_path / "x.vot", name, format=format_name)
    assert stilts("votlint", f"votable={tmp_path / 'x.vot'}").strip() == ""
    assert "found no violations" in votable.validate(tmp_path / "x.vot", output=None)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")  # the numbers are random
@pytest.mark.parametrize(("suffix", "output"), [(".vot", "votable-binary2"), (".fits", "fits")])
def test_stilts_sees_the_same_values_nulls_units_and_ucds(name, table, suffix, output, tmp_path):
    catalogs.write(table, tmp_path / f"x{suffix}", name)
    copy = tmp_path / f"copy{suffix}"
    stilts("tpipe", f"in={tmp_path / f'x{suffix}'}", f"out={copy}", f"ofmt={output}")
    found = catalogs.read(copy)
    assert found.colnames == schemas.get(name).names
    for item in schemas.get(name):
        info = found[item.name].info
        assert str(info.unit or "") == item.unit, item.name
        assert info.meta["ucd"] == item.ucd
        # STILTS cuts a comment that is longer than a card of FITS
        assert (
            info.description == item.description or suffix == ".fits" and item.description.startswith(info.description)
        )
    found = catalogs.read(copy, name)
    for item in schemas.get(name):
        left, right = without_unit(found[item.name]), without_unit(table[item.name])
        assert left.tolist() == right.tolist(), item.name
