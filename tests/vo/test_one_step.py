"""From an empty folder to labels in one command, with a real TAP server and the archive's replies for the spectra."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from datalink_server import Archive

from stellarlabels import UACSNet, catalogs
from stellarlabels.cli import main
from stellarlabels.columns import vocabulary, without_unit
from stellarlabels.inputs.examples import xp_apogee_sample

pytestmark = pytest.mark.vo

#: Tables of the archive, their key, and the columns of the sample that they have.
TABLES = {
    "gaiadr3.gaia_source": ("source_id", "ra", "dec", "parallax", "parallax_error", "phot_g_mean_mag",
                            "phot_bp_mean_mag", "phot_rp_mean_mag"),
    "gaiadr1.tmass_original_valid": ("j_m", "h_m", "ks_m"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sample():
    return xp_apogee_sample()[:40]


@pytest.fixture(scope="module")
def server(dachs, sample):
    """The archive's tables with the stars of the sample."""
    index = np.arange(len(sample))
    made = {
        name: Table({key: MaskedColumn(np.ma.masked_invalid(without_unit(sample[key]))) for key in keys})
        for name, keys in TABLES.items()
    }
    made["gaiadr3.gaia_source"]["source_id"] = sample["source_id"]
    made["gaiadr3.gaia_source"]["has_xp_continuous"] = np.ones(len(sample), bool)
    made["gaiadr3.gaia_source"]["astrometric_params_solved"] = np.full(len(sample), 31)
    designation = np.char.add("t", index.astype(str))
    made["gaiadr1.tmass_original_valid"]["designation"] = designation
    made["gaiadr3.tmass_psc_xsc_join"] = Table(
        {"original_psc_source_id": designation, "clean_tmass_psc_xsc_oid": index}
    )
    made["gaiadr3.tmass_psc_xsc_best_neighbour"] = Table(
        {"source_id": sample["source_id"], "clean_tmass_psc_xsc_oid": index}
    )
    for path in sorted(Path(__file__).parent.glob("*.rd")):
        dachs.import_rd(path)
    for name, table in made.items():
        dachs.fill(table, name)
    return dachs


@pytest.fixture
def servers(server, sample, monkeypatch, tmp_path):
    """Options of the command line with the addresses; DaCHS wants quotes around a schema named by a word of ADQL."""
    from stellarlabels.archive.queries import query

    bind = query.Query.bind

    def quoted(self, **values):
        bound = bind(self, **values)
        return query.BoundQuery(bound.query, bound.adql.replace(" external.", ' "external".'), bound.values)

    monkeypatch.setattr(query.Query, "bind", quoted)
    monkeypatch.chdir(tmp_path)
    spectra = Table(
        {name: getattr(sample[name], "value", sample[name]) for name in ("source_id", "flux", "flux_error")}
    )
    with Archive(spectra[1:]) as archive:
        yield ["--service", server.url, "--url", archive.url]


@pytest.mark.filterwarnings("ignore:.*no unit.*:stellarlabels.exceptions.MissingUnitWarning")
@pytest.mark.parametrize(
    "stars",
    [
        ["--region", "all", "--limit", "40"],
        ["--ids", "ids.txt"],
        ["--query", "mine.adql"],
        ["positions.csv"],
    ],
)
def test_one_command(servers, sample, stars, agree):
    Path("ids.txt").write_text("\n".join(map(str, sample["source_id"])))
    Path("mine.adql").write_text("SELECT TOP 40 source_id FROM gaiadr3.gaia_source")
    Table({"ra": sample["ra"].value, "dec": sample["dec"].value}).write("positions.csv")
    assert main(["label", "uacsnet", *stars, "-o", "labels.vot", "--networks", "1", *servers]) == 0
    labels = catalogs.read("labels.vot")
    labels.sort("source_id")
    expected = UACSNet.pretrained().fewer(1).predict(sample)
    first = expected["source_id"][0]
    expected.sort("source_id")
    np.testing.assert_array_equal(labels["source_id"], expected["source_id"])
    assert set(np.asarray(labels["source_id"])[np.ma.getmaskarray(without_unit(labels["teff"]))]) == {first}
    there = labels["source_id"] != first
    assert np.abs(labels["teff"] - expected["teff"])[there].max() < 0.01 * labels["teff_err"][there].min()
    assert labels["ra"].unit == vocabulary()["ra"].unit and not Path("labels.vot.fetched").exists()


def test_counting(servers, capsys):
    assert main(["label", "uacsnet", "--region", "180 0 180", "-o", "x.vot", "--plan", *servers]) == 0
    assert capsys.readouterr().out.startswith("40 stars\n")
