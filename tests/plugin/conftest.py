"""The example package as if it were installed: on the path, with the file in which installers write entry points."""

import sys
import tomllib
from importlib import invalidate_caches, metadata
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# What is announced by entry points is imported under its own name, not collected as tests.
collect_ignore_glob = ["src/*"]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """Folders that make up the import path of the example package, which is on that of this process."""
    from stellarlabels import registry, systems
    from stellarlabels.catalogs import schemas

    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folders = []
    if not [point for point in metadata.entry_points(group=registry.ENTRY_POINTS) if point.name == "desi"]:
        site = tmp_path_factory.mktemp("site")
        info = site / "other_surveys-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = project["entry-points"][registry.ENTRY_POINTS]
        lines = [f"[{registry.ENTRY_POINTS}]", *(f"{name} = {value}" for name, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        folders = [str(site), str(HERE / "src")]
    sys.path[:0] = folders
    invalidate_caches()
    registry.load_plugins.cache_clear()
    yield folders
    for folder in folders:
        sys.path.remove(folder)
    for name in ("skymapper", "desi"):
        systems.base.SYSTEMS.discard(name)
        schemas._REGISTERED.discard(name)
    registry.load_plugins.cache_clear()
