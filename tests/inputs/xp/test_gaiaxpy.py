"""The door to GaiaXPy: what it gives, what is said when it has changed, and that all else goes on without it."""

import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from stellarlabels import packaged
from stellarlabels.exceptions import InputError
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import available, gaiaxpy, photometry, read_xp, sample, synthetic_photometry

WEILER = "xp_continuous_combined_weiler2023_examples.vot"


@pytest.fixture
def fresh():
    """Nothing that was found in GaiaXPy before counts."""
    caches = (photometry.photometric_systems, photometry.photometric_system)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


class TestData:
    """The data files of this package are what GaiaXPy computes with."""

    @pytest.mark.parametrize("name", photometry.shipped())
    def test_photometric_systems(self, name):
        theirs = photometry._system(**gaiaxpy.photometric_system(name))
        ours = photometry.photometric_system(name)
        assert (ours.label, ours.bands) == (theirs.label, theirs.bands)
        for key in ("matrix", "zero_points", "offsets"):
            np.testing.assert_array_equal(getattr(ours, key), getattr(theirs, key))
        assert ours.color_equation == theirs.color_equation
        if theirs.error_factors is None:
            assert ours.error_factors is None
        else:
            for one, other in zip(ours.error_factors, theirs.error_factors, strict=True):
                np.testing.assert_array_equal(one, other)

    def test_basis_functions(self):
        with packaged.file("xp", "gaia_dr3_bases.npz") as path, np.load(path) as stored:
            theirs = gaiaxpy.instrument()
            assert "BSD 3-Clause" in str(stored["credit"])
            for name, array in theirs.items():
                np.testing.assert_array_equal(stored[name], array)

    def test_further_systems_come_from_gaiaxpy(self, fresh):
        assert set(photometry.shipped()) < set(available())
        assert len(available()) == 28
        assert photometry.photometric_system("Stromgren").bands == ("u", "v", "b", "y")


class TestChanges:
    """A GaiaXPy with other insides is told in a sentence, and only by what needs it."""

    def test_a_part_is_gone(self, monkeypatch, fresh):
        import gaiaxpy.generator.photometric_system as theirs

        monkeypatch.delattr(theirs, "PhotometricSystem")
        with pytest.raises(InputError, match=r"is not what it was up to version [\d.]+ \(gaiaxpy.generator.*has no"):
            gaiaxpy.photometric_system("Stromgren")
        assert photometry.photometric_system("JPLUS").matrix.shape == (12, 110)

    def test_a_system_has_other_numbers(self, monkeypatch, fresh):
        import gaiaxpy.generator.photometric_system as theirs

        bases = {band: np.ones((51, 4)) for band in ("bp", "rp")}
        value = types.SimpleNamespace(
            load_xpsampling_from_xml=lambda: bases,
            load_xpmerge_from_xml=lambda: (None, {band: np.ones(4) for band in bases}),
        )
        system = types.SimpleNamespace(
            value=value,
            get_system_label=lambda: "New",
            get_bands=lambda: ["a", "b", "c", "d"],
            get_zero_points=lambda: np.zeros(4),
        )
        monkeypatch.setattr(theirs, "PhotometricSystem", {"New": system})
        with pytest.raises(InputError, match="system New: 102 weights for each of 4 bands"):
            gaiaxpy.photometric_system("New")

    def test_it_is_not_there(self, monkeypatch, fresh):
        monkeypatch.setitem(sys.modules, "gaiaxpy", None)
        for name in [name for name in sys.modules if name.startswith("gaiaxpy.")]:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(InputError, match="GaiaXPy cannot be imported .* install gaiaxpy"):
            gaiaxpy.photometric_systems()
        assert available() == photometry.shipped()
        with pytest.raises(InputError, match="expected one of JPLUS, .*got 'Stromgren'"):
            photometry.photometric_system("Stromgren")


SCRIPT = """
import json, sys
from stellarlabels import CSNet, UACSNet
from stellarlabels.inputs.examples import xp_apogee_sample
from stellarlabels.inputs.xp import read_xp, sample, synthetic_photometry
from stellarlabels.cli import main
plain = lambda column: column.unmasked.value.tolist() if hasattr(column, "unmasked") else column.value.tolist()
stars = read_xp(sys.argv[1], sample=False)
samples = xp_apogee_sample()[:8]
system = UACSNet.pretrained().fewer(1)
photometry = synthetic_photometry(samples, ("JPLUS", "Gaia_DR3_Vega"))
out = {
    "flux": sample(stars)[0].value.tolist(),
    "photometry": plain(synthetic_photometry(stars)["Jplus_mag_gJPLUS"]),
    "coefficients": plain(system.predict(stars)["teff"]),
    "samples": plain(system.predict(samples)["teff"]),
    "csnet": plain(CSNet.pretrained().fewer(1).predict(photometry)["teff"]),
}
assert main(["demo"]) in (0, None)
print(json.dumps(out))
"""


def plain(column):
    return getattr(column, "unmasked", column).value


@pytest.mark.slow
def test_all_goes_on_with_an_empty_gaiaxpy(tmp_path, real_data):
    """A package of that name that cannot be imported changes no number."""
    (tmp_path / "gaiaxpy").mkdir()
    (tmp_path / "gaiaxpy" / "__init__.py").write_text("raise RuntimeError('it has been emptied')\n")
    path = real_data / "gaia_xp" / WEILER
    places = [str(tmp_path), *[entry for entry in sys.path if entry]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = {name: np.array(numbers) for name, numbers in json.loads(done.stdout.splitlines()[-1]).items()}
    from stellarlabels import CSNet, UACSNet

    stars, samples = read_xp(path, sample=False), xp_apogee_sample()[:8]
    system = UACSNet.pretrained().fewer(1)
    photometry = synthetic_photometry(samples, ("JPLUS", "Gaia_DR3_Vega"))
    np.testing.assert_allclose(found["flux"], sample(stars)[0].value, rtol=1e-12)
    expected = plain(synthetic_photometry(stars)["Jplus_mag_gJPLUS"])
    np.testing.assert_allclose(found["photometry"], expected, rtol=1e-12)
    for name, labels in (
        ("coefficients", system.predict(stars)),
        ("samples", system.predict(samples)),
        ("csnet", CSNet.pretrained().fewer(1).predict(photometry)),
    ):
        assert np.isfinite(found[name]).all() and (found[name] != 0).any(), name
        np.testing.assert_allclose(found[name], plain(labels["teff"]), rtol=1e-12)
