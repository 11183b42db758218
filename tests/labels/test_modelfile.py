"""Model files: round trip, and what is refused."""

import numpy as np
import pytest

from stellarlabels.exceptions import ModelFileError, WriteError
from stellarlabels.labels import modelfile


def test_round_trip(tmp_path):
    arrays = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array([2**60], dtype=np.int64)}
    path = tmp_path / "m.stellarlabels"
    modelfile.write(path, {"text": "[Fe/H] äö", "number": 0.1}, arrays)
    description, back = modelfile.read(path)
    assert description == {"format_version": modelfile.FORMAT_VERSION, "text": "[Fe/H] äö", "number": 0.1}
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype
    assert [p.name for p in tmp_path.iterdir()] == ["m.stellarlabels"]


@pytest.mark.parametrize("place", [-1, -4000, -7999])
def test_a_single_bit_that_has_flipped_is_seen(place, tmp_path):
    path = tmp_path / "m"
    modelfile.write(path, {"threshold": 0.25}, {"a": np.ones(1000)})
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged, its checksum is another one; copy or save it again"):
        modelfile.read(path)
    path.write_bytes(bytes(content).replace(b"0.25", b"0.75"))
    with pytest.raises(ModelFileError, match="damaged"):
        modelfile.read(path)


def test_existing_files_are_kept(tmp_path):
    path = tmp_path / "m"
    modelfile.write(path, {"n": 1}, {"a": np.zeros(1)})
    with pytest.raises(WriteError, match="overwrite=True"):
        modelfile.write(path, {"n": 2}, {"a": np.zeros(1)})
    assert modelfile.read(path)[0]["n"] == 1
    with pytest.raises(TypeError):
        modelfile.write(path, {"n": object()}, {"a": np.zeros(1)}, overwrite=True)
    assert modelfile.read(path)[0]["n"] == 1
    with pytest.raises(WriteError, match="folder"):
        modelfile.write(tmp_path / "no" / "m", {}, {"a": np.zeros(1)})


@pytest.mark.parametrize("content", [b"", b"x", b"\x80\x04pickle", b"\xff" * 100, b"PK\x03\x04zip"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "m"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="not a stellarlabels model"):
        modelfile.read(path)


def test_truncated_missing_foreign_and_newer_files(tmp_path, monkeypatch):
    from safetensors.numpy import save_file

    path = tmp_path / "m"
    modelfile.write(path, {}, {"a": np.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelFileError, match="damaged"):
        modelfile.read(path)
    with pytest.raises(ModelFileError, match="no such file"):
        modelfile.read(tmp_path / "none")
    save_file({"a": np.zeros(1)}, path)
    with pytest.raises(ModelFileError, match="not one of a stellarlabels model"):
        modelfile.read(path)
    monkeypatch.setattr(modelfile, "FORMAT_VERSION", 99)
    modelfile.write(path, {}, {"a": np.zeros(1)}, overwrite=True)
    monkeypatch.undo()
    with pytest.raises(ModelFileError, match="version 99"):
        modelfile.read(path)
