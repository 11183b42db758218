"""Damaged and unusual files of all formats: all rows and identifiers, or an error of this package."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
pytest.importorskip("h5py", reason="HDF5 needs h5py")

TOOL = Path(__file__).resolve().parents[2] / "tools" / "mutated_inputs.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("mutated_inputs", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [11, 12])
def test_nothing_is_lost_and_no_error_of_another_library_comes_through(tool, seed, tmp_path):
    found = tool.run(150, seed, tmp_path)
    assert {what: number for what, number in found.items() if what[0] not in ("read", "refused")} == {}
    assert sum(found.values()) == 150
    assert {label.split()[0] for _, label in found} == set(tool.WRITERS)
    assert {label.split()[2] for _, label in found} == set(tool.ENTRANCES)
    assert {"twin", "flip", "truncate", "rename", "retype"} <= {label.split()[1] for _, label in found}
    assert {outcome for outcome, _ in found} == {"read", "refused"}
