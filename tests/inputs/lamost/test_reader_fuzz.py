"""Damaged LAMOST files of every format: a row or a named failure, and never another error."""

import gzip
import warnings

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings, strategies as st

from stellarlabels import flags
from stellarlabels.archive.readers import read_lamost
from stellarlabels.exceptions import ReadError

SIZE = 60
WAVE = 10 ** (3.7 + 1e-4 * np.arange(SIZE))
FLUX = np.linspace(90, 110, SIZE)


def cards(**others):
    return fits.Header({"TELESCOP": "LAMOST", "OBSID": 7, "RA": 292.0, "DEC": 43.9, "Z": -1e-4, "SNRG": 87.0, **others})


def image(first=False):
    """Low resolution until DR8; the first release has its wavelengths in the header."""
    rows = [FLUX, np.ones(SIZE), FLUX / 100 if first else WAVE, np.zeros(SIZE), np.zeros(SIZE)]
    own = {"EXTEN0": "Flux Inverse Subcontinuum Andmask Ormask", "COEFF0": 3.7, "COEFF1": 1e-4} if first else {}
    return fits.HDUList([fits.PrimaryHDU(np.array(rows, np.float32), cards(**own))])


def table(names, wide, loglam, masks):
    """Tables of pixels: one in a row, or all in one row."""
    units = [fits.PrimaryHDU(header=cards())]
    for name in names:
        wave = WAVE + (1400 if name[-1] == "R" or name[0] == "R" else 0)
        columns = {"FLUX": FLUX, "IVAR": np.ones(SIZE), ("LOGLAM" if loglam else "WAVELENGTH"): wave}
        columns["LOGLAM" if loglam else "WAVELENGTH"] = np.log10(wave) if loglam else wave
        columns |= {mask: np.zeros(SIZE, np.int16) for mask in masks}
        kinds = {key: "I" if "MASK" in key else "E" for key in columns}
        fields = [
            fits.Column(key, f"{SIZE}{kinds[key]}" if wide else kinds[key], array=values[None] if wide else values)
            for key, values in columns.items()
        ]
        units.append(fits.BinTableHDU.from_columns(fields, name=name))
    return fits.HDUList(units)


BOTH = ("COADD_B", "COADD_R", "B-83906016", "R-83906016")
FORMATS = {
    "LRS, DR1": lambda: image(first=True),
    "LRS, DR2 to DR8": image,
    "LRS, DR9": lambda: table(["COADD"], True, False, ("ANDMASK", "ORMASK")),
    "MRS, DR7": lambda: table(BOTH, False, True, ("ANDMASK", "ORMASK")),
    "MRS, DR7, exposures": lambda: table(BOTH, False, True, ("PIXMASK",)),
    "MRS, DR9": lambda: table(BOTH, True, False, ("ORMASK",)),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of a file of each format, plain and packed."""
    folder, out = tmp_path_factory.mktemp("whole"), {}
    for name, make in FORMATS.items():
        path = folder / "x.fits"
        make().writeto(path, overwrite=True)
        out[name, ".fits"] = path.read_bytes()
        out[name, ".fits.gz"] = gzip.compress(path.read_bytes(), mtime=0)
    return out


def outcome(paths, exposures=True):
    """The table of files that may be damaged; a single one that cannot be read raises an error that names it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return read_lamost(paths, exposures=exposures)
        except ReadError as error:
            assert "none of" in str(error) or str(paths) in str(error)
            return None


@pytest.mark.parametrize("name", FORMATS)
def test_whole_files_are_read(name, whole, tmp_path):
    for suffix in (".fits", ".fits.gz"):
        path = tmp_path / f"whole{suffix}"
        path.write_bytes(whole[name, suffix])
        found = outcome(path)
        assert len(found) == (2 if name.startswith("MRS") else 1)
        assert not flags.SPECTRUM.has(found["spectrum_flag"], "NO_SPECTRUM").any()


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_of_every_format(name, whole, tmp_path, data):
    suffix = data.draw(st.sampled_from([".fits", ".fits", ".fits.gz"]))
    content = bytearray(whole[name, suffix])
    for _ in range(data.draw(st.integers(0, 20))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    outcome(path)


def damages(path, random):
    """Copies of a file with one thing wrong each, as (what, bytes)."""
    content = path.read_bytes()
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    yield "cut", content[: int(random.integers(1, len(content)))]
    noisy = np.frombuffer(content, np.uint8).copy()
    noisy[random.integers(0, noisy.size, 200)] = random.integers(0, 256, 200)
    yield "random bytes", noisy.tobytes()
    yield "empty", b""
    yield "cut and packed", gzip.compress(content)[:-20]
    for what in ("first units only", "units in another order", "wavelengths NaN", "wavelengths backwards and twice"):
        with fits.open(path) as units:
            units = fits.HDUList([unit.copy() for unit in units])
        if what == "first units only":
            units = units[:1]
        elif what == "units in another order":
            units = fits.HDUList([units[0], *units[:0:-1]])
        for unit in units if what.startswith("wave") else ():
            if unit.data is None:
                continue
            if unit.is_image and "COEFF0" in unit.header and unit.data[2].max() < 3000:  # the first release
                del unit.header["COEFF0"]
                continue
            if unit.is_image:
                cells = unit.data[2]
            else:
                key = "LOGLAM" if "LOGLAM" in unit.columns.names else "WAVELENGTH"
                cells = unit.data[key]
            cells[...] = np.nan if what.endswith("NaN") else np.sort(cells.ravel())[::-1].reshape(cells.shape)
            if what.endswith("twice"):
                cells[..., : cells.shape[-1] // 2] = cells[..., -1:]
        yield what, in_bytes(units)


def in_bytes(units):
    """A file as bytes."""
    from io import BytesIO

    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        units.writeto(buffer, output_verify="silentfix")
    return buffer.getvalue()


def test_damaged_real_files_cost_their_rows_only(real_data, tmp_path):
    """One file of each release and resolution, damaged in eight ways, between two whole ones."""
    random = np.random.default_rng(5)
    low, medium = (sorted((real_data / f"lamost_{kind}").glob("*.fits*")) for kind in ("lrs", "mrs"))
    picked = {path.name[:10]: path for path in low} | {path.name[:9]: path for path in medium[2:]}
    paths, kinds = [low[0]], ["whole"]
    for path in picked.values():
        for what, content in damages(path, random):
            paths.append(tmp_path / f"{len(paths)}-{path.name.removesuffix('.gz')}")
            paths[-1].write_bytes(content)
            kinds.append(what)
    paths.append(low[1])
    kinds.append("whole")
    assert len(picked) > 7
    found = outcome(paths, exposures=False)
    assert found["spectrum"].tolist() == [path.name for path in paths]
    lost = flags.SPECTRUM.has(found["spectrum_flag"], "NO_SPECTRUM")
    kinds = np.array(kinds)
    assert not lost[kinds == "whole"].any() and lost[kinds == "empty"].all() and lost[kinds == "wavelengths NaN"].all()
    assert {paths[row].name for row in np.flatnonzero(lost)} == {
        name.rsplit("/", 1)[-1] for name in found.meta["failures"]
    }
    assert not lost[kinds == "units in another order"].any()
