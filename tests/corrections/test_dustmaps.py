"""E(B-V) from dust maps: small maps in the format of SFD, and the map that dustmaps carries."""

import hashlib
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.utils.masked import Masked

from stellarlabels import flags
from stellarlabels.corrections import extinction as ext
from stellarlabels.corrections.extinction import maps
from stellarlabels.exceptions import DataNotFoundError, InputError, MissingColumnError, ReadError

SIZE = 64


EXTINCTION = flags.get("extinction")


def write_sfd(folder, poles=("ngp", "sgp")):
    """Two files with the names and keywords of the SFD map, and 64 instead of 4096 pixels on a side.

    The value is a linear function of the pixel, so that linear interpolation is exact.
    """
    for pole in poles:
        sign = 1 if pole == "ngp" else -1
        y, x = np.mgrid[:SIZE, :SIZE]
        hdu = fits.PrimaryHDU((0.2 + 0.001 * x + 0.002 * y + (pole == "sgp")).astype(np.float32))
        step = np.degrees(np.sqrt(2)) / (SIZE / 2)
        cards = {
            "OBJECT": "E(B-V)",
            "BUNIT": "mag",
            "CTYPE1": "GLON-ZEA",
            "CTYPE2": "GLAT-ZEA",
            "CRPIX1": SIZE / 2 + 0.5,
            "CRPIX2": SIZE / 2 + 0.5,
            "CRVAL1": 90.0,
            "CRVAL2": sign * 90.0,
            "CD1_1": -step,
            "CD1_2": 0.0,
            "CD2_1": 0.0,
            "CD2_2": step,
            "LONPOLE": 180,
            "LAM_NSGP": sign,
            "LAM_SCAL": SIZE // 2,
        }
        hdu.header.update(cards)
        hdu.writeto(folder / f"SFD_dust_4096_{pole}.fits")


def expected(l, b):  # noqa: E741
    """The value of the small map at galactic coordinates, from the projection in Schlegel et al. (1998), Appendix C."""
    sign = np.where(b >= 0, 1, -1)
    radius = np.sqrt(1 - sign * np.sin(np.radians(b))) * SIZE / 2
    x = radius * np.cos(np.radians(l)) + (SIZE - 1) / 2
    y = -sign * radius * np.sin(np.radians(l)) + (SIZE - 1) / 2
    return 0.2 + 0.001 * x + 0.002 * y + (b < 0)


@pytest.fixture
def sfd(tmp_path):
    """Folder of a small map."""
    write_sfd(tmp_path)
    return tmp_path


@pytest.fixture
def sky():
    """A hundred stars, with coordinates in both systems."""
    rng = np.random.default_rng(1)
    galactic = SkyCoord(
        rng.uniform(0, 360, 100) * u.deg, np.degrees(np.arcsin(rng.uniform(-1, 1, 100))) * u.deg, frame="galactic"
    )
    icrs = galactic.icrs
    return QTable({"ra": icrs.ra, "dec": icrs.dec, "l": galactic.l, "b": galactic.b})


