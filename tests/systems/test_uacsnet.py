"""UACSNet on held-out stars: the numbers that are quoted for the shipped weights."""

import json

import numpy as np
import pytest

from stellarlabels import UACSNet, flags
from stellarlabels.exceptions import InputError, MissingColumnError, NotFittedError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.networks import held_out
from stellarlabels.validation import compare


@pytest.fixture(scope="module")
def stars():
    return xp_apogee_sample()


def test_sample_is_held_out(stars):
    assert len(stars) == 600 and held_out(np.asarray(stars["source_id"])).all()


def test_precision_on_the_sample(stars):
    """The sample's scatter is that of all held-out stars (in the metrics file) within its sampling error."""
    metrics = UACSNet.metrics("apogee")["measured"]["UACSNet apogee"]["all"]
    summary = compare(UACSNet.pretrained("apogee").predict(stars), stars)
    for row in summary:
        quoted = metrics[row["label"]]["robust_scatter"]
        assert row["scatter"] == pytest.approx(quoted, rel=0.25)
        assert 0.85 < row["pull_width"] < 1.15
        assert 0.62 < row["coverage"] < 0.74


def test_fewer_networks(stars, agree, tmp_path):
    """Less precise, and still honest, also after saving."""
    system = UACSNet.pretrained("apogee")
    few = system.fewer(2)
    assert few.provenance_["networks"] == 2 and "networks" not in system.provenance_
    labels, full = few.predict(stars), system.predict(stars)
    for row in compare(labels, stars):
        assert 0.85 < row["pull_width"] < 1.15
        assert 0.61 < row["coverage"] < 0.75
    for label in ("teff", "logg", "feh", "alpha_m"):
        ratio = np.asarray(labels[f"{label}_err"], float) / np.asarray(full[f"{label}_err"], float)
        assert 1 < np.nanmedian(ratio) < 1.1
    few.save(tmp_path / "few.stellarlabels")
    agree(UACSNet.load(tmp_path / "few.stellarlabels").predict(stars[:20]), labels[:20], ["feh"])
    with pytest.raises(NotFittedError):
        UACSNet().fewer(1)


def test_quoted_targets():
    """What the evaluation script measured on all held-out stars."""
    metrics = UACSNet.metrics("apogee")
    ours, baseline = metrics["measured"]["UACSNet apogee"], metrics["measured"]["XGBoost"]
    limits = {
        "giants": {"teff": 42, "logg": 0.146, "feh": 0.090, "alpha_m": 0.030},
        "giants G<13": {"teff": 34, "logg": 0.116, "feh": 0.068, "alpha_m": 0.0255},
    }
    for group, by_label in limits.items():
        for label, limit in by_label.items():
            assert ours[group][label]["robust_scatter"] <= limit, (group, label)
    assert ours["giants"]["feh"]["robust_scatter"] <= 0.5 * baseline["giants"]["feh"]["robust_scatter"]
    assert abs(ours["[Fe/H]<-1.5"]["feh"]["median_bias"]) < 0.10


def test_quoted_calibration():
    ours = UACSNet.metrics("apogee")["measured"]["UACSNet apogee"]
    groups = ["all", *(name for name in ours if name.startswith("G "))]
    assert len(groups) == 5
    for group in groups:
        fewest = 0.65 if group == "all" else 0.63
        for label, entry in ours[group].items():
            assert 0.9 <= entry["pull_width"] <= 1.1, (group, label)
            assert fewest <= entry["coverage_68"] <= 0.71, (group, label)


def test_quoted_honesty_of_what_is_missing_or_faint():
    """Errors hold without 2MASS, without any photometry, and for spectra as noisy as those of G = 17.6."""
    path = UACSNet.weights_folder() / "uacsnet-apogee-domain.json"
    inside = json.loads(path.read_text(encoding="utf-8"))["inside"]
    for state in ("no G", "no 2MASS", "spectrum alone", "G = 16.0", "G = 17.0", "G = 17.6"):
        for label, entry in inside[state].items():
            assert 0.9 <= entry["pull_width"] <= 1.13, (state, label)
            assert 0.61 <= entry["coverage_68"] <= 0.72, (state, label)
            assert abs(entry["median_bias"]) < 0.2 * entry["robust_scatter"], (state, label)


def test_quoted_stars_outside():
    """Of stars hotter than 8000 K few are good and wrong, and few have a good [Fe/H]; damage is recognised."""
    path = UACSNet.weights_folder() / "uacsnet-apogee-domain.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    hot = found["hotter than 8000 K"]
    assert hot["good teff, off by more than 3 sigma"]["share"] <= 0.05
    assert hot["good feh"]["share"] <= 0.02
    assert hot["of good feh < -1"]["share"] <= 0.01
    for name, by_severity in found["damaged"].items():
        if name != "two_stars":  # two stars of one kind are hardly a damage
            assert by_severity["1.0"]["good"]["share"] <= 0.01, name


def test_quoted_calibration_of_distances():
    """Pulls of parallaxes. Those of dwarfs are narrow, with wide wings of unresolved pairs: the coverage is right."""
    ours = UACSNet.metrics("apogee")["measured"]["UACSNet apogee, distances"]
    for group, narrowest in (("all", 0.9), ("giants", 0.9), ("dwarfs", 0.75)):
        entry = ours[group]["all parallaxes"]
        assert narrowest <= entry["pull_width"] <= 1.1, group
        assert 0.65 <= entry["coverage_68"] <= 0.72, group


