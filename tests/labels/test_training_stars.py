"""The stars of a training are known again: every one of them, and one in a thousand others."""

import numpy as np
import pytest
from astropy.table import MaskedColumn, QTable

from stellarlabels import UACSNet, flags
from stellarlabels.exceptions import ModelFileError
from stellarlabels.inputs.examples import SAMPLES
from stellarlabels.labels.domain import TrainingStars
from stellarlabels.validation import compare

pytestmark = pytest.mark.slow


def table(count, seed):
    """Identifiers as Gaia's: 64 bits, the lowest of which are often alike."""
    numbers = np.random.default_rng(seed).integers(2**35, 2**62, count) // 128 * 128
    return QTable({"source_id": numbers})


def test_none_is_missed_and_one_in_a_thousand_is_added():
    stars, others = table(20_000, 1), table(200_000, 2)
    seen = TrainingStars.of(stars, np.arange(len(stars)))
    assert seen.has(stars).all() and seen.stars == 20_000
    assert seen.bits.nbytes == pytest.approx(20_000 * 1.44 * np.log2(1000) / 8, rel=0.01)  # Bloom's size
    assert 0.0007 < seen.has(others).mean() < 0.0014
    assert seen.has(others[:0]).shape == (0,) and not seen.has(QTable({"obsid": stars["source_id"]})).any()


def test_missing_identifiers_are_not_known():
    stars = table(50, 1)
    hidden = QTable({"source_id": MaskedColumn(stars["source_id"], mask=np.arange(50) < 10)})
    seen = TrainingStars.of(hidden, np.arange(50))
    assert seen.stars == 40 and seen.has(hidden).tolist() == [False] * 10 + [True] * 40
    assert TrainingStars.of(QTable({"name": ["a", "b"]}), np.arange(2)) is None


@pytest.fixture(scope="module")
def stars():
    return SAMPLES[0]()[:200]


@pytest.fixture(scope="module")
def trained(stars):
    held_out = np.arange(200) >= 150
    return UACSNet("apogee", epochs=1, ensemble=1, seed=1).fit(stars, validation=held_out, progress=False)


def test_labels_of_training_stars_carry_a_note_also_from_a_file(trained, stars, tmp_path):
    trained.save(tmp_path / "x.stellarlabels")
    for system in (trained, UACSNet.load(tmp_path / "x.stellarlabels")):
        labels = system.predict(stars)
        noted = flags.LABEL.has(labels["teff_flag"], "IN_TRAINING")
        usable = np.isfinite(np.asarray(stars["feh"].value))
        assert noted[:150][usable[:150]].all() and noted[150:].sum() <= 2
        assert compare(labels, stars, names=["teff"], good=False)["in_training"][0] >= noted[:150].sum() - 5


def test_files_without_them_are_read(trained, stars, tmp_path):
    old = UACSNet.pretrained().fewer(1)
    old.training_stars = None
    old.save(tmp_path / "old.stellarlabels")
    labels = UACSNet.load(tmp_path / "old.stellarlabels").predict(stars[:3])
    assert not flags.LABEL.has(labels["teff_flag"], "IN_TRAINING").any()


def test_a_damaged_set_is_refused(trained, tmp_path):
    trained.training_stars.hashes, right = 1000, trained.training_stars.hashes
    trained.save(tmp_path / "bad.stellarlabels")
    trained.training_stars.hashes = right
    with pytest.raises(ModelFileError, match="training stars"):
        UACSNet.load(tmp_path / "bad.stellarlabels")