@pytest.fixture
def bh():
    """The query object of the map of Burstein & Heiles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("dustmaps.bh")
    return module.BHQuery()


@pytest.mark.parametrize("names", [("ra", "dec"), ("l", "b"), ("ra", "dec", "l", "b")])
def test_small_map_in_the_format_of_sfd(sfd, sky, names):
    """Against the projection of the SFD paper; dustmaps calculates in single precision: 5e-6 mag."""
    result = ext.ebv(sky[names], path=sfd)
    assert result.unit == u.mag
    np.testing.assert_allclose(result.value, expected(sky["l"].value, sky["b"].value), rtol=0, atol=5e-6)


def test_path_of_one_of_the_files_is_enough(sfd, sky):
    np.testing.assert_array_equal(ext.ebv(sky, path=sfd / "SFD_dust_4096_sgp.fits"), ext.ebv(sky, path=str(sfd)))


def test_data_directory_of_dustmaps(tmp_path, sky, monkeypatch):
    (tmp_path / "sfd").mkdir()
    write_sfd(tmp_path / "sfd")
    paths = maps._dustmaps("dustmaps.std_paths")
    monkeypatch.setattr(paths, "data_dir", lambda: str(tmp_path))
    np.testing.assert_array_equal(ext.ebv(sky), ext.ebv(sky, path=tmp_path / "sfd"))


def test_options_of_the_query(sfd, sky):
    nearest = ext.ebv(sky, path=sfd, query_options={"order": 0}).value
    difference = np.abs(nearest - ext.ebv(sky, path=sfd).value)
    assert 0 < difference.max() < 0.003


def test_missing_map_says_how_to_get_it(tmp_path, sky, capsys):
    with pytest.raises(DataNotFoundError) as caught:
        ext.ebv(sky, path=tmp_path / "nothing")
    message = str(caught.value)
    for part in ("SFD_dust_4096_ngp.fits", str(tmp_path / "nothing"), "https://", "sha256:e2a82708", "path=", "'ebv'"):
        assert part in message
    assert capsys.readouterr().out == ""


def test_one_of_two_files_is_missing(tmp_path, sky):
    write_sfd(tmp_path, poles=["ngp"])
    with pytest.raises(DataNotFoundError, match="needs SFD_dust_4096_sgp.fits, not"):
        ext.ebv(sky, path=tmp_path)


@pytest.mark.parametrize("name", ["csfd", "planck", "bayestar"])
def test_other_maps_by_name(tmp_path, sky, name):
    for file in maps.describe_map(name)["files"].split():
        with pytest.raises(DataNotFoundError, match=file):
            ext.ebv(sky, dustmap=name, path=tmp_path)
        (tmp_path / file).write_bytes(b"not a map")
    with pytest.raises(ReadError, match=name):
        ext.ebv(sky, dustmap=name, path=tmp_path)


def test_damaged_file(sfd, sky):
    file = sfd / "SFD_dust_4096_ngp.fits"
    file.write_bytes(b"<html>please prove that you are not a robot</html>")
    with pytest.raises(ReadError, match="check_map"):
        ext.ebv(sky, path=sfd)


def test_checksums(sfd, monkeypatch):
    with pytest.raises(ReadError, match="SFD_dust_4096_ngp.fits: expected sha256"):
        ext.check_map("sfd", sfd)
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in maps.map_files("sfd", sfd)]
    item = {**maps.describe_map("sfd"), "checksums": " ".join(f"sha256:{value}" for value in sums)}
    monkeypatch.setattr(maps, "describe_map", lambda name: item)
    assert ext.check_map("sfd", sfd) is None
    item["checksums"] = ""
    with pytest.raises(DataNotFoundError, match="no checksum"):
        ext.check_map("sfd", sfd)


def test_query_object_gives_what_it_gives(bh, sky):
    direct = bh(SkyCoord(sky["l"], sky["b"], frame="galactic"))
    result = ext.ebv(sky["l", "b"], dustmap=bh)
    outside = np.abs(sky["b"].value) < 10
    np.testing.assert_array_equal(result.mask, np.isnan(direct))
    assert result.mask[outside].all() and not result.mask.all()
    np.testing.assert_array_equal(result.unmasked.value[~result.mask], direct[~np.isnan(direct)])
    flag = np.asarray(ext.add_ebv(sky["l", "b"], dustmap=bh)["extinction_flag"])
    np.testing.assert_array_equal(EXTINCTION.has(flag, "OUTSIDE_MAP"), result.mask)
    np.testing.assert_array_equal(EXTINCTION.has(flag, "FROM_MAP"), ~result.mask)


def test_scale_of_a_query_object(bh, sky):
    as_is, converted = (ext.ebv(sky, dustmap=bh, map_scale=scale) for scale in ("sfd", "true"))
    good = ~as_is.mask
    np.testing.assert_allclose(converted.unmasked[good], as_is.unmasked[good] / 0.86, rtol=1e-12)


def test_column_wins(sfd, sky):
    sky["ebv"] = Masked(np.full(100, 0.05) * u.mag, mask=np.arange(100) < 10)
    out = ext.add_ebv(sky, path=sfd)
    np.testing.assert_array_equal(out["ebv"][10:].value, 0.05)
    np.testing.assert_allclose(out["ebv"][:10].value, expected(sky["l"].value, sky["b"].value)[:10], atol=5e-6)
    from_map = EXTINCTION.has(out["extinction_flag"], "FROM_MAP")
    np.testing.assert_array_equal(from_map, np.arange(100) < 10)
    assert sky["ebv"].mask.sum() == 10


def test_complete_column_needs_no_map(tmp_path, sky):
    table = QTable({"ebv": [0.1, 0.2] * u.mag})
    np.testing.assert_array_equal(ext.ebv(table, path=tmp_path).value, [0.1, 0.2])
    table["ebv"].info.meta = {"ebv_scale": "true"}
    np.testing.assert_allclose(ext.ebv(table, path=tmp_path).value, [0.1 / 0.86, 0.2 / 0.86], rtol=1e-12)


def test_rows_without_value_stay_masked_where_the_map_is_not_there(tmp_path, sky, caplog):
    sky["ebv"] = Masked(np.full(100, 0.05) * u.mag, mask=np.arange(100) < 10)
    out = ext.add_ebv(sky, path=tmp_path)
    np.testing.assert_array_equal(out["ebv"].mask, np.arange(100) < 10)
    assert "10 stars" in caplog.text
    has = EXTINCTION.has
    np.testing.assert_array_equal(has(out["extinction_flag"], "MISSING_EBV"), out["ebv"].mask)


@pytest.mark.filterwarnings("ignore::stellarlabels.exceptions.ImpossibleValueWarning")
def test_bad_coordinates_are_masked_and_flagged(sfd):
    table = QTable(
        {
            "ra": Masked([10.0, np.nan, 10.0, 10.0, 370.0, np.inf] * u.deg, mask=[0, 0, 0, 1, 0, 0]),
            "dec": [20.0, 20.0, 95.0, 20.0, 20.0, 20.0] * u.deg,
        }
    )
    out = ext.add_ebv(table, path=sfd)
    assert out["ebv"].mask.tolist() == [False, True, True, True, False, True]
    values = out["ebv"].unmasked.value
    assert values[0] == pytest.approx(values[4], rel=1e-6)
    flag = np.asarray(out["extinction_flag"])
    np.testing.assert_array_equal(EXTINCTION.has(flag, "NO_COORDINATES"), out["ebv"].mask)
    assert not EXTINCTION.has(flag, "OUTSIDE_MAP").any()


def test_result_goes_into_dereddening(sfd, sky):
    sky["phot_g_mean_mag"] = np.full(100, 15.0) * u.mag
    out = ext.deredden(ext.add_ebv(sky, path=sfd))
    np.testing.assert_allclose(15 - out["phot_g_mean_mag_0"].value, 2.364 * out["ebv"].value, rtol=1e-10)
    with pytest.raises(InputError, match="ebv_scale"):
        ext.deredden(out, ebv_scale="true")


def profile(coordinates, mode="best"):
    """A map in three dimensions, as Bayestar answers: a profile where there is no distance."""
    if coordinates.distance.unit.is_equivalent(u.pc):
        return coordinates.distance.to_value("kpc") / 10
    return np.repeat([[0.1, 0.2, 0.3]], len(coordinates), axis=0)


def test_maps_in_three_dimensions(sky):
    np.testing.assert_array_equal(ext.ebv(sky, dustmap=profile).value, 0.3)
    distance = np.full(100, 2000.0)
    distance[:2] = [np.nan, -1.0]
    out = ext.ebv(sky, dustmap=profile, distance=distance)
    assert out.mask.tolist() == [True, True] + [False] * 98
    np.testing.assert_allclose(out.unmasked.value[2:], 0.2)
    np.testing.assert_allclose(ext.ebv(sky, dustmap=profile, distance=2 * u.kpc).value, 0.2)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"dustmap": "lenz"}, "dustmap"),
        ({"dustmap": 5}, "dustmap"),
        ({"dustmap": profile, "path": "here"}, "path"),
        ({"dustmap": profile, "map_scale": "SFD"}, "map_scale"),
        ({"dustmap": lambda coordinates: np.zeros(3)}, "dustmap"),
    ],
)
def test_misuse(sky, arguments, name):
    with pytest.raises(InputError, match=name):
        ext.ebv(sky, **arguments)


def test_no_coordinates_at_all(sfd):
    with pytest.raises(MissingColumnError, match="ra.*dec"):
        ext.ebv(QTable({"source_id": [1]}), path=sfd)


def test_empty_table_needs_no_map():
    assert ext.ebv(QTable({"ra": [] * u.deg, "dec": [] * u.deg})).shape == (0,)