@pytest.mark.slow
def test_recalibration(stars, agree, tmp_path):
    """New errors, the same labels; also after saving, with factors of magnitude times those of absolute magnitude."""
    options = {"components": 10, "width": 16, "blocks": 1}
    system = UACSNet("apogee", epochs=2, ensemble=2, calibrate=False, network_options=options)
    with pytest.raises(NotFittedError, match="fit"):
        system.calibrate(stars)
    system.fit(stars[:300], validation=0.2, progress=False)
    before = system.predict(stars[300:])
    with pytest.raises(InputError, match=r"\(2, 300\)"):
        system.calibrate(stars[300:], np.ones((1, 300), bool))
    unseen = np.ones((2, 300), bool)
    unseen[1, :100] = False
    system.calibrate(stars[300:], unseen)
    assert system.provenance_["calibration"]["stars"] == [300, 200]
    after = system.predict(stars[300:])
    agree(after, before, ["logg"])
    assert (values(before["logg_err"]) != values(after["logg_err"])).all()
    system.save(tmp_path / "x.stellarlabels")
    again = UACSNet.load(tmp_path / "x.stellarlabels").predict(stars[300:])
    np.testing.assert_allclose(values(again["logg_err"]), values(after["logg_err"]), rtol=1e-5)


def test_metrics_are_of_these_weights():
    for name in UACSNet.available():
        metrics = UACSNet.metrics(name)
        assert metrics["provenance"] == json.loads(json.dumps(UACSNet.pretrained(name).provenance_))


def test_paper_weights_need_ebv(stars):
    system = UACSNet.pretrained("paper")
    table = stars[:10]
    table.remove_column("ebv")
    labels = system.predict(table)
    assert flags.LABEL.has(labels["feh_flag"], "MISSING_EBV").all()
    assert labels["feh"].mask.all()


def test_paper_error_floor(stars):
    """Eq. 7 of the paper: no error below 0.02 dex."""
    labels = UACSNet.pretrained("paper").predict(stars)
    assert np.nanmin(labels["feh_err"].filled(np.nan).value) >= 0.02


def test_dwarfs_are_not_applicable_to_the_giants_network(stars):
    """A star of M_G = 5 at (BP-RP)0 = 0.8 is a dwarf, one of M_G = 1 at 1.2 a giant (Section 2.3)."""
    from astropy import units as u

    table = stars[:2]
    table["bp_rp_0"] = [0.8, 1.2] * u.mag
    table["m_g"] = [5.0, 1.0] * u.mag
    flag = UACSNet.pretrained("paper").predict(table)["feh_flag"]
    np.testing.assert_array_equal(flags.LABEL.has(flag, "NOT_APPLICABLE"), [True, False])


def precise_parallaxes(stars):
    """Stars with parallaxes of more than 10 sigma."""
    return np.asarray((stars["parallax"] > 10 * stars["parallax_error"]).filled(False))


def values(column):
    """Plain numbers, NaN under the mask."""
    return column.filled(np.nan).value if hasattr(column, "filled") else column.value


def test_distances_of_the_sample(stars):
    """Distances from spectra alone times parallaxes of more than 10 sigma scatter around 1 as on all held-out stars."""
    quoted = UACSNet.metrics("apogee")["measured"]["UACSNet apogee, distances"]["all"]["5 sigma"]
    distance = UACSNet.pretrained("apogee").distances(stars, use_parallax=False)["distance"]
    ratio = (values(distance) / 1000 * values(stars["parallax"]))[precise_parallaxes(stars)]
    assert len(ratio) > 80
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.04)
    assert np.nanmedian(np.abs(ratio - 1)) == pytest.approx(quoted["median_fractional_error"], rel=0.3)


def test_parallaxes_sharpen_distances(stars):
    system = UACSNet.pretrained("apogee")
    labels = system.predict(stars)
    alone, both = (system.distances(stars, labels, use_parallax=use, zero_point=False) for use in (False, "auto"))
    relative = [(values(x["distance_err"]) / values(x["distance"]))[precise_parallaxes(stars)] for x in (alone, both)]
    assert np.nanmedian(relative[1]) < 0.6 * np.nanmedian(relative[0])
    with pytest.raises(InputError, match="apogee"):
        UACSNet.pretrained("paper").distances(stars)


def test_quoted_distances():
    quoted = UACSNet.metrics("apogee")["measured"]["UACSNet apogee, distances"]["all"]
    assert quoted["20 sigma"]["median_fractional_error"] < 0.10
    assert quoted["5 sigma"]["median_ratio"] == pytest.approx(1, abs=0.03)
    assert 0.65 < quoted["all parallaxes"]["coverage_68"] < 0.73


def test_labels_that_cannot_be_learned(stars):
    from astropy import units as u

    table = stars[:50]
    table["feh"] = np.full(50, np.nan) * u.dex
    with pytest.raises(InputError, match="known 'feh'"):
        UACSNet("paper", labels=("teff", "feh"), epochs=1).fit(table)
    assert UACSNet("paper", labels="teff").labels == ("teff",)
    with pytest.raises(MissingColumnError, match="feh"):
        UACSNet("paper", labels="teff", epochs=1).fit(table[[name for name in table.colnames if name != "feh"]])
