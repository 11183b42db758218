"""A bundle of labels says which weights made them, and what became of the columns of the paper."""

from stellarlabels import UACSNet
from stellarlabels.catalogs import bundle
from stellarlabels.inputs.examples import SAMPLES


def test_titles_and_remarks_are_those_of_the_weights(tmp_path):
    """The default weights label dwarfs, too, and are not those of the paper's catalog of giants."""
    stars = SAMPLES[0]()[:5]
    system = UACSNet.pretrained()
    bundle.export(system.catalog(stars), tmp_path / "b", "uacsnet", authors=["Doe, Jane"])
    text = " ".join((tmp_path / "b" / "ReadMe").read_text().split())
    assert "Stellar labels by the system uacsnet with the recipe apogee" in text and "Remarks:" in text
    assert "not those of the paper" in text and "APOGEE DR17" in text and f"sha256:{system.weights_}" in text
    assert "M_G is empty: it is computed from phot_g_mean_mag, r_med_geo and ebv" in text
    assert "metallicities of giant" not in text.lower() and "31,360,788" not in text
    assert " feh_flag " in text and " teff_good " in text
    bundle.export(system.catalog(stars, strict=True), tmp_path / "s", "uacsnet", authors=["Doe, Jane"])
    text = " ".join((tmp_path / "s" / "ReadMe").read_text().split())
    assert "The catalog is without teff, teff_err, teff_flag" in text and " feh_flag FEH" not in text
