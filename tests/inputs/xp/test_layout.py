"""How many coefficients a spectrum has is declared with the release, and nowhere else."""

import tokenize
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

import stellarlabels
from stellarlabels import releases
from stellarlabels.exceptions import ReleaseError
from stellarlabels.inputs.xp import COLUMNS, SIZES, read_xp
from stellarlabels.inputs.xp.layout import REFERENCE, TOTAL, columns, lengths

PACKAGE = Path(stellarlabels.__file__).parent

#: Numbers of coefficients of a band and of both, of correlations and covariances, and of samples.
NUMBERS = {"51", "55", "110", "1485", "1540", "343"}

#: Where such a number means something else.
OTHER_MEANING = {
    "inputs/spectra/normalised.py": {"51"},  # pixels of a filter
    "plots/calibration.py": {"55"},  # per cent
    "systems/solardis.py": {"110"},  # a pixel of LAMOST
}


def test_numbers_follow_from_the_release():
    assert SIZES == {"bp": 55, "rp": 55} and TOTAL == 110 and REFERENCE == 55
    assert columns("bp") == slice(0, 55) and columns("rp") == slice(55, 110)
    assert COLUMNS["bp_coefficient_correlations"] == 1485 == lengths("Gaia DR4")["rp_coefficient_correlations"]
    assert lengths("Gaia DR4")["bp_coefficient_correlations"] == 51 * 50 / 2


def test_no_such_number_is_in_the_code():
    found = set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        with tokenize.open(path) as file:
            numbers = {item.string for item in tokenize.generate_tokens(file.readline) if item.type == tokenize.NUMBER}
        found |= {f"{name}: {number}" for number in (numbers & NUMBERS) - OTHER_MEANING.get(name, set())}
    assert found == set(), "take it from stellarlabels.inputs.xp: SIZES, COLUMNS, WAVELENGTH.size"


#: Real files, and how many stars with coefficients they hold.
REAL = {
    "XP_CONTINUOUS_RAW.csv": 2,
    "XP_CONTINUOUS_RAW.ecsv": 2,
    "XP_CONTINUOUS_RAW.fits": 2,
    "XP_CONTINUOUS_RAW.xml": 2,
    "XP_CONTINUOUS_RAW_with_missing_BP.csv": 3,
    "XP_CONTINUOUS_RAW_with_missing_BP.fits": 3,
    "xp_continuous_616.parquet": 616,
    "xp_continuous_combined_chunk0.fits": 2000,
    "xp_continuous_combined_weiler2023_examples.vot": 4,
    "gaia_dr3_source_id_5937083312263887616_dl_products_fits.zip": 1,
}

#: Real files of samples, in which nothing tells the release.
SAMPLED = ("calibrator_solution_default.csv", "with_missing_calibrator_solution.csv")


def test_the_folder_has_no_others(real_data):
    assert {path.name for path in (real_data / "gaia_xp").iterdir()} == {*REAL, *SAMPLED}


@pytest.mark.parametrize("name", REAL)
def test_real_spectra_are_recognized(real_data, name):
    path = real_data / "gaia_xp" / name
    if name.endswith("parquet"):
        table = Table.from_pandas(pd.read_parquet(path))
    else:
        table = read_xp(path, sample=False)
        assert table.meta["release"] == "Gaia DR3"
    found = releases.of(table)
    assert (len(table), found.all, found.unknown.any()) == (REAL[name], ["Gaia DR3"], False)


@pytest.mark.parametrize("name", SAMPLED)
def test_real_samples_do_not_tell_their_release(real_data, name):
    found = releases.of(read_xp(real_data / "gaia_xp" / name))
    assert found.all == [] and found.unknown.all()


def test_coefficients_of_a_release_without_basis_functions_are_read_and_not_sampled(tmp_path):
    stars = Table({"source_id": [4, 5]})
    for band, size in releases.get("Gaia DR4").coefficients.items():
        stars[f"{band}_coefficients"] = np.tile(np.arange(size, dtype=float), (2, 1))
        stars[f"{band}_coefficient_errors"] = np.ones((2, size))
        stars[f"{band}_coefficient_correlations"] = np.zeros((2, size * (size - 1) // 2))
    path = tmp_path / "dr4.fits"
    stars.write(path)
    table = read_xp(path, sample=False)
    assert table["bp_coefficients"].shape == (2, 51) and (table["bp_coefficients"][0] == np.arange(51)).all()
    assert table.meta["release"] == "Gaia DR4"
    with pytest.raises(ReleaseError, match=r"stars of Gaia DR3.*got Gaia DR4.*51 of BP, 55 of RP.*sample=False"):
        read_xp(path)
    assert np.isnan(read_xp(path, release="ignore")["flux"][0, 0])
    old = Table({name: stars[name] if name == "source_id" else np.ones((2, 55)) for name in stars.colnames[:3]})
    old.write(tmp_path / "dr3.fits")
    with pytest.raises(ReleaseError, match="several data releases, with 51 and 55 coefficients of BP"):
        read_xp([path, tmp_path / "dr3.fits"], sample=False)
