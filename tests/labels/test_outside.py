"""What a system learns of objects for which its labels do not hold."""

import numpy as np
import pytest

from stellarlabels import UACSNet, columns, flags
from stellarlabels.archive.sample import xp_apogee_sample
from stellarlabels.exceptions import InputError, ModelFileError
from stellarlabels.inputs.xp.damage import damaged
from stellarlabels.labels import modelfile, outside

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()


def is_dwarf_or_giant(stars):
    """Masks of stars of log g above 4.2 and below 3."""
    logg = columns.values(stars, "logg")
    return logg > 4.2, logg < 3.0


@pytest.fixture(scope="module")
def system(stars):
    """One network of the shipped weights, to which dwarfs are foreign, but not their temperatures."""
    steps, outside.LEAST_STEPS = outside.LEAST_STEPS, 0
    kept, outside.TRAINING["epochs"] = outside.TRAINING["epochs"], 12
    dwarf, giant = is_dwarf_or_giant(stars)
    try:
        return (
            UACSNet.pretrained()
            .fewer(1)
            .learn_outside(
                stars[giant][::2],
                stars[dwarf][::2],
                kinds="dwarf",
                spared={"dwarf": ("teff",)},
                false_alarms=0.02,
                progress=False,
            )
        )
    finally:
        outside.TRAINING["epochs"], outside.LEAST_STEPS = kept, steps


def found(system, table, label):
    return flags.LABEL.has(np.asarray(system.predict(table)[f"{label}_flag"]), "OTHER_KIND")


def test_objects_of_other_kinds_are_flagged_for_the_labels_that_do_not_hold(system, stars):
    dwarf, giant = is_dwarf_or_giant(stars)
    others, giants = stars[dwarf][1::2], stars[giant][1::2]
    assert found(system, others, "feh").mean() > 0.6
    assert found(system, giants, "feh").mean() < 0.1
    assert found(system, others, "teff").mean() < 0.1


def test_spoiled_spectra_are_flagged_for_all_labels(system, stars):
    copies, _, _ = damaged(stars[1::2], ["flat", "noise", "ringing"], 1.0, seed=8)
    labels = system.predict(copies)
    for label in system.labels:
        assert np.mean(np.asarray(labels[f"{label}_good"])) < 0.02
        assert np.mean(flags.LABEL.has(np.asarray(labels[f"{label}_flag"]), "OTHER_KIND")) > 0.97


def test_it_travels_in_the_model_file(system, stars, tmp_path):
    system.save(tmp_path / "one.stellarlabels")
    again = UACSNet.load(tmp_path / "one.stellarlabels")
    copies, _, _ = damaged(stars, seed=9)
    for label in ("teff", "feh"):
        np.testing.assert_array_equal(found(again, copies, label), found(system, copies, label))
    assert again.provenance_["outside"]["kinds"] == {
        "star": system.domain.outside.counts["star"],
        "dwarf": system.domain.outside.counts["dwarf"],
        "damaged": system.domain.outside.counts["damaged"],
    }


def test_a_file_that_asks_for_other_sizes_is_refused(system, tmp_path):
    system.save(tmp_path / "one.stellarlabels")
    description, arrays = modelfile.read(tmp_path / "one.stellarlabels")
    for change in ({"shapes": {"flux": 10**9, "star": 7}}, {"kinds": ["star", "a", "b", "c"]}, {"thresholds": {}}):
        told = {**description, "outside": {**description["outside"], **change}}
        modelfile.write(tmp_path / "other.stellarlabels", told, arrays, overwrite=True)
        with pytest.raises(ModelFileError, match="do not fit together"):
            UACSNet.load(tmp_path / "other.stellarlabels")


def test_what_there_is_to_learn_from_has_to_be_said(stars, monkeypatch):
    monkeypatch.setattr(outside, "LEAST_STEPS", 0)
    system = UACSNet.pretrained().fewer(1)
    with pytest.raises(InputError, match="kinds: expected"):
        system.learn_outside(stars, stars[:5], progress=False)
    with pytest.raises(InputError, match=r"spared: expected kinds among \('damaged',\), got \['hot'\]"):
        system.learn_outside(stars[:40], spared={"hot": ("teff",)}, progress=False)


def test_forgotten_colors_leave_the_noise():
    star = np.ones((1000, 7), np.float32)
    outside._forget(star, np.random.default_rng(1))
    missing = np.isnan(star)
    assert not missing[:, 1].any()
    assert missing[:, [0, 2, 3, 4, 5, 6]].all(axis=1).mean() == pytest.approx(0.25, abs=0.06)
